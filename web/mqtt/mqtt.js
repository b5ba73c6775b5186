/**
 * The part of MQTT.js that a page needs: its client, over WebSocket. (Its own bundle has TCP, TLS, SOCKS and two other kinds of sockets in it, a quarter
 * of the bytes.)
 */
import client from 'mqtt/lib/client';
import { browserStreamBuilder } from 'mqtt/lib/connect/ws';

/** From a CommonJS module the default import is all that it exports. @type {typeof client} */
const MqttClient = /** @type {any} */ (client).default;

/**
 * What MQTT.js's `connect` does with a WebSocket's address.
 *
 * @param {string} url `ws:` or `wss:`
 * @param {import('mqtt').IClientOptions} options
 */
export function connect(url, options) {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const all = /** @type {any} */ ({
    ...options, protocol: protocol.slice(0, -1), hostname, host: hostname, path: pathname + search, ...(port && { port: Number(port) }),
  });
  const made = new MqttClient((self) => browserStreamBuilder(self, all), all);
  made.on('error', () => {}); // whoever listens hears of it; nobody has to
  return made;
}
