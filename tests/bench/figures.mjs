/** What the rounds gave, as medians, and what comes of comparing them. */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const digits = (value) => (value >= 1000 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3));

const holds = ({ ratio, most = Infinity, least = -Infinity }) => ratio <= most && ratio >= least;

/** A figure of one system: its unit, and a value for each round. */
export class Figure {
  constructor(name, unit) {
    this.name = name;
    this.unit = unit;
    /** @type {Map<string, number[]>} by system */
    this.values = new Map();
    /** @type {{text: string, ratio: number, most?: number, least?: number}[]} */
    this.bars = [];
  }

  add(system, value) {
    if (!this.values.has(system)) this.values.set(system, []);
    this.values.get(system).push(value);
  }

  median(system) {
    return median(this.values.get(system));
  }

  has(...systems) {
    return systems.every((system) => this.values.has(system));
  }

  /**
   * Holds the median of one system against that of another, or a figure of its own: at most `most` times as much, or at least `least` times.
   *
   * @param {string} system
   * @param {string} other
   * @param {{most?: number, least?: number}} bar
   */
  bar(system, other, bar) {
    if (this.has(system, other)) this.bars.push({ text: `${system} / ${other}`, ratio: this.median(system) / this.median(other), ...bar });
    return this;
  }

  /** Holds the median itself against a limit. */
  limit(system, most) {
    if (this.has(system)) this.bars.push({ text: `${system}, ${this.unit}`, ratio: this.median(system), most });
    return this;
  }

  get missed() {
    return this.bars.filter((bar) => !holds(bar)).length;
  }

  toString() {
    const lines = [`${this.name} (${this.unit})`];
    for (const [system, values] of this.values) {
      lines.push(`    ${system.padEnd(22)} ${digits(this.median(system)).padStart(9)}   (${digits(Math.min(...values))} to ${digits(Math.max(...values))}, ${values.length} rounds)`);
    }
    for (const bar of this.bars) {
      const { text, ratio, most, least } = bar;
      lines.push(`    ${holds(bar) ? 'holds ' : 'MISSES'} ${text}: ${digits(ratio)}, bar ${most === undefined ? `>= ${least}` : `<= ${most}`}`);
    }
    return lines.join('\n');
  }
}
