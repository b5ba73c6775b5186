/**
 * The capacity model (docs/performance.md) against a machine that is full: as many calls as it can hold, what they cost while they last, and
 * what another one costs beside them.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuOf, residentOf } from './cpu.mjs';
import { Figure } from './figures.mjs';
import { Parley, load } from './systems.mjs';

/** A descriptor a peer, of the 20,000 that a process may have here, for the generator and for the broker. */
const CALLS_EACH = 9000;
/** Rooms for the calls that are measured. */
const ROOMS = 100;
const WORK = ['calls=300,16,16', 'kept=1000,16,16', 'calls=1500,16,16', 'kept=3000,16,16'];
const QUIET_S = 60;
const cpuEach = ({ cpu_s, count }) => (cpu_s.reduce((a, b) => a + b) / count) * 1e3;

/** What the kernel has given away to whomever, bytes. */
const used = () => {
  const of = (name) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))[1]);
  return of('MemTotal') - of('MemAvailable');
};

/** Calls that last until `release`. @returns {Promise<{release: () => void, ended: Promise<unknown>}>} once they stand */
async function hold(system, index) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const args = { more: ['--first-room', ROOMS + index * CALLS_EACH] };
  return new Promise((stands, fails) => {
    const ended = load(system, [`talks=${CALLS_EACH}`], { ...args, held: () => (stands({ release, ended }), released) });
    ended.catch(fails);
  });
}

/** @param {{mosquitto?: string, machines: number, log: (line: string) => void}} options `machines`: brokers, and load generators, of 9,000 calls each */
export async function capacity({ mosquitto, machines, log }) {
  const bytes = new Figure('bytes a peer in a call', 'B');
  const quiet = new Figure('CPU of a second of a thousand calls that last', 'ms');
  const fresh = new Figure('CPU of a call with connects, 16 at once', 'ms');
  const kept = new Figure('CPU of a call on kept connections, 16 at once', 'ms');
  const p50 = new Figure('call set-up with connects, 16 at once, p50', 'ms');
  const system = await new Parley({ shards: machines, mosquitto }).start();
  const parts = {
    brokers: system.stack.brokers.map(({ suffix }) => system.pid(`mosquitto${suffix}`)),
    roomds: system.stack.brokers.map(({ suffix }) => system.pid(`roomd${suffix}`)),
    httpd: [system.pid('httpd')],
  };
  const measure = async (label) => {
    const [, , calls, again] = await load(system, WORK, { more: ['--batches', '1'] });
    fresh.add(label, cpuEach(calls));
    kept.add(label, cpuEach(again));
    p50.add(label, calls.p50_us / 1e3);
  };
  const held = [];
  try {
    const total = machines * CALLS_EACH;
    await load(system, [`rooms=${ROOMS + total}`]);
    await measure('nobody else');
    const before = Object.fromEntries(Object.entries(parts).map(([name, pids]) => [name, residentOf(pids)]));
    const all = used();
    for (let i = 0; i < machines; i++) {
      held.push(await hold(system, i));
      log(`${(i + 1) * CALLS_EACH} calls`);
    }
    for (const [name, pids] of Object.entries(parts)) bytes.add(name, (residentOf(pids) - before[name]) / (2 * total));
    bytes.add('the whole machine, both ends and the kernel', (used() - all) / (2 * total));
    const start = Object.fromEntries(Object.entries(parts).map(([name, pids]) => [name, cpuOf(pids)]));
    await sleep(QUIET_S * 1000); // what is measured is a time in which nothing is done
    for (const [name, pids] of Object.entries(parts)) quiet.add(name, (cpuOf(pids) - start[name]) / 1e3 / QUIET_S / (total / 1000));
    await measure(`beside ${total} calls`);
    for (const { release } of held) release();
    await Promise.all(held.map(({ ended }) => ended)); // one who was lost meanwhile is an error
  } finally {
    for (const { release } of held) release();
    await system.stop();
  }
  return [bytes, quiet, fresh, kept, p50].flatMap((figure) => figure.rows());
}
