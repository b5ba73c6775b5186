/**
 * The systems that are compared, each started on a port of its own: `start()` gives what the load generator has to know of it, and
 * `stop()` ends it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../lib/ports.mjs';
import { Stack, root } from '../lib/stack.mjs';
import { until } from '../lib/poll.mjs';
import { residentOf } from './cpu.mjs';

const build = process.env.PARLEY_BUILD_DIR ?? join(root, 'build');
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const START_MS = 20_000;
/** For `held`: longer than any run. */
const STAYS_S = 86_400;

/** A program that says `ready` in a line of its own. */
async function startProgram(command, args) {
  const child = spawn(command, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${command} ${args.join(' ')} ended with ${code}`)));
    child.once('error', reject);
    createInterface({ input: child.stdout }).on('line', (line) => line === 'ready' && resolve());
    setTimeout(() => reject(new Error(`${command}: not ready`)), START_MS).unref();
  });
  return child;
}

function end(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', resolve);
    child.kill('SIGKILL');
  });
}

/** Processes that hold nothing which they could do without. */
class System {
  /** Bytes in memory. @returns {Promise<number>} */
  async resident() {
    return residentOf(this.pids);
  }

  /** @param {string} cpus where the system runs from now on, as taskset(1) has it */
  runOn(cpus) {
    for (const pid of this.pids) execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cpus, String(pid)], { stdio: 'ignore' });
  }
}

/** Parley as `./parley run` starts it, everything on but for the rate limits. */
export class Parley extends System {
  constructor({ mosquitto, shards = 1 } = {}) {
    super();
    this.mosquitto = mosquitto;
    this.shards = shards;
  }

  async start() {
    const env = this.mosquitto ? { PARLEY_MOSQUITTO: this.mosquitto } : {};
    this.stack = new Stack({ env, shards: this.shards, logsToFile: true });
    await this.stack.start();
    for (const observer of this.stack.observers.splice(0)) await observer.end(); // who listens to everything is no part of the work
    return this;
  }

  pid(part) {
    return this.stack.pid(part);
  }

  /** All of them: httpd, too, which hears of every room that changes. */
  get pids() {
    return [...this.stack.brokers.flatMap(({ suffix }) => [this.pid(`mosquitto${suffix}`), this.pid(`roomd${suffix}`)]), this.pid('httpd')];
  }

  args({ tcp = false } = {}) {
    return ['--parley', join(this.stack.stateDir, 'parley.conf'), ...(tcp ? ['--tcp'] : [])];
  }

  async stop() {
    await this.stack.stop();
  }
}

/** Mosquitto without gate and tokens, and a stub that answers joins. */
export class Bare extends System {
  constructor({ mosquitto = 'mosquitto' } = {}) {
    super();
    this.mosquitto = mosquitto;
  }

  async start() {
    [this.tcpPort, this.wsPort] = await freePorts(2);
    this.folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
    const file = join(this.folder, 'mosquitto.conf');
    writeFileSync(file, `allow_anonymous true
listener ${this.tcpPort} 127.0.0.1
listener ${this.wsPort} 127.0.0.1
protocol websockets
socket_domain ipv4
set_tcp_nodelay true
max_inflight_messages 32767
max_queued_messages 25000
persistence false
sys_interval 0
log_dest none
user root
`);
    this.broker = spawn(this.mosquitto, ['-c', file], { stdio: 'ignore' });
    await until(async () => {
      this.stub = await startProgram(join(build, 'bin/bench_stub'), [this.tcpPort]).catch(() => undefined);
      return this.stub;
    }, { timeout: START_MS, what: 'a bare Mosquitto' });
    return this;
  }

  get pids() {
    return [this.broker.pid, this.stub.pid];
  }

  args({ tcp = false } = {}) {
    return ['--dialect', 'mqtt', '--port', tcp ? this.tcpPort : this.wsPort, ...(tcp ? ['--tcp'] : [])].map(String);
  }

  async stop() {
    await end(this.stub);
    await end(this.broker);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A server of one Node process. */
class NodeServer extends System {
  constructor(script, dialect) {
    super();
    this.script = script;
    this.dialect = dialect;
  }

  async start() {
    [this.port] = await freePorts(1);
    this.child = await startProgram(process.execPath, ['--expose-gc', '--import', here('collect.mjs'), here(this.script), this.port]);
    return this;
  }

  /** Without its garbage, which Node keeps as long as there is room for it. */
  async resident() {
    await Promise.all([once(this.child.stdout, 'data'), this.child.kill('SIGUSR2')]);
    return super.resident();
  }

  get pids() {
    return [this.child.pid];
  }

  args() {
    return ['--dialect', this.dialect, '--port', String(this.port)];
  }

  async stop() {
    await end(this.child);
  }
}

export const original = () => new NodeServer('original.mjs', 'socketio');
export const peerJs = () => new NodeServer('peerserver.mjs', 'peerjs');

/**
 * Runs the load generator against a system.
 *
 * @param {{args: Function, pids: number[]}} system
 * @param {string[]} work what it does, in turn
 * @param {{tcp?: boolean, more?: string[], held?: () => Promise<void>, cpus?: string}} [options] `cpus`: where it runs itself; `held` is done once the first work, peers who stay, is through, and
 *   they do nothing else meanwhile; in what was printed that is `stay`
 * @returns {Promise<Record<string, any>[]>} what it printed of each
 */
export async function load(system, work, { tcp = false, more = [], held, cpus } = {}) {
  if (held) work = [work[0], `stay=${STAYS_S}`, ...work.slice(1)];
  const args = [...system.args({ tcp }), '--pids', system.pids.join(','), ...more, ...work];
  const command = [...(cpus ? ['taskset', '--cpu-list', cpus] : []), join(build, 'bin/loadgen'), ...args];
  const child = spawn(command[0], command.slice(1).map(String), { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (err += text));
  const ended = once(child, 'close');
  if (held) {
    const isThere = await Promise.race([once(child.stdout, 'data'), ended.then(() => false)]);
    if (isThere) await held();
  }
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw Object.assign(new Error(`loadgen ${args.join(' ')}: ${code}\n${out}${err}`), { code });
  return out.trim().split('\n').map((line) => JSON.parse(line));
}
