/** The pages by themselves: rooms that are not there or taken, cameras that do not work, keyboards, small screens, screen readers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';
import { ALLOWED, CAMERA, Person, launch } from './people.mjs';

const SLOW = { timeout: 60_000 };
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('the pages', () => {
  const stack = useStack();
  const browsers = {};
  before(async () => {
    browsers.usual = await launch();
    browsers.asking = await launch([CAMERA]); // nobody answers the question, so only what the context allows is allowed
    browsers.bare = await launch([ALLOWED]); // no camera, no microphone
  });
  after(() => Promise.all(Object.values(browsers).map((browser) => browser.close())));

  const person = (options, browser = browsers.usual) => Person.create(browser, stack.httpUrl, options);

  test('a room that does not exist: says so, and makes it', SLOW, async () => {
    const ada = await person();
    const answer = await ada.goto('/r/not-there-yet/');
    assert.equal(answer.status(), 404);
    await ada.reads('#notice-text', 'There is no room “not-there-yet”');
    await ada.picture('no-such-room');
    await ada.page.click('#notice-create');
    await ada.page.waitForURL('**/r/not-there-yet/');
    await ada.sees('lobby');
    await ada.close(/404/);
  });

  test('without a broker the lobby is open, and who joins there is in as soon as it is back', SLOW, async () => {
    const ada = await person();
    const room = await stack.room();
    stack.signal('mosquitto', 'SIGSTOP');
    try {
      await stack.kill('httpd', { untilReady: false }); // another one, which has never heard of the room
      await until(async () => (await stack.http('GET', `/r/${room}/`)).status === 503, { timeout: 10_000, what: 'httpd to serve' });
      await ada.goto(`/r/${room}/`);
      await ada.sees('lobby', 2_000);
      await ada.reads('#status', 'The server is not ready at the moment. Trying again…');
      await ada.page.waitForFunction(() => document.querySelector('#preview').videoWidth > 0);
      await ada.page.fill('#name', 'Ada');
      await ada.page.click('#join');
      await ada.reads('#join', 'Joining…');
    } finally {
      stack.signal('mosquitto', 'SIGCONT');
    }
    await ada.sees('call', 30_000);
    await ada.close(/503/);
  });

  test('without MQTT.js the page says so, and asks no more', SLOW, async () => {
    const ada = await person();
    const room = await stack.room();
    let asked = 0;
    await ada.context.route('**/vendor/mqtt.esm.js', (route) => route.abort());
    await ada.context.route('**/api/rooms/*/peers', (route) => {
      asked++;
      return route.fulfill({ status: 503, contentType: 'application/json', body: '{"error": "unavailable", "detail": ""}' });
    });
    await ada.page.clock.install();
    await ada.goto(`/r/${room}/`);
    await ada.sees('error');
    await until(() => asked > 0, { what: 'the first question' });
    const before = asked;
    for (let i = 0; i < 10; i++) await ada.page.clock.runFor(10_000);
    assert.equal(asked, before);
    await ada.reads('#error-text', 'The server does not answer');
    assert.equal(await ada.page.textContent('#status'), '');
    await ada.close(/503|ERR_FAILED/);
  });

  test('a room of one’s own name; an occupied one asks for another', SLOW, async () => {
    const [ada, bob] = [await person(), await person()];
    await ada.goto('/');
    await ada.page.click('summary');
    await ada.page.fill('#room-id', 'two words');
    await ada.page.click('#start');
    await ada.reads('#create-error', 'letters, digits, hyphens');
    await ada.page.fill('#room-id', 'kitchen');
    await ada.page.click('#start');
    await ada.page.waitForURL('**/r/kitchen/');
    await ada.page.fill('#name', 'Ada');
    await ada.page.click('#join');
    await ada.sees('call');

    await bob.goto('/');
    await bob.page.click('summary');
    await bob.page.fill('#room-id', 'kitchen');
    await bob.page.click('#start');
    await bob.reads('#create-error', 'choose another');
    assert.equal(await bob.page.evaluate(() => document.activeElement?.id), 'room-id');
    for (const [someone, expected] of [[ada], [bob, /409/]]) await someone.close(expected);
  });

  test('joins by a room’s name or a pasted link', SLOW, async () => {
    const ada = await person();
    const room = await stack.room();
    for (const typed of [room, `  ${stack.httpUrl}/r/${room}/ `]) {
      await ada.goto('/');
      await ada.page.fill('#join-room', typed);
      await ada.page.keyboard.press('Enter');
      await ada.page.waitForURL(`**/r/${room}/`);
    }
    await ada.goto('/');
    await ada.page.fill('#join-room', 'no room/at all');
    await ada.page.keyboard.press('Enter');
    await ada.reads('#join-error', 'no room name');
    await ada.close();
  });

  const inUse = () => {
    const devices = navigator.mediaDevices ?? {};
    const ask = devices.getUserMedia?.bind(devices);
    devices.getUserMedia = (wanted) => (wanted.video ? Promise.reject(new DOMException('Could not start video source', 'NotReadableError')) : ask(wanted));
  };
  for (const [what, browser, options, says, label] of [
    ['both refused', 'asking', { permissions: [] }, /does not let this page use your camera and microphone/, 'Join to watch and listen'],
    ['only the camera refused', 'asking', { permissions: ['microphone'] }, /does not let this page use your camera\./, 'Join with sound only'],
    ['no camera and no microphone', 'bare', {}, /No camera or microphone was found/, 'Join to watch and listen'],
    ['a camera in use', 'usual', { init: inUse }, /Another program is using your camera/, 'Join with sound only'],
  ]) {
    test(`${what}: a sentence that says so, and a way on`, SLOW, async () => {
      const room = await stack.room();
      const [ada, bob] = [await person(options, browsers[browser]), await person()];
      await ada.goto(`/r/${room}/`);
      await ada.reads('#media-problem-text', says);
      assert.equal(await ada.page.textContent('#join'), label);
      if (what === 'both refused') await ada.picture('camera-refused');
      await ada.page.fill('#name', 'Ada');
      await ada.page.click('#join');
      await ada.sees('call');
      await bob.join(room, 'Bob');
      await bob.sees('call');
      await ada.page.waitForFunction(() => document.querySelector('#remote').videoWidth > 0, null, { timeout: 20_000 });
      await bob.reads('#remote-text', 'Ada has the camera off');
      for (const someone of [ada, bob]) await someone.close();
    });
  }

  test('by the keyboard alone', SLOW, async () => {
    const ada = await person();
    const { page } = ada;
    const focusOn = async (selector) => {
      for (let presses = 0; presses < 30; presses++) {
        if (await page.evaluate((where) => document.activeElement?.matches(where) ?? false, selector)) return;
        await page.keyboard.press('Tab');
      }
      assert.fail(`${selector} is out of the keyboard’s reach`);
    };
    await ada.goto('/');
    await focusOn('#start');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', 'the focus is visible');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/r/*/');
    await ada.sees('lobby');
    await focusOn('#name');
    await page.keyboard.press('Enter');
    await ada.reads('#name-error', 'Please say who you are.');
    await page.keyboard.type('Ada');
    await page.keyboard.press('Enter');
    await ada.sees('call');
    await focusOn('.controls [data-toggle="audio"]');
    await page.keyboard.press('Space');
    await ada.reads('.controls [data-toggle="audio"] .caption', 'Unmute');
    await focusOn('#hang-up');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${stack.httpUrl}/`);
    await ada.close();
  });

  test('the name is remembered', SLOW, async () => {
    const ada = await person();
    await ada.join(await stack.room(), '  Ada  ');
    await ada.sees('call');
    await ada.page.click('#hang-up');
    await ada.page.waitForURL(`${stack.httpUrl}/`);
    await ada.goto(`/r/${await stack.room()}/`);
    await ada.sees('lobby');
    assert.equal(await ada.page.inputValue('#name'), 'Ada');
    await ada.close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`nothing stands in anybody’s way: axe-core, ${colorScheme}`, SLOW, async () => {
      const ada = await person({ colorScheme, reducedMotion: 'reduce' });
      const room = await stack.room();
      const check = async (where) => {
        const { violations } = await ada.page.evaluate(`${AXE}; axe.run()`);
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        assert.deepEqual(serious.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => node.html).join(' ')}`), []);
      };
      await ada.goto('/');
      await ada.page.click('summary');
      await check('main page');
      await ada.goto(`/r/${room}/`);
      await ada.sees('lobby');
      await ada.page.waitForFunction(() => document.querySelector('#preview').videoWidth > 0);
      await check('lobby');
      await ada.picture(`lobby-${colorScheme}`);
      await ada.page.fill('#name', 'Ada');
      await ada.page.click('#join');
      await ada.sees('call');
      await check('waiting');
      const bob = await person();
      await bob.join(room, 'Bob');
      await ada.reads('#status', 'In a call with Bob');
      await check('call');
      const cem = await person({ colorScheme });
      await cem.join(room, 'Cem');
      await cem.sees('full');
      for (const someone of [ada, bob, cem]) await someone.close();
    });
  }

  test('a small screen: nothing sticks out, and what is touched is large enough', SLOW, async () => {
    const ada = await person({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
    const check = async (where) => {
      const found = await ada.page.evaluate(() => {
        const small = [...document.querySelectorAll('button, a, input, select, summary')].filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && (box.height < 44 || box.width < 44 || box.left < 0 || box.right > innerWidth + 0.5);
        });
        return { wide: document.documentElement.scrollWidth > innerWidth, small: small.map((element) => element.outerHTML.slice(0, 120)) };
      });
      assert.deepEqual(found, { wide: false, small: [] }, where);
    };
    await ada.goto('/');
    await ada.page.click('summary');
    await check('main page');
    const room = await stack.room();
    await ada.goto(`/r/${room}/`);
    await ada.sees('lobby');
    await check('lobby');
    await ada.page.fill('#name', 'A very long name that has sixty-four characters and then no more.');
    await ada.page.click('#join');
    await ada.sees('call');
    await check('waiting');
    const bob = await person();
    await bob.join(room, 'B'.repeat(64));
    await ada.reads('#status', 'In a call with');
    await check('call');
    await ada.picture('call-360');
    for (const someone of [ada, bob]) await someone.close();
  });
});
