/** The load generator does the same work with every system that ./parley bench compares: not how fast, but all of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Figure } from '../bench/figures.mjs';
import { Bare, Parley, load, original, peerJs } from '../bench/systems.mjs';

const WORK = ['idle=4', 'calls=4,2,4', 'kept=6,2,4', 'relay=20', 'flood=2,1', 'connects=6,2'];
const systems = {
  Parley: [() => new Parley(), {}], 'Parley, 2 shards': [() => new Parley({ shards: 2 }), {}], 'Parley, devices over TCP': [() => new Parley(), { tcp: true, more: ['--devices'] }],
  'bare Mosquitto': [() => new Bare(), {}], PeerJS: [peerJs, {}], 'socket.io': [original, {}],
};

describe('the load generator', { timeout: 300_000 }, () => {
  for (const [name, [make, options]] of Object.entries(systems)) {
    test(name, async () => {
      const isParley = name.startsWith('Parley');
      const isDevice = name.includes('devices');
      const system = await make().start();
      try {
        // A device that waits listens in no room.
        const rows = await load(system, [...(isParley ? ['rooms=32'] : []), ...(isDevice ? ['idle=4', 'connects=60,2'] : WORK)], options);
        const done = rows.filter((row) => row.work !== 'rooms');
        assert.deepEqual(done.map((row) => [row.work, row.work === 'flood' || row.count]), isDevice ? [['idle', 4], ['connects', 60]]
          : [['idle', 4], ['calls', 4], ['calls-kept', 6], ['relay', 20], ['flood', true], ['connects', 6]]);
        // Of all of it: the kernel's books may not show a few packets yet.
        assert.ok(done.flatMap((row) => row.cpu_s).reduce((a, b) => a + b) > 0);
        for (const row of done) {
          assert.equal(row.cpu_s.length, system.pids.length);
          assert.ok(row.seconds > 0 && row.count > 0 && row.cpu_s.every((used) => used >= 0), row.work);
          if (!['idle', 'flood'].includes(row.work)) assert.ok(row.min_us > 0 && row.min_us <= row.p50_us && row.p50_us <= row.p99_us && row.p99_us <= row.max_us, row.work);
        }
      } finally {
        await system.stop();
      }
    });
  }

  test('leaves rooms empty: the next one makes them anew', async () => {
    const system = await new Parley().start();
    try {
      for (let run = 0; run < 2; run++) await load(system, ['rooms=8', 'relay=20', 'flood=2,1']);
    } finally {
      await system.stop();
    }
  });

  test('calls that last, beside those of another generator', async () => {
    const system = await new Parley().start();
    try {
      await load(system, ['rooms=12']);
      const members = async () => (await Promise.all([...Array(12)].map(async (_, i) => (await system.stack.http('GET', `/api/rooms/bench-${i}`)).json.peers.length))).join('');
      let seen;
      const held = async () => {
        const beside = await load(system, ['talks=4', 'kept=2,2,2'], { more: ['--first-room', 6], held: async () => { seen = await members(); } });
        assert.deepEqual(beside.map(({ work, count }) => [work, count]), [['talks', 8], ['stay', 8], ['calls-kept', 2]]);
      };
      assert.deepEqual((await load(system, ['talks=6'], { held })).map(({ work, count }) => [work, count]), [['talks', 12], ['stay', 12]]);
      assert.equal(seen, '222222222200');
    } finally {
      await system.stop();
    }
  });

  test('what it cannot do is a failure', async () => {
    const system = await peerJs().start();
    const fails = {
      'rooms=1': 'loadgen: only Parley makes rooms', 'calls=1,2,1': 'loadgen: so many calls at once need as many rooms',
      'relay=0': 'loadgen: relay=0 is no work that can be done', 'nothing=1': 'loadgen: nothing=1 is no work that can be done',
    };
    try {
      for (const [work, why] of Object.entries(fails)) await assert.rejects(load(system, [work]), { code: 1, message: new RegExp(`^${why}$`, 'm') });
      await assert.rejects(load(system, ['idle=1', 'idle=1']), { code: 1, message: /^loadgen: there are idle peers already$/m });
      await assert.rejects(load(system, []), { code: 2, message: /^usage: loadgen/m });
    } finally {
      await system.stop();
    }
    const nobody = { args: () => ['--dialect', 'peerjs', '--port', '1'], pids: [process.pid] };
    await assert.rejects(load(nobody, ['relay=1']), { code: 1, message: /^loadgen: relay: a pair: Connection refused$/m });
  });
});

test('a figure is the median of its rounds, and a bar compares medians', () => {
  const figure = new Figure('time', 'ms');
  for (const value of [9, 1, 2]) figure.add('ours', value);
  for (const value of [4, 100, 3]) figure.add('theirs', value);
  const [all, ...bars] = figure.bar('ours', 'theirs', { most: 0.4 }).bar('ours', 'theirs', { least: 0.5 }).bar('ours', 'nobody', { most: 1 }).limit('ours', 1.9).rows();
  assert.deepEqual(all.values, { ours: 2, theirs: 4 });
  assert.deepEqual(bars.map((bar) => [bar.seen, bar.must, bar.holds]), [['0.500', '≤ 0.4', false], ['0.500', '≥ 0.5', true], ['2.000', '≤ 1.9', false]]);
});
