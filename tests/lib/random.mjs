/** Random choices that are the same in every run: a test that fails fails again. */

/** @param {number} seed */
export function randomBy(seed) {
  let state = seed >>> 0;
  /** A number below 1 (mulberry32). */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const random = {
    /** @param {number} below */
    int: (below) => Math.floor(next() * below),
    /** @template T @param {readonly T[]} list @returns {T} */
    pick: (list) => list[random.int(list.length)],
    /** @param {number} part of 1 */
    chance: (part) => next() < part,
    /** Letters that no other call gives, or hardly. @param {string} [prefix] */
    id: (prefix = '') => prefix + Array.from({ length: 16 }, () => random.int(36).toString(36)).join(''),
    /** @template T @param {T[]} list shuffled in place */
    shuffle: (list) => {
      for (let i = list.length - 1; i > 0; i--) {
        const j = random.int(i + 1);
        [list[i], list[j]] = [list[j], list[i]];
      }
      return list;
    },
  };
  return random;
}
