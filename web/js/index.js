/**
 * The main page: starts a call, joins one, and says why one has come back here.
 */
import { createRoom, errorId, sentenceOf } from './api.js';
import { isId, roomFromInput, roomFromPath } from './protocol.js';
import { takeNotice } from './storage.js';

/** @typedef {import('./storage.js').Notice} Notice */

/** What each ending of a call is called here. @type {Record<string, (by: string) => string>} */
const ENDINGS = {
  'left': () => 'You left the call.',
  'hung-up': (by) => `${by || 'The other'} hung up.`,
  'lost': (by) => `The connection to ${by || 'the other'} was lost.`,
  'kicked': () => 'You were taken out of the call.',
  'room-closed': () => 'The room was closed.',
};

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement} */ (at(id));

/** @param {string} id */
function callPath(id) {
  return `/r/${id}/`;
}

/**
 * @param {string} field
 * @param {string} where
 * @param {string} text '' for nothing wrong
 */
function complain(field, where, text) {
  at(where).textContent = text;
  input(field).setAttribute('aria-invalid', String(text !== ''));
  if (text) input(field).focus();
}

/**
 * Makes the room and goes there.
 *
 * @param {string} wanted '' when any will do
 * @param {HTMLButtonElement} button
 */
async function create(wanted, button) {
  complain('room-id', 'create-error', '');
  button.disabled = true;
  try {
    location.assign((await createRoom(wanted)).path);
  } catch (error) {
    const id = errorId(error);
    // A room that is taken, or a bad name: the field to mend it in.
    if (wanted) /** @type {HTMLDetailsElement} */ (at('own-room')).open = true;
    complain('room-id', 'create-error', sentenceOf(id));
    if (!wanted) button.focus();
  } finally {
    button.disabled = false;
  }
}

/** @param {Notice} notice */
function showEnding({ kind, room, by }) {
  at('notice-text').textContent = ENDINGS[kind](by);
  at('notice').hidden = false;
  if (!isId(room) || kind === 'kicked' || kind === 'room-closed') return;
  const link = /** @type {HTMLAnchorElement} */ (at('notice-link'));
  link.href = callPath(room);
  link.textContent = kind === 'left' ? 'Come back' : 'Call again';
  link.hidden = false;
}

/** @param {string} room */
function showNoSuchRoom(room) {
  at('notice').classList.add('warn');
  at('notice-text').textContent = `There is no room “${room}”, or it has been closed.`;
  const button = /** @type {HTMLButtonElement} */ (at('notice-create'));
  button.textContent = 'Create it';
  button.hidden = false;
  button.addEventListener('click', () => {
    input('room-id').value = room;
    void create(room, button);
  });
  at('notice').hidden = false;
}

function showNotice() {
  const notice = takeNotice();
  const here = roomFromPath(location.pathname); // httpd serves this page, as 404, for a room that does not exist
  if (here) showNoSuchRoom(here);
  else if (notice.kind === 'no-such-room' && isId(notice.room)) showNoSuchRoom(notice.room);
  else if (Object.hasOwn(ENDINGS, notice.kind)) showEnding(notice);
}

at('create').addEventListener('submit', (event) => {
  event.preventDefault();
  const wanted = input('room-id').value.trim();
  if (wanted && !isId(wanted)) complain('room-id', 'create-error', sentenceOf('bad-room-id'));
  else void create(wanted, /** @type {HTMLButtonElement} */ (at('start')));
});

at('join').addEventListener('submit', (event) => {
  event.preventDefault();
  const room = roomFromInput(input('join-room').value);
  complain('join-room', 'join-error', room ? '' : 'That is no room name and no link to a call.');
  if (room) location.assign(callPath(room));
});

// Back from the call page by the browser's own button: the page as it was, without the notice of then.
addEventListener('pageshow', (event) => {
  if (event.persisted) /** @type {HTMLButtonElement} */ (at('start')).disabled = false;
});

showNotice();
