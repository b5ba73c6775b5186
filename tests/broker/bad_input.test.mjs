/** Rule 10: hostile payloads change nothing, are counted, and are answered by a stable id. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import WebSocket from 'ws';
import { links, NOT_AUTHORIZED, refused } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { useStack } from '../lib/stack.mjs';

const deep = (levels) => '[' .repeat(levels) + ']'.repeat(levels);
const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));

/** What no JSON object of ours may be, whatever the event. */
const malformed = {
  'nothing at all': '',
  'no JSON': 'hello',
  'half of it': '{"session":"s"',
  'an array': '["s"]',
  'a string': '"s"',
  null: 'null',
  'text after it': '{"session":"s"} x',
  'two objects': '{"session":"s"}{"session":"s"}',
  'a comment': '{/**/"session":"s"}',
  'single quotes': "{'session':'s'}",
  'a trailing comma': '{"session":"s",}',
  'a byte order mark': '\uFEFF{"session":"s"}',
  'a number of no JSON': '{"session":"s","x":01}',
  NaN: '{"session":"s","x":NaN}',
  'a duplicate key': '{"session":"s","session":"t"}',
  'a duplicate key, escaped': '{"session":"s","sess\\u0069on":"t"}',
  'a duplicate key further in': '{"session":"s","x":{"a":1,"a":2}}',
  'nine levels': `{"session":"s","x":${deep(8)}}`,
  'a thousand levels': `{"session":"s","x":${deep(1000)}}`,
  'a raw NUL': bytes('{"session":"s', 0, '"}'),
  'a NUL after it': bytes('{"session":"s"}', 0),
  'an escaped NUL': '{"session":"s\\u0000"}',
  'a control character': '{"session":"s","x":"\n"}',
  'a lone continuation byte': bytes('{"session":"s","x":"', 0x80, '"}'),
  'an overlong slash': bytes('{"session":"s","x":"', 0xc0, 0xaf, '"}'),
  'a surrogate in UTF-8': bytes('{"session":"s","x":"', 0xed, 0xa0, 0x80, '"}'),
  'above U+10FFFF': bytes('{"session":"s","x":"', 0xf4, 0x90, 0x80, 0x80, '"}'),
  'an escaped lone surrogate': '{"session":"s","x":"\\ud800"}',
  'too many members': JSON.stringify({ session: 's', ...Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, i])) }),
};
const badSessions = {
  'no session': {}, 'a session that is a number': { session: 7 }, 'a session that is null': { session: null }, 'an empty session': { session: '' },
  'a session with a slash': { session: 'a/b' }, 'a session of 65': { session: 's'.repeat(65) }, 'a session that is a list': { session: ['s'] }, 'Session in capitals': { Session: 's' },
};
const badNames = { empty: '', blank: ' \t ', 'of 65': 'x'.repeat(65), 'with a line break': 'a\nb', 'with an escape': 'a\u001b[2Jb', 'with DEL': 'a\u007fb', 'turned round': 'a\u202eb', 'with a line separator': 'a\u2028b' };

describe('bad input', () => {
  const stack = useStack();

  /** Sends `payload` as `peer`'s `event` and expects `error` with `id`. */
  async function expectError(peer, event, what, payload, id) {
    await peer.client.publishRaw(peer.from(event), payload, { qos: 1, retain: false });
    const { json } = await peer.next('error');
    assert.deepEqual([json.error, json.event], [id, event], `${event}, ${what}: ${json.detail}`);
    assert.ok(json.detail.length > 0);
  }

  for (const link of links) {
    describe(`over ${link}`, () => {
      test('of a join, a cut-the-call or a gone: bad-request, and nothing changes', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const before = (await stack.http('GET', `/api/rooms/${room}`)).json;
        for (const event of ['join', 'cut-the-call', 'gone']) {
          for (const [what, payload] of Object.entries(malformed)) await expectError(bob, event, what, payload, 'bad-request');
          for (const [what, fields] of Object.entries(badSessions)) {
            if (event === 'gone' && !('session' in fields)) continue; // there a session may be missing
            await expectError(bob, event, what, JSON.stringify({ peer_name: 'Bob', ...fields }), 'bad-request');
          }
        }
        for (const fields of [{}, { peer_name: 7 }, { peer_name: null }, { peer_name: ['Bob'] }, { peer_name: 'Bob', seat: 7 }]) {
          await expectError(bob, 'join', JSON.stringify(fields), JSON.stringify({ session: bob.session, ...fields }), 'bad-request');
        }
        await Promise.all([ada.settle(), bob.settle()]);
        ada.none(/rooms/);
        assert.deepEqual((await stack.http('GET', `/api/rooms/${room}`)).json, before);
      });

      test('names: bad-peer-name', async () => {
        const room = await stack.room();
        const bob = await stack.peer(room, link);
        for (const [what, peer_name] of Object.entries(badNames)) await expectError(bob, 'join', what, JSON.stringify({ session: bob.session, peer_name }), 'bad-peer-name');
        assert.deepEqual((await stack.http('GET', `/api/rooms/${room}`)).json.peers, []);
        const longest = '李'.repeat(64);
        assert.equal((await bob.join({ peer_name: `\t${longest} ` })).room.peers[0].peer_name, longest);
      });

      test('too large: refused at the gate, too-large', async () => {
        const { room, ada, bob } = await pair(stack, link);
        const tooLarge = async (topic, size, event) => {
          const attempt = bob.client.publishRaw(topic, JSON.stringify({ session: bob.session, x: 'x'.repeat(size) }), { qos: 1 });
          if (link.version === 5) await refused(attempt, NOT_AUTHORIZED, topic);
          else await attempt;
          const { json } = await bob.next('error');
          assert.deepEqual([json.error, json.event], ['too-large', event]);
        };
        await tooLarge(bob.from('join'), 4096, 'join');
        await tooLarge(`rooms/${room}/to/${ada.id}/candidate/${bob.id}`, 16384, 'candidate');
        await tooLarge(`rooms/${room}/to/${ada.id}/offer/${bob.id}`, 65536, 'offer');
        await Promise.all([ada.settle(), bob.settle()]);
        ada.none(/rooms/);
        assert.equal((await bob.join()).resumed, true, 'it is still connected and a member');
      });

      test('unknown fields, odd seats and eight levels are fine', async () => {
        const room = await stack.room();
        const ada = await stack.peer(room, link);
        for (const seat of ['', 'x', 'a.b.c', 'x'.repeat(2000)]) {
          await ada.client.publishRaw(ada.from('join'), JSON.stringify({ session: ada.session, peer_name: 'Ada', seat, x: { y: [[[[[[]]]]]] } }));
          assert.equal((await ada.next('joined')).json.room.peers.length, 1);
        }
      });

      test('of a create-room: bad-request, with the request where it could be read', async () => {
        const device = await stack.device(randomId('d-'), link);
        const topic = `lobby/from/${device.id}/create-room`;
        for (const [what, payload] of Object.entries(malformed)) {
          await device.publishRaw(topic, payload);
          const { json } = await device.next(`lobby/to/${device.id}/error`);
          assert.deepEqual([json.error, json.request ?? ''], ['bad-request', ''], what);
        }
        for (const fields of [{}, { request: 7 }, { request: '' }, { request: 'a/b' }, { request: 'r'.repeat(65) }]) {
          await device.publishRaw(topic, JSON.stringify(fields));
          assert.equal((await device.next(`lobby/to/${device.id}/error`)).json.error, 'bad-request', JSON.stringify(fields));
        }
        await device.publishRaw(topic, JSON.stringify({ request: 'r-7', room_id: 7 }));
        const { json } = await device.next(`lobby/to/${device.id}/error`);
        assert.equal(json.request, 'r-7');
        const attempt = device.publishRaw(topic, JSON.stringify({ request: 'r-8', x: 'x'.repeat(4096) }));
        if (link.version === 5) await refused(attempt, NOT_AUTHORIZED, 'a large create-room');
        else await attempt;
        assert.equal((await device.next(`lobby/to/${device.id}/error`)).json.error, 'too-large');
      });

      test('a topic outside the tables is denied', async () => {
        const { room, bob } = await pair(stack, link);
        for (const topic of [bob.from('offer'), bob.from('nonsense'), `${bob.from('join')}/x`, `rooms/${room}/from/${bob.id}`, 'rooms', `rooms/${room}/state/x`]) {
          const attempt = bob.client.publishRaw(topic, '{}', { qos: 1 });
          if (link.version === 5) await refused(attempt, NOT_AUTHORIZED, topic);
          else await attempt;
        }
        assert.equal((await bob.join()).resumed, true);
      });
    });
  }

  test('is counted, by id', async () => {
    const { bob } = await pair(stack);
    await expectError(bob, 'join', 'no JSON', 'hello', 'bad-request');
    await expectError(bob, 'join', 'no name', JSON.stringify({ session: bob.session, peer_name: '' }), 'bad-peer-name');
    const { errors } = await stack.settledStats();
    for (const id of ['bad-request', 'bad-peer-name']) assert.ok(errors[id] > 0, id);
  });

  test('a packet that the broker would not hold ends the connection, and nothing else', async () => {
    const { ada, bob } = await pair(stack, { transport: 'tcp' });
    bob.client.publishRaw(bob.from('join'), 'x'.repeat(300_000)).catch(() => {});
    await bob.client.whenClosed();
    assert.equal((await ada.next('user-away')).json.peer_id, bob.id);
    await bob.connect();
    assert.equal((await bob.join()).resumed, true);
  });

  test('a size that is announced on a WebSocket, and never sent, keeps nobody out', { timeout: 30_000 }, async (t) => {
    // Mosquitto 2.0 takes the memory at once, and waits; 2.1 ends the connection. Twelve of 256 MiB: more than an account of 2 GiB would have.
    const sockets = await Promise.all(Array.from({ length: 12 }, async () => {
      const socket = new WebSocket(stack.wsUrl, 'mqtt');
      t.after(() => socket.terminate());
      await once(socket, 'open');
      socket.send(bytes(0x10, 0xff, 0xff, 0xff, 0x7f, 0)); // a CONNECT of 268,435,455 bytes, and its first
      socket.ping();
      await Promise.race([once(socket, 'pong'), once(socket, 'close')]); // it is read
      return socket;
    }));
    for (const transport of ['ws', 'tcp']) {
      const { ada, bob } = await pair(stack, { transport });
      await ada.tell(bob, 'offer');
      await bob.next(/\/offer\//);
    }
    const states = new Set(sockets.map((socket) => socket.readyState));
    const broker = stack.log.find((line) => line.includes('mosquitto version'));
    assert.deepEqual([...states], [broker.includes('version 2.0') ? WebSocket.OPEN : WebSocket.CLOSED], 'the broker holds it still, and is none the worse, or never held it');
  });
});
