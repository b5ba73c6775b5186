/** A call between two who can only meet at the TURN server: real coturn with docs/turnserver.conf. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Coturn } from '../lib/coturn.mjs';
import { PUBLIC, inOwnNetwork } from '../lib/own_network.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';
import { Person, launch } from './people.mjs';

const SECRET = 'meet me at the relay';
const URL_OF_TURN = `turn:${PUBLIC.v4}:3478?transport=udp`;
const SLOW = { timeout: 60_000 };

/** Runs in the page before its own scripts: no candidates but the TURN server's. */
function relayOnly() {
  globalThis.RTCPeerConnection = class extends globalThis.RTCPeerConnection {
    constructor(configuration, ...rest) {
      super({ ...configuration, iceTransportPolicy: 'relay' }, ...rest);
    }
  };
}

/** In the page: the types of the two candidates that each connection has settled on. */
async function selectedPairs() {
  const pairs = [];
  for (const connection of globalThis.connections) {
    const stats = await connection.getStats();
    for (const report of stats.values()) {
      if (report.type !== 'transport' || !report.selectedCandidatePairId) continue;
      const pair = stats.get(report.selectedCandidatePairId);
      const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
      pairs.push({ local: local.candidateType, remote: remote.candidateType, at: local.address });
    }
  }
  return pairs;
}

/** In the page: the error codes of gathering with these credentials, and how many candidates there were. */
async function gather(server) {
  const connection = new globalThis.RTCPeerConnection({ iceServers: [server] });
  const errors = [];
  let candidates = 0;
  connection.addEventListener('icecandidateerror', ({ errorCode }) => errors.push(errorCode));
  connection.addEventListener('icecandidate', ({ candidate }) => {
    if (candidate?.candidate) candidates++;
  });
  const done = new Promise((resolve) => {
    connection.addEventListener('icegatheringstatechange', () => connection.iceGatheringState === 'complete' && resolve());
  });
  connection.createDataChannel('x');
  await connection.setLocalDescription();
  await done;
  connection.close();
  return { errors, candidates };
}

if (inOwnNetwork(import.meta.url, { timeout: 180_000 })) {
  describe('a call through TURN', () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-turn-'));
    writeFileSync(join(folder, 'secret'), SECRET, { mode: 0o600 });
    after(() => rmSync(folder, { recursive: true }));
    const coturn = new Coturn({ addresses: [PUBLIC.v4], port: 3478, tlsPort: 5349, secret: SECRET });
    const stack = useStack({ config: { turn: { urls: URL_OF_TURN, secret_file: join(folder, 'secret') } } });
    let browser;
    before(async () => {
      await coturn.start();
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      await coturn.stop();
    });

    test('two who see nothing but the relay see and hear each other', SLOW, async () => {
      const room = await stack.room();
      const people = [await Person.create(browser, stack.httpUrl, { init: relayOnly }), await Person.create(browser, stack.httpUrl, { init: relayOnly })];
      for (const [i, person] of people.entries()) {
        await person.join(room, ['Ada', 'Bob'][i]);
        await person.sees('call');
      }
      for (const person of people) {
        await until(async () => {
          const { frames, packets, energy } = await person.received();
          return frames > 5 && packets > 10 && energy > 0;
        }, { timeout: 30_000, every: 100, what: 'picture and sound' });
        assert.deepEqual(await person.page.evaluate(selectedPairs), [{ local: 'relay', remote: 'relay', at: PUBLIC.v4 }]);
      }
      for (const person of people) await person.close();
    });

    test('expired credentials are answered with 401, and give no candidate', SLOW, async () => {
      const person = await Person.create(browser, stack.httpUrl, { init: relayOnly });
      await person.goto('/');
      const { json } = await stack.http('POST', `/api/rooms/${await stack.room()}/peers`);
      const [good] = json.ice_servers;
      assert.ok((await person.page.evaluate(gather, good)).candidates > 0);
      const [, peer] = good.username.split(':');
      const username = `1000000000:${peer}`;
      const expired = { ...good, username, credential: createHmac('sha1', SECRET).update(username).digest('base64') };
      const { errors, candidates } = await person.page.evaluate(gather, expired);
      assert.equal(candidates, 0);
      assert.deepEqual([...new Set(errors)], [401]);
      await person.close();
    });
  });
}
