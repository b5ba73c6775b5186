/** Many calls at once, with strangers at their doors; what became of them is counted. */
import assert from 'node:assert/strict';
import { until } from '../lib/poll.mjs';
import { Headless } from './headless.mjs';

const BEAT_MS = 200;
/** So many pages load at the same time. */
const BATCH = 10;

/** @template T @param {T[]} items @returns {T} */
export const pick = (items) => items[Math.floor(Math.random() * items.length)];

export class Calls {
  /** @type {{room: string, ada: Headless, bob: Headless}[]} */
  pairs = [];
  /** Each wants into the room of a call. @type {Headless[]} */
  strangers = [];
  /** How long this process itself stood still at the most, since `calm`, ms. */
  stall = 0;
  #stack;
  #beats;

  /** @param {import('../lib/stack.mjs').Stack} stack */
  constructor(stack) {
    this.#stack = stack;
  }

  get peers() {
    return this.pairs.flatMap(({ ada, bob }) => [ada, bob]);
  }

  /** @param {number} pairs @param {number} strangers @param {{hasMedia?: boolean, batch?: number}} [how] */
  async start(pairs, strangers, { hasMedia = true, batch = BATCH } = {}) {
    const { httpUrl } = this.#stack;
    let due = performance.now() + BEAT_MS;
    this.#beats = setInterval(() => {
      this.stall = Math.max(this.stall, performance.now() - due);
      due = performance.now() + BEAT_MS;
      this.peers.forEach((peer) => peer.beat());
    }, BEAT_MS);
    for (let begun = 0; begun < pairs; begun += batch) {
      const fresh = await Promise.all(Array.from({ length: Math.min(batch, pairs - begun) }, async () => {
        const room = await this.#stack.room();
        return { room, ada: new Headless({ httpUrl, room, name: 'Ada', hasMedia }), bob: new Headless({ httpUrl, room, name: 'Bob', hasMedia }) };
      }));
      this.pairs.push(...fresh);
      await Promise.all(fresh.map(({ ada }) => ada.load()));
      await until(() => fresh.every(({ ada }) => ada.page.view === 'call'), { timeout: 20_000, what: 'those who come first' });
      await Promise.all(fresh.map(({ bob }) => bob.load()));
      await this.settle(fresh);
    }
    this.strangers = Array.from({ length: strangers }, () => new Headless({ httpUrl, room: pick(this.pairs).room, name: 'Eve' }));
    await Promise.all(this.strangers.map((eve) => eve.load()));
    await until(() => this.strangers.every((eve) => eve.page.view === 'full'), { timeout: 20_000, what: 'the strangers to be refused' });
    this.calm();
  }

  /** From here on gaps and losses are counted. */
  calm() {
    this.stall = 0;
    for (const peer of this.peers) {
      peer.calm();
      peer.losses = [];
      peer.reconnects = peer.refusals = 0;
    }
  }

  /** A stranger knocks once more. */
  knock() {
    pick(this.strangers).attendance.join('Eve');
  }

  /** Waits until the calls of `pairs` are up; one that this machine's library has not brought about is begun again. */
  async settle(pairs) {
    await until(async () => {
      await Promise.all(pairs.filter(({ ada, bob }) => ada.isBroken || bob.isBroken).map((pair) => this.reload(pair, pair.bob)));
      return pairs.every(({ ada, bob }) => ada.isBack && bob.isBack);
    }, { timeout: 30_000, every: 100, what: 'their calls' }).catch(() => this.back(0, 0, pairs.flatMap(({ ada, bob }) => [ada, bob])));
  }

  /** One of a pair loads its page again. @param {{ada: Headless, bob: Headless}} pair @param {Headless} peer @param {Parameters<Headless['unload']>[0]} [how] */
  reload({ ada, bob }, peer, how) {
    (peer === ada ? bob : ada).expectsAnother = true;
    peer.unload(how);
    return peer.load();
  }

  /**
   * Waits until everybody is back, and returns when that was.
   *
   * @param {number} timeout ms
   * @param {number} since everybody's seat has to be confirmed after that time
   * @param {Headless[]} [peers]
   */
  async back(timeout, since, peers = this.peers) {
    const isBack = (peer) => peer.isBack && peer.seatedAt > since;
    await until(() => peers.every(isBack), { timeout, every: 10, what: 'everybody' }).catch((error) => {
      const missing = peers.filter((peer) => !isBack(peer)).map(({ name, room, page }) => `${name} in ${room}: ${page.view} ${page.link} ${page.media} ${JSON.stringify(page.room?.peers.map(({ peer_name, state }) => [peer_name, state]))}`);
      throw new Error(`${missing.length} of ${peers.length} are not back: ${missing.slice(0, 3).join('; ')}`, { cause: error });
    });
    return performance.now();
  }

  /** What has been lost since `calm`: a call that ended, media that had to be restarted. */
  get lost() {
    return this.peers.reduce((sum, peer) => sum + peer.losses.length + peer.restarts, 0);
  }

  /** The longest time in which a peer got nothing from the other, less what this process stood still itself, ms. */
  get gap() {
    return Math.max(0, ...this.peers.map((peer) => peer.gap)) - this.stall;
  }

  get intruders() {
    return this.strangers.filter((eve) => eve.everIn).length;
  }

  /** How many rooms do not have just their two, as the server tells it, once it has its broker. */
  async wrongRooms() {
    await this.#stack.ready();
    const rooms = await Promise.all(this.pairs.map(async ({ room, ada, bob }) => {
      const { json } = await this.#stack.http('GET', `/api/rooms/${room}`);
      return { is: json.peers?.map((peer) => peer.peer_id).sort(), should: [ada, bob].map((peer) => peer.grant.peer_id).sort() };
    }));
    return rooms.filter(({ is, should }) => {
      try {
        assert.deepEqual(is, should);
        return false;
      } catch {
        return true;
      }
    }).length;
  }

  /** Everybody goes, without a word. */
  end() {
    clearInterval(this.#beats);
    for (const page of [...this.peers, ...this.strangers]) page.unload();
  }
}
