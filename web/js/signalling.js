/**
 * The MQTT side of a call: one connection to the broker that keeps itself up, and the room's events as typed messages.
 *
 * It knows no DOM and no WebRTC. `connect` is handed in (MQTT.js's), so it runs in a page over WebSocket and in Node over TCP alike.
 *
 * The page's own rules of the contract live here: subscribe and join again after every loss, with the same session and the seat
 * (rule 6); a page that was replaced stops (rule 9); a token is renewed before it expires, and when the broker does not take it. Reconnecting is done here and not by MQTT.js:
 * each attempt may need a fresh token first, and the delays are jittered so that a thousand pages do not come back in step.
 */
import { backoff, systemClock } from './clock.js';
import { Emitter } from './emitter.js';
import { Pass } from './pass.js';
import { LIMITS, formatTopic, isHeard, parseMessage, parseTopic, topicQos } from './protocol.js';

/** @typedef {import('./protocol.js').Messages} Messages */
/** @typedef {import('./protocol.js').SignalKind} SignalKind */
/** @typedef {import('./protocol.js').TopicKind} TopicKind */

/** @typedef {import('./pass.js').Grant} Grant */

/**
 * The part of MQTT.js's client that is used here.
 *
 * @typedef {{
 *   connected: boolean,
 *   options: {password?: any, clean?: boolean, connectTimeout?: number},
 *   incomingStore: any, outgoingStore: any,
 *   stream: {destroy(): unknown},
 *   on(event: string, listener: (...args: any[]) => void): unknown,
 *   subscribe(filters: Record<string, {qos: 0 | 1}>): unknown,
 *   publish(topic: string, payload: string, options: object): unknown,
 *   reconnect(stores: {incomingStore: any, outgoingStore: any}): unknown,
 *   sendPing(): unknown,
 *   end(force: boolean, options: {properties: object}): unknown,
 * }} MqttClient
 */

/**
 * @typedef {{
 *   connect: (url: string, options: any) => MqttClient,
 *   renew: (token: string) => Promise<Grant>,
 *   room: string,
 *   session: string,
 *   grant: Grant,
 *   seat?: string,
 *   clock?: import('./clock.js').Clock,
 *   random?: () => number,
 * }} SignallingOptions
 */

/** @typedef {{from: string}} From the sender that the topic names, which the broker has checked */
/**
 * @typedef {Omit<Messages, SignalKind> & {
 *   offer: Messages['offer'] & From, answer: Messages['answer'] & From, candidate: Messages['candidate'] & From,
 *   connection: 'connecting' | 'online' | 'reconnecting',
 *   replaced: undefined, unauthorized: undefined, grant: Grant,
 * }} SignallingEvents
 */

// MQTT 5.0, 3.14.2.1 and 3.2.2.2.
const SESSION_TAKEN_OVER = 0x8e;
const ADMINISTRATIVE_ACTION = 0x98; // how Mosquitto tells a client that its id connected again
const BAD_USER_NAME_OR_PASSWORD = 0x86;
const NOT_AUTHORIZED = 0x87;

/** How long the broker keeps our subscriptions and what came for us, s: longer than any grace. */
const SESSION_EXPIRY_S = 120;
/** An offer, answer or candidate that is older than this helps nobody, s. */
const SIGNAL_EXPIRY_S = 30;
/**
 * How long the first connect may take, and those that follow a loss, in turn. On a network that has gone each waits in vain, and longer and
 * longer for nothing (RFC 6298, 5.5): one begun anew is through as soon as the network is back. But a slow network needs its time.
 */
const CONNECT_TIMEOUT_MS = 10_000;
const AGAIN_TIMEOUTS_MS = Object.freeze([3_000, 3_000, 5_000, 3_000, 3_000, 5_000, 3_000, 3_000, 10_000]);
/** The longest pause between attempts while the call itself waits for it. */
const URGENT_MS = 1_000;
const LEAVE_TIMEOUT_MS = 2_000;
const PROBE_MS = 1_000;
/** A join on its way is answered within this; a roomd that starts anew shows us as away only until then. */
const AWAY_MS = 1_000;

/** @extends {Emitter<SignallingEvents>} */
export class Signalling extends Emitter {
  #options;
  #clock;
  #random;
  #pass;
  /** @type {MqttClient | null} */
  #client = null;
  /** The name we are in the room by, or want to be. @type {string | null} */
  #joinedAs = null;
  /** @type {string | undefined} */
  #seat;
  #epoch = '';
  #attempt = 0;
  /** The media has stopped, and mends by the broker: no long pauses then. */
  isUrgent = false;
  #stopped = false;
  /** Whether the room's last state shows us as a member. */
  #isMember = false;
  /** The broker has refused the token: a fresh one is needed before the next attempt. */
  #refused = false;
  /** @type {any} */
  #retryTimer;
  /** @type {any} */
  #probeTimer;
  /** @type {any} */
  #awayTimer;

  /** @param {SignallingOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#pass = new Pass(options.grant, options.renew, this.#clock);
    this.#pass.on('fresh', (grant) => this.#onFreshPass(grant));
    this.#seat = options.seat;
  }

  get peerId() {
    return this.#pass.grant.peer_id;
  }

  get iceServers() {
    return this.#pass.grant.ice_servers;
  }

  /** Connects. Call once, after the listeners are on. */
  start() {
    const { room, session, connect } = this.#options;
    const { mqtt } = this.#pass.grant;
    this.emit('connection', 'connecting');
    const client = connect(mqtt.url, {
      protocolVersion: 5,
      clientId: mqtt.client_id,
      username: mqtt.username,
      password: mqtt.password,
      keepalive: mqtt.keepalive,
      // A page load starts afresh: what came for the page before it is not for this one. From then on the session is kept.
      clean: true,
      properties: { sessionExpiryInterval: SESSION_EXPIRY_S },
      will: { topic: formatTopic('gone', { room, peer: this.peerId }), payload: JSON.stringify({ session }), qos: 1, retain: false },
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
    });
    this.#client = client;
    // Before anything else: in a kept session, messages arrive ahead of `connect`.
    client.on('message', (/** @type {string} */ name, /** @type {Uint8Array} */ payload) => this.#onMessage(name, payload));
    client.on('connect', () => this.#onConnect(client));
    client.on('packetreceive', () => this.#clock.clearTimeout(this.#probeTimer));
    client.on('disconnect', (/** @type {{reasonCode?: number}} */ packet) => {
      if (packet.reasonCode === SESSION_TAKEN_OVER || packet.reasonCode === ADMINISTRATIVE_ACTION) this.#onReplaced();
    });
    client.on('error', (/** @type {{code?: unknown}} */ error) => {
      if (error.code === BAD_USER_NAME_OR_PASSWORD || error.code === NOT_AUTHORIZED) this.#refused = true;
    });
    client.on('close', () => this.#onClose());
    this.#pass.keep();
  }

  /**
   * Asks for a seat; the answer is `joined`, `full-room` or `error`. Until `leave`, it is asked for again whenever that is needed.
   *
   * @param {string} peerName
   */
  join(peerName) {
    this.#joinedAs = peerName;
    if (this.#client?.connected) this.#sendJoin();
  }

  /** Takes back the wish to join: after `full-room` or an `error` nothing is asked again. */
  forgetJoin() {
    this.#joinedAs = null;
  }

  /**
   * Leaves the room for good, and is done when the room's state says so, or after 2 s.
   *
   * @returns {Promise<void>}
   */
  leave() {
    this.#joinedAs = null;
    this.#seat = undefined;
    const cut = () => this.#publish('cut-request', this.peerId, { session: this.#options.session });
    if (!this.#isMember) {
      cut();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = () => {
        this.#clock.clearTimeout(timer);
        off();
        resolve();
      };
      const timer = this.#clock.setTimeout(done, LEAVE_TIMEOUT_MS);
      const off = this.on('state', () => {
        if (!this.#isMember) done();
      });
      cut();
    });
  }

  /**
   * Sends an offer, answer or batch of candidates to the other peer.
   *
   * @param {SignalKind} kind
   * @param {string} to
   * @param {object} body without the session, which is added
   */
  send(kind, to, body) {
    this.#publish(kind, to, { session: this.#options.session, ...body }, this.peerId);
  }

  /**
   * Something may have changed below us (network, sleep): see within a second that the connection lives, or reconnect now. An attempt that is
   * under way is given up for a new one, since it may lead nowhere by now.
   */
  wake() {
    const client = this.#client;
    if (this.#stopped || !client) return;
    this.#pass.wake();
    if (client.connected) return this.probe();
    this.#attempt = 0;
    if (this.#retryTimer !== undefined) void this.#reconnect();
    else client.stream.destroy(); // its end plans the next
  }

  /** Does the connection live? If it does not answer within a second, it is lost. */
  probe() {
    const client = this.#client;
    if (this.#stopped || !client?.connected) return;
    client.sendPing();
    this.#clock.clearTimeout(this.#probeTimer);
    this.#probeTimer = this.#clock.setTimeout(() => client.stream.destroy(), PROBE_MS);
  }

  /**
   * Ends the connection; nothing is emitted any more. A graceful end sends no will.
   *
   * @param {boolean} [isClosing] the other end has closed already: no farewell
   */
  stop(isClosing = false) {
    this.#stopped = true;
    this.#pass.stop();
    for (const timer of [this.#retryTimer, this.#probeTimer, this.#awayTimer]) this.#clock.clearTimeout(timer);
    // Nobody comes back for what the broker would keep.
    this.#client?.end(isClosing, { properties: { sessionExpiryInterval: 0 } });
  }

  /** @param {MqttClient} client */
  #onConnect(client) {
    const { room } = this.#options;
    client.options.clean = false;
    this.#attempt = 0;
    this.#refused = false;
    const inbox = formatTopic('joined', { room, peer: this.peerId }).replace(/joined$/, '#');
    client.subscribe({
      [inbox]: { qos: 1 },
      [formatTopic('state', { room })]: { qos: topicQos('state') },
    });
    this.emit('connection', 'online');
    if (this.#joinedAs !== null) this.#sendJoin();
  }

  #sendJoin() {
    const { session } = this.#options;
    this.#publish('join', this.peerId, { session, peer_name: this.#joinedAs, seat: this.#seat });
  }

  /**
   * @param {TopicKind} kind
   * @param {string} peer
   * @param {object} body
   * @param {string} [from]
   */
  #publish(kind, peer, body, from) {
    const expires = from !== undefined;
    this.#client?.publish(formatTopic(kind, { room: this.#options.room, peer, from }), JSON.stringify(body), {
      qos: topicQos(kind),
      ...(expires && { properties: { messageExpiryInterval: SIGNAL_EXPIRY_S } }),
    });
  }

  /**
   * @param {string} name
   * @param {Uint8Array} payload
   */
  #onMessage(name, payload) {
    const topic = parseTopic(name);
    if (this.#stopped || !topic || !isHeard(topic.kind) || payload.length > LIMITS.sdpPayload) return;
    const { kind } = topic;
    if (topic.room !== this.#options.room) return;
    const message = parseMessage(kind, new TextDecoder().decode(payload));
    if (!message) return;
    if ('session' in message && topic.from === '' && message.session !== this.#options.session) return; // for an earlier page
    if ('seat' in message) this.#seat = message.seat;
    if ('room' in message) this.#onRoom(message.room);
    if (kind === 'roomd-status') this.#onRoomd(/** @type {Messages['roomd-status']} */ (message));
    this.emit(kind, /** @type {any} */ (topic.from === '' ? message : { ...message, from: topic.from }));
  }

  /**
   * What the room says of ourselves. Shown as away though we are here: a loss was told after our join, so we say again that we are
   * here, unless a join of ours is answered meanwhile.
   *
   * @param {import('./protocol.js').Room | null} room
   */
  #onRoom(room) {
    const self = room?.peers.find((peer) => peer.peer_id === this.peerId);
    this.#isMember = self !== undefined;
    this.#clock.clearTimeout(this.#awayTimer);
    if (self?.state !== 'away' || this.#joinedAs === null) return;
    this.#awayTimer = this.#clock.setTimeout(() => {
      if (this.#client?.connected && this.#joinedAs !== null && !this.#stopped) this.#sendJoin();
    }, AWAY_MS);
  }

  /** A new epoch is a roomd that may not know us (rule 6). @param {Messages['roomd-status']} status */
  #onRoomd({ state, epoch }) {
    if (state === 'offline' || epoch === this.#epoch) return;
    const isNew = this.#epoch !== '';
    this.#epoch = epoch;
    if (isNew && this.#joinedAs !== null) this.#sendJoin();
  }

  #onReplaced() {
    if (this.#stopped) return;
    this.stop(true);
    this.emit('replaced', undefined);
  }

  #onClose() {
    this.#clock.clearTimeout(this.#probeTimer);
    if (this.#stopped) return;
    this.emit('connection', 'reconnecting');
    this.#retryLater();
  }

  #retryLater() {
    this.#clock.clearTimeout(this.#retryTimer);
    const delay = backoff(this.#attempt++, this.#random());
    this.#retryTimer = this.#clock.setTimeout(() => void this.#reconnect(), this.isUrgent ? Math.min(delay, URGENT_MS) : delay);
  }

  async #reconnect() {
    this.#clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#refused) {
      const answer = await this.#pass.renew();
      if (this.#stopped) return;
      if (answer === 'refused') return this.#onRefused();
      if (answer === 'later') return this.#retryLater();
    }
    if (!this.#client) return;
    this.#client.options.connectTimeout = AGAIN_TIMEOUTS_MS[this.#attempt % AGAIN_TIMEOUTS_MS.length];
    const { incomingStore, outgoingStore } = this.#client; // kept: what was not acknowledged is sent again
    this.#client.reconnect({ incomingStore, outgoingStore });
  }

  /** @param {Grant} grant */
  #onFreshPass(grant) {
    if (this.#client) this.#client.options.password = grant.mqtt.password;
    this.#refused = false;
    this.emit('grant', grant);
  }

  #onRefused() {
    this.stop();
    this.emit('unauthorized', undefined);
  }
}
