/** Who gets in: tokens, client ids, user names, keepalives. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { links, NOT_AUTHORIZED, refused } from '../lib/client.mjs';
import { claimsOf, forge, nowS, randomId } from '../lib/jwt.mjs';
import { useStack } from '../lib/stack.mjs';

describe('the door', () => {
  const stack = useStack();
  let room;
  let key;
  before(async () => {
    room = await stack.room();
    key = stack.key();
  });

  const claims = (id, more = {}) => ({ iss: 'parley', sub: id, role: 'peer', room, iat: nowS(), exp: nowS() + 60, ...more });

  for (const link of links) {
    describe(`over ${link}`, () => {
      const code = link.version === 5 ? NOT_AUTHORIZED : 5;
      const enter = (options) => stack.client({ ...link, ...options });

      test('a token made here gets in: the forger forges well', async () => {
        const id = randomId('p-');
        await enter({ id, token: forge(key, claims(id)) });
      });

      test('the client id and the user name have to be the sub', async () => {
        const id = randomId('p-');
        const token = await stack.token('peer', id, room);
        await refused(enter({ id: randomId('p-'), username: id, token }), code, "another's client id");
        const other = randomId('p-');
        await refused(enter({ id: other, username: other, token }), code, "another's token");
        await refused(enter({ id, username: randomId('p-'), token }), code, "another's user name");
        await refused(enter({ id, username: '', token }), code, 'no user name');
        for (const odd of ['+', '#', 'a/b', '$SYS', `${id}/`]) await refused(enter({ id: odd, username: odd, token }), code, odd);
        await enter({ id, token });
      });

      test('tokens that are not valid', async () => {
        const id = randomId('p-');
        const good = forge(key, claims(id));
        const [head, body, signature] = good.split('.');
        const flipped = signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
        const cases = {
          'no password': undefined,
          'an empty one': '',
          'no token': 'hello',
          expired: forge(key, claims(id, { iat: nowS() - 60, exp: nowS() - 1 })),
          'without exp': forge(key, claims(id, { exp: undefined })),
          'exp as text': forge(key, claims(id, { exp: String(nowS() + 60) })),
          'another key': forge({ kid: key.kid, key: randomBytes(32) }, claims(id)),
          'an unknown kid': forge({ ...key, kid: 'nobody' }, claims(id)),
          'without a kid': forge(key, claims(id), { kid: undefined }),
          'alg none': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
          'alg none, signed': forge(key, claims(id), { alg: 'none' }),
          'alg HS512': forge(key, claims(id), { alg: 'HS512' }),
          'a changed signature': `${head}.${body}.${flipped}`,
          'no signature': `${head}.${body}.`,
          'a fourth part': `${good}.x`,
          'another issuer': forge(key, claims(id, { iss: 'parley-seat' })),
          'no issuer': forge(key, claims(id, { iss: undefined })),
          'an unknown role': forge(key, claims(id, { role: 'king' })),
          "a role that is not the id's": forge(key, claims(id, { role: 'operator', room: undefined })),
          'a peer without a room': forge(key, claims(id, { room: undefined })),
          'a room that is none': forge(key, claims(id, { room: '+' })),
          'a duplicate claim': forge(key, JSON.stringify(claims(id)).replace('{', `{"sub":"${id}",`)),
        };
        for (const [what, token] of Object.entries(cases)) await refused(enter({ id, token }), code, what);
        await enter({ id, token: good });
      });

      test('a seat is no token', async () => {
        const peer = await stack.peer(room, link);
        const { seat } = await peer.join();
        await peer.cut();
        await refused(enter({ id: randomId('p-'), token: seat }), code, 'a seat');
        await refused(enter({ id: peer.id, token: seat }), code, 'a seat of this peer');
      });

      test('a keepalive of 5 to 120 s', async () => {
        const id = randomId('p-');
        const token = forge(key, claims(id));
        for (const keepalive of [0, 1, 4, 121, 65535]) {
          await assert.rejects(enter({ id, token, keepalive }), `keepalive ${keepalive}`);
        }
        for (const keepalive of [5, 120]) await (await enter({ id, token, keepalive })).end();
      });

      test('a token that expires does not put out who is in', async () => {
        const id = randomId('p-');
        const token = forge(key, claims(id, { exp: nowS() + 2 }));
        const client = await enter({ id, token });
        while (nowS() <= claimsOf(token).exp) await client.settle();
        await client.settle();
        await refused(enter({ id: id, token }), code, 'the same token, expired');
        assert.equal(client.closed, false, 'and a refused connect replaces nobody');
      });

      test('services other than roomd and httpd may do nothing', async () => {
        const id = randomId('s-other');
        const service = await enter({ id, token: await stack.token('service', id) });
        await refused(service.subscribe('roomd/status'), link.version === 5 ? NOT_AUTHORIZED : 0x80, 'a subscribe');
      });
    });
  }

  test("a peer's token is good in its own room only", async () => {
    const other = await stack.room();
    const peer = await stack.peer(room);
    await refused(peer.client.publish(`rooms/${other}/from/${peer.id}/join`, { session: peer.session, peer_name: 'Ada' }), NOT_AUTHORIZED, 'a join elsewhere');
    await refused(peer.client.subscribe(`rooms/${other}/to/${peer.id}/#`), NOT_AUTHORIZED, 'an inbox elsewhere');
    await refused(peer.client.subscribe(`rooms/${other}/state`), NOT_AUTHORIZED, "another room's state");
  });

  test("httpd's token may do what the table says, and no more", async () => {
    const id = randomId('s-httpd-');
    const service = await stack.client({ id, token: await stack.token('service', id) });
    for (const filter of ['rooms/+/state', 'devices/+/status', 'devices/+/ring-answer', 'roomd/#', `lobby/to/${id}/#`]) await service.subscribe(filter);
    for (const filter of ['#', 'rooms/#', 'rooms/+/to/+/#', 'devices/#', 'lobby/#']) await refused(service.subscribe(filter), NOT_AUTHORIZED, filter);
    await service.publish(`lobby/from/${id}/create-room`, { request: 'r-1' });
    await service.next('room-created');
    await refused(service.publish(`rooms/${room}/state`, { room_id: room, max_peers: 2, rev: 1, peers: [] }, { qos: 1 }), NOT_AUTHORIZED, 'a state');
  });

  test('an operator reads everything and rings, and does nothing else', async () => {
    const operator = await stack.operator();
    await operator.subscribe('#');
    await refused(operator.subscribe('$SYS/#'), NOT_AUTHORIZED, '$SYS');
    await refused(operator.publish(`rooms/${room}/from/${operator.id}/join`, { session: 's', peer_name: 'x' }), NOT_AUTHORIZED, 'a join');
    await refused(operator.publish('devices/d-x/ring', { request: 'r', room_id: room, peer_name: 'x' }, { retain: true }), NOT_AUTHORIZED, 'a retained ring');
    await operator.publish('devices/d-x/ring', { request: 'r', room_id: room, peer_name: 'x' });
  });
});
