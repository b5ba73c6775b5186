/** Who gets in at the gate, who is put out, and what a reload does. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import mqtt from 'mqtt';
import { links, NOT_AUTHORIZED, refused } from '../lib/client.mjs';
import { nowS, randomId } from '../lib/jwt.mjs';
import { until } from '../lib/poll.mjs';
import { GateBroker, LIMIT, newKey, seat, useGate, will } from './gate_broker.mjs';

const NOT_AUTHORIZED_3 = 5; // CONNACK of MQTT 3.1.1
const REPLACED = [0x8e /* Mosquitto 2.1: taken over */, 0x98 /* 2.0: by the gate's hand */];

describe('connecting', LIMIT, () => {
  const gate = useGate();

  const good = () => ({ id: randomId('p-'), role: 'peer', room: 'r' });
  const withToken = (claims, key) => {
    const client = good();
    return { ...client, token: gate.token({ sub: client.id, role: 'peer', room: 'r', ...claims }, key) };
  };
  const cases = {
    'a token of one\'s own': { make: good, in: true },
    'keepalive 5': { make: () => ({ ...good(), keepalive: 5 }), in: true },
    'keepalive 120': { make: () => ({ ...good(), keepalive: 120 }), in: true },
    'a token that is none': { make: () => ({ ...good(), token: 'not.a.token' }) },
    'no token': { make: () => ({ ...good(), token: '' }) },
    'an expired token': { make: () => withToken({ exp: nowS() - 1 }) },
    'a token by another key': { make: () => withToken({}, newKey()) },
    'a token by another key of the same name': { make: () => withToken({}, { ...newKey(), kid: gate.keys[0].kid }) },
    'somebody else\'s token': { make: () => ({ ...good(), token: gate.token({ sub: 'p-other', role: 'peer', room: 'r' }) }) },
    'somebody else\'s user name': { make: () => ({ ...good(), username: 'p-other' }) },
    'a token without a room': { make: () => withToken({ room: undefined }) },
    'a peer\'s id with an operator\'s role': { make: () => withToken({ role: 'operator', room: undefined }) },
    'a + as the id': { make: () => ({ ...good(), id: '+', token: gate.token({ sub: '+', role: 'peer', room: 'r' }) }) },
    'a / in the id': { make: () => ({ ...good(), id: 'p-a/b', token: gate.token({ sub: 'p-a/b', role: 'peer', room: 'r' }) }) },
    'a # as the id': { make: () => ({ ...good(), id: '#', token: gate.token({ sub: '#', role: 'peer', room: 'r' }) }) },
    'no keepalive': { make: () => ({ ...good(), keepalive: 0 }) },
    'keepalive 4': { make: () => ({ ...good(), keepalive: 4 }) },
    'keepalive 121': { make: () => ({ ...good(), keepalive: 121 }) },
  };
  for (const link of links) {
    test(`who gets in over ${link}`, async (t) => {
      for (const [name, { make, in: isIn }] of Object.entries(cases)) {
        await t.test(name, async () => {
          const connecting = gate.client({ ...make(), ...link });
          if (isIn) await connecting;
          else await refused(connecting, link.version === 5 ? NOT_AUTHORIZED : NOT_AUTHORIZED_3, name);
        });
      }
    });
  }

  const raw = async (options) => {
    const id = randomId('p-');
    const client = mqtt.connect(gate.mqttUrl, { reconnectPeriod: 0, keepalive: 30, clientId: id, username: id,
      password: gate.token({ sub: id, role: 'peer', room: 'r' }), ...options });
    try {
      return await new Promise((resolve) => {
        client.on('connect', () => resolve('in')).on('error', (error) => resolve(error.code)).on('close', () => resolve('closed'));
      });
    } finally {
      await client.endAsync(true).catch(() => {});
    }
  };

  test('MQTT 3.1 is refused', async () => {
    assert.equal(await raw({ protocolVersion: 3, protocolId: 'MQIsdp' }), NOT_AUTHORIZED_3);
  });

  test('no name at all is refused', async () => {
    const outcome = await raw({ protocolVersion: 4, clientId: '', username: undefined, password: undefined });
    assert.equal(outcome, 2); // identifier rejected
  });

  test('another way to authenticate does not lead around the token', async () => {
    assert.equal(await raw({ protocolVersion: 5, properties: { authenticationMethod: 'NONE', authenticationData: Buffer.from('x') } }), 0x8c);
  });

  for (const link of links) {
    test(`a second connection takes over without a sign of loss, ${link}`, async () => {
      const roomd = await gate.roomd();
      const id = randomId('p-');
      await seat(roomd, 'r', id);
      const old = await gate.client({ id, role: 'peer', room: 'r', will: will('r', id, 'old'), ...link });
      const fresh = await gate.client({ id, role: 'peer', room: 'r', will: will('r', id, 'new'), ...link });
      await old.whenClosed();
      if (link.version === 5) assert.ok(REPLACED.includes(old.goodbyeCode), `the loser hears ${old.goodbyeCode}`);
      await fresh.publish(`rooms/r/from/${id}/join`, { session: 'new', peer_name: 'Ada' });
      await roomd.next('join');
      assert.deepEqual(roomd.seen('gone'), [], 'the will of the one replaced is not sent, and nobody is gone');

      await fresh.drop();
      const lost = [await roomd.next('gone'), await roomd.next('gone')];
      assert.deepEqual(lost.map((message) => message.json), [{ session: 'new' }, {}]);
    });

    test(`a second roomd waits until the first is gone, ${link}`, async () => {
      const id = `s-roomd-${randomId()}`;
      const roomd = () => gate.client({ id, role: 'service', clean: false, ...link });
      const first = await roomd();
      for (let i = 0; i < 3; i++) await refused(roomd(), link.version === 5 ? NOT_AUTHORIZED : NOT_AUTHORIZED_3);
      await first.subscribe('rooms/+/from/#');
      await first.drop();
      const second = await until(roomd, { what: 'the broker to notice' });
      assert.ok(second.sessionPresent, 'what was sent to the first is there for the second');
      await refused(roomd(), link.version === 5 ? NOT_AUTHORIZED : NOT_AUTHORIZED_3);
      await second.end();
    });

    test(`a kept session survives its own take-over, ${link}`, async () => {
      const roomd = await gate.roomd();
      const id = randomId('p-');
      const keeping = { id, role: 'peer', room: 'r', clean: false, ...link };
      const old = await gate.client(keeping);
      await old.subscribe(`rooms/r/to/${id}/#`);
      const fresh = await gate.client(keeping);
      await old.whenClosed();
      assert.ok(fresh.sessionPresent);
      await roomd.publish(`rooms/r/to/${id}/user-away`, { peer_id: 'p-x', grace_s: 30 });
      await fresh.next('user-away');
      await fresh.end();
    });
  }
});

describe('a reload', LIMIT, () => {
  const gate = useGate();

  /** A client whose token has run out while it was connected. */
  async function overdue(options) {
    const exp = nowS() + 2;
    const client = await gate.client({ ...options, token: gate.token({ sub: options.id, role: options.role, room: options.room, exp }) });
    await until(() => nowS() > exp, { what: 'the token to run out' });
    return client;
  }

  /** Fails unless the broker still answers `client` on its connection. */
  async function stillIn(client) {
    const putOut = client.whenClosed(60_000).then(() => assert.fail(`${client.id} was put out`), () => {});
    await Promise.race([client.settle(), putOut]);
  }

  for (const link of links) {
    test(`puts nobody out whose token has run out, ${link}`, async () => {
      const client = await overdue({ id: randomId('d-'), role: 'device', ...link });
      await gate.reload('keys-reloaded');
      await stillIn(client);
    });
  }

  test('leaves a kept session alone whose token has run out', async () => {
    const roomd = await overdue({ id: 's-roomd', role: 'service', clean: false });
    await roomd.subscribe('rooms/+/from/#');
    await roomd.end();
    const peer = await gate.peer(randomId('p-'), 'r');
    await peer.publish(`rooms/r/from/${peer.id}/join`, { session: 'one', peer_name: 'Ada' });
    await gate.reload('keys-reloaded');
    await gate.reload('keys-reloaded');
    const back = await gate.roomd({ clean: false });
    await back.next(`rooms/r/from/${peer.id}/join`);
  });

  test('does not let a new connection in with a token that has run out', async () => {
    const id = randomId('p-');
    await gate.reload('keys-reloaded');
    await refused(gate.client({ id, role: 'peer', room: 'r', token: gate.token({ sub: id, role: 'peer', room: 'r', exp: nowS() - 1 }) }), NOT_AUTHORIZED);
  });

  test('brings new keys, and keeps those who came by the old one', async () => {
    const [old] = gate.keys;
    const before = await gate.peer(randomId('p-'), 'r');
    gate.keys = [newKey(), old];
    gate.writeKeys();
    const id = randomId('p-');
    await refused(gate.client({ id, role: 'peer', room: 'r' }), NOT_AUTHORIZED, 'a key not loaded yet');
    await gate.reload('keys-reloaded').catch(() => {});
    await gate.client({ id, role: 'peer', room: 'r' });
    await stillIn(before);
  });

  test('puts out who came by a key that was taken back, and lets the overdue be', async () => {
    const [good, bad] = [gate.keys[0], newKey()];
    gate.keys = [good, bad];
    gate.writeKeys();
    await gate.reload('keys-reloaded');
    const thief = { id: randomId('p-'), role: 'peer', room: 'r' };
    const client = await gate.client({ ...thief, token: gate.token({ sub: thief.id, role: 'peer', room: 'r' }, bad) });
    const other = { id: randomId('p-'), role: 'peer', room: 'r' };
    const exp = nowS() + 2;
    const rotated = await gate.client({ ...other, token: gate.token({ sub: other.id, role: 'peer', room: 'r', exp }, bad) });
    await until(() => nowS() > exp, { what: 'the token to run out' });
    gate.keys = [good];
    gate.writeKeys();
    await gate.reload('keys-reloaded');
    await client.whenClosed();
    await stillIn(rotated);
  });

  test('keeps the keys when the file is not right', async () => {
    const client = await gate.peer(randomId('p-'), 'r');
    gate.writeKeys('this is no key file\n');
    await gate.reload('keys-kept');
    await stillIn(client);
    await gate.client({ id: randomId('p-'), role: 'peer', room: 'r' });
    gate.writeKeys();
    await gate.reload('keys-reloaded');
  });
});

describe('a gate that cannot load', LIMIT, () => {
  const lame = (edit) => async () => {
    const gate = new GateBroker();
    await gate.start();
    gate.process.kill('SIGTERM');
    await gate.ended;
    edit(gate);
    gate.launch();
    await until(() => gate.process.exitCode !== null, { timeout: 10_000, what: 'the broker to end' }).finally(() => gate.process.kill('SIGKILL'));
    assert.notEqual(gate.process.exitCode, 0);
    gate.discard();
  };
  test('keeps the broker from starting: no keys', lame((gate) => gate.writeKeys('')));
  test('keeps the broker from starting: a configuration that is wrong', lame((gate) => writeFileSync(`${gate.folder}/parley.conf`, '[parley]\nno_such_option = 1\n')));
});
