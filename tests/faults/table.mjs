/** What is measured, as one table. */

/** @typedef {{fault: string, points: number, must: string, seen: string, holds: boolean}} Row */

/** By how much times may be longer than they have to be: CI's machines are shared, and busy. */
export const slack = Number(process.env.PARLEY_FAULTS_SLACK ?? 1);

/** @param {number} time @param {number} most both in ms */
export const within = (time, most) => time <= most * slack;

/** @param {number[]} values @param {number} share from 0 to 1 */
export function quantile(values, share) {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
}

/** @param {number[]} values ms */
export function times(values) {
  const s = (value) => `${(value / 1000).toFixed(2)} s`;
  return `p50 ${s(quantile(values, 0.5))}, longest ${s(Math.max(...values))}`;
}

/** @param {Row[]} rows @returns {string} in Markdown */
export function table(rows) {
  const lines = [['fault', 'points', 'must hold', 'seen', 'holds'], ['---', '---', '---', '---', '---'],
    ...rows.map(({ fault, points, must, seen, holds }) => [fault, points, must, seen, holds ? 'yes' : '**no**'])];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
