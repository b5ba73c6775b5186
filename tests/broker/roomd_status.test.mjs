/** What roomd says of itself reaches everybody in their own inbox. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { LIMIT, useGate } from './gate_broker.mjs';

const gate = useGate();
const status = (state, epoch = randomId('e-')) => ({ state, version: '1', epoch });
const lastWords = (body) => ({ topic: 'parley/v1/roomd/status', payload: Buffer.from(JSON.stringify(body)), qos: 1, retain: true });

/** Everybody who may hear of roomd, and where each does. */
async function crowd(link) {
  const room = randomId('room-');
  const [ada, door] = [randomId('p-ada-'), randomId('d-door-')];
  const person = await gate.client({ id: ada, role: 'peer', room, ...link });
  const device = await gate.client({ id: door, role: 'device', ...link });
  return { person, device, personal: `rooms/${room}/to/${ada}/roomd-status`, ofDevice: `devices/${door}/roomd-status`,
    inbox: `rooms/${room}/to/${ada}/#`, ofDevices: `devices/${door}/#` };
}

for (const link of links) {
  describe(`over ${link}`, LIMIT, () => {
    test('at once with the subscription, and at each change', async () => {
      const roomd = await gate.roomd();
      const first = status('online');
      await roomd.publish('roomd/status', first);
      const { person, device, personal, ofDevice, inbox, ofDevices } = await crowd(link);
      await person.subscribe(inbox);
      await device.subscribe(ofDevices);
      const told = [await person.next(personal), await device.next(ofDevice)];
      const second = status('draining', first.epoch);
      await roomd.publish('roomd/status', second);
      told.push(await person.next(personal), await device.next(ofDevice));
      assert.deepEqual(told.map(({ json }) => json), [first, first, second, second]);
      assert.deepEqual(told.map(({ qos, retain }) => [qos, retain]), Array(4).fill([1, false]));
    });

    test('also what roomd left as its will', async () => {
      const offline = status('offline');
      const roomd = await gate.roomd({ will: lastWords(offline) });
      await roomd.publish('roomd/status', status('online', offline.epoch));
      const { person, personal, inbox } = await crowd(link);
      await person.subscribe(inbox);
      assert.equal((await person.next(personal)).json.state, 'online');
      roomd.drop();
      assert.deepEqual((await person.next(personal)).json, offline);
    });

    test('who reads roomd/status, as older clients do, hears it there alone', async () => {
      const roomd = await gate.roomd();
      const { person, device, inbox, ofDevices } = await crowd(link);
      await roomd.publish('roomd/status', status('online'));
      await person.mqtt.subscribeAsync([`parley/v1/${inbox}`, 'parley/v1/roomd/status'], { qos: 1 });
      await device.mqtt.subscribeAsync(['parley/v1/roomd/status', `parley/v1/${ofDevices}`], { qos: 1 });
      await roomd.publish('roomd/status', status('online'));
      await roomd.publish('roomd/status', status('draining'));
      for (const client of [person, device]) {
        await client.next(({ json }) => json?.state === 'draining');
        assert.equal(client.seen('roomd/status').length, 3);
        client.none(/roomd-status/);
      }
    });

    test('a change while somebody is away comes with their kept session', async () => {
      const roomd = await gate.roomd();
      const id = randomId('d-door-');
      const options = { id, role: 'device', clean: false, ...link };
      const device = await gate.client(options);
      await roomd.publish('roomd/status', status('online'));
      await device.subscribe(`devices/${id}/#`);
      await device.next(`devices/${id}/roomd-status`);
      await device.end();
      const missed = status('online');
      await roomd.publish('roomd/status', missed);
      const again = await gate.client(options);
      assert.equal(again.sessionPresent, true);
      assert.deepEqual((await again.next(`devices/${id}/roomd-status`)).json, missed);
      const next = status('online'); // and goes on to, without another subscribe
      await roomd.publish('roomd/status', next);
      assert.deepEqual((await again.next(`devices/${id}/roomd-status`)).json, next);
    });
  });
}
