/** MQTT by hand, for packets that no library would send: a connection that says hello properly, and then does not behave. */
import { connect } from 'node:net';

const PUBLISH = 3 << 4;
const CONNACK = 0x20;
const TIMEOUT_MS = 10_000;

const text = (value) => {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

/** A packet: its first byte, and what comes after its length (MQTT 5.0, 2.1). */
function packet(first, ...parts) {
  const body = Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from(part))));
  const length = [];
  let left = body.length;
  do {
    length.push((left % 128) | (left >= 128 ? 128 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

/** MQTT 5 has properties where 3.1.1 has nothing. */
const properties = (version, bytes = []) => (version === 5 ? [bytes.length, ...bytes] : []);

/** @param {{id: string, password: string, username?: string, version: 4 | 5, willTopic?: string}} options */
export function connectPacket({ id, password, username = id, version, willTopic }) {
  const flags = 0xc2 | (willTopic ? 0x04 : 0);
  return packet(0x10, text('MQTT'), [version, flags, 0, 30], properties(version), text(id), ...(willTopic ? [Buffer.from(properties(version)), text(willTopic), text('{}')] : []),
    text(username), text(password));
}

function publishPacket(version, topic, payload, { qos = 1, props = [] } = {}) {
  return packet(PUBLISH | (qos << 1), text(topic), qos > 0 ? [0, 7] : [], properties(version, props), payload);
}

const subscribePacket = (version, filter, first = 0x82) => packet(first, [0, 9], properties(version), filter === null ? [] : Buffer.concat([text(filter), Buffer.from([1])]));

const offer = '{"session":"s","sdp":"v=0"}';

/**
 * What is sent after a good CONNECT: none of it may be answered, and each ends the connection. Of `will` and `first` the first is put into
 * the CONNECT and the second sent instead of it.
 *
 * @type {((r: any, scene: any, self: {id: string, token: string, version: 4 | 5}) => {bytes?: Buffer, will?: string, first?: Buffer})[]}
 */
export const RAW = [
  (r, scene, { version, id }) => ({ bytes: publishPacket(version, `parley/v1/rooms/${scene.room}/to/+/offer/${id}`, offer) }),
  (r, scene, { version }) => ({ bytes: publishPacket(version, `parley/v1/rooms/${scene.room}/to/${r.pick(scene.members).id}/#`, offer) }),
  (r, scene, { version }) => ({ bytes: publishPacket(version, r.pick(['#', '+', 'parley/v1/#', `parley/v1/rooms/${scene.room}/+`]), offer) }),
  (r, scene, { version, id }) => ({ bytes: publishPacket(version, `parley/v1/rooms/${scene.room}/to/${r.pick(scene.members).id}/offer/${id}\0`, offer) }),
  (r, scene, { version, id }) => ({ bytes: publishPacket(version, `parley/v1/rooms/${scene.room}/from/${r.pick(scene.members).id}\0/from/${id}/join`, offer) }),
  (r, scene, { version }) => ({ bytes: publishPacket(version, Buffer.concat([Buffer.from(`parley/v1/rooms/${scene.room}/`), Buffer.from([0xc0, 0xaf])]), offer) }),
  (r, scene, { version }) => ({ bytes: publishPacket(version, Buffer.concat([Buffer.from(`parley/v1/rooms/${scene.room}/`), Buffer.from([0xed, 0xa0, 0x80])]), offer) }),
  (r, scene, { version }) => ({ bytes: publishPacket(version, '', offer) }),
  (r, scene, { version, id }) => ({ bytes: publishPacket(version, `parley/v1/rooms/${scene.room}/to/${r.pick(scene.members).id}/offer/${id}`, offer, { qos: 3 }) }),
  (r, scene, { token, version }) => ({ bytes: connectPacket({ id: r.pick(scene.members).id, password: token, version }) }),
  (r, scene, { version }) => ({ bytes: subscribePacket(version, `parley/v1/rooms/${scene.room}/to/#/x`) }),
  (r, scene, { version }) => ({ bytes: subscribePacket(version, `parley/v1/rooms/${scene.room}/to/${r.pick(scene.members).id}+`) }),
  (r, scene, { version }) => ({ bytes: subscribePacket(version, `parley/v1/rooms/${scene.room}/state`, 0x80) }),
  (r, scene, { version }) => ({ bytes: subscribePacket(version, null) }),
  () => ({ bytes: Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]) }),
  () => ({ bytes: Buffer.from([0x00, 0x00]) }),
  () => ({ bytes: packet(CONNACK, [0, 0]) }),
  (r, scene, { version }) => ({ will: r.pick([`parley/v1/rooms/${scene.room}/to/+/cut-the-call`, '#', `parley/v1/rooms/${scene.room}/#`]), version }),
  (r, scene, { version }) => ({ first: publishPacket(version, `parley/v1/rooms/${scene.room}/state`, '') }),
  (r, scene, { version }) => ({ first: subscribePacket(version, `parley/v1/rooms/${scene.room}/to/${r.pick(scene.members).id}/#`) }),
  (r) => ({ first: Buffer.from(r.pick(['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03']), 'latin1') }),
];

/**
 * Connects over TCP and sends it. Rejects when the connection stays, or when anything but a farewell came back.
 *
 * @param {string} url
 * @param {{id: string, token: string, version: 4 | 5}} who
 * @param {ReturnType<(typeof RAW)[number]>} misdeed
 * @returns {Promise<void>}
 */
export function misbehave(url, { id, token, version }, { bytes, will, first }) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const got = [];
    const finish = (error) => {
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const what = () => `${(first ?? bytes ?? Buffer.from(`will ${will}`)).toString('latin1').slice(0, 120)}, MQTT ${version}: got ${Buffer.concat(got).toString('hex') || 'nothing'}`;
    const timer = setTimeout(() => finish(new Error(`still connected after ${JSON.stringify(what())}`)), TIMEOUT_MS);
    let greeted = !bytes;
    socket.on('connect', () => socket.write(first ?? connectPacket({ id, password: token, version, willTopic: will })));
    socket.on('data', (chunk) => {
      if (!greeted && chunk[0] === CONNACK && chunk[3] === 0) {
        greeted = true;
        return void socket.write(bytes);
      }
      got.push(chunk);
      // A farewell: MQTT 5's DISCONNECT, or a CONNACK that refuses.
      if (chunk[0] !== 0xe0 && !(chunk[0] === CONNACK && chunk[3] !== 0)) finish(new Error(`an answer to ${JSON.stringify(what())}`));
    });
    socket.on('error', () => {}); // a reset is an end too
    socket.on('close', () => finish(greeted ? undefined : new Error(`no CONNACK before ${JSON.stringify(what())}`)));
  });
}
