/**
 * What a browser remembers. The tab (sessionStorage) keeps its seat across a reload, and the notice for the main page; the browser
 * (localStorage) keeps the name and the devices. Storage may be switched off: then nothing is remembered, and all else works.
 */

/**
 * A tab's place in a room.
 *
 * @typedef {{room: string, token: string, seat?: string, name: string, joined: boolean, audio: boolean, video: boolean}} Place
 */
/** @typedef {{kind: string, room: string, by: string}} Notice `kind` is a page's ending */
/** @typedef {{name: string, audio: string, video: string}} Habits the name, and the devices' ids */

const PLACE = 'parley.place';
const NOTICE = 'parley.notice';
const HABITS = 'parley.habits';

/**
 * @template T
 * @param {'sessionStorage' | 'localStorage'} where
 * @param {string} key
 * @param {T} otherwise gives the fields' types too: an entry with others is not used
 * @returns {T}
 */
function read(where, key, otherwise) {
  try {
    const value = JSON.parse(globalThis[where].getItem(key) ?? 'null');
    const fits = value && Object.entries(/** @type {object} */ (otherwise)).every(([name, example]) => typeof value[name] === typeof example);
    return fits ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * @param {'sessionStorage' | 'localStorage'} where
 * @param {string} key
 * @param {object | null} value
 */
function write(where, key, value) {
  try {
    if (value) globalThis[where].setItem(key, JSON.stringify(value));
    else globalThis[where].removeItem(key);
  } catch {
    // Switched off, or full.
  }
}

/** The tab's place in `room`, or one to begin with. @param {string} room @returns {Place} */
export function loadPlace(room) {
  const fresh = { room, token: '', name: '', joined: false, audio: true, video: true };
  const place = read('sessionStorage', PLACE, fresh);
  return place.room === room ? place : fresh;
}

/** @param {Place | null} place null: no place any more */
export function savePlace(place) {
  write('sessionStorage', PLACE, place);
}

/** @param {Notice} notice */
export function leaveNotice(notice) {
  write('sessionStorage', NOTICE, notice);
}

/** The notice, once. @returns {Notice} */
export function takeNotice() {
  const notice = read('sessionStorage', NOTICE, { kind: '', room: '', by: '' });
  write('sessionStorage', NOTICE, null);
  return notice;
}

/** @returns {Habits} */
export function loadHabits() {
  return read('localStorage', HABITS, { name: '', audio: '', video: '' });
}

/** @param {Habits} habits */
export function saveHabits(habits) {
  write('localStorage', HABITS, habits);
}
