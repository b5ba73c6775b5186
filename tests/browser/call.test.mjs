/** Two people in two browsers have a call, and a third stands at the door. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';
import { PHONE, Person, launch } from './people.mjs';

const SLOW = { timeout: 120_000 };

describe('a call', () => {
  const stack = useStack();
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  const person = (options) => Person.create(browser, stack.httpUrl, options);

  /** Waits until pictures are decoded and sound arrives, more than when it was called. */
  async function isHeardAndSeen(...people) {
    for (const someone of people) {
      const before = await someone.received();
      await until(async () => {
        const now = await someone.received();
        return now.frames > before.frames + 2 && now.packets > before.packets + 5 && now.energy > before.energy;
      }, { timeout: 30_000, every: 100, what: 'picture and sound' });
    }
  }

  /** Two people in a call in a new room. */
  async function talking(options = {}) {
    const room = await stack.room();
    const [ada, bob] = [await person(options.ada), await person(options.bob)];
    await ada.join(room, 'Ada');
    await ada.sees('call');
    await bob.join(room, 'Bob');
    await bob.sees('call');
    await isHeardAndSeen(ada, bob);
    return { room, ada, bob };
  }

  const members = async (room) => (await stack.http('GET', `/api/rooms/${room}`)).json.peers;

  test('from the main page to the call and back, with a third at the door', SLOW, async (t) => {
    const [ada, bob, cem] = [await person(), await person(PHONE), await person()];
    await ada.goto('/');
    await ada.picture('main-page');
    await ada.page.click('#start');
    await ada.page.waitForURL('**/r/*/');
    await ada.sees('lobby');
    await ada.reads('#members', 'Nobody is here yet.');
    await ada.page.waitForFunction(() => document.querySelector('#preview').videoWidth > 0);
    await ada.picture('lobby');
    await ada.page.fill('#name', 'Ada');
    await ada.page.click('#join');
    await ada.sees('call');
    await ada.reads('#status', 'Waiting for someone to join');
    const link = await ada.page.inputValue('#invite');
    await ada.page.click('#waiting [data-copy]');
    await ada.reads('#waiting [data-copy]', 'Copied');
    assert.equal(await ada.page.evaluate(() => navigator.clipboard.readText()), link);
    await ada.picture('waiting');

    await bob.page.goto(link);
    await bob.sees('lobby');
    await bob.reads('#members', 'Ada is here.');
    await bob.page.fill('#name', 'Bob');
    await bob.page.click('#join');
    await bob.sees('call');
    await isHeardAndSeen(ada, bob);
    await ada.reads('#status', 'In a call with Bob');
    await bob.reads('#status', 'In a call with Ada');
    for (const someone of [ada, bob]) await someone.page.waitForSelector('#remote-empty', { state: 'hidden' });
    await ada.picture('call');
    await bob.picture('call-phone');

    const [hers, his] = [await ada.timeline(), await bob.timeline()];
    const join = his.get('join');
    const took = (line) => Math.round(line.get('first-frame') - join);
    t.diagnostic(`join to first decoded frame: ${took(his)} ms for the one who joined, ${took(hers)} ms for the one who was there`);
    assert.ok(took(his) > 0 && took(his) < 15_000 && took(hers) > 0 && took(hers) < 15_000);
    assert.ok(hers.has('offer-sent') && his.has('answer-sent') && !his.has('offer-sent'), 'the one who was there offers');

    await cem.page.goto(link);
    await cem.reads('#members', 'Ada and Bob are here.');
    await cem.page.fill('#name', 'Cem');
    await cem.page.click('#join');
    await cem.sees('full');
    await cem.reads('#full-text', 'Ada and Bob');
    assert.ok(await cem.page.isDisabled('#full-join'));
    await cem.picture('full-room');
    await isHeardAndSeen(ada, bob);

    await ada.page.click('#hang-up');
    await ada.page.waitForURL(`${stack.httpUrl}/`);
    await bob.page.waitForURL(`${stack.httpUrl}/`);
    await ada.reads('#notice-text', 'You left the call.');
    await bob.reads('#notice-text', 'Ada hung up.');
    await bob.picture('hung-up-phone');

    await cem.page.click('#full-join:enabled');
    await cem.sees('call');
    assert.deepEqual((await members(link.split('/r/')[1].replace('/', ''))).map((peer) => peer.peer_name), ['Cem']);
    for (const someone of [ada, bob, cem]) await someone.close();
  });

  test('a reload goes back to the same seat by itself', SLOW, async () => {
    const { room, ada, bob } = await talking();
    const before = await members(room);
    for (const someone of [bob, ada]) {
      await someone.page.reload();
      await someone.sees('call');
      await isHeardAndSeen(ada, bob);
      assert.deepEqual((await members(room)).map(({ peer_id, state }) => [peer_id, state]), before.map(({ peer_id }) => [peer_id, 'present']));
    }
    for (const someone of [ada, bob]) await someone.close();
  });

  test('camera and microphone off: the other is told, and a reload leaves them off', SLOW, async () => {
    const { ada, bob } = await talking();
    await bob.page.click('.controls [data-toggle="video"]');
    await bob.page.click('.controls [data-toggle="audio"]');
    await ada.reads('#remote-text', 'Bob has the camera off');
    await ada.page.waitForSelector('#remote-muted', { state: 'visible' });
    await ada.picture('camera-off');
    await bob.page.reload();
    await bob.sees('call');
    await ada.reads('#remote-text', 'Bob has the camera off');
    assert.equal(await bob.page.textContent('.controls [data-toggle="audio"] .caption'), 'Unmute');
    const { frames } = await ada.received();
    await bob.page.click('.controls [data-toggle="video"]');
    await ada.page.waitForSelector('#remote-empty', { state: 'hidden' });
    await until(async () => (await ada.received()).frames > frames + 2, { timeout: 10_000, what: 'pictures again' });
    for (const someone of [ada, bob]) await someone.close();
  });

  test('a second tab takes over, and the first can take it back', SLOW, async () => {
    const { room, ada, bob } = await talking();
    const [second] = await Promise.all([ada.context.waitForEvent('page'), ada.page.evaluate(() => void open(location.href))]);
    await second.waitForSelector('body[data-view="call"]');
    await ada.sees('replaced');
    assert.equal(await ada.page.evaluate(() => document.querySelector('#self-view').srcObject), null, 'its camera is off');
    await ada.picture('replaced');
    assert.equal((await members(room)).length, 2);
    await ada.page.click('#use-here');
    await ada.sees('call');
    await second.waitForSelector('body[data-view="replaced"]');
    await isHeardAndSeen(ada, bob);
    for (const someone of [ada, bob]) await someone.close();
  });

  test('the broker is killed: the picture stays, and all is well again by itself', SLOW, async () => {
    const { room, ada, bob } = await talking();
    const connections = () => ada.page.evaluate(() => globalThis.connections.length);
    const before = await connections();
    const killed = stack.kill('mosquitto', { untilReady: false });
    await ada.reads('#status', 'Reconnecting…');
    await isHeardAndSeen(ada, bob);
    await killed;
    await ada.reads('#status', 'In a call with Bob');
    await bob.reads('#status', 'In a call with Ada');
    assert.equal(await connections(), before, 'the same connection');
    assert.deepEqual((await members(room)).map((peer) => peer.state), ['present', 'present']);
    await bob.page.click('#hang-up');
    await ada.page.waitForURL(`${stack.httpUrl}/`);
    for (const someone of [ada, bob]) await someone.close(/WebSocket/);
  });

  test('one whose page is gone is waited for, and comes back', SLOW, async () => {
    const { room, ada, bob } = await talking();
    await bob.page.goto('about:blank');
    await ada.reads('#status', 'Bob is reconnecting…');
    await bob.goto(`/r/${room}/`);
    await bob.sees('call');
    await isHeardAndSeen(ada, bob);
    for (const someone of [ada, bob]) await someone.close(/about:blank/);
  });
});
