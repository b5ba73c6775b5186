/**
 * ./parley bench: what Parley costs and how long it takes, beside what people would pick instead. Every figure is the median of rounds
 * in which the systems take turns, and what is compared was measured in the same run.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { capacity } from './capacity.mjs';
import { benchFrames } from './frames.mjs';
import { table } from './numbers.mjs';
import { benchPages } from './pages.mjs';
import { restart } from './restart.mjs';
import * as signalling from './signalling.mjs';

const PARTS = { ...signalling, restart, pages: benchPages, frames: benchFrames };
/** Only when asked for: it takes all the machine has. */
const MORE = { capacity };

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    mosquitto: { type: 'string' }, // a 2.1, measured beside the one that is installed
    shards: { type: 'string', default: '64' }, // of the crowd on the one that is installed
    machines: { type: 'string', default: '8' }, // brokers of the capacity, with 9,000 calls each
    json: { type: 'string' }, // a file for the figures
  },
});

const names = options.only.split(',');
const [rounds, shards, machines] = [options.rounds, options.shards, options.machines].map(Number);
const parts = { ...PARTS, ...MORE };
if (![rounds, shards, machines].every((n) => Number.isInteger(n) && n >= 1) || !names.every((name) => parts[name])) {
  console.error(`bench: --rounds, --shards and --machines take a number, --only some of ${Object.keys(parts).join(',')}`);
  process.exit(2);
}

const all = [];
for (const name of names) {
  const log = (line) => console.error(`bench: ${name}: ${line}`);
  const rows = await parts[name]({ rounds, mosquitto: options.mosquitto, shards, machines, log });
  all.push(...rows.map((row) => ({ part: name, ...row })));
  console.log(`\n${table(rows)}`);
  if (options.json) writeFileSync(options.json, JSON.stringify(all, null, 1));
}
const missed = all.filter(({ holds }) => holds === false);
console.log(missed.length === 0 ? '\nEvery bar holds.' : `\n${missed.length} bars do not hold:\n${table(missed)}`);
