/** Two are in a call, and a third with a valid token for their room tries everything, ten thousand times. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Attacker } from '../lib/attacker.mjs';
import { SDP, pair } from '../lib/peer.mjs';
import { useStack } from '../lib/stack.mjs';
import { KINDS } from '../lib/tries.mjs';

const TRIES = 10_000;
const EVERY = 50;
/** How long others may take to set up a call meanwhile, ms. Without an attack: some 50. */
const ORDINARY_MS = 5000;

describe('never three, by force', () => {
  const stack = useStack();

  /** Two others set up a call in a room of their own. @returns {Promise<number>} ms */
  async function callOfOthers(transport) {
    const started = performance.now();
    const { ada, bob } = await pair(stack, { transport });
    for (const [from, to, event] of [[ada, bob, 'offer'], [bob, ada, 'answer'], [ada, bob, 'candidate'], [bob, ada, 'candidate']]) {
      await from.tell(to, event);
      await to.next(`${event}/${from.id}`);
    }
    const took = performance.now() - started;
    await Promise.all([ada.client.end(), bob.client.end()]);
    return took;
  }

  test('ten thousand tries: nothing is delivered, nothing changes, the call goes on', { timeout: 300_000 }, async (t) => {
    const room = await stack.room();
    const attacker = await Attacker.create(stack, room);
    const ada = await stack.peer(room, { name: 'Ada', transport: 'ws', version: 5 });
    const bob = await stack.peer(room, { name: 'Bob', transport: 'tcp', version: 4 });
    await ada.join();
    await bob.join();
    await ada.next('user-arrived');

    /** What each said to the other, as its inbox has to show it. */
    const sent = new Map([[ada, []], [bob, []]]);
    const say = async (from, to, event, n) => {
      const body = event === 'candidate' ? { candidates: [{ candidate: `candidate:${n} 1 udp 1 192.0.2.1 9 typ host`, sdpMid: '0', sdpMLineIndex: 0 }] } : { sdp: `${SDP}a=x:${n}\r\n` };
      sent.get(to).push(`rooms/${room}/to/${to.id}/${event}/${from.id} ${n}`);
      await from.tell(to, event, body);
      await to.next(`${event}/${from.id}`);
    };
    const exchange = async (n) => {
      await say(ada, bob, 'offer', n);
      await say(bob, ada, 'answer', n);
      await Promise.all([say(ada, bob, 'candidate', n), say(bob, ada, 'candidate', n)]);
    };
    await exchange(-1);
    await Promise.all([ada.settle(), bob.settle()]);
    await attacker.aim();
    for (const someone of [ada, bob]) {
      someone.client.messages.length = 0;
      sent.get(someone).length = 0;
    }
    const before = (await stack.http('GET', `/api/rooms/${room}`)).json;
    const roomdBefore = await stack.settledStats();
    const calls = [await callOfOthers('tcp')];

    const started = performance.now();
    const count = await attacker.run(TRIES, { every: EVERY, meanwhile: async (slice) => {
      await exchange(slice);
      if (slice % 20 === 10) calls.push(await callOfOthers(slice % 40 === 10 ? 'ws' : 'tcp'));
    } });
    const tookS = (performance.now() - started) / 1000;
    await attacker.judge();
    calls.push(await callOfOthers('ws'));

    for (const line of attacker.table()) t.diagnostic(line);
    t.diagnostic(`${count} tries in ${tookS.toFixed(1)} s; calls of others: ${calls.map((ms) => Math.round(ms)).join(', ')} ms`);
    assert.ok(count >= TRIES);
    for (const { kind } of KINDS) assert.ok(attacker.tally.get(kind).tries >= 30, kind);
    assert.ok(Math.max(...calls) < ORDINARY_MS, 'others have their calls in ordinary time');

    await Promise.all([ada.settle(), bob.settle()]);
    for (const someone of [ada, bob]) {
      assert.equal(someone.client.closed, false, 'nobody is put out');
      const inbox = someone.client.messages.filter(({ short }) => short !== 'roomd/status')
        .map(({ short, json }) => `${short} ${/(?:a=x:|candidate:)(-?\d+)/.exec(json.sdp ?? json.candidates[0].candidate)[1]}`);
      assert.deepEqual(inbox, sent.get(someone), 'what the other said, once, and nothing else');
    }
    assert.deepEqual((await stack.http('GET', `/api/rooms/${room}`)).json, before);
    const late = await stack.client({ id: 'o-late', token: await stack.token('operator', 'o-late') });
    await late.subscribe(`rooms/${room}/state`, 0);
    assert.deepEqual((await late.next('state')).json, before, 'the retained state');
    const roomdAfter = await stack.settledStats();
    const ofOthers = { joined: 2 * calls.length, resumed: 0, lost: 0 };
    for (const [name, more] of Object.entries(ofOthers)) assert.equal(roomdAfter[name] - roomdBefore[name], more, name);
    assert.equal((await ada.join()).resumed, true, 'and the seats are still theirs');
    assert.equal((await bob.join()).resumed, true);
  });
});
