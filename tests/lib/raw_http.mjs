/** HTTP as bytes on a socket: for requests that no client would send, and for what becomes of their connection. */
import { connect } from 'node:net';

/** @typedef {{status: number, fields: [string, string][], header: (name: string) => string | undefined, body: string, text: string, ms: number}} RawAnswer */

/**
 * Sends bytes and returns all that comes back until the server ends the connection, which it has to do within `timeout` ms.
 *
 * @param {string} base the server
 * @param {string | Buffer | (string | Buffer)[]} bytes
 * @param {{timeout?: number}} [options]
 * @returns {Promise<RawAnswer>} `status` 0: closed without an answer
 */
export function sayRaw(base, bytes, { timeout = 5000 } = {}) {
  const { hostname, port } = new URL(base);
  const started = performance.now();
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: hostname, port: Number(port) });
    const timer = setTimeout(() => {
      reject(new Error(`still open after ${timeout} ms: ${JSON.stringify(String(bytes).slice(0, 120))} got ${JSON.stringify(text.slice(0, 120))}`));
      socket.destroy();
    }, timeout);
    socket.setEncoding('latin1');
    socket.on('data', (data) => { text += data; });
    socket.on('error', () => {}); // a reset is an end too
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ ...parseAnswer(text), ms: performance.now() - started });
    });
    for (const part of [bytes].flat()) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  });
}

/** @param {string} text of an answer */
export function parseAnswer(text) {
  const end = text.indexOf('\r\n\r\n');
  const [line, ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  const fields = lines.map((field) => /** @type {[string, string]} */ ([field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]));
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? 0),
    fields,
    header: (name) => fields.find(([key]) => key === name)?.[1],
    body: text.slice(end + 4),
    text,
  };
}

/**
 * The bytes of a request. It asks for the connection's end, unless `fields` says something else.
 *
 * @param {string} base the server
 * @param {string} method
 * @param {string} target as it is
 * @param {{fields?: [string, string][], body?: string, close?: boolean}} [options]
 */
export function rawRequest(base, method, target, { fields = [], body = '', close = true } = {}) {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${new URL(base).host}`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  if (close) lines.push('Connection: close');
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** @type {(body: string, type?: string) => [string, string][]} the fields of a body of this length */
export const bodyFields = (body, type = 'application/json') => [['Content-Type', type], ['Content-Length', String(Buffer.byteLength(body, 'latin1'))]];
