import assert from 'node:assert/strict';
import test from 'node:test';
import { backoff } from '../../web/js/clock.js';
import { Signalling } from '../../web/js/signalling.js';
import { FakeClock, FakeMqtt, settle } from './fakes.mjs';

const SELF = 'p-ada';
const grant = (serial = 1, lifeS = 3600) => ({
  peer_id: SELF, token: `token${serial}`, expires_in: lifeS, ice_servers: [{ urls: `turn:${serial}` }],
  mqtt: { url: 'ws://broker/', client_id: SELF, username: SELF, password: `token${serial}`, keepalive: 30 },
});
const room = (...ids) => ({ room_id: 'r', max_peers: 2, rev: 1, peers: ids.map((id) => ({ peer_id: id, peer_name: id, state: 'present' })) });

function start({ lifeS, renew, seat } = {}) {
  const parts = { clock: new FakeClock(), events: [], renewals: [] };
  const signalling = new Signalling({
    room: 'r', session: 's1', grant: grant(1, lifeS), seat, clock: parts.clock, random: () => 0,
    connect: (url, options) => (parts.client = new FakeMqtt(url, options)),
    renew: renew ?? (async (token) => {
      parts.renewals.push(token);
      return grant(parts.renewals.length + 1, 7200);
    }),
  });
  for (const name of ['connection', 'state', 'joined', 'full-room', 'user-arrived', 'user-away', 'cut-the-call', 'error', 'offer', 'answer',
    'candidate', 'roomd-status', 'replaced', 'unauthorized', 'grant']) {
    signalling.on(name, (detail) => parts.events.push([name, detail]));
  }
  signalling.start();
  return Object.assign(parts, { signalling, heard: (name) => parts.events.filter(([event]) => event === name).map(([, detail]) => detail) });
}

/** Of a topic in our inbox. */
const inbox = (event) => `rooms/r/to/${SELF}/${event}`;
const joined = (extra) => ({ session: 's1', resumed: false, seat: 'seat1', room: room(SELF), ...extra });

test('connects as the contract says', () => {
  const { client } = start();
  assert.equal(client.url, 'ws://broker/');
  const { clientId, username, password, keepalive, protocolVersion, will, properties, reconnectPeriod } = client.options;
  assert.deepEqual([clientId, username, password, keepalive, protocolVersion, reconnectPeriod], [SELF, SELF, 'token1', 30, 5, 0]);
  assert.deepEqual(will, { topic: `parley/v1/rooms/r/from/${SELF}/gone`, payload: '{"session":"s1"}', qos: 1, retain: false });
  assert.equal(properties.sessionExpiryInterval, 120);
  client.accept();
  assert.deepEqual(client.subscriptions, [{ [`parley/v1/rooms/r/to/${SELF}/#`]: { qos: 1 }, 'parley/v1/rooms/r/state': { qos: 0 } }]);
});

test('joins when connected, or as soon as it is', () => {
  const early = start();
  early.signalling.join('Ada');
  assert.deepEqual(early.client.published, []);
  early.client.accept();
  assert.deepEqual(early.client.sent('join'), [{ session: 's1', peer_name: 'Ada' }]);

  const late = start();
  late.client.accept();
  late.signalling.join('Ada');
  assert.equal(late.client.sent('join').length, 1);
});

test('after a loss: the same client, its stores kept, subscribed again, joined again with session and seat', async () => {
  const { client, clock, signalling, heard } = start();
  client.accept();
  signalling.join('Ada');
  client.deliver(`rooms/r/to/${SELF}/joined`, joined());
  client.lose();
  assert.deepEqual(heard('connection'), ['connecting', 'online', 'reconnecting']);
  await clock.advance(200);
  assert.deepEqual(client.reconnects, [{ incomingStore: 'incoming', outgoingStore: 'outgoing' }]);
  assert.equal(client.options.clean, false, 'the session is kept now');
  client.accept();
  assert.equal(client.subscriptions.length, 2);
  assert.deepEqual(client.sent('join').at(-1), { session: 's1', peer_name: 'Ada', seat: 'seat1' });
});

test('each attempt at coming back has its time: short ones, for a network that is back, and a long one, for one that is slow', async () => {
  const { client, clock } = start();
  assert.equal(client.options.connectTimeout, 10_000);
  client.accept();
  const timeouts = [];
  for (let i = 0; i < 9; i++) {
    client.lose();
    await clock.advance(3_000);
    timeouts.push(client.options.connectTimeout / 1000);
  }
  assert.deepEqual(timeouts, [3, 5, 3, 3, 5, 3, 3, 10, 3]);
});

test('while the call itself waits for the broker, pauses are short', async () => {
  const { client, clock, signalling } = start();
  client.accept();
  signalling.isUrgent = true;
  for (let i = 0; i < 20; i++) {
    client.lose();
    await clock.advance(1_000);
    assert.equal(client.reconnects.length, i + 1);
  }
});

test('a seat of the page load before is shown at once', () => {
  const { client, signalling } = start({ seat: 'old-seat' });
  client.accept();
  signalling.join('Ada');
  assert.equal(client.sent('join')[0].seat, 'old-seat');
});

test('delays grow, are capped, and differ', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((attempt) => backoff(attempt, 0)), [125, 250, 500, 1000, 1500, 1500, 1500]);
  assert.ok(backoff(0, 0.9) > backoff(0, 0.1));
  assert.ok(backoff(50, 0.999) <= 3000);
});

test('a broker that stays away is asked less and less often', async () => {
  const { client, clock } = start();
  client.accept();
  client.lose();
  for (const wait of [125, 250, 500]) {
    const before = client.reconnects.length;
    await clock.advance(wait - 1);
    assert.equal(client.reconnects.length, before);
    await clock.advance(1);
    assert.equal(client.reconnects.length, before + 1);
    client.lose();
  }
});

test('stop: the broker keeps nothing for it', () => {
  const { client, signalling } = start();
  client.accept();
  signalling.stop();
  assert.deepEqual([client.ended, client.keptFor], [true, 0]);
});

for (const reasonCode of [0x8e, 0x98]) {
  test(`replaced (0x${reasonCode.toString(16)}): says so and stops`, async () => {
    const { client, clock, heard } = start();
    client.accept();
    client.emit('disconnect', { reasonCode });
    client.lose();
    await clock.advance(600_000);
    assert.equal(heard('replaced').length, 1);
    assert.deepEqual(client.reconnects, []);
    assert.ok(client.ended);
    assert.equal(clock.pending, 0);
  });
}

test('another DISCONNECT is a loss like any', async () => {
  const { client, clock, heard } = start();
  client.accept();
  client.emit('disconnect', { reasonCode: 0x8b }); // server shutting down
  client.lose();
  await clock.advance(200);
  assert.equal(heard('replaced').length, 0);
  assert.equal(client.reconnects.length, 1);
});

test('a new epoch of roomd: joins again, once', () => {
  const { client, signalling } = start();
  client.accept();
  client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'e1' });
  signalling.join('Ada');
  client.deliver(`rooms/r/to/${SELF}/joined`, joined());
  client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'e1' });
  client.deliver(inbox('roomd-status'), { state: 'offline', version: '1', epoch: 'e1' });
  assert.equal(client.sent('join').length, 1);
  client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'e2' });
  assert.deepEqual(client.sent('join').slice(1), [{ session: 's1', peer_name: 'Ada', seat: 'seat1' }]);
});

test('shown as away though connected: joins again, unless it is answered meanwhile', async () => {
  const { client, clock, signalling } = start();
  const away = room(SELF);
  away.peers[0].state = 'away';
  client.accept();
  client.deliver('rooms/r/state', away);
  await clock.advance(2000);
  assert.equal(client.sent('join').length, 0, 'not before it has joined');
  signalling.join('Ada');
  client.deliver('rooms/r/state', away);
  client.deliver(`rooms/r/to/${SELF}/joined`, joined());
  await clock.advance(2000);
  assert.equal(client.sent('join').length, 1, 'answered');
  client.deliver('rooms/r/state', away);
  await clock.advance(2000);
  assert.deepEqual(client.sent('join').slice(1), [{ session: 's1', peer_name: 'Ada', seat: 'seat1' }]);
  client.deliver('rooms/r/state', away);
  signalling.stop();
  await clock.advance(2000);
  assert.equal(client.sent('join').length, 2, 'stopped');
});

test('who has not joined, or was refused, does not join by itself', () => {
  const { client, signalling } = start();
  client.accept();
  client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'e1' });
  client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'e2' });
  assert.deepEqual(client.sent('join'), []);
  signalling.join('Ada');
  signalling.forgetJoin();
  client.deliver(inbox('roomd-status'), { state: 'online', version: '1', epoch: 'e3' });
  assert.equal(client.sent('join').length, 1);
});

test('hears what is for this page, and nothing else', () => {
  const { client, events } = start();
  client.accept();
  events.length = 0;
  client.deliver(`rooms/r/to/${SELF}/joined`, joined({ session: 'before' }));
  client.deliver(`rooms/r/to/${SELF}/full-room`, { session: 'before', max_peers: 2 });
  client.deliver(`rooms/other/to/${SELF}/user-arrived`, { peer_id: 'p-bob', peer_name: 'Bob', resumed: false });
  client.deliver(`rooms/r/to/${SELF}/offer/p-bob`, { session: 's2' });
  client.deliver(`rooms/r/to/${SELF}/nonsense`, {});
  client.deliver('elsewhere', {});
  assert.deepEqual(events, []);
  client.deliver(`rooms/r/to/${SELF}/offer/p-bob`, { session: 's2', sdp: 'v=0' });
  client.deliver('rooms/r/state', '');
  assert.deepEqual(events, [['offer', { session: 's2', sdp: 'v=0', from: 'p-bob' }], ['state', { room: null }]]);
});

test('offers and answers are QoS 1, candidates QoS 0, and all of them expire', () => {
  const { client, signalling } = start();
  client.accept();
  signalling.send('offer', 'p-bob', { sdp: 'v=0' });
  signalling.send('answer', 'p-bob', { sdp: 'v=0' });
  signalling.send('candidate', 'p-bob', { candidates: [], done: true });
  assert.deepEqual(client.published.map(({ topic, options }) => [topic, options.qos, options.properties.messageExpiryInterval]), [
    [`parley/v1/rooms/r/to/p-bob/offer/${SELF}`, 1, 30], [`parley/v1/rooms/r/to/p-bob/answer/${SELF}`, 1, 30],
    [`parley/v1/rooms/r/to/p-bob/candidate/${SELF}`, 0, 30],
  ]);
  assert.deepEqual(client.published[0].body, { session: 's1', sdp: 'v=0' });
});

test('leaving is done when the state says so', async () => {
  const { client, signalling } = start();
  client.accept();
  client.deliver('rooms/r/state', room(SELF, 'p-bob'));
  let left = false;
  void signalling.leave().then(() => (left = true));
  assert.deepEqual(client.sent('cut-the-call'), [{ session: 's1' }]);
  client.deliver('rooms/r/state', room(SELF, 'p-bob'));
  await settle();
  assert.equal(left, false);
  client.deliver('rooms/r/state', room('p-bob'));
  await settle();
  assert.equal(left, true);
});

test('who has left does not join again by a reconnect', async () => {
  const { client, signalling } = start();
  client.accept();
  signalling.join('Ada');
  await signalling.leave();
  client.lose();
  client.accept();
  assert.equal(client.sent('join').length, 1);
});

test('leaving takes 2 s at most, and no time for one who is no member any more', async () => {
  const { client, signalling, clock } = start();
  client.accept();
  client.deliver('rooms/r/state', room(SELF));
  let left = false;
  void signalling.leave().then(() => (left = true));
  await clock.advance(1_900);
  assert.equal(left, false);
  await clock.advance(200);
  assert.equal(left, true);
  client.deliver('rooms/r/state', room());
  await signalling.leave();
  assert.equal(client.sent('cut-the-call').length, 2);
});

test('a token is renewed before it expires, in the middle of the connection', async () => {
  const { client, clock, renewals, signalling, heard } = start({ lifeS: 600 });
  client.accept();
  await clock.advance(470_000);
  assert.deepEqual(renewals, []);
  await clock.advance(11_000);
  assert.deepEqual(renewals, ['token1']);
  assert.equal(client.options.password, 'token2');
  assert.equal(heard('grant').length, 1);
  assert.deepEqual(signalling.iceServers, [{ urls: 'turn:2' }]);
  assert.deepEqual(client.reconnects, []);
});

test('a renewal that fails is tried again, without hurry', async () => {
  let tries = 0;
  const { client, clock } = start({ lifeS: 600, renew: async () => {
    tries++;
    throw Object.assign(new Error('offline'), { id: 'offline' });
  } });
  client.accept();
  await clock.advance(700_000);
  assert.ok(tries >= 2 && tries <= 16, `${tries} tries`);
});

for (const jump of [86_400_000, -86_400_000]) {
  test(`a clock that is set ${jump > 0 ? 'forward' : 'back'} by a day changes nothing of that`, async () => {
    const { client, clock, renewals } = start({ lifeS: 600 });
    client.accept();
    await clock.advance(100_000);
    clock.set(jump);
    await clock.advance(370_000);
    assert.deepEqual(renewals, []);
    await clock.advance(11_000);
    assert.deepEqual(renewals, ['token1']);
    await clock.advance(7_000_000);
    assert.deepEqual(renewals, ['token1'], 'the next one in its time');
    client.lose();
    await clock.advance(200);
    assert.equal(client.reconnects.length, 1);
  });
}

test('after a sleep, in which timers stood still, a pass that has become old is renewed at once', async () => {
  const { client, clock, renewals, signalling } = start({ lifeS: 600 });
  client.accept();
  clock.set(479_000);
  signalling.wake();
  await clock.advance(0);
  assert.deepEqual(renewals, []);
  clock.set(1_000);
  signalling.wake();
  await clock.advance(0);
  assert.deepEqual(renewals, ['token1']);
  signalling.wake();
  await clock.advance(0);
  assert.equal(renewals.length, 1);
});

test('no connect with a refused token: a fresh one first', async () => {
  const { client, clock, renewals } = start({ lifeS: 3600 });
  client.emit('error', { code: 0x87 });
  client.lose();
  await clock.advance(200);
  assert.deepEqual(renewals, ['token1']);
  assert.equal(client.reconnects.length, 1);
  assert.equal(client.options.password, 'token2');
});

test('a pass that counts no more ends it, but never a connection that is up', async () => {
  const renew = async () => {
    throw Object.assign(new Error('no'), { id: 'unauthorized' });
  };
  const up = start({ lifeS: 60, renew });
  up.client.accept();
  await up.clock.advance(120_000);
  assert.equal(up.heard('unauthorized').length, 0);
  up.client.lose();
  await up.clock.advance(1_000);
  assert.equal(up.client.reconnects.length, 1, 'the broker is asked, whatever the time is');
  up.client.emit('error', { code: 0x87 });
  up.client.lose();
  await up.clock.advance(1_000);
  assert.equal(up.heard('unauthorized').length, 1);
  assert.equal(up.client.reconnects.length, 1);
});

test('woken in the middle of an attempt: that one may lead nowhere, so another begins', async () => {
  const { client, clock, signalling } = start();
  client.accept();
  client.lose();
  await clock.advance(3_000);
  assert.equal(client.reconnects.length, 1);
  signalling.wake();
  assert.equal(client.destroyed, 1);
  client.lose(); // which that leads to
  await clock.advance(250);
  assert.equal(client.reconnects.length, 2);
  signalling.probe();
  assert.equal(client.destroyed, 1, 'media that is interrupted is no reason');
});

test('woken: reconnects at once, or looks within a second whether the connection lives', async () => {
  const { client, clock, signalling } = start();
  client.accept();
  signalling.wake();
  assert.equal(client.pings, 1);
  client.emit('packetreceive');
  await clock.advance(5_000);
  assert.equal(client.destroyed, 0);
  signalling.wake();
  await clock.advance(2_000);
  assert.equal(client.destroyed, 1);
  client.lose();
  signalling.wake();
  await settle();
  assert.equal(client.reconnects.length, 1);
});

test('after stop nothing is emitted and nothing is tried', async () => {
  const { client, clock, signalling, events } = start();
  client.accept();
  events.length = 0;
  signalling.stop();
  client.deliver('rooms/r/state', room(SELF));
  client.lose();
  await clock.advance(600_000);
  assert.deepEqual(events, []);
  assert.deepEqual(client.reconnects, []);
  assert.equal(clock.pending, 0);
});
