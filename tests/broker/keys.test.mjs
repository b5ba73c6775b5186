/** Keys change while people talk: the rotation of the README, and what a key file that is wrong does. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { NOT_AUTHORIZED, refused } from '../lib/client.mjs';
import { claimsOf, forge, nowS, randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { root, useStack } from '../lib/stack.mjs';

const build = process.env.PARLEY_BUILD_DIR ?? join(root, 'build');
const TTL_S = 10;
const kidOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString()).kid;

/** A call that stands still fails, and says so. */
const LIMIT = { timeout: 60_000 };

describe('parley-ctl keygen', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-keygen-'));
  const file = join(folder, 'keys');
  const keygen = (before = '') => promisify(execFile)('bash', ['-c', `${before} exec "$0" keygen "$1"`, join(build, 'bin/parley-ctl'), file]);
  after(() => rmSync(folder, { recursive: true }));

  test('one that dies while it writes leaves no key file', async () => {
    await assert.rejects(keygen('ulimit -f 0;'), { signal: 'SIGXFSZ' });
    assert.equal(existsSync(file), false);
  });

  test('several at once make one key, for its owner only, and leave it alone from then on', async () => {
    await Promise.all(Array.from({ length: 8 }, async () => {
      await keygen();
      assert.match(readFileSync(file, 'utf8'), /^[\w-]+ [\w-]{43}\n$/);
    }));
    const { ino, mode } = statSync(file);
    assert.equal(mode & 0o777, 0o600);
    await keygen();
    assert.equal(statSync(file).ino, ino);
    assert.equal(readdirSync(folder).length, 2, 'and what the one left that died');
  });

  test('a folder that is not there is named', async () => {
    await assert.rejects(promisify(execFile)(join(build, 'bin/parley-ctl'), ['keygen', join(folder, 'none/keys')]), { stderr: /none\/keys: No such file/ });
  });
});

describe('keys', () => {
  const stack = useStack({ config: { tokens: { ttl_s: TTL_S } } });
  const keysFile = () => join(stack.stateDir, 'keys');
  const readKeys = () => readFileSync(keysFile(), 'utf8').trim();
  const newLine = () => `${randomId('k-')} ${randomBytes(32).toString('base64url')}`;
  const writeKeys = (...lines) => writeFileSync(keysFile(), `${lines.join('\n')}\n`);

  /** SIGHUP to every part, first to those that verify and last to the one that signs for people; returns when each has said `outcome`. */
  async function reload(outcome = { mosquitto: /gate: info keys-reloaded/, roomd: /Z info keys-loaded/, httpd: /Z info keys-reloaded/ }) {
    for (const part of ['mosquitto', 'roomd', 'httpd']) {
      const from = stack.log.length;
      stack.signal(part, 'SIGHUP');
      await until(() => stack.log.slice(from).some((line) => outcome[part].test(line)), { what: `${outcome[part]} of ${part}` });
    }
    await stack.ready();
  }

  /** The two talk, back and forth and again, until `stop`, which fails when one word did not arrive. */
  function talk(ada, bob) {
    let goes = true;
    let rounds = 0;
    const talking = (async () => {
      for (; goes; rounds++) {
        await ada.tell(bob, 'offer');
        await bob.next(`offer/${ada.id}`);
        await bob.tell(ada, 'answer');
        await ada.next(`answer/${bob.id}`);
        for (const { client } of [ada, bob]) client.messages = client.messages.filter((message) => !message.taken);
      }
    })();
    talking.catch(() => {});
    const more = async () => {
      const before = rounds;
      await Promise.race([until(() => rounds > before + 1, { what: 'the call to go on' }), talking]);
    };
    return { more, stop: async () => { goes = false; await talking; return rounds; } };
  }

  /** Fails unless the broker still answers `client` on its connection. */
  async function stillIn(client) {
    const putOut = client.whenClosed(LIMIT.timeout).then(() => assert.fail(`${client.id} was put out`), () => {});
    await Promise.race([client.settle(), putOut]);
  }

  const renew = async (peer) => {
    const answer = await stack.http('POST', `/api/rooms/${peer.room}/peers`, { headers: { authorization: `Bearer ${peer.token}` } });
    assert.equal(answer.status, 200, answer.text);
    return answer.json.token;
  };

  test('a rotation drops nobody, whether their tokens were renewed or ran out', LIMIT, async () => {
    const old = readKeys();
    const { room, ada, bob } = await pair(stack, { transport: 'ws' });
    const oldKid = kidOf(ada.token);
    const door = await stack.device();
    const from = stack.observer.messages.length;
    const call = talk(ada, bob);
    await call.more();
    const late = (await stack.http('POST', `/api/rooms/${room}/peers`)).json;

    // 1. the new key first, the old one below it
    const fresh = newLine();
    writeKeys(fresh, old);
    await reload();
    await call.more();
    const [newKid] = fresh.split(' ');
    const renewed = await renew(ada);
    assert.deepEqual([kidOf(renewed), kidOf(await stack.token('device', door.id))], [newKid, newKid], 'the new key signs');
    const second = await stack.peer(room, { id: late.peer_id, token: late.token });
    assert.equal(kidOf(second.token), oldKid);
    await second.sendJoin();
    await second.next('full-room');
    await call.more();
    assert.deepEqual([ada, bob].map((peer) => peer.client.closed), [false, false]);
    assert.equal(door.closed, false);
    assert.deepEqual(stack.observer.messages.slice(from).filter(({ short }) => short.endsWith('/gone')).map(({ short }) => short), [], 'nobody lost a connection');

    // 2. the last token of the old key runs out
    const last = Math.max(...[ada, bob, second].map((peer) => claimsOf(peer.token).exp));
    await until(() => nowS() > last, { timeout: (TTL_S + 5) * 1000, what: 'the last token to run out' });
    await second.client.end();
    await stack.observer.end(); // an operator's token of the old key, and a device's, are to be replaced before the next step
    await door.end();
    const changed = await stack.device(door.id);

    // 3. the old line goes
    writeKeys(fresh);
    await reload();
    await Promise.all([ada.client, bob.client, changed].map(stillIn));
    await call.more();
    assert.ok(await call.stop() > 10, 'they talked throughout');
    assert.deepEqual([ada, bob].map((peer) => peer.client.closed), [false, false]);
    assert.equal(changed.closed, false);
    const forged = { iss: 'parley', sub: late.peer_id, role: 'peer', room, iat: nowS(), exp: nowS() + 60 };
    const signer = { kid: oldKid, key: Buffer.from(old.split(' ')[1], 'base64url') };
    await refused(stack.peer(room, { id: late.peer_id, token: forge(signer, forged) }), NOT_AUTHORIZED, 'a token of the old key');

    // Even a reload of the page, in the middle of all that, comes back to the same seat.
    await ada.client.drop();
    ada.token = await stack.token('peer', ada.id, room);
    ada.token = await renew(ada);
    await ada.connect();
    const back = await ada.join();
    assert.deepEqual([back.resumed, kidOf(back.seat)], [true, newKid]);
  });

  test('a connection whose key was taken back before its token ran out ends: that is how a stolen key is shut out', LIMIT, async () => {
    const bad = newLine();
    const good = readKeys();
    writeKeys(good, bad);
    await reload();
    const room = await stack.room();
    const [kid, text] = bad.split(' ');
    const id = randomId('p-');
    const signer = { kid, key: Buffer.from(text, 'base64url') };
    const thief = await stack.peer(room, { id, token: forge(signer, { iss: 'parley', sub: id, role: 'peer', room, iat: nowS(), exp: nowS() + 600 }) });
    const honest = await stack.peer(room);
    writeKeys(good);
    await reload();
    await thief.client.whenClosed();
    await stillIn(honest.client);
  });

  test('a key file that is wrong changes nothing', LIMIT, async () => {
    const good = readKeys();
    const { ada, bob } = await pair(stack, { transport: 'tcp' });
    const call = talk(ada, bob);
    for (const wrong of ['', 'this is no key file', `${good}\n${good}`, `${good.split(' ')[0]} dG9vIHNob3J0`]) {
      writeKeys(wrong);
      await reload({ mosquitto: /gate: warn keys-kept/, roomd: /error keys-not-loaded/, httpd: /error keys-not-reloaded/ });
      await call.more();
      const eve = await stack.peer(ada.room, { name: 'Eve' });
      await eve.sendJoin();
      await eve.next('full-room');
    }
    writeKeys(good);
    await reload();
    await call.stop();
    assert.deepEqual([ada, bob].map((peer) => peer.client.closed), [false, false]);
  });
});
