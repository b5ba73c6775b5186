/**
 * The call page from three servers: Parley's httpd, Debian's nginx and express.static, each under wrk in turn. The bytes of the answers are the same, apart
 * from what each server says of itself.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { until } from '../lib/poll.mjs';
import { freePorts } from '../lib/ports.mjs';
import { cpuOf, family } from './cpu.mjs';
import { median, summary } from './numbers.mjs';

const CONNECTIONS = 32;
const WARM_UP_S = 1;
/** How many requests nginx serves for a second of a processor, httpd has to serve by so much more. */
const BAR = 1.2;
const OWN = ['date', 'etag', 'connection', 'keep-alive', 'server', 'last-modified', 'accept-ranges']; // what each server says in its own way

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The answer as it is on the wire, to a browser that takes gzip. @param {string} url @returns {Promise<{status: number, headers: Record<string, string>, body: Buffer}>} */
function get(url) {
  return new Promise((resolve, reject) => {
    request(url, { agent: false, headers: { 'accept-encoding': 'gzip' } }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) });
    }).on('error', reject).end();
  });
}

/** A server of its own process, once it answers. @param {string} command @param {string[]} args @param {string} url */
async function start(command, args, url) {
  const child = spawn(command, args, { env: { ...process.env, NODE_ENV: 'production' }, stdio: ['ignore', 'ignore', 'inherit'] });
  const lastResort = () => child.kill('SIGTERM');
  process.on('exit', lastResort);
  await until(() => get(url), { timeout: 15_000, what: `${command} to answer` });
  return {
    url,
    pids: () => family(child.pid),
    async stop() {
      process.off('exit', lastResort);
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** @param {string} folder @param {number} port @param {string} path @param {Record<string, string>} headers */
function startNginx(folder, port, path, headers) {
  const lines = Object.entries(headers).filter(([name]) => !/^(content-(type|encoding|length)|vary)$/.test(name)).map(([name, value]) => `add_header ${name} "${value}";`);
  const values = { FOLDER: folder, PORT: port, HEADERS: lines.join('\n        ') };
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(configuration, readFileSync(here('nginx.conf.in'), 'utf8').replace(/@(FOLDER|PORT|HEADERS)@/g, (_, name) => String(values[name])));
  return start('/usr/sbin/nginx', ['-e', 'stderr', '-c', configuration], `http://127.0.0.1:${port}${path}`);
}

/** @param {string} folder @param {number} port @param {string} path @param {Record<string, string>} headers */
function startExpress(folder, port, path, headers) {
  return start(process.execPath, [here('express_page.mjs'), join(folder, 'web'), String(port), JSON.stringify(headers)], `http://127.0.0.1:${port}${path}`);
}

/** @param {string} url @param {number} seconds @returns {Promise<{requests: number, perSecond: number}>} */
async function load(url, seconds) {
  const { stdout } = await promisify(execFile)('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-H', 'Accept-Encoding: gzip', url]);
  const number = (pattern) => Number(pattern.exec(stdout)?.[1]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk ${url}: ${stdout}`);
  return { requests: number(/(\d+) requests in/), perSecond: number(/Requests\/sec:\s+([\d.]+)/) };
}

/** @param {{url: string, pids: () => number[]}} server @param {number} seconds */
async function measure(server, seconds) {
  await load(server.url, WARM_UP_S);
  const pids = server.pids();
  const before = cpuOf(pids);
  const { requests, perSecond } = await load(server.url, seconds);
  return { perSecond, micros: (cpuOf(pids) - before) / requests };
}

/**
 * @param {import('../lib/stack.mjs').Stack} stack
 * @param {{rounds: number, seconds: number, log: (line: string) => void}} options `seconds` of load for each server in each round
 * @returns {Promise<import('./numbers.mjs').Row[]>}
 */
export async function served(stack, { rounds, seconds, log }) {
  const path = `/r/${await stack.room()}/`;
  const page = await get(stack.httpUrl + path);
  assert.equal(page.status, 200);
  assert.equal(page.headers['content-encoding'], 'gzip');
  const headers = Object.fromEntries(Object.entries(page.headers).filter(([name]) => !OWN.includes(name)));

  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  chmodSync(folder, 0o755); // started by root, nginx's workers are another user
  mkdirSync(join(folder, 'web'));
  writeFileSync(join(folder, 'web', 'page.html.gz'), page.body);
  writeFileSync(join(folder, 'web', 'page.html'), gunzipSync(page.body));
  const ports = await freePorts(2);
  const servers = { httpd: { url: stack.httpUrl + path, pids: () => [stack.pid('httpd')], stop: async () => {} } };
  /** @type {Record<string, {perSecond: number, micros: number}[]>} */
  const runs = { httpd: [], nginx: [], express: [] };
  try {
    servers.nginx = await startNginx(folder, ports[0], path, headers);
    servers.express = await startExpress(folder, ports[1], path, headers);
    for (const [name, { url }] of Object.entries(servers)) {
      const answer = await get(url);
      assert.deepEqual(answer.body, page.body, `${name} sends the same page`);
      assert.deepEqual(Object.fromEntries(Object.entries(answer.headers).filter(([header]) => !OWN.includes(header))), headers, `${name} sends the same headers`);
    }
    for (let round = 0; round < rounds; round++) {
      for (const [name, server] of Object.entries(servers)) {
        const run = await measure(server, seconds);
        runs[name].push(run);
        log(`round ${round + 1}, ${name}: ${Math.round(run.perSecond)} requests/s, ${run.micros.toFixed(1)} µs a request`);
      }
    }
  } finally {
    for (const server of Object.values(servers)) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }

  const micros = (name) => median(runs[name].map((run) => run.micros));
  const ratio = micros('nginx') / micros('httpd');
  const overExpress = micros('express') / micros('httpd');
  return [
    ...Object.keys(runs).map((name) => ({
      what: `the call page from ${name}, ${CONNECTIONS} connections`, must: '', holds: null,
      seen: `${summary(runs[name].map((run) => run.perSecond))} requests/s, ${summary(runs[name].map((run) => run.micros), (value) => value.toFixed(1))} µs of CPU a request`,
      values: { requestsPerS: median(runs[name].map((run) => run.perSecond)), cpuMicros: micros(name) },
    })),
    {
      what: 'requests a CPU second, httpd against nginx', must: `≥ ${BAR} times`, holds: ratio >= BAR,
      seen: `${ratio.toFixed(2)} times (express.static: ${overExpress.toFixed(1)} times)`, values: { ratio, overExpress },
    },
  ];
}
