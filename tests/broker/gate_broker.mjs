/** The broker with its gate and nothing else: here the test itself is roomd, and decides who is a member. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestClient } from '../lib/client.mjs';
import { forge, nowS, randomId } from '../lib/jwt.mjs';
import { until } from '../lib/poll.mjs';
import { freePorts } from '../lib/ports.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const build = process.env.PARLEY_BUILD_DIR ?? join(root, 'build');
/** For every suite here: a wait that nobody bounded fails, and says where. */
export const LIMIT = { timeout: 120_000 };
const FINDING = /(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:/;

/** What the broker needs in its environment: a sanitized gate wants its runtime loaded first. */
function environment() {
  const sanitized = /^SANITIZE:BOOL=ON/m.test(readFileSync(join(build, 'CMakeCache.txt'), 'utf8'));
  if (!sanitized) return process.env;
  return { ...process.env, LD_PRELOAD: execFileSync('gcc', ['-print-file-name=libasan.so']).toString().trim(), ASAN_OPTIONS: 'detect_leaks=0' };
}

export class GateBroker {
  /** @param {Record<string, string>} [edits] lines of mosquitto.conf, by their first word, and what they become */
  constructor(edits = {}) {
    this.edits = edits;
    this.violations = [];
    this.knownInvalid = new Set();
    this.clients = [];
    this.log = [];
  }

  async start() {
    const [mqttPort, wsPort] = await freePorts(2);
    this.folder = mkdtempSync(join(tmpdir(), 'parley-gate-'));
    this.mqttUrl = `mqtt://127.0.0.1:${mqttPort}`;
    this.wsUrl = `ws://127.0.0.1:${wsPort}/`;
    this.keysFile = join(this.folder, 'keys');
    this.keys = [newKey()];
    this.writeKeys();
    const config = join(this.folder, 'parley.conf');
    writeFileSync(config, `[parley]\nstate_dir = ${this.folder}\nkeys_file = ${this.keysFile}\nlog_level = debug\n`);
    const values = { MQTT_PORT: mqttPort, WS_PORT: wsPort, HOST: '127.0.0.1', TLS: '#', SOCKET: '#', SOCKET_PATH: '', DOMAIN: 'ipv4', BIND: '127.0.0.1', GATE: join(build, 'lib/parley_gate.so'), CONFIG: config,
      PID_FILE: join(this.folder, 'mosquitto.pid'), USER: userInfo().username };
    this.confFile = join(this.folder, 'mosquitto.conf');
    writeFileSync(this.confFile, readFileSync(join(root, 'mosquitto/mosquitto.conf.in'), 'utf8')
      .replace(/@([A-Z_]+)@/g, (_, name) => values[name])
      .split('\n').map((line) => this.edits[line.split(' ')[0]] ?? line).join('\n'));
    this.launch();
    await until(() => this.#serves(), { what: 'the broker to serve' });
  }

  /** Starts the broker; `ended` resolves with its status. */
  launch() {
    // It dies with the test, however that ends.
    this.process = spawn('setpriv', ['--pdeathsig', 'KILL', process.env.PARLEY_MOSQUITTO ?? 'mosquitto', '-c', this.confFile],
      { env: { ...environment(), PATH: `${process.env.PATH}:/usr/sbin` }, stdio: ['ignore', 'ignore', 'pipe'] });
    this.ended = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve(code ?? signal)));
    createInterface({ input: this.process.stderr }).on('line', (line) => this.log.push(line));
  }

  async #serves() {
    const id = randomId('o-');
    const probe = new TestClient(this, { url: this.mqttUrl, id, password: this.token({ role: 'operator', sub: id }) });
    await probe.connect();
    await probe.end();
    return true;
  }

  async stop() {
    this.process.kill('SIGTERM');
    const code = await this.ended;
    const finding = this.log.findIndex((line) => FINDING.test(line));
    if (finding >= 0) throw new Error(this.log.slice(finding, finding + 40).join('\n'));
    if (code !== 0) throw new Error(`the broker ended with ${code}\n${this.log.slice(-30).join('\n')}`);
    this.discard();
  }

  discard() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async cleanUp() {
    await Promise.all(this.clients.splice(0).map((client) => client.end()));
    const violations = this.violations.splice(0);
    if (violations.length > 0) throw new Error(`payloads that the documents do not allow:\n${violations.join('\n')}`);
  }

  writeKeys(text = this.keys.map(({ kid, key }) => `${kid} ${key.toString('base64url')}\n`).join('')) {
    writeFileSync(this.keysFile, text, { mode: 0o600 });
  }

  /** SIGHUP; returns when the broker's log has `line` after it. */
  async reload(line) {
    const from = this.log.length;
    this.process.kill('SIGHUP');
    await this.logged(line, from);
    // The answer to a new connection comes after the broker has asked again about all that were there.
    await this.#serves();
  }

  /** Returns when `line`, a string or an expression, stands in the broker's log, at or after line number `from`. */
  logged(line, from = 0) {
    return until(() => this.log.slice(from).find((text) => (typeof line === 'string' ? text.includes(line) : line.test(text))),
      { what: `${line} in the broker's log` });
  }

  /** A token; `claims` needs `sub` and `role`, and `room` for a peer. */
  token(claims, key = this.keys[0]) {
    const now = nowS();
    return forge(key, { iss: 'parley', iat: now, exp: now + 600, ...claims });
  }

  /**
   * A connected client.
   *
   * @param {{id: string, role: string, room?: string, token?: string, transport?: 'ws' | 'tcp'}} options and those of TestClient
   */
  async client({ role, room, token, transport = 'tcp', ...options }) {
    const client = new TestClient(this, {
      url: transport === 'ws' ? this.wsUrl : this.mqttUrl,
      password: token ?? this.token({ sub: options.id, role, ...(room ? { room } : {}) }), ...options });
    this.clients.push(client);
    return client.connect();
  }

  /** A connected peer that reads what is for it. */
  async peer(id, room, options = {}) {
    const peer = await this.client({ id, role: 'peer', room, ...options });
    await peer.subscribe(`rooms/${room}/to/${id}/#`);
    return peer;
  }

  /** The one whose word counts. The real one's session is kept: `clean: false`. */
  async roomd(options = {}) {
    const roomd = await this.client({ id: 's-roomd', role: 'service', ...options });
    await roomd.subscribe('rooms/+/from/#');
    return roomd;
  }
}

export const newKey = () => ({ kid: randomId('k'), key: randomBytes(32) });

/** Says as roomd who is in `room`. */
export async function seat(roomd, room, ...ids) {
  seat.rev = (seat.rev ?? 0) + 1;
  const peers = ids.map((peer_id) => ({ peer_id, peer_name: 'Ada', state: 'present' }));
  await roomd.publish(`rooms/${room}/state`, { room_id: room, max_peers: 2, rev: seat.rev, peers }, { qos: 1 });
}

/** A last will as a page has it. */
export const will = (room, id, session = 'one') =>
  ({ topic: `parley/v1/rooms/${room}/from/${id}/gone`, payload: Buffer.from(JSON.stringify({ session })), qos: 1, retain: false });

/** A broker for one `describe`: started before its tests, clients ended after each, stopped after the last. */
export function useGate(edits) {
  const broker = new GateBroker(edits);
  before(() => broker.start());
  afterEach(() => broker.cleanUp());
  after(() => broker.stop());
  return broker;
}
