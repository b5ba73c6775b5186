/** A few values of the same thing, and what is said of them. */

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number[]} values @param {(value: number) => string} [show] @returns {string} the median, and the range */
export function summary(values, show = (value) => Math.round(value).toString()) {
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

/**
 * What was measured. `holds` is null where nothing has to hold; `values` are the medians behind what is seen, for whoever reckons on.
 *
 * @typedef {{what: string, must: string, seen: string, holds: boolean | null, values: Record<string, number>}} Row
 */

/** @param {Row[]} rows @returns {string} in Markdown */
export function table(rows) {
  const lines = [['measured', 'must hold', 'seen', 'holds'], ['---', '---', '---', '---'],
    ...rows.map(({ what, must, seen, holds }) => [what, must, seen, holds === null ? '' : holds ? 'yes' : '**no**'])];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
