/** What mosquitto.conf.in promises. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { links } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { until } from '../lib/poll.mjs';
import { LIMIT, useGate } from './gate_broker.mjs';

describe('the broker\'s configuration', LIMIT, () => {
  const gate = useGate();

  test('listens where it is told, and nowhere else', async () => {
    for (const url of [gate.mqttUrl, gate.wsUrl]) {
      const port = Number(new URL(url).port);
      const here = connect(port, '127.0.0.1');
      await once(here, 'connect');
      here.destroy();
      const elsewhere = connect(port, '127.0.0.2');
      const [error] = await once(elsewhere, 'error');
      assert.equal(error.code, 'ECONNREFUSED', url);
    }
  });

  test('says its pid', () => {
    assert.equal(Number(readFileSync(`${gate.folder}/mosquitto.pid`, 'utf8')), gate.process.pid);
  });

  test('keeps the log of the gate', () => gate.logged(/gate: info started version=/));

  for (const link of links.filter(({ transport }) => transport === 'tcp')) {
    test(`cuts off a packet beyond all bounds, ${link}`, async () => {
      const peer = await gate.peer(randomId('p-'), 'r', link);
      peer.publishRaw(`rooms/r/from/${peer.id}/join`, 'x'.repeat(131_072)).catch(() => {});
      await peer.whenClosed();
    });
  }

  // Fewer would do at a TCP connection that is read well: its buffers take a good part of them. A Unix socket's do not.
  test('a service that asks for all rooms is given all, however slowly it reads', async () => {
    const count = 100_000; // [limits] rooms_max
    const states = Array.from({ length: count }, (_, i) => {
      const peers = ['a', 'b'].map((who) => ({ peer_id: `p-${who}-${String(i).padStart(24, '0')}`, peer_name: who.repeat(64), state: 'present' }));
      return `rooms/room-${i}/state ${JSON.stringify({ room_id: `room-${i}`, max_peers: 2, rev: 1, peers })}\n`;
    });
    assert.ok(states[0].length > 350, 'about as long as they are');
    const roomd = await gate.roomd();
    for (let at = 0; at < count; at += 150) await roomd.publishRaw('gate/publish', states.slice(at, at + 150).join(''));

    const id = 's-httpd';
    const reader = await connectAsync(gate.mqttUrl, { clientId: id, username: id, password: gate.token({ sub: id, role: 'service' }), reconnectPeriod: 0, clean: true });
    const seen = new Set();
    reader.on('message', (topic) => seen.add(topic));
    try {
      reader.subscribe('parley/v1/rooms/+/state');
      reader.stream.pause();
      await roomd.settle(); // the broker has answered the one who came later
      reader.stream.resume();
      await until(() => seen.size === count, { timeout: 30_000, what: 'all states' });
    } finally {
      await reader.endAsync(true);
    }
  });
});
