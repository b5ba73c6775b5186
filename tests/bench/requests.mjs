/** What the HTTP requests of a call cost Parley: one of the two makes the room, and each loads the page and gets a token, on a connection of their own. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { cpuOf } from './cpu.mjs';

/** @param {import('../lib/stack.mjs').Stack} stack */
async function call(stack) {
  const [ada, bob] = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })];
  const ask = async (agent, method, path, options) => {
    const answer = await stack.http(method, path, { agent, ...options });
    assert.equal(answer.status, method === 'GET' ? 200 : 201, `${method} ${path}`);
    return answer.json;
  };
  const { room_id: room } = await ask(ada, 'POST', '/api/rooms', { body: {} });
  for (const agent of [ada, bob]) {
    await ask(agent, 'GET', `/r/${room}/`, { headers: { 'accept-encoding': 'gzip' } });
    await ask(agent, 'POST', `/api/rooms/${room}/peers`);
    agent.destroy();
  }
}

/**
 * @param {import('./systems.mjs').Parley} parley
 * @param {number} count calls, one after the other
 * @returns {Promise<{httpd: number, all: number}>} ms of CPU a call: of httpd, and with what the broker and roomd do for it
 */
export async function requestsOfACall({ stack, pids }, count) {
  const groups = { httpd: [stack.pid('httpd')], all: pids };
  const before = Object.values(groups).map(cpuOf);
  for (let i = 0; i < count; i++) await call(stack);
  const [httpd, all] = Object.values(groups).map((group, i) => (cpuOf(group) - before[i]) / 1e3 / count);
  return { httpd, all };
}
