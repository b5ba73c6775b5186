/**
 * What lets this page in: the grant of httpd, kept fresh. A token is asked for at each connect, so it is renewed before it expires, in
 * mid-call too; so are the TURN credentials that come with it. What this machine's clock says of the time plays no part: it may be wrong,
 * and is set at will.
 */
import { Emitter } from './emitter.js';

/**
 * What httpd answers to POST /api/rooms/{room}/peers.
 *
 * @typedef {{
 *   peer_id: string, token: string, expires_in: number, ice_servers: object[],
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
  /** When the grant came, by this machine's clock. */
  #since;
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
    this.#since = clock.now();
  }

  /** Renews by itself from now on. */
  keep() {
    this.#schedule(this.#wait());
  }

  /** The machine may have slept, and timers with it: renews what has become too old meanwhile. */
  wake() {
    if (!this.#stopped && this.#clock.now() - this.#since >= this.#wait()) void this.#onTime();
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
      this.#since = this.#clock.now();
      this.#schedule(this.#wait());
      this.emit('fresh', grant);
      return 'fresh';
    } catch (error) {
      // Anything but a plain refusal may pass, a room not found included: httpd may only just have started.
      const { id } = /** @type {{id?: unknown}} */ (error);
      return id === 'unauthorized' || id === 'token-expired' ? 'refused' : 'later';
    }
  }

  /** How long after it came a grant is renewed, ms. */
  #wait() {
    const life = this.grant.expires_in * 1000;
    return Math.min(Math.max(life / 2, life - BEFORE_MS, AT_LEAST_MS), TIMER_MOST_MS);
  }

  /** @param {number} wait ms */
  #schedule(wait) {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => void this.#onTime(), wait);
  }

  async #onTime() {
    // One that is refused now matters at the next connect only: a connection that is up stays up.
    if ((await this.renew()) !== 'fresh' && !this.#stopped) this.#schedule(AGAIN_MS);
  }
}
