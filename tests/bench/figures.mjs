/** A figure of several systems, which took turns in the same run, and what has to hold between them. */
import { median, summary } from './numbers.mjs';

const digits = (value) => (value >= 1000 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3));

export class Figure {
  /** @type {Map<string, number[]>} a value for each round, by system */
  #values = new Map();
  /** @type {import('./numbers.mjs').Row[]} */
  #bars = [];

  /** @param {string} name @param {string} unit of all its values */
  constructor(name, unit) {
    this.name = name;
    this.unit = unit;
  }

  /** @param {string} system @param {number} value of one round */
  add(system, value) {
    this.#values.set(system, [...(this.#values.get(system) ?? []), value]);
  }

  /** @param {string} system */
  #median(system) {
    return median(this.#values.get(system));
  }

  #hold(what, value, { most = Infinity, least = -Infinity }) {
    const must = most === Infinity ? `≥ ${least}` : `≤ ${most}`;
    this.#bars.push({ what, must, seen: digits(value), holds: value <= most && value >= least, values: { value } });
  }

  /**
   * Holds the median of one system against that of another: at most so many times as much, or at least. Nothing when one of them was not
   * measured.
   *
   * @param {string} system
   * @param {string} other
   * @param {{most?: number, least?: number}} bar
   */
  bar(system, other, bar) {
    if (this.#values.has(system) && this.#values.has(other)) this.#hold(`${this.name}: ${system} / ${other}`, this.#median(system) / this.#median(other), bar);
    return this;
  }

  /** Holds the median itself against a limit. @param {string} system @param {number} most */
  limit(system, most) {
    if (this.#values.has(system)) this.#hold(`${this.name}: ${system}, ${this.unit}`, this.#median(system), { most });
    return this;
  }

  /** @returns {import('./numbers.mjs').Row[]} the figure, then each of its bars */
  rows() {
    const systems = [...this.#values.keys()];
    return [{
      what: `${this.name}, ${this.unit}`, must: '', seen: systems.map((system) => `${system} ${summary(this.#values.get(system), digits)}`).join('; '),
      holds: null, values: Object.fromEntries(systems.map((system) => [system, this.#median(system)])),
    }, ...this.#bars];
  }
}
