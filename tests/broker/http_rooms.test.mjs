/** What httpd knows of rooms: that they exist, by what roomd says, and what is in one, by asking the broker. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';

const TTL_S = 2;

describe('rooms over HTTP', () => {
  const stack = useStack({ config: { parley: { log_level: 'debug' } } });
  const get = (room) => stack.http('GET', `/api/rooms/${room}`);
  const page = async (room) => (await stack.http('GET', `/r/${room}/`)).status;

  const lines = (room) => stack.log.filter((line) => /\bmessage broker=/.test(line) && line.includes(` room=${room} `));

  /** The kinds of message about `room` that httpd has received so far. */
  async function heard(room) {
    const last = await stack.room();
    await get(last);
    await until(() => lines(last).length === 2, { what: 'what httpd has logged' });
    return lines(room).map((line) => / kind=([\w-]+) /.exec(line)[1]);
  }

  /** httpd knows of every room at every broker: one that is not there is missing, and not just unknown. */
  const complete = () => until(async () => await page(randomId()) === 404, { timeout: 15_000, what: 'all rooms to be known' });

  /** Kills roomd and starts it with what `change` has made of its store. */
  async function changeStore(change) {
    stack.signal('roomd', 'SIGSTOP');
    change();
    const seen = stack.observer.seen('roomd/status').length;
    await stack.kill('roomd');
    await until(() => stack.observer.seen('roomd/status').slice(seen).some(({ json }) => json.state === 'online' && !json.publishing), { what: 'the new roomd' });
  }
  const storeFiles = (folder) => readdirSync(folder).filter((name) => name.startsWith('roomd.sqlite'));
  const removeStore = () => storeFiles(stack.stateDir).forEach((name) => rmSync(join(stack.stateDir, name)));

  test('httpd hears that a room is made, and nothing of what goes on in it', async () => {
    const { room, ada, bob } = await pair(stack);
    await bob.join();
    await bob.drop();
    await ada.next('user-away');
    await bob.connect();
    await bob.join();
    await bob.cut();
    await ada.next('cut-the-call');
    assert.equal((await get(room)).json.peers.length, 1);
    assert.deepEqual(await heard(room), ['rooms', 'state'], 'the state since it was asked for');
  });

  test('GET shows who is in the room now', async () => {
    const room = await stack.room();
    const peers = async () => (await get(room)).json.peers.map(({ peer_name: name, state }) => [name, state]);
    assert.deepEqual(await peers(), []);
    const [ada, bob] = [await stack.peer(room, { name: 'Ada' }), await stack.peer(room, { name: 'Bob' })];
    const { room: first } = await ada.join();
    assert.deepEqual((await get(room)).json, first);
    await bob.join();
    assert.deepEqual(await peers(), [['Ada', 'present'], ['Bob', 'present']]);
    await bob.drop();
    await ada.next('user-away');
    assert.deepEqual(await peers(), [['Ada', 'present'], ['Bob', 'away']]);
    await ada.cut();
    await ada.next((message) => message.short.endsWith('/state') && message.json.peers.length === 1);
    assert.deepEqual(await peers(), [['Bob', 'away']]);
  });

  test('a room that a device made is found at once', async () => {
    const device = await stack.device();
    for (let i = 0; i < 20; i++) {
      const request = randomId('r-');
      await device.publish(`lobby/from/${device.id}/create-room`, { request });
      const { json } = await device.next((message) => message.short === `lobby/to/${device.id}/room-created` && message.json.request === request);
      assert.equal(await page(json.room_id), 200);
      assert.deepEqual((await get(json.room_id)).json, { room_id: json.room_id, max_peers: 2, rev: 1, peers: [] });
    }
  });

  test('while the broker does not answer: 503 for what is in the room, its page all the same; all who ask at once share a question', async () => {
    const { room, ada } = await pair(stack);
    stack.signal('mosquitto', 'SIGSTOP');
    try {
      const answer = await get(room);
      assert.deepEqual([answer.status, answer.json.error], [503, 'unavailable']);
      assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
      assert.equal(await page(room), 200);
    } finally {
      stack.signal('mosquitto', 'SIGCONT');
    }

    const before = (await heard(room)).length;
    stack.signal('mosquitto', 'SIGSTOP');
    const answers = Array.from({ length: 20 }, () => get(room));
    try {
      await until(async () => await stack.metric('parley_httpd_connections') > answers.length, { what: 'all of them to ask' });
    } finally {
      stack.signal('mosquitto', 'SIGCONT');
    }
    for (const { status, json } of await Promise.all(answers)) assert.deepEqual([status, json.peers[0].peer_id], [200, ada.id]);
    await get(room);
    assert.equal((await heard(room)).length, before + 2, 'one for the twenty, one for the last');
  });

  test('a broker that is gone: 503, and the room is there again with it', async () => {
    const { room } = await pair(stack);
    await stack.kill('mosquitto', { untilReady: false });
    const statuses = new Set();
    await until(async () => {
      statuses.add((await get(room)).status);
      return statuses.has(503) && statuses.has(200);
    }, { timeout: 15_000, every: 5, what: '503, then 200' });
    assert.deepEqual([...statuses].filter((status) => ![200, 503].includes(status)), []);
    await complete();
  });

  test('a lost disk: the rooms are gone, and one that comes back by a seat is found again', async () => {
    const { room, ada } = await pair(stack);
    const empty = await stack.room();
    await changeStore(removeStore);
    for (const id of [room, empty]) await until(async () => await page(id) === 404 && (await get(id)).status === 404, { what: `${id} to be gone` });
    const back = await ada.join();
    assert.equal(await page(room), 200);
    assert.equal((await get(room)).json.rev, back.room.rev);
    assert.equal(await page(empty), 404);
  });

  test('rooms that only the store of a new roomd brings are found', async () => {
    const kept = mkdtempSync(join(stack.folder, 'store-'));
    const room = await stack.room();
    await changeStore(() => storeFiles(stack.stateDir).forEach((name) => renameSync(join(stack.stateDir, name), join(kept, name))));
    await until(async () => await page(room) === 404);
    await changeStore(() => {
      removeStore();
      storeFiles(kept).forEach((name) => renameSync(join(kept, name), join(stack.stateDir, name)));
    });
    await until(async () => await page(room) === 200 && (await get(room)).status === 200, { what: 'the room' });
    const seen = (await heard(room)).length;
    const ada = await stack.peer(room);
    await ada.join();
    await get(room);
    assert.equal((await heard(room)).length, seen + 1, 'and nothing more of it is heard');
  });

  test('many rooms, and a part dies: one that lives is never missing, and all are known again', async () => {
    const rooms = [];
    while (rooms.length < 1500) rooms.push(...await Promise.all(Array.from({ length: 100 }, () => stack.room())));
    const samples = [...rooms.slice(0, 5), ...rooms.slice(-5)];
    const kills = {
      roomd: () => stack.kill('roomd'),
      mosquitto: () => stack.kill('mosquitto'),
      'mosquitto, and httpd is back before roomd': async () => {
        stack.signal('roomd', 'SIGSTOP');
        await stack.kill('mosquitto', { untilReady: false });
        await until(async () => await stack.metric('parley_httpd_broker_connected{broker="main"}') === 1, { timeout: 15_000, what: 'httpd to be back' });
        stack.signal('roomd', 'SIGCONT');
      },
      httpd: () => stack.kill('httpd'),
    };
    for (const [part, kill] of Object.entries(kills)) {
      const statuses = new Set();
      let dead = false;
      const watch = (async () => {
        while (!dead) for (const id of samples) statuses.add(await page(id).catch(() => 0));
      })();
      await kill();
      await complete();
      dead = true;
      await watch;
      assert.deepEqual([...statuses].filter((status) => ![0, 200, 503].includes(status)), [], part);
      assert.equal(part === 'httpd' || !statuses.has(0), true, part);
      const found = await Promise.all(rooms.map(page));
      assert.deepEqual(rooms.filter((_, i) => found[i] !== 200), [], part);
      await stack.ready();
      const made = await stack.room();
      assert.equal(await page(made), 200);
    }
  });
});

describe('rooms that end', () => {
  const stack = useStack({ config: { rooms: { room_ttl_s: TTL_S } } });
  const statuses = async (room) => Promise.all([`/r/${room}/`, `/api/rooms/${room}`].map(async (path) => (await stack.http('GET', path)).status));
  const gone = (room) => until(async () => (await statuses(room)).every((status) => status === 404), { timeout: 10_000, what: `${room} to be gone` });

  test('are missing from then on, and are there again when they are made again', async () => {
    const room = await stack.room();
    assert.deepEqual(await statuses(room), [200, 200]);
    await gone(room);
    await stack.room(room);
    assert.deepEqual(await statuses(room), [200, 200]);
    await gone(room);
  });

  for (const part of ['httpd', 'roomd', 'mosquitto']) {
    test(`are missing too when ${part} dies in the meantime`, async () => {
      const [early, late] = [await stack.room(), await stack.room()];
      const stays = await stack.peer(late);
      await stays.join();
      await stack.kill(part);
      await gone(early);
      assert.deepEqual(await statuses(late), [200, 200]);
    });
  }
});

describe('rooms of several brokers', () => {
  const stack = useStack({ shards: 2 });

  test('none is missing while a broker has not said which it has', async () => {
    const status = async () => (await stack.http('GET', `/r/${randomId()}/`)).status;
    stack.signal('mosquitto-shard2', 'SIGSTOP');
    try {
      await stack.kill('httpd', { untilReady: false });
      await until(async () => await stack.metric('parley_httpd_roomd_online{broker="main"}') === 1, { timeout: 15_000 });
      for (let i = 0; i < 20; i++) assert.equal(await status(), 503);
    } finally {
      stack.signal('mosquitto-shard2', 'SIGCONT');
    }
    await until(async () => await status() === 404, { timeout: 15_000 });
  });
});
