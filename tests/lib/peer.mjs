/** One person's page as the broker sees it: an identity, a session, its subscriptions, its will, and the events it sends. */
import { TestClient } from './client.mjs';
import { randomId } from './jwt.mjs';

export const SDP = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';

export class Peer {
  /**
   * @param {import('./stack.mjs').Stack} stack
   * @param {string} room
   * @param {{id: string, token: string, name?: string, session?: string, transport?: 'ws' | 'tcp' | 'tls', version?: 4 | 5, clean?: boolean,
   *          will?: object | null, keepalive?: number, from?: string, broker?: import('./stack.mjs').Broker}} options `will` null: none
   */
  constructor(stack, room, options) {
    this.stack = stack;
    this.room = room;
    this.options = options;
    this.id = options.id;
    this.token = options.token;
    this.name = options.name ?? 'Ada';
    this.session = options.session ?? randomId();
  }

  /** The topic of one of its own events. */
  from(event) {
    return `rooms/${this.room}/from/${this.id}/${event}`;
  }

  /** Connects and subscribes as a page does, also again after a loss (same session). */
  async connect() {
    const { transport = 'ws', version = 5, will, clean, keepalive, from, broker } = this.options;
    const lastWill = { topic: `parley/v1/${this.from('gone')}`, payload: Buffer.from(JSON.stringify({ session: this.session })), qos: 1, retain: false };
    this.client = new TestClient(this.stack, {
      url: this.stack.urlOf(transport, broker),
      id: this.id, password: this.token, version, clean, keepalive, from,
      will: will === null ? undefined : will ?? lastWill,
    });
    this.stack.clients.push(this.client);
    await this.client.connect();
    // `roomd/status` too, as clients in the field do: at once, so that the inbox brings nothing of it.
    await this.client.subscribeAll({ [`rooms/${this.room}/to/${this.id}/#`]: 1, [`rooms/${this.room}/state`]: 0, 'roomd/status': 1 });
  }

  /** The same page loaded again: the same identity, a new session, a new connection. */
  async reload() {
    await this.client.end();
    this.session = randomId();
    this.seat = undefined;
    await this.connect();
  }

  /** Sends `join` without waiting for the answer. */
  async sendJoin(fields = {}) {
    await this.client.publish(this.from('join'), { session: this.session, peer_name: this.name, ...(this.seat ? { seat: this.seat } : {}), ...fields });
  }

  /** Joins and returns what `joined` said. */
  async join(fields) {
    await this.sendJoin(fields);
    const { json } = await this.client.next('joined');
    this.seat = json.seat;
    return json;
  }

  async cut() {
    await this.client.publish(this.from('cut-the-call'), { session: this.session });
  }

  /** Sends an offer, answer or candidate to `other`. */
  async tell(other, event, fields) {
    const body = event === 'candidate' ? { candidates: [], done: true } : { sdp: SDP };
    await this.client.publish(`rooms/${this.room}/to/${other.id}/${event}/${this.id}`, { session: this.session, ...body, ...fields });
  }

  next(match, timeout) {
    return this.client.next(match, timeout);
  }

  none(match) {
    this.client.none(match);
  }

  drop() {
    return this.client.drop();
  }

  /** Returns when roomd has handled what was sent so far, and this peer has got what came of it. */
  async settle() {
    await this.stack.roomdSettled(this.options.broker);
    await this.client.settle();
  }
}

/**
 * Two members of a new room, in the order in which they joined, with nothing left unread.
 *
 * @param {import('./stack.mjs').Stack} stack
 * @param {object} [options] of both, and `room`, the room's id
 */
export async function pair(stack, { room: wanted, ...options } = {}) {
  const room = await stack.room(wanted);
  const ada = await stack.peer(room, { name: 'Ada', ...options });
  const bob = await stack.peer(room, { name: 'Bob', ...options });
  await ada.join();
  await bob.join();
  await ada.next('user-arrived');
  await Promise.all([ada.settle(), bob.settle()]);
  ada.client.forget();
  bob.client.forget();
  return { room, ada, bob };
}
