/** Clients that drip, stay silent or do not read: they are gone in time, and nobody else notices them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { bodyFields, rawRequest } from '../lib/raw_http.mjs';
import { useStack } from '../lib/stack.mjs';

const EACH = 100; // five kinds: 500
const GONE_MS = 10_000; // httpd/conns.h cuts at 9 s
const READERS = 100;
const READERS_GONE_MS = 31_000; // an answer has 30 s (httpd/conns.h)
const SEND_BUFFER_MAX = 256 * 1024; // what the kernel makes of httpd/listen.c's 64 KiB, at most
const P99_MS = 200;
const PER_ADDRESS = 2048; // httpd/server.h

/** @param {number[]} times sorted */
const at = (times, share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];

/** Sockets of the server's port, from the kernel's own table: state and bytes that wait to be sent. */
function serverSockets(port) {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1).map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(local))
    .map((columns) => ({ state: columns[3], unsent: parseInt(columns[4].split(':')[0], 16) }));
}

describe('HTTP deadlines', () => {
  const stack = useStack();
  const sockets = new Set();
  after(() => sockets.forEach((socket) => socket.destroy()));

  /** A connection that is watched: when it began and ended, and what it was told. */
  async function open(first, options = {}) {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(stack.httpUrl).port), noDelay: true, ...options });
    const watched = { socket, text: '', began: 0, ended: 0 };
    sockets.add(socket);
    socket.on('error', () => {}); // a reset is an end too
    socket.on('close', () => {
      watched.ended = performance.now();
      sockets.delete(socket);
    });
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    watched.began = performance.now();
    if (first) socket.write(first);
    return watched;
  }

  /** Opens `count` and hands each to `then`. */
  const openAll = (count, first, then = (watched) => watched.socket.resume()) => Promise.all(Array.from({ length: count }, async () => {
    const watched = await open(first);
    then(watched);
    return watched;
  }));

  /** One byte of `text` after another, every `ms`, without an end: its last byte again and again. */
  function drip(watched, text, ms) {
    let i = 0;
    const timer = setInterval(() => watched.socket.write(text[Math.min(i++, text.length - 1)]), ms);
    watched.socket.on('close', () => clearInterval(timer)).resume();
  }

  async function metric(name) {
    const { text } = await stack.http('GET', '/metrics');
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)[1]);
  }

  /** What a visitor asks for, again and again while `goOn` says so. @returns {Promise<number[]>} milliseconds, sorted */
  async function visit(goOn) {
    const times = [];
    const timed = async (status, ...request) => {
      const started = performance.now();
      const answer = await stack.http(...request);
      times.push(performance.now() - started);
      assert.equal(answer.status, status, answer.text);
      return answer;
    };
    for (let i = 0; goOn(i); i++) {
      await timed(200, 'GET', '/');
      const { json } = await timed(201, 'POST', '/api/rooms', { body: {} });
      await timed(200, 'GET', json.path);
      await timed(201, 'POST', `/api/rooms/${json.room_id}/peers`);
    }
    return times.sort((a, b) => a - b);
  }

  /** Two people meet and talk. @returns {Promise<number>} milliseconds */
  async function call() {
    const started = performance.now();
    const { ada, bob } = await pair(stack);
    await ada.tell(bob, 'offer');
    await bob.next(`offer/${ada.id}`);
    await bob.tell(ada, 'answer');
    await ada.next(`answer/${bob.id}`);
    await ada.tell(bob, 'candidate');
    await bob.next(`candidate/${ada.id}`);
    return performance.now() - started;
  }

  test(`${5 * EACH} that drip are gone in 10 s, ${READERS} that do not read in 31 s; a visitor's p99 stays below ${P99_MS} ms`, { timeout: 90_000 }, async (t) => {
    const before = await visit((i) => i < 100);
    const cutBefore = await metric('parley_httpd_connections_cut_total');
    const request = rawRequest(stack.httpUrl, 'GET', '/healthz', { close: false });
    const largest = rawRequest(stack.httpUrl, 'GET', '/vendor/mqtt.esm.js', { close: false }).repeat(60); // 16 MB of answers
    const readers = await openAll(READERS, largest, (watched) => watched.socket.pause());
    const drippers = (await Promise.all([
      openAll(EACH, ''),
      openAll(EACH, request), // answered, and silent from then on
      openAll(EACH, '', (watched) => drip(watched, `GET /${'a'.repeat(500)}`, 100)),
      openAll(EACH, request.slice(0, -2), (watched) => {
        const timer = setInterval(() => watched.socket.write('X-Drip: y\r\n'), 1000);
        watched.socket.on('close', () => clearInterval(timer)).resume();
      }),
      openAll(EACH, rawRequest(stack.httpUrl, 'POST', '/api/rooms', { fields: bodyFields('x'.repeat(4000)), close: false }), (watched) => drip(watched, 'x', 100)),
    ])).flat();
    assert.ok(await metric('parley_httpd_connections') >= drippers.length + READERS, 'all are in at once');

    const isDripping = () => drippers.some((watched) => !watched.ended);
    const late = performance.now() + GONE_MS + 3000;
    const [during, callMs] = await Promise.all([visit(() => isDripping() && performance.now() < late), call()]);
    const lives = drippers.map((watched) => (watched.ended || Infinity) - watched.began).sort((a, b) => a - b);
    t.diagnostic(`drippers lived ${(lives[0] / 1000).toFixed(1)} to ${(lives.at(-1) / 1000).toFixed(1)} s; a call was set up in ${callMs.toFixed(0)} ms meanwhile`);
    t.diagnostic(`a visitor before: p50 ${at(before, 0.5).toFixed(1)} ms, p99 ${at(before, 0.99).toFixed(1)} ms (${before.length}); during: p50 ${at(during, 0.5).toFixed(1)} ms, p99 ${at(during, 0.99).toFixed(1)} ms (${during.length}), p99 ratio ${(at(during, 0.99) / at(before, 0.99)).toFixed(1)}`);
    assert.ok(lives.at(-1) <= GONE_MS, `the last dripper lived ${lives.at(-1)} ms`);
    assert.ok(lives[0] > GONE_MS / 2, `${lives[0]} ms: a deadline, and not a refusal`);
    assert.ok(during.length > 100 && at(during, 0.99) < P99_MS, `p99 ${at(during, 0.99)} ms of ${during.length}`);

    const port = Number(new URL(stack.httpUrl).port);
    const unsent = serverSockets(port).map((socket) => socket.unsent).sort((a, b) => a - b);
    assert.ok(unsent.filter((bytes) => bytes > 0).length >= READERS, 'the readers still do not read');
    assert.ok(unsent.at(-1) <= SEND_BUFFER_MAX, `${unsent.at(-1)} bytes wait for one reader`);
    await until(async () => await metric('parley_httpd_connections') <= 1, { timeout: READERS_GONE_MS, every: 100, what: 'the readers to be cut' });
    const readersMs = performance.now() - readers[0].began;
    t.diagnostic(`readers lived ${(readersMs / 1000).toFixed(1)} s and kept ${(unsent.at(-1) / 1024).toFixed(0)} KiB each`);
    assert.ok(readersMs <= READERS_GONE_MS, `readers were cut after ${readersMs} ms`);
    assert.equal(await metric('parley_httpd_connections_cut_total') - cutBefore, drippers.length + READERS);
    await until(() => serverSockets(port).every((socket) => socket.unsent === 0), { what: 'the kernel to drop what nobody reads' });
  });

  test('one address cannot have all connections', { timeout: 60_000 }, async (t) => {
    const others = await Promise.all(Array.from({ length: PER_ADDRESS + 200 }, () => open('', { localAddress: '127.0.0.2' })));
    others.forEach(({ socket }) => socket.resume());
    await until(() => others.filter(({ ended }) => ended > 0).length >= 200, { what: 'those beyond the limit to be refused' });
    const times = await visit((i) => i < 50);
    t.diagnostic(`a visitor beside ${PER_ADDRESS} idle connections: p50 ${at(times, 0.5).toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms`);
    assert.ok(at(times, 0.99) < P99_MS);
    assert.equal(others.filter(({ ended }) => ended === 0).length, PER_ADDRESS);
    others.forEach(({ socket }) => socket.destroy());
    await until(async () => await metric('parley_httpd_connections') <= 1, { what: 'all to be gone' });
  });
});
