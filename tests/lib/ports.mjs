/** Free TCP ports of this machine. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * @param {number} count
 * @returns {Promise<number[]>} ports that nothing listens on now, all different
 */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * Below those that the system gives to connections (ip(7), ip_local_port_range), so that none of them is taken before a test gets to it.
 *
 * @param {number} count
 * @returns {Promise<number>} the first of so many ports in a row that nothing listens on now
 */
export async function freePortRow(count) {
  for (;;) {
    const first = randomInt(12_000, 32_768 - count);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
}

/** @param {number} port */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
