/** [limits]: what one client, and one address, may do; each with its refusal and its metric. (rooms_max and peers_max: broker/quota.test.mjs.) */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { links, NOT_AUTHORIZED, refused } from '../lib/client.mjs';
import { sanitized } from '../lib/installed.mjs';
import { randomId } from '../lib/jwt.mjs';
import { pair, SDP } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { faultOf } from '../lib/schemas.mjs';
import { useStack } from '../lib/stack.mjs';

/** Waits for a metric that roomd or the gate reports: some seconds may pass before they do. */
const reported = (stack, sample, least) => until(async () => (await stack.metric(sample)) >= least, { timeout: 15000, what: `${sample} ≥ ${least}` });

describe('limits of an address, over HTTP', () => {
  const LIMITS = { address_rooms_per_min: 5, address_tokens_per_min: 7, address_connects_per_min: 100 };
  const PROXY = '127.0.0.9';
  const stack = useStack({ config: { limits: LIMITS, http: { trusted_proxies: `${PROXY} 2001:db8::/32` } } });
  const api = (method, path, options) => stack.http(method, path, options);

  /** Repeats a request; the statuses in order. */
  const repeat = async (count, request) => {
    const answers = [];
    for (let i = 0; i < count; i++) answers.push(await request(i));
    return answers;
  };
  const isRefusal = (answer) => {
    assert.deepEqual([answer.status, answer.json?.error], [429, 'too-many-requests']);
    assert.equal(faultOf('http-error', answer.json), null);
    assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
  };

  test('rooms', async () => {
    const make = (from) => api('POST', '/api/rooms', { body: {}, from });
    const answers = await repeat(LIMITS.address_rooms_per_min + 2, () => make('127.0.0.2'));
    assert.deepEqual(answers.slice(0, 5).map((answer) => answer.status), Array(5).fill(201));
    answers.slice(5).forEach(isRefusal);
    assert.equal((await make('127.0.0.3')).status, 201, 'another address is not concerned');
    assert.equal((await api('GET', '/', { from: '127.0.0.2' })).status, 200, 'pages are not concerned');
    assert.equal(await stack.metric('parley_httpd_refused_total{limit="rooms"}'), 2);
  });

  test('tokens, new ones and renewed ones together', async () => {
    const room = await stack.room();
    const take = (bearer) => api('POST', `/api/rooms/${room}/peers`, { bearer, from: '127.0.0.4' });
    const first = await take();
    const answers = await repeat(LIMITS.address_tokens_per_min, (i) => take(i % 2 ? first.json.token : undefined));
    assert.deepEqual(answers.slice(0, 6).map((answer) => answer.status), [201, 200, 201, 200, 201, 200]);
    isRefusal(answers[6]);
    assert.equal(await stack.metric('parley_httpd_refused_total{limit="tokens"}'), 1);
  });

  test('connects: each further one is told so, and ended', async () => {
    const answers = await repeat(LIMITS.address_connects_per_min + 3, () => api('GET', '/healthz', { from: '127.0.0.5' }));
    const good = answers.findIndex((answer) => answer.status !== 200);
    assert.ok(good >= 100 && good <= 102, `${good} went through`); // some come back while the test goes on
    isRefusal(answers[good]);
    assert.equal(answers[good].headers.connection, 'close');
    assert.equal((await api('GET', '/healthz', { from: '127.0.0.6' })).status, 200);
    assert.ok(await stack.metric('parley_httpd_refused_total{limit="connects"}') >= 1);
  });

  test("X-Forwarded-For counts when a trusted proxy says it, and its last word only", async () => {
    const make = (from, forwarded) => api('POST', '/api/rooms', { body: {}, from, headers: forwarded ? { 'X-Forwarded-For': forwarded } : {} });
    const statuses = async (count, ...args) => (await repeat(count, () => make(...args))).map((answer) => answer.status);
    assert.deepEqual(await statuses(6, PROXY, '203.0.113.1'), [201, 201, 201, 201, 201, 429]);
    assert.deepEqual(await statuses(1, PROXY, '203.0.113.2'), [201]);
    assert.deepEqual(await statuses(1, PROXY, '203.0.113.77, 203.0.113.1'), [429], 'what the client wrote itself is not believed');
    assert.deepEqual(await statuses(1, PROXY, '203.0.113.1, 2001:db8::7'), [429], 'through two trusted proxies');
    assert.deepEqual(await statuses(6, PROXY, '2001:4860:1:2::1'), [201, 201, 201, 201, 201, 429]);
    assert.deepEqual(await statuses(1, PROXY, '2001:4860:1:2:ffff::2'), [429], 'one /64 is one party');
    assert.deepEqual((await repeat(6, (i) => make('127.0.0.7', `203.0.113.${100 + i}`))).map((answer) => answer.status), [201, 201, 201, 201, 201, 429],
      'nobody else is believed');
    assert.deepEqual((await repeat(120, () => api('GET', '/healthz', { from: PROXY }))).filter((answer) => answer.status !== 200), [],
      'connects of a proxy are everybody’s, and not counted');
  });
});

describe('limits of an address, at the gate', () => {
  const CONNECTS = 12;
  const stack = useStack({ config: { limits: { address_connects_per_min: 150 } } });
  const strict = useStack({ config: { limits: { address_connects_per_min: CONNECTS }, http: { trusted_proxies: '127.0.0.1' } } });

  for (const link of links) {
    test(`connects over ${link}, good and bad ones together`, async () => {
      const room = await strict.room();
      const from = `127.0.1.${links.indexOf(link) + 1}`;
      const come = (i, address = from, id = `p-${randomId()}`) => strict.token('peer', id, room)
        .then((token) => strict.client({ id, token: i % 3 === 1 ? `${token}x` : token, from: address, ...link }));
      let let_in = 0;
      for (let i = 0; i < CONNECTS; i++) await come(i).then(() => let_in++, () => {});
      assert.equal(let_in, 8, 'those with a good token got in while the allowance lasted');
      await refused(come(0), link.version === 5 ? NOT_AUTHORIZED : 5, 'one too many');
      await come(0, `127.0.2.${links.indexOf(link) + 1}`);
    });
  }

  test('behind a trusted proxy each peer id counts', async () => {
    const room = await strict.room();
    const id = `p-${randomId()}`;
    const token = await strict.token('peer', id, room);
    const come = (as = id, by = token) => strict.client({ id: as, token: by }).then((client) => client.end());
    for (let i = 0; i <= CONNECTS; i++) await come(); // the first is not known yet
    await refused(come(), NOT_AUTHORIZED, 'one too many');
    const other = `p-${randomId()}`;
    await come(other, await strict.token('peer', other, room));
  });

  test('is counted', () => reported(strict, 'parley_gate_connects_total{broker="main",kind="too-many-requests"}', 5));

  test('services come in whatever their address did', async () => {
    const id = 'p-flood';
    const token = await stack.token('peer', id, 'nowhere');
    await until(() => stack.client({ id, token }).then((client) => client.end().then(() => false), () => true), { timeout: 20000, every: 0, what: 'the limit' });
    await stack.kill('roomd');
    await stack.kill('httpd');
  });
});

describe('limits of a client', () => {
  const MESSAGES = 50;
  const BYTES = 100_000;
  const stack = useStack({ config: { limits: { client_messages_per_s: MESSAGES, client_bytes_per_s: BYTES } } });

  /** Publishes as fast as it can, at QoS 0, without waiting; returns the seconds that it took. */
  async function flood(peer, other, count, sdp = SDP) {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      peer.client.mqtt.publish(`parley/v1/rooms/${peer.room}/to/${other.id}/offer/${peer.id}`, JSON.stringify({ session: peer.session, sdp, n: i }), { qos: 0 });
    }
    await peer.client.settle().catch(() => {}); // the SUBACK, of either kind, comes after all of them
    return (performance.now() - start) / 1000;
  }

  for (const link of links) {
    test(`messages over ${link}: what is over the limit is dropped and told, and later messages pass again`, async () => {
      const { ada, bob } = await pair(stack, link);
      const took = await flood(ada, bob, 400);
      const told = await ada.next('error');
      assert.deepEqual([told.json.error, told.json.event], ['too-many-requests', 'offer']);
      await bob.settle();
      const passed = bob.client.seen(/offer/).length;
      assert.ok(passed >= MESSAGES - 10 && passed <= MESSAGES * (1 + took) + 1, `${passed} passed in ${took.toFixed(2)} s`);
      assert.ok(ada.client.seen('error').length <= 1 + Math.ceil(took), 'one error a second at most');
      bob.client.forget();
      await until(async () => {
        await ada.tell(bob, 'answer').catch(() => {});
        return bob.client.seen(/answer/).length > 0;
      }, { every: 100, what: 'a message to pass again' });
    });
  }

  test('bytes: a large message passes, many do not', async () => {
    const { ada, bob } = await pair(stack);
    const took = await flood(ada, bob, 20, SDP + 'a=x\r\n'.repeat(8_000));
    assert.equal((await ada.next('error')).json.error, 'too-many-requests');
    await bob.settle();
    const passed = bob.client.seen(/offer/).length;
    assert.ok(passed >= 1 && passed <= (1 + took) * BYTES / 60_000 + 1, `${passed} passed in ${took.toFixed(2)} s`);
  });

  test('filters: a few hundred within the own inbox, not any number', async () => {
    const room = await stack.room();
    const eve = await stack.peer(room, { version: 5 });
    let granted = 0;
    await until(async () => {
      const codes = await Promise.all(Array.from({ length: 20 }, (_, i) => eve.client.subscribe(`rooms/${room}/to/${eve.id}/offer/p-${granted + i}`)
        .then(() => 0, (error) => error.code)));
      granted += codes.filter((code) => code === 0).length;
      return granted > 200 && codes.every((code) => code === NOT_AUTHORIZED) && (await stack.metric('parley_gate_too_many_subscribes_total{broker="main"}')) > 0;
    }, { timeout: 60_000, every: 400, what: 'the last filter' });
    assert.ok(granted <= 320, `${granted} granted`);
    const another = await stack.peer(room, { version: 5 });
    await refused(another.client.subscribe(`rooms/${room}/to/${eve.id}/offer/+`), NOT_AUTHORIZED, 'an inbox that is not its own');
  });

  test('who goes on is put out, comes back, and is put out sooner', async () => {
    const { ada, bob } = await pair(stack);
    const device = await stack.device();
    await flood(ada, bob, 1500);
    await ada.client.whenClosed();
    assert.equal((await bob.next('user-away')).json.peer_id, ada.id, 'roomd hears of it at once');
    await until(() => ada.connect().then(() => true), { timeout: 10000, every: 300, what: 'a connect with its subscribes' });
    await flood(ada, bob, 400).catch(() => {});
    await ada.client.whenClosed();
    await device.publish(`devices/${device.id}/status`, { state: 'online' }); // everybody else is served
    await stack.observer.next(`devices/${device.id}/status`);
  });

  test('are counted, each', async () => {
    for (const name of ['too_many_messages', 'too_many_bytes', 'too_many_subscribes', 'put_out']) {
      await reported(stack, `parley_gate_${name}_total{broker="main"}`, 1);
    }
  });
});

/** Times are measured where nothing but the product takes them. */
if (!sanitized) describe('one who floods, and the others', () => {
  const PER_S = 100;
  const stack = useStack({ config: { limits: { client_messages_per_s: PER_S, client_bytes_per_s: 500_000 } } });
  const SAMPLES = 1000;
  const ROUNDS = 10;

  const p99 = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)];

  /** One-way times of 3 KB offers from member to member, one after the other, ms. Each pair stays within its own limits. */
  async function measure(pairs) {
    const times = [];
    const payload = { session: 's', sdp: `${SDP}a=x\r\n${'a=y\r\n'.repeat(600)}` };
    for (let i = 0; i < SAMPLES; i++) {
      const { room, ada, bob } = pairs[i % pairs.length];
      const start = performance.now();
      ada.client.mqtt.publish(`parley/v1/rooms/${room}/to/${bob.id}/offer/${ada.id}`, JSON.stringify({ ...payload, n: start }), { qos: 0 });
      const { at } = await bob.next((message) => message.json?.n === start);
      times.push(at - start);
    }
    return times;
  }

  test('ten times the limit, of messages and of bytes: the p99 of others is at most doubled', { timeout: 120_000 }, async (t) => {
    // So many that none is sent more than its inbox takes.
    const pairs = await Promise.all(Array.from({ length: 48 }, () => pair(stack, { transport: 'tcp' })));
    const ratios = [];
    const rates = [];
    await measure(pairs); // the first offers of a process are slow
    for (let round = 0; round < ROUNDS; round++) {
      const calm = await measure(pairs);
      const { room, ada: eve, bob: mallory } = await pair(stack); // others each time: whoever was put out before is out sooner
      await eve.client.end();
      const flooder = fork(new URL('flooder.mjs', import.meta.url));
      t.after(() => flooder.kill());
      flooder.send({
        url: stack.mqttUrl, id: eve.id, token: eve.token, room, to: mallory.id,
        payload: JSON.stringify({ session: 's', sdp: `${SDP}${'a=z\r\n'.repeat(980)}` }), perS: 10 * PER_S,
      });
      await once(flooder, 'message', { signal: AbortSignal.timeout(10_000) }); // it is refused, or this is no flood
      ratios.push(p99(await measure(pairs)) / p99(calm));
      flooder.send('stop');
      const [told] = await once(flooder, 'message');
      rates.push(told.sent / told.seconds);
      await once(flooder, 'exit');
      await mallory.client.end();
    }
    // Of the rounds the one in the middle: whatever else this machine does is no round's fault.
    const median = ratios.toSorted((x, y) => x - y)[ROUNDS >> 1];
    t.diagnostic(`p99 of ${SAMPLES} one-way offers, flooded/calm: ${ratios.map((ratio) => ratio.toFixed(2))}, median ${median.toFixed(2)}; the flood: ${rates.map(Math.round)} a second`);
    assert.ok(median <= 2, `median ${median.toFixed(2)} of ${ratios.map((ratio) => ratio.toFixed(2))}`);
  });
});

describe('what waits for one who does not read', () => {
  // AddressSanitizer would keep what is freed, too.
  const stack = useStack({ config: { limits: { client_bytes_per_s: 100_000_000 } }, env: { ASAN_OPTIONS: 'quarantine_size_mb=1' } });
  const LARGE = `${SDP}${'a=x\r\n'.repeat(9_200)}`; // as JSON just below the largest offer
  const residentMiB = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${stack.pid('mosquitto')}/status`, 'utf8'))[1]) / 1024;

  for (const qos of [0, 1]) {
    test(`a connection that stops reading, QoS ${qos}: it is ended before much waits for it`, async (t) => {
      await stack.observer.end(); // it would have to read all of it
      const { room, ada, bob } = await pair(stack, { transport: 'tcp', version: 4 });
      const topic = `parley/v1/rooms/${room}/to/${bob.id}/offer/${ada.id}`;
      await ada.tell(bob, 'offer', { sdp: LARGE });
      await bob.next(/offer/); // so large a one is passed on
      const before = residentMiB();
      const { stream } = bob.client.mqtt;
      stream.pause();
      stream.removeAllListeners('data');
      try {
        for (let i = 0; i < 800; i++) await ada.client.mqtt.publishAsync(topic, JSON.stringify({ session: 's', sdp: LARGE }), { qos }); // 50 MB
        await ada.next('user-away');
        const grown = residentMiB() - before;
        t.diagnostic(`50 MB sent, ${grown.toFixed(1)} MiB kept`);
        assert.ok(grown < 12, `${grown.toFixed(1)} MiB`);
      } finally {
        stream.destroy(); // what nobody reads would never close
      }
      await bob.connect();
      await bob.join();
      await ada.tell(bob, 'answer');
      await bob.next(/answer/);
      await reported(stack, 'parley_gate_inbox_full_total{broker="main"}', 1);
      await stack.observer.connect();
      await stack.observer.subscribe('#');
    });
  }

  test('a session without a connection: 256 messages or 1 MiB, and the rest is counted', async () => {
    const { room, ada, bob } = await pair(stack, { clean: false });
    await bob.drop();
    await ada.next('user-away');
    for (let i = 0; i < 300; i++) await ada.tell(bob, 'offer', { n: i });
    bob.client.forget();
    await bob.connect();
    await bob.settle();
    const kept = bob.client.seen(/offer/);
    assert.ok(kept.length >= 250 && kept.length <= 256, `${kept.length} kept`);
    assert.deepEqual(kept.map((message) => message.json.n), kept.map((_, i) => i), 'the first ones, in order');
    await reported(stack, 'parley_gate_queue_full_total{broker="main"}', 44);

    await bob.join();
    await bob.drop();
    await ada.next('user-away');
    for (let i = 0; i < 30; i++) await ada.tell(bob, 'offer', { sdp: LARGE });
    bob.client.forget();
    await bob.connect();
    await bob.settle();
    const large = bob.client.seen(/offer/).length;
    assert.ok(large >= 15 && large <= 1024 * 1024 / LARGE.length, `${large} large ones kept`);
    await bob.join();
    await ada.tell(bob, 'answer');
    assert.equal((await bob.next(/answer/)).topic, `parley/v1/rooms/${room}/to/${bob.id}/answer/${ada.id}`);
  });
});
