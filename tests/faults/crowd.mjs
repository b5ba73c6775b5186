/** A thousand clients that all come back at once. */
import { withCalls } from './scene.mjs';
import { times, within } from './table.mjs';

const PAIRS = 500;
const MOST_MS = 30_000;

/** @param {number} points */
export async function crowd(points) {
  return withCalls({ pairs: PAIRS, strangers: 1, how: { hasMedia: false, batch: 25 } }, async ({ stack, calls }) => {
    const took = [];
    let locked = 0;
    for (let i = 0; i < points; i++) {
      calls.calm();
      const at = performance.now();
      process.kill(stack.pid('mosquitto'), 'SIGKILL');
      took.push((await calls.back(2 * MOST_MS, at)) - at);
      locked += calls.peers.reduce((sum, peer) => sum + peer.refusals + peer.losses.length, 0) + await calls.wrongRooms();
    }
    return [{
      fault: '1,000 clients reconnect at once', points, must: 'all back in 30 s, 0 lock-outs', seen: `${locked} locked out; all back ${times(took)}`,
      holds: locked === 0 && within(Math.max(...took), MOST_MS),
    }];
  });
}
