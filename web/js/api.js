/**
 * httpd's interface, and the sentences that its stable error ids stand for on the page.
 */

/** @typedef {import('./pass.js').Grant} Grant */
/** @typedef {{room_id: string, url: string, path: string, max_peers: number}} CreatedRoom */

/** @type {Readonly<Record<string, string>>} */
const SENTENCES = Object.freeze({
  'bad-request': 'Something on this page did not fit the server. Please load the page again.',
  'bad-room-id': 'A room id has 1 to 64 letters, digits, hyphens and underscores.',
  'bad-peer-name': 'A name has 1 to 64 characters.',
  'no-such-room': 'There is no such room.',
  'room-occupied': 'Somebody is in the room of that name. Please choose another.',
  'too-many-requests': 'That was a little too often. Please wait a moment and try again.',
  'quota': 'The server is full at the moment. Please try again later.',
  'unauthorized': 'This page was open too long, and its pass has expired. Please come in again.',
  'token-expired': 'This page was open too long, and its pass has expired. Please come in again.',
  'unavailable': 'The server is not ready at the moment. Please try again shortly.',
  'offline': 'The server does not answer. Please check your connection and try again.',
});

/** httpd answers within 2 s; a network that has gone answers never. */
const TIMEOUT_MS = 10_000;

/** @param {string} id @returns {string} */
export function sentenceOf(id) {
  return Object.hasOwn(SENTENCES, id) ? SENTENCES[id] : 'Something went wrong. Please try again.';
}

/** A request that did not succeed: a stable id ('offline' when nobody answered), and when to try again (0: not said). */
export class ApiError extends Error {
  /**
   * @param {string} id
   * @param {number} [retryS]
   */
  constructor(id, retryS = 0) {
    super(sentenceOf(id));
    this.id = id;
    this.retryS = retryS;
  }
}

/** @param {unknown} error @returns {string} */
export function errorId(error) {
  return error instanceof ApiError ? error.id : 'internal';
}

/**
 * @param {string} path
 * @param {{method?: string, body?: object, token?: string}} [request]
 * @returns {Promise<any>} the answer's body
 */
async function ask(path, { method = 'GET', body, token } = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' };
  if (body) headers['content-type'] = 'application/json';
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError('offline');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new ApiError(typeof answer?.error === 'string' ? answer.error : 'unavailable', Number(response.headers.get('retry-after')) || 0);
}

/** @param {string} [roomId] a wanted id @returns {Promise<CreatedRoom>} */
export function createRoom(roomId) {
  return ask('/api/rooms', { method: 'POST', body: roomId ? { room_id: roomId } : {} });
}

/**
 * A token for the room: of a new peer, or a fresh one for the peer whose still valid `token` is shown.
 *
 * @param {string} room
 * @param {string} [token]
 * @returns {Promise<Grant>}
 */
export function requestGrant(room, token) {
  return ask(`/api/rooms/${room}/peers`, { method: 'POST', token });
}
