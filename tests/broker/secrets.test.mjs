/** Keys, tokens, seats and TURN secrets stand where they belong and nowhere else: no argv, environment, log, metric or other file. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { forge, nowS, randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';

describe('secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-secret-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const turnSecret = `turn-${randomBytes(24).toString('hex')}`;
  const secretFile = join(folder, 'turn');
  writeFileSync(secretFile, `${turnSecret}\n`, { mode: 0o600 });
  const stack = useStack({ config: {
    parley: { log_level: 'debug' },
    turn: { urls: 'stun:127.0.0.1:3478 turn:127.0.0.1:3478', secret_file: secretFile },
  } });

  /** @type {Map<string, string>} what must not be found, and what it is */
  const secrets = new Map();
  const keep = (what, value) => {
    assert.ok(value?.length >= 16, `${what}: ${value}`);
    secrets.set(value, what);
  };
  const keepKey = (what, bytes) => {
    for (const form of ['base64url', 'base64', 'hex', 'latin1']) keep(`${what} in ${form}`, bytes.toString(form));
    keep(`${what} in capital hex`, bytes.toString('hex').toUpperCase());
  };
  /** The signature is what makes a token, or a seat, worth something. */
  const keepSigned = (what, text) => keep(`the signature of ${what}`, text.split('.')[2]);

  /** @param {string} text as latin1 @returns {string[]} what is in it */
  const foundIn = (text) => [...secrets].filter(([value]) => text.includes(value)).map(([, what]) => what);

  /** The pids of `./parley run` and of all that it started. */
  function family() {
    const parents = new Map(readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      try {
        return [[Number(pid), Number(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[1])]];
      } catch {
        return []; // ended meanwhile
      }
    }));
    const pids = [stack.process.pid];
    for (const pid of pids) pids.push(...[...parents].filter(([, parent]) => parent === pid).map(([child]) => child));
    return pids;
  }

  /** What another user can, or root could, read of a process. A process that cannot be dumped shows its environment to root only. */
  function readProc(pid, file) {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1');
    } catch (error) {
      if (error.code === 'EACCES' && process.getuid() !== 0) return '';
      if (['ENOENT', 'ESRCH'].includes(error.code)) return ''; // ended meanwhile
      throw error;
    }
  }

  const lookAtProcesses = () => {
    const pids = family();
    for (const part of ['mosquitto', 'roomd', 'httpd']) assert.ok(pids.includes(stack.pid(part)), `${part} is looked at`);
    for (const pid of pids) {
      for (const file of ['cmdline', 'environ']) assert.deepEqual(foundIn(readProc(pid, file)), [], `/proc/${pid}/${file} of ${readProc(pid, 'cmdline').replaceAll('\0', ' ')}`);
    }
    return pids;
  };

  /** Everything that has a secret in it happens, rightly and wrongly. */
  async function everything() {
    const { kid, key } = stack.key();
    keepKey('the signing key', key);
    keep('the TURN secret', turnSecret);
    const { room, ada, bob } = await pair(stack, { transport: 'ws' });
    for (const peer of [ada, bob]) {
      keepSigned('a token', peer.token);
      keepSigned('a seat', peer.seat);
    }
    const answer = (await stack.http('POST', `/api/rooms/${room}/peers`, { headers: { authorization: `Bearer ${ada.token}` } })).json;
    keepSigned('a renewed token', answer.token);
    keep('a TURN credential', answer.ice_servers.find((server) => server.credential).credential);
    await ada.tell(bob, 'offer');
    await bob.next(`offer/${ada.id}`);

    // An operator's and a device's, by the tool and over HTTP.
    const operator = await stack.token('operator', 'o-alice');
    keepSigned('an operator\'s token', operator);
    const door = randomId('d-');
    const doorToken = await stack.token('device', door);
    keepSigned('a device\'s token', doorToken);
    await stack.device(door, { token: doorToken });
    await stack.http('POST', `/api/devices/${randomId('d-')}/ring`, { headers: { authorization: `Bearer ${operator}` }, body: {} });

    // Refused.
    const id = randomId('p-');
    const claims = { iss: 'parley', sub: id, role: 'peer', room, iat: nowS() - 100, exp: nowS() + 100 };
    const refusals = {
      expired: forge({ kid, key }, { ...claims, exp: nowS() - 50 }),
      'not its owner\'s': forge({ kid, key }, { ...claims, sub: 'p-other' }),
      'by an unknown key': forge({ kid: 'unknown', key: randomBytes(32) }, claims),
      'alg none': forge({ kid, key }, claims, { alg: 'none' }),
    };
    for (const [what, token] of Object.entries(refusals)) {
      keepSigned(`a token that is ${what}`, token);
      await assert.rejects(stack.client({ id, token, transport: 'ws' }), what);
      const isValid = what === 'not its owner\'s'; // for HTTP, which asks for no name beside it
      assert.equal((await stack.http('POST', `/api/rooms/${room}/peers`, { headers: { authorization: `Bearer ${token}` } })).status, isValid ? 200 : 401, what);
    }
    // Bodies, addresses and topics that carry what they should not.
    for (const body of [{ room_id: ada.token }, { token: ada.token }, { room_id: ada.seat, seat: ada.seat }]) await stack.http('POST', '/api/rooms', { body });
    await stack.http('GET', `/api/rooms/${ada.token}`);
    await stack.http('GET', `/?token=${ada.token}&seat=${ada.seat}`);
    await stack.http('GET', `/r/${ada.seat}/`);
    const wrongSeat = `${ada.seat.slice(0, -8)}AAAAAAAA`;
    keepSigned('a seat that is wrong', wrongSeat);
    const eve = await stack.peer(room, { name: 'Eve' });
    for (const seat of [ada.seat, wrongSeat]) {
      await eve.sendJoin({ seat });
      await eve.next('full-room');
    }
    await eve.client.publishRaw(eve.from('join'), `{"session": "${ada.seat}", "peer_name": "${ada.token}"`);
    await eve.next('error');

    // Key files that are wrong, each with a key in it, and then the right one again.
    const file = join(stack.stateDir, 'keys');
    const right = readFileSync(file, 'utf8');
    const other = randomBytes(32);
    keepKey('a key of a file that is wrong', other);
    for (const line of [`${kid} ${other.toString('base64url')}`, `${other.toString('base64url')}`, `new ${other.toString('base64url')} junk`, `new ${other.toString('base64')}`]) {
      writeFileSync(file, `${right}${line}\n`);
      await reload(/keys-kept|keys-not-/);
    }
    writeFileSync(file, right);
    await reload(/keys-(re)?loaded/);
    lookAtProcesses();

    // Every part dies and comes back, with what it has in store.
    for (const part of ['mosquitto', 'roomd', 'httpd']) await stack.kill(part);
  }

  async function reload(outcome) {
    const from = stack.log.length;
    for (const part of ['mosquitto', 'roomd', 'httpd']) stack.signal(part, 'SIGHUP');
    await until(() => stack.log.slice(from).filter((line) => outcome.test(line)).length === 3, { what: String(outcome) });
  }

  test('are in no argument, environment, log, metric or file but the key file', async () => {
    await everything();
    assert.ok(secrets.size >= 20, `${secrets.size} secrets`);

    assert.ok(lookAtProcesses().length >= 7, 'the script, three supervisors, three parts');
    const metrics = (await stack.http('GET', '/metrics')).text;
    assert.match(metrics, /^parley_/m);
    assert.deepEqual(foundIn(metrics), [], '/metrics');

    const log = stack.log.join('\n');
    for (const line of [/gate: info refused .*reason=/, /Z debug effect/, /keys-kept/, /keys-not-loaded/, /keys-not-reloaded/]) assert.match(log, line, 'the log is the log');
    assert.deepEqual(foundIn(log), [], stack.log.filter((line) => foundIn(line).length > 0).join('\n'));

    const files = readdirSync(stack.stateDir, { withFileTypes: true }).filter((file) => !file.isSocket()).map(({ name }) => name);
    assert.ok(files.includes('roomd.sqlite') && files.includes('parley.conf') && files.includes('mosquitto.conf'), `there: ${files}`);
    for (const name of files.filter((file) => file !== 'keys')) assert.deepEqual(foundIn(readFileSync(join(stack.stateDir, name), 'latin1')), [], name);
    assert.notDeepEqual(foundIn(readFileSync(join(stack.stateDir, 'keys'), 'latin1')), [], 'what is looked for can be found');
  });

  test('are no option of the tool for operators', () => {
    const help = execFileSync('./parley', ['ctl', '--help'], { cwd: new URL('../../', import.meta.url) }).toString();
    assert.match(help, /token --role ROLE/);
    assert.doesNotMatch(help, /--(key|secret|password|token)\b/);
  });
});
