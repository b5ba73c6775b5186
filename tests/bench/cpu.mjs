/** What processes have cost, from the kernel's own books: their time on a processor, and their memory. */
import { readFileSync, readdirSync } from 'node:fs';

const TICKS_PER_S = 100; // USER_HZ, which Linux has at 100 wherever Node runs

/** The process and all below it. @param {number} pid @returns {number[]} */
export function family(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
  return [pid, ...children.flatMap(family)];
}

/** By the nanosecond where the kernel keeps schedstat, else by its ticks. @param {number} pid @returns {number} in µs */
function processCpu(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000, 0);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    // The name, in parentheses, may hold blanks: fields are counted behind it (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * (1e6 / TICKS_PER_S);
  }
}

/** What these processes have used so far, all their threads together. @param {number[]} pids @returns {number} in µs */
export function cpuOf(pids) {
  return pids.reduce((sum, pid) => sum + processCpu(pid), 0);
}

/** What they have in memory now. @param {number[]} pids @returns {number} in bytes */
export function residentOf(pids) {
  return pids.reduce((sum, pid) => sum + 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]), 0);
}
