/** Waiting for a condition, with a deadline: what tests use instead of sleeping. */

/**
 * Calls `probe` until it returns something truthy (an error counts as not yet), and returns that.
 *
 * @template T
 * @param {() => T | Promise<T>} probe
 * @param {{timeout?: number, every?: number, what?: string}} [options] milliseconds, and what is waited for
 * @returns {Promise<T>}
 */
export async function until(probe, { timeout = 5000, every = 20, what = 'the condition' } = {}) {
  const deadline = performance.now() + timeout;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeout} ms for ${what}${last ? `: ${last.message}` : ''}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
