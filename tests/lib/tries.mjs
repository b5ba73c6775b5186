/**
 * What a third tries against two in a call, kind by kind, and what has to become of each try: a second statement of the contract's
 * access table, from the attacker's side.
 *
 * A try is made from random choices, the scene and the intruder that makes it:
 *
 * - `publish` {topic, payload, options}, with what has to become of it: 'denied' (the gate, nothing said), 'not-a-member' and 'too-large' (the
 *   gate, and an `error` in the intruder's own inbox); 'full-room', 'bad-request', 'bad-peer-name' (roomd's answers to the intruder); 'ignored'
 * - `subscribe` {filter}, refused
 * - `connect` {id, username, password}, refused; `reason` is the gate's
 * - `will` {topic, payload, options} of a connection that breaks: 'denied', 'not-a-member' or 'ignored'
 * - `raw` bytes that are no MQTT: the connection ends
 *
 * @typedef {{id: string, token: string, room: string, version: 4 | 5, transport: string, session: string, seat?: string}} Intruder
 * @typedef {{id: string, name: string, session: string, seat: string}} Member
 * @typedef {{room: string, elsewhere: string, members: Member[], genuine: {topic: string, event: string, payload: Buffer}[],
 *            signer: {kid: string, key: Buffer}}} Scene
 * @typedef {ReturnType<typeof import('./random.mjs').randomBy>} Random
 */
import { forge, nowS } from './jwt.mjs';
import { SDP } from './peer.mjs';
import { RAW } from './raw_mqtt.mjs';

const SIGNALS = ['offer', 'answer', 'candidate'];
const ROOMDS = ['joined', 'full-room', 'user-arrived', 'user-away', 'cut-the-call', 'error'];
const TOO_LARGE = { 'join': 4097, 'cut-the-call': 4097, 'gone': 4097, 'candidate': 16 * 1024 + 1, 'offer': 64 * 1024 + 1, 'answer': 64 * 1024 + 1 };
const MALFORMED = ['', 'hello', 'null', '[]', '{"session":"s"', '{"session":7,"peer_name":"x"}', '{"session":"a/b","peer_name":"x"}', '{"peer_name":"x","session":"s","session":"t"}',
  '{"session":"s","peer_name":"\\u0000"}', '{"session":"s","peer_name":"\\ud800"}', `{"session":"s","peer_name":"x","y":${'['.repeat(200)}${']'.repeat(200)}}`,
  Buffer.from('{"session":"s","peer_name":"\xc0\xaf"}', 'latin1'), Buffer.from('{"session":"s\0","peer_name":"x"}')];
const BAD_NAMES = ['', ' ', 'x'.repeat(65), 'a\nb', 'a\u001b[2Jb', 'a\u202eb'];

const json = (value) => JSON.stringify(value);

// ---- the parts of which tries are made ----

/** Somebody: often one of the members, sometimes the intruder, sometimes nobody at all. */
function somebody(r, scene, self) {
  return r.chance(0.6) ? r.pick(scene.members).id : r.chance(0.5) ? self.id : r.id('p-');
}

const anySession = (r, scene, self) => r.pick([self.session, r.id(), ...scene.members.map((member) => member.session)]);

function signalPayload(r, scene, self, event) {
  if (r.chance(0.05)) return '';
  const session = anySession(r, scene, self);
  if (event === 'candidate') {
    const candidate = `candidate:${r.int(9)} 1 udp ${r.int(1e9)} 192.0.2.${r.int(255)} ${1024 + r.int(60000)} typ host`;
    return json({ session, candidates: [{ candidate, sdpMid: '0', sdpMLineIndex: 0 }], done: r.chance(0.5) });
  }
  return json({ session, sdp: `${SDP}a=x:${r.id()}\r\n` });
}

function joinPayload(r, scene, self, session = anySession(r, scene, self)) {
  const seat = r.pick([undefined, 'a.b.c', self.seat, self.token, ...scene.members.map((member) => member.seat)]);
  return json({ session, peer_name: r.pick(['Cem', ...scene.members.map((member) => member.name)]), ...(seat && { seat }) });
}

/** A room as the intruder would like it. */
function wishedRoom(r, scene, self) {
  const [one, other] = scene.members.map(({ id, name }) => ({ peer_id: id, peer_name: name, state: r.pick(['present', 'away']) }));
  const me = { peer_id: self.id, peer_name: 'Cem', state: 'present' };
  return { room_id: r.pick([scene.room, self.room]), max_peers: r.pick([2, 3]), rev: r.pick([0, 1, 7, 1000 + r.int(1e6)]), peers: r.pick([[], [me], [one, me], [me, other], [one, other, me], [one]]) };
}

function roomdsPayload(r, scene, self, event) {
  const peer = { peer_id: somebody(r, scene, self), peer_name: 'Cem' };
  return json({
    'joined': { session: anySession(r, scene, self), resumed: r.chance(0.5), seat: 'a.b.c', room: wishedRoom(r, scene, self) },
    'full-room': { session: anySession(r, scene, self), max_peers: 2 },
    'user-arrived': { ...peer, resumed: r.chance(0.5) },
    'user-away': { peer_id: peer.peer_id, grace_s: 30 },
    'cut-the-call': { peer_id: peer.peer_id, reason: r.pick(['hung-up', 'lost', 'kicked', 'room-closed']) },
    'error': { error: 'no-such-room', detail: 'gone', event: 'join' },
  }[event]);
}

const withQos = (r, retained = 0.15) => ({ qos: r.int(3), retain: r.chance(retained) });

/** An offer, answer or candidate, with the ids in every place. */
const signal = (event) => (r, scene, self) => {
  const [room, to, from] = [r.chance(0.1) ? scene.elsewhere : scene.room, somebody(r, scene, self), r.chance(0.6) ? self.id : somebody(r, scene, self)];
  const options = withQos(r);
  const asOneself = room === self.room && from === self.id && to !== self.id && !options.retain;
  return { topic: `rooms/${room}/to/${to}/${event}/${from}`, payload: signalPayload(r, scene, self, event), options, event, outcome: asOneself ? 'not-a-member' : 'denied' };
};

/** An event to roomd in one's own or another's name, in the members' room; `outcome` is that of one's own. */
function toRoomd(r, scene, self, { event, payload, outcome, session }) {
  const options = withQos(r);
  const who = r.chance(0.5) ? self.id : r.chance(0.9) ? r.pick(scene.members).id : r.id('p-');
  const asOneself = who === self.id && self.room === scene.room && !options.retain;
  return { topic: `rooms/${scene.room}/from/${who}/${event}`, payload, options, event, session, outcome: asOneself ? outcome : 'denied' };
}

const join = (r, scene, self) => {
  const session = anySession(r, scene, self);
  return toRoomd(r, scene, self, { event: 'join', payload: joinPayload(r, scene, self, session), session, outcome: 'full-room' });
};

const leaving = (event) => (r, scene, self) => {
  const payload = json(event === 'gone' && r.chance(0.2) ? {} : { session: anySession(r, scene, self) });
  return toRoomd(r, scene, self, { event, payload, outcome: 'ignored' });
};

const forgedEvent = (events) => (r, scene, self) => {
  const event = r.pick(events);
  const payload = r.chance(0.05) ? '' : roomdsPayload(r, scene, self, event);
  return { topic: `rooms/${scene.room}/to/${somebody(r, scene, self)}/${event}${r.chance(0.1) ? `/${self.id}` : ''}`, payload, options: withQos(r), event, outcome: 'denied' };
};

const state = (r, scene, self) => ({
  topic: `rooms/${r.chance(0.9) ? scene.room : scene.elsewhere}/state`,
  payload: r.chance(0.25) ? '' : json(wishedRoom(r, scene, self)), options: withQos(r, 0.6), outcome: 'denied',
});

const elsewhere = (r, scene, self) => {
  const member = r.pick(scene.members).id;
  const topic = r.pick(['parley/v1/roomd/status', 'parley/v1/roomd/stats', `parley/v1/lobby/from/${self.id}/create-room`, `parley/v1/lobby/from/${member}/create-room`,
    `parley/v1/lobby/to/${member}/room-created`, `parley/v1/devices/${self.id}/status`, 'parley/v1/devices/d-x/ring', 'parley/v1', `parley/v1/rooms/${scene.room}`,
    `parley/v1//rooms/${scene.room}/state`, `parley/v1/rooms/${scene.room}/state/`, `/parley/v1/rooms/${scene.room}/state`, `Parley/v1/rooms/${scene.room}/state`,
    `parley/v2/rooms/${scene.room}/state`, `parley/v1/rooms/${scene.room}/to/${member}`, `parley/v1/rooms/${scene.room}/to/${member}/`, `parley/v1/rooms/${scene.room}/to/${member}/offer/${self.id}/x`,
    `parley/v1/rooms/${scene.room}/to/${member}/Offer/${self.id}`, `parley/v1/rooms/${scene.room}/from/${self.id}/join/x`, `parley/v1/rooms/${scene.room}/from/${self.id}`,
    '$SYS/broker/uptime', '$share/x/parley/v1/roomd/status', '$CONTROL/dynamic-security/v1', r.id()]);
  // What begins so the broker refuses by itself, and the gate never counts it.
  const isBrokers = /^\$(SYS|share)\//.test(topic);
  return { whole: topic, isBrokers, payload: r.pick(['', '{}', json({ state: 'offline', version: '1', epoch: r.id() })]), options: withQos(r), outcome: 'denied' };
};

/** What the members said, byte for byte: in their names, or in one's own. */
const replay = (r, scene, self) => {
  const { topic, event, payload } = r.pick(scene.genuine);
  if (r.chance(0.5)) return { topic, payload, options: withQos(r), event, outcome: 'denied' };
  const options = withQos(r);
  const mayAsk = self.room === scene.room && !options.retain;
  if (event !== 'join') return { topic: topic.replace(/[^/]+$/, self.id), payload, options, event, outcome: mayAsk ? 'not-a-member' : 'denied' };
  return { topic: `rooms/${scene.room}/from/${self.id}/join`, payload, options, event, session: JSON.parse(payload).session, outcome: mayAsk ? 'full-room' : 'denied' };
};

const badInput = (r, scene, self) => {
  const event = r.pick(['join', 'cut-the-call', 'gone']);
  if (event === 'join' && r.chance(0.3)) return toRoomd(r, scene, self, { event, payload: json({ session: self.session, peer_name: r.pick(BAD_NAMES) }), outcome: 'bad-peer-name' });
  return toRoomd(r, scene, self, { event, payload: r.pick(MALFORMED), outcome: 'bad-request' });
};

const tooLarge = (r, scene, self) => {
  const event = r.pick(Object.keys(TOO_LARGE));
  const payload = json({ session: self.session, x: 'x'.repeat(TOO_LARGE[event]) });
  if (!SIGNALS.includes(event)) return toRoomd(r, scene, self, { event, payload, outcome: 'too-large' });
  return { ...signal(event)(r, scene, self), payload };
};

const subscribe = (r, scene, self) => {
  const [{ id: member }, room] = [r.pick(scene.members), r.chance(0.9) ? scene.room : scene.elsewhere];
  const root = 'parley/v1/';
  const filter = r.pick(['#', '+/#', '+/+/rooms/#', `${root}#`, `${root}rooms/#`, `${root}rooms/+/state`, `${root}rooms/+/to/#`, `${root}rooms/+/to/+/#`, `${root}rooms/${room}/#`,
    `${root}rooms/${room}/+`, `${root}rooms/${room}/to/#`, `${root}rooms/${room}/to/+/#`, `${root}rooms/${room}/to/+/offer/+`, `${root}rooms/${room}/to/${member}/#`,
    `${root}rooms/${room}/to/${member}/offer/+`, `${root}rooms/${room}/to/${member}/${r.pick(SIGNALS)}/${self.id}`, `${root}rooms/${room}/to/${member}/${r.pick(ROOMDS)}`,
    `${root}rooms/${room}/to/${member}/+`, `${root}rooms/${room}/to/${member}`, `${root}rooms/${room}/from/#`, `${root}rooms/${room}/from/${member}/join`, `${root}rooms/${room}/from/${self.id}/#`,
    `${root}rooms/+/to/${member}/#`, `${root}rooms/+/to/${self.id}/#`, `${root}+/${room}/to/${member}/#`, `+/v1/rooms/${room}/to/${member}/#`, `$share/x/${root}rooms/${room}/to/${member}/#`,
    `$share/x/${root}rooms/${room}/state`, `$share/${self.id}/${root}rooms/${room}/to/${self.id}/#`, '$share/x/#', '$SYS/#', '$CONTROL/#', `${root}roomd/#`, `${root}roomd/stats`, `${root}lobby/#`,
    `${root}devices/#`, `${root}lobby/to/${self.id}/#`]);
  return { filter, qos: r.int(3) };
};

const will = (r, scene, self) => {
  const event = r.pick(['gone', 'gone', 'gone', 'cut-the-call', 'join', 'state', ...SIGNALS, ...ROOMDS]);
  // One's own `gone` is for roomd to ignore.
  if (event === 'gone' && r.chance(0.5)) {
    return { topic: `rooms/${scene.room}/from/{will}/gone`, payload: json({ session: r.pick(scene.members).session }), options: { qos: r.int(3), retain: false }, event, outcome: 'ignored' };
  }
  const { topic, payload } = event === 'state' ? state(r, scene, self)
    : SIGNALS.includes(event) ? signal(event)(r, scene, self)
      : ['join', 'gone', 'cut-the-call'].includes(event) ? { topic: `rooms/${scene.room}/from/${r.pick(scene.members).id}/${event}`, payload: joinPayload(r, scene, self) }
        : forgedEvent([event])(r, scene, self);
  return { topic, payload, options: withQos(r), event, outcome: 'denied' };
};

// ---- tokens ----

function claimsFor(id, scene, more) {
  return { iss: 'parley', sub: id, role: 'peer', room: scene.room, iat: nowS(), exp: nowS() + 600, ...more };
}

/** One bit of a part of a token is turned; in the signature, the first 252 of its 256 bits and the spare two alike. */
function withFlippedBit(r, token) {
  const parts = token.split('.');
  const part = r.int(3);
  const bytes = Buffer.from(parts[part], 'base64url');
  bytes[r.int(bytes.length)] ^= 1 << r.int(8);
  parts[part] = bytes.toString('base64url');
  return parts.join('.');
}

/** The same signature with a bit set that stands for nothing: another text, the same bytes. */
function withSpareBit(token) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)) | 1];
}

const connect = (make) => (r, scene, self) => {
  const { id } = r.pick(scene.members);
  const { id: as = id, username = as, password, reason } = make(r, scene, self, id);
  return { id: as, username, password, reason };
};

const unsigned = (r, claims) => `${Buffer.from(json({ alg: r.pick(['none', 'None', 'NONE']), typ: 'JWT' })).toString('base64url')}.${Buffer.from(json(claims)).toString('base64url')}.`;

const CONNECTS = {
  "a member's client id, own token": (r, scene, self, id) => ({ password: self.token, reason: 'others-id', ...(r.chance(0.3) && { username: self.id }), ...(r.chance(0.3) && { id: self.id, username: id }) }),
  "a replayed token, in a member's name": (r, scene, self, id) => (r.chance(0.5)
    ? { password: forge(scene.signer, claimsFor(self.id, scene, { iat: nowS() - 900, exp: nowS() - 600 + r.int(500) })), reason: 'token-expired' }
    : { password: r.pick(scene.members.concat(self).map(({ seat }) => seat).filter(Boolean)), reason: 'bad-token' }),
  'an expired token': (r, scene, self, id) => ({ password: forge(scene.signer, claimsFor(id, scene, { iat: nowS() - 900, exp: nowS() - 1 - r.int(800) })), reason: 'token-expired' }),
  'a token with one bit flipped': (r, scene, self, id) => ({
    password: r.chance(0.9) ? withFlippedBit(r, forge(scene.signer, claimsFor(id, scene))) : withSpareBit(forge(scene.signer, claimsFor(id, scene))), reason: 'bad-token' }),
  'alg: none': (r, scene, self, id) => ({ password: r.chance(0.5) ? unsigned(r, claimsFor(id, scene)) : forge(scene.signer, claimsFor(id, scene), { alg: 'none' }), reason: 'bad-token' }),
  "another key's token": (r, scene, self, id) => ({
    password: forge({ kid: r.chance(0.5) ? scene.signer.kid : r.id(), key: Buffer.from(r.id().repeat(2)) }, claimsFor(id, scene)), reason: 'bad-token' }),
  'another role, room or issuer': (r, scene, self, id) => ({
    password: forge(scene.signer, claimsFor(id, scene, r.pick([{ role: 'operator', room: undefined }, { role: 'service', room: undefined }, { role: 'device', room: undefined },
      { role: 'king' }, { room: undefined }, { room: '+' }, { room: '#' }, { room: 'a/b' }, { iss: 'parley-seat' }, { iss: undefined }, { exp: undefined }]))), reason: 'bad-token' }),
  "a service's or operator's id": (r, scene, self) => ({ id: `${r.pick(['s-roomd', 's-roomd-1', 's-httpd', 's-x', 'o-x', 'd-x'])}${r.chance(0.5) ? r.id('-') : ''}`, password: self.token, reason: 'others-id' }),
};

// ---- the kinds ----

/**
 * Every kind of try, how it is made, and how many of 10,000 are of it.
 *
 * @type {{kind: string, via: 'publish' | 'subscribe' | 'connect' | 'will' | 'raw', share: number, make: (r: Random, scene: Scene, self: Intruder) => any}[]}
 */
export const KINDS = [
  ...SIGNALS.map((event) => ({ kind: event, via: 'publish', share: 900, make: signal(event) })),
  { kind: 'join', via: 'publish', share: 1000, make: join },
  { kind: 'cut-the-call', via: 'publish', share: 400, make: leaving('cut-the-call') },
  { kind: 'gone', via: 'publish', share: 400, make: leaving('gone') },
  { kind: 'forged joined', via: 'publish', share: 300, make: forgedEvent(['joined']) },
  { kind: 'forged user-arrived', via: 'publish', share: 300, make: forgedEvent(['user-arrived']) },
  { kind: 'forged, of other events', via: 'publish', share: 300, make: forgedEvent(['full-room', 'user-away', 'cut-the-call', 'error']) },
  { kind: 'forged state', via: 'publish', share: 600, make: state },
  { kind: 'elsewhere', via: 'publish', share: 300, make: elsewhere },
  { kind: "replayed members' messages", via: 'publish', share: 600, make: replay },
  { kind: 'bad input', via: 'publish', share: 300, make: badInput },
  { kind: 'too large', via: 'publish', share: 60, make: tooLarge },
  { kind: 'subscribe', via: 'subscribe', share: 1000, make: subscribe },
  { kind: 'will', via: 'will', share: 400, make: will },
  ...Object.entries(CONNECTS).map(([kind, make]) => ({ kind: `connect: ${kind}`, via: 'connect', share: 130, make: connect(make) })),
  { kind: 'no MQTT', via: 'raw', share: 300, make: (r, scene, self) => r.pick(RAW)(r, scene, self) },
];
