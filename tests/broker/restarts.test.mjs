/** Rules 5 to 7: every part may die at any time; seats survive, lost disks included. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { links, NOT_AUTHORIZED, refused } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { holdSupervisor } from '../lib/roomds.mjs';
import { useStack } from '../lib/stack.mjs';

const GRACE_S = 4;

describe('restarts', () => {
  const stack = useStack({ config: { rooms: { grace_s: GRACE_S } } });
  const epochOf = (peer) => peer.client.seen('roomd/status').at(-1).json.epoch;

  /** Kills roomd and waits until its successor has told `peer` its epoch. */
  async function killRoomd(peer, meanwhile = () => {}) {
    const old = epochOf(peer);
    stack.signal('roomd', 'SIGSTOP'); // whatever is sent now, the old roomd does not see
    await meanwhile();
    await stack.kill('roomd', { untilReady: false });
    const { json } = await peer.next((message) => message.short === 'roomd/status' && message.json.state === 'online' && message.json.epoch !== old, 15000);
    return json.epoch;
  }

  for (const link of [links[1], links[2]]) {
    test(`roomd dies: offline by its will, a new epoch, seats kept, over ${link}`, async () => {
      const { room, ada, bob } = await pair(stack, link);
      const { rev } = (await stack.http('GET', `/api/rooms/${room}`)).json;
      await killRoomd(ada);
      assert.ok(ada.client.seen('roomd/status').some(({ json }) => json.state === 'offline'), 'the will was heard');
      const found = await ada.next((message) => message.short.endsWith('/state') && message.json.rev > rev);
      assert.deepEqual(found.json.peers.map((peer) => [peer.peer_id, peer.state]), [[ada.id, 'away'], [bob.id, 'away']]);
      const [first, second] = [await ada.join(), await bob.join()];
      assert.deepEqual([first.resumed, second.resumed], [true, true]);
      assert.deepEqual(second.room.peers.map((peer) => peer.state), ['present', 'present']);
      await bob.tell(ada, 'offer');
      await ada.next(`offer/${bob.id}`);
    });

    test(`a join sent while roomd is down is answered when it is back, over ${link}`, async () => {
      const { room, ada, bob } = await pair(stack, link);
      await bob.cut();
      await ada.next('cut-the-call');
      const eve = await stack.peer(room, { name: 'Eve', ...link });
      await killRoomd(ada, () => eve.sendJoin());
      const { json } = await eve.next('joined', 15000);
      assert.deepEqual(json.room.peers.map((peer) => peer.peer_name), ['Ada', 'Eve']);
      await ada.join();
      assert.equal((await stack.http('GET', `/api/rooms/${room}`)).json.peers.length, 2);
    });
  }

  test('whoever does not show up after a restart is lost after the grace', async () => {
    const { ada, bob } = await pair(stack);
    await killRoomd(ada);
    await ada.join();
    const cut = await ada.next('cut-the-call', (GRACE_S + 6) * 1000);
    assert.deepEqual(cut.json, { peer_id: bob.id, reason: 'lost' });
  });

  test('the broker dies: everybody comes back, and everything is there', async () => {
    const { room, ada, bob } = await pair(stack, { transport: 'ws' });
    const empty = await stack.room();
    const closed = Promise.all([ada.client.whenClosed(), bob.client.whenClosed()]);
    await stack.kill('mosquitto');
    await closed;
    await Promise.all([until(() => ada.connect().then(() => true)), until(() => bob.connect().then(() => true))]);
    const [first, second] = [await ada.join(), await bob.join()];
    assert.deepEqual([first.resumed, second.resumed], [true, true]);
    await ada.tell(bob, 'offer');
    await bob.next(`offer/${ada.id}`);
    const late = await stack.operator();
    await late.subscribe('rooms/+/state', 0);
    await late.settle();
    for (const id of [room, empty]) assert.equal(late.seen(`rooms/${id}/state`).length, 1, 'retained again');
    const eve = await stack.peer(room, { name: 'Eve' });
    await eve.sendJoin();
    await eve.next('full-room');
    await refused(eve.tell(ada, 'offer'), NOT_AUTHORIZED, 'the gate knows the members again');
  });

  test('a lost disk: seats bring the room back, and only their holders get in for one grace', async () => {
    const { room, ada, bob } = await pair(stack);
    for (const peer of [ada, bob]) await peer.join();
    const { rev } = (await stack.http('GET', `/api/rooms/${room}`)).json;
    const eve = await stack.peer(room, { name: 'Eve' });
    await killRoomd(ada, () => {
      for (const file of readdirSync(stack.stateDir).filter((name) => name.startsWith('roomd.sqlite'))) rmSync(join(stack.stateDir, file));
    });
    await eve.sendJoin({ seat: ada.seat });
    assert.equal((await eve.next('error')).json.error, 'no-such-room', "another's seat proves nothing");
    await eve.sendJoin({ seat: `${ada.seat.slice(0, -4)}AAAA` });
    assert.equal((await eve.next('error')).json.error, 'no-such-room');

    const back = await ada.join();
    assert.equal(back.resumed, true);
    assert.ok(back.room.rev > rev, 'rev goes on');
    await eve.sendJoin();
    const { json: wait } = await eve.next('error');
    assert.equal(wait.error, 'unavailable');
    assert.ok(wait.retry_s >= 1 && wait.retry_s <= GRACE_S, `retry_s ${wait.retry_s}`);
    assert.equal((await bob.join()).resumed, true);
    assert.deepEqual((await ada.next('user-arrived')).json.peer_id, bob.id);
    await ada.tell(bob, 'offer');
    await bob.next(`offer/${ada.id}`);
    await until(async () => {
      await eve.sendJoin();
      return (await eve.next(/\/to\/[^/]+\/(error|full-room)$/)).short.endsWith('/full-room');
    }, { timeout: (GRACE_S + 5) * 1000, every: 200, what: 'the window to close' });
  });

  test('many rooms: roomd answers while it publishes them, says when all are there, and stays connected', async () => {
    const { ada } = await pair(stack);
    const rooms = [];
    while (rooms.length < 3000) rooms.push(...await Promise.all(Array.from({ length: 100 }, () => stack.room())));
    const epoch = await killRoomd(ada);
    const ofEpoch = ({ json }) => json.epoch === epoch;
    await ada.next((message) => message.short === 'roomd/status' && ofEpoch(message) && !message.json.publishing);
    assert.deepEqual(ada.client.seen('roomd/status').filter(ofEpoch).map(({ json }) => [json.state, json.publishing]), [['online', true], ['online', undefined]]);
    assert.equal((await ada.join()).resumed, true);

    await stack.kill('mosquitto', { untilReady: false });
    let late;
    await until(async () => (late = await stack.operator().catch(() => null)), { timeout: 15_000, every: 100, what: 'the broker' });
    await late.subscribe('roomd/status', 1);
    await late.next((message) => message.short === 'roomd/status' && message.json.state === 'online' && message.json.epoch !== epoch && !message.json.publishing, 15_000);
    await late.subscribe('rooms/+/state', 0);
    await late.settle();
    const known = new Set(late.seen(/^rooms\/[^/]+\/state$/).map(({ json }) => json?.room_id));
    assert.deepEqual(rooms.filter((id) => !known.has(id)), []);
    await stack.ready();
  });

  test('a roomd that dies while it publishes: httpd still has the rooms that were to come, and takes no other for missing', async () => {
    const [known, unknown] = [await stack.room(), randomId('room-')];
    const statuses = (...paths) => Promise.all(paths.map(async (path) => (await stack.http('GET', path)).status));
    const goOn = holdSupervisor(stack.pid('roomd'));
    try {
      stack.signal('roomd', 'SIGKILL');
      await stack.kill('mosquitto', { untilReady: false });
      const id = `s-roomd-${randomId()}`;
      const token = await stack.token('service', id);
      const dying = await until(() => stack.client({ id, token }).catch(() => null), { what: 'the broker' });
      for (const [state, more, online] of [['online', { publishing: true }, 1], ['offline', {}, 0]]) {
        await dying.publish('roomd/status', { state, version: '0', epoch: id, ...more });
        await until(async () => (await stack.metric('parley_httpd_roomd_online{broker="main"}')) === online, { what: `httpd to hear ${state}` });
        assert.deepEqual(await statuses(`/r/${known}/`, `/api/rooms/${unknown}`, `/r/${unknown}/`), [200, 503, 503], state);
      }
    } finally {
      goOn();
    }
    await stack.ready();
    await until(async () => (await statuses(`/api/rooms/${unknown}`))[0] === 404, { what: 'httpd to know all rooms again' });
    assert.deepEqual(await statuses(`/api/rooms/${known}`, `/r/${known}/`), [200, 200]);
  });

  test('a damaged store is moved aside, said so, and seats bring the room back', async () => {
    const { ada, bob } = await pair(stack);
    const seen = stack.log.length;
    await killRoomd(ada, () => {
      for (const file of ['roomd.sqlite', 'roomd.sqlite-wal']) writeFileSync(join(stack.stateDir, file), 'x'.repeat(20_000));
    });
    assert.ok(stack.log.slice(seen).some((line) => line.includes('store-corrupt')));
    assert.ok(readdirSync(stack.stateDir).some((name) => name.startsWith('roomd.sqlite.corrupt-')));
    assert.deepEqual([(await ada.join()).resumed, (await bob.join()).resumed], [true, true]);
    await ada.tell(bob, 'offer');
    await bob.next(`offer/${ada.id}`);
    await stack.room();
  });

  test('a lost disk and a member of long ago: the newer seat displaces the older', async () => {
    const room = await stack.room();
    const [old, ada, bob] = [await stack.peer(room, { name: 'Old' }), await stack.peer(room, { name: 'Ada' }), await stack.peer(room, { name: 'Bob' })];
    await old.join();
    await old.cut();
    await ada.join();
    await bob.join();
    await ada.join(); // renews the seat: it now names the rev at which Bob is in
    await killRoomd(ada, () => {
      for (const file of readdirSync(stack.stateDir).filter((name) => name.startsWith('roomd.sqlite'))) rmSync(join(stack.stateDir, file));
    });
    assert.equal((await old.join()).room.peers.length, 1);
    await ada.join();
    const last = await bob.join();
    assert.deepEqual(last.room.peers.map((peer) => peer.peer_name).sort(), ['Ada', 'Bob']);
    assert.deepEqual((await old.next('cut-the-call')).json, { peer_id: old.id, reason: 'kicked' });
  });

  test('httpd dies: calls do not notice, and pages are back', async () => {
    const { ada, bob } = await pair(stack);
    await stack.kill('httpd');
    await Promise.all([ada.settle(), bob.settle()]);
    assert.deepEqual([ada.client.closed, bob.client.closed], [false, false]);
    ada.none(/rooms/);
    await stack.peer(ada.room, { name: 'Eve' });
  });

  test('roomd that does not answer: 503 with Retry-After, not ready but alive', async () => {
    const room = await stack.room();
    stack.signal('roomd', 'SIGSTOP');
    try {
      const answer = await stack.http('POST', '/api/rooms', { body: {} });
      assert.deepEqual([answer.status, answer.json.error], [503, 'unavailable']);
      assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
      assert.equal((await stack.http('GET', '/readyz')).status, 503);
      assert.equal((await stack.http('GET', '/healthz')).status, 200);
      assert.equal((await stack.http('GET', `/api/rooms/${room}`)).status, 200, 'what was retained is still known');
    } finally {
      stack.signal('roomd', 'SIGCONT');
    }
    await stack.ready();
    assert.equal((await stack.http('POST', '/api/rooms', { body: { room_id: randomId() } })).status, 201);
  });

  test('roomd that is told to stop says good-bye', async () => {
    const peer = await stack.peer(await stack.room());
    const { json: { epoch: old } } = await peer.next('roomd/status');
    stack.signal('roomd', 'SIGTERM');
    const { json } = await peer.next('roomd/status');
    assert.notEqual(json.state, 'online');
    await peer.next((message) => message.short === 'roomd/status' && message.json.state === 'online' && message.json.epoch !== old, 15000);
    await stack.ready();
  });
});
