/** Two people talk while a third, with valid tokens for their room, tries a thousand times to come between them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Attacker } from '../lib/attacker.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';
import { Person, launch } from './people.mjs';

const TRIES = 1000;
const EVERY = 50;

describe('a call under attack', () => {
  const stack = useStack();
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  test('a thousand tries: the picture moves on throughout, and the pages notice nothing', { timeout: 120_000 }, async (t) => {
    const room = await stack.room();
    const attacker = await Attacker.create(stack, room, 7);
    const people = [await Person.create(browser, stack.httpUrl), await Person.create(browser, stack.httpUrl)];
    const names = ['Ada', 'Bob'];
    for (const [n, someone] of people.entries()) {
      await someone.join(room, names[n]);
      await someone.sees('call');
    }
    for (const [n, someone] of people.entries()) {
      await someone.reads('#status', `In a call with ${names[1 - n]}`);
      await until(async () => (await someone.received()).frames > 5, { timeout: 30_000, every: 100, what: 'the picture' });
      // From here on, whatever the page shows but the call counts.
      await someone.page.evaluate(() => {
        globalThis.shownMeanwhile = [];
        const note = () => globalThis.shownMeanwhile.push(`${document.body.dataset.view}: ${document.querySelector('#status').textContent}`);
        new MutationObserver(note).observe(document.body, { attributes: true, attributeFilter: ['data-view'] });
        new MutationObserver(note).observe(document.querySelector('#status'), { childList: true, characterData: true, subtree: true });
      });
    }
    await attacker.aim();
    const before = (await stack.http('GET', `/api/rooms/${room}`)).json;
    const all = async () => Promise.all(people.map((someone) => someone.received()));

    const decoded = [[], []];
    let last = await all();
    const moved = async () => {
      const from = last;
      await until(async () => {
        last = await all();
        return last.every(({ frames, packets }, n) => frames > from[n].frames && packets > from[n].packets);
      }, { timeout: 10_000, every: 50, what: 'picture and sound on both sides' });
      last.forEach(({ frames }, n) => decoded[n].push(frames - from[n].frames));
    };
    const count = await attacker.run(TRIES, { every: EVERY, meanwhile: moved });
    await attacker.judge();
    for (const line of attacker.table()) t.diagnostic(line);
    t.diagnostic(`${count} tries; frames decoded in each slice: ${decoded.map((frames) => frames.join(' ')).join(' | ')}`);
    assert.ok(count >= TRIES);

    assert.deepEqual((await stack.http('GET', `/api/rooms/${room}`)).json, before);
    for (const someone of people) {
      assert.deepEqual(await someone.page.evaluate(() => globalThis.shownMeanwhile), [], 'the page shows the call, all the time');
      assert.equal(await someone.page.evaluate(() => globalThis.connections.length), 1, 'the same connection');
    }
    await moved();
    await people[0].page.click('#hang-up');
    await people[1].page.waitForURL(`${stack.httpUrl}/`);
    for (const someone of people) await someone.close();
  });
});
