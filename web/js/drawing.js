/**
 * When the page is drawn. A new view takes the page's one thread for tens of milliseconds, and while the other waits for a description of
 * ours these are the call's: so it is drawn once that is out.
 */
import { systemClock } from './clock.js';

/** Nobody looks at the old view for longer, whatever is still due, ms. */
const HOLD_MOST_MS = 250;

export class Drawing {
  #draw;
  #timers;
  /** @type {any} undefined while nothing is held */
  #timer;
  #isWanted = false;

  /** @param {() => void} draw @param {import('./clock.js').Timers} [timers] */
  constructor(draw, timers = systemClock) {
    this.#draw = draw;
    this.#timers = timers;
  }

  /** Draws: now or, while it is held, as soon as it no longer is. */
  request() {
    if (this.#timer === undefined) this.#draw();
    else this.#isWanted = true;
  }

  /** A description is due: nothing is drawn until `resume`, or for HOLD_MOST_MS. */
  hold() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => this.resume(), HOLD_MOST_MS);
  }

  resume() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#draw();
  }
}
