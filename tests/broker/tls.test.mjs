/** TLS: who is reached by it, what of it is taken, how a certificate is changed, and what is bound. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect as connectPlain, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { NOT_AUTHORIZED, refused } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { isLoopback, listening } from '../lib/listening.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { root, useStack } from '../lib/stack.mjs';

const PARTS = ['mosquitto', 'roomd', 'httpd'];
const DEADLINE_MS = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'parley-tls-'));
after(() => rmSync(folder, { recursive: true }));

/** A certificate of the test's own. @returns {{cert: Buffer, key: Buffer}} */
function certificate(name, { kind = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], days = 30, names = 'DNS:localhost,IP:127.0.0.1' } = {}) {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  execFileSync('openssl', ['req', '-x509', '-newkey', ...kind, '-nodes', '-keyout', key, '-out', cert, '-subj', `/CN=${name}`,
    '-days', String(days), '-addext', `subjectAltName=${names}`], { stdio: 'pipe' });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

const fingerprint = (pem) => new X509Certificate(pem).fingerprint256;
const portOf = (url) => Number(new URL(url).port);

/** All that a TCP connection says before it ends. */
function say(port, text) {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connectPlain(port, '127.0.0.1', () => socket.end(text));
    socket.on('data', (data) => { answer += data.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

describe('with TLS', () => {
  const stack = useStack({ tls: true });
  const listeners = () => [['HTTPS', stack.httpUrl], ['MQTT over TLS', stack.mqttsUrl], ['MQTT over WebSocket', stack.wsUrl]]
    .map(([name, url]) => ({ name, port: portOf(url) }));

  /** A handshake with what listens on `port`. Rejects when there is none. @returns {Promise<{version: string, shown: string}>} */
  function handshake(port, options = {}) {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', ca: stack.ca, ...options }, () => {
        resolve({ version: socket.getProtocol(), shown: socket.getPeerCertificate().fingerprint256 });
        socket.destroy();
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed in the handshake')));
    });
  }

  /** Puts a certificate where the stack has its own, and tells the parts. */
  function put({ cert, key }) {
    writeFileSync(join(stack.stateDir, 'tls.crt'), cert);
    writeFileSync(join(stack.stateDir, 'tls.key'), key);
    const from = stack.log.length;
    for (const part of ['mosquitto', 'httpd']) stack.signal(part, 'SIGHUP');
    return (...lines) => until(() => lines.every((line) => stack.log.slice(from).some((text) => line.test(text))), { what: lines.join(' and ') });
  }

  const RELOADED = [/ info certificate-reloaded$/, /gate: info certificate-reloaded /];
  const KEPT = [/ error certificate-not-reloaded /, /gate: warn certificate-kept /];

  /** Expects every listener to show `pem` to who comes now. */
  async function allShow(pem, options) {
    for (const { name, port } of listeners()) assert.equal((await handshake(port, options)).shown, fingerprint(pem), name);
  }

  for (const transport of ['ws', 'tls']) {
    test(`a call is set up over ${transport === 'ws' ? 'WebSocket' : 'TCP'} with TLS, by the name of the host`, async () => {
      const { ada, bob } = await pair(stack, { transport });
      await bob.tell(ada, 'offer');
      await ada.next(`offer/${bob.id}`);
      const device = await stack.device(randomId('d-'), { transport });
      await refused(device.subscribe('#'), NOT_AUTHORIZED, 'the gate stands here, too');
    });
  }

  test('nobody who does not trust the certificate is let down quietly', async () => {
    const stranger = [certificate('stranger').cert];
    for (const { name, port } of listeners()) {
      await assert.rejects(handshake(port, { ca: stranger }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, name);
      await assert.rejects(handshake(port, { servername: 'elsewhere.example' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, name);
    }
  });

  test('TLS 1.2 and 1.3 are taken, 1.1 is not', async () => {
    for (const { name, port } of listeners()) {
      for (const version of ['TLSv1.2', 'TLSv1.3']) {
        assert.equal((await handshake(port, { minVersion: version, maxVersion: version })).version, version, name);
      }
      // A client that would do anything for it; the broker says why not, libmicrohttpd just ends.
      const old = handshake(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' });
      await assert.rejects(old, name === 'HTTPS' ? undefined : { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' }, name);
    }
  });

  test('addresses are those of TLS', async () => {
    const room = await stack.room();
    const created = await stack.http('POST', '/api/rooms', { body: {}, headers: { Origin: stack.httpUrl } });
    assert.equal(created.json.url, `${stack.httpUrl}/r/${created.json.room_id}/`);
    assert.match(created.json.url, /^https:/);
    const { json } = await stack.http('POST', `/api/rooms/${room}/peers`);
    assert.equal(new URL(json.mqtt.url).href, stack.wsUrl);
    const page = await stack.http('GET', '/');
    assert.match(page.headers['content-security-policy'], new RegExp(`connect-src 'self' wss://127\\.0\\.0\\.1:${portOf(stack.wsUrl)};`));
    const plain = await stack.http('POST', '/api/rooms', { body: {}, headers: { Origin: stack.httpUrl.replace('https', 'http') } });
    assert.equal(plain.status, 403);
  });

  test('every answer says that it is HTTPS from now on', async () => {
    const requests = [['GET', '/'], ['HEAD', '/'], ['GET', '/nothing'], ['GET', '/api/nothing'], ['GET', '/healthz'], ['GET', '/readyz'], ['GET', '/metrics'],
      ['POST', '/'], ['POST', '/api/rooms', { raw: '{' }],
      ['POST', '/api/rooms', { raw: '{}', headers: { 'Transfer-Encoding': 'chunked', 'Content-Length': '2' } }], ['GET', `/r/${randomId()}`]];
    for (const [method, path, options] of requests) {
      const { headers, status } = await stack.http(method, path, options);
      assert.equal(headers['strict-transport-security'], 'max-age=31536000', `${method} ${path}: ${status}`);
    }
  });

  test('what comes in one record is answered at once, however large', async () => {
    // libmicrohttpd reads less than a record at a time: the rest waits in GnuTLS, where no poll sees it.
    const request = (filler) => `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Filler: ${'x'.repeat(filler)}\r\n\r\n`;
    const socket = connect({ port: portOf(stack.httpUrl), host: '127.0.0.1', ca: stack.ca });
    let answer = '';
    socket.on('data', (data) => { answer += data; });
    const started = performance.now();
    socket.write(request(15_000) + request(1).repeat(10));
    await until(() => answer.split('HTTP/1.1 200 ').length === 12, { timeout: 2000, what: `11 answers, had ${answer.split('HTTP/1.1 200 ').length - 1}` });
    assert.ok(performance.now() - started < 1000);
    socket.destroy();
  });

  test('what is no TLS is no harm', async () => {
    for (const { port } of listeners()) {
      for (const text of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0', '\x16\x03\x01\xff\xff', '\0'.repeat(4096), '']) {
        assert.doesNotMatch(await say(port, Buffer.from(text, 'latin1')), /HTTP|^\x20/);
      }
    }
    for (const { name, port } of listeners()) assert.ok(await handshake(port), name);
    const { ada, bob } = await pair(stack);
    await bob.tell(ada, 'offer');
    await ada.next(`offer/${bob.id}`);
  });

  test('whoever drips in the handshake is gone in 10 s, and others do not notice', { timeout: 60_000 }, async () => {
    const port = portOf(stack.httpUrl);
    const hello = Buffer.from('16030100f8010000f40303', 'hex');
    const drips = [];
    const gone = Array.from({ length: 90 }, (_, i) => new Promise((resolve) => {
      const started = performance.now();
      // A third says nothing, a third drips its hello, a third drips its request.
      const socket = i % 3 === 2 ? connect({ port, host: '127.0.0.1', ca: stack.ca }) : connectPlain(port, '127.0.0.1');
      let sent = 0;
      if (i % 3 > 0) drips.push(setInterval(() => socket.writable && socket.write(i % 3 === 1 ? hello.subarray(sent % 11, ++sent % 11 || 11) : 'G'), 500));
      socket.on('error', () => {});
      socket.on('close', () => resolve(performance.now() - started));
      socket.resume();
    }));
    try {
      let all;
      Promise.all(gone).then((times) => { all = times; });
      const waits = [];
      await until(async () => {
        const asked = performance.now();
        assert.equal((await stack.http('GET', '/healthz')).status, 200);
        waits.push(performance.now() - asked);
        return all;
      }, { timeout: DEADLINE_MS + 5000, every: 50, what: 'all of them to be gone' });
      assert.ok(Math.max(...all) < DEADLINE_MS, `the last after ${Math.max(...all)} ms`);
      waits.sort((a, b) => a - b);
      assert.ok(waits[Math.floor(waits.length * 0.95)] < 200, `p95 of others: ${waits[Math.floor(waits.length * 0.95)]} ms`);
    } finally {
      drips.forEach(clearInterval);
    }
  });

  test('SIGHUP: who comes sees the new certificate, who is there stays', async () => {
    const before = readFileSync(join(stack.stateDir, 'tls.crt'));
    const [browsers, devices] = [await pair(stack, { transport: 'ws' }), await pair(stack, { transport: 'tls' })];
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const kept = { agent, ca: [...stack.ca] };
    const sockets = new Set();
    agent.on('free', (socket) => sockets.add(socket));
    await stack.http('GET', '/healthz', kept);
    await allShow(before);

    // Another kind of key, so that a listener cannot have both.
    const next = certificate('next', { kind: ['rsa:2048'] });
    stack.ca.push(next.cert);
    stack.signal('roomd', 'SIGSTOP');
    const waiting = stack.http('POST', '/api/rooms', { body: {} });
    try {
      await put(next)(...RELOADED);
    } finally {
      stack.signal('roomd', 'SIGCONT');
    }
    assert.equal((await waiting).status, 201, 'a request that waited for its answer');
    await allShow(next.cert);
    for (const version of ['TLSv1.2', 'TLSv1.3']) await allShow(next.cert, { minVersion: version, maxVersion: version });

    assert.equal((await stack.http('GET', '/healthz', kept)).status, 200);
    assert.equal(sockets.size, 1, 'the same connection');
    assert.equal([...sockets][0].getPeerCertificate().fingerprint256, fingerprint(before));
    agent.destroy();
    for (const { ada, bob } of [browsers, devices]) {
      assert.deepEqual([ada.client.closed, bob.client.closed], [false, false]);
      await bob.tell(ada, 'offer');
      await ada.next(`offer/${bob.id}`);
    }
    await pair(stack, { transport: 'ws' });
    await pair(stack, { transport: 'tls' });
  });

  test('a certificate that is not right changes nothing', async () => {
    const good = certificate('good');
    stack.ca.push(good.cert);
    await put(good)(...RELOADED);
    const { ada, bob } = await pair(stack, { transport: 'ws' });
    const bad = { mismatched: { ...good, cert: certificate('other').cert }, 'no certificate': { ...good, cert: Buffer.from('nothing') },
      'no key': { ...good, key: Buffer.from('nothing') }, 'cut off': { ...good, cert: good.cert.subarray(0, good.cert.length / 2) }, empty: { cert: '', key: '' } };
    for (const [what, files] of Object.entries(bad)) {
      await put(files)(...KEPT);
      for (const { name, port } of listeners()) assert.equal((await handshake(port)).shown, fingerprint(good.cert), `${name}: ${what}`);
    }
    chmodSync(join(stack.stateDir, 'tls.key'), 0o644);
    await put(good)(...KEPT);
    chmodSync(join(stack.stateDir, 'tls.key'), 0o600);
    await put(good)(...RELOADED);
    await bob.tell(ada, 'offer');
    await ada.next(`offer/${bob.id}`);
    assert.ok(!stack.log.some((line) => line.includes('PRIVATE KEY')));
  });

  test('only what is public is bound elsewhere than on loopback', () => {
    const bound = Object.fromEntries(PARTS.map((part) => [part, listening(stack.pid(part))]));
    const open = Object.fromEntries(PARTS.map((part) => [part,
      bound[part].filter(({ address }) => !isLoopback(address)).map(({ port }) => port).sort((a, b) => a - b)]));
    const expected = [stack.wsUrl, stack.mqttsUrl].map(portOf).sort((a, b) => a - b);
    assert.deepEqual(open, { mosquitto: expected, roomd: [], httpd: [portOf(stack.httpUrl)] });
    const inner = bound.mosquitto.filter(({ address }) => isLoopback(address)).map(({ port }) => port);
    assert.deepEqual(inner, [portOf(stack.mqttUrl)]);
  });
});

describe('without TLS', () => {
  const stack = useStack();

  test('everything is bound to loopback', () => {
    const bound = PARTS.map((part) => listening(stack.pid(part)));
    assert.deepEqual(bound.map((sockets) => sockets.length), [2, 0, 1]);
    for (const { address, port } of bound.flat()) assert.ok(isLoopback(address), `${address} port ${port}`);
  });

  test('no answer speaks of HTTPS', async () => {
    for (const path of ['/', '/healthz', '/nothing']) assert.equal((await stack.http('GET', path)).headers['strict-transport-security'], undefined);
  });
});

describe('behind a proxy that speaks HTTPS', () => {
  const stack = useStack({ config: { http: { public_url: 'https://calls.example' } } });

  test('every answer says that it is HTTPS from now on', async () => {
    for (const path of ['/', '/healthz', '/nothing']) assert.equal((await stack.http('GET', path)).headers['strict-transport-security'], 'max-age=31536000');
  });
});

describe('the certificate that ./parley run --tls makes', () => {
  const state = join(folder, 'state');
  const [cert, key] = [join(state, 'tls.crt'), join(state, 'tls.key')];
  // A port that is taken: it makes the certificate, says so, and ends.
  const taken = createServer().listen(0, '127.0.0.1');
  after(() => taken.close());

  async function run() {
    await assert.rejects(promisify(execFile)('./parley', ['run', '--tls', '--state-dir', state, '--http-port', String(taken.address().port)], { cwd: root }),
      (error) => /port \d+ \(--http-port\) is taken/.test(error.stderr));
    return new X509Certificate(readFileSync(cert));
  }

  test('is for every address of this machine, and for its owner\'s eyes', async () => {
    const made = await run();
    assert.ok(made.checkHost('localhost'));
    const addresses = Object.values(networkInterfaces()).flat().map(({ address }) => address).filter((address) => !address.startsWith('fe80:'));
    for (const address of ['127.0.0.1', '::1', ...addresses]) assert.ok(made.checkIP(address), address);
    assert.ok(!made.ca, 'it signs nothing but itself');
    assert.ok(made.checkPrivateKey(createPrivateKey(readFileSync(key))));
    assert.equal(made.publicKey.asymmetricKeyDetails.namedCurve, 'prime256v1');
    assert.equal(statSync(key).mode & 0o777, 0o600);
  });

  test('stays, until it ends within a week or does not name an address', async () => {
    const first = await run();
    assert.equal((await run()).fingerprint256, first.fingerprint256);
    const names = first.subjectAltName.replaceAll('IP Address', 'IP').replaceAll(' ', '');
    const put = (files) => [writeFileSync(cert, files.cert), writeFileSync(key, files.key), fingerprint(files.cert)][2];
    const fits = put(certificate('fits', { names, days: 9 }));
    assert.equal((await run()).fingerprint256, fits, 'nine days are enough');
    const ending = put(certificate('ending', { names, days: 6 }));
    assert.notEqual((await run()).fingerprint256, ending);
    const elsewhere = put(certificate('elsewhere', { names: names.replace(/IP:(?!127|0:|::1)[^,]+/, 'IP:192.0.2.99') }));
    assert.notEqual((await run()).fingerprint256, elsewhere);
    rmSync(key);
    await run();
    assert.ok(statSync(key).size > 0);
  });
});
