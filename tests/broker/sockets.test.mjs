/** roomd and httpd reach a broker of their machine by a Unix socket. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../lib/poll.mjs';
import { Stack, root } from '../lib/stack.mjs';

/** Where the connections of `id` come from, as the brokers say: paths and addresses. */
const originsOf = (stack, id) => stack.log.flatMap((line) => new RegExp(`New client connected from (.+):\\d+ as ${id} `).exec(line)?.[1] ?? []);
const socketsOf = (stack) => [...readFileSync(join(stack.stateDir, 'parley.conf'), 'utf8').matchAll(/^socket = (.*)$/gm)].map(([, path]) => path);

/** @param {ConstructorParameters<typeof Stack>[0]} options @param {(stack: Stack) => Promise<void>} use */
async function withStack(options, use) {
  const stack = new Stack(options);
  await stack.start();
  try {
    await use(stack);
  } finally {
    await stack.stop();
  }
}

describe('Unix sockets', () => {
  test('unless configured they are in the state folder, one for each broker', () => withStack({ shards: 2 }, async (stack) => {
    const path = (name) => join(stack.stateDir, `broker-${name}.sock`);
    assert.deepEqual(socketsOf(stack), Array(2).fill(path('{broker}')));
    for (const id of ['s-roomd', 's-httpd']) assert.deepEqual(originsOf(stack, id).sort(), [path('main'), path('shard2')]);
  }));

  test('one that is configured is taken', () => withStack({ config: { 'broker main': { socket: `/tmp/parley-test-${process.pid}.sock` } } }, async (stack) => {
    assert.deepEqual(originsOf(stack, 's-roomd'), [`/tmp/parley-test-${process.pid}.sock`]);
  }));

  test('where none is to be, it is TCP, also after a loss', () => withStack({ config: { 'broker main': { socket: '' } } }, async (stack) => {
    assert.deepEqual(socketsOf(stack), ['']);
    const room = await stack.room();
    await stack.kill('mosquitto');
    assert.equal((await stack.http('GET', `/api/rooms/${room}`)).status, 200);
    for (const id of ['s-roomd', 's-httpd']) assert.deepEqual(originsOf(stack, id), ['127.0.0.1', '127.0.0.1']);
  }));

  test('one that another broker listens on is not taken away', () => withStack({}, async (stack) => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-second-'));
    const path = join(stack.stateDir, 'broker-main.sock');
    const config = join(folder, 'my.conf');
    writeFileSync(config, `[broker main]\nsocket = ${path}\n`);
    try {
      await assert.rejects(promisify(execFile)('./parley', ['run', '--state-dir', join(folder, 'state'), '--config', config], { cwd: root }),
        { stderr: new RegExp(`the socket ${path} is taken\n$`) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }));

  test('where a path is too long for one, it is TCP', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-long-'));
    const below = join(folder, 'x'.repeat(100));
    mkdirSync(below);
    try {
      execFileSync('chmod', ['711', folder, below]);
      await withStack({ below }, async (stack) => {
        assert.deepEqual(socketsOf(stack), ['']);
        for (const id of ['s-roomd', 's-httpd']) assert.deepEqual(originsOf(stack, id), ['127.0.0.1']);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  // Its queue holds ten: more tries would fill it.
  test('a broker that hangs has one connection of each in its queue, and answers it when it goes on', () => withStack({}, async (stack) => {
    const path = join(stack.stateDir, 'broker-main.sock');
    const queued = () => Number(execFileSync('ss', ['-xlHn', 'src', `unix:${path}`]).toString().trim().split(/\s+/)[2]);
    process.kill(stack.pid('mosquitto'), 'SIGSTOP');
    try {
      await until(() => queued() === 2, { timeout: 20_000, what: 'roomd and httpd to come again' });
      const seen = performance.now();
      await until(() => {
        assert.equal(queued(), 2);
        return performance.now() - seen > 8000;
      }, { timeout: 12_000, what: 'more of them' });
    } finally {
      process.kill(stack.pid('mosquitto'), 'SIGCONT');
    }
    await stack.ready();
    for (const id of ['s-roomd', 's-httpd']) assert.equal(originsOf(stack, id).length, 2);
  }));
});
