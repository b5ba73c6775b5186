/**
 * What the call page shows, as a pure state machine: `step(page, event) -> page`. Which view is up, who is in the room, what the
 * status line says. It does nothing by itself: videocall.js draws what stands here and does what has to be done.
 */

/** @typedef {import('./protocol.js').Room} Room */
/** @typedef {import('./protocol.js').Peer} Peer */
/** @typedef {import('./call.js').MediaState} MediaState */
/** @typedef {'loading' | 'lobby' | 'call' | 'full' | 'replaced' | 'error' | 'ended'} View */
/** @typedef {'left' | 'hung-up' | 'lost' | 'kicked' | 'room-closed' | 'no-such-room'} Ending */

/**
 * @typedef {{
 *   view: View,
 *   self: string,
 *   link: 'connecting' | 'online' | 'reconnecting',
 *   roomd: 'online' | 'draining' | 'offline',
 *   room: Room | null,
 *   joining: boolean,
 *   waiting: boolean,
 *   leaving: boolean,
 *   media: MediaState,
 *   error: string,
 *   trouble: '' | 'offline' | 'unavailable',
 *   ending: Ending | null,
 *   by: string,
 * }} Page `waiting`: the server lets nobody in at the moment; `error` is a stable id or ''; `trouble`: why we have no pass yet; `by` names who ended the call
 */

/**
 * @typedef {(
 *   | {type: 'opened'}
 *   | {type: 'trouble', trouble: 'offline' | 'unavailable'}
 *   | {type: 'granted', self: string, returning: boolean}
 *   | {type: 'connection', link: Page['link']}
 *   | {type: 'roomd', state: Page['roomd'], isNew: boolean}
 *   | {type: 'state', room: Room | null}
 *   | {type: 'join'}
 *   | {type: 'joined', room: Room}
 *   | {type: 'wait'}
 *   | {type: 'full'}
 *   | {type: 'refused', error: string}
 *   | {type: 'cut', peer: string, reason: 'hung-up' | 'lost' | 'kicked' | 'room-closed'}
 *   | {type: 'leave'}
 *   | {type: 'left'}
 *   | {type: 'media', media: MediaState}
 *   | {type: 'replaced'}
 *   | {type: 'failed', error: string}
 * )} PageEvent
 */

/** @type {Readonly<Page>} */
export const START = Object.freeze({
  view: 'loading', self: '', link: 'connecting', roomd: 'online', room: null, joining: false, waiting: false, leaving: false,
  media: 'new', error: '', trouble: '', ending: null, by: '',
});

const TROUBLES = Object.freeze({
  'offline': 'The server does not answer. Trying again…',
  'unavailable': 'The server is not ready at the moment. Trying again…',
});

/** @param {Page} page @returns {Peer | null} the other member */
export function otherMember(page) {
  return page.room?.peers.find((peer) => peer.peer_id !== page.self) ?? null;
}

/** @param {Page} page */
export function isMember(page) {
  return page.room?.peers.some((peer) => peer.peer_id === page.self) ?? false;
}

/** Whether a join would be let in, as far as the room's state tells. @param {Page} page */
export function hasSpace(page) {
  return page.room !== null && (isMember(page) || page.room.peers.length < page.room.max_peers);
}

/**
 * The later of two states; they may overtake each other on the way.
 *
 * @param {Page} page
 * @param {Room} room
 */
function newer(page, room) {
  return page.room && page.room.rev > room.rev ? page.room : room;
}

/**
 * @param {Page} page
 * @param {Ending} ending
 * @param {string} [by]
 * @returns {Page}
 */
function end(page, ending, by = '') {
  return { ...page, view: 'ended', joining: false, trouble: '', ending, by };
}

/**
 * What each event does; an event that means nothing in a view leaves the page as it is.
 *
 * @type {{[Type in PageEvent['type']]: (page: Page, event: Extract<PageEvent, {type: Type}>) => Page}}
 */
const STEPS = {
  // Nobody has let us in yet, and the lobby needs nobody: who joins meanwhile is joining.
  'opened': (page) => ({ ...page, view: 'lobby' }),

  'trouble': (page, { trouble }) => (page.view === 'error' ? page : { ...page, trouble }),

  'granted': (page, { self, returning }) => ({ ...page, self, trouble: '', view: returning ? 'loading' : 'lobby', joining: returning || page.joining }),

  'connection': (page, { link }) => ({ ...page, link }),

  // A new roomd may count from anew: what it says first is the truth.
  'roomd': (page, { state, isNew }) => ({ ...page, roomd: state, room: isNew && page.room ? { ...page.room, rev: 0 } : page.room }),

  'state': (page, { room }) => {
    if (room) return { ...page, room: newer(page, room) };
    return page.view === 'call' ? page : end(page, 'no-such-room'); // in a call, its cut-the-call says more
  },

  'join': (page) => (page.view === 'lobby' || page.view === 'full' ? { ...page, joining: true, waiting: false, error: '' } : page),

  'joined': (page, { room }) => ({ ...page, view: 'call', joining: false, waiting: false, error: '', room: newer(page, room) }),

  'wait': (page) => (page.joining ? { ...page, waiting: true } : page),

  'full': (page) => ({ ...page, view: 'full', joining: false, media: 'new' }),

  'refused': (page, { error }) => {
    if (error === 'no-such-room') return end(page, 'no-such-room');
    return page.view === 'call' ? { ...page, error } : { ...page, view: 'lobby', joining: false, trouble: '', error };
  },

  'cut': (page, { peer, reason }) => {
    if (page.view !== 'call' || page.leaving) return page;
    if (peer === page.self) return end(page, reason);
    const other = otherMember(page);
    // The new state may have come first and no longer names the one who left.
    return other && other.peer_id !== peer ? page : end(page, reason, other?.peer_name ?? page.by);
  },

  'leave': (page) => ({ ...page, leaving: true }),

  'left': (page) => end(page, 'left'),

  'media': (page, { media }) => ({ ...page, media }),

  'replaced': (page) => ({ ...page, view: 'replaced', joining: false, media: 'new' }),

  'failed': (page, { error }) => ({ ...page, view: 'error', joining: false, trouble: '', error }),
};

/**
 * @param {Page} page
 * @param {PageEvent} event
 * @returns {Page}
 */
export function step(page, event) {
  if (page.view === 'ended' || page.view === 'replaced') return page; // nothing leads on from there but a new page
  const next = STEPS[event.type](page, /** @type {never} */ (event));
  const name = otherMember(next)?.peer_name ?? next.by;
  return name === next.by ? next : { ...next, by: name };
}

/**
 * The line that says quietly what is going on.
 *
 * @param {Page} page
 * @returns {{text: string, tone: 'calm' | 'busy' | 'good'}} text '' when there is nothing to say
 */
export function statusOf(page) {
  const other = otherMember(page);
  const calm = (/** @type {string} */ text) => /** @type {const} */ ({ text, tone: 'calm' });
  const busy = (/** @type {string} */ text) => /** @type {const} */ ({ text, tone: 'busy' });

  if (page.leaving) return calm('Hanging up…');
  if (page.trouble) return busy(TROUBLES[page.trouble]);
  if (page.link === 'reconnecting') return busy('Reconnecting…');
  if (page.joining && page.roomd !== 'online') return busy('The server is starting again. You are let in as soon as it is back…');
  if (page.joining && page.link === 'connecting') return busy('Connecting…');
  if (page.joining && page.waiting) return busy('The server lets nobody in just now. You are let in as soon as it does…');
  if (page.joining) return busy('Joining…');
  if (page.view !== 'call') return calm('');
  if (!other) return calm('Waiting for someone to join');
  if (other.state === 'away') return busy(`${other.peer_name} is reconnecting…`);
  if (page.media === 'interrupted' || page.media === 'failed') return busy('The picture is stuck. Trying again…');
  if (page.media !== 'connected') return busy(`Connecting with ${other.peer_name}…`);
  return { text: `In a call with ${other.peer_name}`, tone: 'good' };
}

/**
 * Who is in the room, in a sentence for the lobby.
 *
 * @param {Page} page
 */
export function membersSentence(page) {
  if (!page.room) return '';
  const names = page.room.peers.filter((peer) => peer.peer_id !== page.self).map((peer) => peer.peer_name);
  if (names.length === 0) return 'Nobody is here yet.';
  return names.length === 1 ? `${names[0]} is here.` : `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are here.`;
}
