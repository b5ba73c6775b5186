/** A stack with calls up, for the time of some faults. */
import { Stack } from '../lib/stack.mjs';
import { Calls } from './calls.mjs';

export const PAIRS = 50;
export const STRANGERS = 10;
export const GRACE_S = 30;

/** @param {number} most ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const randomPause = (most) => pause(Math.random() * most);
const AFTERWARDS_MS = 1100;

/**
 * @template T
 * @param {ConstructorParameters<typeof Stack>[0] & {pairs?: number, strangers?: number, how?: Parameters<Calls['start']>[2]}} options
 * @param {(scene: {stack: Stack, calls: Calls}) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withCalls({ pairs = PAIRS, strangers = STRANGERS, how, config = {}, ...options }, use) {
  const stack = new Stack({ ...options, config: { ...config, rooms: { grace_s: GRACE_S, ...config.rooms } } });
  await stack.start();
  const calls = new Calls(stack);
  try {
    await calls.start(pairs, strangers, how);
    return await use({ stack, calls });
  } catch (error) {
    console.error(stack.tail(60));
    throw error;
  } finally {
    calls.end();
    await stack.stop();
  }
}

/**
 * Runs `point` `count` times, at random times, with strangers that knock, and says what of it was lost.
 *
 * @param {{stack: Stack, calls: Calls}} scene
 * @param {number} count
 * @param {() => Promise<number | void>} point what is done and waited for; a time that it returns is kept
 */
export async function repeat({ stack, calls }, count, point) {
  const sum = { times: /** @type {number[]} */ ([]), lost: 0, gap: 0, wrongRooms: 0, intruders: 0 };
  for (let i = 0; i < count; i++) {
    calls.calm();
    await randomPause(1500);
    const time = await point();
    if (time !== undefined) sum.times.push(time);
    await stack.ready();
    await pause(AFTERWARDS_MS); // a gap that the fault has caused shows by then
    sum.lost += calls.lost;
    sum.gap = Math.max(sum.gap, calls.gap);
    sum.wrongRooms += await calls.wrongRooms();
  }
  sum.intruders = calls.intruders;
  return sum;
}
