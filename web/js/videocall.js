/**
 * The call page: puts its parts together. Events from the broker, the media and the user become steps of the page
 * (page.js); what a step leads to is done here, and view.js draws it.
 */
import mqtt from '/vendor/mqtt.esm.js';
import { ApiError, errorId, requestGrant, sentenceOf } from './api.js';
import { Call } from './call.js';
import { backoff } from './clock.js';
import { LocalMedia } from './media.js';
import { START, otherMember, step } from './page.js';
import { cleanPeerName, randomId, roomFromPath } from './protocol.js';
import { Signalling } from './signalling.js';
import { leaveNotice, loadHabits, loadPlace, saveHabits, savePlace } from './storage.js';
import { View } from './view.js';

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./page.js').PageEvent} PageEvent */
/** @typedef {import('./pass.js').Grant} Grant */

const room = roomFromPath(location.pathname) ?? '';
const session = randomId();
const place = loadPlace(room);
const habits = loadHabits();
const media = new LocalMedia({ audio: place.audio, video: place.video }, { audio: habits.audio, video: habits.video });
const view = new View(new URL(`/r/${room}/`, location.href).href);

/** @type {Page} */
let page = START;
/** @type {Signalling | undefined} */
let signalling;
/** @type {Call | undefined} */
let call;
/** @type {any} */
let joinTimer;

// ---- the timeline, for whoever looks into the speed of a call: read only ----

/** @type {{name: string, at: number}[]} */
const timeline = [];

/** @param {string} name */
function mark(name) {
  timeline.push(Object.freeze({ name, at: performance.mark(`parley:${name}`).startTime }));
}

Object.defineProperty(globalThis, 'parley', {
  value: Object.freeze({
    get timeline() {
      return [...timeline];
    },
  }),
});

// ---- steps and what they lead to ----

/** @param {PageEvent} event */
function dispatch(event) {
  const before = page;
  page = step(page, event);
  if (page.view !== before.view) onView(before.view);
  draw();
}

function draw() {
  view.draw(page, media, place.name);
}

/** @param {Page['view']} before */
function onView(before) {
  // A tab that was replaced in a call goes back into it, should it be used again.
  place.joined = page.view === 'call' || (page.view === 'replaced' && before === 'call');
  savePlace(place);
  if (page.view === 'call') return;
  call?.close();
  view.setRemoteStream(null);
  if (page.view === 'full') signalling?.forgetJoin();
  if (page.view === 'replaced') media.close();
  if (page.view === 'ended') void goHome();
}

/** Everything is closed first; then the contract's farewell, and the main page. */
async function goHome() {
  media.close();
  call?.close();
  if (page.ending !== 'left' && page.ending !== 'no-such-room') await signalling?.leave();
  signalling?.stop();
  savePlace(null);
  if (page.ending) leaveNotice({ kind: page.ending, room, by: page.by });
  location.replace('/');
}

async function hangUp() {
  if (page.leaving) return;
  dispatch({ type: 'leave' });
  media.close();
  call?.close();
  view.setRemoteStream(null);
  await signalling?.leave();
  dispatch({ type: 'left' });
}

/** @param {string} typed */
function join(typed) {
  const name = cleanPeerName(typed);
  view.complainAboutName(name ? '' : typed.trim() === '' ? 'Please say who you are.' : sentenceOf('bad-peer-name'));
  if (!name) return;
  place.name = habits.name = name;
  saveHabits(habits);
  mark('join');
  dispatch({ type: 'join' });
  signalling?.join(name);
}

function applyMedia() {
  place.audio = media.wanted.audio;
  place.video = media.wanted.video;
  if (page.view === 'call' || page.view === 'lobby') savePlace(place);
  call?.setTracks(media.tracks, media.shown);
  draw();
}

// ---- the parts ----

/** @param {Signalling} link */
function startCall(link) {
  const made = new Call({
    session,
    iceServers: link.iceServers,
    send: (kind, body) => {
      const other = otherMember(page);
      if (other) link.send(kind, other.peer_id, body);
    },
  });
  made.on('sent', (type) => mark(`${type}-sent`));
  made.on('stream', (stream) => view.setRemoteStream(stream));
  made.on('media', (state) => dispatch({ type: 'media', media: state }));
  made.on('shown', (shown) => {
    view.setRemoteShown(shown);
    draw();
  });
  made.on('safety', (safety) => view.setSafety(safety));
  made.setTracks(media.tracks, media.shown);
  return made;
}

/** @param {Grant} grant */
function startSignalling(grant) {
  const link = new Signalling({
    connect: /** @type {any} */ (mqtt.connect),
    renew: (token) => requestGrant(room, token),
    room, session, grant, seat: place.seat,
  });
  let epoch = '';
  link.on('connection', (state) => dispatch({ type: 'connection', link: state }));
  link.on('roomd-status', (status) => {
    dispatch({ type: 'roomd', state: status.state, isNew: status.epoch !== epoch });
    epoch = status.epoch;
  });
  link.on('state', ({ room: state }) => dispatch({ type: 'state', room: state }));
  link.on('joined', ({ room: state, seat }) => {
    place.seat = seat;
    if (page.view !== 'call') mark('joined');
    dispatch({ type: 'joined', room: state });
    savePlace(place);
  });
  link.on('full-room', () => dispatch({ type: 'full' }));
  link.on('user-arrived', ({ peer_id, resumed }) => {
    if (page.view === 'call' && !page.leaving) call?.arrived(resumed, link.peerId < peer_id);
  });
  link.on('cut-the-call', ({ peer_id, reason }) => dispatch({ type: 'cut', peer: peer_id, reason }));
  link.on('error', ({ error, event, retry_s: retryS }) => {
    if (event !== 'join' || page.leaving) return;
    const isPassing = error === 'unavailable' || error === 'too-many-requests';
    if (!isPassing) return dispatch({ type: 'refused', error });
    clearTimeout(joinTimer);
    joinTimer = setTimeout(() => (page.joining || page.view === 'call') && link.join(place.name), (retryS || 1) * 1000);
  });
  for (const kind of /** @type {const} */ (['offer', 'answer', 'candidate'])) {
    link.on(kind, (message) => {
      // From the other member only: the broker's gate sees to it, and so do we.
      if (page.view === 'call' && !page.leaving && message.from === otherMember(page)?.peer_id) void call?.receive(kind, message);
    });
  }
  link.on('grant', (fresh) => {
    keepGrant(fresh);
    call?.setIceServers(fresh.ice_servers);
  });
  link.on('unauthorized', () => dispatch({ type: 'failed', error: 'token-expired' }));
  link.on('replaced', () => dispatch({ type: 'replaced' }));
  return link;
}

/** @param {Grant} grant */
function keepGrant(grant) {
  place.token = grant.token;
  savePlace(place);
}

/** A token for this tab's peer, or for a new one; asks until the server answers. @returns {Promise<Grant | null>} */
async function obtainGrant() {
  for (let attempt = 0; ; attempt++) {
    try {
      return await requestGrant(room, place.token || undefined); // whether it still counts the server knows, not this machine's clock
    } catch (error) {
      const { id, retryS } = error instanceof ApiError ? error : new ApiError(errorId(error));
      if (id === 'unauthorized' || id === 'token-expired') {
        Object.assign(place, { token: '', seat: undefined, joined: false });
      } else if (id === 'offline' || id === 'unavailable') {
        view.sayLoading(`${sentenceOf(id)} Trying again…`);
      } else {
        dispatch(id === 'no-such-room' ? { type: 'refused', error: id } : { type: 'failed', error: id });
        return null;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(retryS * 1000, backoff(attempt, Math.random()))));
    }
  }
}

// ---- the beginning ----

async function begin() {
  view.name = place.name || habits.name;
  void media.open();
  const grant = await obtainGrant();
  if (!grant) return;
  keepGrant(grant);
  const returning = place.joined && place.name !== '';
  signalling = startSignalling(grant);
  call = startCall(signalling);
  dispatch({ type: 'granted', self: grant.peer_id, returning });
  signalling.start();
  if (!returning) return;
  mark('join');
  signalling.join(place.name);
}

media.on('changed', applyMedia);
view.on('join', join);
view.on('toggle', (kind) => void media.turn(kind, !media.shown[kind]));
view.on('choose', ({ kind, id }) => {
  habits[kind] = id;
  saveHabits(habits);
  void media.choose(kind, id);
});
view.on('retryMedia', () => {
  media.wanted.video = media.wanted.audio = true;
  void media.open();
});
view.on('hangUp', () => void hangUp());
view.on('useHere', () => location.reload());
view.on('retry', () => location.reload());
view.on('firstFrame', () => {
  mark('first-frame');
  draw();
});

addEventListener('online', () => signalling?.wake());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') signalling?.wake();
});
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload(); // from the back/forward cache, where connections do not live on
});

void begin();
