/** Two roomds at one broker: one is at work, the other takes over as soon as that one is gone, and never are both. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pair } from '../lib/peer.mjs';
import { until } from '../lib/poll.mjs';
import { atWork, holdSupervisor } from '../lib/roomds.mjs';
import { useStack } from '../lib/stack.mjs';

describe('a standby', () => {
  const stack = useStack({ standby: true, config: { rooms: { grace_s: 30 } } });
  const epochOf = (peer) => peer.client.seen('roomd/status').at(-1).json.epoch;
  const nextEpoch = (peer, old) => peer.next((message) => message.short === 'roomd/status' && message.json.state === 'online' && message.json.epoch !== old, 30_000);

  for (const [how, signal] of [['is killed', 'SIGKILL'], ['is told to stop', 'SIGTERM']]) {
    test(`takes over from one that ${how}: the same seats, each join answered once`, async () => {
      const { room, ada, bob } = await pair(stack);
      const [worker, old] = [await atWork(stack), epochOf(ada)];
      const goOn = holdSupervisor(worker.pid); // it is not started again, so it has to be the other one
      try {
        process.kill(worker.pid, signal);
        await nextEpoch(ada, old);
      } finally {
        goOn();
      }
      assert.deepEqual([(await ada.join()).resumed, (await bob.join()).resumed], [true, true]);
      await bob.tell(ada, 'offer');
      await ada.next(`offer/${bob.id}`);
      const eve = await stack.peer(room, { name: 'Eve' });
      await eve.sendJoin();
      await eve.next('full-room');
      await stack.ready();
      for (const peer of [ada, bob, eve]) assert.equal(peer.client.seen(/\/(joined|full-room)$/).length, peer === eve ? 1 : 2);
    });
  }

  test('one that was stopped, overtaken and goes on changes nothing, and stands by from then on', async () => {
    const { room, ada, bob } = await pair(stack);
    await bob.cut();
    await ada.next('cut-the-call');
    const [worker, old] = [await atWork(stack), epochOf(ada)];
    const eve = await stack.peer(room, { name: 'Eve' });
    process.kill(worker.pid, 'SIGSTOP');
    await eve.sendJoin(); // lies in the socket of the one that is stopped, and is not acknowledged
    await nextEpoch(ada, old);
    assert.deepEqual((await eve.next('joined')).json.room.peers.map((peer) => peer.peer_name), ['Ada', 'Eve']);
    await eve.cut();
    const seen = stack.log.length;
    process.kill(worker.pid, 'SIGCONT'); // it reads the join, and would seat Eve again
    await until(() => stack.log.slice(seen).some((line) => line.includes('overtaken')), { what: 'the stale one to notice' });
    const next = await atWork(stack);
    assert.notEqual(next.pid, worker.pid);
    await ada.join();
    const { json } = await stack.http('GET', `/api/rooms/${room}`);
    assert.deepEqual(json.peers.map((peer) => peer.peer_name), ['Ada']);
    assert.equal(eve.client.seen('joined').length, 1);
    await until(() => stack.pid(worker.part) !== worker.pid, { what: 'the stale one to be started again' });
    const [goOn, second] = [holdSupervisor(next.pid), epochOf(ada)];
    try {
      process.kill(next.pid, 'SIGKILL');
      await nextEpoch(ada, second);
    } finally {
      goOn();
    }
    await ada.join();
  });

  test('the broker is started again: one of them is at work, and everything is there', async () => {
    const { room, ada, bob } = await pair(stack, { transport: 'ws' });
    const closed = Promise.all([ada.client.whenClosed(), bob.client.whenClosed()]);
    await stack.kill('mosquitto');
    await closed;
    await Promise.all([until(() => ada.connect().then(() => true)), until(() => bob.connect().then(() => true))]);
    assert.deepEqual([(await ada.join()).resumed, (await bob.join()).resumed], [true, true]);
    assert.equal((await stack.http('GET', `/api/rooms/${room}`)).json.peers.length, 2);
    await stack.kill((await atWork(stack)).part);
    assert.deepEqual([(await ada.join()).resumed, (await bob.join()).resumed], [true, true]);
  });
});
