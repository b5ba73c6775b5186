/**
 * The fault programme: calls are up, something breaks, and what became of the calls is one row of a table.
 *
 *     node faults/run.mjs [--points N] [--only NAME[,NAME…]] [--soak MINUTES]
 *
 * Ends with 1 when a row does not hold.
 */
import { parseArgs } from 'node:util';
import { clock } from './clock.mjs';
import { endConnections } from './connection.mjs';
import { crowd } from './crowd.mjs';
import { disk } from './disk.mjs';
import { kills, standby } from './kills.mjs';
import { chromium } from './network.mjs';
import { soak } from './soak.mjs';
import { table } from './table.mjs';

/** Each gives rows. @type {Record<string, (scale: {points: number, soakMinutes: number}) => Promise<import('./table.mjs').Row[]>>} */
const FAULTS = {
  kills: ({ points }) => kills(points),
  standby: ({ points }) => standby(points),
  clock: ({ points }) => clock(points),
  disk: ({ points }) => disk(points),
  crowd: ({ points }) => crowd(points),
  pictures: ({ points }) => chromium({ kills: points }),
  network: ({ points }) => chromium({ cuts: Math.ceil(points / 2) }), // each takes its time
  soak: ({ soakMinutes }) => soak(soakMinutes),
};

const { values } = parseArgs({ options: { points: { type: 'string', default: '10' }, soak: { type: 'string', default: '10' }, only: { type: 'string' } } });
const scale = { points: Number(values.points), soakMinutes: Number(values.soak) };
const chosen = values.only?.split(',') ?? Object.keys(FAULTS);
if (!(scale.points >= 1) || !(scale.soakMinutes >= 5) || chosen.some((name) => !(name in FAULTS))) {
  console.error(`usage: run.mjs [--points N] [--soak MINUTES] [--only ${Object.keys(FAULTS).join(',')}]`);
  process.exit(2);
}

process.once('SIGTERM', () => process.exit(1)); // what it started ends with it
const rows = [];
for (const name of chosen) {
  const started = performance.now();
  try {
    rows.push(...await FAULTS[name](scale));
  } catch (error) {
    console.error(error);
    rows.push({ fault: name, points: scale.points, must: 'it runs to its end', seen: String(error.message).split('\n')[0], holds: false });
  }
  console.error(`faults: ${name} took ${Math.round((performance.now() - started) / 1000)} s`);
}
console.log(table(rows));
endConnections();
process.exit(rows.every(({ holds }) => holds) ? 0 : 1);
