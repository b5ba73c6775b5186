/** Parts that may open nothing more: calls go on, nobody spins, and all is well again without a restart. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { before, describe, test } from 'node:test';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';

const SPARE = 6;
const TOO_MANY = 40;

const USUAL = 1024;

describe('no descriptors left', () => {
  before(() => execFileSync('prlimit', ['--pid', process.pid, `--nofile=${USUAL}:`].map(String))); // what starts below has so many
  const stack = useStack();

  const open = (part) => readdirSync(`/proc/${stack.pid(part)}/fd`).length;

  /** Lets a part have so many. Its own user may do that. */
  function limit(part, count) {
    const status = readFileSync(`/proc/${stack.pid(part)}/status`, 'utf8');
    const [uid, gid] = ['Uid', 'Gid'].map((name) => new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]);
    const asUser = Number(uid) === process.getuid() ? [] : ['setpriv', '--reuid', uid, '--regid', gid, '--clear-groups'];
    const [command, ...words] = [...asUser, 'prlimit', '--pid', String(stack.pid(part)), `--nofile=${count}:`];
    execFileSync(command, words);
  }

  const limits = (part) => /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${stack.pid(part)}/limits`, 'utf8')).slice(1).map(Number);
  const softLimit = (part) => limits(part)[0];

  /** Processor time it has used, in ticks of 10 ms. */
  const ticks = (part) => readFileSync(`/proc/${stack.pid(part)}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, text) => sum + Number(text), 0);

  /** Takes up what `part` may have at `port` while `meanwhile` runs. */
  async function exhausted(part, port, meanwhile) {
    const before = softLimit(part);
    limit(part, open(part) + SPARE);
    const sockets = Array.from({ length: TOO_MANY }, () => connect(port, '127.0.0.1').on('error', () => {}));
    try {
      await until(() => open(part) >= softLimit(part) - 1, { timeout: 10_000, what: 'it to have no more' });
      await meanwhile();
    } finally {
      for (const socket of sockets) socket.destroy();
      limit(part, before);
    }
  }

  const portOf = (url) => Number(new URL(url).port);

  async function talk({ ada, bob }) {
    const n = Math.random();
    await ada.tell(bob, 'offer', { n });
    await bob.next((message) => message.json?.n === n);
  }

  test('every part may have as many as there are, whatever is usual where it is started', () => {
    for (const part of ['mosquitto', 'roomd', 'httpd']) {
      const [soft, hard] = limits(part);
      assert.ok(soft === hard && soft > USUAL, `${part}: ${soft} of ${hard}`);
    }
  });

  test('httpd: the call goes on, it does not spin, and serves again', async () => {
    const call = await pair(stack);
    await exhausted('httpd', portOf(stack.httpUrl), async () => {
      const [used, at] = [ticks('httpd'), performance.now()];
      for (let i = 0; i < 20; i++) {
        await talk(call);
        await call.ada.client.settle();
      }
      await until(() => performance.now() - at > 1000, { what: 'a second' });
      const share = (ticks('httpd') - used) * 10 / (performance.now() - at);
      assert.ok(share < 0.5, `${(100 * share).toFixed()} % of a processor`);
    });
    await until(async () => (await stack.http('GET', '/')).status === 200, { timeout: 15_000, what: 'a page' });
    assert.equal((await stack.http('POST', '/api/rooms', { body: {} })).status, 201);
  });

  test('broker: those who are in go on, and others come in again', async () => {
    const call = await pair(stack);
    await exhausted('mosquitto', portOf(stack.mqttUrl), async () => {
      for (let i = 0; i < 20; i++) await talk(call);
      await call.ada.join();
    });
    await until(() => stack.peer(call.room, { name: 'Eve' }), { timeout: 15_000, every: 200, what: 'somebody to come in' });
    await talk(call);
  });

  test('roomd: it goes on with what it has', async () => {
    const before = softLimit('roomd');
    const room = await stack.room();
    limit('roomd', open('roomd'));
    try {
      const ada = await stack.peer(room, { name: 'Ada' });
      await ada.join();
      const bob = await stack.peer(room, { name: 'Bob' });
      await bob.join();
      await bob.cut();
      await ada.next('cut-the-call');
      for (let i = 0; i < 50; i++) await stack.room();
    } finally {
      limit('roomd', before);
    }
    assert.equal((await stack.settledStats()).store_failures, 0);
  });
});
