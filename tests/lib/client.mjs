/** An MQTT client for tests: over WebSocket or TCP, as 3.1.1 or 5, which records and judges everything it sends and receives. */
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import mqtt from 'mqtt';
import WebSocket from 'ws';
import { channelOf, faultOnWire, shortOf, wholeOf } from './schemas.mjs';

/** Every way to connect: each row of the topic table is tested over each. */
export const links = [
  { transport: 'ws', version: 4 },
  { transport: 'ws', version: 5 },
  { transport: 'tcp', version: 4 },
  { transport: 'tcp', version: 5 },
].map((link) => ({ ...link, toString: () => `${link.transport === 'ws' ? 'WebSocket' : 'TCP'}, MQTT ${link.version === 5 ? '5' : '3.1.1'}` }));

/** The reason code of a refusal in MQTT 5, and what a 3.1.1 SUBACK says instead. */
export const NOT_AUTHORIZED = 0x87;
export const SUBACK_FAILURE = 0x80;

const TIMEOUT_MS = 8000;

/** @typedef {{topic: string, short: string, payload: Buffer, json: any, retain: boolean, qos: number, dup: boolean, at: number, taken: boolean}} Message */

/** A test's own way to say which message: a topic below the root, the end of one, an expression, or a function. */
function matcher(match) {
  if (typeof match === 'function') return match;
  if (match instanceof RegExp) return (message) => match.test(message.short);
  return (message) => message.short === match || message.short.endsWith(`/${match}`);
}

/**
 * MQTT.js sends each field of a packet as a frame of its own, an empty user name or payload as an empty one: allowed, but Mosquitto 2.1.2 takes an empty
 * frame for a byte.
 */
class FilledFrames extends WebSocket {
  send(data, ...rest) {
    if (data.length > 0) super.send(data, ...rest);
    else rest.at(-1)?.();
  }
}

export class TestClient {
  /**
   * @param {{violations: string[], knownInvalid: Set<string>, ca?: Buffer[]}} wire where faults of payloads are noted; whom to trust
   * @param {{url: string, id: string, username?: string, password?: string, version?: 4 | 5, will?: object, keepalive?: number,
   *          clean?: boolean, reconnectPeriod?: number, expiryS?: number, from?: string}} options `from`: the address of this end
   */
  constructor(wire, options) {
    this.wire = wire;
    this.id = options.id;
    this.version = options.version ?? 5;
    /** @type {Message[]} */
    this.messages = [];
    this.waiting = new Set();
    this.mqtt = this.#open(options.url, options.from, {
      manualConnect: true,
      reconnectPeriod: options.reconnectPeriod ?? 0,
      connectTimeout: TIMEOUT_MS,
      protocolVersion: this.version,
      ca: wire.ca,
      clientId: options.id,
      username: options.username ?? options.id,
      password: options.password,
      keepalive: options.keepalive ?? 30,
      clean: options.clean ?? true,
      will: options.will,
      properties: this.version === 5 && options.clean === false ? { sessionExpiryInterval: options.expiryS ?? 60 } : undefined,
    });
    this.closed = false;
    this.mqtt.on('message', (topic, payload, packet) => this.#record(topic, payload, packet));
    this.mqtt.on('packetreceive', (packet) => {
      if (packet.cmd === 'disconnect') this.goodbyeCode = packet.reasonCode;
    });
    this.mqtt.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    this.mqtt.on('error', () => {}); // a refusal reaches whoever waits for the connect
  }

  /** MQTT.js by itself has no way to choose the address of its own end over TCP. */
  #open(url, from, options) {
    const { protocol, hostname, port } = new URL(url);
    const createWebsocket = (/** @type {string} */ at, /** @type {string[]} */ protocols, { wsOptions }) => new FilledFrames(at, protocols, wsOptions);
    if (!from || protocol !== 'mqtt:') return mqtt.connect(url, { ...options, createWebsocket, wsOptions: from ? { localAddress: from } : undefined });
    return new mqtt.MqttClient(() => connectTcp({ host: hostname, port: Number(port), localAddress: from }), { protocol: 'mqtt', ...options });
  }

  /** Connects; rejects with `code` when the broker refuses (the CONNACK's code). */
  connect() {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        this.mqtt.off('connect', onConnect).off('error', onError).off('close', onClose);
        settle(value);
      };
      const onConnect = (connack) => {
        this.closed = false;
        this.mqtt.stream.setNoDelay?.(true); // else Nagle makes each message wait for the broker's ACK
        this.sessionPresent = connack.sessionPresent;
        finish(resolve, this);
      };
      const onError = (error) => finish(reject, error);
      const onClose = () => finish(reject, new Error(`${this.id}: closed before the CONNACK`));
      this.mqtt.on('connect', onConnect).on('error', onError).on('close', onClose);
      this.mqtt.connect();
    });
  }

  #record(topic, payload, packet) {
    let json;
    try {
      json = JSON.parse(payload.toString());
    } catch {
      json = undefined;
    }
    const fault = faultOnWire(topic, payload);
    if (fault && !this.wire.knownInvalid.has(`${topic} ${payload.toString('latin1')}`)) this.wire.violations.push(`${this.id} received ${fault}`);
    this.messages.push({ topic, short: shortOf(topic), payload, json, retain: packet.retain, qos: packet.qos, dup: packet.dup, properties: packet.properties, at: performance.now(), taken: false });
    this.#wake();
  }

  #wake() {
    for (const look of [...this.waiting]) look();
  }

  /**
   * Waits for the first message that matches and was not taken by an earlier `next`.
   *
   * @param {string | RegExp | ((message: Message) => boolean)} match
   * @param {number} [timeout] milliseconds
   * @returns {Promise<Message>}
   */
  next(match, timeout = TIMEOUT_MS) {
    const matches = matcher(match);
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.messages.find((message) => !message.taken && matches(message));
        if (!found) return;
        found.taken = true;
        finish(resolve, found);
      };
      const timer = setTimeout(() => finish(reject, new Error(
        `${this.id}: no ${match} within ${timeout} ms; had ${this.messages.map((m) => m.short).join(', ') || 'nothing'}`)), timeout);
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        settle(value);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** All messages so far that match, taken or not. */
  seen(match) {
    return this.messages.filter(matcher(match));
  }

  /** Fails when a message that matches came and was not taken. Call `settle` first. */
  none(match) {
    const left = this.messages.filter((message) => !message.taken && matcher(match)(message));
    assert.deepEqual(left.map((message) => `${message.short} ${message.payload}`), [], `${this.id}: nothing of ${match} was due`);
  }

  /** Marks everything received so far as taken. */
  forget() {
    for (const message of this.messages) message.taken = true;
  }

  /** Returns once everything that the broker had for this client is here: the SUBACK comes after it. */
  async settle() {
    await this.mqtt.subscribeAsync(wholeOf('roomd/status'), { qos: 1 });
  }

  /**
   * Subscribes; rejects with `code` (the SUBACK's) when it is refused.
   *
   * @param {string} filter below the root, or whole
   */
  async subscribe(filter, qos = 1) {
    await this.subscribeRaw(wholeOf(filter), qos);
  }

  /** Several filters in one SUBSCRIBE. @param {Record<string, number>} filters below the root, each with its QoS */
  async subscribeAll(filters) {
    await this.mqtt.subscribeAsync(Object.fromEntries(Object.entries(filters).map(([filter, qos]) => [wholeOf(filter), { qos }])));
  }

  /** The same for any filter as it is. */
  async subscribeRaw(filter, qos = 1) {
    await this.mqtt.subscribeAsync(filter, { qos }).catch((error) => {
      throw Object.assign(error, { code: error.code ?? error.packet?.granted?.[0] });
    });
  }

  /**
   * Publishes JSON, with the QoS and retain flag of docs/asyncapi.yaml, after judging it by its schema.
   *
   * @param {string} topic below the root
   * @param {object} value
   * @param {object} [options] of MQTT.js, e.g. another `qos`
   */
  async publish(topic, value, options = {}) {
    const text = JSON.stringify(value);
    const fault = faultOnWire(wholeOf(topic), text);
    if (fault) this.wire.violations.push(`${this.id} sent ${fault}`);
    await this.publishRaw(topic, text, options);
  }

  /** Publishes any bytes on any topic: the hostile client. Rejects with `code` (the PUBACK's, MQTT 5) when it is refused. */
  async publishRaw(topic, payload, options = {}) {
    const whole = wholeOf(topic);
    const bytes = Buffer.from(payload);
    if (faultOnWire(whole, bytes)) this.wire.knownInvalid.add(`${whole} ${bytes.toString('latin1')}`);
    const channel = channelOf(whole);
    await this.mqtt.publishAsync(whole, bytes, { qos: channel?.qos ?? 1, retain: channel?.retained ?? false, ...options });
  }

  /** The connection breaks, without a DISCONNECT: the broker sends the will. */
  async drop() {
    const closed = this.whenClosed();
    this.mqtt.stream.destroy();
    await closed;
  }

  /** Resolves once the connection is closed. */
  whenClosed(timeout = TIMEOUT_MS) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!this.closed) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`${this.id}: still connected after ${timeout} ms`));
      }, timeout);
      this.waiting.add(look);
      look();
    });
  }

  /** Says good-bye with a DISCONNECT: no will. */
  async end() {
    await this.mqtt.endAsync(!this.mqtt.connected).catch(() => {});
  }
}

/**
 * Fails unless `doing` is refused with `code`.
 *
 * @param {Promise<unknown>} doing
 * @param {number} code
 * @param {string} [what]
 */
export async function refused(doing, code, what = 'it') {
  await assert.rejects(doing, (error) => {
    assert.equal(error.code, code, `${what}: ${error.message} (code ${error.code})`);
    return true;
  }, `${what} has to be refused`);
}
