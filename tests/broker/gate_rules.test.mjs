/** What the gate lets pass: members only, in the right size; and what it says when somebody is gone. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links, NOT_AUTHORIZED, refused, SUBACK_FAILURE } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { SDP } from '../lib/peer.mjs';
import { LIMIT, seat, useGate, will } from './gate_broker.mjs';

const gate = useGate();

/** A room of its own for each test, and peers by name. */
function scene() {
  const room = randomId('room-');
  const [ada, bob, eve] = ['p-ada', 'p-bob', 'p-eve'].map((name) => randomId(`${name}-`));
  return { room, ada, bob, eve };
}

const offer = { session: 'one', sdp: SDP };

/** Refused as the protocol's version says it: a reason code, or nothing at all. */
async function denied(doing, link) {
  if (link.version === 5) await refused(doing, NOT_AUTHORIZED);
  else await doing;
}

for (const link of links) {
  describe(`over ${link}`, LIMIT, () => {
    test('members reach each other, and nobody else does', async () => {
      const { room, ada, bob, eve } = scene();
      const roomd = await gate.roomd();
      const [a, b, e] = await Promise.all([ada, bob, eve].map((id) => gate.peer(id, room, link)));
      const tell = (from, to) => from.publish(`rooms/${room}/to/${to.id}/offer/${from.id}`, offer);

      await denied(tell(a, b), link); // nobody is a member yet
      await seat(roomd, room, ada, bob);
      await tell(a, b);
      await b.next(`rooms/${room}/to/${bob}/offer/${ada}`);
      await denied(tell(e, b), link);
      await denied(tell(a, e), link);
      assert.deepEqual((await e.next('error')).json.error, 'not-a-member');
      await seat(roomd, room, bob);
      await denied(tell(a, b), link);
      await roomd.publishRaw(`rooms/${room}/state`, '', { qos: 1 });
      await denied(tell(b, a), link);
      await Promise.all([a.settle(), b.settle(), e.settle()]);
      b.none('offer');
      b.none(/\/offer\//);
      e.none(/\/offer\//);
    });

    test('who is refused hears why, alone', async () => {
      const { room, ada, bob } = scene();
      const [a, b] = await Promise.all([ada, bob].map((id) => gate.peer(id, room, link)));
      for (const [event, body] of [['offer', offer], ['answer', offer], ['candidate', { session: 'one', candidates: [], done: true }]]) {
        const telling = a.publish(`rooms/${room}/to/${bob}/${event}/${ada}`, body, { qos: 1 });
        await denied(telling, link);
        const { json, short } = await a.next('error');
        assert.equal(short, `rooms/${room}/to/${ada}/error`);
        assert.equal(json.error, 'not-a-member');
        assert.equal(json.event, event);
        assert.ok(json.detail.length > 10);
      }
      await b.settle();
      assert.deepEqual(b.messages.filter((message) => message.short !== 'roomd/status'), []);
    });

    test('what is larger than its kind may be is refused', async () => {
      const { room, ada, bob } = scene();
      const roomd = await gate.roomd();
      const [a, b] = await Promise.all([ada, bob].map((id) => gate.peer(id, room, link)));
      await seat(roomd, room, ada, bob);
      const filled = (size, rest) => {
        const empty = JSON.stringify({ ...rest, sdp: '' }).length;
        return JSON.stringify({ ...rest, sdp: 'x'.repeat(size - empty) });
      };
      for (const [topic, max] of [[`to/${bob}/offer/${ada}`, 65536], [`to/${bob}/candidate/${ada}`, 16384], [`from/${ada}/join`, 4096]]) {
        const event = topic.startsWith('from') ? 'join' : topic.split('/')[2];
        await a.publishRaw(`rooms/${room}/${topic}`, filled(max, { session: 'one' }), { qos: 1 });
        for (const size of [max + 1, 130_000]) {
          await denied(a.publishRaw(`rooms/${room}/${topic}`, filled(size, { session: 'one' }), { qos: 1 }), link);
          const { json } = await a.next('error');
          assert.deepEqual([json.error, json.event], ['too-large', event]);
        }
      }
      await b.next(/\/offer\//);
      await b.next(/\/candidate\//);
      b.none(/\/(offer|candidate)\//);
      await roomd.next('join');
      roomd.none('join');
    });

    test('a device hears of a request that is too large', async () => {
      const id = randomId('d-');
      const device = await gate.client({ id, role: 'device', ...link });
      await device.subscribe(`lobby/to/${id}/#`);
      await denied(device.publishRaw(`lobby/from/${id}/create-room`, JSON.stringify({ request: 'x'.repeat(5000) })), link);
      assert.equal((await device.next(`lobby/to/${id}/error`)).json.error, 'too-large');
      await denied(device.publishRaw(`devices/${id}/status`, JSON.stringify({ state: 'x'.repeat(5000) })), link);
      await device.settle();
      device.none('error');
    });

    test('what is queued for somebody who is out by then stays where it is', async () => {
      const { room, ada, bob } = scene();
      const roomd = await gate.roomd();
      const a = await gate.peer(ada, room, link);
      const b = await gate.peer(bob, room, { clean: false, ...link });
      await seat(roomd, room, ada, bob);
      await b.end();
      await a.publish(`rooms/${room}/to/${bob}/offer/${ada}`, offer);
      await roomd.publish(`rooms/${room}/to/${bob}/cut-the-call`, { peer_id: ada, reason: 'lost' });
      await seat(roomd, room, ada);
      const back = await gate.client({ id: bob, role: 'peer', room, clean: false, ...link });
      assert.ok(back.sessionPresent);
      await back.next(`rooms/${room}/to/${bob}/cut-the-call`);
      await back.settle();
      back.none(/\/offer\//);
    });

    test('what is queued for a member who comes back arrives', async () => {
      const { room, ada, bob } = scene();
      const roomd = await gate.roomd();
      const a = await gate.peer(ada, room, link);
      const b = await gate.peer(bob, room, { clean: false, ...link });
      await seat(roomd, room, ada, bob);
      await b.end();
      await a.publish(`rooms/${room}/to/${bob}/offer/${ada}`, offer);
      const back = await gate.client({ id: bob, role: 'peer', room, clean: false, ...link });
      await back.next(`rooms/${room}/to/${bob}/offer/${ada}`);
    });

    for (const clean of [true, false]) {
      test(`a lost connection is a will, and a word of the gate's (${clean ? 'clean' : 'kept'} session)`, async () => {
        const { room, ada } = scene();
        const roomd = await gate.roomd();
        await seat(roomd, room, ada);
        const a = await gate.peer(ada, room, { will: will(room, ada), clean, ...link });
        await a.drop();
        assert.deepEqual((await roomd.next('gone')).json, { session: 'one' });
        assert.deepEqual((await roomd.next('gone')).json, {});
        await roomd.settle();
        roomd.none('gone');
      });

      test(`so is a good-bye, without the will (${clean ? 'clean' : 'kept'} session)`, async () => {
        const { room, ada } = scene();
        const roomd = await gate.roomd();
        await seat(roomd, room, ada);
        const a = await gate.peer(ada, room, { will: will(room, ada), clean, ...link });
        await a.end();
        const gone = await roomd.next('gone');
        assert.equal(gone.short, `rooms/${room}/from/${ada}/gone`);
        assert.equal(gone.qos, 1);
        assert.deepEqual(gone.json, {});

        // The return of a kept session is the broker's end of the old one, and nobody's departure.
        const back = await gate.peer(ada, room, { clean, ...link });
        await back.publish(`rooms/${room}/from/${ada}/join`, { session: 'one', peer_name: 'Ada' });
        await roomd.next('join');
        roomd.none('gone');
      });
    }

    test('who was no member is not missed', async () => {
      const { room, ada, bob } = scene();
      const roomd = await gate.roomd();
      await seat(roomd, room, bob);
      const [a, b] = await Promise.all([ada, bob].map((id) => gate.peer(id, room, link)));
      await a.end();
      await b.end();
      assert.equal((await roomd.next('gone')).short, `rooms/${room}/from/${bob}/gone`);
      await roomd.settle();
      roomd.none('gone');
    });

    test('a device is gone from every room that it is in', async () => {
      const rooms = [scene().room, scene().room, scene().room];
      const id = randomId('d-');
      const roomd = await gate.roomd();
      await seat(roomd, rooms[0], id);
      await seat(roomd, rooms[1], 'p-x', 'p-y');
      await seat(roomd, rooms[2], 'p-x', id);
      const device = await gate.client({ id, role: 'device', ...link });
      await device.drop();
      const gone = [await roomd.next('gone'), await roomd.next('gone')].map((message) => message.short);
      assert.deepEqual(gone.sort(), [rooms[0], rooms[2]].map((room) => `rooms/${room}/from/${id}/gone`).sort());
    });
  });
}

describe('roomd', LIMIT, () => {
  test('finds what happened while it was away, in order', async () => {
    const { room, ada, bob } = scene();
    const roomd = await gate.roomd({ clean: false });
    await seat(roomd, room, ada);
    const a = await gate.peer(ada, room, { will: will(room, ada) });
    await roomd.drop();
    await a.drop();
    const b = await gate.peer(bob, room);
    await b.publish(`rooms/${room}/from/${bob}/join`, { session: 'two', peer_name: 'Bob' });
    const again = await gate.peer(ada, room);
    await again.publish(`rooms/${room}/from/${ada}/join`, { session: 'one', peer_name: 'Ada' });
    const back = await gate.client({ id: 's-roomd', role: 'service', clean: false });
    assert.ok(back.sessionPresent);
    await back.next(`rooms/${room}/from/${ada}/join`);
    const heard = back.messages.filter((message) => message.short.includes(room)).map((message) => message.short.split('/from/')[1]);
    // The gate's own word goes out at the end of the broker's turn.
    assert.deepEqual(heard, [`${ada}/gone`, `${ada}/gone`, `${bob}/join`, `${ada}/join`]);
  });

  test('is not believed when its word makes no sense', async () => {
    const { room, ada, bob } = scene();
    const roomd = await gate.roomd();
    const [a, watch] = [await gate.peer(ada, room), await gate.client({ id: randomId('o-'), role: 'operator' })];
    await watch.subscribe(`rooms/${room}/state`, 0);
    await seat(roomd, room, ada, bob);
    await watch.next('state');
    const good = { room_id: room, max_peers: 2, rev: 1, peers: [] };
    for (const state of ['no JSON', JSON.stringify({ ...good, room_id: 'another' }), JSON.stringify({ ...good, peers: 'p-x' })]) {
      await refused(roomd.publishRaw(`rooms/${room}/state`, state, { qos: 1 }), NOT_AUTHORIZED, state);
      await refused(a.publish(`rooms/${room}/to/${bob}/offer/${ada}`, offer), NOT_AUTHORIZED, 'nobody is a member then');
      await seat(roomd, room, ada, bob);
      await watch.next('state');
    }
    await watch.settle();
    watch.none('state');
  });

  test('is the only one that says who is a member', async () => {
    const { room, ada, bob } = scene();
    const claim = JSON.stringify({ room_id: room, max_peers: 2, rev: 9, peers: [{ peer_id: ada, peer_name: 'A', state: 'present' }] });
    const others = [gate.peer(ada, room), gate.client({ id: randomId('d-'), role: 'device' }),
      gate.client({ id: 's-httpd', role: 'service' }), gate.client({ id: 's-other', role: 'service' }), gate.client({ id: randomId('o-'), role: 'operator' })];
    for (const client of await Promise.all(others)) {
      await refused(client.publishRaw(`rooms/${room}/state`, claim, { qos: 1 }), NOT_AUTHORIZED, client.id);
      await refused(client.publishRaw(`rooms/${room}/state`, '', { qos: 1 }), NOT_AUTHORIZED, client.id);
    }
  });
});

describe('outside the tables', LIMIT, () => {
  const filters = ['#', '+/#', '$SYS/#', '$CONTROL/#', '$share/g/parley/v1/rooms/r/state', 'parley/v1/rooms/+/state', 'parley/v1/rooms/r/to/+/#', 'parley/v2/x'];
  for (const version of [4, 5]) {
    test(`a peer reads nothing, MQTT ${version === 5 ? '5' : '3.1.1'}`, async () => {
      const peer = await gate.client({ id: randomId('p-'), role: 'peer', room: 'r', version });
      for (const filter of filters) {
        await assert.rejects(peer.mqtt.subscribeAsync(filter), (error) => error.packet.granted[0] === (version === 5 ? NOT_AUTHORIZED : SUBACK_FAILURE), filter);
      }
      await peer.mqtt.unsubscribeAsync('parley/v1/whatever/#'); // nobody's harm
      await peer.settle();
    });
  }

  test('nobody writes', async () => {
    const peer = await gate.client({ id: randomId('p-'), role: 'peer', room: 'r' });
    for (const topic of ['x', '$CONTROL/dynamic-security/v1', '$SYS/x', 'parley/v1/rooms/r/x', 'parley/v1/rooms/r/from/p-other/join', 'parley/v1/roomd/status']) {
      await refused(peer.mqtt.publishAsync(topic, '{}', { qos: 1 }), NOT_AUTHORIZED, topic);
    }
    await refused(peer.publish(`rooms/r/from/${peer.id}/join`, { session: 'one', peer_name: 'Ada' }, { retain: true }), NOT_AUTHORIZED, 'a retained join');
  });
});
