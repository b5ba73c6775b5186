import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { Call } from '../../web/js/call.js';
import { until } from '../lib/poll.mjs';
import { FakeClock, FakeMediaStream, FakePeerConnection, settle } from './fakes.mjs';

globalThis.MediaStream = FakeMediaStream;
const { made } = FakePeerConnection;
beforeEach(() => {
  made.length = 0;
});

const TRACKS = { audio: { kind: 'audio' }, video: { kind: 'video' } };
const SHOWN = { audio: true, video: true };

function start() {
  const sent = [];
  const clock = new FakeClock();
  const call = new Call({
    session: 'mine', iceServers: [], timers: clock,
    send: (kind, body) => sent.push({ kind, ...body }),
    newConnection: (config) => new FakePeerConnection(config),
  });
  call.setTracks(TRACKS, SHOWN);
  return { call, sent, clock };
}

/** A call whose first offer was answered. */
async function established() {
  const parts = start();
  parts.call.arrived(false, false);
  await settle();
  await settle();
  await parts.call.receive('answer', { session: 'theirs', sdp: 'a1' });
  made[0].become('connected');
  parts.sent.length = 0;
  return parts;
}

/** A call that was entered second: it has answered an offer. */
async function entered() {
  const parts = start();
  await parts.call.receive('offer', { session: 'theirs', sdp: 'o1' });
  made[0].become('connected');
  parts.sent.length = 0;
  return parts;
}

test('the one who was there offers, sound and picture both ways', async () => {
  const { call, sent } = start();
  call.arrived(false, false);
  await settle();
  await settle();
  assert.deepEqual(sent, [{ kind: 'offer', sdp: 'offer 1' }]);
  assert.deepEqual(made[0].transceivers.map(({ direction, sender }) => [direction, sender.track]), [['sendrecv', TRACKS.audio], ['sendrecv', TRACKS.video]]);
});

test('a connection that was made ahead is the one that is used, whoever offers, with the servers of then', async () => {
  for (const begin of [(call) => call.arrived(false, false), (call) => call.receive('offer', { session: 'theirs', sdp: 'o1' })]) {
    made.length = 0;
    const { call, sent } = start();
    call.prepare();
    call.prepare();
    call.setIceServers(['fresh']);
    assert.deepEqual([made.length, made[0].config.iceServers, sent, call.media], [1, ['fresh'], [], 'new']);
    await begin(call);
    await settle();
    await settle();
    assert.equal(made.length, 1);
    assert.equal(sent.length, 1);
    call.prepare();
    assert.equal(made.length, 1, 'there is one');
  }
});

test('a connection that was made ahead and is not needed is closed', () => {
  const { call } = start();
  call.prepare();
  call.close();
  assert.equal(made[0].connectionState, 'closed');
});

test('the one who came later answers, and sends what it has', async () => {
  const { call, sent } = start();
  await call.receive('offer', { session: 'theirs', sdp: 'o1' });
  assert.deepEqual(sent, [{ kind: 'answer', sdp: 'answer 1' }]);
  assert.deepEqual(made[0].transceivers.map(({ direction, sender }) => [direction, sender.track]), [['sendrecv', TRACKS.audio], ['sendrecv', TRACKS.video]]);
});

test('who has neither camera nor microphone still receives both', async () => {
  const { call } = start();
  call.setTracks({ audio: null, video: null }, { audio: false, video: false });
  call.arrived(false, false);
  assert.deepEqual(made[0].transceivers.map(({ direction, receiver }) => [direction, receiver.track.kind]), [['sendrecv', 'audio'], ['sendrecv', 'video']]);
});

test('a camera that goes off or on is swapped without a new offer, and the other is told', async () => {
  const { call, sent } = await established();
  const { channel } = made[0];
  channel.readyState = 'open';
  channel.onopen();
  call.setTracks({ audio: TRACKS.audio, video: null }, { audio: true, video: false });
  await settle();
  assert.equal(made[0].transceivers[1].sender.track, null);
  assert.deepEqual(sent, []);
  assert.deepEqual(channel.sent.map((text) => JSON.parse(text)), [SHOWN, { audio: true, video: false }]);
});

test('what the other shows is believed only when it is what it should be', async () => {
  const { call } = await established();
  const heard = [];
  call.on('shown', (shown) => heard.push(shown));
  for (const data of ['{"audio":true,"video":false,"x":1}', '{"audio":1,"video":false}', 'x', '[]', 'null', new ArrayBuffer(3)]) made[0].channel.onmessage({ data });
  assert.deepEqual(heard, [{ audio: true, video: false }]);
});

test('what a connection shows begins anew, whatever its channel says before its tracks are there', async () => {
  const { call } = await established();
  const heard = [];
  call.on('shown', (shown) => heard.push(shown));
  call.on('stream', () => heard.push('stream'));
  made[0].channel.onmessage({ data: '{"audio":true,"video":false}' });
  call.arrived(false, false);
  made[1].channel.onmessage({ data: '{"audio":false,"video":false}' });
  made[1].ontrack({ track: TRACKS.video });
  assert.deepEqual(heard, [{ audio: true, video: false }, { audio: true, video: true }, { audio: false, video: false }, 'stream']);
});

test('candidates that come before their description wait for it', async () => {
  const { call } = start();
  await call.receive('candidate', { session: 'theirs', candidates: [{ candidate: 'c1' }] });
  await call.receive('candidate', { session: 'somebody', candidates: [{ candidate: 'cx' }] });
  await call.receive('offer', { session: 'theirs', sdp: 'o1' });
  await call.receive('candidate', { session: 'theirs', candidates: [{ candidate: 'c2' }] });
  assert.deepEqual(made[0].candidates, ['c1', 'c2']);
});

test('both offer at once: the impolite one stays with its own, the polite one gives way', async () => {
  const impolite = await established();
  impolite.call.receive('offer', { session: 'theirs', sdp: 'glare' });
  made[0].signalingState = 'have-local-offer'; // an offer of ours is on its way
  await impolite.call.receive('candidate', { session: 'theirs', candidates: [] });
  assert.equal(made[0].remoteDescription.sdp, 'a1', 'ignored');
  assert.deepEqual(impolite.sent, []);

  made.length = 0;
  const polite = await entered();
  made[0].signalingState = 'have-local-offer';
  await polite.call.receive('offer', { session: 'theirs', sdp: 'glare' });
  assert.equal(made[0].remoteDescription.sdp, 'glare');
  assert.deepEqual(polite.sent, [{ kind: 'answer', sdp: 'answer 2' }]);
});

test('the one who came later makes no offer before it has had one', async () => {
  const { call, sent } = start();
  call.arrived(true, true); // both come back, neither has a connection: this one yields
  made[0].onnegotiationneeded();
  await settle();
  assert.deepEqual(sent, []);
  await call.receive('offer', { session: 'theirs', sdp: 'o1' });
  assert.deepEqual(sent.map(({ kind }) => kind), ['answer']);
});

test('a new page load of the other gets a new connection, and its last one is not heard any more', async () => {
  const { call, sent } = await established();
  call.arrived(false, false);
  await settle();
  await settle();
  assert.equal(made.length, 2);
  assert.equal(made[0].signalingState, 'closed');
  assert.deepEqual(sent.map(({ kind }) => kind), ['offer']);
  await call.receive('answer', { session: 'theirs', sdp: 'late' });
  assert.equal(made[1].remoteDescription, null, 'an answer of the old page load');
  await call.receive('candidate', { session: 'theirs', candidates: [{ candidate: 'late' }] });
  await call.receive('answer', { session: 'theirs2', sdp: 'a2' });
  assert.equal(made[1].remoteDescription.sdp, 'a2');
  assert.deepEqual(made[1].candidates, []);
});

test('an offer from a new page load replaces the connection, too', async () => {
  const { call } = await entered();
  await call.receive('offer', { session: 'theirs2', sdp: 'o2' });
  assert.equal(made.length, 2);
  assert.equal(made[1].remoteDescription.sdp, 'o2');
  await call.receive('offer', { session: 'theirs', sdp: 'late' });
  assert.equal(made.length, 2);
});

test('a connection that goes while a description is taken holds up nothing of the next one', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const { call, sent } = await established();
  const overtaken = call.receive('offer', { session: 'theirs', sdp: 'o2' });
  await Promise.resolve();
  call.arrived(false, false);
  await overtaken;
  await until(() => sent.some(({ kind }) => kind === 'offer'));
  await call.receive('answer', { session: 'new', sdp: 'a2' });
  await call.receive('candidate', { session: 'new', candidates: [{ candidate: 'c1' }] });
  assert.deepEqual([made.length, made[1].remoteDescription.sdp, made[1].candidates], [2, 'a2', ['c1']]);
  assert.ok(sent.every(({ kind }) => kind !== 'answer'), 'the description of the one before is not answered');
});

test('back at the broker, and nothing comes from the other: ICE starts again at once; while something comes it does not', async () => {
  const silent = await established();
  await silent.call.listen();
  await silent.clock.advance(499);
  assert.equal(made[0].restarts, 0);
  await silent.clock.advance(1);
  assert.equal(made[0].restarts, 1);

  made.length = 0;
  const lively = await established();
  await lively.call.listen();
  made[0].bytesReceived = 1;
  await lively.clock.advance(5_000);
  assert.equal(made[0].restarts, 0);
});

test('the other comes back while the media is up: nothing happens', async () => {
  const { call, sent } = await established();
  call.arrived(true, false);
  await settle();
  assert.equal(made.length, 1);
  assert.equal(made[0].restarts, 0);
  assert.deepEqual(sent, []);
});

test('the other comes back while an offer is unanswered: the offer again', async () => {
  const { call, sent } = start();
  call.arrived(false, false);
  await settle();
  await settle();
  call.arrived(true, false);
  assert.deepEqual(sent, [{ kind: 'offer', sdp: 'offer 1' }, { kind: 'offer', sdp: 'offer 1' }]);
});

test('ICE starts again when the media has failed, and not before', async () => {
  const { sent, clock } = await established();
  made[0].become('disconnected');
  await clock.advance(4_900);
  made[0].become('connected');
  await clock.advance(60_000);
  assert.equal(made[0].restarts, 0, 'it mended itself');

  made[0].become('disconnected');
  await clock.advance(5_100);
  assert.equal(made[0].restarts, 1);
  assert.deepEqual(sent.map(({ kind }) => kind), ['offer']);
});

test('of two who see it fail, the impolite one restarts first, and it tries again', async () => {
  const impolite = await established();
  made[0].become('failed');
  await impolite.clock.advance(0);
  assert.equal(made[0].restarts, 1);
  await impolite.clock.advance(10_000);
  assert.equal(impolite.sent.filter(({ kind }) => kind === 'offer').length, 2, 'the offer once more');

  made.length = 0;
  const polite = await entered();
  made[0].become('failed');
  await polite.clock.advance(1_900);
  assert.equal(made[0].restarts, 0);
  await polite.clock.advance(200);
  assert.equal(made[0].restarts, 1);
});

test('a description that the browser will not have changes nothing', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const { call } = await established();
  await call.receive('offer', { session: 'theirs', sdp: 'broken' });
  await call.receive('offer', { session: 'theirs', sdp: 'o2' });
  assert.equal(made[0].remoteDescription.sdp, 'o2');
});

test('an answer that nobody waits for is dropped', async () => {
  const { call } = await established();
  await call.receive('answer', { session: 'theirs', sdp: 'a2' });
  assert.equal(made[0].remoteDescription.sdp, 'a1');
});

test('closed is closed', async () => {
  const { call, sent, clock } = await established();
  made[0].become('failed');
  call.close();
  assert.equal(clock.pending, 0);
  await clock.advance(60_000);
  assert.equal(made[0].signalingState, 'closed');
  assert.equal(call.media, 'new');
  assert.deepEqual(sent, []);
});

test('fresh ICE servers are taken in mid-call', async () => {
  const { call } = await established();
  call.setIceServers([{ urls: 'turn:a' }]);
  assert.deepEqual(made[0].config, { iceServers: [{ urls: 'turn:a' }] });
});

// ---- the safety code ----

const print = (digit) => `a=fingerprint:sha-256 ${Array(32).fill(digit.repeat(2)).join(':')}\r\n`;

test('the code is agreed over the channel once it is open, and goes with its connection', async () => {
  const { call } = await established();
  const heard = [];
  call.on('safety', ({ state }) => heard.push(state));
  made[0].localDescription = { type: 'offer', sdp: print('1') };
  made[0].remoteDescription = { type: 'answer', sdp: print('2') };
  const { channel } = made[0];
  channel.readyState = 'open';
  channel.onopen();
  await until(() => channel.sent.some((text) => JSON.parse(text).safety?.commit), { what: 'the commitment' });
  channel.onmessage({ data: JSON.stringify({ safety: { nonce: '0'.repeat(32) } }) });
  await until(() => heard.length === 1, { what: 'the words' });
  call.close();
  assert.deepEqual(heard, ['agreed', 'pending']);
});

test('descriptions without a fingerprint: no code', async () => {
  const { call } = await established();
  const heard = [];
  call.on('safety', (safety) => heard.push(safety));
  made[0].channel.readyState = 'open';
  made[0].channel.onopen();
  await settle();
  assert.deepEqual(heard, [{ state: 'none', words: [] }]);
});

test('a channel that opens while the answer is still being taken waits for it, and so does what the other says', async () => {
  const { call } = start();
  const heard = [];
  call.on('safety', ({ state }) => heard.push(state));
  call.arrived(false, false);
  await settle();
  await settle();
  made[0].localDescription = { type: 'offer', sdp: print('2') };
  const taken = call.receive('answer', { session: 'theirs', sdp: print('1') });
  const { channel } = made[0];
  channel.readyState = 'open';
  channel.onopen();
  channel.onmessage({ data: JSON.stringify({ safety: { commit: '0'.repeat(64) } }) });
  assert.equal(made[0].remoteDescription, null);
  await taken;
  await until(() => channel.sent.some((text) => JSON.parse(text).safety?.nonce), { what: 'the answer to the commitment' });
  assert.deepEqual(heard, []);
});

test('candidates that fit no description yet are kept, but not without end', async () => {
  const { call } = start();
  for (let n = 0; n < 1000; n++) await call.receive('candidate', { session: 'theirs', candidates: [{ candidate: `c${n}` }] });
  await call.receive('offer', { session: 'theirs', sdp: 'o1' });
  assert.equal(made[0].candidates.length, 64);
  assert.equal(made[0].candidates.at(-1), 'c999', 'the newest');
});

test('an offer with another certificate gets a connection of its own, an answer with another none', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const { call, sent } = await entered();
  await call.receive('offer', { session: 'theirs', sdp: print('2') });
  assert.equal(made.length, 2);
  await call.receive('offer', { session: 'theirs', sdp: print('2') });
  assert.equal(made.length, 2, 'the same certificate');
  assert.deepEqual(sent.map(({ kind }) => kind), ['answer', 'answer']);

  made.length = 0;
  const other = await established();
  made[0].signalingState = 'have-local-offer';
  await other.call.receive('answer', { session: 'theirs', sdp: print('3') });
  assert.equal(made[0].remoteDescription.sdp, 'a1');
});
