/** One HTTP request, with nothing done behind the test's back: no redirects, no decompression. */
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { gunzipSync } from 'node:zlib';

/**
 * @param {string} base the server
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, raw?: string | Buffer, type?: string | null, bearer?: string, headers?: Record<string, string>, timeout?: number,
 *          from?: string, ca?: Buffer[], agent?: import('node:https').Agent}} [options]
 *        `from` is the address of this end; `body` is sent as JSON; `raw` as it is, with `type` as Content-Type
 * @returns {Promise<{status: number, headers: import('node:http').IncomingHttpHeaders, bytes: Buffer, text: string, json: any}>}
 */
export function http(base, method, path, { body, raw, type = 'application/json', bearer, headers = {}, timeout = 15000, from, ca, agent = false } = {}) {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const { protocol, hostname, port } = new URL(base);
    const request = (protocol === 'https:' ? secure : plain)({
      hostname,
      port,
      path, // as it is: `request(url)` would tidy it up
      method,
      localAddress: from,
      agent,
      ca,
      timeout,
      headers: {
        ...(payload !== undefined && type ? { 'Content-Type': type } : {}),
        ...(payload !== undefined && !headers['Transfer-Encoding'] ? { 'Content-Length': Buffer.byteLength(payload) } : {}),
        ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
        ...headers,
      },
    }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = (response.headers['content-encoding'] === 'gzip' && bytes.length > 0 ? gunzipSync(bytes) : bytes).toString();
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, bytes, text, json });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer within ${timeout} ms`)));
    request.on('error', reject);
    request.end(payload);
  });
}
