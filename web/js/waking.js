/**
 * Tells when something may have changed below the page: the network, or a sleep of the machine. Each is a hint, and may be told for
 * nothing.
 */

/** The timer that finds a sleep: it is late by as long as the machine slept. Timers of a page that is out of sight may be late, too. */
const LOOK_MS = 1_000;
const LATE_MS = 1_500;

/**
 * @param {() => void} onWake
 * @param {{window?: EventTarget, document?: EventTarget & {visibilityState: string}, connection?: EventTarget, now?: () => number,
 *   setInterval?: (run: () => void, ms: number) => unknown}} [parts] of the browser
 */
export function watchWaking(onWake, {
  window = globalThis.window, document = globalThis.document,
  connection = /** @type {{connection?: EventTarget}} */ (globalThis.navigator ?? {}).connection, // Network Information API
  now = Date.now, setInterval = (run, ms) => globalThis.setInterval(run, ms),
} = {}) {
  window.addEventListener('online', onWake);
  connection?.addEventListener('change', onWake);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') onWake();
  });
  document.addEventListener('resume', onWake); // Page Lifecycle: it was frozen
  let last = now();
  setInterval(() => {
    const late = now() - last - LOOK_MS;
    last = now();
    if (late > LATE_MS) onWake();
  }, LOOK_MS);
}
