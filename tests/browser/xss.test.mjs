/** Markup and scripts as names, room ids and whatever else a stranger can put before somebody: all of it stays text, and nothing runs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { SDP } from '../lib/peer.mjs';
import { randomId } from '../lib/jwt.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';
import { Person, launch } from './people.mjs';

const SLOW = { timeout: 120_000 };
/** @type {{payload: string, why: string, refused?: boolean}[]} `refused`: it is no name */
const vectors = JSON.parse(readFileSync(new URL('../vectors/xss.json', import.meta.url), 'utf8'));
const names = vectors.filter(({ refused }) => !refused);

/** Runs before the page's scripts, in every frame: who calls one of these was let run. */
function watch() {
  for (const name of ['alert', 'prompt', 'confirm', 'print', 'open']) globalThis[name] = (...args) => void globalThis.executed(`${name}(${args}) in ${location.href}`);
  // The page's own elements, as a list of tags; and whatever could run.
  globalThis.outline = () => [...document.querySelectorAll('*')].map((element) => element.tagName).join(' ');
  globalThis.runnable = () => [...document.querySelectorAll('*')].flatMap((element) => [...element.attributes]
    .filter(({ name, value }) => /^on|^srcdoc$|^style$/i.test(name) || /^\s*(javascript|vbscript|data):/i.test(value)).map(({ name, value }) => `${element.tagName} ${name}=${value}`));
}

/** As `watch`, and without a camera, which would only cost time here. */
function watchBlind() {
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));
}

describe('what looks like markup', () => {
  const stack = useStack();
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /** What ran on anybody's page, which has to be nothing. @type {string[]} */
  const executions = [];

  async function victim({ blind = true, ...options } = {}) {
    const person = await Person.create(browser, stack.httpUrl, { ...options, init: watch });
    if (blind) await person.context.addInitScript(watchBlind);
    await person.context.exposeFunction('executed', (what) => executions.push(what));
    person.page.on('dialog', (dialog) => {
      executions.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    return person;
  }

  /** Nothing ran, nothing that could run is there, and no element but the page's own. */
  async function unharmed(person, outline, why) {
    const [now, runnable] = await person.page.evaluate(() => [globalThis.outline(), globalThis.runnable()]);
    assert.equal(now, outline, why);
    assert.deepEqual(runnable, [], why);
    assert.deepEqual(executions, [], why);
  }

  const outlineOf = (person) => person.page.evaluate(() => globalThis.outline());
  const textOf = (person, selector) => person.page.evaluate((where) => document.querySelector(where).textContent, selector);

  test('the watch sees what runs: a page that writes them as HTML runs them', SLOW, async (t) => {
    assert.ok(vectors.length >= 50);
    const ran = new Set();
    const context = await browser.newContext();
    await context.addInitScript(watch);
    await context.exposeBinding('executed', ({ page }) => void ran.add(page.url()));
    const page = await context.newPage();
    await page.route('**/control/**', (route) => {
      const number = /\/control\/(\d+)$/.exec(route.request().url());
      if (!number) return route.abort(); // of an image that fails
      const { payload } = vectors[Number(number[1])];
      return route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>x</title><p>${payload}</p><input value="${payload}"><input value='${payload}'><input value=${payload}>` });
    });
    for (const n of vectors.keys()) {
      await page.goto(`${stack.httpUrl}/control/${n}`, { waitUntil: 'load' });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
    t.diagnostic(`${ran.size} of ${vectors.length} run where nobody takes care`);
    assert.ok(ran.size >= 50, `${ran.size}`);
    await context.close();
  });

  test('as another’s name: in the lobby, in the call, before a full room, in the title', SLOW, async () => {
    const room = await stack.room();
    const [ada, cem, dan] = [await victim(), await victim(), await victim()];
    await ada.join(room, 'Ada');
    await ada.sees('call');
    const mallory = await stack.peer(room, { name: 'Mallory' });
    await mallory.join();
    await ada.reads('#remote-text', 'Mallory');
    await cem.goto(`/r/${room}/`);
    await cem.reads('#members', 'Ada and Mallory are here.');
    await dan.join(room, 'Dan');
    await dan.sees('full');
    const outlines = new Map();
    for (const person of [ada, cem, dan]) outlines.set(person, await outlineOf(person));

    let last = 'Mallory';
    for (const { payload, why, refused } of vectors) {
      // A new page load of the same peer: the seat goes over, with the new name.
      mallory.session = randomId();
      await mallory.client.publishRaw(mallory.from('join'), JSON.stringify({ session: mallory.session, peer_name: payload }));
      if (refused) {
        const { json } = await mallory.next('error');
        assert.equal(json.error, 'bad-peer-name', why);
      } else {
        await mallory.next('joined');
        last = payload;
        await until(async () => {
          assert.equal(await textOf(ada, '#remote-text'), payload);
          assert.equal(await textOf(cem, '#members'), `Ada and ${payload} are here.`);
          assert.ok((await textOf(dan, '#full-text')).startsWith(`Ada and ${payload} are talking.`));
          return true;
        }, { what: why });
        assert.equal(await ada.page.title(), `${payload} – Parley`);
        assert.ok((await textOf(ada, '#status')).includes(payload), why);
      }
      for (const [person, outline] of outlines) await unharmed(person, outline, why);
    }
    for (const raw of ['\xc0\xbcscript\xc0\xbealert(1)\xc0\xbc/script\xc0\xbe', '\xe0\x80\xbcimg src=x onerror=alert(1)\xe0\x80\xbe', '\xf0\x80\x80\xbcsvg onload=alert(1)\xf0\x80\x80\xbe', '<scr\0ipt>alert(1)</script>']) {
      await mallory.client.publishRaw(mallory.from('join'), Buffer.from(`{"session":"s","peer_name":"${raw}"}`, 'latin1'));
      assert.equal((await mallory.next('error')).json.error, 'bad-request', 'overlong UTF-8, NUL');
    }
    assert.equal(await textOf(ada, '#remote-text'), last);

    const hostile = '<img src=x onerror=alert(1)>';
    await mallory.client.publishRaw(mallory.from('join'), JSON.stringify({ session: mallory.session = randomId(), peer_name: hostile }));
    await mallory.next('joined');
    await ada.reads('#remote-text', hostile);
    await mallory.cut();
    await ada.page.waitForURL(`${stack.httpUrl}/`);
    await ada.reads('#notice-text', `${hostile} hung up.`);
    for (const person of [ada, cem, dan]) await person.close();
  });

  test('as one’s own name: typed, shown, remembered; and as query and fragment of the link', SLOW, async () => {
    const ada = await victim();
    let [outline, before] = ['', ''];
    for (const { payload, why, refused } of [{ payload: 'Ada', why: 'nothing bad' }, ...vectors]) {
      const room = await stack.room();
      await ada.goto(`/r/${room}/?${payload}#${payload}`);
      await ada.sees('lobby');
      assert.equal(await ada.page.inputValue('#invite'), `${stack.httpUrl}/r/${room}/`, why);
      if (before) assert.equal(await ada.page.inputValue('#name'), before, 'it is remembered');
      await ada.page.fill('#name', payload);
      await ada.page.click('#join');
      if (refused && (await ada.page.inputValue('#name')) === payload) { // a field of one line drops line ends by itself
        await ada.reads('#name-error', 'A name has');
      } else {
        await ada.sees('call');
        before = (await ada.page.inputValue('#name')).trim();
        assert.equal(await textOf(ada, '#self-name'), before, why);
      }
      outline ||= await outlineOf(ada);
      await unharmed(ada, outline, why);
    }
    await ada.close();
  });

  test('as the name of one who hung up, or was lost, on the main page', SLOW, async () => {
    const ada = await victim();
    await ada.goto('/');
    const outline = await outlineOf(ada);
    for (const [n, { payload, why }] of names.entries()) {
      const [kind, text] = n % 2 ? ['hung-up', `${payload} hung up.`] : ['lost', `The connection to ${payload} was lost.`];
      await ada.page.evaluate((notice) => sessionStorage.setItem('parley.notice', JSON.stringify(notice)), { kind, room: payload, by: payload });
      await ada.goto('/');
      assert.equal(await textOf(ada, '#notice-text'), text);
      assert.equal(await ada.page.isVisible('#notice-link'), /^\w+$/.test(payload), 'a link to what can be a room only');
      await unharmed(ada, outline, why);
    }
    await ada.close();
  });

  test('as a room: in the path, and in both fields', SLOW, async () => {
    const ada = await victim();
    await ada.goto('/');
    const home = await outlineOf(ada);
    for (const { payload, why } of vectors) {
      const answer = await stack.http('GET', `/r/${payload.replace(/[\0-\x20\x7f-\uffff]/g, encodeURIComponent)}/`);
      assert.ok(answer.status >= 400, why);
      if (!/^\w+$/.test(payload)) assert.equal(answer.text.includes(payload), false, `${why}: it is not in the answer`);
      // The browser escapes most by itself: as it is, only where that makes another path.
      const [escaped, raw] = [`/r/${encodeURIComponent(payload)}/`, `/r/${payload}/`];
      const isSame = decodeURIComponent(new URL(raw, stack.httpUrl).pathname.replace(/%(?![0-9A-F]{2})/gi, '%25')) === raw;
      for (const path of isSame ? [escaped] : [escaped, raw]) {
        const response = await ada.goto(path);
        assert.ok(response === null || response.status() >= 400 || new URL(ada.page.url()).pathname === '/', `${why}: ${path}`);
        if (/text\/html/.test(response?.headers()['content-type'] ?? '')) await unharmed(ada, home, why);
        assert.deepEqual(executions, [], why);
      }
    }

    await ada.goto('/');
    await ada.page.click('summary');
    for (const { payload, why } of vectors.filter(({ payload }) => !/^\w+$/.test(payload))) {
      await ada.page.fill('#join-room', payload);
      await ada.page.press('#join-room', 'Enter');
      await ada.reads('#join-error', 'That is no room name');
      await ada.page.fill('#room-id', payload);
      await ada.page.press('#room-id', 'Enter');
      await ada.reads('#create-error', 'A room id has');
      await ada.page.evaluate((text) => (location.hash = text), payload);
      await unharmed(ada, home, why);
      for (const field of ['#join-error', '#create-error']) await ada.page.evaluate((where) => (document.querySelector(where).textContent = ''), field);
      assert.equal(new URL(ada.page.url()).pathname, '/');
    }
    await ada.close(/4\d\d/);
  });

  test('in what a member sends to the other: descriptions, candidates, and over the data channel', SLOW, async () => {
    const room = await stack.room();
    const [ada, mallory] = [await victim({ blind: false }), await victim({ blind: false })];
    await mallory.context.addInitScript(() => {
      const make = RTCPeerConnection.prototype.createDataChannel;
      RTCPeerConnection.prototype.createDataChannel = function (...args) {
        return (globalThis.channel = make.apply(this, args));
      };
    });
    await ada.join(room, 'Ada');
    await ada.sees('call');
    await mallory.join(room, 'Mallory');
    await ada.reads('#status', 'In a call with Mallory');
    await ada.page.waitForSelector('#safety[data-state="agreed"]');
    const outline = await outlineOf(ada);
    for (const { payload, why } of vectors) {
      await mallory.page.evaluate((text) => {
        const bodies = [text, { [text]: text }, { audio: text, video: text }, { audio: true, video: true, peer_name: text, name: text }, { safety: text }, { safety: { words: [text], state: text } }, { safety: { commit: text, nonce: text } }];
        for (const body of bodies) globalThis.channel.send(typeof body === 'string' ? body : JSON.stringify(body));
      }, payload);
      await unharmed(ada, outline, why);
    }
    await ada.page.waitForSelector('#safety[data-state="agreed"]'); // words that stand are not undone
    await mallory.page.evaluate(() => globalThis.channel.send('{"audio":true,"video":false}'));
    await ada.reads('#remote-text', 'Mallory has the camera off');
    await unharmed(ada, outline, 'all of them have come');
    assert.match(await textOf(ada, '#safety-words'), /^[a-z]+( [a-z]+){3}$/);
    await mallory.close();

    // The same seat, by hand.
    const { peer_id: id } = (await stack.http('GET', `/api/rooms/${room}`)).json.peers.find(({ peer_name: name }) => name === 'Mallory');
    const self = (await stack.http('GET', `/api/rooms/${room}`)).json.peers.find(({ peer_name: name }) => name === 'Ada');
    const byHand = await stack.peer(room, { id, name: 'Mallory' });
    await byHand.join();
    await ada.reads('#status', 'Connecting with Mallory');
    const toAda = (event, body) => byHand.client.publishRaw(`rooms/${room}/to/${self.peer_id}/${event}/${id}`, JSON.stringify(body));
    for (const { payload, why } of vectors) {
      for (const event of ['offer', 'answer']) {
        await toAda(event, { session: byHand.session, sdp: payload });
        await toAda(event, { session: byHand.session, sdp: `${SDP}a=x:${payload}\r\n` });
        await toAda(event, { session: payload, sdp: SDP });
      }
      await toAda('candidate', { session: byHand.session, candidates: [{ candidate: payload, sdpMid: payload, usernameFragment: payload }], done: false });
      await unharmed(ada, outline, why);
    }
    // Text that is none of theirs ends the page's call as it should, and not before.
    await byHand.join({ peer_name: 'Still Mallory' });
    await byHand.settle();
    await ada.sees('call');
    await unharmed(ada, outline, 'all of them have come');
    await byHand.cut();
    await ada.page.waitForURL(`${stack.httpUrl}/`);
    await ada.reads('#notice-text', 'hung up.');
    assert.deepEqual(executions, []);
    await ada.close();
  });
});
