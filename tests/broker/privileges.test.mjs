/** What the parts can do to the machine they run on: nothing that their user cannot, under no more system calls than their units allow. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { http } from '../lib/http.mjs';
import { build, sanitized, useInstalled, wrap } from '../lib/installed.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { root, Stack, useStack } from '../lib/stack.mjs';
import { filterOf } from '../lib/units.mjs';

const isRoot = process.getuid() === 0;
const PARTS = ['mosquitto', 'roomd', 'httpd'];
const UNITS = { mosquitto: 'mosquitto/parley-broker@.service', roomd: 'roomd/parley-roomd@.service', httpd: 'httpd/parley-httpd.service' };

const statusOf = (pid) => Object.fromEntries(readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n').map((line) => {
  const [name, value] = line.split(/:\s*/);
  return [name, value?.trim().replace(/\s+/g, ' ')];
}));

/** Fails unless process `pid` is what root's daemons become, or, when the tests are not root's, whoever runs the tests. */
function assertUnprivileged(pid, who) {
  const user = isRoot ? 'parley' : String(process.getuid());
  const ask = (option) => execFileSync('id', [option, user]).toString().trim();
  const status = statusOf(pid);
  assert.deepEqual(status.Uid.split(' '), Array(4).fill(ask('-u')), `${who}: user`);
  assert.deepEqual(status.Gid.split(' '), Array(4).fill(ask('-g')), `${who}: group`);
  assert.deepEqual(status.Groups.split(' ').sort(), ask('-G').split(' ').sort(), `${who}: groups`);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) assert.match(status[set], /^0+$/, `${who}: ${set}`);
  assert.equal(status.NoNewPrivs, '1', `${who}: no new privileges`);
}

/** What `ended` says within a while. */
const statusWithin = (child) => Promise.race([new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal))),
  new Promise((resolve) => setTimeout(resolve, 10_000, 'still running').unref())]);

describe('privileges', () => {
  const installed = useInstalled();
  const stack = useStack({ env: { PARLEY_BUILD_DIR: installed } });

  test('every part runs as the user, with no rights and no way to any', () => {
    for (const part of PARTS) assertUnprivileged(stack.pid(part), part);
    assert.equal(stack.log.find((line) => line.includes('WARNING')), undefined);
  });

  test('a part that dies comes back without rights, and with its rooms', async () => {
    const room = await stack.room();
    for (const part of PARTS) {
      await stack.kill(part);
      assertUnprivileged(stack.pid(part), part);
    }
    assert.equal((await stack.http('GET', `/api/rooms/${room}`)).status, 200);
  });

  test('the state folder and all in it is the user\'s alone', () => {
    const uid = isRoot ? Number(execFileSync('id', ['-u', 'parley'])) : process.getuid();
    const files = execFileSync('ls', ['-A', stack.stateDir]).toString().trim().split('\n');
    assert.ok(['keys', 'parley.conf', 'mosquitto.conf', 'roomd.sqlite', 'httpd.pid'].every((name) => files.includes(name)), `there: ${files}`);
    for (const name of ['.', ...files]) {
      const stat = statSync(join(stack.stateDir, name));
      assert.equal(stat.uid, uid, name);
      // Mosquitto lets its group write to its socket; the folder does not let it in.
      assert.equal(stat.mode & (stat.isSocket() ? 0o007 : 0o077), 0, name);
    }
  });

  test('no part can leave its memory in a core dump, or have it read by others of its user', () => {
    for (const part of PARTS) {
      const pid = stack.pid(part);
      assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m, part);
      // The kernel gives what /proc shows of a process that cannot be dumped to root. (LeakSanitizer needs one that can be.)
      if (!sanitized) assert.equal(statSync(`/proc/${pid}/environ`).uid, 0, `${part} can be dumped`);
    }
    if (!isRoot || sanitized) return;
    for (const part of PARTS) {
      const spy = spawnSync('setpriv', ['--reuid', 'parley', '--regid', 'parley', '--init-groups', 'cat', `/proc/${stack.pid(part)}/environ`]);
      assert.notEqual(spy.status, 0, `${part}: its user reads its environment, and so could its memory`);
    }
  });

  if (isRoot) {
    /** Starts `part` by hand, as root, with the running instance's configuration and some lines of it changed. */
    const startAsRoot = (part, changes) => {
      let text = readFileSync(join(stack.stateDir, 'parley.conf'), 'utf8');
      for (const [name, value] of Object.entries(changes)) text = text.replace(new RegExp(`^${name} = .*$`, 'm'), `${name} = ${value}`);
      const file = join(stack.folder, `${part}.conf`);
      writeFileSync(file, text);
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', join(installed, 'bin', part), '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
      child.said = '';
      child.stderr.on('data', (data) => { child.said += data; });
      return child;
    };

    test('httpd binds a port that only root may bind, and then is root no more', async () => {
      const port = await lowPort();
      const httpd = startAsRoot('httpd', { port });
      const ended = statusWithin(httpd);
      try {
        await until(async () => (await http(`http://127.0.0.1:${port}`, 'GET', '/healthz')).status === 200, { what: `httpd on port ${port}` });
        assertUnprivileged(httpd.pid, 'httpd');
      } finally {
        httpd.kill('SIGTERM');
      }
      assert.equal(await ended, 0, httpd.said);
    });

    for (const part of ['roomd', 'httpd']) {
      test(`${part} does not start when there is no such user`, async () => {
        const child = startAsRoot(part, { user: 'no-such-user', port: await lowPort() });
        const ended = statusWithin(child);
        await until(() => child.exitCode !== null, { what: `${part} to end` }).finally(() => child.kill('SIGKILL'));
        assert.equal(await ended, 1);
        assert.match(child.said, /user = no-such-user: there is no such user/);
      });

      test(`${part} does not start when its user cannot read the keys`, async () => {
        const keys = join(stack.folder, 'keys-of-root');
        writeFileSync(keys, readFileSync(join(stack.stateDir, 'keys')), { mode: 0o600 });
        const child = startAsRoot(part, { keys_file: keys, store: join(stack.stateDir, 'second.sqlite'), port: await lowPort() });
        const ended = statusWithin(child);
        await until(() => child.exitCode !== null, { what: `${part} to end` }).finally(() => child.kill('SIGKILL'));
        assert.equal(await ended, 1);
        assert.match(child.said, /keys-of-root.*Permission denied/);
      });
    }

    test('below a closed folder everything runs as root, and a warning says so', async () => {
      const closed = new Stack({ env: { PARLEY_BUILD_DIR: installed }, mode: 0o700 });
      try {
        await closed.start();
        assert.equal(closed.log.filter((line) => /WARNING: everything runs as root, since parley cannot reach/.test(line)).length, 1);
        for (const part of PARTS) assert.equal(statusOf(closed.pid(part)).Uid.split(' ')[1], '0', part);
        await closed.room();
      } finally {
        await closed.stop();
      }
    });
  }
});

/** A free port below 1024. */
async function lowPort() {
  for (let port = 1023; port > 600; port--) {
    const server = createServer();
    const isFree = await new Promise((resolve) => server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)));
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
  throw new Error('no port below 1024 is free');
}

// Sanitizers make other system calls than what is shipped.
if (!sanitized) {
  describe('the system calls that the units allow', () => {
    const installed = useInstalled();
    const folder = mkdtempSync(join(tmpdir(), 'parley-filters-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    execFileSync('chmod', ['755', folder]);
    const underFilter = join(folder, 'under_filter');
    execFileSync('cp', [join(build, 'bin/under_filter'), underFilter]);
    // As systemd does: first the user, then the filter. (The broker is started as the user already.)
    const become = '$([ "$(id -u)" -ne 0 ] || echo setpriv --reuid parley --regid parley --init-groups --pdeathsig TERM)';
    const rules = {};
    for (const [part, unit] of Object.entries(UNITS)) {
      rules[part] = join(folder, `${part}.rules`);
      writeFileSync(rules[part], filterOf(join(root, unit)), { mode: 0o644 });
    }
    for (const part of ['roomd', 'httpd']) wrap(join(installed, 'bin', part), `${become} ${underFilter} ${rules[part]}`);
    const mosquitto = join(folder, 'mosquitto');
    wrap(mosquitto, `${underFilter} ${rules.mosquitto}`, process.env.PARLEY_MOSQUITTO ?? execFileSync('which', ['mosquitto'], { env: { PATH: `${process.env.PATH}:/usr/sbin` } }).toString().trim());
    const stack = useStack({ env: { PARLEY_BUILD_DIR: installed, PARLEY_MOSQUITTO: mosquitto }, config: { tokens: { ttl_s: 60 }, 'broker main': { socket: '' } } }); // as the units have it: by TCP

    test('are enough for calls, a lost connection, a reload of keys and an end in order', async () => {
      const pids = PARTS.map((part) => stack.pid(part));
      for (const pid of pids) assert.equal(statusOf(pid).Seccomp, '2', 'the filter is there');
      for (const link of [{ transport: 'ws' }, { transport: 'tcp', version: 4 }]) {
        const { room, ada, bob } = await pair(stack, link);
        await ada.tell(bob, 'offer');
        await bob.next(`offer/${ada.id}`);
        for (const part of PARTS) stack.signal(part, 'SIGHUP');
        await until(() => stack.log.filter((line) => /keys-(re)?loaded/.test(line)).length >= 3);
        await bob.drop();
        await ada.next('user-away');
        assert.equal((await stack.http('GET', `/api/rooms/${room}`)).status, 200);
      }
      for (const path of ['/', '/healthz', '/readyz', '/metrics']) assert.equal((await stack.http('GET', path)).status, 200, path);
      assert.deepEqual(PARTS.map((part) => stack.pid(part)), pids, 'nobody was ended by the filter');
      assert.deepEqual(stack.log.filter((line) => /ended with status/.test(line)), []);
    });

    test('are fewer than there are: the filter that the test sets is one', () => {
      for (const part of PARTS) {
        const run = (...command) => spawnSync(underFilter, [rules[part], ...command]);
        assert.equal(run('true').status, 0, part);
        assert.equal(run('chown', String(process.getuid()), folder).signal, 'SIGSYS', `${part}: chown`);
        assert.equal(run('nice', '-n', '1', 'true').signal, 'SIGSYS', `${part}: priorities`);
      }
    });
  });
}
