/**
 * The call page: the part in the room (attendance.js), the camera and microphone (media.js), what the tab remembers (storage.js) and
 * what is drawn (view.js), put together.
 */
import { ApiError, errorId, requestGrant, sentenceOf } from './api.js';
import { Attendance } from './attendance.js';
import { backoff } from './clock.js';
import { Drawing } from './drawing.js';
import { LocalMedia } from './media.js';
import { otherMember } from './page.js';
import { cleanPeerName, randomId, roomFromPath } from './protocol.js';
import { leaveNotice, loadHabits, loadPlace, saveHabits, savePlace } from './storage.js';
import { View } from './view.js';
import { watchWaking } from './waking.js';
import { warmUp } from './warm.js';

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./pass.js').Grant} Grant */

const room = roomFromPath(location.pathname) ?? '';
const place = loadPlace(room);
const habits = loadHabits();
const media = new LocalMedia({ audio: place.audio, video: place.video }, { audio: habits.audio, video: habits.video });
const view = new View(new URL(`/r/${room}/`, location.href).href);
const attendance = new Attendance({
  room, session: randomId(), connect: (url, options) => mqtt.connect(url, options), renew: (token) => requestGrant(room, token),
});
/** More than all else of the page together, so it comes meanwhile: the lobby does without. @type {typeof import('/vendor/mqtt.esm.js')} */
let mqtt;

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

// ---- what a step of the page leads to ----

const drawing = new Drawing(() => view.draw(attendance.page, media, place.name));

/** Two are in the call, and will want to hear of each other. @param {Page} page */
const isMet = (page) => page.view === 'call' && otherMember(page) !== null;

/** @param {{page: Page, before: Page}} step */
function onPage({ page, before }) {
  if (page.view !== before.view) onView(page, before.view);
  if (isMet(page) && !isMet(before)) drawing.hold();
  drawing.request();
}

/** @param {Page} page @param {Page['view']} before */
function onView(page, before) {
  // A tab that was replaced in a call goes back into it, should it be used again.
  place.joined = page.view === 'call' || (page.view === 'replaced' && before === 'call');
  savePlace(place);
  if (page.view === 'call') return;
  view.setRemoteStream(null);
  if (page.view === 'replaced') media.close();
  if (page.view === 'ended') void goHome(page);
}

/** Everything is closed first; then the contract's farewell, and the main page. @param {Page} page */
async function goHome(page) {
  media.close();
  await attendance.close();
  savePlace(null);
  if (page.ending) leaveNotice({ kind: page.ending, room, by: page.by });
  location.replace('/');
}

function hangUp() {
  media.close();
  view.setRemoteStream(null);
  void attendance.hangUp();
}

/** @param {string} typed */
function join(typed) {
  const name = cleanPeerName(typed);
  view.complainAboutName(name ? '' : typed.trim() === '' ? 'Please say who you are.' : sentenceOf('bad-peer-name'));
  if (!name) return;
  place.name = habits.name = name;
  saveHabits(habits);
  mark('join');
  attendance.join(name);
}

function applyMedia() {
  place.audio = media.wanted.audio;
  place.video = media.wanted.video;
  if (attendance.page.view === 'call' || attendance.page.view === 'lobby') savePlace(place);
  attendance.setTracks(media.tracks, media.shown);
  drawing.request();
}

/** @param {Grant} grant */
function keepGrant(grant) {
  place.token = grant.token;
  savePlace(place);
}

attendance.on('page', onPage);
attendance.on('grant', keepGrant);
attendance.on('seat', (seat) => {
  place.seat = seat;
  savePlace(place);
  if (attendance.page.view !== 'call') mark('joined');
});
attendance.on('sent', (type) => mark(`${type}-sent`));
attendance.on('stream', (stream) => view.setRemoteStream(stream));
attendance.on('shown', (shown) => {
  view.setRemoteShown(shown);
  drawing.request();
});
attendance.on('safety', (safety) => view.setSafety(safety));

// ---- the beginning ----

/** A token for this tab's peer, or for a new one; asks until the server answers, or nothing can come of it. @returns {Promise<Grant | null>} */
async function obtainGrant() {
  for (let attempt = 0; attendance.page.view !== 'error'; attempt++) {
    try {
      return await requestGrant(room, place.token || undefined); // whether it still counts the server knows, not this machine's clock
    } catch (error) {
      const { id, retryS } = error instanceof ApiError ? error : new ApiError(errorId(error));
      if (id === 'unauthorized' || id === 'token-expired') {
        Object.assign(place, { token: '', seat: undefined, joined: false });
      } else if (id === 'offline' || id === 'unavailable') {
        attendance.dispatch({ type: 'trouble', trouble: id });
      } else {
        attendance.dispatch(id === 'no-such-room' ? { type: 'refused', error: id } : { type: 'failed', error: id });
        return null;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(retryS * 1000, backoff(attempt, Math.random()))));
    }
  }
  return null;
}

/** @returns {Promise<boolean>} whether MQTT.js is here */
async function loadMqtt() {
  try {
    mqtt = await import('/vendor/mqtt.esm.js');
    return true;
  } catch {
    attendance.dispatch({ type: 'failed', error: 'offline' });
    return false;
  }
}

async function begin() {
  view.name = place.name || habits.name;
  if (!place.joined) attendance.dispatch({ type: 'opened' });
  void media.open().then(() => (attendance.page.view === 'lobby' ? warmUp() : undefined));
  const [grant, hasMqtt] = await Promise.all([obtainGrant(), loadMqtt()]);
  if (!grant || !hasMqtt) return;
  keepGrant(grant);
  const returningAs = place.joined ? place.name : '';
  if (returningAs) mark('join');
  attendance.enter(grant, { seat: place.seat, returningAs });
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
view.on('hangUp', hangUp);
view.on('useHere', () => location.reload());
view.on('retry', () => location.reload());
view.on('firstFrame', () => {
  mark('first-frame');
  drawing.resume();
  drawing.request();
});

watchWaking(() => attendance.wake());
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload(); // from the back/forward cache, where connections do not live on
});

void begin();
