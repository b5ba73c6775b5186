/**
 * ./parley bench: what Parley costs and how long it takes, beside what people would pick instead. Every figure is the median of rounds
 * in which the systems take turns; what is compared was measured in the same run.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as signalling from './signalling.mjs';
import { restart } from './restart.mjs';

const SECTIONS = { ...signalling, restart };

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
    mosquitto: { type: 'string' },
    shards: { type: 'string', default: '16' },
    json: { type: 'string' },
  },
});

const names = options.only.split(',');
const unknown = names.filter((name) => !SECTIONS[name]);
const rounds = Number(options.rounds);
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`bench: --rounds N, and --only of ${Object.keys(SECTIONS).join(', ')}`);
  process.exit(2);
}

const all = [];
let missed = 0;
for (const name of names) {
  const log = (line) => console.error(`bench: ${name}: ${line}`);
  const figures = await SECTIONS[name]({ rounds, mosquitto: options.mosquitto, shards: Number(options.shards), log });
  console.log(`\n== ${name}`);
  for (const figure of figures) {
    console.log(String(figure));
    all.push({ section: name, ...figure, values: Object.fromEntries(figure.values) });
    missed += figure.missed;
  }
  if (options.json) writeFileSync(options.json, JSON.stringify(all, null, 1));
}
console.log(`\n${missed === 0 ? 'every bar holds' : `${missed} bars are missed`}`);
