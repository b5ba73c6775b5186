/**
 * A peer's network that goes, without a sign, and comes back: calls between Chromiums in networks of their own. A program by itself, since
 * it needs a network namespace for the whole of it; `network` runs it in one.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ALLOWED, CAMERA, Person, launch } from '../browser/people.mjs';
import { inNewNetwork, ip } from '../lib/namespaces.mjs';
import { until } from '../lib/poll.mjs';
import { Stack } from '../lib/stack.mjs';
import { SERVER, Site, makeBridge } from './net.mjs';
import { times, within } from './table.mjs';

const GRACE_S = 30;
/** The broker notices a dead connection after 1.5 times the keepalive of 30 s, and some seconds; then comes the grace; and a page takes its leave. */
const LOST_MS = (60 + GRACE_S + 10) * 1000;
const PATIENCE_MS = 60_000;
const AGAIN_MS = 5_000;

/** Runs in the page before its own scripts: small pictures; and when pictures came, by the wall clock. */
function watchFrames() {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => ask({ ...wanted, video: wanted.video && { width: 160, height: 120, frameRate: 10 } });
  globalThis.frames = { count: 0, last: 0, firstSince: 0, since: Infinity, longest: 0 };
  const { frames } = globalThis;
  const now = () => performance.timeOrigin + performance.now();
  setInterval(async () => {
    let count = 0;
    for (const connection of globalThis.connections ?? []) {
      for (const report of (await connection.getStats()).values()) if (report.type === 'inbound-rtp' && report.kind === 'video') count += report.framesDecoded ?? 0;
    }
    if (count === frames.count) return;
    frames.count = count;
    const at = now();
    if (frames.last) frames.longest = Math.max(frames.longest, at - frames.last);
    frames.last = at;
    if (!frames.firstSince && at >= frames.since) frames.firstSince = at;
  }, 100);
}

/** Pictures that were under way at a time are none of what came after it, ms. */
const UNDER_WAY_MS = 400;

/** @param {Person} person @param {number} at on the wall clock, ms @returns the time of the first picture after that */
async function firstFrame(person, at) {
  await person.page.evaluate((since) => Object.assign(globalThis.frames, { since, firstSince: 0 }), at + UNDER_WAY_MS);
  return until(() => person.page.evaluate(() => globalThis.frames.firstSince), { timeout: PATIENCE_MS, every: 50, what: 'pictures again' });
}

/** Two people and their room; Ada's network is the one that goes. */
class Couple {
  constructor(stack, ada, bob) {
    Object.assign(this, { stack, ada, bob });
  }

  async meet() {
    this.room = await this.stack.room();
    await this.ada.join(this.room, 'Ada');
    await this.ada.sees('call', 20_000);
    await this.bob.join(this.room, 'Bob');
    const at = Date.now();
    await Promise.all([this.ada, this.bob].map((person) => firstFrame(person, at)));
    this.members = await this.peers();
  }

  async peers() {
    return (await this.stack.http('GET', `/api/rooms/${this.room}`)).json?.peers?.map((peer) => peer.peer_id) ?? [];
  }
}

const STATUS = '#status';

/** @param {Couple[]} couples */
async function allInCall(couples) {
  await Promise.all(couples.flatMap(({ ada, bob }) => [ada.reads(STATUS, 'In a call with Bob'), bob.reads(STATUS, 'In a call with Ada')]));
}

/** The longest time without a new picture while `during` runs, on anybody's screen, ms. */
async function longestGap(couples, during) {
  const pages = couples.flatMap(({ ada, bob }) => [ada.page, bob.page]);
  await Promise.all(pages.map((page) => page.evaluate(() => Object.assign(globalThis.frames, { last: performance.timeOrigin + performance.now(), longest: 0 }))));
  await during();
  return Math.max(...await Promise.all(pages.map((page) => page.evaluate(() => {
    const { last, longest } = globalThis.frames;
    return Math.max(longest, performance.timeOrigin + performance.now() - last); // one that goes on counts, too
  }))));
}

/** Parts are killed while people watch. @param {Stack} stack @param {Couple[]} couples @param {number} points */
async function kills(stack, couples, points) {
  const rows = [];
  if (points === 0) return rows;
  for (const [fault, parts] of [['broker', ['mosquitto']], ['roomd', ['roomd']], ['httpd', ['httpd']], ['all three', ['mosquitto', 'roomd', 'httpd']]]) {
    const gaps = [];
    let calm = 0;
    for (let i = 0; i < points; i++) {
      calm = Math.max(calm, await longestGap(couples, () => pause(3000)));
      gaps.push(await longestGap(couples, async () => {
        await pause(Math.random() * 1000);
        for (const part of parts) process.kill(stack.pid(part), 'SIGKILL');
        await pause(1500);
        await stack.ready();
        await allInCall(couples);
      }));
    }
    rows.push({
      fault: `kill -9 ${fault}, ${couples.length} calls in Chromium`, points, must: 'no gap over 1 s between pictures',
      seen: `longest gap ${Math.round(Math.max(...gaps))} ms (${Math.round(calm)} ms without)`, holds: within(Math.max(...gaps), 1000),
    });
  }
  return rows;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What becomes of a network for some time, shorter than the grace. @type {Record<string, (site: Site, seconds: number) => Promise<void>>} */
const TROUBLES = {
  async gone(site, seconds) {
    site.cut();
    await pause(seconds * 1000);
    site.heal();
  },
  /** A third of the time nothing passes. (This kernel may have no netem, which would drop packets one by one.) */
  async lossy(site, seconds) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
      site.cut();
      await pause(100 + Math.random() * 100);
      site.heal();
      await pause(200 + Math.random() * 200);
    }
  },
  async moved(site) {
    site.move();
  },
};

/** @param {Site} site @param {Couple} couple */
async function trouble(site, couple, { kind, seconds, seen }) {
  await pause(Math.random() * 3000);
  await TROUBLES[kind](site, seconds);
  const healed = Date.now();
  const first = await Promise.all([couple.ada, couple.bob].map((person) => firstFrame(person, healed)));
  seen.again.push(Math.max(...first) - healed);
  await until(async () => (await couple.peers()).join() === couple.members.join(), { timeout: PATIENCE_MS, what: 'the same seats' });
  for (const { page } of [couple.ada, couple.bob]) if (await page.evaluate(() => document.body.dataset.view) !== 'call') seen.out++;
  await allInCall([couple]);
}

/** A network that is gone for longer than it takes to be lost. @param {Site} site @param {Couple} couple */
async function loss(site, couple, { seconds, seen }) {
  const { ada, bob } = couple;
  site.cut();
  const at = Date.now();
  await bob.page.waitForURL((url) => url.pathname === '/', { timeout: LOST_MS + PATIENCE_MS }).catch(async (error) => {
    const room = await couple.stack.http('GET', `/api/rooms/${couple.room}`);
    throw new Error(`Bob was not told: he reads ${await bob.page.textContent(STATUS)}, and ${couple.room} is ${room.text}`, { cause: error });
  });
  await bob.reads('#notice-text', 'Ada');
  seen.told.push(Date.now() - at);
  seen.held += (await couple.peers()).length;
  await pause(Math.max(0, seconds * 1000 - (Date.now() - at)));
  site.heal();
  const healed = Date.now();
  await ada.page.waitForFunction((where) => document.querySelector(where)?.textContent === 'Waiting for someone to join', STATUS, { timeout: PATIENCE_MS });
  seen.seated.push(Date.now() - healed);
  await couple.meet();
}

/** @param {number} points of each fault; 0 for those that are left out @param {number} killPoints */
async function program(points, killPoints) {
  makeBridge();
  const stack = new Stack({ config: { rooms: { grace_s: GRACE_S }, http: { listen: '0.0.0.0' }, 'broker main': { bind: '0.0.0.0' } } });
  await stack.start();
  const origin = `http://${SERVER}:${new URL(stack.httpUrl).port}`;
  const sites = [];
  const browsers = [];
  const open = async () => {
    const site = new Site();
    sites.push(site);
    await site.start();
    const browser = await launch([CAMERA, ALLOWED, `--unsafely-treat-insecure-origin-as-secure=${origin}`], site.chromium);
    browsers.push(browser);
    return { site, browser };
  };
  try {
    const others = await open();
    const viewport = { width: 400, height: 400 }; // drawn by the processor
    const brief = (fault, kind, seconds, count) => ({
      fault, kind, seconds, points: count, must: 'the same seat, media again within 5 s of healing', run: trouble, seen: { again: [], out: 0 },
      told: ({ again, out }) => ({ seen: `${out} out; media again ${times(again)}`, holds: out === 0 && within(Math.max(...again), AGAIN_MS) }),
    });
    // Side by side, and the longer it lasts, the fewer: each lane takes about the same time.
    const lanes = [
      [
        brief('a peer\'s network gone for 5 s', 'gone', 5, points), brief('a peer\'s network lossy for 5 s', 'lossy', 5, points),
        brief('a peer\'s address changes', 'moved', 0, points),
      ],
      [brief('a peer\'s network gone for 30 s', 'gone', 30, Math.ceil(points / 2))],
      [{
        fault: 'a peer\'s network gone for 120 s', seconds: 120, points: Math.ceil(points / 5), must: 'the other told, the seat free', run: loss,
        seen: { told: [], held: 0, seated: [] },
        told: ({ told, held, seated }) => ({
          seen: `${held} seats held; told after ${times(told)}; back in the room after healing ${times(seated)}`, holds: held === 0 && within(Math.max(...told), LOST_MS),
        }),
      }],
    ];
    const places = [];
    for (const _ of lanes) {
      const { site, browser } = await open();
      const [ada, bob] = [await Person.create(browser, origin, { init: watchFrames, viewport }), await Person.create(others.browser, origin, { init: watchFrames, viewport })];
      const couple = new Couple(stack, ada, bob);
      await couple.meet();
      places.push({ site, couple });
    }
    const rows = await kills(stack, places.map(({ couple }) => couple), killPoints);
    await Promise.all(lanes.map(async (lane, i) => {
      const { site, couple } = places[i];
      for (const cut of lane) for (let done = 0; done < cut.points; done++) await cut.run(site, couple, cut);
    }));
    rows.push(...lanes.flat().filter((cut) => cut.points > 0).map(({ fault, points: done, must, seen, told }) => ({ fault: `${fault} (Chromium)`, points: done, must, ...told(seen) })));
    return rows;
  } catch (error) {
    console.error(stack.tail(60));
    throw error;
  } finally {
    for (const browser of browsers) await browser.close().catch(() => {});
    for (const site of sites) site.end();
    await stack.stop();
  }
}


/**
 * What happens to calls in Chromium: parts are killed, and networks fail.
 *
 * @param {{kills?: number, cuts?: number}} points of each; none of those not named
 * @returns {Promise<import('./table.mjs').Row[]>}
 */
export function chromium({ kills: killPoints = 0, cuts = 0 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(...inNewNetwork(process.execPath, fileURLToPath(import.meta.url), String(cuts), String(killPoints)), { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(Buffer.concat(output).toString())) : reject(new Error(`the network's part ended with ${code}`))));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.once('SIGTERM', () => process.exit(1)); // what it started ends with it
  ip('link', 'set', 'lo', 'up');
  console.log(JSON.stringify(await program(Number(process.argv[2]), Number(process.argv[3]))));
  process.exit(0);
}
