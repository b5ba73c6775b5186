/** A disk that is full, and then is not. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../lib/poll.mjs';
import { pick } from './calls.mjs';
import { repeat, withCalls } from './scene.mjs';
import { times } from './table.mjs';

const DISK = '8m';
const RECOVERY_MS = 10_000;

/** Writes until there is no room for a byte more. @param {string} file */
function fill(file) {
  const fd = openSync(file, 'w');
  try {
    for (let size = 65_536; size >= 1;) {
      try {
        writeSync(fd, Buffer.alloc(size));
      } catch {
        size >>= 1;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** @param {number} points */
export async function disk(points) {
  const below = mkdtempSync(join(tmpdir(), 'parley-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0711`, 'tmpfs', below]);
  try {
    return await withCalls({ below }, async (scene) => {
      const { stack, calls } = scene;
      const ballast = join(below, 'ballast');
      const create = async () => (await stack.http('POST', '/api/rooms', { body: {} })).status;
      let refused = 0;
      let forgotten = 0;
      const sum = await repeat(scene, points, async () => {
        fill(ballast);
        let made = 0;
        await until(async () => { // what roomd's log has room for is still taken
          const status = await create();
          if (status === 201 && ++made > 2000) throw new Error('the disk is not full');
          return status === 503;
        }, { timeout: 20_000, every: 0, what: 'a refusal' });
        refused++;
        const pair = pick(calls.pairs); // a page that is loaded again takes its seat over, full disk or not
        const { ada } = pair;
        await calls.reload(pair, ada);
        await calls.settle([pair]);
        const at = performance.now();
        rmSync(ballast);
        await until(async () => (await create()) === 201, { timeout: RECOVERY_MS, every: 20, what: 'room for rooms' });
        const recovered = performance.now() - at;
        const room = await stack.room();
        const died = performance.now();
        process.kill(stack.pid('roomd'), 'SIGKILL'); // what it knew is on the disk, or gone
        await calls.back(20_000, died);
        await stack.ready();
        await stack.observer.settle(); // it and httpd have thousands of rooms to hear of first
        // That ada's seat is that of her newest page the store learned when there was space again.
        if (!stack.observer.seen(`rooms/${ada.room}/to/${ada.grant.peer_id}/joined`).at(-1).json.resumed) {
          forgotten++;
          console.error(`${ada.room}: the seat of ${ada.grant.peer_id} is an older one`);
        }
        const { status } = await stack.http('GET', `/api/rooms/${room}`);
        if (status !== 200) {
          forgotten++;
          console.error(`${room}, which was made: ${status}`);
        }
        return recovered;
      });
      return [{
        fault: 'disk full', points, must: 'calls go on, 503 for new rooms, then as before without a restart, no data lost',
        seen: `${sum.lost} lost, ${refused} × 503, ${sum.wrongRooms} rooms with others, ${forgotten} seats or rooms forgotten; after space is back ${times(sum.times)}`,
        holds: sum.lost === 0 && refused === points && sum.wrongRooms === 0 && sum.intruders === 0 && forgotten === 0,
      }];
    });
  } finally {
    execFileSync('umount', ['-l', below]);
    rmdirSync(below);
  }
}
