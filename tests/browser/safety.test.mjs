/** The safety code behind the padlock: the same four words on both sides of a call, and not when somebody sits between them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WORDS } from '../../web/js/words.js';
import { until } from '../lib/poll.mjs';
import { root, useStack } from '../lib/stack.mjs';
import { PHONE, Person, launch } from './people.mjs';

const SLOW = { timeout: 60_000 };

/** In the page of a person: what came from the other goes by the one in the middle first. */
function carryDescriptions() {
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
    const sdp = await globalThis.carry(description.type, description.sdp);
    return setRemoteDescription.call(this, { type: description.type, sdp });
  };
  // The descriptions from the middle have its candidates in them.
  RTCPeerConnection.prototype.addIceCandidate = (candidate) => globalThis.carry('candidate', JSON.stringify(candidate));
}

/**
 * In a page of its own: two real connections, one to each person, with certificates of their own. Sound and picture are passed on, and so is what
 * goes over the data channels; an active one answers for the safety code itself, on both sides.
 *
 * @param {boolean} isActive
 */
async function sitBetween(isActive) {
  const { SafetyExchange, fingerprintOf } = await import(`${location.origin}/js/safety.js`);
  // `near` faces the one who offers, `far` the one who answers.
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const open = (pc) => pc.createDataChannel('shown', { negotiated: true, id: 0 });
  const channels = [open(near), open(far)];
  const gathered = (pc) => new Promise((resolve) => {
    const look = () => pc.iceGatheringState === 'complete' && resolve(pc.localDescription.sdp);
    pc.addEventListener('icegatheringstatechange', look);
    look();
  });
  /** Called when both descriptions of a connection are there. */
  const settled = [];
  for (const [n, pc] of [near, far].entries()) {
    const [channel, other] = [channels[n], channels[1 - n]];
    const kept = [];
    const pass = (data) => (other.readyState === 'open' ? other.send(data) : kept.push(data));
    other.addEventListener('open', () => kept.splice(0).forEach(pass));
    let queue = new Promise((resolve) => (settled[n] = resolve));
    let exchange;
    channel.onopen = () => {
      if (!isActive) return;
      queue = queue.then(() => {
        exchange = new SafetyExchange({ local: fingerprintOf(pc.localDescription.sdp), remote: fingerprintOf(pc.remoteDescription.sdp),
          send: (safety) => channel.send(JSON.stringify({ safety })), done: () => {} });
        return exchange.start();
      });
    };
    channel.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (isActive && 'safety' in message) queue = queue.then(() => exchange.receive(message.safety));
      else pass(data);
    };
  }
  const senders = ['audio', 'video'].map((kind) => far.addTransceiver(kind).sender);
  near.ontrack = ({ track }) => void senders[['audio', 'video'].indexOf(track.kind)].replaceTrack(track);
  far.ontrack = ({ track }) => void near.getTransceivers().find(({ receiver }) => receiver.track.kind === track.kind).sender.replaceTrack(track);

  globalThis.carry = async (to, type, text) => {
    const from = to === 'ada' ? far : near; // the connection to the one who said it
    if (type === 'candidate') return void (await from.addIceCandidate(JSON.parse(text)));
    await from.setRemoteDescription({ type, sdp: text });
    if (type === 'answer') {
      settled[1]();
      return near.localDescription.sdp;
    }
    for (const transceiver of near.getTransceivers()) transceiver.direction = 'sendrecv';
    await near.setLocalDescription();
    settled[0]();
    await far.setLocalDescription();
    await gathered(near);
    return gathered(far);
  };
}

describe('the padlock', () => {
  const stack = useStack();
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /** Two in a call, in which Ada offers. */
  async function talking(ada, bob, room) {
    await ada.join(room, 'Ada');
    await ada.sees('call');
    await bob.join(room, 'Bob');
    await ada.reads('#status', 'In a call with Bob');
    await bob.reads('#status', 'In a call with Ada');
    for (const someone of [ada, bob]) await until(async () => (await someone.received()).frames > 5, { timeout: 30_000, every: 100, what: 'the picture' });
  }

  const stateOf = (someone) => someone.page.getAttribute('#safety', 'data-state');
  /** Waits until there is a code. */
  const agreed = (someone) => until(async () => {
    assert.equal(await stateOf(someone), 'agreed');
    return true;
  }, { timeout: 10_000, every: 100, what: 'the code' });
  /** Opens the panel as a person does, and reads it. @returns {Promise<string>} */
  async function words(someone) {
    await someone.page.click('#safety');
    await someone.page.waitForSelector('#safety-panel', { state: 'visible' });
    return someone.page.innerText('#safety-words');
  }

  test('both read the same four words, which change with the connection', SLOW, async () => {
    const room = await stack.room();
    const [ada, bob] = [await Person.create(browser, stack.httpUrl), await Person.create(browser, stack.httpUrl, PHONE)];
    await talking(ada, bob, room);
    await Promise.all([agreed(ada), agreed(bob)]);
    const [hers, his] = [await words(ada), await words(bob)];
    assert.equal(hers, his);
    const list = hers.split(/\s+/);
    assert.equal(list.length, 4);
    for (const word of list) assert.ok(WORDS.includes(word), word);
    await ada.picture('safety');
    await bob.picture('safety-phone');

    await bob.page.reload();
    await bob.sees('call');
    await agreed(bob);
    await ada.reads('#safety-changed', 'The code is a new one');
    const again = await words(bob);
    assert.notEqual(again, hers);
    assert.equal(await ada.page.innerText('#safety-words'), again, 'the panel that is open shows the new ones');
    await ada.picture('safety-new');

    // A connection that never gets a code, as an old program would make it, or one in the middle who comes after the words were read.
    await ada.page.click('#safety');
    await bob.page.addInitScript(() => {
      const { send } = RTCDataChannel.prototype;
      RTCDataChannel.prototype.send = function (data) {
        if (!data.includes('"safety"')) send.call(this, data);
      };
    });
    await bob.page.reload();
    await bob.sees('call');
    await ada.reads('#status', 'In a call with Bob');
    await ada.reads('#safety-changed', 'The code from before is good no more');
    assert.equal(await ada.page.getAttribute('#safety', 'aria-label'), 'Safety code: none yet');
    assert.equal(await ada.page.innerText('#safety-words'), '');
    await ada.picture('safety-gone');
    for (const someone of [ada, bob]) await someone.close();
  });

  for (const isActive of [true, false]) {
    test(`somebody in the middle who ${isActive ? 'makes a code with each' : 'passes everything on'}: not the same words`, SLOW, async (t) => {
      const room = await stack.room();
      const people = { ada: await Person.create(browser, stack.httpUrl, { init: carryDescriptions }), bob: await Person.create(browser, stack.httpUrl, { init: carryDescriptions }) };
      const middle = await Person.create(browser, stack.httpUrl);
      // The page's own modules, as they are written.
      await middle.context.route('**/js/*.js', (route) => route.fulfill({ path: join(root, 'web', new URL(route.request().url()).pathname), contentType: 'text/javascript' }));
      await middle.goto('/');
      await middle.page.evaluate(sitBetween, isActive);
      for (const [name, someone] of Object.entries(people)) {
        await someone.context.exposeFunction('carry', (type, text) => middle.page.evaluate(([...args]) => globalThis.carry(...args), [name, type, text]));
      }
      const { ada, bob } = people;
      await talking(ada, bob, room); // they notice nothing: sound and picture are there
      if (isActive) await Promise.all([agreed(ada), agreed(bob)]);
      // What comes over the channel after the code has come after the code.
      for (const [one, other, name] of [[ada, bob, 'Ada'], [bob, ada, 'Bob']]) {
        await one.page.click('.controls [data-toggle="video"]');
        await other.reads('#remote-text', `${name} has the camera off`);
      }
      const [states, codes] = [await Promise.all([stateOf(ada), stateOf(bob)]), [await words(ada), await words(bob)]];
      t.diagnostic(`Ada: ${states[0]} “${codes[0]}”, Bob: ${states[1]} “${codes[1]}”`);
      if (isActive) {
        for (const code of codes) assert.equal(code.split(/\s+/).length, 4);
        assert.notEqual(codes[0], codes[1]);
      } else {
        // Passed on, the commitment does not fit: on one side there is a code at most, and on the other none.
        assert.ok(codes.includes(''), 'no code on one side at least');
        assert.notDeepEqual(states, ['agreed', 'agreed']);
      }
      for (const someone of [ada, bob, middle]) await someone.close();
    });
  }
});
