/**
 * The real thing: broker, gate, roomd and httpd, started by `./parley run` on ports and a state folder of their own.
 *
 * PARLEY_BUILD_DIR chooses another build, PARLEY_MOSQUITTO another broker, and PARLEY_TEST_LOG=1 shows what the parts log.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TestClient } from './client.mjs';
import { http } from './http.mjs';
import { randomId, readKey } from './jwt.mjs';
import { Peer } from './peer.mjs';
import { until } from './poll.mjs';
import { freePortRow } from './ports.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const READY_MS = 180_000; // the first start may build
const STOP_MS = 20_000;
/** Ports are taken for so many brokers at least: a test may start anew with more of them than before. */
const SHARDS_LEAST = 4;

/** Limits would only be in the way of tests that hurry; a test of limits sets its own. */
const NO_LIMITS = ['client_messages_per_s', 'client_bytes_per_s', 'address_connects_per_min', 'address_rooms_per_min',
  'address_tokens_per_min', 'rooms_max', 'peers_max'];

/** @typedef {{name: string, suffix: string, wsUrl: string, mqttUrl: string, mqttsUrl: string}} Broker */

export class Stack {
  /**
   * @param {{config?: Record<string, Record<string, string | number>>, tls?: boolean, standby?: boolean, shards?: number, env?: Record<string, string>, mode?: number, below?: string, logsToFile?: boolean}} [options]
   *   `config` is sections of options; `tls`: by `--tls`, and every client trusts the certificate that it makes; `standby`: with a second roomd; `shards`: so many
   *   brokers; `env` is what is changed in the environment, `mode` who may reach the state folder; `below` where it is made; `logsToFile`: what the parts say
   *   goes past this process, and `log` has it only after the end
   */
  constructor({ config = {}, tls = false, standby = false, shards = 1, env = {}, mode = 0o711, below = tmpdir(), logsToFile = false } = {}) {
    this.tls = tls;
    this.standby = standby;
    this.shards = shards;
    this.shardsMost = Math.max(shards, SHARDS_LEAST);
    this.env = { ...process.env, ...env };
    this.mode = mode;
    this.below = below;
    this.logsToFile = logsToFile;
    this.config = { ...config, limits: { ...Object.fromEntries(NO_LIMITS.map((name) => [name, 0])), ...config.limits } };
    this.violations = [];
    this.knownInvalid = new Set();
    this.clients = [];
    this.observers = [];
    this.log = [];
  }

  async start() {
    this.folder = mkdtempSync(join(this.below, 'parley-test-'));
    chmodSync(this.folder, this.mode); // started by root, the daemons become another user, whose state folder is in here
    this.stateDir = join(this.folder, 'state');
    writeFileSync(join(this.folder, 'test.conf'), Object.entries(this.config).map(([section, options]) =>
      `[${section}]\n${Object.entries(options).map(([name, value]) => `${name} = ${value}\n`).join('')}`).join('\n'));
    this.ports = await freePortRow(1 + 3 * this.shardsMost);
    await this.#run();
  }

  /** Stops everything, and starts it again with what it has kept. @param {{shards?: number}} [options] another number of brokers */
  async restart({ shards = this.shards } = {}) {
    for (const observer of this.observers.splice(0)) await observer.end();
    const fault = await this.#end();
    if (fault) throw new Error(fault);
    this.shards = shards;
    await this.#run();
  }

  /** The brokers that `--shards` makes. */
  #brokers(s) {
    const url = (scheme, nth, index) => `${scheme}://127.0.0.1:${this.ports + 1 + nth * this.shardsMost + index}`;
    return Array.from({ length: this.shards }, (_, index) => ({
      name: index === 0 ? 'main' : `shard${index + 1}`,
      suffix: index === 0 ? '' : `-shard${index + 1}`, // of the names of its parts
      wsUrl: `${url(`ws${s}`, 0, index)}/`,
      mqttUrl: url('mqtt', 1, index),
      mqttsUrl: url('mqtts', 2, index),
    }));
  }

  async #run() {
    const s = this.tls ? 's' : '';
    this.httpUrl = `http${s}://127.0.0.1:${this.ports}`;
    this.brokers = this.#brokers(s);
    const [{ wsUrl, mqttUrl, mqttsUrl }] = this.brokers; // what is meant where no broker is named
    Object.assign(this, { wsUrl, mqttUrl, mqttsUrl });
    const port = (url) => new URL(url).port;
    const started = performance.now();
    const logFile = this.logsToFile ? openSync(join(this.folder, 'log'), 'a') : undefined;
    this.process = spawn('./parley', ['run', '--state-dir', this.stateDir, '--config', join(this.folder, 'test.conf'), '--http-port', this.ports,
      '--ws-port', port(wsUrl), '--mqtt-port', port(mqttUrl), ...(this.standby ? ['--standby'] : []), ...(this.tls ? ['--tls', '--mqtts-port', port(mqttsUrl)] : []),
      ...(this.shards > 1 ? ['--shards', this.shards] : []), ...(this.env.PARLEY_MOSQUITTO ? ['--mosquitto', this.env.PARLEY_MOSQUITTO] : [])].map(String),
    { cwd: root, env: this.env, stdio: ['ignore', 'pipe', logFile ?? 'pipe'] });
    this.lastResort = () => this.process.kill('SIGTERM');
    process.on('exit', this.lastResort);
    this.ended = new Promise((resolve) => this.process.once('exit', (code, signal) => {
      if (this.logsToFile) this.log = readFileSync(join(this.folder, 'log'), 'utf8').split('\n');
      resolve(code ?? signal);
    }));
    if (logFile === undefined) {
      createInterface({ input: this.process.stderr }).on('line', (line) => {
        this.log.push(line);
        if (process.env.PARLEY_TEST_LOG) console.error(line);
      });
    } else {
      closeSync(logFile);
    }
    await this.#untilReady();
    this.readyAfterMs = performance.now() - started;
    if (this.tls) this.ca = [readFileSync(join(this.stateDir, 'tls.crt'))];
    for (const { mqttUrl: url } of this.brokers) this.observers.push(await this.#observe(url));
    [this.observer] = this.observers;
  }

  #untilReady() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`not ready after ${READY_MS} ms`), READY_MS);
      const fail = (why) => {
        clearTimeout(timer);
        reject(new Error(`${why}\n${this.tail()}`));
      };
      this.ended.then((code) => fail(`./parley run ended with ${code}`));
      createInterface({ input: this.process.stdout }).on('line', (line) => {
        this.log.push(line);
        if (!line.startsWith('Parley is ready:')) return;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** An operator who listens to everything: whatever crosses the wire in a test is judged by the schemas. */
  async #observe(url) {
    const id = 'o-observer';
    const observer = new TestClient(this, { url, id, password: await this.token('operator', id, undefined, 86400), reconnectPeriod: 100 });
    await observer.connect();
    await observer.subscribe('#');
    return observer;
  }

  /** Waits until the newest statistics say what was seen, and returns them. */
  async settledStats() {
    let stats;
    await until(() => {
      stats = this.observer.seen('roomd/stats').at(-1)?.json;
      const counts = this.observedCounts();
      assert.deepEqual(Object.fromEntries(Object.keys(counts).map((name) => [name, stats[name]])), counts);
      return true;
    }, { timeout: 10000, what: 'the statistics to agree with what was seen' });
    return stats;
  }

  /** The last lines of all parts. */
  tail(count = 40) {
    return this.log.slice(-count).join('\n');
  }

  /** A token from the operator's tool. */
  async token(role, id, room, ttlS = 3600) {
    const { stdout } = await promisify(execFile)('./parley', ['ctl', 'token', '--state-dir', this.stateDir, '--role', role, '--id', id,
      ...(room === undefined ? [] : ['--room', room]), '--ttl', String(ttlS)], { cwd: root });
    return stdout.trim();
  }

  /** The key that signs this instance's tokens. */
  key() {
    const file = /^keys_file *= *(.+)$/m.exec(readFileSync(join(this.stateDir, 'parley.conf'), 'utf8'));
    return readKey(file ? file[1] : join(this.stateDir, 'keys'));
  }

  http(method, path, options) {
    return http(this.httpUrl, method, path, { ca: this.ca, ...options });
  }

  /** A new empty room. @returns {Promise<string>} its id */
  async room(id) {
    const answer = await this.http('POST', '/api/rooms', { body: id === undefined ? {} : { room_id: id } });
    if (answer.status !== 201) throw new Error(`POST /api/rooms: ${answer.status} ${answer.text}`);
    return answer.json.room_id;
  }

  /**
   * A connected client.
   *
   * @param {{id: string, token?: string, transport?: 'ws' | 'tcp' | 'tls', broker?: Broker}} options and those of TestClient
   */
  async client({ transport = 'tcp', token, broker, ...options }) {
    const client = new TestClient(this, { url: this.urlOf(transport, broker), password: token, ...options });
    this.clients.push(client);
    return client.connect();
  }

  /** Where the broker is reached by `transport`. @param {'ws' | 'tcp' | 'tls'} transport @param {Broker} [broker] */
  urlOf(transport, broker = this.brokers[0]) {
    return { ws: broker.wsUrl, tcp: broker.mqttUrl, tls: broker.mqttsUrl }[transport];
  }

  /** A connected device (id and token made here). */
  async device(id = randomId('d-'), options = {}) {
    const client = await this.client({ id, token: await this.token('device', id), ...options });
    await client.subscribe(`devices/${id}/#`);
    await client.subscribe(`lobby/to/${id}/#`);
    return client;
  }

  /** A connected operator. */
  async operator(id = randomId('o-'), options = {}) {
    return this.client({ id, token: await this.token('operator', id), ...options });
  }

  /**
   * A person's page: connected, subscribed, not joined yet. Without `token` httpd is asked for an identity.
   *
   * @param {string} room
   * @param {object} [options] of Peer
   */
  async peer(room, options = {}) {
    let { id, token, broker } = options;
    if (!token) {
      if (id) token = await this.token('peer', id, room);
      else {
        const answer = await this.http('POST', `/api/rooms/${room}/peers`);
        if (answer.status !== 201) throw new Error(`POST /api/rooms/${room}/peers: ${answer.status} ${answer.text}`);
        ({ peer_id: id, token } = answer.json);
        if (this.shards > 1) broker = this.brokers.find(({ wsUrl }) => wsUrl === answer.json.mqtt.url);
      }
    }
    const peer = new Peer(this, room, { ...options, id, token, broker });
    await peer.connect();
    return peer;
  }

  /** Returns when roomd has handled everything that reached the broker before this call. @param {Broker} [broker] */
  async roomdSettled(broker = this.brokers[0]) {
    broker.prober ??= this.device(randomId('d-prober-'), { broker });
    const prober = await broker.prober;
    const request = randomId('r-');
    await prober.publish(`lobby/from/${prober.id}/create-room`, { request, room_id: 'probe' });
    await prober.next((message) => message.short.startsWith(`lobby/to/${prober.id}/`) && message.json?.request === request);
  }

  /**
   * One value of httpd's metrics.
   *
   * @param {string} sample name and labels as they stand in the text
   * @returns {Promise<number | undefined>}
   */
  async metric(sample) {
    const { text } = await this.http('GET', '/metrics');
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
    return line && Number(line.slice(sample.length));
  }

  /** The pid of a part, from its pid file. */
  pid(part) {
    return Number(readFileSync(join(this.stateDir, `${part}.pid`), 'utf8'));
  }

  /** Those of all parts that run, by their names. @returns {Record<string, number>} */
  pids() {
    const parts = existsSync(this.stateDir) ? readdirSync(this.stateDir).flatMap((file) => /^(.*)\.pid$/.exec(file)?.[1] ?? []) : [];
    return Object.fromEntries(parts.map((part) => [part, this.pid(part)]));
  }

  signal(part, signal) {
    process.kill(this.pid(part), signal);
  }

  /** Kills a part the hard way and returns when another one runs and serves. */
  async kill(part, { untilReady = true } = {}) {
    const old = this.pid(part);
    process.kill(old, 'SIGKILL');
    await until(() => {
      const now = this.pid(part);
      process.kill(now, 0);
      return now !== old;
    }, { what: `${part} to be started again` });
    if (untilReady) await this.ready();
  }

  async ready() {
    await until(async () => (await this.http('GET', '/readyz')).status === 200, { timeout: 15000, what: '/readyz' });
  }

  /**
   * What the counters of roomd/stats have to say, by everything that the observer has seen since the start. (`not-a-member` and `too-large`
   * are the gate's answers, which roomd does not count.)
   */
  observedCounts() {
    const count = (pattern, also = () => true) => this.observer.messages.filter((message) => pattern.test(message.short) && also(message.json)).length;
    const errors = {};
    for (const { short, json } of this.observer.messages) {
      if (/\/to\/[^/]+\/error$/.test(short) && !['not-a-member', 'too-large'].includes(json.error)) errors[json.error] = (errors[json.error] ?? 0) + 1;
    }
    return {
      creates: count(/\/room-created$/, (json) => json.created),
      joins: count(/\/from\/[^/]+\/join$/),
      joined: count(/\/joined$/, (json) => !json.resumed),
      resumed: count(/\/joined$/, (json) => json.resumed),
      full_room: count(/\/full-room$/),
      cuts: count(/\/from\/[^/]+\/cut-the-call$/),
      gones: count(/\/from\/[^/]+\/gone$/),
      lost: count(/\/to\/[^/]+\/cut-the-call$/, (json) => json.reason === 'lost'),
      errors,
    };
  }

  /** Ends the clients of one test and hands over what was wrong on the wire. */
  async cleanUp() {
    await Promise.all(this.clients.splice(0).map((client) => client.end()));
    for (const broker of this.brokers) broker.prober = undefined;
    const violations = this.violations.splice(0);
    if (violations.length > 0) throw new Error(`payloads that the documents do not allow:\n${violations.join('\n')}`);
  }

  /** Stops it as Ctrl-C would, and checks that nothing is left running. */
  async stop() {
    for (const observer of this.observers) await observer.end();
    const fault = await this.#end();
    rmSync(this.folder, { recursive: true, force: true });
    if (!this.observer) return; // it never started, and has said why
    if (fault) throw new Error(`${fault}\n${this.tail()}`);
    const finding = this.log.findIndex((line) => /(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:/.test(line));
    if (finding >= 0) throw new Error(this.log.slice(finding, finding + 40).join('\n'));
  }

  /** Tells it to end, and waits. @returns {Promise<string>} what is wrong then, or '' */
  async #end() {
    const pids = Object.entries(this.pids());
    this.process.kill('SIGTERM');
    const late = new Promise((resolve) => setTimeout(resolve, STOP_MS, 'late').unref());
    const code = await Promise.race([this.ended, late]);
    process.off('exit', this.lastResort);
    const left = pids.filter(([, pid]) => isAlive(pid)).map(([part]) => part);
    if (code !== 0) return `./parley run ended with ${code}`;
    return left.length > 0 ? `${left} still run after ./parley run ended` : '';
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * A stack for one `describe`: started before its tests, its clients ended and the wire judged after each, stopped after the last.
 *
 * @param {ConstructorParameters<typeof Stack>[0]} [options]
 */
export function useStack(options) {
  const stack = new Stack(options);
  before(() => stack.start(), { timeout: READY_MS + 10_000 });
  afterEach(() => stack.cleanUp());
  after(() => stack.stop(), { timeout: STOP_MS + 10_000 });
  return stack;
}
