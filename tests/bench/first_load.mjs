/**
 * The first load of the call page in Chromium, with nothing cached: what crosses the wire, what is asked for before something is on the screen, and when the form can be
 * used; with a broker that stands still, too.
 */
import { launch, Person } from '../browser/people.mjs';
import { until } from '../lib/poll.mjs';
import { median, summary } from './numbers.mjs';

const MOST_BYTES = 150 * 1024;
/** With the broker standing still, the form must be there as soon as ever, give or take what a busy machine makes of it. */
const MOST_WAIT = 1.5;

/** In the page, before its own scripts: when the form first takes a name and a click. */
function watchForm() {
  const started = performance.now();
  globalThis.usableAfter = new Promise((resolve) => {
    const look = () => {
      const button = document.querySelector('#join');
      const usable = document.body?.dataset.view === 'lobby' && button && !button.disabled && button.checkVisibility();
      if (usable) resolve(performance.now());
      else if (performance.now() - started < 20_000) requestAnimationFrame(look);
      else resolve(Infinity);
    };
    look();
  });
}

/** Loads the page as a new visitor. @param {import('playwright-core').Browser} browser @param {string} origin @param {string} path */
async function visit(browser, origin, path) {
  const person = await Person.create(browser, origin, { init: watchForm });
  const network = await person.context.newCDPSession(person.page);
  await network.send('Network.enable');
  const waiting = new Set();
  const seen = { requests: 0, bytes: 0 };
  network.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (!request.url.startsWith(origin)) return; // a blob of its own
    waiting.add(requestId);
    seen.requests++;
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (waiting.delete(requestId)) seen.bytes += encodedDataLength;
  });
  await person.goto(path);
  const usable = await person.page.evaluate(() => globalThis.usableAfter);
  await person.page.fill('#name', 'Ada');
  await person.page.click('#join');
  const { paint, asked } = await person.page.evaluate(() => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0].startTime;
    return { paint, asked: 1 + performance.getEntriesByType('resource').filter((entry) => entry.startTime < paint).length };
  });
  return { person, usable, paint, asked, seen, quiet: () => until(() => waiting.size === 0, { timeout: 10_000, what: 'the page to be loaded' }) };
}

/**
 * @param {import('../lib/stack.mjs').Stack} stack
 * @param {{rounds: number, log: (line: string) => void}} options
 * @returns {Promise<import('./numbers.mjs').Row[]>}
 */
export async function firstLoad(stack, { rounds, log }) {
  const place = async () => `/r/${await stack.room()}/`;
  const browser = await launch();
  const runs = { usual: [], stopped: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      const [path, another] = [await place(), await place()];
      const run = await visit(browser, stack.httpUrl, path);
      await run.person.sees('call');
      await run.quiet();
      await run.person.close();
      stack.signal('mosquitto', 'SIGSTOP');
      let late;
      try {
        late = await visit(browser, stack.httpUrl, another);
        await late.person.reads('#status', /Connecting/);
      } finally {
        stack.signal('mosquitto', 'SIGCONT');
      }
      await late.person.sees('call', 30_000); // what was asked for meanwhile is done
      await late.person.close();
      runs.usual.push(run);
      runs.stopped.push(late);
      log(`load ${round + 1}: ${run.seen.bytes} bytes in ${run.seen.requests} requests, painted after ${Math.round(run.paint)} ms, usable after ${Math.round(run.usable)} ms, with the broker stopped ${Math.round(late.usable)} ms`);
      await stack.ready();
    }
  } finally {
    await browser.close();
  }

  const bytes = median(runs.usual.map((run) => run.seen.bytes));
  const of = (kind, name) => runs[kind].map((run) => run[name]);
  const [usual, stopped] = [median(of('usual', 'usable')), median(of('stopped', 'usable'))];
  return [
    {
      what: 'the call page’s first load, on the wire', must: `≤ ${MOST_BYTES / 1024} KB`, holds: bytes <= MOST_BYTES,
      seen: `${(bytes / 1024).toFixed(1)} KB in ${median(runs.usual.map((run) => run.seen.requests))} requests, ${median(of('usual', 'asked'))} of them begun before the first paint`,
      values: { bytes, requests: median(runs.usual.map((run) => run.seen.requests)), requestsBeforePaint: median(of('usual', 'asked')) },
    },
    {
      what: 'first paint, and the form usable', must: '', holds: null,
      seen: `${summary(of('usual', 'paint'))} ms, and ${summary(of('usual', 'usable'))} ms`, values: { paintMs: median(of('usual', 'paint')), usableMs: usual },
    },
    {
      what: 'the form usable while the broker stands still', must: `≤ ${MOST_WAIT} times as long`, holds: stopped <= usual * MOST_WAIT,
      seen: `${summary(of('stopped', 'usable'))} ms, ${(stopped / usual).toFixed(2)} times`, values: { stoppedMs: stopped },
    },
  ];
}
