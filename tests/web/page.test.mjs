import assert from 'node:assert/strict';
import test from 'node:test';
import { START, hasSpace, membersSentence, otherMember, statusOf, step } from '../../web/js/page.js';

const ada = { peer_id: 'p-ada', peer_name: 'Ada', state: 'present' };
const bob = { peer_id: 'p-bob', peer_name: 'Bob', state: 'present' };
const cem = { peer_id: 'p-cem', peer_name: 'Cem', state: 'present' };
const room = (rev, ...peers) => ({ room_id: 'r', max_peers: 2, rev, peers });
const run = (page, ...events) => events.reduce(step, page);

const lobby = run(START, { type: 'granted', self: 'p-ada', returning: false }, { type: 'connection', link: 'online' }, { type: 'state', room: room(1) });
const alone = run(lobby, { type: 'join' }, { type: 'state', room: room(2, ada) }, { type: 'joined', room: room(2, ada) });
const talking = run(alone, { type: 'state', room: room(3, ada, bob) }, { type: 'media', media: 'connected' });

test('from the lobby into the call', () => {
  assert.equal(lobby.view, 'lobby');
  assert.equal(step(lobby, { type: 'join' }).view, 'lobby', 'joining is not joined');
  assert.equal(alone.view, 'call');
  assert.equal(alone.joining, false);
  assert.equal(statusOf(alone).text, 'Waiting for someone to join');
  assert.equal(otherMember(talking), bob);
  assert.deepEqual(statusOf(talking), { text: 'In a call with Bob', tone: 'good' });
});

test('a reload goes back without the lobby', () => {
  const back = step(START, { type: 'granted', self: 'p-ada', returning: true });
  assert.equal(back.view, 'loading');
  assert.equal(run(back, { type: 'joined', room: room(4, ada, bob) }).view, 'call');
  assert.equal(run(back, { type: 'full' }).view, 'full', 'the seat was lost meanwhile');
  assert.equal(run(back, { type: 'refused', error: 'bad-peer-name' }).view, 'lobby');
});

test('the lobby is open before anybody answers, and who joins there is let in later', () => {
  const open = step(START, { type: 'opened' });
  assert.deepEqual([open.view, statusOf(open).text], ['lobby', '']);
  for (const trouble of ['offline', 'unavailable']) assert.match(statusOf(step(open, { type: 'trouble', trouble })).text, /^The server .* Trying again…$/);
  const joining = run(open, { type: 'join' }, { type: 'trouble', trouble: 'unavailable' }, { type: 'granted', self: 'p-ada', returning: false });
  assert.deepEqual([joining.view, joining.joining, statusOf(joining).text], ['lobby', true, 'Connecting…']);
  assert.equal(run(joining, { type: 'joined', room: room(2, ada) }).view, 'call');
  assert.equal(step(open, { type: 'granted', self: 'p-ada', returning: false }).joining, false);
});

test('where it goes no further, nothing says that it is tried again', () => {
  const waiting = run(START, { type: 'opened' }, { type: 'trouble', trouble: 'offline' });
  const failed = step(waiting, { type: 'failed', error: 'offline' });
  assert.deepEqual([failed.view, statusOf(failed).text], ['error', '']);
  assert.equal(step(failed, { type: 'trouble', trouble: 'unavailable' }), failed, 'an answer that came late');
  const refused = step(waiting, { type: 'refused', error: 'bad-peer-name' });
  assert.deepEqual([refused.view, statusOf(refused).text], ['lobby', '']);
  assert.equal(statusOf(step(waiting, { type: 'refused', error: 'no-such-room' })).text, '');
});

test('the lobby says who is there', () => {
  assert.equal(membersSentence(START), '');
  assert.equal(membersSentence(lobby), 'Nobody is here yet.');
  assert.equal(membersSentence(step(lobby, { type: 'state', room: room(2, bob) })), 'Bob is here.');
  assert.equal(membersSentence(step(lobby, { type: 'state', room: room(3, bob, cem) })), 'Bob and Cem are here.');
});

test('a full room opens its door as soon as a seat is free', () => {
  const full = run(lobby, { type: 'state', room: room(3, bob, cem) }, { type: 'join' }, { type: 'full' });
  assert.equal(full.view, 'full');
  assert.equal(full.joining, false);
  assert.ok(!hasSpace(full));
  const free = step(full, { type: 'state', room: room(4, cem) });
  assert.ok(hasSpace(free));
  assert.equal(run(free, { type: 'join' }, { type: 'joined', room: room(5, cem, ada) }).view, 'call');
});

test('an older state changes nothing, but a new roomd may count from anew', () => {
  assert.equal(step(talking, { type: 'state', room: room(2, ada) }).room.rev, 3);
  const renewed = run(talking, { type: 'roomd', state: 'online', isNew: true }, { type: 'state', room: room(1, ada) });
  assert.equal(renewed.room.peers.length, 1);
});

test('each way a call ends, and by whom', () => {
  for (const reason of ['hung-up', 'lost']) {
    const ended = run(talking, { type: 'cut', peer: 'p-bob', reason });
    assert.deepEqual([ended.view, ended.ending, ended.by], ['ended', reason, 'Bob']);
    const late = run(talking, { type: 'state', room: room(4, ada) }, { type: 'cut', peer: 'p-bob', reason });
    assert.deepEqual([late.view, late.ending, late.by], ['ended', reason, 'Bob'], 'the state came first');
  }
  for (const reason of ['kicked', 'room-closed']) assert.equal(run(talking, { type: 'cut', peer: 'p-ada', reason }).ending, reason);
  assert.equal(run(talking, { type: 'leave' }, { type: 'left' }).ending, 'left');
});

test('a cut-the-call about somebody who is not in this call ends nothing', () => {
  assert.equal(step(talking, { type: 'cut', peer: 'p-cem', reason: 'hung-up' }), talking);
  assert.equal(step(lobby, { type: 'cut', peer: 'p-bob', reason: 'hung-up' }), lobby);
  const leaving = step(talking, { type: 'leave' });
  assert.equal(step(leaving, { type: 'cut', peer: 'p-bob', reason: 'hung-up' }), leaving);
});

test('a room that is gone ends the lobby, not a call', () => {
  assert.equal(step(lobby, { type: 'state', room: null }).ending, 'no-such-room');
  assert.equal(step(talking, { type: 'state', room: null }), talking);
});

test('where nothing leads on, nothing does', () => {
  for (const last of [step(talking, { type: 'replaced' }), step(talking, { type: 'cut', peer: 'p-bob', reason: 'lost' })]) {
    for (const event of [{ type: 'joined', room: room(9, ada) }, { type: 'full' }, { type: 'connection', link: 'reconnecting' }, { type: 'join' }]) {
      assert.equal(step(last, event), last);
    }
  }
});

test('the status line, where something is not as it should be', () => {
  const text = (page, ...events) => statusOf(run(page, ...events)).text;
  assert.equal(text(talking, { type: 'connection', link: 'reconnecting' }), 'Reconnecting…');
  assert.equal(text(talking, { type: 'state', room: room(4, ada, { ...bob, state: 'away' }) }), 'Bob is reconnecting…');
  assert.equal(text(talking, { type: 'media', media: 'interrupted' }), 'The picture is stuck. Trying again…');
  assert.equal(text(talking, { type: 'media', media: 'connecting' }), 'Connecting with Bob…');
  assert.equal(text(talking, { type: 'leave' }), 'Hanging up…');
  assert.equal(text(lobby, { type: 'join' }), 'Joining…');
  assert.match(text(lobby, { type: 'join' }, { type: 'roomd', state: 'offline', isNew: false }), /starting again/);
  assert.match(text(lobby, { type: 'join' }, { type: 'wait' }), /nobody in just now/);
  assert.equal(text(lobby, { type: 'join' }, { type: 'wait' }, { type: 'join' }), 'Joining…', 'asked again');
  assert.equal(step(talking, { type: 'wait' }), talking, 'a call has its seat');
  assert.equal(text(lobby), '');
});

test('a refusal in the lobby is said there; one in a call does not end it', () => {
  const refused = run(lobby, { type: 'join' }, { type: 'refused', error: 'bad-peer-name' });
  assert.deepEqual([refused.view, refused.joining, refused.error], ['lobby', false, 'bad-peer-name']);
  assert.equal(step(refused, { type: 'join' }).error, '');
  assert.equal(step(talking, { type: 'refused', error: 'bad-request' }).view, 'call');
});
