/** Rules 2, 3 and 9: joining, full rooms, resuming, reloading, hanging up, over every kind of connection. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { useStack } from '../lib/stack.mjs';

describe('rooms', () => {
  const stack = useStack();

  for (const link of links) {
    describe(`over ${link}`, () => {
      test('the first join: state, then joined, and nobody to tell', async () => {
        const room = await stack.room();
        const ada = await stack.peer(room, { name: '  Ada Lovelace ', ...link });
        const empty = await ada.next('state');
        assert.deepEqual(empty.json, { room_id: room, max_peers: 2, rev: empty.json.rev, peers: [] });
        assert.equal(empty.retain, true);
        const joined = await ada.join();
        const ada_ = { peer_id: ada.id, peer_name: 'Ada Lovelace', state: 'present' };
        assert.deepEqual(joined, { session: ada.session, resumed: false, seat: joined.seat, room: { room_id: room, max_peers: 2, rev: empty.json.rev + 1, peers: [ada_] } });
        const state = await ada.next('state');
        assert.deepEqual(state.json, joined.room);
        assert.deepEqual([state.qos, state.retain], [0, false]);
        await ada.settle();
        ada.none(/\/to\//);
      });

      test('the second join: the other hears user-arrived, after the state', async () => {
        const room = await stack.room();
        const ada = await stack.peer(room, { name: 'Ada', ...link });
        const bob = await stack.peer(room, { name: 'Bob 李', ...link });
        const { room: before } = await ada.join();
        const { room: after } = await bob.join();
        const arrived = await ada.next('user-arrived');
        assert.deepEqual(arrived.json, { peer_id: bob.id, peer_name: 'Bob 李', resumed: false });
        assert.deepEqual([arrived.qos, arrived.retain], [1, false]);
        assert.equal(after.rev, before.rev + 1);
        assert.deepEqual(after.peers.map((peer) => [peer.peer_id, peer.state]), [[ada.id, 'present'], [bob.id, 'present']]);
        const state = await ada.next((message) => message.short.endsWith('/state') && message.json.peers.length === 2);
        assert.deepEqual(state.json, after);
        assert.ok(ada.client.messages.indexOf(state) < ada.client.messages.indexOf(arrived), 'state comes first');
        const [hisState] = bob.client.seen((message) => message.short.endsWith('/state') && message.json.rev === after.rev);
        const [hisJoined] = bob.client.seen('joined');
        assert.ok(bob.client.messages.indexOf(hisState) < bob.client.messages.indexOf(hisJoined), 'state comes before joined');
        await bob.settle();
        bob.none('user-arrived');
      });

      test('a third hears full-room, and nothing changes', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const eve = await stack.peer(room, { name: 'Eve', ...link });
        const { json: before } = await eve.next('state');
        assert.deepEqual(before.peers.map((peer) => peer.peer_name), ['Ada', 'Bob'], 'the lobby shows both names');
        await eve.sendJoin();
        assert.deepEqual((await eve.next('full-room')).json, { session: eve.session, max_peers: 2 });
        await Promise.all([ada.settle(), bob.settle(), eve.settle()]);
        eve.none('joined');
        ada.none(/rooms/);
        bob.none(/rooms/);
        assert.deepEqual((await stack.http('GET', `/api/rooms/${room}`)).json, before);
      });

      test('a duplicate join is resumed, at the same rev, without a second arrival', async () => {
        const { ada, bob } = await pair(stack, link);
        const first = await bob.join();
        const second = await bob.join();
        assert.equal(first.resumed, true);
        assert.deepEqual(second.room, first.room);
        await Promise.all([ada.settle(), bob.settle()]);
        ada.none(/rooms/);
      });

      test('a reload takes the seat over at once, and the other hears of it', async () => {
        const { ada, bob } = await pair(stack, link);
        const before = (await ada.join()).room.rev;
        await bob.reload();
        const joined = await bob.join();
        assert.equal(joined.resumed, false);
        assert.deepEqual(joined.room.peers.map((peer) => [peer.peer_id, peer.state]), [[ada.id, 'present'], [bob.id, 'present']]);
        assert.ok(joined.room.rev > before);
        assert.deepEqual((await ada.next('user-arrived')).json, { peer_id: bob.id, peer_name: 'Bob', resumed: false });
      });

      test('cut-the-call frees the seat, tells the other, and a third can join', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const eve = await stack.peer(room, { name: 'Eve', ...link });
        await bob.cut();
        const cut = await ada.next('cut-the-call');
        assert.deepEqual(cut.json, { peer_id: bob.id, reason: 'hung-up' });
        const state = await bob.next((message) => message.short.endsWith('/state') && message.json.peers.length === 1);
        assert.equal(state.json.peers[0].peer_id, ada.id);
        await ada.cut();
        await ada.next((message) => message.short.endsWith('/state') && message.json.peers.length === 0);
        await bob.settle();
        bob.none('cut-the-call');
        assert.equal((await eve.join()).room.peers.length, 1);
      });

      test('cut-the-call of a stranger, or of an old session, is ignored without an error', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const eve = await stack.peer(room, { name: 'Eve', ...link });
        await eve.cut();
        await bob.client.publish(bob.from('cut-the-call'), { session: randomId() });
        await Promise.all([ada.settle(), bob.settle(), eve.settle()]);
        eve.none(/\/to\//);
        bob.none(/\/to\//);
        ada.none(/rooms/);
        assert.equal((await stack.http('GET', `/api/rooms/${room}`)).json.peers.length, 2);
      });

      test('a join into no room: no-such-room', async () => {
        const room = randomId('none-');
        const id = randomId('p-');
        const ada = await stack.peer(room, { id, ...link });
        await ada.sendJoin();
        const { json } = await ada.next('error');
        assert.deepEqual([json.error, json.event], ['no-such-room', 'join']);
        assert.equal((await stack.http('GET', `/api/rooms/${room}`)).status, 404);
      });

      test('a second connection with the same id replaces the first, which is not a loss', async () => {
        const { ada, bob } = await pair(stack, link);
        const old = bob.client;
        await bob.connect();
        await old.whenClosed();
        if (link.version === 5) assert.ok([0x8e, 0x98].includes(old.goodbyeCode), `DISCONNECT said ${old.goodbyeCode}`);
        assert.equal((await bob.join()).resumed, true);
        await Promise.all([ada.settle(), bob.settle()]);
        ada.none('user-away');
      });
    });
  }

  test('six peers join at the same moment: two get in, four hear full-room', async () => {
    const room = await stack.room();
    const peers = await Promise.all(Array.from({ length: 6 }, (_, i) => stack.peer(room, { name: `Peer ${i}`, ...links[i % 4] })));
    await Promise.all(peers.map((peer) => peer.sendJoin()));
    const answers = await Promise.all(peers.map((peer) => peer.next(/\/to\/[^/]+\/(joined|full-room)$/)));
    assert.equal(answers.filter((answer) => answer.short.endsWith('/joined')).length, 2);
    for (const message of stack.observer.seen(`rooms/${room}/state`)) assert.ok(message.json.peers.length <= 2);
    assert.equal((await stack.http('GET', `/api/rooms/${room}`)).json.peers.length, 2);
  });
});
