/** Real coturn with docs/turnserver.conf: who gets a relay, and where it does not relay to. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { CONF, Coturn } from '../lib/coturn.mjs';
import { nowS, randomId } from '../lib/jwt.mjs';
import { ELSEWHERE, PUBLIC, addAddress, inOwnNetwork } from '../lib/own_network.mjs';
import { until } from '../lib/poll.mjs';
import { useStack } from '../lib/stack.mjs';

const SECRET = 'c0ffee and more';
const PORT = 3478;
const TLS_PORT = 5349;

/** Written down a second time, from the registries and not from the configuration: the first, one in the middle, and the last of each. */
const DENIED = {
  v4: {
    '0.0.0.0/8': ['0.0.0.0', '0.0.0.1', '0.128.3.9', '0.255.255.255'],
    '10.0.0.0/8': ['10.0.0.0', '10.77.1.255', '10.255.255.255'],
    '100.64.0.0/10': ['100.64.0.0', '100.100.100.200', '100.127.255.255'],
    '127.0.0.0/8': ['127.0.0.0', '127.0.0.1', '127.255.255.255'],
    '169.254.0.0/16': ['169.254.0.0', '169.254.169.254', '169.254.255.255'],
    '172.16.0.0/12': ['172.16.0.0', '172.20.255.0', '172.31.255.255'],
    '192.0.0.0/24': ['192.0.0.0', '192.0.0.170', '192.0.0.255'],
    '192.0.2.0/24': ['192.0.2.0', '192.0.2.99', '192.0.2.255'],
    '192.88.99.0/24': ['192.88.99.0', '192.88.99.1', '192.88.99.255'],
    '192.168.0.0/16': ['192.168.0.0', '192.168.178.1', '192.168.255.255'],
    '198.18.0.0/15': ['198.18.0.0', '198.18.255.1', '198.19.255.255'],
    '198.51.100.0/24': ['198.51.100.0', '198.51.100.42', '198.51.100.255'],
    '203.0.113.0/24': ['203.0.113.0', '203.0.113.42', '203.0.113.255'],
    '224.0.0.0/4': ['224.0.0.0', '232.1.2.3', '239.255.255.255'],
    '240.0.0.0/4': ['240.0.0.0', '250.0.0.1', '255.255.255.255'],
  },
  v6: {
    '::/96': ['::', '::1', '::2', '::100', '::1:0', '::100:0', '::a00:0', '::7f00:1', '::c0a8:100', '::ffff:ffff'],
    '::ffff:0:0/96': ['::ffff:0.0.0.0', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:169.254.169.254', '::ffff:11.0.0.2', '::ffff:255.255.255.255'],
    '64:ff9b::/96': ['64:ff9b::', '64:ff9b::10.0.0.1', '64:ff9b::ffff:ffff'],
    '64:ff9b:1::/48': ['64:ff9b:1::', '64:ff9b:1:8000::a00:1', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
    '100::/64': ['100::', '100::8000:0:0:1', '100::ffff:ffff:ffff:ffff'],
    '100:0:0:1::/64': ['100:0:0:1::', '100:0:0:1::9', '100:0:0:1:ffff:ffff:ffff:ffff'],
    '2001::/23': ['2001::', '2001:20::1', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
    '2001:db8::/32': ['2001:db8::', '2001:db8:8000::1', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    '2002::/16': ['2002::', '2002:a00:1::1', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    '3fff::/20': ['3fff::', '3fff:800::1', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff'],
    '5f00::/16': ['5f00::', '5f00:8000::1', '5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    'fc00::/7': ['fc00::', 'fd00:ec2::254', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    'fe80::/10': ['fe80::', 'fea9::8000', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    'fec0::/10': ['fec0::', 'feed::1', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    'ff00::/8': ['ff00::', 'ff02::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  },
};

/** Just outside of the ranges above, and others of everybody: a rule that denies too much breaks calls. */
const ALLOWED = {
  v4: [ELSEWHERE.v4, PUBLIC.v4, '1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0',
    '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.0.3.0', '192.88.98.255', '192.167.255.255', '192.169.0.0',
    '198.17.255.255', '198.20.0.0', '198.51.99.255', '203.0.114.0', '223.255.255.255'],
  v6: [ELSEWHERE.v6, PUBLIC.v6, '2001:200::', '2001:db7:ffff::1', '2001:db9::', '2003::1', '2a00:1450::1', '2001:4860:4860::8888', '2600::',
    '3ffe:ffff::1', '3fff:1000::', '2a02:a00:1::ffff:a00:1'],
};

/** Credentials as the draft says, made independently of httpd. */
function credentials({ secret = SECRET, expires = nowS() + 600, name = randomId('p-') } = {}) {
  const username = `${expires}:${name}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

/** Someone in this network who answers each datagram with the same. */
async function echo(address) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const heard = [];
  socket.on('message', (message, { port, address: from }) => {
    heard.push(message.toString());
    socket.send(message, port, from);
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  socket.unref();
  return { address, port: socket.address().port, heard };
}

/** The TLS version that is agreed on, the error's code, or `silence`: coturn does not answer a version that it is told not to speak. */
function handshake(minVersion, maxVersion) {
  return new Promise((resolve) => {
    const socket = connect({ host: PUBLIC.v4, port: TLS_PORT, rejectUnauthorized: false, minVersion, maxVersion,
      ciphers: 'TLS_AES_128_GCM_SHA256:ALL:@SECLEVEL=0', timeout: 1000 });
    const end = (how) => {
      resolve(how);
      socket.destroy();
    };
    socket.once('secureConnect', () => end(socket.getProtocol()));
    socket.once('timeout', () => end('silence'));
    socket.once('error', (error) => end(error.code));
  });
}

if (inOwnNetwork(import.meta.url, { timeout: 180_000 })) {
  describe('TURN', () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-turn-'));
    writeFileSync(join(folder, 'secret'), `${SECRET}\n`, { mode: 0o600 });
    after(() => rmSync(folder, { recursive: true }));
    const coturn = new Coturn({ addresses: [PUBLIC.v4, PUBLIC.v6], port: PORT, tlsPort: TLS_PORT, secret: SECRET });
    before(() => coturn.start(), { timeout: 30_000 });
    after(() => coturn.stop());

    /** What an allocation with these credentials is answered with. */
    async function allocate(withThese, options = {}) {
      const client = (options.from ?? coturn).client(withThese, options.host);
      const code = await client.allocate(options.family);
      await client.close();
      return code;
    }

    /** A client with an allocation, given back after the test. */
    async function relay(t, family) {
      const client = coturn.client(credentials());
      t.after(() => client.close());
      assert.equal(await client.allocate(family), 0);
      return client;
    }

    describe('who gets in', () => {
      const stack = useStack({ config: { turn: { urls: `turn:${PUBLIC.v4}:${PORT}?transport=udp`, secret_file: join(folder, 'secret'), ttl_s: 600 } } });

      test('credentials as httpd hands them out, over both families and for both', async () => {
        const { json } = await stack.http('POST', `/api/rooms/${await stack.room()}/peers`);
        const [{ username, credential }] = json.ice_servers;
        const left = Number(username.split(':')[0]) - nowS();
        assert.ok(left > 590 && left <= 600, `good for ${left} s`);
        assert.equal(await allocate({ username, credential }), 0);
        assert.equal(await allocate({ username, credential }, { family: 'v6' }), 0);
        assert.equal(await allocate({ username, credential }, { host: PUBLIC.v6 }), 0);
      });

      test('nobody else: 401', async () => {
        assert.equal(await allocate(credentials()), 0);
        const expired = credentials({ expires: nowS() - 1 });
        const { username, credential } = credentials();
        for (const [what, withThese] of Object.entries({
          'no credentials': undefined,
          expired,
          'long expired': credentials({ expires: 1 }),
          'of another secret': credentials({ secret: `${SECRET}!` }),
          'of no secret': credentials({ secret: '' }),
          'expired, its time put forward': { ...expired, username },
          'a credential with one bit flipped': { username, credential: `${credential[0] === 'A' ? 'B' : 'A'}${credential.slice(1)}` },
          'somebody else’s': { username: `${username}x`, credential },
          'no time': credentials({ expires: '' }),
          'no username': { username: '', credential },
        })) assert.equal(await allocate(withThese), 401, what);
      });

      test('nobody at all while the secret is not filled in', async (t) => {
        const unfinished = new Coturn({ addresses: [PUBLIC.v4], port: PORT + 2, tlsPort: TLS_PORT + 2 });
        t.after(() => unfinished.stop());
        await unfinished.start();
        for (const secret of ['', 'REPLACE', 'north', SECRET]) assert.equal(await allocate(credentials({ secret }), { from: unfinished }), 401, secret);
      });

      test('one set of credentials has a quota: 486', async (t) => {
        const withThese = credentials({ name: 'p-greedy' });
        const codes = [];
        for (let i = 0; i < 21; i++) {
          const client = coturn.client(withThese);
          t.after(() => client.close());
          codes.push(await client.allocate());
        }
        assert.deepEqual(codes, [...Array(20).fill(0), 486]);
        assert.equal(await allocate(credentials({ name: 'p-modest' })), 0);
      });

      test('nothing older than TLS 1.2', async () => {
        assert.equal(await handshake('TLSv1.2', 'TLSv1.3'), 'TLSv1.2');
        for (const old of ['TLSv1', 'TLSv1.1']) assert.doesNotMatch(await handshake(old, old), /^TLS/, old);
      });
    });

    describe('where it relays to', () => {
      test('coturn has understood every line', () => {
        const wanted = readFileSync(CONF, 'utf8').match(/^denied-peer-ip=.*$/gm).map((line) => line.split('=')[1]);
        const understood = coturn.log.map((line) => /Black listing: (.*)$/.exec(line)?.[1]).filter(Boolean);
        assert.deepEqual(understood, wanted);
        assert.deepEqual(coturn.log.filter((line) => /bad config|wrong|error|unknown|cannot/i.test(line) && !line.includes('check_stun_auth')), []);
      });

      for (const family of ['v4', 'v6']) {
        for (const [range, addresses] of Object.entries(DENIED[family])) {
          test(`not to ${range}: 403`, async (t) => {
            const client = await relay(t, family);
            for (const address of addresses) {
              assert.equal(await client.createPermission(address), 403, `CreatePermission ${address}`);
              assert.equal(await client.createPermission(ELSEWHERE[family], address), 403, `CreatePermission for another and ${address}`);
              assert.equal(await client.channelBind(0x4000, address, 53), 403, `ChannelBind ${address}`);
            }
          });
        }

        test(`to whatever else is public, ${family}`, async (t) => {
          const client = await relay(t, family);
          for (const [i, address] of ALLOWED[family].entries()) {
            assert.equal(await client.createPermission(address), 0, `CreatePermission ${address}`);
            assert.equal(await client.channelBind(0x4000 + i, address, 53), 0, `ChannelBind ${address}`);
          }
        });
      }

      test('a peer of the other family is no way around', async (t) => {
        const [v4, v6] = [await relay(t, 'v4'), await relay(t, 'v6')];
        assert.notEqual(await v4.createPermission('::ffff:10.0.0.1'), 0);
        assert.notEqual(await v4.createPermission('::1'), 0);
        assert.notEqual(await v6.createPermission('10.0.0.1'), 0);
        assert.notEqual(await v6.createPermission('127.0.0.1'), 0);
      });

      for (const [family, inside] of Object.entries({
        v4: ['127.0.0.1', '10.0.0.9', '169.254.169.254', '192.168.0.9'],
        v6: ['::1', 'fd00:ec2::254', '::ffff:127.0.0.1'],
      })) {
        test(`no datagram arrives where it may not, ${family}`, async (t) => {
          for (const address of inside.filter((one) => !/127.0.0.1|^::1$/.test(one))) addAddress(address);
          const listeners = await Promise.all(inside.map((address) => echo(address)));
          const friend = await echo(ELSEWHERE[family]);
          const client = await relay(t, family);
          for (const [i, { address, port }] of listeners.entries()) {
            await client.createPermission(address);
            await client.send(address, port, 'by Send');
            await client.channelBind(0x4100 + i, address, port);
            await client.sendOn(0x4100 + i, 'by ChannelData');
          }
          // What follows on the same way and comes back has been behind all of that.
          assert.equal(await client.createPermission(friend.address), 0);
          await until(async () => {
            await client.send(friend.address, friend.port, 'by Send');
            return client.received.includes('by Send');
          }, { what: 'an answer by Data' });
          assert.equal(await client.channelBind(0x4200, friend.address, friend.port), 0);
          await until(async () => {
            await client.sendOn(0x4200, 'by ChannelData');
            return client.received.includes('by ChannelData');
          }, { what: 'an answer by ChannelData' });
          for (const { address, heard } of listeners) assert.deepEqual(heard, [], address);
        });
      }
    });
  });
}
