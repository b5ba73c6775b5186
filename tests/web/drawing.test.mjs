import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drawing } from '../../web/js/drawing.js';
import { FakeClock } from './fakes.mjs';

function setUp() {
  const clock = new FakeClock();
  const drawn = [];
  return { clock, drawn, drawing: new Drawing(() => drawn.push(clock.now()), clock) };
}

test('is drawn at once, unless a description is due: then once, as soon as it is out', () => {
  const { drawn, drawing } = setUp();
  drawing.request();
  assert.equal(drawn.length, 1);
  drawing.hold();
  drawing.request();
  drawing.request();
  assert.equal(drawn.length, 1);
  drawing.resume();
  assert.equal(drawn.length, 2);
  drawing.request();
  assert.equal(drawn.length, 3);
});

test('is not put off for long', async () => {
  const { clock, drawn, drawing } = setUp();
  drawing.hold();
  drawing.request();
  await clock.advance(249);
  assert.equal(drawn.length, 0);
  await clock.advance(1);
  assert.equal(drawn.length, 1);
  await clock.advance(1000);
  assert.equal(drawn.length, 1);
});

test('what nobody asked for is not drawn', async () => {
  const { clock, drawn, drawing } = setUp();
  drawing.resume();
  drawing.hold();
  drawing.resume();
  drawing.hold();
  await clock.advance(1000);
  assert.equal(drawn.length, 0);
});
