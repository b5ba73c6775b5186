/** What mosquitto.conf.in promises. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { links } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
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
});
