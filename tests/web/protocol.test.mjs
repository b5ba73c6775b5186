import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { cleanPeerName, formatTopic, isHeard, isId, isPeerId, parseMessage, parseTopic, randomId, roomFromInput, roomFromPath, topicQos }
  from '../../web/js/protocol.js';

const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

test('ids, by the vectors that the C code is tested with', () => {
  for (const { in: text, valid, role, why } of vectors('ids')) {
    assert.equal(isId(text), valid, `${text}: ${why}`);
    assert.equal(isPeerId(text), role !== 'none', `${text}: ${why}`);
  }
});

test('peer names, by the vectors that the C code is tested with', () => {
  for (const vector of vectors('peer_names')) {
    if (typeof vector.in === 'string') assert.equal(cleanPeerName(vector.in), vector.out, vector.why);
  }
});

test('a lone surrogate is in no name', () => {
  assert.equal(cleanPeerName('a\ud800'), null);
  assert.equal(cleanPeerName('\udc00'), null);
  assert.equal(cleanPeerName('\ud83d\ude00'), '\ud83d\ude00');
});

/** The kinds of topic that a page meets; the others of the contract are not for it. */
const KNOWN = new Map([
  ['rooms/{room}/state', 'state'], ['rooms/{room}/from/{peer}/join', 'join'], ['rooms/{room}/from/{peer}/cut-the-call', 'cut-request'],
  ['rooms/{room}/from/{peer}/gone', 'gone'], ['rooms/{room}/to/{peer}/joined', 'joined'], ['rooms/{room}/to/{peer}/full-room', 'full-room'],
  ['rooms/{room}/to/{peer}/user-arrived', 'user-arrived'], ['rooms/{room}/to/{peer}/user-away', 'user-away'],
  ['rooms/{room}/to/{peer}/cut-the-call', 'cut-the-call'], ['rooms/{room}/to/{peer}/error', 'error'],
  ['rooms/{room}/to/{peer}/offer/{from}', 'offer'], ['rooms/{room}/to/{peer}/answer/{from}', 'answer'],
  ['rooms/{room}/to/{peer}/candidate/{from}', 'candidate'], ['rooms/{room}/to/{peer}/roomd-status', 'roomd-status'],
]);

test('topics, by the vectors that the C code is tested with', () => {
  const seen = new Set();
  for (const { topic, pattern, room, peer, from, qos, why } of vectors('topics')) {
    const kind = KNOWN.get(pattern);
    if (!kind) {
      assert.equal(parseTopic(topic), null, `${topic}: ${why ?? 'not for pages'}`);
      continue;
    }
    seen.add(kind);
    assert.deepEqual(parseTopic(topic), { kind, room, peer, from });
    assert.equal(formatTopic(kind, { room, peer, from }), topic);
    assert.equal(topicQos(kind), qos, topic);
  }
  assert.equal(seen.size, KNOWN.size, 'every kind has a vector');
});

test('no topic is made from what is no id', () => {
  for (const room of ['', 'a/b', '+', '#', 'x'.repeat(65), undefined]) assert.throws(() => formatTopic('state', { room }), TypeError);
});

const PEER = { peer_id: 'p-ada', peer_name: 'Ada', state: 'present' };
const ROOM = { room_id: 'r', max_peers: 2, rev: 3, peers: [PEER] };
const VALID = {
  'state': ROOM,
  'joined': { session: 's', resumed: false, seat: 'a.b.c', room: ROOM },
  'full-room': { session: 's', max_peers: 2 },
  'user-arrived': { peer_id: 'p-bob', peer_name: 'Bob', resumed: true },
  'user-away': { peer_id: 'p-bob', grace_s: 30 },
  'cut-the-call': { peer_id: 'p-bob', reason: 'hung-up' },
  'error': { error: 'unavailable', detail: 'Later.', event: 'join', retry_s: 2 },
  'offer': { session: 's', sdp: 'v=0' },
  'answer': { session: 's', sdp: 'v=0' },
  'candidate': { session: 's', candidates: [{ candidate: 'c', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'u' }], done: false },
  'roomd-status': { state: 'online', version: '1', epoch: 'e' },
};

test('every kind of message is read, and read without the fields that are not known', () => {
  for (const [kind, body] of Object.entries(VALID)) {
    assert.ok(isHeard(kind), kind);
    const message = parseMessage(kind, JSON.stringify({ ...body, tomorrow: 'new' }));
    assert.ok(message, kind);
    assert.ok(!('tomorrow' in message), kind);
  }
  assert.deepEqual(parseMessage('state', JSON.stringify(ROOM)), { room: ROOM });
  assert.ok(!isHeard('join'));
});

test('an empty state says that the room is gone; nothing else may be empty', () => {
  assert.deepEqual(parseMessage('state', ''), { room: null });
  for (const kind of Object.keys(VALID).filter((name) => name !== 'state')) assert.equal(parseMessage(kind, ''), null, kind);
});

test('a message without one of its fields, or with another type, is none', () => {
  const optional = new Set(['error.retry_s', 'roomd-status.version']);
  for (const [kind, body] of Object.entries(VALID)) {
    for (const field of Object.keys(body)) {
      const without = { ...body };
      delete without[field];
      if (!optional.has(`${kind}.${field}`)) assert.equal(parseMessage(kind, JSON.stringify(without)), null, `${kind} without ${field}`);
      if (field === 'version') continue;
      assert.equal(parseMessage(kind, JSON.stringify({ ...body, [field]: { no: 1 } })), null, `${kind}: ${field} an object`);
      assert.equal(parseMessage(kind, JSON.stringify({ ...body, [field]: null })), null, `${kind}: ${field} null`);
    }
  }
});

test('what is not a JSON object of a sensible size is no message', () => {
  for (const text of ['null', '[]', '"x"', '1', '{', 'x', `{"session":"s","sdp":"${'x'.repeat(70_000)}"}`]) {
    assert.equal(parseMessage('offer', text), null);
  }
});

test('a room with more members than it holds, or with a nameless one, is none', () => {
  assert.equal(parseMessage('state', JSON.stringify({ ...ROOM, peers: [PEER, PEER, PEER] })), null);
  assert.equal(parseMessage('state', JSON.stringify({ ...ROOM, peers: [{ ...PEER, peer_name: ' ' }] })), null);
  assert.equal(parseMessage('state', JSON.stringify({ ...ROOM, peers: [{ ...PEER, state: 'asleep' }] })), null);
});

test('candidates: 64 at most, null where the browser may leave a field out', () => {
  const body = (count) => JSON.stringify({ session: 's', candidates: Array(count).fill({ candidate: 'c' }), done: true });
  assert.deepEqual(parseMessage('candidate', body(1))?.candidates, [{ candidate: 'c', sdpMid: null, sdpMLineIndex: null, usernameFragment: null }]);
  assert.ok(parseMessage('candidate', body(64)));
  assert.equal(parseMessage('candidate', body(65)), null);
});

test('the room that somebody means', () => {
  assert.equal(roomFromInput(' k3f9-x2m7-qp4d '), 'k3f9-x2m7-qp4d');
  assert.equal(roomFromInput('https://calls.example/r/k3f9-x2m7-qp4d/?from=mail'), 'k3f9-x2m7-qp4d');
  assert.equal(roomFromInput('localhost:8080/r/kitchen'), 'kitchen');
  assert.equal(roomFromInput('https://calls.example/'), null);
  assert.equal(roomFromInput('a room'), null);
  assert.equal(roomFromInput(''), null);
  assert.equal(roomFromPath('/r/kitchen/'), 'kitchen');
  assert.equal(roomFromPath('/r/<b>/'), null);
  assert.equal(roomFromPath('/'), null);
});

test('random ids are ids, and differ', () => {
  const ids = new Set(Array.from({ length: 100 }, randomId));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.ok(isId(id));
});
