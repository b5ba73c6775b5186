/** What signalling costs: the relay of a message, call set-up, peers who are idle, crowds, and growth. */
import { availableParallelism } from 'node:os';
import { Figure } from './figures.mjs';
import { requestsOfACall } from './requests.mjs';
import { Bare, Parley, load, original, peerJs } from './systems.mjs';

const sum = (values) => values.reduce((a, b) => a + b, 0);
const cpuEach = (row, unit = 1e3) => (sum(row.cpu_s) / row.count) * unit;
const ALL_CPUS = `0-${availableParallelism() - 1}`;
/** Rooms for whatever one run of the load generator does. */
const ROOMS = 'rooms=100';

/** The systems by name; those on Mosquitto 2.1 only when it is there. */
function makers(mosquitto) {
  return {
    Parley: () => new Parley(),
    ...(mosquitto && { 'Parley on 2.1': () => new Parley({ mosquitto }) }),
    'bare Mosquitto': () => new Bare(),
    ...(mosquitto && { 'bare Mosquitto 2.1': () => new Bare({ mosquitto }) }),
    PeerJS: peerJs,
    'socket.io': original,
  };
}

/** Parley and the bare broker, on each of the two. */
const ON_BROKERS = [['Parley', 'bare Mosquitto'], ['Parley on 2.1', 'bare Mosquitto 2.1']];

/** Nobody turns the loop of a bare Mosquitto 2.0: a connect over WebSocket waits for its 100 ms poll, and how long it takes says nothing. */
const WAITS_FOR_POLL = 'bare Mosquitto';

const isParley = (name) => name.startsWith('Parley');
const isMqtt = (name) => isParley(name) || name.startsWith('bare');
const work = (name, list) => (isParley(name) ? [ROOMS, ...list] : list);
const rowsOf = (figures) => figures.flatMap((figure) => figure.rows());
const withoutRooms = (rows) => rows.filter((row) => row.work !== 'rooms');

/** Starts all, does `round(name, system)` for each of them `rounds` times in turn, and stops them. */
async function interleave(systems, rounds, log, round) {
  const running = [];
  try {
    for (const [name, make] of Object.entries(systems)) running.push([name, await make().start()]);
    for (let i = 0; i < rounds; i++) {
      for (const [name, system] of running) {
        log(`round ${i + 1} of ${rounds}: ${name}`);
        await round(name, system);
      }
    }
  } finally {
    for (const [, system] of running) await system.stop();
  }
}

/**
 * One-way relay on an idle system, and as much as goes through. One message at a time goes from process to process on one processor: with two of them most of
 * its time is that of waking the other up, and whether the scheduler takes one or two hangs on what else is running.
 */
export async function relay({ rounds, mosquitto, log }) {
  const p50 = new Figure('one-way relay of 3 KB, p50', 'us');
  const p99 = new Figure('one-way relay of 3 KB, p99', 'us');
  const rate = new Figure('messages of 3 KB relayed a second, 8 pairs at once', '1/s');
  const cpu = new Figure('CPU of one relayed message', 'us');
  await interleave(makers(mosquitto), rounds, log, async (name, system) => {
    for (const qos of isMqtt(name) ? [0, 1] : [undefined]) {
      const label = qos === undefined ? name : `${name}, QoS ${qos}`;
      const more = qos === undefined ? [] : ['--qos', qos];
      system.runOn('0');
      const [one] = withoutRooms(await load(system, work(name, ['relay=4000']), { cpus: '0', more }));
      system.runOn(ALL_CPUS);
      const [many] = withoutRooms(await load(system, work(name, ['flood=8,3']), { more }));
      p50.add(label, one.p50_us);
      p99.add(label, one.p99_us);
      rate.add(label, many.count / many.seconds);
      cpu.add(label, cpuEach(many, 1e6));
    }
  });
  for (const [parley, bare] of ON_BROKERS) {
    for (const qos of [0, 1]) {
      const [own, floor] = [parley, bare].map((name) => `${name}, QoS ${qos}`);
      p50.bar(own, floor, { most: 1.15 });
      rate.bar(own, floor, { least: 0.9 });
      p50.bar(own, 'PeerJS', { most: 0.8 }).bar(own, 'socket.io', { most: 0.65 }); // those promise what QoS 0 does
    }
  }
  rate.bar('Parley, QoS 0', 'PeerJS', { least: 1.5 }).bar('Parley, QoS 1', 'PeerJS', { least: 1.5 });
  return rowsOf([p50, p99, rate, cpu]);
}

/** Call set-up, one after the other and 16 at once, with new connections and with kept ones. */
export async function calls({ rounds, mosquitto, log }) {
  const figures = {};
  const kinds = {
    calls1: ['calls=300,1,16', 'call set-up with connects, one after the other'],
    calls16: ['calls=1500,16,16', 'call set-up with connects, 16 at once'],
    kept1: ['kept=2000,1,16', 'call set-up on kept connections, one after the other'],
    kept16: ['kept=3000,16,16', 'call set-up on kept connections, 16 at once'],
  };
  for (const [key, [, name]] of Object.entries(kinds)) {
    figures[key] = { p50: new Figure(`${name}, p50`, 'ms'), p99: new Figure(`${name}, p99`, 'ms'), cpu: new Figure(`${name}, CPU of all processes a call`, 'ms') };
  }
  const requests = new Figure('HTTP requests of a call (a room, and for each of the two the page and a token), CPU a call', 'ms');
  const note = (name, keys, rows) => keys.forEach((key, i) => {
    figures[key].p50.add(name, rows[i].p50_us / 1e3);
    figures[key].p99.add(name, rows[i].p99_us / 1e3);
    figures[key].cpu.add(name, cpuEach(rows[i]));
  });
  const list = Object.values(kinds).map(([text]) => text);
  const warm = new Set();
  await interleave(makers(mosquitto), rounds, log, async (name, system) => {
    const batches = isMqtt(name) ? ['--batches', '1'] : [];
    if (!warm.has(name)) await load(system, work(name, ['kept=1000,4,16', 'calls=300,4,16'])); // Node compiles what is hot
    warm.add(name);
    const rows = withoutRooms(await load(system, work(name, name === WAITS_FOR_POLL ? ['calls=20,1,16', ...list.slice(1)] : list), { more: batches }));
    note(name, Object.keys(kinds), rows);
    if (!isParley(name)) return;
    // What batching is worth: every candidate in a message of its own, as the others send them.
    const each = await load(system, work(name, [kinds.calls16[0], kinds.kept16[0]]), { more: ['--batches', '10'] });
    note(`${name}, no batches`, ['calls16', 'kept16'], withoutRooms(each));
    const { httpd, all } = await requestsOfACall(system, 300);
    requests.add(`${name}, httpd`, httpd);
    requests.add(`${name}, all processes`, all);
  });
  const { calls1, calls16, kept1, kept16 } = figures;
  calls1.p50.bar('Parley on 2.1', 'PeerJS', { most: 1 }).limit('Parley', 30);
  kept1.p50.bar('Parley', 'PeerJS', { most: 1 }).bar('Parley on 2.1', 'PeerJS', { most: 1 });
  kept1.p99.bar('Parley', 'socket.io', { most: 0.7 }).bar('Parley on 2.1', 'socket.io', { most: 0.7 });
  for (const [name] of ON_BROKERS) {
    calls16.cpu.bar(name, 'PeerJS', { most: 1 }).bar(name, 'socket.io', { most: 0.7 });
    kept16.cpu.bar(name, 'PeerJS', { most: 1 });
  }
  return rowsOf([...Object.values(figures).flatMap(({ p50, p99, cpu }) => [p50, p99, cpu]), requests]);
}

/** Memory and connects: each count on a system of its own, since what was freed is not given back. */
export async function idle({ rounds, mosquitto, log }) {
  const bytes = {};
  const cpu = {};
  const rate = {};
  const counts = [2000, 10_000];
  for (const count of counts) bytes[count] = new Figure(`resident bytes an idle peer, of ${count}`, 'B');
  cpu.first = new Figure('CPU of a connect, of the first 10,000', 'us');
  cpu.more = new Figure('CPU of a connect, with 10,000 connected', 'us');
  rate.more = new Figure('connects a second, with 10,000 connected', '1/s');
  const systems = makers(mosquitto);
  for (let i = 0; i < rounds; i++) {
    for (const [name, make] of Object.entries(systems)) {
      for (const kind of isMqtt(name) ? ['people', 'devices'] : ['people']) {
        const label = kind === 'people' ? name : `${name}, devices over TCP`;
        log(`round ${i + 1} of ${rounds}: ${label}`);
        for (const count of counts) {
          const system = await make().start();
          try {
            const last = count === counts.at(-1);
            const before = await system.resident();
            const [idlers, , connects] = await load(system, [`idle=${count}`, ...(last ? ['connects=1000,8'] : [])], {
              ...(kind === 'devices' && { tcp: true, more: ['--devices'] }),
              held: async () => bytes[count].add(label, (await system.resident() - before) / count),
            });
            if (last) {
              cpu.first.add(label, cpuEach(idlers, 1e6));
              cpu.more.add(label, cpuEach(connects, 1e6));
              if (label !== WAITS_FOR_POLL) rate.more.add(label, connects.count / connects.seconds);
            }
          } finally {
            await system.stop();
          }
        }
      }
    }
  }
  const most = bytes[10_000];
  for (const [own, bare] of ON_BROKERS) {
    most.bar(own, 'socket.io', { most: 0.5 }).bar(own, bare, { most: 1.1 });
    most.bar(`${own}, devices over TCP`, 'PeerJS', { most: 0.45 }).bar(`${own}, devices over TCP`, `${bare}, devices over TCP`, { most: 1.1 });
  }
  return rowsOf([...Object.values(bytes), cpu.first, cpu.more, rate.more]);
}

/** The cost of a call while 9,000 others are connected. */
export async function crowd({ rounds, mosquitto, log, shards }) {
  const cpu = new Figure('CPU of a call on kept connections, 16 at once', 'ms');
  const fresh = new Figure('CPU of a call with connects, 16 at once', 'ms');
  const sharded = `Parley, ${shards} shards`;
  const systems = {
    Parley: () => new Parley(),
    [sharded]: () => new Parley({ shards }),
    ...(mosquitto && { 'Parley on 2.1': () => new Parley({ mosquitto }) }),
    PeerJS: peerJs,
  };
  for (let i = 0; i < rounds; i++) {
    for (const [name, make] of Object.entries(systems)) {
      log(`round ${i + 1} of ${rounds}: ${name}`);
      for (const others of name === 'Parley' ? [0] : [0, 9000]) { // one broker of 2.0 is not made for so many
        const system = await make().start();
        try {
          const list = [...(others ? [`idle=${others}`] : []), 'kept=1000,16,16', 'calls=300,16,16', 'kept=2000,16,16', 'calls=1000,16,16'];
          const rows = await load(system, work(name, list), { more: isParley(name) ? ['--batches', '1'] : [] });
          const label = others ? `${name}, ${others} others` : name;
          cpu.add(label, cpuEach(rows.at(-2)));
          fresh.add(label, cpuEach(rows.at(-1)));
        } finally {
          await system.stop();
        }
      }
    }
  }
  for (const figure of [cpu, fresh]) {
    figure.bar('Parley on 2.1, 9000 others', 'Parley on 2.1', { most: 1.15 }).bar('Parley on 2.1, 9000 others', 'PeerJS, 9000 others', { most: 0.8 });
    for (const nobody of [sharded, 'Parley']) figure.bar(`${sharded}, 9000 others`, nobody, { most: 1.5 });
  }
  return rowsOf([cpu, fresh]);
}

/** The cost of a call among few rooms and many. */
export async function rooms({ rounds, log }) {
  const cpu = new Figure('CPU of a call with connects, 8 at once, taking turns in so many rooms', 'ms');
  const counts = [10, 1000, 5000];
  for (let i = 0; i < rounds; i++) {
    for (const count of counts) {
      log(`round ${i + 1} of ${rounds}: ${count} rooms`);
      const system = await new Parley().start();
      try {
        const rows = await load(system, [`rooms=${2 * count}`, `calls=300,8,${count}`, `calls=${Math.max(1500, count)},8,${count}`], { more: ['--batches', '1'] });
        cpu.add(`${count} rooms`, cpuEach(rows.at(-1)));
      } finally {
        await system.stop();
      }
    }
  }
  return cpu.bar('5000 rooms', '10 rooms', { most: 1.2 }).rows();
}

/** What a second broker costs: with few calls at once, when a broker that has less to do each turn turns more often, and with both at saturation. */
export async function shards({ rounds, mosquitto, log }) {
  const loads = { 16: '16 at once', 64: '64 at once, which saturates both' };
  const figures = {};
  for (const [atOnce, text] of Object.entries(loads)) {
    figures[atOnce] = {
      fresh: new Figure(`CPU of a call with connects, ${text}`, 'ms'), kept: new Figure(`CPU of a call on kept connections, ${text}`, 'ms'),
      rate: new Figure(`calls a second on kept connections, ${text}, the generator on the same cores`, '1/s'),
    };
  }
  const list = Object.keys(loads).flatMap((atOnce) => [`calls=1500,${atOnce},${atOnce}`, `kept=3000,${atOnce},${atOnce}`]);
  const systems = { '1 shard': () => new Parley({ mosquitto }), '2 shards': () => new Parley({ shards: 2, mosquitto }) };
  await interleave(systems, rounds, log, async (name, system) => {
    const rows = withoutRooms(await load(system, ['rooms=200', ...list], { more: ['--batches', '1'] }));
    Object.values(figures).forEach(({ fresh, kept, rate }, i) => {
      const [connecting, again] = rows.slice(2 * i);
      fresh.add(name, cpuEach(connecting));
      kept.add(name, cpuEach(again));
      rate.add(name, again.count / again.seconds);
    });
  });
  for (const figure of [figures[64].fresh, figures[64].kept]) figure.bar('2 shards', '1 shard', { most: 1.1 });
  return rowsOf(Object.values(figures).flatMap(Object.values));
}
