/** Rule 1 at the broker: a device asks for rooms. And what roomd says of itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';

describe('the lobby', () => {
  const stack = useStack();

  /** Asks as `device`, and returns the answer: its last level and its payload. */
  async function create(device, fields) {
    const request = randomId('r-');
    await device.publish(`lobby/from/${device.id}/create-room`, { request, ...fields });
    const answer = await device.next((message) => message.short.startsWith(`lobby/to/${device.id}/`) && message.json.request === request);
    assert.deepEqual([answer.qos, answer.retain], [1, false]);
    return [answer.short.split('/').at(-1), answer.json];
  }

  for (const link of links) {
    describe(`over ${link}`, () => {
      test('create-room of any id, and of a wanted one', async () => {
        const device = await stack.device(randomId('d-'), link);
        const [event, any] = await create(device, {});
        assert.equal(event, 'room-created');
        assert.match(any.room_id, /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){2}$/);
        assert.deepEqual([any.path, any.created], [`/r/${any.room_id}/`, true]);
        const wanted = randomId('Wanted_');
        const [, made] = await create(device, { room_id: wanted });
        assert.deepEqual([made.room_id, made.path, made.created], [wanted, `/r/${wanted}/`, true]);
        const [, again] = await create(device, { room_id: wanted });
        assert.deepEqual([again.room_id, again.created], [wanted, false]);
      });

      test('a room with somebody in it: room-occupied', async () => {
        const { room } = await pair(stack, link);
        const device = await stack.device(randomId('d-'), link);
        const [event, answer] = await create(device, { room_id: room });
        assert.deepEqual([event, answer.error], ['error', 'room-occupied']);
        assert.equal((await stack.http('GET', `/api/rooms/${room}`)).json.peers.length, 2);
      });

      test('with dry_run: answered as it would be, and nothing is made', async () => {
        const device = await stack.device(randomId('d-'), link);
        const wanted = randomId('dry-');
        const [event, answer] = await create(device, { room_id: wanted, dry_run: true });
        assert.deepEqual([event, answer.room_id, answer.created], ['room-created', wanted, false]);
        assert.equal((await stack.http('GET', `/api/rooms/${wanted}`)).status, 404);
        const [, made] = await create(device, { room_id: wanted, dry_run: false });
        assert.equal(made.created, true);
      });

      test('an id that is none: bad-room-id', async () => {
        const device = await stack.device(randomId('d-'), link);
        for (const wanted of ['', 'a/b', 'ä', '+', '#', ' ', 'x'.repeat(65)]) {
          const request = randomId('r-');
          await device.publishRaw(`lobby/from/${device.id}/create-room`, JSON.stringify({ request, room_id: wanted }));
          const { json } = await device.next(`lobby/to/${device.id}/error`);
          assert.deepEqual([json.request, json.error], [request, 'bad-room-id'], wanted);
        }
      });

      test('roomd/status is retained for everybody, roomd/stats for operators', async () => {
        const room = await stack.room();
        const peer = await stack.peer(room, link);
        const { json, retain, qos } = await peer.next('roomd/status');
        assert.deepEqual([json.state, retain, qos], ['online', true, 1]);
        const operator = await stack.operator(undefined, link);
        await until(() => stack.observer.seen('roomd/stats').length > 0, { timeout: 10000, what: 'the first statistics' });
        await operator.subscribe('roomd/stats', 0);
        const stats = await operator.next('roomd/stats');
        assert.equal(stats.retain, true);
        assert.equal(stats.json.store_ok, true);
      });
    });
  }

  test('the statistics count what happened', async () => {
    const { ada, bob } = await pair(stack);
    const eve = await stack.peer(ada.room, { name: 'Eve' });
    await eve.sendJoin();
    await eve.next('full-room');
    await bob.join();
    await bob.cut();
    await ada.next('cut-the-call');
    await ada.drop();
    const seen = await stack.settledStats();
    for (const name of ['creates', 'joins', 'joined', 'resumed', 'full_room', 'cuts', 'gones']) assert.ok(seen[name] > 0, name);
    assert.ok(seen.errors['bad-room-id'] >= 28, 'those of the test above');
    assert.equal(seen.present, 0);
    assert.equal(seen.store_ok, true);
  });
});
