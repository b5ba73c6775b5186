/** Rule 3 on the wire: offers, answers and candidates pass between the two members, and nowhere else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links, NOT_AUTHORIZED, refused, SUBACK_FAILURE } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { pair, SDP } from '../lib/peer.mjs';
import { useStack } from '../lib/stack.mjs';

const SIGNALS = ['offer', 'answer', 'candidate'];

describe('offers, answers and candidates', () => {
  const stack = useStack();

  for (const link of links) {
    describe(`over ${link}`, () => {
      test('go straight from member to member, unchanged', async () => {
        const { ada, bob } = await pair(stack, link);
        const candidates = [{ candidate: 'candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'aB3d' }];
        const sdp = `${SDP}a=x-filler:${'é'.repeat(14000)}\r\n`; // 28 KB, as a browser with many codecs says
        await ada.tell(bob, 'offer', { sdp });
        await bob.tell(ada, 'answer');
        await ada.tell(bob, 'candidate', { candidates, done: false });
        await bob.tell(ada, 'candidate');
        const offer = await bob.next(`to/${bob.id}/offer/${ada.id}`);
        assert.deepEqual([offer.json, offer.qos, offer.retain], [{ session: ada.session, sdp }, 1, false]);
        assert.deepEqual((await ada.next(`to/${ada.id}/answer/${bob.id}`)).json, { session: bob.session, sdp: SDP });
        const batch = await bob.next(`to/${bob.id}/candidate/${ada.id}`);
        assert.deepEqual([batch.json, batch.qos], [{ session: ada.session, candidates, done: false }, 0]);
        assert.deepEqual((await ada.next(`to/${ada.id}/candidate/${bob.id}`)).json, { session: bob.session, candidates: [], done: true });
        await Promise.all([ada.settle(), bob.settle()]);
        ada.none(/rooms/);
        bob.none(/rooms/);
      });

      test('from an outsider are denied, reach nobody, and are answered not-a-member', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const eve = await stack.peer(room, { name: 'Eve', ...link });
        for (const event of SIGNALS) {
          if (link.version === 5 && event !== 'candidate') await refused(eve.tell(ada, event), NOT_AUTHORIZED, event);
          else await eve.tell(ada, event);
          const { json } = await eve.next('error');
          assert.deepEqual([json.error, json.event], ['not-a-member', event]);
        }
        // Nor may a member be reached from where nobody sits, nor an outsider from a member.
        if (link.version === 5) await refused(ada.tell(eve, 'offer'), NOT_AUTHORIZED, 'an offer to an outsider');
        else await ada.tell(eve, 'offer');
        assert.equal((await ada.next('error')).json.error, 'not-a-member');
        await Promise.all([ada, bob, eve].map((peer) => peer.settle()));
        for (const peer of [ada, bob, eve]) peer.none(/\/(offer|answer|candidate)\//);
      });

      test('in the name of another are denied', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const eve = await stack.peer(room, { name: 'Eve', ...link });
        const forged = eve.client.publish(`rooms/${room}/to/${ada.id}/offer/${bob.id}`, { session: bob.session, sdp: SDP });
        if (link.version === 5) await refused(forged, NOT_AUTHORIZED, "an offer in Bob's name");
        else await forged;
        const self = ada.client.publish(`rooms/${room}/to/${ada.id}/offer/${ada.id}`, { session: ada.session, sdp: SDP });
        if (link.version === 5) await refused(self, NOT_AUTHORIZED, 'an offer to oneself');
        else await self;
        await ada.settle();
        ada.none(/\/offer\//);
      });

      test('pass no more once a member has left', async () => {
        const { ada, bob } = await pair(stack, link);
        await bob.cut();
        await ada.next('cut-the-call');
        if (link.version === 5) await refused(bob.tell(ada, 'offer'), NOT_AUTHORIZED, 'an offer after leaving');
        else await bob.tell(ada, 'offer');
        assert.equal((await bob.next('error')).json.error, 'not-a-member');
        await ada.settle();
        ada.none(/\/offer\//);
      });

      test("another's inbox, another's outbox and everything wider are refused", async () => {
        const { room, ada, bob } = await pair(stack, link);
        const code = link.version === 5 ? NOT_AUTHORIZED : SUBACK_FAILURE;
        const filters = [`rooms/${room}/to/${ada.id}/#`, `rooms/${room}/to/${ada.id}/offer/${bob.id}`, `rooms/${room}/to/+/#`, `rooms/${room}/#`,
          `rooms/+/to/${bob.id}/#`, `rooms/${room}/from/${ada.id}/join`, 'rooms/+/state', `rooms/${randomId()}/state`, '#', '+/v1/#', '$SYS/#',
          `$share/g/parley/v1/rooms/${room}/state`, `$share/g/parley/v1/rooms/${room}/to/${bob.id}/#`, 'roomd/#', 'roomd/stats', 'devices/+/status', `lobby/to/${bob.id}/#`];
        for (const filter of filters) {
          const whole = filter === '#' || filter.startsWith('$') || filter.startsWith('+') ? filter : `parley/v1/${filter}`;
          await refused(bob.client.subscribeRaw(whole), code, filter);
        }
        await ada.join(); // what it brings goes to Ada's inbox alone
        await bob.settle();
        bob.none('joined');
      });

      test('nobody may retain them, nor publish on topics of others', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const session = { session: bob.session };
        const attempts = [
          [`rooms/${room}/to/${ada.id}/offer/${bob.id}`, { ...session, sdp: SDP }, { retain: true }],
          [bob.from('join'), { ...session, peer_name: 'Bob' }, { retain: true }],
          [`rooms/${room}/state`, { room_id: room, max_peers: 2, rev: 99, peers: [] }, { retain: true, qos: 1 }],
          [`rooms/${room}/state`, { room_id: room, max_peers: 2, rev: 99, peers: [] }, { retain: false, qos: 1 }],
          [`rooms/${room}/from/${ada.id}/cut-the-call`, { session: ada.session }, {}],
          [`rooms/${room}/from/${ada.id}/gone`, {}, {}],
          [`rooms/${room}/to/${ada.id}/cut-the-call`, { peer_id: bob.id, reason: 'hung-up' }, {}],
          [`rooms/${room}/to/${ada.id}/user-arrived`, { peer_id: bob.id, peer_name: 'Bob', resumed: false }, {}],
          ['roomd/status', { state: 'offline', version: '0', epoch: 'e' }, {}],
          [`lobby/from/${bob.id}/create-room`, { request: 'r' }, {}],
          ['devices/d-door/ring', { request: 'r', room_id: room, peer_name: 'Bob' }, {}],
        ];
        for (const [topic, value, options] of attempts) {
          const attempt = bob.client.publish(topic, value, options);
          if (link.version === 5) await refused(attempt, NOT_AUTHORIZED, `${topic} ${JSON.stringify(options)}`);
          else await attempt;
        }
        await Promise.all([ada.settle(), bob.settle()]);
        ada.none(/rooms|roomd\/status.*offline/);
        assert.equal((await ada.join()).room.peers.length, 2);
        // Nothing was kept: who comes late gets the state of before, and no offer.
        const late = await stack.operator();
        await late.subscribe('#');
        await late.settle();
        assert.deepEqual(late.seen(new RegExp(`rooms/${room}/`)).map((message) => message.short), [`rooms/${room}/state`]);
      });
    });
  }

  test('MQTT 5 and 3.1.1, WebSocket and TCP talk to each other, and message expiry travels along', async () => {
    const room = await stack.room();
    const ada = await stack.peer(room, { name: 'Ada', transport: 'ws', version: 5 });
    const bob = await stack.peer(room, { name: 'Bob', transport: 'tcp', version: 4 });
    await ada.join();
    await bob.join();
    await ada.client.publish(`rooms/${room}/to/${bob.id}/offer/${ada.id}`, { session: ada.session, sdp: SDP }, { properties: { messageExpiryInterval: 30 } });
    await bob.next(`to/${bob.id}/offer/${ada.id}`);
    await bob.tell(ada, 'answer');
    await ada.next(`to/${ada.id}/answer/${bob.id}`);
  });

  for (const version of [4, 5]) {
    test(`an offer to a member that is away waits for it in a kept session, MQTT ${version === 5 ? '5' : '3.1.1'}`, async () => {
      const { ada, bob } = await pair(stack, { transport: 'ws', version, clean: false });
      await bob.drop();
      await ada.next('user-away');
      await ada.tell(bob, 'offer');
      await bob.connect();
      assert.equal(bob.client.sessionPresent, true);
      assert.deepEqual((await bob.next(`to/${bob.id}/offer/${ada.id}`)).json, { session: ada.session, sdp: SDP });
    });
  }
});
