/** The page without a page: the broker's events, the media's, and what they lead to. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Attendance } from '../../web/js/attendance.js';
import { FakeClock, FakeMediaStream, FakeMqtt, FakePeerConnection, settle } from './fakes.mjs';

globalThis.MediaStream = FakeMediaStream;
const [SELF, OTHER] = ['p-ada', 'p-bob'];
const grant = {
  peer_id: SELF, token: 'token', expires_in: 3600, ice_servers: [],
  mqtt: { url: 'ws://broker/', client_id: SELF, username: SELF, password: 'token', keepalive: 30 },
};
const room = (rev, ...ids) => ({ room_id: 'r', max_peers: 2, rev, peers: ids.map((id) => ({ peer_id: id, peer_name: id, state: 'present' })) });
const inbox = (event) => `rooms/r/to/${SELF}/${event}`;

/** One who is in a call with the other: media flows. */
async function inCall({ isAnswered = true } = {}) {
  const parts = { clock: new FakeClock(), steps: [] };
  FakePeerConnection.made.length = 0;
  const attendance = new Attendance({
    room: 'r', session: 's1', renew: async () => grant, clock: parts.clock,
    connect: (url, options) => (parts.client = new FakeMqtt(url, options)),
    newConnection: (config) => (parts.connection = new FakePeerConnection(config)),
  });
  attendance.on('page', ({ page, before }) => page.view !== before.view && parts.steps.push(page.view));
  attendance.enter(grant);
  parts.client.accept();
  attendance.join('Ada');
  if (!isAnswered) return { ...parts, attendance };
  parts.client.deliver(inbox('joined'), { session: 's1', resumed: false, seat: 'seat', room: room(2, SELF) });
  parts.client.deliver('rooms/r/state', room(3, SELF, OTHER));
  parts.client.deliver(inbox('user-arrived'), { peer_id: OTHER, peer_name: 'Bob', resumed: false });
  await settle();
  await settle();
  parts.client.deliver(inbox(`answer/${OTHER}`), { session: 'theirs', sdp: 'a1' });
  for (let i = 0; i < 4; i++) await settle();
  parts.connection.become('connected');
  return { ...parts, attendance };
}

test('a call comes about: lobby, call, and an offer to whoever arrives', async () => {
  const { attendance, client, steps, connection } = await inCall();
  assert.deepEqual(steps, ['lobby', 'call']);
  assert.equal(client.published.filter(({ topic }) => topic === `parley/v1/rooms/r/to/${OTHER}/offer/${SELF}`).length, 1);
  assert.equal(connection.remoteDescription.sdp, 'a1');
  assert.equal(attendance.page.media, 'connected');
});

test('who wants to join before there is a pass asks as soon as there is a connection', () => {
  let client;
  const attendance = new Attendance({
    room: 'r', session: 's1', renew: async () => grant, clock: new FakeClock(), connect: (url, options) => (client = new FakeMqtt(url, options)),
    newConnection: (config) => new FakePeerConnection(config),
  });
  attendance.dispatch({ type: 'opened' });
  attendance.join('Ada');
  attendance.enter(grant);
  assert.deepEqual(client.published, []);
  client.accept();
  assert.deepEqual(client.published.map(({ topic, body }) => [topic, body.peer_name]), [[`parley/v1/rooms/r/from/${SELF}/join`, 'Ada']]);
});

test('offers of others than the other member come to nothing', async () => {
  const { client, connection } = await inCall();
  client.deliver(inbox('offer/p-eve'), { session: 'x', sdp: 'o9' });
  await settle();
  assert.equal(connection.remoteDescription.sdp, 'a1');
});

test('media that stops may be the network: the broker is asked whether it is there', async () => {
  for (const state of ['disconnected', 'failed']) {
    const { client, clock, connection } = await inCall();
    connection.become(state);
    assert.equal(client.pings, 1);
    await clock.advance(2_000);
    assert.equal(client.destroyed, 1, 'no answer');
  }
});

test('a broker that is lost costs no call', async () => {
  const { attendance, client, connection, steps } = await inCall();
  client.lose();
  assert.equal(attendance.page.link, 'reconnecting');
  assert.equal(connection.connectionState, 'connected');
  assert.deepEqual(steps, ['lobby', 'call']);
});

test('who was refused is not let in later, unasked', async () => {
  for (const refusal of [['full-room', { session: 's1', max_peers: 2 }], ['error', { error: 'quota', detail: '', event: 'join' }]]) {
    const { attendance, client } = await inCall({ isAnswered: false });
    client.deliver(inbox(refusal[0]), refusal[1]);
    attendance.join('Ada');
    assert.equal(client.sent('join').length, 2);
    client.deliver(inbox(refusal[0]), refusal[1]);
    client.lose();
    client.accept();
    client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'another' });
    client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'and another' });
    assert.equal(client.sent('join').length, 2, refusal[0]);
  }
});

test('back at the broker after a loss: it listens whether the other is still to be heard', async () => {
  const { client, clock, connection } = await inCall();
  client.lose();
  client.accept();
  await settle();
  await clock.advance(1_000);
  await settle();
  assert.equal(connection.restarts, 1);
});

test('a server that asks for patience is asked again when it said', async () => {
  const { client, clock } = await inCall();
  client.deliver(inbox('error'), { error: 'unavailable', detail: '', event: 'join', retry_s: 7 });
  await clock.advance(6_900);
  assert.equal(client.sent('join').length, 1);
  await clock.advance(200);
  assert.equal(client.sent('join').length, 2);
});

test('hanging up: the connection goes first, the server is told, and that is the end', async () => {
  const { attendance, client, connection, steps } = await inCall();
  const done = attendance.hangUp();
  assert.equal(connection.connectionState, 'closed');
  assert.deepEqual(client.sent('cut-the-call'), [{ session: 's1' }]);
  client.deliver('rooms/r/state', room(4, OTHER));
  await done;
  assert.deepEqual([attendance.page.ending, ...steps], ['left', 'lobby', 'call', 'ended']);
  await attendance.close();
  assert.equal(client.sent('cut-the-call').length, 1);
  assert.ok(client.ended);
});

test('the other hangs up: so do we, and say so', async () => {
  const { attendance, client, connection } = await inCall();
  client.deliver(inbox('cut-the-call'), { peer_id: OTHER, reason: 'hung-up' });
  assert.equal(connection.connectionState, 'closed');
  const closed = attendance.close();
  client.deliver('rooms/r/state', room(5));
  await closed;
  assert.deepEqual([attendance.page.ending, attendance.page.by], ['hung-up', OTHER]);
  assert.equal(client.sent('cut-the-call').length, 1);
});

test('one who was replaced stays away', async () => {
  const { attendance, client, connection } = await inCall();
  client.emit('disconnect', { reasonCode: 0x8e });
  assert.equal(attendance.page.view, 'replaced');
  assert.equal(connection.connectionState, 'closed');
  client.lose();
  assert.deepEqual(client.reconnects, []);
});
