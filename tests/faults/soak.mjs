/**
 * Calls at a steady rate, one after the other, each by people who were never here before: nothing of them may stay.
 *
 * Mosquitto 2.0 keeps the name of every topic that ever had a retained message, so that each new room costs it 0.9 KiB for good (2.1 does
 * not). There the calls are in rooms whose names come again, so that everything else shows.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from '../lib/stack.mjs';
import { randomId } from '../lib/jwt.mjs';
import { quantile } from './table.mjs';

const PER_S = 20;
/** More than calls at a time, so that each room is empty when its turn comes. */
const NAMES = 200;
const GRACE_S = 5;
const ROOM_TTL_S = 30;
/** The gate remembers people for two minutes and a grace: until then it has to grow. Then some more, for the allocators. */
const WARM_UP_MS = (120 + GRACE_S + 55) * 1000;
const SAMPLE_MS = 1000;
/** How often it is said how far it has come, in samples. */
const SAY_EVERY = 60;
/** What comes and goes by itself: what an allocator keeps of the busiest moment so far; and some of SQLite's pages, until its log has been through once. */
const NOISE_KIB = 512;
const STORE_NOISE = 64 * 1024;
const PARTS = ['mosquitto', 'roomd', 'httpd'];
const SDP = `v=0\r\n${'a=candidate:1 1 UDP 2114977791 192.0.2.2 35808 typ host\r\n'.repeat(40)}`;
const SHORT = { timeout: 15_000 };

/** One call from the first click to the last: a room, two who join, offer, answer, candidates, one hangs up, both go. */
async function call(stack, name) {
  const { status, json, text } = await stack.http('POST', '/api/rooms', { body: name ? { room_id: name } : {} });
  if (status !== 200 && status !== 201) throw new Error(`POST /api/rooms: ${status} ${text}`);
  const room = json.room_id;
  const [ada, bob] = await Promise.all(['Ada', 'Bob'].map((name) => stack.peer(room, { name, transport: 'ws', version: 5, session: randomId() })));
  try {
    await ada.join();
    await bob.join();
    await ada.tell(bob, 'offer', { sdp: SDP });
    await bob.tell(ada, 'answer', { sdp: SDP });
    for (const [from, to] of [[ada, bob], [bob, ada], [ada, bob], [bob, ada]]) await from.tell(to, 'candidate', { candidates: [{ candidate: 'candidate:1', sdpMid: '0' }], done: false });
    await ada.next(/answer/, SHORT.timeout);
    await bob.cut();
    await ada.next('cut-the-call', SHORT.timeout);
    await ada.cut();
  } finally {
    await Promise.all([ada, bob].map((peer) => peer.client.end()));
    stack.clients.length = 0;
  }
}

/** What a part holds now. */
function sample(stack) {
  const parts = PARTS.map((part) => {
    const pid = stack.pid(part);
    const kib = Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
    return { part, kib, fds: readdirSync(`/proc/${pid}/fd`).length };
  });
  const store = readdirSync(stack.stateDir).filter((name) => name.startsWith('roomd.sqlite')).reduce((sum, name) => sum + statSync(join(stack.stateDir, name)).size, 0);
  return { parts, store };
}

/** @param {number} minutes with the warm-up @returns {Promise<import('./table.mjs').Row[]>} */
export async function soak(minutes) {
  const stack = new Stack({ config: { rooms: { grace_s: GRACE_S, room_ttl_s: ROOM_TTL_S } } });
  await stack.start();
  await stack.observer.end(); // it keeps what it hears
  const keepsNames = stack.log.some((line) => /mosquitto version 2\.0\./.test(line));
  const names = Array.from({ length: keepsNames ? NAMES : 0 }, (_, i) => `soak-${i}`); // those that are free
  let begun = 0;
  let done = 0;
  const failures = [];
  const start = performance.now();
  const end = start + minutes * 60_000;
  const running = new Set();
  const samples = [];
  const sampler = setInterval(() => {
    if (performance.now() - start < WARM_UP_MS) return;
    const now = { done, ...sample(stack) };
    samples.push(now);
    if (samples.length % SAY_EVERY === 1) console.error(`faults: soak: ${done} calls, KiB ${now.parts.map(({ part, kib }) => `${part} ${kib}`).join(', ')}, store ${now.store} bytes`);
  }, SAMPLE_MS);
  while (performance.now() < end) {
    const due = Math.floor((performance.now() - start) / 1000 * PER_S);
    for (; begun < due && running.size < 4 * PER_S; begun++) {
      const name = names.shift();
      const one = call(stack, name).then(() => done++, (error) => failures.push(error)).finally(() => {
        running.delete(one);
        if (name) names.push(name);
      });
      running.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 / PER_S));
  }
  clearInterval(sampler);
  await Promise.all(running);
  await stack.stop();

  // The least of each third: what an allocator holds for a moment is not what stays.
  const third = Math.floor(samples.length / 3);
  const [early, late] = [samples.slice(0, third), samples.slice(-third)];
  const least = (some, read) => Math.min(...some.map(read));
  const calls = quantile(late.map((one) => one.done), 0.5) - quantile(early.map((one) => one.done), 0.5);
  const growth = PARTS.map((_, i) => least(late, ({ parts }) => parts[i].kib) - least(early, ({ parts }) => parts[i].kib));
  const fds = PARTS.map((_, i) => least(late, ({ parts }) => parts[i].fds) - least(early, ({ parts }) => parts[i].fds));
  const store = least(late, (one) => one.store) - least(early, (one) => one.store);
  for (const error of failures.slice(0, 3)) console.error(error);
  return [{
    fault: `${minutes} minutes of calls, ${PER_S} a second${keepsNames ? ` (${NAMES} names of rooms)` : ''}`, points: done, must: `≤ 1 KiB of memory per 1,000 calls in each part (and ${NOISE_KIB} KiB of an allocator's own), descriptors and store flat`,
    seen: `${failures.length} failed; KiB more after ${Math.round(calls)} calls: ${PARTS.map((part, i) => `${part} ${growth[i]}`).join(', ')}; descriptors more ${fds.join(', ')}; store ${store} bytes more`,
    holds: failures.length === 0 && growth.every((kib) => kib <= Math.max(NOISE_KIB, calls / 1000)) && fds.every((n) => n <= 0) && store <= STORE_NOISE,
    samples,
  }];
}
