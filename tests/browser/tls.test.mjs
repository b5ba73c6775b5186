/** Two people on other devices of the network: pages by HTTPS, the broker by WSS, with a certificate that is made here. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';
import { Person, launch } from './people.mjs';

describe('a call by TLS', { timeout: 120_000 }, () => {
  const stack = useStack({ tls: true });
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /** Goes on past the browser's warning, as somebody does who knows the machine. */
  async function acceptCertificate(person) {
    await assert.rejects(person.goto('/'), /ERR_CERT_AUTHORITY_INVALID/);
    await person.page.click('#details-button');
    await person.page.click('#proceed-link');
    await person.page.waitForSelector('#create');
    person.complaints.splice(0); // the warning's own page is none of ours
  }

  test('whoever goes on past the warning once has a call, the broker included', async () => {
    const room = await stack.room();
    const [ada, bob] = [await Person.create(browser, stack.httpUrl), await Person.create(browser, stack.httpUrl)];
    for (const person of [ada, bob]) {
      await acceptCertificate(person);
      person.sockets = [];
      person.page.on('websocket', (socket) => person.sockets.push(socket.url()));
    }
    await ada.join(room, 'Ada');
    await ada.sees('call');
    await bob.join(room, 'Bob');
    await bob.sees('call');
    for (const person of [ada, bob]) {
      await until(async () => (await person.received()).frames > 3, { timeout: 30_000, every: 100, what: 'pictures' });
      assert.deepEqual([...new Set(person.sockets)], [stack.wsUrl]);
      assert.ok(await person.page.evaluate(() => globalThis.isSecureContext));
    }
    await ada.close();
    await bob.close();
  });
});
