/**
 * How soon the other is seen: from the click on join to the first frame that the one who joined has decoded, over Parley with its real pages, and between two
 * connections in one page, which need no signalling.
 *
 *     node bench/frames.mjs [ROUNDS]
 */
import { fileURLToPath } from 'node:url';
import { warmUp } from '../../web/js/warm.js';
import { launch, Person } from '../browser/people.mjs';
import { Stack } from '../lib/stack.mjs';
import { median, summary, table } from './numbers.mjs';
import { callInOnePage, openCameras } from './one_page.mjs';

/** What signalling may add. */
const BAR = 1.25;
/** In a round, of either kind in turn: a single one hangs on what else the machine does in that tenth of a second. */
const CALLS = 3;
/** As many frames as the page asks for: with few, what is measured is the wait for the next. */
const PICTURE = { width: 320, height: 240, frameRate: 30 };

/** In the page that joins, before the click: when it is clicked, and when the first frame is there. */
function watchFrames() {
  let clicked;
  document.querySelector('#join').addEventListener('click', () => (clicked = performance.now()), { capture: true });
  globalThis.firstFrameAfter = new Promise((resolve) => {
    document.querySelector('#remote').requestVideoFrameCallback((now) => resolve(now - clicked));
  });
}

/** In a lobby, with the camera running and the room in sight. @param {Person} person @param {string} room @param {string} name @param {string} sentence who is there */
async function getReady(person, room, name, sentence) {
  await person.goto(`/r/${room}/`);
  await person.reads('#members', sentence);
  await person.page.waitForFunction(() => document.querySelector('#preview').videoWidth > 0);
  await person.page.fill('#name', name);
}

/**
 * Each has a browser of their own: one camera that sends into two calls of one Chromium now and then stops for a second, since the pictures that
 * both hold are all it has.
 *
 * @param {import('playwright-core').Browser[]} browsers @param {Stack} stack @returns {Promise<{took: number, steps: string}>}
 */
async function overParley(browsers, stack) {
  const room = await stack.room();
  const [ada, bob] = await Promise.all(browsers.map((browser) => Person.create(browser, stack.httpUrl, { picture: PICTURE })));
  await getReady(ada, room, 'Ada', 'Nobody is here yet.');
  await ada.page.click('#join');
  await ada.sees('call');
  await getReady(bob, room, 'Bob', 'Ada is here.');
  await bob.page.evaluate(watchFrames);
  await bob.page.click('#join');
  const took = await bob.page.evaluate(() => globalThis.firstFrameAfter);
  const [hers, his] = [await ada.timeline(), await bob.timeline()];
  const since = (line, name) => `${name} ${Math.round(line.get(name) - his.get('join'))}`;
  const steps = [since(his, 'joined'), since(hers, 'offer-sent'), since(his, 'answer-sent')].join(', ');
  for (const person of [ada, bob]) await person.close();
  return { took, steps };
}

/** @param {import('playwright-core').Browser} browser @param {Stack} stack @returns {Promise<number>} */
async function inOnePage(browser, stack) {
  const { json } = await stack.http('POST', `/api/rooms/${await stack.room()}/peers`);
  const person = await Person.create(browser, stack.httpUrl, { picture: PICTURE });
  await person.goto('/');
  await person.page.evaluate(openCameras);
  await person.page.evaluate(warmUp); // as in the lobby
  const took = await person.page.evaluate(callInOnePage, json.ice_servers);
  await person.close();
  return took;
}

/**
 * @param {{rounds?: number, log?: (line: string) => void}} [options]
 * @returns {Promise<import('./numbers.mjs').Row[]>}
 */
export async function benchFrames({ rounds = 7, log = console.error } = {}) {
  const stack = new Stack();
  await stack.start();
  const browsers = [await launch(), await launch()];
  const [parley, direct] = [[], []];
  try {
    for (let call = 0; call < CALLS * rounds; call++) {
      const { took, steps } = await overParley(browsers, stack);
      parley.push(took);
      direct.push(await inOnePage(browsers[0], stack));
      log(`call ${call + 1}: over Parley ${Math.round(took)} ms (${steps}), in one page ${Math.round(direct.at(-1))} ms`);
    }
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await stack.stop();
  }
  const ratio = median(parley) / median(direct);
  return [{
    what: 'from the click on join to the first decoded frame', must: `≤ ${BAR} times that in one page`, holds: ratio <= BAR,
    seen: `${summary(parley)} ms, in one page ${summary(direct)} ms: ${ratio.toFixed(2)} times`,
    values: { parleyMs: median(parley), onePageMs: median(direct), ratio },
  }];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(table(await benchFrames({ rounds: Number(process.argv[2]) || undefined })));
}
