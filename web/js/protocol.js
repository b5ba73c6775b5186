/**
 * The contract's names and messages (docs/protocol.md): ids, topics, payloads. Pure: no DOM, no MQTT, no clock.
 *
 * Whatever comes in is checked here once, and only what was checked goes on; fields that are not known are ignored.
 */

/** @typedef {{peer_id: string, peer_name: string, state: 'present' | 'away'}} Peer */
/** @typedef {{room_id: string, max_peers: number, rev: number, peers: Peer[]}} Room */
/** @typedef {'hung-up' | 'lost' | 'kicked' | 'room-closed'} CutReason */
/** @typedef {{candidate: string, sdpMid?: string | null, sdpMLineIndex?: number | null, usernameFragment?: string | null}} Candidate */

/**
 * What a peer can hear, by the topic's kind.
 *
 * @typedef {{
 *   'state': {room: Room | null},
 *   'joined': {session: string, resumed: boolean, seat: string, room: Room},
 *   'full-room': {session: string, max_peers: number},
 *   'user-arrived': {peer_id: string, peer_name: string, resumed: boolean},
 *   'user-away': {peer_id: string, grace_s: number},
 *   'cut-the-call': {peer_id: string, reason: CutReason},
 *   'error': {error: string, detail: string, event: string, retry_s?: number},
 *   'offer': {session: string, sdp: string},
 *   'answer': {session: string, sdp: string},
 *   'candidate': {session: string, candidates: Candidate[], done: boolean},
 *   'roomd-status': {state: 'online' | 'draining' | 'offline', epoch: string},
 * }} Messages
 */

/** The kinds of topic that go from one peer straight to the other. @typedef {'offer' | 'answer' | 'candidate'} SignalKind */

export const TOPIC_ROOT = 'parley/v1/';

/** The contract's limits (common/limits.h has the reasons). */
export const LIMITS = Object.freeze({
  id: 64,
  nameChars: 64,
  sdpPayload: 64 * 1024,
  candidatesPayload: 16 * 1024,
  candidates: 64,
});

// ---- ids ----

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** @param {unknown} text @returns {text is string} */
export function isId(text) {
  return typeof text === 'string' && ID.test(text);
}

/** A peer id is a prefix that names its role and something after it. @param {unknown} text @returns {text is string} */
export function isPeerId(text) {
  return isId(text) && /^[pdso]-./.test(text);
}

// Controls, separators that start a line, the marks that turn text round (UAX #9), and surrogates without their other half.
// eslint-disable-next-line no-control-regex
const NOT_IN_NAMES = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

/**
 * The name as it is used: trimmed.
 *
 * @param {unknown} text
 * @returns {string | null} null when it is no name
 */
export function cleanPeerName(text) {
  if (typeof text !== 'string') return null;
  const name = text.trim();
  const length = [...name].length;
  return length >= 1 && length <= LIMITS.nameChars && !NOT_IN_NAMES.test(name) ? name : null;
}

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';

/** A random id of 130 bits: for sessions. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(26));
  return Array.from(bytes, (byte) => BASE32[byte & 31]).join('');
}

/**
 * The room that somebody means who types an id or pastes a link.
 *
 * @param {string} text
 * @returns {string | null}
 */
export function roomFromInput(text) {
  const trimmed = text.trim();
  const inLink = /\/r\/([^/?#]+)/.exec(trimmed);
  const id = inLink ? inLink[1] : trimmed;
  return isId(id) ? id : null;
}

/** The room of a call page's path, `/r/{room}/`. @param {string} path @returns {string | null} */
export function roomFromPath(path) {
  const match = /^\/r\/([^/]+)\/?$/.exec(path);
  return match && isId(match[1]) ? match[1] : null;
}

// ---- topics ----

/** Each kind of topic that a peer meets: its form below TOPIC_ROOT and its quality of service. */
const TOPICS = Object.freeze({
  'state': { form: 'rooms/{room}/state', qos: 0 },
  'join': { form: 'rooms/{room}/from/{peer}/join', qos: 1 },
  'cut-request': { form: 'rooms/{room}/from/{peer}/cut-the-call', qos: 1 },
  'gone': { form: 'rooms/{room}/from/{peer}/gone', qos: 1 },
  'joined': { form: 'rooms/{room}/to/{peer}/joined', qos: 1 },
  'full-room': { form: 'rooms/{room}/to/{peer}/full-room', qos: 1 },
  'user-arrived': { form: 'rooms/{room}/to/{peer}/user-arrived', qos: 1 },
  'user-away': { form: 'rooms/{room}/to/{peer}/user-away', qos: 1 },
  'cut-the-call': { form: 'rooms/{room}/to/{peer}/cut-the-call', qos: 1 },
  'error': { form: 'rooms/{room}/to/{peer}/error', qos: 1 },
  'offer': { form: 'rooms/{room}/to/{peer}/offer/{from}', qos: 1 },
  'answer': { form: 'rooms/{room}/to/{peer}/answer/{from}', qos: 1 },
  'candidate': { form: 'rooms/{room}/to/{peer}/candidate/{from}', qos: 0 },
  'roomd-status': { form: 'rooms/{room}/to/{peer}/roomd-status', qos: 1 },
});

/** @typedef {keyof typeof TOPICS} TopicKind */
/** @typedef {{kind: TopicKind, room: string, peer: string, from: string}} Topic fields a kind lacks are '' */

/**
 * @param {TopicKind} kind
 * @param {{room?: string, peer?: string, from?: string}} [ids]
 * @returns {string}
 */
export function formatTopic(kind, ids = {}) {
  return TOPIC_ROOT + TOPICS[kind].form.replace(/\{(room|peer|from)\}/g, (_, name) => {
    const id = ids[/** @type {'room' | 'peer' | 'from'} */ (name)];
    if (!isId(id)) throw new TypeError(`topic ${kind}: ${name} is no id`);
    return id;
  });
}

/** @param {TopicKind} kind @returns {0 | 1} */
export function topicQos(kind) {
  return /** @type {0 | 1} */ (TOPICS[kind].qos);
}

const PARSERS = /** @type {TopicKind[]} */ (Object.keys(TOPICS)).map((kind) => ({
  kind,
  pattern: new RegExp(`^${TOPIC_ROOT}${TOPICS[kind].form.replace(/\{(\w+)\}/g, '(?<$1>[A-Za-z0-9_-]{1,64})')}$`),
}));

/**
 * @param {string} name
 * @returns {Topic | null} null when it is no topic of the table above
 */
export function parseTopic(name) {
  for (const { kind, pattern } of PARSERS) {
    const groups = pattern.exec(name)?.groups;
    if (groups || pattern.test(name)) return { kind, room: groups?.room ?? '', peer: groups?.peer ?? '', from: groups?.from ?? '' };
  }
  return null;
}

// ---- payloads ----

/** @typedef {Record<string, unknown>} Fields */

/** @param {unknown} value @returns {value is Fields} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
/** @param {unknown} value @returns {value is string} */
const isString = (value) => typeof value === 'string';
/** @param {unknown} value @returns {value is number} */
const isCount = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** @param {unknown} value @returns {value is boolean} */
const isBoolean = (value) => typeof value === 'boolean';

/** @param {unknown} value @returns {Peer | null} */
function readPeer(value) {
  if (!isObject(value) || !isPeerId(value.peer_id)) return null;
  const peer_name = cleanPeerName(value.peer_name);
  const { peer_id, state } = value;
  return peer_name !== null && (state === 'present' || state === 'away') ? { peer_id, peer_name, state } : null;
}

/** @param {unknown} value @returns {Room | null} */
function readRoom(value) {
  if (!isObject(value) || !isId(value.room_id) || !isCount(value.max_peers) || !isCount(value.rev)) return null;
  if (!Array.isArray(value.peers) || value.peers.length > value.max_peers) return null;
  const peers = value.peers.map(readPeer);
  if (!peers.every((peer) => peer !== null)) return null;
  return { room_id: value.room_id, max_peers: value.max_peers, rev: value.rev, peers: /** @type {Peer[]} */ (peers) };
}

/** @param {unknown} value @returns {Candidate | null} */
function readCandidate(value) {
  if (!isObject(value) || !isString(value.candidate)) return null;
  const { candidate, sdpMid = null, sdpMLineIndex = null, usernameFragment = null } = value;
  if (sdpMid !== null && !isString(sdpMid)) return null;
  if (sdpMLineIndex !== null && !isCount(sdpMLineIndex)) return null;
  if (usernameFragment !== null && !isString(usernameFragment)) return null;
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}

/** @param {Fields} f */
function readDescription(f) {
  return isId(f.session) && isString(f.sdp) && f.sdp !== '' ? { session: f.session, sdp: f.sdp } : null;
}

const CUT_REASONS = ['hung-up', 'lost', 'kicked', 'room-closed'];
const ROOMD_STATES = ['online', 'draining', 'offline'];

/**
 * One reader a kind of message: what it holds when it is right, else null.
 *
 * @type {{[Kind in keyof Messages]: (fields: Fields) => Messages[Kind] | null}}
 */
const READERS = {
  'state': (f) => {
    const room = readRoom(f);
    return room && { room };
  },
  'joined': (f) => {
    const room = readRoom(f.room);
    if (!room || !isId(f.session) || !isBoolean(f.resumed) || !isString(f.seat)) return null;
    return { session: f.session, resumed: f.resumed, seat: f.seat, room };
  },
  'full-room': (f) => (isId(f.session) && isCount(f.max_peers) ? { session: f.session, max_peers: f.max_peers } : null),
  'user-arrived': (f) => {
    const peer_name = cleanPeerName(f.peer_name);
    if (!isPeerId(f.peer_id) || peer_name === null || !isBoolean(f.resumed)) return null;
    return { peer_id: f.peer_id, peer_name, resumed: f.resumed };
  },
  'user-away': (f) => (isPeerId(f.peer_id) && isCount(f.grace_s) ? { peer_id: f.peer_id, grace_s: f.grace_s } : null),
  'cut-the-call': (f) => {
    if (!isPeerId(f.peer_id) || !isString(f.reason) || !CUT_REASONS.includes(f.reason)) return null;
    return { peer_id: f.peer_id, reason: /** @type {CutReason} */ (f.reason) };
  },
  'error': (f) => {
    if (!isString(f.error) || !isString(f.detail) || !isString(f.event)) return null;
    if (f.retry_s !== undefined && !isCount(f.retry_s)) return null;
    return { error: f.error, detail: f.detail, event: f.event, retry_s: f.retry_s };
  },
  'offer': readDescription,
  'answer': readDescription,
  'candidate': (f) => {
    if (!isId(f.session) || !Array.isArray(f.candidates) || f.candidates.length > LIMITS.candidates) return null;
    const candidates = f.candidates.map(readCandidate);
    if (!isBoolean(f.done) || !candidates.every((candidate) => candidate !== null)) return null;
    return { session: f.session, candidates: /** @type {Candidate[]} */ (candidates), done: f.done };
  },
  'roomd-status': (f) => {
    if (!isString(f.state) || !ROOMD_STATES.includes(f.state) || !isId(f.epoch)) return null;
    return { state: /** @type {'online' | 'draining' | 'offline'} */ (f.state), epoch: f.epoch };
  },
};

/**
 * The payload of a message of `kind`, checked.
 *
 * @template {keyof Messages} Kind
 * @param {Kind} kind
 * @param {string} text
 * @returns {Messages[Kind] | null} null when it is not what the contract says
 */
export function parseMessage(kind, text) {
  // An empty retained state says that the room is gone.
  if (kind === 'state' && text === '') return /** @type {Messages[Kind]} */ ({ room: null });
  if (text.length > LIMITS.sdpPayload) return null;
  try {
    const value = JSON.parse(text);
    return isObject(value) ? READERS[kind](value) : null;
  } catch {
    return null;
  }
}

/** @param {TopicKind} kind @returns {kind is keyof Messages} */
export function isHeard(kind) {
  return Object.hasOwn(READERS, kind);
}
