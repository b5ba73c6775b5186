/**
 * Candidates found within a few milliseconds travel together: of the messages of a call set-up they are the most.
 */
import { LIMITS } from './protocol.js';

/** @typedef {import('./protocol.js').Candidate} Candidate */
/** @typedef {import('./clock.js').Timers} Timers */

/** How long the first candidate of a batch waits for others, ms. */
const WAIT_MS = 15;
/** What a candidate costs on the wire beside its own text: its other fields and JSON's signs. */
const OVERHEAD = 200;

export class CandidateBatch {
  /** @type {Candidate[]} */
  #candidates = [];
  #size = 0;
  /** @type {any} */
  #timer;
  #send;
  #timers;

  /**
   * @param {(body: {candidates: Candidate[], done: boolean}) => void} send
   * @param {Timers} timers
   */
  constructor(send, timers) {
    this.#send = send;
    this.#timers = timers;
  }

  /** @param {Candidate} candidate */
  add(candidate) {
    const size = JSON.stringify(candidate).length;
    const isFull = this.#candidates.length === LIMITS.candidates || this.#size + size > LIMITS.candidatesPayload - OVERHEAD;
    if (isFull) this.#flush(false);
    this.#candidates.push(candidate);
    this.#size += size;
    if (this.#timer === undefined) this.#timer = this.#timers.setTimeout(() => this.#flush(false), WAIT_MS);
  }

  /** There will be no more: what is left goes out at once, with `done`. */
  finish() {
    this.#flush(true);
  }

  /** Forgets what was not sent yet. */
  clear() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#candidates = [];
    this.#size = 0;
  }

  /** @param {boolean} done */
  #flush(done) {
    const candidates = this.#candidates;
    this.clear();
    if (candidates.length > 0 || done) this.#send({ candidates, done });
  }
}
