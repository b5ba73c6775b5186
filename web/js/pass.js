/**
 * What lets this page in: the grant of httpd, kept fresh. A token is asked for at each connect, so it is renewed before it expires, in
 * mid-call too; so are the TURN credentials that come with it.
 */
import { Emitter } from './emitter.js';

/**
 * What httpd answers to POST /api/rooms/{room}/peers.
 *
 * @typedef {{
 *   peer_id: string, token: string, expires_at: number, ice_servers: object[],
 *   mqtt: {url: string, client_id: string, username: string, password: string, keepalive: number},
 * }} Grant
 */

/** Renewed this long before it expires, but never before half its life is over. */
const BEFORE_MS = 120_000;
const AT_LEAST_MS = 1_000;
const AGAIN_MS = 15_000;
/** The longest time a browser's timer takes: 31 bits. */
const TIMER_MOST_MS = 2 ** 31 - 1;

/** @extends {Emitter<{fresh: Grant}>} */
export class Pass extends Emitter {
  /** @type {Grant} */
  grant;
  #renew;
  #clock;
  #stopped = false;
  /** @type {any} */
  #timer;

  /**
   * @param {Grant} grant
   * @param {(token: string) => Promise<Grant>} renew rejects with {id: 'unauthorized'} when the token no longer counts
   * @param {import('./clock.js').Clock} clock
   */
  constructor(grant, renew, clock) {
    super();
    this.grant = grant;
    this.#renew = renew;
    this.#clock = clock;
  }

  get isExpired() {
    return this.#clock.now() >= this.grant.expires_at * 1000;
  }

  /** Renews by itself from now on. */
  keep() {
    this.#schedule(AT_LEAST_MS);
  }

  stop() {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  /**
   * Asks for a fresh one now.
   *
   * @returns {Promise<'fresh' | 'later' | 'refused'>} refused: there will be none for this token any more
   */
  async renew() {
    try {
      const grant = await this.#renew(this.grant.token);
      if (this.#stopped) return 'later';
      this.grant = grant;
      this.#schedule(AT_LEAST_MS);
      this.emit('fresh', grant);
      return 'fresh';
    } catch (error) {
      // Anything but a plain refusal may pass, a room not found included: httpd may only just have started.
      const { id } = /** @type {{id?: unknown}} */ (error);
      return id === 'unauthorized' || id === 'token-expired' ? 'refused' : 'later';
    }
  }

  /** @param {number} atLeast ms */
  #schedule(atLeast) {
    const left = this.grant.expires_at * 1000 - this.#clock.now();
    const wait = Math.max(left / 2, left - BEFORE_MS, atLeast);
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => void this.#onTime(), Math.min(wait, TIMER_MOST_MS));
  }

  async #onTime() {
    // One that is refused now matters at the next connect only: a connection that is up stays up.
    if ((await this.renew()) !== 'fresh' && !this.#stopped) this.#schedule(AGAIN_MS);
  }
}
