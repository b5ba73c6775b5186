/**
 * The safety code: four words that both see when nobody sits between them. Pure: no DOM, no WebRTC.
 *
 * Media and data channel are encrypted to the certificates whose fingerprints stand in the two descriptions (RFC 8122, RFC 8827 5.6.4).
 * Whoever carries the descriptions could put in certificates of its own, and sit in the middle; the fingerprints of one side's
 * call would then not be those of the other's. Four words of 1,024 say whether they are the same: 40 bits.
 *
 * Forty bits of the fingerprints alone would not do. Who carries both descriptions sees both fingerprints before it has to choose its
 * own, and making a million certificates for each side finds a pair with equal words (a birthday search, 2 × 2^20 hashes: a
 * second's work). So each side adds a random number once the connection is up, when every certificate is settled, and one of them
 * commits itself to its number before it sees the other's (as ZRTP does, RFC 6189 4.4.1.1). Then there is nothing left to search: one in
 * the middle has to settle its numbers before the honest ones are known, in real time, and has one chance in 2^40 a call. Each
 * further try is a new connection, with a new code.
 *
 * It does not promise anything when the words are not compared, or only over a chat that the one in the middle can change, too. A voice
 * that can be imitated is no proof of who speaks. And the page itself comes from a server: one that hands out another page shows any words.
 */
import { WORDS } from './words.js';

/** What one side tells the other. @typedef {{commit: string} | {nonce: string}} SafetyMessage */
/** @typedef {'pending' | 'agreed' | 'none'} SafetyState none: there will be no code for this connection */
/** @typedef {{state: SafetyState, words: readonly string[]}} Safety */
/** @typedef {{fingerprint: string, nonce: string}} Side */

/** @type {Safety} */
export const PENDING = Object.freeze({ state: 'pending', words: [] });
/** @type {Safety} */
export const NONE = Object.freeze({ state: 'none', words: [] });

const WORD_BITS = 10;
const CODE_WORDS = 4;
const NONCE_BYTES = 16;
const IS_NONCE = /^[0-9a-f]{32}$/;
const IS_DIGEST = /^[0-9a-f]{64}$/;
const IS_SHA256 = /^sha-256 ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i;

/**
 * The certificate that a description names. Several different ones, or one by another hash, are none: which of them the browser would
 * go by is not for us to guess.
 *
 * @param {string} sdp
 * @returns {string | null} 64 hexadecimal digits, lower case
 */
export function fingerprintOf(sdp) {
  const found = new Set(Array.from(sdp.matchAll(/^a=fingerprint:(.*?)\s*$/gim), ([, value]) => {
    return IS_SHA256.exec(value)?.[1].replaceAll(':', '').toLowerCase() ?? null;
  }));
  const [first = null] = found;
  return found.size === 1 ? first : null;
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} text */
async function sha256(text) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/**
 * The words of a call, whichever side asks.
 *
 * @param {Side} one
 * @param {Side} other
 * @returns {Promise<string[]>}
 */
export async function safetyWords(one, other) {
  const lines = [one, other].map(({ fingerprint, nonce }) => `${fingerprint} ${nonce}\n`).sort();
  const bytes = await sha256(`parley safety code v1\n${lines.join('')}`);
  let bits = bytes.subarray(0, (WORD_BITS * CODE_WORDS) / 8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const words = [];
  for (let count = 0; count < CODE_WORDS; count++, bits >>= BigInt(WORD_BITS)) words.unshift(WORDS[Number(bits & 1023n)]);
  return words;
}

/** What a side says of its number before it shows it. @param {Side} side */
export async function commitmentOf({ fingerprint, nonce }) {
  return hex(await sha256(`parley safety commitment v1\n${fingerprint} ${nonce}\n`));
}

/**
 * One connection's agreement on its words. The side with the lower fingerprint commits first, the other answers with its number, the
 * first shows its own. Whatever comes twice, out of turn or wrong ends it without a code: a second chance would be one to cheat.
 */
export class SafetyExchange {
  #self;
  #other;
  #send;
  #done;
  /** The other's commitment, when it is the one that commits. */
  #commitment = '';
  #committed = false;
  #shown = false;
  #ended = false;

  /**
   * @param {{local: string | null, remote: string | null, send: (message: SafetyMessage) => void, done: (safety: Safety) => void,
   *          nonce?: string}} options the fingerprints of both descriptions; `done` is called once
   */
  constructor({ local, remote, send, done, nonce = hex(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))) }) {
    this.#self = { fingerprint: local ?? '', nonce };
    this.#other = { fingerprint: remote ?? '', nonce: '' };
    this.#send = send;
    this.#done = done;
  }

  get #isFirst() {
    return this.#self.fingerprint < this.#other.fingerprint;
  }

  /** Begins, once the connection is up. */
  async start() {
    const { fingerprint } = this.#self;
    // Without a page in a secure context there is no hash; and nobody has a call with itself.
    if (!fingerprint || !this.#other.fingerprint || fingerprint === this.#other.fingerprint || !crypto.subtle) return this.#end(NONE);
    if (!this.#isFirst) return;
    const commit = await commitmentOf(this.#self);
    if (this.#ended) return;
    this.#committed = true;
    this.#send({ commit });
  }

  /**
   * What the other says.
   *
   * @param {unknown} message
   * @returns {Promise<void>}
   */
  async receive(message) {
    if (this.#ended) return;
    const { commit, nonce } = /** @type {Record<string, unknown>} */ (message ?? {});
    if (typeof commit === 'string' && IS_DIGEST.test(commit)) this.#onCommit(commit);
    else if (typeof nonce === 'string' && IS_NONCE.test(nonce)) await this.#onNonce(nonce);
    else this.#end(NONE);
  }

  /** @param {string} commit */
  #onCommit(commit) {
    if (this.#isFirst || this.#commitment) return this.#end(NONE);
    this.#commitment = commit;
    this.#show();
  }

  /** @param {string} nonce */
  async #onNonce(nonce) {
    const isDue = this.#isFirst ? this.#committed : this.#commitment !== '';
    if (!isDue || this.#other.nonce) return this.#end(NONE);
    this.#other.nonce = nonce;
    if (this.#isFirst) this.#show();
    else if ((await commitmentOf(this.#other)) !== this.#commitment) return this.#end(NONE);
    this.#end({ state: 'agreed', words: await safetyWords(this.#self, this.#other) });
  }

  #show() {
    if (this.#shown) return;
    this.#shown = true;
    this.#send({ nonce: this.#self.nonce });
  }

  /** @param {Safety} safety */
  #end(safety) {
    if (this.#ended) return;
    this.#ended = true;
    this.#done(safety);
  }
}
