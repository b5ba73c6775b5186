/** A page without a browser: the page's own attendance, over real MQTT and a real peer connection. */
import mqtt from 'mqtt';
import { Attendance } from '../../web/js/attendance.js';
import { isMember, otherMember } from '../../web/js/page.js';
import { randomId } from '../lib/jwt.mjs';
import { http } from '../lib/http.mjs';
import { Connection, NoConnection } from './connection.mjs';

export class Headless {
  /** Ways a call can be lost, as they happened. @type {string[]} */
  losses = [];
  /** Whether it was ever let in, and how often it was told that the room is full. */
  everIn = false;
  refusals = 0;
  /** The other loads its page again, and that makes a new connection. */
  expectsAnother = false;
  /** When it was given its seat, or was given it again. */
  seatedAt = 0;
  /** The longest time between two beats of the other, since `calm`, ms. */
  longestGap = 0;
  /** How often it lost the broker. */
  reconnects = 0;
  #httpUrl;
  #hasMedia;
  #beatAt = 0;
  /** @type {Connection | undefined} */
  #connection;
  /** A connection that the server still takes for alive. @type {import('node:stream').Duplex | undefined} */
  #ghost;
  /** Of this page load. @type {{alive: boolean, client?: import('mqtt').MqttClient} | undefined} */
  #load;

  /** @param {{httpUrl: string, room: string, name: string, hasMedia?: boolean}} options */
  constructor({ httpUrl, room, name, hasMedia = true }) {
    this.#httpUrl = httpUrl;
    this.#hasMedia = hasMedia;
    this.room = room;
    this.name = name;
  }

  /** @param {string} [token] @returns {Promise<import('../../web/js/pass.js').Grant>} */
  async #grant(token) {
    let answer;
    try {
      answer = await http(this.#httpUrl, 'POST', `/api/rooms/${this.room}/peers`, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
    } catch {
      throw Object.assign(new Error('offline'), { id: 'offline' });
    }
    if (answer.status !== 200 && answer.status !== 201) throw Object.assign(new Error(answer.text), { id: answer.json?.error });
    return answer.json;
  }

  /** Loads the page: for the first time, or again. */
  async load() {
    this.grant = await this.#grant(this.grant?.token);
    const load = { alive: true };
    const attendance = new Attendance({
      room: this.room, session: randomId(), renew: (token) => this.#grant(token),
      connect: (url, options) => (load.client = mqtt.connect(url, options)),
      newConnection: () => {
        if (!this.#hasMedia) return new NoConnection();
        if (this.#connection && !this.expectsAnother) this.losses.push('made again');
        this.expectsAnother = false;
        this.#beatAt = 0;
        this.#connection = new Connection((from) => from === this.#connection && this.#onBeat());
        return this.#connection;
      },
      clock: {
        now: () => Date.now(),
        setTimeout: (run, ms) => setTimeout(() => load.alive && run(), ms),
        clearTimeout: (id) => clearTimeout(id),
      },
    });
    this.#load = load;
    this.attendance = attendance;
    attendance.on('seat', (seat) => {
      this.seat = seat;
      this.seatedAt = performance.now();
    });
    attendance.on('grant', (grant) => { this.grant = grant; });
    attendance.on('page', ({ page, before }) => {
      if (!load.alive) return;
      if (page.link === 'reconnecting' && before.link === 'online') this.reconnects++;
      if (page.view === before.view) return;
      if (page.view === 'call') this.everIn = true;
      if (page.view === 'full') this.refusals++;
      if (before.view === 'call') this.losses.push(`${page.view} ${page.ending ?? page.error}`);
    });
    attendance.enter(this.grant, { seat: this.seat, returningAs: this.name });
  }

  /** The page goes without a word. @param {{isHalfOpen?: boolean}} [how] half open: the server does not learn that the connection has gone */
  unload({ isHalfOpen = false } = {}) {
    const load = this.#load;
    if (!load) return;
    load.alive = false; // no timer of this load runs any more, so nothing is tried again
    this.#connection?.close();
    this.#connection = undefined;
    this.#ghost?.destroy();
    this.#ghost = isHalfOpen ? load.client?.stream.pause() : undefined;
    if (!isHalfOpen) load.client?.stream.destroy();
  }

  /** The connection breaks, and nobody but the peer knows yet. */
  drop() {
    this.#load?.client?.stream.destroy();
  }

  #onBeat() {
    const now = performance.now();
    if (this.#beatAt) this.longestGap = Math.max(this.longestGap, now - this.#beatAt);
    this.#beatAt = now;
  }

  beat() {
    this.#connection?.beat();
  }

  /** Gaps are counted from here on; one that has begun goes on. */
  calm() {
    this.longestGap = 0;
    if (this.#connection) this.#connection.restarts = 0;
  }

  /** The longest gap, the one that goes on included. */
  get gap() {
    return Math.max(this.longestGap, this.#beatAt ? performance.now() - this.#beatAt : 0);
  }

  get page() {
    return this.attendance?.page;
  }

  /** The broker is there, and the room shows both as present. */
  get isSeated() {
    const { page } = this;
    return page?.view === 'call' && page.link === 'online' && isMember(page) && otherMember(page) !== null &&
      page.room?.peers.every(({ state }) => state === 'present');
  }

  /** And media flows. */
  get isBack() {
    return this.isSeated && (!this.#hasMedia || this.page.media === 'connected');
  }

  /** The connection was never made, and there is no restarting it. */
  get isBroken() {
    return this.#connection?.isBroken ?? false;
  }

  get restarts() {
    return this.#connection?.restarts ?? 0;
  }
}
