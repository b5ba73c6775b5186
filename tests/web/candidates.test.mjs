import assert from 'node:assert/strict';
import test from 'node:test';
import { CandidateBatch } from '../../web/js/candidates.js';
import { parseMessage } from '../../web/js/protocol.js';
import { FakeClock } from './fakes.mjs';

const make = () => {
  const sent = [];
  const clock = new FakeClock();
  return { sent, clock, batch: new CandidateBatch((body) => sent.push(body), clock) };
};

test('candidates of a few milliseconds travel together', async () => {
  const { sent, clock, batch } = make();
  batch.add({ candidate: 'a' });
  await clock.advance(9);
  batch.add({ candidate: 'b' });
  assert.deepEqual(sent, []);
  await clock.advance(10);
  assert.deepEqual(sent, [{ candidates: [{ candidate: 'a' }, { candidate: 'b' }], done: false }]);
  batch.add({ candidate: 'c' });
  await clock.advance(20);
  assert.equal(sent.length, 2);
});

test('the end goes out at once, with what was waiting', async () => {
  const { sent, clock, batch } = make();
  batch.add({ candidate: 'a' });
  batch.finish();
  assert.deepEqual(sent, [{ candidates: [{ candidate: 'a' }], done: true }]);
  await clock.advance(100);
  assert.equal(sent.length, 1);
  batch.finish();
  assert.deepEqual(sent[1], { candidates: [], done: true });
});

test('no message is larger than the contract lets it be', () => {
  const { sent, batch } = make();
  for (let i = 0; i < 200; i++) batch.add({ candidate: `candidate:${i} ${'x'.repeat(i % 2 ? 60 : 900)}`, sdpMid: '0', sdpMLineIndex: 0 });
  batch.finish();
  assert.equal(sent.flatMap((body) => body.candidates).length, 200);
  for (const body of sent) {
    const text = JSON.stringify({ session: 's'.repeat(64), ...body });
    assert.ok(text.length <= 16 * 1024, `${text.length} bytes`);
    assert.ok(parseMessage('candidate', text));
  }
});

test('what is cleared is never sent', async () => {
  const { sent, clock, batch } = make();
  batch.add({ candidate: 'a' });
  batch.clear();
  await clock.advance(100);
  assert.deepEqual(sent, []);
  assert.equal(clock.pending, 0);
});
