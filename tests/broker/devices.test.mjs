/** The rows of devices, and ringing one over HTTP. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links, NOT_AUTHORIZED, refused, SUBACK_FAILURE } from '../lib/client.mjs';
import { randomId } from '../lib/jwt.mjs';
import { until } from '../lib/poll.mjs';
import { faultOf } from '../lib/schemas.mjs';
import { useStack } from '../lib/stack.mjs';

describe('devices', () => {
  const stack = useStack();
  const offline = (id) => ({ topic: `parley/v1/devices/${id}/status`, payload: Buffer.from('{"state":"offline"}'), qos: 1, retain: true });

  /** A device that is online, and for which httpd knows it. */
  async function onlineDevice(link, id = randomId('d-')) {
    const device = await stack.device(id, { ...link, will: offline(id) });
    await device.publish(`devices/${id}/status`, { state: 'online' });
    return device;
  }

  const ring = (id, bearer, body = {}) => stack.http('POST', `/api/devices/${id}/ring`, { bearer, body });

  for (const link of links) {
    describe(`over ${link}`, () => {
      test('status is retained, and the will says offline', async () => {
        const device = await onlineDevice(link);
        const operator = await stack.operator(undefined, link);
        await operator.subscribe(`devices/${device.id}/status`);
        const first = await operator.next('status');
        assert.deepEqual([first.json.state, first.retain, first.qos], ['online', true, 1]);
        await device.publish(`devices/${device.id}/status`, { state: 'in-call', room_id: 'standup' });
        assert.deepEqual((await operator.next('status')).json, { state: 'in-call', room_id: 'standup' });
        await device.drop();
        assert.deepEqual((await operator.next('status')).json, { state: 'offline' });
      });

      test("an operator's ring reaches the device, its answer and its call the operator", async () => {
        const device = await onlineDevice(link);
        const operator = await stack.operator(undefined, link);
        await operator.subscribe(`devices/${device.id}/#`);
        await operator.publish(`devices/${device.id}/ring`, { request: 'r-1', room_id: 'standup', peer_name: 'Ada' });
        const rung = await device.next('ring');
        assert.deepEqual([rung.json, rung.qos, rung.retain], [{ request: 'r-1', room_id: 'standup', peer_name: 'Ada' }, 1, false]);
        await device.publish(`devices/${device.id}/ring-answer`, { request: 'r-1', answer: 'busy' });
        assert.deepEqual((await operator.next('ring-answer')).json, { request: 'r-1', answer: 'busy' });
        const call = { room_id: 'standup', path: '/r/standup/', peer_name: 'Front door' };
        await device.publish(`devices/${device.id}/call`, call);
        assert.deepEqual((await operator.next('call')).json, call);
      });

      test('a device makes a room, joins it and talks to a person', async () => {
        const device = await stack.device(randomId('d-'), link);
        await device.subscribe(`rooms/+/to/${device.id}/#`);
        await device.publish(`lobby/from/${device.id}/create-room`, { request: 'r-2' });
        const { room_id: room } = (await device.next('room-created')).json;
        await device.subscribe(`rooms/${room}/state`, 0);
        const session = randomId();
        await device.publish(`rooms/${room}/from/${device.id}/join`, { session, peer_name: 'Front door' });
        assert.equal((await device.next('joined')).json.room.room_id, room);
        const ada = await stack.peer(room, link);
        await ada.join();
        assert.equal((await device.next('user-arrived')).json.peer_id, ada.id);
        await device.publish(`rooms/${room}/to/${ada.id}/offer/${device.id}`, { session, sdp: 'v=0\r\n' });
        await ada.next(`offer/${device.id}`);
        // A device, which has no room in its token, is missed in every room it sits in.
        await device.drop();
        assert.equal((await ada.next('user-away')).json.peer_id, device.id);
      });

      test('over HTTP: the device is asked, and its answer handed back', async () => {
        const device = await onlineDevice(link);
        const token = await stack.token('operator', 'o-ringer');
        for (const [answer, body] of [['accepted', {}], ['declined', { room_id: randomId('ring-'), peer_name: ' Ada ' }], ['busy', { peer_name: 'Ada' }]]) {
          const rung = device.next('ring', 15000).then(async ({ json }) => {
            if (body.room_id) assert.equal(json.room_id, body.room_id);
            if (body.peer_name) assert.equal(json.peer_name, 'Ada');
            await device.publish(`devices/${device.id}/ring-answer`, { request: json.request, answer });
          });
          // 404 until httpd has heard of the device.
          const response = await until(async () => {
            const tried = await ring(device.id, token, body);
            return tried.status !== 404 && tried;
          }, { what: 'httpd to know the device' });
          await rung;
          assert.equal(response.status, 202, response.text);
          assert.equal(faultOf('http-ring-answer', response.json), null);
          assert.equal(response.json.answer, answer);
          if (body.room_id) assert.equal(response.json.room_id, body.room_id);
          assert.equal((await stack.http('GET', `/api/rooms/${response.json.room_id}`)).status, 200);
        }
      });

      test("a device has no rights in another's name", async () => {
        const device = await stack.device(randomId('d-'), link);
        const other = randomId('d-');
        const code = link.version === 5 ? NOT_AUTHORIZED : SUBACK_FAILURE;
        for (const filter of [`devices/${other}/#`, 'devices/+/status', 'rooms/+/state', 'rooms/+/to/+/#', `lobby/to/${other}/#`, 'roomd/stats', '#']) {
          await refused(device.subscribe(filter), code, filter);
        }
        const operator = await stack.operator(undefined, link);
        await operator.subscribe('devices/#');
        const attempts = [
          [`devices/${other}/status`, { state: 'online' }],
          [`devices/${other}/call`, { room_id: 'r', path: '/r/r/', peer_name: 'x' }],
          [`devices/${device.id}/ring`, { request: 'r', room_id: 'r', peer_name: 'x' }],
          [`lobby/from/${other}/create-room`, { request: 'r' }],
        ];
        for (const [topic, value] of attempts) {
          const attempt = device.publish(topic, value);
          if (link.version === 5) await refused(attempt, NOT_AUTHORIZED, topic);
          else await attempt;
        }
        await device.publish(`devices/${device.id}/ring-answer`, { request: 'last', answer: 'busy' });
        await operator.next((message) => message.json?.request === 'last');
        operator.none(new RegExp(`${other}|${device.id}/ring$`));
      });
    });
  }

  test('ringing wants an operator, and a device that is online', async () => {
    const operator = await stack.token('operator', 'o-ringer');
    const nobody = await ring(randomId('d-'), operator);
    assert.deepEqual([nobody.status, nobody.json.error], [404, 'not-found']);
    const device = await onlineDevice({});
    const anonymous = await ring(device.id);
    assert.deepEqual([anonymous.status, anonymous.json.error], [401, 'unauthorized']);
    assert.match(anonymous.headers['www-authenticate'], /^Bearer/);
    const room = await stack.room();
    for (const [role, id, where] of [['peer', 'p-eve', room], ['device', 'd-eve', undefined]]) {
      const response = await ring(device.id, await stack.token(role, id, where));
      assert.ok([401, 403].includes(response.status), `${role}: ${response.status}`);
      assert.equal(faultOf('http-error', response.json), null);
    }
    await device.publish(`devices/${device.id}/status`, { state: 'offline' });
    await until(async () => (await ring(device.id, operator)).status === 404, { timeout: 20000, what: 'httpd to know that the device is offline' });
    for (const path of ['/api/devices/p-person/ring', '/api/devices/x/ring']) {
      assert.equal((await stack.http('POST', path, { bearer: operator, body: {} })).status, 404, path);
    }
  });
});
