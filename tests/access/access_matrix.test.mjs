/**
 * The access table against a second statement of the rules (statement.mjs): every case on the pure function that the gate
 * calls, then a sample of them on the real broker.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { NOT_AUTHORIZED } from '../lib/client.mjs';
import { root, useStack } from '../lib/stack.mjs';
import { ASKERS, cases, expected, isFilter, names } from './statement.mjs';

const build = process.env.PARLEY_BUILD_DIR ?? join(root, 'build');

/** The name as the probe takes it: one line, no tab. */
const encode = (name) => [...Buffer.from(name)]
  .map((byte) => (byte > 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`)).join('');

const describeCase = ({ who, op, name, retain, members }) =>
  `${who.role} ${who.id} ${who.room} ${op}${retain ? ' retained' : ''} ${JSON.stringify(name)}, members ${[...members].join(' ') || 'none'}`;

describe('the access table', () => {
  it('answers every case as the second statement of the rules does', (t) => {
    const all = [...cases()];
    const input = all.map(({ who, op, name, retain, members }) =>
      [who.role, who.id, who.room, op, retain ? 1 : 0, encode(name), ...members].join('\t')).join('\n');
    const probe = spawnSync(join(build, 'bin/access_probe'), { input: `${input}\n`, maxBuffer: 1 << 30, encoding: 'utf8' });
    assert.equal(probe.status, 0, probe.stderr);
    const answers = probe.stdout.trimEnd().split('\n');
    assert.equal(answers.length, all.length);
    const tally = { allowed: 0, denied: 0, 'not-a-member': 0 };
    const mismatches = [];
    all.forEach((one, i) => {
      const right = expected(one.who, one.op, one.name, one.retain, one.members);
      tally[right]++;
      if (right !== answers[i]) mismatches.push(`${describeCase(one)}: ${answers[i]}, not ${right}`);
    });
    t.diagnostic(`${all.length} cases: ${JSON.stringify(tally)}`);
    assert.ok(all.length >= 20_000 && tally.allowed > 1000 && tally['not-a-member'] > 100);
    assert.deepEqual(mismatches, []);
  });
});

describe('the same at the broker', () => {
  const stack = useStack();
  const members = new Set(['blue/p-ann', 'blue/p-bob']);
  /** Not the services' own ids, whose connections the real ones need, and not Ann's other token, which would put her out. */
  const askers = ASKERS.filter(({ id, room }) => !['s-roomd', 's-httpd'].includes(id) && room !== 'red');

  /** Half of what is allowed, half of everything, spread evenly; only names that a client library sends. */
  function sample(op, count) {
    const usable = [...names()].filter((name) => name.length > 0 && !/[\u0000-\u001f]/.test(name) && (op === 'subscribe' ? isFilter(name) : !/[+#]/.test(name)));
    const all = askers.flatMap((who) => usable.map((name) => ({ who, op, name, retain: false, members })));
    const right = all.filter((one) => expected(one.who, op, one.name, false, members) === 'allowed');
    const pick = (from, n) => Array.from({ length: Math.min(n, from.length) }, (_, i) => from[Math.floor((i * from.length) / Math.min(n, from.length))]);
    return [...pick(right, count / 2), ...pick(all, count / 2)];
  }

  /** What the broker does with one case: its reason codes, MQTT 5. A payload that is no JSON changes nothing where it gets through. */
  async function answerOf(client, { op, name }) {
    try {
      if (op === 'subscribe') await client.mqtt.subscribeAsync(name, { qos: 1 });
      else await client.mqtt.publishAsync(name, 'x', { qos: 1 });
      return 'allowed';
    } catch (error) {
      return (error.code ?? error.packet?.granted?.[0]) === NOT_AUTHORIZED ? 'refused' : `${error}`;
    }
  }

  it('answers a sample as the second statement of the rules does', { timeout: 120_000 }, async (t) => {
    await stack.room('blue');
    const clients = new Map();
    for (const { role, id, room } of askers) {
      const token = await stack.token(role, id, room || undefined);
      if (members.has(`${room}/${id}`)) {
        const peer = await stack.peer(room, { id, token });
        await peer.join();
        clients.set(id, peer.client);
      } else {
        clients.set(id, await stack.client({ id, token }));
      }
    }
    const chosen = [...sample('subscribe', 300), ...sample('write', 300)];
    const mismatches = [];
    let allowed = 0;
    for (const one of chosen) {
      stack.knownInvalid.add(`${one.name} x`);
      const right = expected(one.who, one.op, one.name, false, members) === 'allowed' ? 'allowed' : 'refused';
      const answer = await answerOf(clients.get(one.who.id), one);
      if (right === 'allowed') allowed++;
      if (answer !== right) mismatches.push(`${describeCase(one)}: ${answer}, not ${right}`);
    }
    t.diagnostic(`${chosen.length} cases at the broker, ${allowed} of them allowed`);
    assert.deepEqual(mismatches, []);
    assert.ok(allowed >= 100 && chosen.length >= 400);
  });
});
