import assert from 'node:assert/strict';
import test from 'node:test';
import { watchWaking } from '../../web/js/waking.js';

function start() {
  const parts = {
    window: new EventTarget(), document: Object.assign(new EventTarget(), { visibilityState: 'visible' }), connection: new EventTarget(),
    time: 0, now: () => parts.time, setInterval: (run, ms) => { Object.assign(parts, { look: run, every: ms }); },
  };
  parts.wakes = 0;
  watchWaking(() => parts.wakes++, parts);
  return parts;
}

test('the network: it is there again, or is another one', () => {
  const parts = start();
  parts.window.dispatchEvent(new Event('online'));
  parts.connection.dispatchEvent(new Event('change'));
  assert.equal(parts.wakes, 2);
});

test('the page is looked at again, or thawed; hidden is no reason', () => {
  const parts = start();
  parts.document.visibilityState = 'hidden';
  parts.document.dispatchEvent(new Event('visibilitychange'));
  assert.equal(parts.wakes, 0);
  parts.document.visibilityState = 'visible';
  parts.document.dispatchEvent(new Event('visibilitychange'));
  parts.document.dispatchEvent(new Event('resume'));
  assert.equal(parts.wakes, 2);
});

test('a sleep shows in a timer that is late, within a second of waking up', () => {
  const parts = start();
  for (let i = 0; i < 10; i++) {
    parts.time += parts.every + 200;
    parts.look();
  }
  assert.equal(parts.wakes, 0);
  parts.time += parts.every + 60_000;
  parts.look();
  assert.equal(parts.wakes, 1);
  parts.time += parts.every;
  parts.look();
  assert.equal(parts.wakes, 1, 'once');
  assert.ok(parts.every <= 1000);
});

test('a browser without the Network Information API does without', () => {
  const parts = start();
  assert.doesNotThrow(() => watchWaking(() => {}, { ...parts, connection: undefined }));
});
