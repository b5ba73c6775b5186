/** Parts that are killed, and a store that is lost. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { atWork, holdSupervisor } from '../lib/roomds.mjs';
import { until } from '../lib/poll.mjs';
import { pick } from './calls.mjs';
import { repeat, withCalls } from './scene.mjs';
import { times, within } from './table.mjs';

const BACK_MS = 30_000;

/** What was seen of `sum`, in words, and whether nothing was lost. @param {Awaited<ReturnType<typeof repeat>>} sum */
function judged(sum, what, mostMs) {
  const { lost, gap, wrongRooms, intruders } = sum;
  return {
    seen: `${lost} lost, longest gap ${Math.round(gap)} ms, ${intruders} thirds, ${wrongRooms} rooms with others; ${what} ${times(sum.times)}`,
    holds: lost === 0 && within(gap, 1000) && wrongRooms === 0 && intruders === 0 && within(Math.max(...sum.times), mostMs),
  };
}

/** Kills what `parts` names, at once, and knocks. @returns {number} when */
function kill({ stack, calls }, parts) {
  const at = performance.now();
  for (const part of parts) process.kill(stack.pid(part), 'SIGKILL');
  calls.knock();
  setTimeout(() => calls.knock(), Math.random() * 1000);
  return at;
}

/** Until roomd answers again, ms since `at`. */
async function answers(stack, at, epoch) {
  await until(() => online(stack) && epochOf(stack) !== epoch, { timeout: BACK_MS, every: 5, what: 'roomd' });
  await until(async () => (await stack.http('POST', '/api/rooms', { body: { room_id: 'probe' } })).status < 300, { timeout: BACK_MS, every: 5, what: 'an answer' });
  return performance.now() - at;
}

const online = (stack) => stack.observer.seen('roomd/status').at(-1).json.state === 'online';
const epochOf = (stack) => stack.observer.seen('roomd/status').at(-1).json.epoch;

/** @param {number} points */
export async function kills(points) {
  return withCalls({}, async (scene) => {
    const { stack, calls } = scene;
    const rows = [];
    const row = async (fault, must, what, mostMs, point) => {
      rows.push({ fault, points, must, ...judged(await repeat(scene, points, point), what, mostMs) });
    };

    await row('kill -9 broker', '0 lost, gaps ≤ 1 s, all back in 10 s, no third', 'all back', 10_000, async () => {
      const at = kill(scene, ['mosquitto']);
      return (await calls.back(BACK_MS, at)) - at;
    });
    await row('kill -9 roomd', '0 lost, answers in 2 s, the same seats', 'answers', 2_000, async () => {
      const epoch = epochOf(stack);
      const at = kill(scene, ['roomd']);
      const answered = await answers(stack, at, epoch);
      await calls.back(BACK_MS, at);
      return answered;
    });
    await row('kill -9 httpd', '0 lost, pages in 2 s', 'pages', 2_000, async () => {
      const at = kill(scene, ['httpd']);
      await until(async () => (await stack.http('GET', `/r/${pick(calls.pairs).room}/`)).status === 200, { timeout: BACK_MS, every: 5, what: 'a page' });
      return performance.now() - at;
    });
    await row('kill -9 all three', '0 lost, all seats back in 15 s', 'all back', 15_000, async () => {
      const at = kill(scene, ['mosquitto', 'roomd', 'httpd']);
      return (await calls.back(BACK_MS, at)) - at;
    });
    await row('store deleted while roomd is down, strangers first', 'all seats back to their holders, no stranger gets one', 'all back', 15_000, async () => {
      const goOn = holdSupervisor(stack.pid('roomd'));
      const at = performance.now();
      try {
        process.kill(stack.pid('roomd'), 'SIGKILL');
        for (const file of readdirSync(stack.stateDir).filter((name) => name.startsWith('roomd.sqlite'))) rmSync(join(stack.stateDir, file));
        for (const eve of calls.strangers) eve.attendance.join('Eve'); // they wait in roomd's queue, ahead of everybody
        await stack.observer.settle();
      } finally {
        goOn();
      }
      const back = (await calls.back(BACK_MS, at)) - at;
      await Promise.all(calls.strangers.filter((eve) => eve.page.view === 'ended').map((eve) => { // told that there is no such room
        eve.unload();
        return eve.load();
      }));
      return back;
    });
    rows.push(await reloads(scene, points));
    return rows;
  });
}

/** A page that is loaded again while the server takes its old connection for alive. */
async function reloads(scene, points) {
  const { calls } = scene;
  const took = [];
  let refused = 0;
  for (let done = 0; done < points;) {
    const chosen = calls.pairs.toSorted(() => Math.random() - 0.5).slice(0, Math.min(10, points - done));
    await Promise.all(chosen.map(async ({ ada, bob }) => {
      const peer = pick([ada, bob]);
      const before = peer.refusals;
      const at = performance.now();
      await calls.reload({ ada, bob }, peer, { isHalfOpen: true });
      await until(() => peer.page.view === 'call' || peer.page.view === 'full', { timeout: BACK_MS, every: 5, what: 'an answer' });
      took.push(performance.now() - at);
      refused += peer.refusals - before;
    }));
    await calls.settle(chosen);
    done += chosen.length;
  }
  const wrong = await calls.wrongRooms();
  return {
    fault: 'half-open TCP and a reload', points, must: 'rejoined in 3 s, never full', seen: `${refused} refused, ${wrong} rooms with others; rejoined ${times(took)}`,
    holds: refused === 0 && wrong === 0 && within(Math.max(...took), 3_000),
  };
}

/** @param {number} points */
export async function standby(points) {
  return withCalls({ standby: true }, async (scene) => {
    const { stack, calls } = scene;
    const sum = await repeat(scene, points, async () => {
      const [{ pid }, epoch] = [await atWork(stack), epochOf(stack)];
      const goOn = holdSupervisor(pid);
      try {
        const at = performance.now();
        process.kill(pid, 'SIGKILL');
        calls.knock();
        const answered = await answers(stack, at, epoch);
        await calls.back(BACK_MS, at);
        return answered;
      } finally {
        goOn();
      }
    });
    return [{ fault: 'kill -9 roomd, a standby takes over', points, must: '0 lost, answers in 2 s, the same seats', ...judged(sum, 'answers', 2_000) }];
  });
}
