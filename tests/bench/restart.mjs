/** How long roomd is away when it ends with many rooms: a join that comes meanwhile is answered when it is back. */
import { until } from '../lib/poll.mjs';
import { Figure } from './figures.mjs';
import { Parley, load } from './systems.mjs';

const ROOMS = 100_000;
/** A part that ends sooner is held up for half a second by what starts it again (./parley, supervise). */
const STEADY_MS = 2500;

export async function restart({ rounds, log }) {
  const answered = new Figure(`roomd killed with ${ROOMS} rooms: a join is answered after`, 's');
  const published = new Figure(`roomd killed with ${ROOMS} rooms: it says online, all rooms published, after`, 's');
  const system = await new Parley().start();
  try {
    log(`making ${ROOMS} rooms`);
    await load(system, [`rooms=${ROOMS}`]);
    const { stack } = system;
    for (let i = 0; i < rounds; i++) {
      log(`round ${i + 1} of ${rounds}`);
      const peer = await stack.peer(`bench-${i}`);
      const watcher = await stack.device();
      await watcher.subscribe('roomd/status');
      const epoch = (await watcher.next('roomd/status')).json.epoch;
      const killed = performance.now();
      process.kill(system.pid('roomd'), 'SIGKILL');
      await peer.join();
      answered.add('Parley', (performance.now() - killed) / 1e3);
      await until(() => watcher.seen('roomd/status').some(({ json }) => json.state === 'online' && json.epoch !== epoch && !json.publishing), { timeout: 60_000, what: 'online' });
      published.add('Parley', (performance.now() - killed) / 1e3);
      await stack.cleanUp();
      await until(() => performance.now() - killed > STEADY_MS, { what: 'roomd to have run for a while' });
    }
  } finally {
    await system.stop();
  }
  return [answered.limit('Parley', 1), published].flatMap((figure) => figure.rows());
}
