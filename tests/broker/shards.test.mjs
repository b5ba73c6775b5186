/** Several brokers, each with its roomd: a room belongs to one of them by its id, and nobody notices but those who look. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { freePortRow } from '../lib/ports.mjs';
import { holdSupervisor } from '../lib/roomds.mjs';
import { root, Stack, useStack } from '../lib/stack.mjs';

const build = process.env.PARLEY_BUILD_DIR ?? join(root, 'build');
const FIRST = 0;
const SECOND = 1;

/** The room's broker by the rule of docs/protocol.md, "Several brokers". */
function ownerOf(stack, room) {
  const mask = (1n << 64n) - 1n;
  const weight = (name) => {
    let hash = 0xcbf29ce484222325n;
    for (const byte of Buffer.from(`${name}/${room}`)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & mask;
    hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & mask;
    hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & mask;
    return hash ^ (hash >> 33n);
  };
  return stack.brokers.reduce((best, broker) => (weight(broker.name) > weight(best.name) ? broker : best));
}

/** An id that belongs to the nth broker. */
function idOf(stack, nth, prefix = 'room-') {
  for (;;) {
    const id = randomId(prefix);
    if (ownerOf(stack, id) === stack.brokers[nth]) return id;
  }
}

/** Two in a call, in a room of the nth broker. */
async function callAt(stack, nth, options) {
  const room = idOf(stack, nth);
  const made = await pair(stack, { room, ...options });
  for (const peer of [made.ada, made.bob]) assert.equal(peer.options.broker, stack.brokers[nth]);
  return made;
}

/** Fails unless the two reach each other, both ways. */
async function assertTalking({ ada, bob }) {
  await ada.tell(bob, 'offer');
  await bob.next(`offer/${ada.id}`);
  await bob.tell(ada, 'answer');
  await ada.next(`answer/${bob.id}`);
}

const create = async (client, body) => {
  const request = randomId('r-');
  await client.publish(`lobby/from/${client.id}/create-room`, { request, ...body });
  return client.next((message) => message.short.startsWith(`lobby/to/${client.id}/`) && message.json.request === request);
};

describe('two brokers', () => {
  const stack = useStack({ shards: 2, config: { rooms: { grace_s: 30 } } });
  const urlOf = async (room) => (await stack.http('POST', `/api/rooms/${room}/peers`)).json.mqtt.url;

  test('rooms that httpd makes are spread over both, and their broker is told', async () => {
    const rooms = [];
    for (let i = 0; i < 20; i++) rooms.push(await stack.room());
    const counts = stack.brokers.map((broker) => rooms.filter((room) => ownerOf(stack, room) === broker).length);
    assert.deepEqual(counts, [10, 10]);
    for (const observer of stack.observers) await observer.settle();
    for (const room of rooms) {
      const { name, wsUrl } = ownerOf(stack, room);
      assert.equal(await urlOf(room), wsUrl);
      for (const [nth, broker] of stack.brokers.entries()) {
        assert.equal(stack.observers[nth].seen(`rooms/${room}/state`).length > 0, broker.name === name, `${room} at ${broker.name}`);
      }
    }
    const policy = (await stack.http('GET', `/r/${rooms[0]}/`)).headers['content-security-policy'];
    for (const { wsUrl } of stack.brokers) assert.ok(policy.includes(` ${wsUrl.slice(0, -1)}`), policy);
  });

  for (const nth of [FIRST, SECOND]) {
    test(`a call at broker ${nth + 1}, by the address that httpd hands out`, async () => {
      const call = await callAt(stack, nth);
      await assertTalking(call);
      const { json } = await stack.http('GET', `/api/rooms/${call.room}`);
      assert.deepEqual(json.peers.map((peer) => peer.peer_name), ['Ada', 'Bob']);
      const eve = await stack.peer(call.room, { name: 'Eve' });
      await eve.sendJoin();
      await eve.next('full-room');
      await call.bob.drop();
      await call.ada.next('user-away');
      await call.bob.connect();
      assert.equal((await call.bob.join()).resumed, true);
      await call.bob.cut();
      await call.ada.next((message) => message.short.endsWith('/cut-the-call') && message.json.reason === 'hung-up');
    });

    test(`a device of broker ${nth + 1} has its rooms there, and httpd says so`, async () => {
      const broker = stack.brokers[nth];
      const device = await stack.device(undefined, { broker });
      for (let i = 0; i < 8; i++) {
        const { json } = await create(device);
        assert.equal(json.created, true);
        assert.equal(ownerOf(stack, json.room_id), broker);
        await until(async () => (await stack.http('GET', `/api/rooms/${json.room_id}`)).status === 200, { what: 'httpd to know the room' });
        assert.equal(await urlOf(json.room_id), broker.wsUrl);
      }
      const own = idOf(stack, nth);
      assert.equal((await create(device, { room_id: own })).json.room_id, own);
    });

    test(`an id of another broker is refused by roomd ${nth + 1}, and nothing is made`, async () => {
      const device = await stack.device(undefined, { broker: stack.brokers[nth] });
      const foreign = idOf(stack, 1 - nth);
      for (const more of [{}, { dry_run: true }]) {
        const { short, json } = await create(device, { room_id: foreign, ...more });
        assert.match(short, /\/error$/);
        assert.equal(json.error, 'bad-room-id');
        assert.match(json.detail, /another broker/);
      }
      assert.equal((await stack.http('GET', `/api/rooms/${foreign}`)).status, 404);
      assert.equal(await stack.room(foreign), foreign, 'httpd asks the right one');
    });

    test(`a device of broker ${nth + 1} is rung for a room that it can reach, and for no other`, async () => {
      const device = await stack.device(undefined, { broker: stack.brokers[nth] });
      await device.publish(`devices/${device.id}/status`, { state: 'online' });
      const bearer = await stack.token('operator', 'o-ringer');
      const ring = (body) => stack.http('POST', `/api/devices/${device.id}/ring`, { bearer, body });
      device.mqtt.on('message', (topic, payload) => {
        if (topic.endsWith('/ring')) void device.publish(`devices/${device.id}/ring-answer`, { request: JSON.parse(payload).request, answer: 'accepted' });
      });
      let first;
      await until(async () => (first = await ring({})).status !== 404, { what: 'httpd to know that the device is online' });
      assert.equal(first.status, 202, first.text);
      assert.equal(ownerOf(stack, first.json.room_id), stack.brokers[nth]);
      for (const known of [false, true]) {
        const room = idOf(stack, nth);
        if (known) await stack.room(room);
        assert.equal((await ring({ room_id: room })).status, 202);
        const foreign = idOf(stack, 1 - nth);
        if (known) await stack.room(foreign);
        const refused = await ring({ room_id: foreign });
        assert.deepEqual([refused.status, refused.json.error], [400, 'bad-room-id'], refused.text);
      }
      await device.publish(`devices/${device.id}/status`, { state: 'offline' });
    });
  }

  test('the metrics tell the two apart', async () => {
    const before = await Promise.all(stack.brokers.map(({ name }) => stack.metric(`parley_httpd_rooms{broker="${name}"}`)));
    await stack.room(idOf(stack, SECOND));
    const sample = (name) => stack.metric(`parley_httpd_rooms{broker="${name}"}`);
    await until(async () => (await sample('shard2')) === before[SECOND] + 1, { what: 'the new room' });
    assert.equal(await sample('main'), before[FIRST]);
    for (const { name } of stack.brokers) {
      for (const metric of ['parley_httpd_broker_connected', 'parley_httpd_roomd_online']) assert.equal(await stack.metric(`${metric}{broker="${name}"}`), 1);
      await until(async () => (await stack.metric(`parley_roomd_rooms{broker="${name}"}`)) > 0, { what: `the statistics of ${name}'s roomd` });
      await until(async () => (await stack.metric(`parley_gate_connected{broker="${name}"}`)) > 0, { what: `the statistics of ${name}'s gate` });
    }
  });

  for (const nth of [FIRST, SECOND]) {
    test(`kill -9 of broker ${nth + 1}: the other's calls do not notice, readiness does, and it comes back`, async () => {
      const [hit, other] = [await callAt(stack, nth), await callAt(stack, 1 - nth)];
      const { suffix, name } = stack.brokers[nth];
      const pids = stack.pids();
      const closed = Promise.all([hit.ada.client.whenClosed(), hit.bob.client.whenClosed()]);
      const goOn = holdSupervisor(pids[`mosquitto${suffix}`]);
      try {
        process.kill(pids[`mosquitto${suffix}`], 'SIGKILL');
        await closed;
        await until(async () => (await stack.http('GET', '/readyz')).status === 503, { what: '/readyz to say so' });
        assert.equal(await stack.metric(`parley_httpd_broker_connected{broker="${name}"}`), 0);
        await assertTalking(other);
        const third = await stack.peer(await stack.room(), { name: 'Cem' }); // made where there is somebody to make it
        assert.equal(third.options.broker, stack.brokers[1 - nth]);
        await third.join();
        assert.equal((await stack.http('POST', '/api/rooms', { body: { room_id: idOf(stack, nth) } })).status, 503);
      } finally {
        goOn();
      }
      await stack.ready();
      for (const peer of [hit.ada, hit.bob]) {
        await until(() => peer.connect().then(() => true), { what: 'the broker to let them in' });
        assert.equal((await peer.join()).resumed, true);
      }
      await assertTalking(hit);
      const now = stack.pids();
      const changed = Object.keys(pids).filter((part) => now[part] !== pids[part]);
      assert.deepEqual(changed, [`mosquitto${suffix}`]);
      assert.equal(other.ada.client.closed || other.bob.client.closed, false);
      await other.ada.settle();
      other.ada.none(/user-away|state/);
    });
  }

  test('kill -9 of both roomds, and a restart of everything: each has its own rooms again, and no other', async () => {
    const calls = [await callAt(stack, FIRST), await callAt(stack, SECOND)];
    const empty = [await stack.room(idOf(stack, FIRST)), await stack.room(idOf(stack, SECOND))];
    const assertKept = async () => {
      for (const [nth, { room }] of calls.entries()) {
        for (const each of [room, empty[nth]]) {
          assert.equal((await stack.http('GET', `/api/rooms/${each}`)).status, 200);
          assert.equal(await urlOf(each), stack.brokers[nth].wsUrl);
        }
        await stack.roomdSettled(stack.brokers[nth]);
        await stack.observers[nth].settle();
        const seen = stack.observers[nth].seen(/^rooms\/[^/]+\/state$/).map((message) => message.short.split('/')[1]);
        assert.ok(seen.includes(room) && !seen.includes(calls[1 - nth].room));
        assert.deepEqual(seen.filter((id) => ownerOf(stack, id) !== stack.brokers[nth]), []);
      }
    };
    for (const { suffix } of stack.brokers) await stack.kill(`roomd${suffix}`);
    for (const { ada, bob } of calls) assert.deepEqual([(await ada.join()).resumed, (await bob.join()).resumed], [true, true]);
    await assertKept();
    await stack.restart();
    await assertKept();
    for (const { ada, bob } of calls) {
      await Promise.all([ada.connect(), bob.connect()]);
      assert.deepEqual([(await ada.join()).resumed, (await bob.join()).resumed], [true, true]);
      await assertTalking({ ada, bob });
    }
  });
});


describe('another number of brokers', () => {
  const stack = useStack({ shards: 1, config: { rooms: { grace_s: 30 } } });

  test('more: rooms stay where they are, and are found there; new ones are made where they belong', async () => {
    const calls = [await pair(stack), await pair(stack), await pair(stack), await pair(stack)];
    const empty = [];
    for (let i = 0; i < 12; i++) empty.push(await stack.room());
    await stack.restart({ shards: 2 });
    const moved = [...calls.map(({ room }) => room), ...empty].filter((room) => ownerOf(stack, room) !== stack.brokers[FIRST]);
    assert.ok(moved.length > 0);
    for (const { room, ada, bob } of calls) {
      await Promise.all([ada.connect(), bob.connect()]);
      assert.deepEqual([(await ada.join()).resumed, (await bob.join()).resumed], [true, true]);
      await assertTalking({ ada, bob });
      await ada.reload();
      await ada.join();
      await bob.next('user-arrived');
      const eve = await stack.peer(room, { name: 'Eve' });
      assert.equal(eve.options.broker, stack.brokers[FIRST]);
      await eve.sendJoin();
      await eve.next('full-room');
    }
    for (const room of empty) {
      assert.equal((await stack.http('GET', `/r/${room}/`)).status, 200);
      assert.equal((await stack.http('POST', '/api/rooms', { body: { room_id: room } })).status, 200);
      const fay = await stack.peer(room, { name: 'Fay' });
      assert.equal(fay.options.broker, stack.brokers[FIRST]);
      assert.equal((await fay.join()).room.room_id, room);
    }
    for (const nth of [FIRST, SECOND]) await assertTalking(await callAt(stack, nth));
  });

  test('httpd starts anew while a broker is away: a room that may be there is neither denied nor made a second time', async () => {
    const first = stack.brokers[FIRST].name;
    await stack.restart({ shards: 1 });
    const room = idOf({ brokers: [{ name: first }, { name: 'shard2' }] }, SECOND);
    const { ada } = await pair(stack, { room });
    await stack.restart({ shards: 2 });
    const pids = stack.pids();
    const goOn = holdSupervisor(pids.mosquitto);
    const unknown = idOf(stack, SECOND);
    try {
      process.kill(pids.mosquitto, 'SIGKILL');
      await stack.kill('httpd', { untilReady: false });
      await until(async () => (await stack.metric('parley_httpd_roomd_online{broker="shard2"}')) === 1, { what: 'httpd to have the other broker' });
      const statusOf = async (method, path, options) => (await stack.http(method, path, options)).status;
      for (const id of [room, unknown]) {
        assert.equal(await statusOf('GET', `/api/rooms/${id}`), 503);
        assert.equal(await statusOf('GET', `/r/${id}/`), 503);
        assert.equal(await statusOf('POST', '/api/rooms', { body: { room_id: id } }), 503);
        assert.equal(await statusOf('POST', `/api/rooms/${id}/peers`), 503);
      }
      assert.equal(await statusOf('POST', `/api/rooms/${room}/peers`, { bearer: ada.token }), 503, 'with its seat she would make it again');
      assert.equal(await statusOf('GET', '/api/rooms/no%20id'), 404);
      const device = await stack.device(undefined, { broker: stack.brokers[SECOND] });
      await device.publish(`devices/${device.id}/status`, { state: 'online' });
      const ring = { bearer: await stack.token('operator', 'o-ringer'), body: { room_id: room } };
      await until(async () => (await statusOf('POST', `/api/devices/${device.id}/ring`, ring)) === 503, { what: 'httpd to know that the device is online' });
      await device.publish(`devices/${device.id}/status`, { state: 'offline' });
      const made = await stack.room();
      assert.equal(ownerOf(stack, made), stack.brokers[SECOND]);
      assert.equal((await stack.peer(made)).options.broker, stack.brokers[SECOND]);
    } finally {
      goOn();
    }
    await stack.ready();
    await until(async () => (await stack.http('GET', `/api/rooms/${unknown}`)).status === 404, { what: 'httpd to know all rooms' });
    assert.equal((await stack.http('GET', `/r/${room}/`)).status, 200);
    assert.equal((await stack.peer(room, { name: 'Eve' })).options.broker, stack.brokers[FIRST]);
    assert.equal(await stack.room(unknown), unknown);
  });

  test('fewer: the rooms of the others are gone, and can be made again under their names', async () => {
    const [kept, lost] = [await callAt(stack, FIRST), await callAt(stack, SECOND)];
    await stack.restart({ shards: 1 });
    await Promise.all([kept.ada.connect(), kept.bob.connect()]);
    assert.deepEqual([(await kept.ada.join()).resumed, (await kept.bob.join()).resumed], [true, true]);
    assert.equal((await stack.http('GET', `/api/rooms/${lost.room}`)).status, 404);
    assert.equal(await stack.room(lost.room), lost.room);
    const [again] = stack.brokers;
    for (const peer of [lost.ada, lost.bob]) {
      peer.options.broker = again;
      await peer.reload();
      await peer.join();
    }
    await assertTalking(lost);
  });
});

test('parts that hang hold nobody up one after the other', { timeout: 60_000 }, async () => {
  const stack = new Stack({ shards: 4 });
  await stack.start();
  for (const { suffix } of stack.brokers) stack.signal(`roomd${suffix}`, 'SIGSTOP');
  const started = performance.now();
  await stack.stop();
  const took = performance.now() - started;
  assert.ok(took > 4500 && took < 15_000, `it took ${took} ms, five seconds of which are given to those that hang`);
});

describe('./parley run --shards', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-shards-'));
  const taken = createServer().listen(0, '127.0.0.1');
  after(() => {
    taken.close();
    rmSync(folder, { recursive: true });
  });

  /** What it says when it cannot start, for want of the HTTP port at the latest. */
  async function complaint(...options) {
    const started = promisify(execFile)('./parley', ['run', '--state-dir', join(folder, 'state'), '--http-port', String(taken.address().port), ...options], { cwd: root });
    return started.then(() => assert.fail('it started'), (error) => error.stderr.trim().split('\n').at(-1));
  }

  const namesOf = (text) => [...text.matchAll(/^\[broker (.*)\]$/gm)].map(([, name]) => name);
  const written = () => readFileSync(join(folder, 'state/parley.conf'), 'utf8');

  test('auto is one broker a core', async () => {
    assert.match(await complaint('--shards', 'auto'), /\(--http-port\) is taken/);
    assert.equal(namesOf(written()).length, Math.min(availableParallelism(), 64));
  });

  test('the brokers are named in order, and count up from the ports given', async () => {
    assert.match(await complaint('--shards', '3', '--ws-port', '20001', '--mqtt-port', '20101', '--mqtts-port', '20201'), /is taken/);
    assert.deepEqual(namesOf(written()), ['main', 'shard2', 'shard3']);
    for (const [option, first] of [['ws_port', 20001], ['mqtt_port', 20101], ['mqtts_port', 20201]]) {
      assert.deepEqual([...written().matchAll(new RegExp(`^${option} = (.*)$`, 'gm'))].map(([, port]) => Number(port)), [first, first + 1, first + 2]);
    }
  });

  for (const [count, said] of [['0', /1 to 64/], ['65', /1 to 64/], ['many', /a number or auto, not: many/], ['-1', /not: -1/], ['', /needs a value/]]) {
    test(`there are no ${JSON.stringify(count)} of them`, async () => assert.match(await complaint('--shards', count), said));
  }

  test('a port of one that is taken is named', async () => {
    const [http, ws, mqtt] = [await freePortRow(1), await freePortRow(2), await freePortRow(2)];
    const second = createServer().listen(ws + 1, '127.0.0.1');
    const said = await complaint('--http-port', String(http), '--shards', '2', '--ws-port', String(ws), '--mqtt-port', String(mqtt)).finally(() => second.close());
    assert.equal(said, `parley: port ${ws + 1} ([broker shard2] ws_port) is taken`);
  });

  test('what cannot be is said', async () => {
    const file = join(folder, 'my.conf');
    const withConfig = (text, ...options) => {
      writeFileSync(file, text);
      return complaint('--config', file, ...options);
    };
    const two = '[broker a]\n[broker b]\nws_port = 9002\nmqtt_port = 11884\n';
    assert.match(await withConfig(two, '--shards', '2'), /names 2 brokers/);
    assert.match(await withConfig(two), /\(--http-port\) is taken/);
    assert.deepEqual(namesOf(written()), ['a', 'b']);
    assert.match(await withConfig('[rooms]\nstore = /r.sqlite\n', '--shards', '2'), /store has to hold \{broker\}/);
    assert.match(await withConfig('', '--shards', '2', '--ws-port', '20001', '--mqtt-port', '20002'), /\[broker main\] mqtt_port and \[broker shard2\] ws_port are both 20002/);
  });

  test('64 of them are not too many for the page\'s policy', async () => {
    const file = join(folder, '64.conf');
    const { stdout } = await promisify(execFile)(join(build, 'bin/parley-ctl'), ['config', '--shards', '64', '--set', `parley.state_dir=${folder}`, '--set', `http.web_root=${join(build, 'web')}`]);
    writeFileSync(file, stdout);
    await promisify(execFile)(join(build, 'bin/parley-ctl'), ['keygen', join(folder, 'keys')]);
    await promisify(execFile)(join(build, 'bin/httpd'), ['--check', '--config', file]);
  });
});
