/** Which of two roomds is at work, and parts that stay away. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './poll.mjs';

const PARTS = ['roomd', 'roomd_standby'];

/** The inodes of sockets that are connected to the one at `path` (ss(8)). @param {string} path @returns {Set<string>} */
function connectedTo(path) {
  const rows = execFileSync('ss', ['-xHn', 'state', 'established', 'src', `unix:${path}`]).toString().trim().split('\n');
  return new Set(rows.map((row) => row.split(/\s+/).at(-1)));
}

/** Its sockets, as inodes. @param {number} pid @returns {string[]} */
function socketsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '';
      } catch {
        return ''; // closed since
      }
    });
  } catch {
    return []; // it has ended
  }
}

/**
 * Waits until one of them holds a connection to the broker. (The other's last for the time of a refusal.)
 *
 * @param {import('./stack.mjs').Stack} stack started with `standby`
 * @returns {Promise<{part: string, pid: number}>}
 */
export async function atWork(stack) {
  const path = join(stack.stateDir, 'broker-main.sock');
  if (!existsSync(path)) throw new Error(`${path} is not there: the state folder's path is too long for a socket`);
  const connections = () => {
    const connected = connectedTo(path);
    return PARTS.flatMap((part) => {
      try {
        const pid = stack.pid(part);
        return socketsOf(pid).filter((inode) => connected.has(inode)).map((inode) => ({ part, pid, inode }));
      } catch {
        return []; // about to be started again
      }
    });
  };
  let found;
  let before = connections();
  await until(() => { // the same connection at two looks that are further apart than a refusal lasts
    const now = connections();
    found = now.find(({ inode }) => before.some((other) => other.inode === inode));
    before = now;
    return found;
  }, { every: 100, timeout: 30_000, what: 'a roomd at work' });
  return { part: found.part, pid: found.pid };
}

/** Keeps a part that ends from being started again until the function returned is called. @param {number} pid the part's */
export function holdSupervisor(pid) {
  const supervisor = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  process.kill(supervisor, 'SIGSTOP');
  return () => process.kill(supervisor, 'SIGCONT');
}
