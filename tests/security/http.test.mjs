/** HTTP against whoever writes it by hand: what is refused, what every answer carries, and that nothing outside the page is served. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, before, describe, test } from 'node:test';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { bodyFields, rawRequest, sayRaw } from '../lib/raw_http.mjs';
import { root, useStack } from '../lib/stack.mjs';

const WEB = join(process.env.PARLEY_BUILD_DIR ?? join(root, 'build'), 'web');
const RECEIVE_MS = 9000; // httpd/conns.h: an end before that is no deadline's
const BODY_MAX = 4096;
const DRAIN_MAX = 1024 * 1024;

/** Holds the answers of one `describe` to what holds for all: nothing breaks, nobody sets a cookie or opens itself to other origins. */
function useRaw(stack) {
  let pid;
  const statuses = new Set();
  before(() => { pid = stack.pid('httpd'); });
  afterEach(async () => {
    const broken = [...statuses].filter((status) => status >= 500 && status !== 503);
    assert.deepEqual(broken, [], 'statuses of a defect');
    assert.equal((await stack.http('GET', '/healthz')).status, 200);
    assert.equal(stack.pid('httpd'), pid, 'httpd was started again');
  });
  return async (bytes, options) => {
    const answer = await sayRaw(stack.httpUrl, bytes, { timeout: RECEIVE_MS - 2000, ...options });
    statuses.add(answer.status);
    for (const [name] of answer.fields) assert.doesNotMatch(name, /^(set-cookie|access-control-.*|server|x-powered-by)$/, answer.text);
    return answer;
  };
}

/** Every policy of an answer, held to the strictest that its kind can do with. */
function isGuarded(answer, what, wsUrl) {
  const only = (name) => {
    const values = answer.fields.filter(([key]) => key === name).map(([, value]) => value);
    assert.equal(values.length, 1, `${what}: ${name} is there ${values.length} times`);
    return values[0];
  };
  const policy = new Map(only('content-security-policy').split(';').map((text) => text.trim().split(/\s+/)).map(([name, ...sources]) => [name, sources]));
  for (const [name, sources] of policy) {
    for (const source of sources) {
      assert.match(source, /^('none'|'self'|data:|blob:|ws:\/\/127\.0\.0\.1:\d+)$/, `${what}: ${name} ${source}`);
      if (source === 'data:') assert.equal(name, 'img-src', what);
      if (source === 'blob:') assert.match(name, /^(worker|media)-src$/, what);
      if (source.startsWith('ws:')) assert.deepEqual([name, `${source}/`], ['connect-src', wsUrl], what);
    }
  }
  for (const name of ['default-src', 'base-uri', 'frame-ancestors']) assert.deepEqual(policy.get(name), ["'none'"], `${what}: ${name}`);
  assert.match(policy.get('form-action').join(' '), /^'(none|self)'$/, what);
  const permissions = only('permissions-policy');
  for (const feature of ['camera', 'microphone', 'display-capture']) assert.ok(permissions.includes(`${feature}=(self)`), `${what}: ${feature}`);
  for (const feature of ['geolocation', 'payment', 'usb']) assert.ok(permissions.includes(`${feature}=()`), `${what}: ${feature}`);
  assert.doesNotMatch(permissions, /\*/, what);
  assert.equal(only('x-content-type-options'), 'nosniff', what);
  assert.equal(only('referrer-policy'), 'no-referrer', what);
  assert.equal(only('cross-origin-opener-policy'), 'same-origin', what);
  assert.equal(only('cross-origin-resource-policy'), 'same-origin', what);
  only('cache-control');
}

/** All files below a folder. */
const filesOf = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? filesOf(join(folder, entry.name)) : [join(folder, entry.name)]));

describe('HTTP by hand', () => {
  const stack = useStack();
  const say = useRaw(stack);
  const ask = (method, target, options) => say(rawRequest(stack.httpUrl, method, target, options));
  const post = (target, body, fields = []) => ask('POST', target, { fields: [...bodyFields(body), ...fields], body });

  describe('caps', () => {
    test('a header block: 16 KiB pass, more than 32 are 431, and the end', async () => {
      assert.equal((await ask('GET', '/healthz', { fields: [['X', 'a'.repeat(16_000)]] })).status, 200);
      for (const fields of [[['X', 'a'.repeat(40_000)]], [['X'.repeat(40_000), 'a']], Array.from({ length: 10_000 }, (_, i) => [`X-${i}`, 'y'])]) {
        assert.equal((await ask('GET', '/', { fields, close: false })).status, 431);
      }
      // As much as the kernel takes at once: whoever still writes into the end may lose the answer.
      assert.equal((await say(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(8_000)}`)).status, 431);
    });

    test('a request line: 16 KiB are one, more than 32 are 414, and the end', async () => {
      assert.equal((await ask('GET', `/${'a'.repeat(16_000)}`)).status, 404);
      for (const bytes of [rawRequest(stack.httpUrl, 'GET', `/${'a'.repeat(40_000)}`, { close: false }), `GET /${'a'.repeat(50_000)}`, 'A'.repeat(50_000)]) {
        assert.match(String((await say(bytes)).status), /^4(14|31)$/);
      }
    });

    test('200 times 10,000 headers slow nobody down', async (t) => {
      const bytes = Buffer.from(rawRequest(stack.httpUrl, 'GET', '/', { fields: Array.from({ length: 10_000 }, (_, n) => [`X-${n}`, 'y']), close: false }));
      let over = false;
      const attack = Promise.all(Array.from({ length: 10 }, async () => {
        for (let i = 0; i < 20; i++) assert.equal((await say(bytes)).status, 431);
      })).finally(() => { over = true; });
      const times = [];
      const visit = (async () => {
        while (!over || times.length < 20) {
          const started = performance.now();
          assert.equal((await stack.http('GET', '/')).status, 200);
          times.push(performance.now() - started);
        }
      })();
      await Promise.all([attack, visit]);
      times.sort((a, b) => a - b);
      const slowest = times.at(-1);
      t.diagnostic(`${times.length} visits meanwhile: p50 ${times[times.length >> 1].toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`);
      assert.ok(slowest < 200, `${slowest} ms`);
    });

    test('a body: 4,096 bytes pass, one more is 413, however it is sent', async () => {
      const sized = (size) => `{"x":"${'x'.repeat(size - 8)}"}`;
      const chunked = (chunk, times) => ({ fields: [['Content-Type', 'application/json'], ['Transfer-Encoding', 'chunked']],
        body: `${`${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(times)}0\r\n\r\n` });
      assert.equal((await post('/api/rooms', sized(BODY_MAX))).status, 201);
      assert.equal((await post('/api/rooms', sized(BODY_MAX + 1))).status, 413);
      assert.equal((await ask('POST', '/api/rooms', chunked(sized(BODY_MAX), 1))).status, 201);
      assert.equal((await ask('POST', '/api/rooms', chunked(sized(BODY_MAX + 1), 1))).status, 413);
      assert.equal((await ask('POST', '/api/rooms', chunked(' ', BODY_MAX + 1))).status, 413);
      assert.equal((await ask('POST', `/api/rooms/${await stack.room()}/peers`, chunked(sized(BODY_MAX + 1), 1))).status, 413);
    });

    test('a body beyond 1 MiB is not read: 413 at once when it is announced, else the end', async () => {
      const announced = [...bodyFields(''), ['Expect', '100-continue']].map(([name, value]) => [name, name === 'Content-Length' ? String(DRAIN_MAX + 1) : value]);
      const answer = await ask('POST', '/api/rooms', { fields: announced, close: false });
      assert.deepEqual([answer.status, answer.text.includes('100 Continue')], [413, false]);
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const endless = await ask('POST', '/api/rooms', { fields: [['Content-Type', 'application/json'], ['Transfer-Encoding', 'chunked']], body: chunk.repeat(40), close: false });
      assert.equal(endless.status, 0);
    });
  });

  test('a length told twice, in no number or in no coding is 400 and the end; what follows is no request', async () => {
    const length = ['Content-Length', '2'];
    const chunked = ['Transfer-Encoding', 'chunked'];
    const next = rawRequest(stack.httpUrl, 'GET', '/healthz');
    for (const fields of [[length, length], [length, ['Content-Length', '3']], [['Content-Length', '2, 2']], [length, chunked], [chunked, length], [chunked, chunked],
      [['Transfer-Encoding', 'gzip']], [['Transfer-Encoding', 'gzip, chunked']], [['Transfer-Encoding', 'xchunked']], [['Transfer-Encoding', 'identity']], [['Transfer-Encoding', 'chunked\0']],
      [['Content-Length', '-1']], [['Content-Length', '+2']], [['Content-Length', '0x2']], [['Content-Length', '']], [['Content-Length', '2\0']],
      [['Content-Length ', '2']], [['Transfer-Encoding\t', 'chunked']], [['X', 'y\r\n Content-Length: 2']], [['X', '\r\n\tfolded']], [['X y', 'z']], [['X', 'a\0b']], [['(X)', 'y']],
    ]) {
      for (const target of ['/api/rooms', '/nothing']) {
        for (const behind of [[], [['Y', 'z']]]) { // a bad field ends the block, or another stands behind it
          const all = [['Content-Type', 'application/json'], ...fields, ...behind];
          const answer = await say(rawRequest(stack.httpUrl, 'POST', target, { fields: all, body: `0\r\n\r\n${next}`, close: false }));
          assert.equal(answer.status, 400, `${target} ${JSON.stringify(all)}`);
          assert.doesNotMatch(answer.text, /alive/, `a second request out of ${JSON.stringify(all)}`);
        }
      }
    }
    for (const size of ['zz', '-1', '', '0x2', '1ffffffffffffffff']) {
      const answer = await ask('POST', '/api/rooms', { fields: [['Content-Type', 'application/json'], chunked], body: `${size}\r\n{}\r\n0\r\n\r\n${next}`, close: false });
      assert.match(String(answer.status), /^(400|413|0)$/, `a chunk of ${size}`);
      assert.doesNotMatch(answer.text, /alive/);
    }
  });

  test('methods: 405 with all that are allowed; nothing is echoed, nothing is opened to other origins', async () => {
    const room = await stack.room();
    const both = 'GET, HEAD';
    for (const [target, allow] of [['/', both], [`/r/${room}/`, both], [`/r/${room}`, both], ['/api/rooms', 'POST'], [`/api/rooms/${room}`, both], [`/api/rooms/${room}/peers`, 'POST'],
      ['/api/devices/d-x/ring', 'POST'], ['/healthz', both], ['/readyz', both], ['/metrics', both], ['/js/index.js', both]]) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'get', 'BREW', 'G'.repeat(5000)]) {
        if (allow.split(', ').includes(method)) continue;
        const answer = await ask(method, target, { fields: [['X-Echo', 'canary'], ['Access-Control-Request-Method', 'POST'], ['Origin', stack.httpUrl]] });
        assert.deepEqual([answer.status, answer.header('allow')], [405, allow], `${method.slice(0, 9)} ${target}`);
        assert.doesNotMatch(answer.text, /canary/);
      }
    }
  });

  test('a body that is not application/json is 415', async () => {
    const operator = ['Authorization', `Bearer ${await stack.token('operator', 'o-x')}`];
    for (const target of ['/api/rooms', `/api/rooms/${await stack.room()}/peers`, '/api/devices/d-x/ring']) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'application/json, text/plain', 'text/plain; application/json', 'json', '']) {
        const answer = await ask('POST', target, { fields: [...bodyFields('{}', type), operator], body: '{}' });
        assert.equal(answer.status, 415, `${target} ${type}`);
      }
    }
  });

  describe('Origin', () => {
    /** What others could send; `host` is ours. */
    const foreign = (host, port) => ['null', '', 'http://evil.example', `https://${host}`, `ws://${host}`, `http://127.0.0.1:${port + 1}`, 'http://127.0.0.1', `http://localhost:${port}`,
      `http://${host}.evil.example`, `http://evil.example/${host}`, `http://${host}@evil.example`, `http://user@${host}`, `http://evil${host}`, `http://${host}/`, `http://${host}.`, `http://127.0.0.1.:${port}`,
      `HTTP://${host}`, ` http://${host} http://evil.example`, `http://${host}, http://evil.example`, `http://${host}0`, `http://[::ffff:127.0.0.1]:${port}`, `http://2130706433:${port}`, `//${host}`, host, '*'];

    test('another one is 403 wherever a browser writes, and nothing is made', async () => {
      const { host, port } = new URL(stack.httpUrl);
      const room = await stack.room();
      const operator = ['Authorization', `Bearer ${await stack.token('operator', 'o-x')}`];
      for (const origin of foreign(host, Number(port))) {
        const wanted = randomId('forged-');
        const made = await post('/api/rooms', JSON.stringify({ room_id: wanted }), [['Origin', origin]]);
        assert.deepEqual([made.status, JSON.parse(made.body).error], [403, 'forbidden'], origin);
        assert.equal((await stack.http('GET', `/api/rooms/${wanted}`)).status, 404, origin);
        const peer = await ask('POST', `/api/rooms/${room}/peers`, { fields: [['Origin', origin], ['Content-Length', '0']] });
        assert.equal(peer.status, 403, origin);
        assert.doesNotMatch(peer.body, /eyJ/);
        assert.equal((await post('/api/devices/d-x/ring', '{}', [operator, ['Origin', origin]])).status, 403, origin);
      }
    });

    test('two are 403, even of our own; our own is fine, and none', async () => {
      const own = ['Origin', stack.httpUrl];
      for (const origins of [[own, own], [own, ['Origin', 'http://evil.example']], [['origin', 'null'], own]]) assert.equal((await post('/api/rooms', '{}', origins)).status, 403);
      assert.equal((await post('/api/rooms', '{}', [['Origin', `${stack.httpUrl}\0.evil.example`]])).status, 400);
      for (const origins of [[own], []]) {
        assert.equal((await post('/api/rooms', '{}', origins)).status, 201);
        assert.equal((await ask('POST', `/api/rooms/${await stack.room()}/peers`, { fields: [...origins, ['Content-Length', '0']] })).status, 201);
      }
    });
  });

  describe('paths', () => {
    const passwd = 'etc/passwd';
    const targets = [
      `/../${passwd}`, `/../../../../../../${passwd}`, `/..%2f..%2f${passwd}`, `/%2e%2e/${passwd}`, `/%2e%2e%2f${passwd}`, `/.%2e/${passwd}`, `/%2E./${passwd}`, `//${passwd}`, `///${passwd}`, `/./${passwd}`,
      `/.//..//${passwd}`, `/js/../../../../${passwd}`, `/js/%2e%2e/%2e%2e/${passwd}`, '/js/../index.html', '/js/%2e%2e/index.html', '/js/./index.js', '/js//index.js', '/js%2findex.js', '/js%2Findex.js', '/%2fjs/index.js', '/js/index.js/', '/js/index.js/..',
      `/..%5c..%5c${passwd}`, `/..\\..\\${passwd}`, '/js\\index.js', '/js%5cindex.js', `/%c0%ae%c0%ae/${passwd}`, `/%c0%af${passwd}`, `/%e0%80%ae%e0%80%ae/${passwd}`, `/\xc0\xae\xc0\xae/${passwd}`, `/%252e%252e/${passwd}`, `/%252e%252e%252f${passwd}`,
      `/%25%32%65%25%32%65/${passwd}`, `/%uff0e%uff0e/${passwd}`, `/..;/${passwd}`, `/..%00/${passwd}`, '/%00', '/index.html%00', '/js/index.js%00.html', '/index.html%00/../../parley.conf', '/\0', '/index.html\0', '/index.html%0d%0aX-Injected:%20yes', '/%0a', '/%7f', '/%', '/%2', '/%zz', '/index.html%',
      '/r/../index.html', '/r/%2e%2e/', '/r/%2e%2e', '/r/./', '/r/a%2fb/', '/r/a%2Fb', '/r/a%00b/', '/r//', '/r/a//', '/r/a/../b/', '/r/a/b/', '/r/a%5cb/', '/r/..%2f/', '/api/rooms/..', '/api/rooms/a%2fpeers', '/api/../healthz', '/api/rooms/%2e%2e/', '//api/rooms/x', '/API/rooms/x',
      '*', '', 'js/index.js', `../${passwd}`, `file:///${passwd}`, `http://evil.example/${passwd}`, 'http:/healthz', '@evil.example/', '/?/../..', `/js/index.js%3f/../${passwd}`, '/index.js', '/css/index.js', '/js/js/index.js', '/x/index.html', '/~root/', '/.git/config', '/.htaccess', '/CMakeLists.txt', '/index', '/index.html.gz', '/js/', '/js', '/css', '/proc/self/environ', `/${'../'.repeat(3000)}${passwd}`, `/${'%2e%2e%2f'.repeat(3000)}${passwd}`, `/${'a/'.repeat(8000)}`,
    ];

    test(`${targets.length} ways out of the page lead nowhere`, async () => {
      const main = readFileSync(join(WEB, 'index.html'), 'latin1');
      for (const target of targets) {
        for (const method of ['GET', 'POST']) {
          const answer = await ask(method, target);
          if (target.startsWith('/?')) {
            assert.equal(answer.status, method === 'GET' ? 200 : 405, 'a query is no path');
            continue;
          }
          assert.match(String(answer.status), method === 'GET' ? /^40[04]$/ : /^40[045]$/, `${method} ${JSON.stringify(target.slice(0, 80))}`);
          assert.ok(answer.body === main || answer.header('content-type') === 'application/problem+json' || answer.header('content-type') === undefined, `${target}: ${answer.body.slice(0, 200)}`);
          assert.equal(answer.header('x-injected'), undefined);
          if (/\/(\.|%2e){1,2}(\/|$)/i.test(target) && !/\\|%[^2]|\0/.test(target)) assert.notEqual(answer.body, main, `a way up is no room: ${target.slice(0, 80)}`);
          if (/\0|%00/.test(target)) assert.equal(answer.status, 400, `a NUL: ${JSON.stringify(target)}`);
          if (/%2f/i.test(target) && method === 'GET' && !/%00/.test(target)) assert.equal(answer.status, 404, `an escaped slash is none: ${target.slice(0, 80)}`);
        }
      }
    });

    test('what is served is the page, byte for byte, by any spelling of its names', async () => {
      const files = filesOf(WEB);
      assert.ok(files.length > 10);
      for (const file of files) {
        const path = `/${relative(WEB, file)}`;
        const spelt = path.replace(/[a-z]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
        for (const target of [path, spelt]) {
          const answer = await ask('GET', target);
          assert.equal(answer.status, 200, target);
          assert.ok(Buffer.from(answer.body, 'latin1').equals(readFileSync(file)), target);
        }
      }
    });
  });

  test('every kind of answer carries the policies, whatever its status', async () => {
    const { room } = await pair(stack);
    const free = await stack.room();
    const script = await ask('GET', '/js/index.js');
    const none = ['Content-Length', '0'];
    for (const [status, method, target, options] of [
      [200, 'GET', '/'], [200, 'HEAD', '/'], [200, 'GET', `/r/${room}/`], [200, 'GET', '/js/index.js'], [200, 'GET', '/css/base.css'], [200, 'GET', '/icons/parley.svg'], [200, 'GET', `/api/rooms/${room}`],
      [200, 'GET', '/healthz'], [200, 'GET', '/readyz'], [200, 'GET', '/metrics'], [200, 'GET', '/', { fields: [['Accept-Encoding', 'gzip']] }],
      [200, 'POST', '/api/rooms', { fields: bodyFields(`{"room_id":"${free}"}`), body: `{"room_id":"${free}"}` }], [201, 'POST', '/api/rooms', { fields: [none] }], [201, 'POST', `/api/rooms/${free}/peers`, { fields: [none] }],
      [304, 'GET', '/js/index.js', { fields: [['If-None-Match', script.header('etag')]] }], [304, 'GET', '/', { fields: [['If-None-Match', '*']] }], [308, 'GET', `/r/${room}`],
      [400, 'GET', '/%00'], [400, 'POST', '/api/rooms', { fields: bodyFields('['), body: '[' }], [400, 'GET', '/healthz', { fields: [['X ', 'y']] }], [400, 'GET', '/', { fields: [['Host', 'b']] }],
      [401, 'POST', `/api/rooms/${free}/peers`, { fields: [none, ['Authorization', 'Bearer x']] }], [401, 'POST', '/api/devices/d-x/ring', { fields: [none] }],
      [403, 'POST', '/api/rooms', { fields: [none, ['Origin', 'null']] }], [404, 'GET', '/nothing'], [404, 'GET', '/r/none/'], [404, 'GET', '/api/rooms/none'], [404, 'POST', '/api/rooms/none/peers', { fields: [none] }],
      [405, 'PUT', '/'], [405, 'OPTIONS', '/api/rooms'], [409, 'POST', '/api/rooms', { fields: bodyFields(`{"room_id":"${room}"}`), body: `{"room_id":"${room}"}` }],
      [413, 'POST', '/api/rooms', { fields: bodyFields('x'.repeat(5000)), body: 'x'.repeat(5000) }], [415, 'POST', '/api/rooms', { fields: bodyFields('{}', 'text/plain'), body: '{}' }],
    ]) {
      const answer = await ask(method, target, options);
      assert.equal(answer.status, status, `${method} ${target}: ${answer.text.slice(0, 300)}`);
      isGuarded(answer, `${status} ${method} ${target}`, stack.wsUrl);
    }
    for (const target of ['/', `/r/${room}/`]) {
      const policy = (await ask('GET', target)).header('content-security-policy');
      assert.match(policy, /(^|; )script-src 'self'(;|$)/);
      assert.match(policy, /(^|; )style-src 'self'(;|$)/);
    }
  });

  test("what libmicrohttpd answers itself is a fixed text, and the connection's end", async () => {
    for (const [status, bytes] of [[400, 'GET /canary HTTP/1.1\r\n\r\n'], [400, `GET / HTTP/1.1\r\nHost: x\r\ncanary\r\n\r\n`], [414, `GET /canary${'a'.repeat(40_000)} HTTP/1.1\r\n`],
      [431, `GET / HTTP/1.1\r\nHost: x\r\ncanary: ${'a'.repeat(40_000)}\r\n\r\n`], [413, 'POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\ncanary']]) {
      const answer = await say(bytes);
      assert.equal(answer.status, status, bytes.slice(0, 60));
      assert.doesNotMatch(answer.text, /canary/);
      assert.equal(answer.header('connection'), 'close');
    }
  });
});

describe('HTTP when it is too much', () => {
  const stack = useStack({ config: { limits: { rooms_max: 1 } } });
  const say = useRaw(stack);

  test('429 and 503 carry the policies too', async () => {
    const create = rawRequest(stack.httpUrl, 'POST', '/api/rooms', { fields: [['Content-Length', '0']] });
    await stack.room();
    const full = await say(create);
    assert.deepEqual([full.status, JSON.parse(full.body).error], [429, 'quota']);
    isGuarded(full, '429', stack.wsUrl);
    stack.signal('roomd', 'SIGSTOP');
    try {
      for (const bytes of [create, rawRequest(stack.httpUrl, 'GET', '/readyz')]) {
        const answer = await say(bytes);
        assert.equal(answer.status, 503, answer.text);
        isGuarded(answer, '503', stack.wsUrl);
      }
    } finally {
      stack.signal('roomd', 'SIGCONT');
    }
    await stack.ready();
  });
});
