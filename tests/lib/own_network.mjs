/**
 * A network of a test file's own: the file runs once more in a network namespace that has a loopback interface, one with public
 * addresses, and no way out. The namespace ends with the processes in it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inNewNetwork, ip } from './namespaces.mjs';

const INSIDE = 'PARLEY_TEST_NETWORK';

/** Addresses that nobody here reaches for real, in networks that are as public as any. */
export const PUBLIC = { v4: '11.0.0.1', v6: '2600:1::1' };
/** Another machine, as it were. */
export const ELSEWHERE = { v4: '11.0.0.2', v6: '2600:1::2' };

/** Gives this network an address; both families. @param {string} address with its prefix length */
export function addAddress(address) {
  ip('address', 'add', address, 'dev', 'public0', ...(address.includes(':') ? ['nodad'] : []));
}

function setUp() {
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'public0', 'type', 'veth', 'peer', 'name', 'public1');
  for (const { v4, v6 } of [PUBLIC, ELSEWHERE]) {
    addAddress(`${v4}/24`);
    addAddress(`${v6}/64`);
  }
  for (const link of ['public0', 'public1']) {
    // no link-local addresses: they come a second or two later, and a change of addresses ends what a browser is loading
    ip('link', 'set', link, 'addrgenmode', 'none');
    ip('link', 'set', link, 'up');
  }
}

/**
 * @param {string} url the test file's `import.meta.url`
 * @param {{timeout: number}} options how long all of its tests may take, ms
 * @returns {boolean} true inside, where the file defines its tests; outside, one test has been defined that runs the file inside
 */
export function inOwnNetwork(url, { timeout }) {
  if (process.env[INSIDE]) {
    process.once('SIGTERM', () => process.exit(1)); // what it started ends with it
    setUp();
    return true;
  }
  test('in a network of its own', async (t) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(...inNewNetwork(process.execPath, '--test-reporter=spec', fileURLToPath(url)),
      { env: { ...env, [INSIDE]: '1' }, stdio: ['ignore', 'pipe', 'inherit'] });
    const timer = setTimeout(() => child.kill(), timeout);
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    const ended = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? signal));
    });
    clearTimeout(timer);
    const report = Buffer.concat(output).toString();
    for (const line of report.split('\n').filter((text) => /^\s*[✔✖]/.test(text))) t.diagnostic(line.trim());
    assert.equal(ended, 0, report);
    assert.match(report, /^ℹ pass [1-9]/m);
  });
  return false;
}
