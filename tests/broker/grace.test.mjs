/** Rules 4 and 8: lost connections, the grace, wills of old sessions, and the end of empty rooms. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';

const GRACE_S = 2;
const TTL_S = 1;

describe('a lost connection', () => {
  const stack = useStack({ config: { rooms: { grace_s: GRACE_S, room_ttl_s: TTL_S } } });
  /** The state of `peer_id` in the newest state that `reader` has. */
  const stateOf = (reader, id) => reader.client.seen('state').at(-1).json.peers.find((peer) => peer.peer_id === id)?.state;

  for (const link of links) {
    describe(`over ${link}`, () => {
      test('away by the will; back in time: resumed', async () => {
        const { ada, bob } = await pair(stack, link);
        const { room: { rev } } = await bob.join();
        await bob.drop();
        const away = await ada.next('user-away');
        assert.deepEqual([away.json, away.qos], [{ peer_id: bob.id, grace_s: GRACE_S }, 1]);
        await until(() => stateOf(ada, bob.id) === 'away', { what: 'the state to say away' });
        await bob.connect();
        const back = await bob.join();
        assert.equal(back.resumed, true);
        assert.ok(back.room.rev > rev);
        assert.deepEqual(back.room.peers.map((peer) => peer.state), ['present', 'present']);
        assert.deepEqual((await ada.next('user-arrived')).json, { peer_id: bob.id, peer_name: 'Bob', resumed: true });
        // Once, although both the will and the gate tell of it.
        await ada.settle();
        ada.none('user-away');
        assert.equal(stack.observer.seen(`rooms/${ada.room}/to/${ada.id}/user-away`).length, 1);
      });

      test('too late: out, the other hears lost, and the seat is free', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const dropped = performance.now();
        await bob.drop();
        await ada.next('user-away');
        const cut = await ada.next('cut-the-call', (GRACE_S + 5) * 1000);
        assert.deepEqual(cut.json, { peer_id: bob.id, reason: 'lost' });
        assert.ok(cut.at - dropped >= GRACE_S * 1000 - 50, 'not before the grace is over');
        const eve = await stack.peer(room, { name: 'Eve', ...link });
        assert.deepEqual((await eve.join()).room.peers.map((peer) => peer.peer_name), ['Ada', 'Eve']);
        await bob.connect();
        await bob.sendJoin();
        await bob.next('full-room');
      });

      test('a gone of an older session changes nothing', async () => {
        const { ada, bob } = await pair(stack, link);
        const { room: { rev } } = await bob.join();
        await bob.client.publish(bob.from('gone'), { session: randomId() });
        await Promise.all([ada.settle(), bob.settle()]);
        ada.none(/rooms/);
        assert.equal((await bob.join()).room.rev, rev);
      });

      test('a good-bye without a will, from the gate, is a loss too', async () => {
        const { ada, bob } = await pair(stack, { ...link, will: null });
        await bob.client.end();
        assert.equal((await ada.next('user-away')).json.peer_id, bob.id);
        await bob.connect();
        assert.equal((await bob.join()).resumed, true);
      });

      test('an empty room ends: its retained state is cleared, a late subscriber finds nothing', async () => {
        const room = await stack.room();
        const ada = await stack.peer(room, link);
        await ada.join();
        const late = await stack.peer(room, link);
        const state = await late.next('state');
        assert.deepEqual([state.retain, state.json.peers.length], [true, 1]);
        await ada.cut();
        const cleared = await ada.next((message) => message.short.endsWith('/state') && message.payload.length === 0, (TTL_S + 5) * 1000);
        assert.equal(cleared.qos, 0);
        await late.client.mqtt.unsubscribeAsync(`parley/v1/rooms/${room}/state`);
        late.client.forget();
        await late.client.subscribe(`rooms/${room}/state`, 0);
        await late.settle();
        late.none('state');
        assert.equal((await stack.http('GET', `/api/rooms/${room}`)).status, 404);
        await ada.sendJoin({ seat: undefined });
        assert.equal((await ada.next('error')).json.error, 'no-such-room');
      });
    });
  }

  test('both lost: both out after the grace, and the room ends', async () => {
    const { room, ada, bob } = await pair(stack);
    await Promise.all([ada.drop(), bob.drop()]);
    await until(async () => (await stack.http('GET', `/api/rooms/${room}`)).status === 404, { timeout: (GRACE_S + TTL_S + 5) * 1000, what: 'the room to end' });
  });
});
