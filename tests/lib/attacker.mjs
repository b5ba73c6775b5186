/**
 * The third who wants into a call of two: several intruders with valid tokens, at several connections, who try all that tries.mjs knows, and
 * look at what becomes of each try. What was not refused in the one right way is a failure, so a try that never left is none that was repelled.
 */
import assert from 'node:assert/strict';
import { NOT_AUTHORIZED, SUBACK_FAILURE, TestClient, links, refused } from './client.mjs';
import { forge, nowS, randomId } from './jwt.mjs';
import { until } from './poll.mjs';
import { randomBy } from './random.mjs';
import { misbehave } from './raw_mqtt.mjs';
import { KINDS } from './tries.mjs';

const CONNACK_REFUSED = 5; // MQTT 3.1.1, not authorized

/** What the intruder finds in its inbox after a try, by what had to become of it. */
const ANSWERS = {
  'not-a-member': ({ event }) => `error not-a-member ${event}`,
  'too-large': ({ event }) => `error too-large ${event}`,
  'bad-request': ({ event }) => `error bad-request ${event}`,
  'bad-peer-name': ({ event }) => `error bad-peer-name ${event}`,
  'full-room': ({ session }) => `full-room ${session}`,
};
/** What the gate refuses. The others reach roomd. */
const BY_THE_GATE = ['denied', 'not-a-member', 'too-large'];

const answerOf = ({ short, json }) => (short.endsWith('/error') ? `error ${json.error} ${json.event}` : `${short.split('/').slice(4).join('/') || short} ${json?.session}`);

export class Attacker {
  /**
   * Comes into the empty `room` with one intruder for each way to connect and one of another room; the first leaves with a seat of its own.
   *
   * @param {import('./stack.mjs').Stack} stack
   * @param {string} room
   * @param {number} [seed]
   */
  static async create(stack, room, seed = 3) {
    const attacker = new Attacker();
    attacker.stack = stack;
    attacker.random = randomBy(seed);
    const elsewhere = await stack.room();
    attacker.scene = { room, elsewhere, members: [], genuine: [], signer: stack.key() };
    attacker.intruders = [];
    for (const [where, link] of [...links.map((link) => /** @type {const} */ ([room, link])), /** @type {const} */ ([elsewhere, links[1]])]) {
      attacker.intruders.push(await stack.peer(where, { ...link, name: 'Cem', will: null }));
    }
    const [first] = attacker.intruders;
    await first.join();
    await first.cut();
    await until(async () => (await stack.http('GET', `/api/rooms/${room}`)).json.peers.length === 0, { what: 'the intruder to be out again' });
    attacker.tally = new Map(KINDS.map(({ kind }) => [kind, { tries: 0, outcomes: {} }]));
    return attacker;
  }

  /** Learns who is in the call and all that they have said, as if the third had been shown it by somebody. */
  async aim() {
    const { stack, scene } = this;
    const { peers } = (await stack.http('GET', `/api/rooms/${scene.room}`)).json;
    assert.equal(peers.length, 2, 'two are in the call');
    const intruders = new Set(this.intruders.map(({ id }) => id));
    scene.genuine = stack.observer.messages
      .filter(({ short }) => short.startsWith(`rooms/${scene.room}/`))
      .map(({ short, payload }) => ({ topic: short, payload, parts: short.split('/') }))
      .filter(({ parts }) => (parts[2] === 'from' && parts[4] === 'join' && !intruders.has(parts[3])) || parts.length === 6)
      .map(({ topic, payload, parts }) => ({ topic, payload, event: parts[4] }));
    scene.members = peers.map(({ peer_id: id, peer_name: name }) => {
      const { json } = stack.observer.messages.findLast(({ short }) => short === `rooms/${scene.room}/to/${id}/joined`);
      return { id, name, session: json.session, seat: json.seat };
    });
    await Promise.all(this.intruders.map(({ client }) => client.settle()));
    for (const { client } of this.intruders) client.messages.length = 0;
    this.before = await this.#gateCounts();
    this.observed = stack.observer.messages.length;
    /** What the gate and roomd will have counted of ours. */
    this.due = { denied_publishes: 0, denied_subscribes: 0, reasons: {} };
    /** What passes the gate, and what comes of it: `full-room` and so on. @type {string[]} */
    this.passed = [];
  }

  /**
   * `count` tries, of each kind its share and at least one, in an order by chance; `meanwhile` is called for each `every` of them and
   * runs beside them.
   *
   * @param {number} count
   * @param {{every?: number, meanwhile?: (slice: number) => Promise<void>}} [options]
   */
  async run(count, { every = 50, meanwhile = async () => {} } = {}) {
    const sum = KINDS.reduce((all, { share }) => all + share, 0);
    const plan = KINDS.flatMap((kind) => Array.from({ length: Math.ceil((kind.share * count) / sum) }, () => kind));
    this.random.shuffle(plan);
    for (let at = 0; at < plan.length; at += every) {
      await Promise.all([this.#slice(plan.slice(at, at + every)), meanwhile(at / every)]);
    }
    return plan.length;
  }

  async #slice(plan) {
    const { random, scene, stack } = this;
    const due = new Map(this.intruders.map((self) => [self, []]));
    await Promise.all(plan.map(async ({ kind, via, make }) => {
      const self = random.pick(this.intruders);
      const { version = 5, transport } = self.options;
      const what = make(random, scene, { id: self.id, token: self.token, session: self.session, seat: self.seat, room: self.room, version, transport });
      if (via === 'publish' && ANSWERS[what.outcome]) due.get(self).push(ANSWERS[what.outcome](what));
      const outcome = await this[`_${via}`](self, what, version);
      const line = this.tally.get(kind);
      line.tries++;
      line.outcomes[outcome] = (line.outcomes[outcome] ?? 0) + 1;
    }));
    await stack.roomdSettled();
    await Promise.all(this.intruders.map(({ client }) => client.settle()));
    for (const [self, answers] of due) {
      const inbox = self.client.messages.splice(0).filter(({ short }) => short !== 'roomd/status');
      assert.deepEqual(inbox.map(answerOf).sort(), answers.sort(), `what ${self.id} has in its inbox`);
    }
  }

  // ---- the ways to try ----

  async _publish(self, { topic, whole, isBrokers, payload, options, outcome }, version) {
    const isRefused = BY_THE_GATE.includes(outcome);
    const doing = whole ? self.client.mqtt.publishAsync(whole, payload, options) : self.client.publishRaw(topic, payload, options);
    // Only MQTT 5 says so, and only from quality of service 1 on; the gate's count tells of the others.
    if (isRefused && version === 5 && options.qos > 0) await refused(doing, NOT_AUTHORIZED, topic ?? whole);
    else await doing;
    if (isRefused) this.due.denied_publishes += isBrokers ? 0 : 1;
    else this.passed.push(topic);
    return outcome;
  }

  async _subscribe(self, { filter, qos }, version) {
    await refused(self.client.subscribeRaw(filter, qos), version === 5 ? NOT_AUTHORIZED : SUBACK_FAILURE, filter);
    this.due.denied_subscribes++;
    return 'refused';
  }

  async _connect(self, { id, username, password, reason }, version) {
    const client = new TestClient(this.stack, { url: this.#urlOf(self), id, username, password, version });
    await refused(client.connect().finally(() => client.mqtt.end(true)), version === 5 ? NOT_AUTHORIZED : CONNACK_REFUSED, `${id} as ${username}, ${reason}`);
    this.due.reasons[reason] = (this.due.reasons[reason] ?? 0) + 1;
    return reason;
  }

  /** A connection with a last will that breaks. */
  async _will(self, { topic, payload, options, outcome }, version) {
    const { id, token } = this.#newcomer();
    const whole = `parley/v1/${topic.replace('{will}', id)}`;
    const client = new TestClient(this.stack, { url: this.#urlOf(self), id, password: token, version, will: { topic: whole, payload: Buffer.from(payload), ...options } });
    await client.connect();
    await client.drop();
    if (outcome === 'denied') this.due.denied_publishes++;
    else this.passed.push(whole.slice('parley/v1/'.length));
    return outcome;
  }

  async _raw(self, misdeed, version) {
    await misbehave(this.stack.mqttUrl, { ...this.#newcomer(), version }, misdeed);
    return 'cut off';
  }

  #urlOf(self) {
    return self.options.transport === 'ws' ? this.stack.wsUrl : this.stack.mqttUrl;
  }

  /** One more with a valid token for the room. */
  #newcomer() {
    const { scene } = this;
    const id = randomId('p-');
    return { id, token: forge(scene.signer, { iss: 'parley', sub: id, role: 'peer', room: scene.room, iat: nowS(), exp: nowS() + 600 }) };
  }

  // ---- the accounts ----

  /** What the gate has counted: at SIGHUP it says so. */
  async #gateCounts() {
    const { stack } = this;
    const from = stack.log.length;
    stack.signal('mosquitto', 'SIGHUP');
    const summary = await until(() => stack.log.slice(from).find((line) => /gate: .*\bsummary\b/.test(line)), { timeout: 10_000, what: "the gate's summary" });
    const number = (line, name) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(line)?.[1]);
    const reasons = {};
    for (const line of stack.log.slice(from, stack.log.indexOf(summary, from))) {
      const outcome = /gate: .*\bconnects outcome="?([\w-]+)"?/.exec(line)?.[1];
      if (outcome) reasons[outcome] = number(line, 'count');
    }
    return { denied_publishes: number(summary, 'denied_publishes'), denied_subscribes: number(summary, 'denied_subscribes'), reasons };
  }

  /** Fails unless the gate has refused just what had to be refused, and roomd was told of just the rest. */
  async judge() {
    const { before, due, stack, scene } = this;
    const reasons = Object.fromEntries(Object.entries(due.reasons).map(([reason, count]) => [reason, count + (before.reasons[reason] ?? 0)]));
    await until(async () => {
      const { reasons: all, ...counts } = await this.#gateCounts();
      assert.deepEqual(counts, { denied_publishes: before.denied_publishes + due.denied_publishes, denied_subscribes: before.denied_subscribes + due.denied_subscribes });
      assert.deepEqual(Object.fromEntries(Object.keys(reasons).map((reason) => [reason, all[reason]])), reasons);
      return true;
    }, { timeout: 10_000, every: 500, what: "the gate's counts to be ours" });
    await stack.roomdSettled();
    await stack.observer.settle();
    // An operator, who reads everything, has seen of ours what roomd had to answer, and nothing else.
    const members = new Set(scene.members.map(({ id }) => id));
    const ours = stack.observer.messages.slice(this.observed).map(({ short }) => short)
      .filter((short) => short.includes('/from/') && short.startsWith(`rooms/${scene.room}/`) && !members.has(short.split('/')[3]));
    assert.deepEqual(ours.sort(), this.passed.sort());
  }

  /** What was tried, and what became of it: a line a kind. */
  table() {
    const lines = [...this.tally].map(([kind, { tries, outcomes }]) =>
      `${kind.padEnd(52)}${String(tries).padStart(6)}  ${Object.entries(outcomes).sort().map(([name, count]) => `${name} ${count}`).join(', ')}`);
    return [...lines, `${'in all'.padEnd(52)}${String([...this.tally.values()].reduce((sum, { tries }) => sum + tries, 0)).padStart(6)}`];
  }
}
