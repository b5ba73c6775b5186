/** A TURN client over UDP for one allocation: what RFC 8489 (STUN) and RFC 8656 (TURN) need for that, and nothing else. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';

const MAGIC = 0x2112a442;
export const METHOD = { allocate: 0x003, refresh: 0x004, send: 0x006, data: 0x007, createPermission: 0x008, channelBind: 0x009 };
const INDICATION = 0x010;
const SUCCESS = 0x100;
const ATTRIBUTE = {
  username: 0x0006, integrity: 0x0008, error: 0x0009, channel: 0x000c, lifetime: 0x000d, peer: 0x0012, data: 0x0013, realm: 0x0014, nonce: 0x0015,
  relayed: 0x0016, family: 0x0017, transport: 0x0019,
};
const UDP = Buffer.from([17, 0, 0, 0]);
const FAMILY = { v4: 1, v6: 2 };
const RESEND_MS = 250;
const GIVE_UP_MS = 5000;

/** The bytes of an address in text form. */
function addressBytes(text) {
  if (!text.includes(':')) return Buffer.from(text.split('.').map(Number));
  const groups = (part) => (part ? part.split(':').flatMap((group) => (group.includes('.') ? [...addressBytes(group)]
    : [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff])) : []);
  const [head, tail] = text.split('::').map(groups);
  if (tail === undefined) return Buffer.from(head);
  return Buffer.from([...head, ...Array(16 - head.length - tail.length).fill(0), ...tail]);
}

function xor(bytes, transaction) {
  const mask = Buffer.concat([Buffer.from([0x21, 0x12, 0xa4, 0x42]), transaction]);
  return Buffer.from(bytes.map((byte, i) => byte ^ mask[i]));
}

/** The value of an XOR-…-ADDRESS attribute. */
function xorAddress(address, port, transaction) {
  const bytes = addressBytes(address);
  const value = Buffer.alloc(4);
  value[1] = bytes.length === 4 ? FAMILY.v4 : FAMILY.v6;
  value.writeUInt16BE(port ^ (MAGIC >>> 16), 2);
  return Buffer.concat([value, xor(bytes, transaction)]);
}

function encode(type, transaction, attributes, key) {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(MAGIC, 4);
  const body = attributes.map(([name, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(ATTRIBUTE[name], 0);
    head.writeUInt16BE(value.length, 2);
    return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
  });
  const message = Buffer.concat([header, transaction, ...body]);
  message.writeUInt16BE(message.length - 20 + (key ? 24 : 0), 2);
  if (!key) return message;
  return Buffer.concat([message, Buffer.from([0, ATTRIBUTE.integrity, 0, 20]), createHmac('sha1', key).update(message).digest()]);
}

/** @returns {{type: number, transaction: Buffer, get: (name: keyof typeof ATTRIBUTE) => Buffer | undefined}} */
function decode(message) {
  const attributes = new Map();
  for (let at = 20; at + 4 <= message.length;) {
    const length = message.readUInt16BE(at + 2);
    attributes.set(message.readUInt16BE(at), message.subarray(at + 4, at + 4 + length));
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { type: message.readUInt16BE(0), transaction: message.subarray(8, 20), get: (name) => attributes.get(ATTRIBUTE[name]) };
}

export class TurnClient {
  /** What the server handed on from peers, in order. @type {string[]} */
  received = [];
  #waiting = new Map();

  /** @param {{host: string, port: number, username?: string, credential?: string}} server and credentials; none: none are sent */
  constructor({ host, port, username, credential }) {
    Object.assign(this, { host, port, username, credential });
    this.socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.socket.on('message', (message) => this.#take(message));
    this.socket.unref();
  }

  #take(message) {
    if (message[0] & 0x40) { // ChannelData
      this.received.push(message.subarray(4, 4 + message.readUInt16BE(2)).toString());
      return;
    }
    const answer = decode(message);
    if (answer.type === (METHOD.data | INDICATION)) this.received.push(answer.get('data').toString());
    else this.#waiting.get(answer.transaction.toString('hex'))?.(answer);
  }

  /** One request, repeated until it is answered. @returns {Promise<{code: number, answer: ReturnType<typeof decode>}>} code 0: success */
  async #once(method, attributes) {
    const transaction = randomBytes(12);
    const all = attributes(transaction);
    if (this.key) all.push(['username', Buffer.from(this.username)], ['realm', this.realm], ['nonce', this.nonce]);
    const message = encode(method, transaction, all, this.key);
    const id = transaction.toString('hex');
    let timers = [];
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#waiting.set(id, resolve);
        const send = () => this.socket.send(message, this.port, this.host, (error) => error && reject(error));
        timers = [setInterval(send, RESEND_MS), setTimeout(() => reject(new Error(`no answer to method ${method}`)), GIVE_UP_MS)];
        send();
      });
      const error = answer.get('error');
      if (!error && answer.type !== (method | SUCCESS)) throw new Error(`an answer of type ${answer.type} to method ${method}`);
      return { code: error ? error[2] * 100 + error[3] : 0, answer };
    } finally {
      timers.forEach(clearTimeout);
      this.#waiting.delete(id);
    }
  }

  /** The long-term credential mechanism: the first 401 brings realm and nonce, a 438 a fresh nonce. @returns {Promise<number>} the code, 0: success */
  async #request(method, attributes = () => []) {
    let { code, answer } = await this.#once(method, attributes);
    if (this.username !== undefined && (code === 438 || (code === 401 && !this.key))) {
      this.realm = answer.get('realm');
      this.nonce = answer.get('nonce');
      this.key = createHash('md5').update(`${this.username}:${this.realm}:${this.credential}`).digest();
      ({ code, answer } = await this.#once(method, attributes));
    }
    this.answer = answer;
    return code;
  }

  /** @param {'v4' | 'v6'} [family] of the relayed address */
  allocate(family = 'v4') {
    return this.#request(METHOD.allocate, () => [['transport', UDP], ['family', Buffer.from([FAMILY[family], 0, 0, 0])]]);
  }

  /** The port of the relayed address, after `allocate`. */
  get relayedPort() {
    return this.answer.get('relayed').readUInt16BE(2) ^ (MAGIC >>> 16);
  }

  /** @param {...string} peers addresses */
  createPermission(...peers) {
    return this.#request(METHOD.createPermission, (transaction) => peers.map((peer) => ['peer', xorAddress(peer, 0, transaction)]));
  }

  /** @param {number} channel 0x4000 to 0x4fff @param {string} peer @param {number} port */
  channelBind(channel, peer, port) {
    return this.#request(METHOD.channelBind, (transaction) => [
      ['channel', Buffer.from([channel >> 8, channel & 0xff, 0, 0])], ['peer', xorAddress(peer, port, transaction)]]);
  }

  /** A Send indication, which is never answered. */
  send(peer, port, text) {
    const transaction = randomBytes(12);
    return this.#raw(encode(METHOD.send | INDICATION, transaction, [['peer', xorAddress(peer, port, transaction)], ['data', Buffer.from(text)]]));
  }

  /** ChannelData, which is never answered. */
  sendOn(channel, text) {
    const data = Buffer.from(text);
    return this.#raw(Buffer.concat([Buffer.from([channel >> 8, channel & 0xff, data.length >> 8, data.length & 0xff]), data]));
  }

  #raw(message) {
    return new Promise((resolve, reject) => this.socket.send(message, this.port, this.host, (error) => (error ? reject(error) : resolve())));
  }

  /** Gives the allocation back. The socket stays, so that nobody else gets its port: coturn remembers whose it was for a while. */
  async close() {
    if (this.key) await this.#request(METHOD.refresh, () => [['lifetime', Buffer.alloc(4)]]).catch(() => {});
  }
}
