/**
 * The call page: what serving it costs beside nginx and Express, what its first load weighs, and how soon it can be used.
 *
 *     node bench/pages.mjs [ROUNDS [SECONDS]]
 */
import { fileURLToPath } from 'node:url';
import { Stack } from '../lib/stack.mjs';
import { firstLoad } from './first_load.mjs';
import { table } from './numbers.mjs';
import { served } from './served.mjs';

/**
 * @param {{rounds?: number, seconds?: number, log?: (line: string) => void}} [options] `seconds` of load for each server in each round
 * @returns {Promise<import('./numbers.mjs').Row[]>}
 */
export async function benchPages({ rounds = 5, seconds = 5, log = console.error } = {}) {
  const stack = new Stack();
  await stack.start();
  try {
    return [...await served(stack, { rounds, seconds, log }), ...await firstLoad(stack, { rounds, log })];
  } finally {
    await stack.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [rounds, seconds] = process.argv.slice(2).map(Number); // undefined: as above
  console.log(table(await benchPages({ rounds, seconds })));
}
