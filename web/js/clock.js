/** Time as the modules see it, so that a test can hand them a clock of its own. */

/** @typedef {{now(): number, setTimeout(run: () => void, ms: number): any, clearTimeout(id: any): void}} Clock now() in ms since 1970 */
/** @typedef {Pick<Clock, 'setTimeout' | 'clearTimeout'>} Timers */

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (id) => clearTimeout(id),
};

const BACKOFF_MS = Object.freeze({ first: 250, most: 3_000 });

/**
 * The delay before attempt `attempt` (0, 1, …) at something that failed: doubling, and somewhere in the upper half of it, so that
 * a thousand pages do not come back in step.
 *
 * @param {number} attempt
 * @param {number} random in [0, 1)
 */
export function backoff(attempt, random) {
  const delay = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(attempt, 10));
  return delay * (0.5 + random / 2);
}
