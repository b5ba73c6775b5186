/** [limits] rooms_max and peers_max: whoever is in stays in, nobody new gets in. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomId } from '../lib/jwt.mjs';
import { pair } from '../lib/peer.mjs';
import { faultOf } from '../lib/schemas.mjs';
import { useStack } from '../lib/stack.mjs';

describe('quota', () => {
  const stack = useStack({ config: { limits: { rooms_max: 3, peers_max: 2 } } });

  test('of members, and of rooms', async () => {
    const { ada, bob } = await pair(stack); // and the room `probe`: two of three
    const second = await stack.room();
    const eve = await stack.peer(second, { name: 'Eve' });
    await eve.sendJoin();
    const { json } = await eve.next('error');
    assert.deepEqual([json.error, json.event], ['quota', 'join']);

    const answer = await stack.http('POST', '/api/rooms', { body: {} });
    assert.deepEqual([answer.status, answer.json.error], [429, 'quota']);
    assert.equal(faultOf('http-error', answer.json), null);
    const device = await stack.device();
    const request = randomId('r-');
    await device.publish(`lobby/from/${device.id}/create-room`, { request });
    const refusal = await device.next('error');
    assert.deepEqual([refusal.json.error, refusal.json.request], ['quota', request]);
    assert.equal((await stack.http('POST', '/api/rooms', { body: { room_id: second } })).status, 200, 'a room that is there may be had');

    await bob.reload();
    assert.equal((await bob.join()).room.peers.length, 2, 'a member comes back all the same');
    await bob.cut();
    await ada.next('cut-the-call');
    assert.equal((await eve.join()).resumed, false, 'the freed seat is good for another room');
  });
});
