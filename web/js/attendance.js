/**
 * One page's part in a room, without the page: the broker's events and the media's become steps of the state machine (page.js), and what
 * a step leads to is done here. It knows no DOM, so what a browser runs and what Node runs is the same.
 */
import { Call } from './call.js';
import { systemClock } from './clock.js';
import { Emitter } from './emitter.js';
import { START, otherMember, step } from './page.js';
import { Signalling } from './signalling.js';

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./page.js').PageEvent} PageEvent */
/** @typedef {import('./pass.js').Grant} Grant */
/** @typedef {import('./call.js').CallEvents} CallEvents */

/**
 * @typedef {{
 *   room: string,
 *   session: string,
 *   connect: (url: string, options: any) => import('./signalling.js').MqttClient,
 *   renew: (token: string) => Promise<Grant>,
 *   newConnection?: (config: RTCConfiguration) => RTCPeerConnection,
 *   clock?: import('./clock.js').Clock,
 * }} AttendanceOptions
 */

/**
 * @typedef {Pick<CallEvents, 'stream' | 'shown' | 'sent' | 'safety'> & {
 *   page: {page: Page, before: Page}, grant: Grant, seat: string,
 * }} AttendanceEvents `page` after each step
 */

/** @extends {Emitter<AttendanceEvents>} */
export class Attendance extends Emitter {
  /** @type {Page} */
  page = START;
  #options;
  #clock;
  #name = '';
  /** @type {import('./call.js').Tracks} */
  #tracks = { audio: null, video: null };
  /** @type {import('./shown.js').Shown} */
  #shown = { audio: false, video: false };
  /** @type {Signalling | undefined} */
  #signalling;
  /** @type {Call | undefined} */
  #call;
  /** @type {any} */
  #joinTimer;

  /** @param {AttendanceOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** @param {PageEvent} event */
  dispatch(event) {
    const before = this.page;
    this.page = step(before, event);
    if (this.page.view !== before.view && this.page.view !== 'call') this.#call?.close();
    // Who was refused is asked before trying again: nobody is let in who has turned away by then.
    if ((event.type === 'full' || event.type === 'refused') && this.page.view !== 'call') this.#signalling?.forgetJoin();
    this.emit('page', { page: this.page, before });
  }

  /**
   * Connects, as the peer that `grant` names, and asks for a seat where that was asked for already.
   *
   * @param {Grant} grant
   * @param {{seat?: string, returningAs?: string}} [place] of the page load before: its seat, and the name by which to go back to it
   */
  enter(grant, { seat, returningAs = '' } = {}) {
    const signalling = this.#startSignalling(grant, seat);
    this.#signalling = signalling;
    this.#call = this.#startCall(signalling);
    this.dispatch({ type: 'granted', self: grant.peer_id, returning: returningAs !== '' });
    signalling.start();
    if (returningAs !== '') this.#name = returningAs;
    if (this.page.joining) this.#askIn();
  }

  /** Asks for a seat, as soon as there is somebody to ask. @param {string} peerName */
  join(peerName) {
    this.#name = peerName;
    this.dispatch({ type: 'join' });
    this.#askIn();
  }

  /** The connection of the call comes about while the answer is on its way. */
  #askIn() {
    this.#signalling?.join(this.#name);
    this.#call?.prepare();
  }

  /** What the other is sent and told of. @param {import('./call.js').Tracks} tracks @param {import('./shown.js').Shown} shown */
  setTracks(tracks, shown) {
    this.#tracks = tracks;
    this.#shown = shown;
    this.#call?.setTracks(tracks, shown);
  }

  /** Something may have changed below us: see Signalling.wake. */
  wake() {
    this.#signalling?.wake();
  }

  /** Leaves the room, and is done when that is confirmed. The page ends with it. */
  async hangUp() {
    if (this.page.leaving) return;
    this.dispatch({ type: 'leave' });
    this.#call?.close();
    await this.#signalling?.leave();
    this.dispatch({ type: 'left' });
  }

  /** After the end: the contract's farewell, where it has not been said, and the connection's end. */
  async close() {
    this.#clock.clearTimeout(this.#joinTimer);
    this.#call?.close();
    const { ending } = this.page;
    if (ending !== 'left' && ending !== 'no-such-room') await this.#signalling?.leave();
    this.#signalling?.stop();
  }

  /** @param {Signalling} signalling */
  #startCall(signalling) {
    const { session, newConnection } = this.#options;
    const call = new Call({
      session,
      iceServers: signalling.iceServers,
      send: (kind, body) => {
        const other = otherMember(this.page);
        if (other) signalling.send(kind, other.peer_id, body);
      },
      newConnection,
      timers: this.#clock,
    });
    for (const name of /** @type {const} */ (['stream', 'shown', 'sent', 'safety'])) {
      call.on(name, (detail) => this.emit(name, /** @type {any} */ (detail)));
    }
    call.on('media', (media) => {
      this.dispatch({ type: 'media', media });
      signalling.isUrgent = media === 'interrupted' || media === 'failed';
      if (signalling.isUrgent) signalling.probe(); // it may be the network, and then it mends by the broker
    });
    call.setTracks(this.#tracks, this.#shown);
    return call;
  }

  /** @param {Grant} grant @param {string | undefined} seat */
  #startSignalling(grant, seat) {
    const { room, session, connect, renew, clock } = this.#options;
    const signalling = new Signalling({ connect, renew, room, session, grant, seat, clock });
    let epoch = '';
    signalling.on('connection', (link) => {
      const isBack = link === 'online' && this.page.link === 'reconnecting';
      this.dispatch({ type: 'connection', link });
      if (isBack) void this.#call?.listen();
    });
    signalling.on('roomd-status', (status) => {
      this.dispatch({ type: 'roomd', state: status.state, isNew: status.epoch !== epoch });
      epoch = status.epoch;
    });
    signalling.on('state', ({ room: state }) => this.dispatch({ type: 'state', room: state }));
    signalling.on('joined', ({ room: state, seat: given }) => {
      this.emit('seat', given);
      this.dispatch({ type: 'joined', room: state });
    });
    signalling.on('full-room', () => this.dispatch({ type: 'full' }));
    signalling.on('user-arrived', ({ peer_id, resumed }) => {
      if (this.#isInCall) this.#call?.arrived(resumed, signalling.peerId < peer_id);
    });
    signalling.on('cut-the-call', ({ peer_id, reason }) => this.dispatch({ type: 'cut', peer: peer_id, reason }));
    signalling.on('error', ({ error, event, retry_s: retryS }) => {
      if (event !== 'join' || this.page.leaving) return;
      if (error === 'unavailable' || error === 'too-many-requests') {
        this.dispatch({ type: 'wait' });
        this.#joinAgainIn((retryS || 1) * 1000);
      } else {
        this.dispatch({ type: 'refused', error });
      }
    });
    for (const kind of /** @type {const} */ (['offer', 'answer', 'candidate'])) {
      signalling.on(kind, (message) => {
        // From the other member only: the broker's gate sees to it, and so do we.
        if (this.#isInCall && message.from === otherMember(this.page)?.peer_id) void this.#call?.receive(kind, message);
      });
    }
    signalling.on('grant', (fresh) => {
      this.#call?.setIceServers(fresh.ice_servers);
      this.emit('grant', fresh);
    });
    signalling.on('unauthorized', () => this.dispatch({ type: 'failed', error: 'token-expired' }));
    signalling.on('replaced', () => this.dispatch({ type: 'replaced' }));
    return signalling;
  }

  get #isInCall() {
    return this.page.view === 'call' && !this.page.leaving;
  }

  /** @param {number} ms */
  #joinAgainIn(ms) {
    this.#clock.clearTimeout(this.#joinTimer);
    this.#joinTimer = this.#clock.setTimeout(() => {
      if (this.page.joining || this.#isInCall) this.#signalling?.join(this.#name);
    }, ms);
  }
}
