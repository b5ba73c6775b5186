/** The HTTP table, row by row, and what holds for every answer. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { claimsOf, forge, nowS, randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { faultOf } from '../lib/schemas.mjs';
import { useStack } from '../lib/stack.mjs';

const folder = mkdtempSync(join(tmpdir(), 'parley-turn-'));
const TURN_SECRET = 'a secret of two';
const TURN_TTL_S = 600;
const TOKEN_TTL_S = 1200;
writeFileSync(join(folder, 'turn'), `${TURN_SECRET}\n`, { mode: 0o600 });
after(() => rmSync(folder, { recursive: true }));

describe('HTTP', () => {
  const stack = useStack({ config: {
    turn: { urls: 'stun:127.0.0.1:3478 turn:127.0.0.1:3478?transport=udp', secret_file: join(folder, 'turn'), ttl_s: TURN_TTL_S },
    tokens: { ttl_s: TOKEN_TTL_S },
  } });
  const api = (method, path, options) => stack.http(method, path, options);

  /** Expects `{error, detail}` by its schema, with this status and id. */
  function isError(answer, status, id) {
    assert.deepEqual([answer.status, answer.json?.error], [status, id], answer.text);
    assert.equal(faultOf('http-error', answer.json), null);
    assert.match(answer.headers['content-type'], /^application\/(problem\+)?json/);
  }

  describe('pages', () => {
    test('GET / is the main page, with the security headers', async () => {
      const answer = await api('GET', '/');
      assert.equal(answer.status, 200);
      assert.match(answer.headers['content-type'], /^text\/html; ?charset=utf-8$/i);
      const policy = answer.headers['content-security-policy'];
      assert.match(policy, /default-src '(self|none)'/);
      assert.doesNotMatch(policy, /unsafe-/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.match(policy, /worker-src [^;]*blob:/, 'MQTT.js keeps its timers in a worker');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.match(answer.headers['referrer-policy'], /^(no-referrer|same-origin)$/);
      assert.match(answer.headers['permissions-policy'], /camera=\(self\)/);
      assert.doesNotMatch(answer.text, /<script(?![^>]*\bsrc=)[^>]*>[^<]/, 'no inline script');
    });

    test("GET /r/{room}/ is the call's page for a room that exists, else 404 and the main page", async () => {
      const room = await stack.room();
      const main = await api('GET', '/');
      const call = await api('GET', `/r/${room}/`);
      assert.equal(call.status, 200);
      assert.notEqual(call.text, main.text);
      const none = await api('GET', `/r/${randomId()}/`);
      assert.equal(none.status, 404);
      assert.match(none.headers['content-type'], /^text\/html/);
      assert.equal(none.text, main.text, 'the page itself says so');
      assert.equal((await api('GET', '/r/a%2fb/')).status, 404);
    });

    test('who asks by another name, or in another way, gets what others have not asked for', async () => {
      const path = `/r/${await stack.room()}/`;
      const { etag } = (await api('GET', path)).headers;
      const ask = (host, gzip, tags = '"other"') => api('GET', path, { headers: { Host: host, 'Accept-Encoding': gzip ? 'gzip' : 'identity', 'If-None-Match': tags } });
      const hosts = Array.from({ length: 80 }, (_, i) => `host-${i}.example`);
      const rounds = [['one.example', 'two.example:81', 'one.example'], hosts, hosts.toReversed(), ['[::1]', 'ONE.example']];
      for (const host of rounds.flat()) {
        for (const gzip of [true, false]) {
          const answer = await ask(host, gzip);
          assert.equal(answer.status, 200);
          assert.equal(answer.headers['content-encoding'], gzip ? 'gzip' : undefined);
          const name = host.replace(/:81$/, '').toLowerCase();
          assert.deepEqual(answer.headers['content-security-policy'].match(/connect-src 'self' ([^;]*);/)[1], stack.wsUrl.replace('127.0.0.1', name).replace(/\/$/, ''));
          assert.match(answer.text, /<\/html>/);
          assert.equal((await ask(host, false, etag)).status, 304);
        }
      }
    });

    test('ETag and 304', async () => {
      const first = await api('GET', '/');
      assert.match(first.headers.etag, /^(W\/)?"[^"]+"$/);
      for (const tags of [first.headers.etag, `"other", ${first.headers.etag}`, `W/${first.headers.etag.replace(/^W\//, '')}`, '*']) {
        const again = await api('GET', '/', { headers: { 'If-None-Match': tags } });
        assert.deepEqual([again.status, again.bytes.length, again.headers.etag], [304, 0, first.headers.etag], tags);
      }
      assert.equal((await api('GET', '/', { headers: { 'If-None-Match': '"other"' } })).status, 200);
      const missing = await api('GET', `/r/${randomId()}/`, { headers: { 'If-None-Match': first.headers.etag } });
      assert.equal(missing.status, 404, 'a room that is not there is no 304');
    });

    test('gzip, to whoever takes it', async () => {
      const plain = await api('GET', '/');
      assert.equal(plain.headers['content-encoding'], undefined);
      const packed = await api('GET', '/', { headers: { 'Accept-Encoding': 'br, gzip' } });
      assert.equal(packed.headers['content-encoding'], 'gzip');
      assert.ok(packed.bytes.length < plain.bytes.length);
      assert.equal(packed.text, plain.text);
      assert.notEqual(packed.headers.etag, plain.headers.etag);
      for (const answer of [plain, packed]) assert.match(answer.headers.vary, /accept-encoding/i);
      assert.equal((await api('GET', '/', { headers: { 'Accept-Encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined);
    });

    test('HEAD is GET without a body', async () => {
      const room = await stack.room();
      for (const path of ['/', `/r/${room}/`, `/r/${randomId()}/`, `/api/rooms/${room}`, '/healthz', '/readyz', '/metrics']) {
        const [get, head] = [await api('GET', path), await api('HEAD', path)];
        assert.deepEqual([head.status, head.bytes.length], [get.status, 0], path);
        assert.equal(head.headers['content-type'], get.headers['content-type'], path);
        if (path !== '/metrics') assert.equal(head.headers['content-length'], get.headers['content-length'], path);
      }
    });

    test('the files that the pages name are there, from our own origin', async () => {
      const room = await stack.room();
      for (const path of ['/', `/r/${room}/`]) {
        const { text } = await api('GET', path);
        const names = [...text.matchAll(/<(?:script|link|img)\b[^>]*?\b(?:src|href)="([^"]+)"/g)].map(([, name]) => name);
        assert.ok(names.length > 0, path);
        for (const name of names) {
          const url = new URL(name, stack.httpUrl + path);
          assert.equal(url.origin, new URL(stack.httpUrl).origin, name);
          const file = await api('GET', url.pathname);
          assert.equal(file.status, 200, name);
          assert.equal(file.headers['x-content-type-options'], 'nosniff');
        }
      }
    });

    test('nothing outside the page is served', async () => {
      for (const path of ['/../CMakeLists.txt', '/%2e%2e/CMakeLists.txt', '/..%2fparley', '/js/../../parley', '//etc/passwd', '/.git/config', '/js/', '/nothing.js', '/%00', '/%zz', '/a%0ab', '/index.html%00.js']) {
        const answer = await api('GET', path);
        assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff', path);
      }
    });
  });

  describe('POST /api/rooms', () => {
    test('201 for a new room, 200 for one that is empty, 409 for one that is not', async () => {
      const any = await api('POST', '/api/rooms', { body: {} });
      assert.equal(any.status, 201);
      assert.equal(faultOf('http-room-created', any.json), null);
      assert.deepEqual(any.json, { room_id: any.json.room_id, url: `${stack.httpUrl}/r/${any.json.room_id}/`, path: `/r/${any.json.room_id}/`, max_peers: 2 });
      assert.equal(any.headers.location, `/api/rooms/${any.json.room_id}`);
      assert.match(any.headers['cache-control'], /no-store/);
      const wanted = randomId('Wanted_');
      assert.equal((await api('POST', '/api/rooms', { body: { room_id: wanted, new_field: [] } })).status, 201);
      const again = await api('POST', '/api/rooms', { body: { room_id: wanted } });
      assert.deepEqual([again.status, again.json.room_id, again.headers.location], [200, wanted, `/api/rooms/${wanted}`]);
      const { room } = await pair(stack);
      isError(await api('POST', '/api/rooms', { body: { room_id: room } }), 409, 'room-occupied');
    });

    test('an empty body counts as {}, and JSON may come with parameters', async () => {
      assert.equal((await api('POST', '/api/rooms')).status, 201);
      assert.equal((await api('POST', '/api/rooms', { raw: '', type: 'application/json' })).status, 201);
      assert.equal((await api('POST', '/api/rooms', { raw: '{}', type: 'Application/JSON; charset=utf-8' })).status, 201);
    });

    test('400 for what is not right', async () => {
      for (const room_id of ['', 'a/b', 'ä', '+', 'x'.repeat(65)]) isError(await api('POST', '/api/rooms', { body: { room_id } }), 400, 'bad-room-id');
      for (const raw of ['{', '[]', 'null', '{} x', '{"room_id":"a","room_id":"b"}', '{"room_id":"a\\u0000"}', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), `{"x":${'['.repeat(8)}${']'.repeat(8)}}`]) {
        isError(await api('POST', '/api/rooms', { raw }), 400, 'bad-request');
      }
      const typed = await api('POST', '/api/rooms', { body: { room_id: 7 } });
      assert.equal(typed.status, 400);
      assert.match(typed.json.error, /^bad-(request|room-id)$/);
    });

    test('a body with two lengths is no request', async () => {
      isError(await api('POST', '/api/rooms', { raw: '{}', headers: { 'Transfer-Encoding': 'chunked', 'Content-Length': '2' } }), 400, 'bad-request');
    });

    test('413 for a large body, announced or not; 415 for another type', async () => {
      const large = JSON.stringify({ x: 'x'.repeat(4096) });
      isError(await api('POST', '/api/rooms', { raw: large }), 413, 'too-large');
      isError(await api('POST', '/api/rooms', { raw: large, headers: { 'Transfer-Encoding': 'chunked' } }), 413, 'too-large');
      for (const type of [null, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
        isError(await api('POST', '/api/rooms', { raw: '{}', type }), 415, 'unsupported-media-type');
      }
    });
  });

  test('GET /api/rooms/{room}: the Room, or 404', async () => {
    const { room, ada, bob } = await pair(stack);
    const { status, json, headers } = await api('GET', `/api/rooms/${room}`);
    assert.equal(status, 200);
    assert.equal(faultOf('room', json), null);
    assert.deepEqual(json.peers.map((peer) => peer.peer_id), [ada.id, bob.id]);
    assert.match(headers['cache-control'], /no-(store|cache)/);
    isError(await api('GET', `/api/rooms/${randomId()}`), 404, 'no-such-room');
    assert.equal((await api('GET', '/api/rooms/a%2fb')).status, 404);
  });

  describe('POST /api/rooms/{room}/peers', () => {
    const path = (room) => `/api/rooms/${room}/peers`;

    test('201: an identity that the broker takes', async () => {
      const room = await stack.room();
      const { status, json, headers } = await api('POST', path(room));
      assert.equal(status, 201);
      assert.equal(faultOf('http-peer', json), null);
      assert.match(json.peer_id, /^p-[0-9a-hjkmnp-tv-z]{26}$/);
      assert.match(headers['cache-control'], /no-store/);
      const claims = claimsOf(json.token);
      assert.deepEqual([claims.iss, claims.sub, claims.role, claims.room, claims.exp], ['parley', json.peer_id, 'peer', room, json.expires_at]);
      assert.ok(Math.abs(json.expires_at - nowS() - TOKEN_TTL_S) <= 3);
      assert.deepEqual([json.mqtt.client_id, json.mqtt.username, json.mqtt.password, json.mqtt.keepalive], [json.peer_id, json.peer_id, json.token, 30]);
      assert.equal(new URL(json.mqtt.url).href, new URL(stack.wsUrl).href);
      const peer = await stack.peer(room, { id: json.peer_id, token: json.token });
      assert.equal((await peer.join()).room.room_id, room);
    });

    test('TURN credentials by the TURN REST convention', async () => {
      const { json } = await api('POST', path(await stack.room()));
      const turn = json.ice_servers.find((server) => [server.urls].flat().some((url) => url.startsWith('turn:')));
      const stun = json.ice_servers.find((server) => [server.urls].flat().includes('stun:127.0.0.1:3478'));
      assert.ok(stun && !stun.username, 'no credentials for STUN');
      const [expiry, id] = turn.username.split(':');
      assert.equal(id, json.peer_id);
      assert.ok(Math.abs(Number(expiry) - nowS() - TURN_TTL_S) <= 3);
      assert.equal(turn.credential, createHmac('sha1', TURN_SECRET).update(turn.username).digest('base64'));
    });

    test('200 with a valid token of that room: the same peer, renewed', async () => {
      const room = await stack.room();
      const old = await stack.token('peer', 'p-renewed', room, 60);
      const { status, json } = await api('POST', path(room), { bearer: old });
      assert.equal(status, 200);
      assert.equal(faultOf('http-peer', json), null);
      assert.equal(json.peer_id, 'p-renewed');
      assert.ok(json.expires_at > claimsOf(old).exp);
      assert.notEqual(json.token, old);
    });

    test('401 with any other bearer, 404 for no room', async () => {
      const room = await stack.room();
      const key = stack.key();
      const expired = forge(key, { iss: 'parley', sub: 'p-late', role: 'peer', room, iat: nowS() - 60, exp: nowS() - 1 });
      isError(await api('POST', path(room), { bearer: expired }), 401, 'token-expired');
      const others = [await stack.token('peer', 'p-x', 'another-room'), await stack.token('operator', 'o-x'), await stack.token('device', 'd-x'), await stack.token('service', 's-httpd-x'), 'hello', 'a.b.c'];
      for (const bearer of others) {
        const answer = await api('POST', path(room), { bearer });
        isError(answer, 401, 'unauthorized');
        assert.match(answer.headers['www-authenticate'], /^Bearer/);
      }
      for (const authorization of ['Basic eDp5', 'Bearer', 'Bearer ']) {
        assert.equal((await api('POST', path(room), { headers: { Authorization: authorization } })).status, 401, authorization);
      }
      isError(await api('POST', path(randomId())), 404, 'no-such-room');
    });

    test('a full room still has a lobby: 201', async () => {
      const { room } = await pair(stack);
      assert.equal((await api('POST', path(room))).status, 201);
    });
  });

  test('/healthz, /readyz and /metrics', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await api('GET', path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers['cache-control'], /no-store/);
    }
    const { status, text, headers } = await api('GET', '/metrics');
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/plain; ?version=0\.0\.4/);
    for (const line of text.trimEnd().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) [a-zA-Z_:][\w:]* .+|[a-zA-Z_:][\w:]*(\{[a-zA-Z_]\w*="[^"\n]*"(,[a-zA-Z_]\w*="[^"\n]*")*\})? [-+0-9.eE]+)$/);
    }
    assert.doesNotMatch(text, /eyJ/, 'no token in it');
  });

  test('404 for an address that is none, 405 with Allow for a method that is none', async () => {
    for (const path of ['/api', '/api/', '/api/nothing', '/api/rooms/', '/api/rooms/a/b/c', '/api/devices/d-x']) {
      const answer = await api('GET', path);
      assert.equal(answer.status, 404, path);
    }
    isError(await api('GET', '/api/nothing'), 404, 'not-found');
    for (const [method, path, allowed] of [['POST', '/', 'GET'], ['DELETE', '/api/rooms', 'POST'], ['GET', '/api/rooms', 'POST'], ['PUT', '/api/rooms/x', 'GET'], ['GET', '/api/rooms/x/peers', 'POST'],
      ['GET', '/api/devices/d-x/ring', 'POST'], ['POST', '/healthz', 'GET'], ['PATCH', '/metrics', 'GET'], ['TRACE', '/', 'GET']]) {
      const answer = await api(method, path);
      isError(answer, 405, 'method-not-allowed');
      assert.ok(answer.headers.allow.split(/, */).includes(allowed), `${method} ${path}: Allow: ${answer.headers.allow}`);
    }
  });

  test('what is no HTTP is no harm', async () => {
    const { hostname, port } = new URL(stack.httpUrl);
    const say = (text) => new Promise((resolve) => {
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.end(text));
      socket.on('data', (data) => { answer += data; });
      socket.on('error', () => resolve(answer));
      socket.on('close', () => resolve(answer));
    });
    assert.match(await say('BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^(HTTP\/1\.[01] (405|501|400)|$)/);
    for (const text of ['', 'GET', '\0\0\0\0\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 'POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n']) {
      assert.doesNotMatch(await say(text), /^HTTP\/1\.1 5(?!0[15])/, JSON.stringify(text.slice(0, 40)));
    }
    assert.equal((await api('GET', '/healthz')).status, 200);
  });
});
