/** coturn itself, with docs/turnserver.conf as it is and the lines that an operator fills in. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from './poll.mjs';
import { root } from './stack.mjs';
import { TurnClient } from './turn.mjs';

/** The example; PARLEY_TURN_CONF chooses another one, to see the tests fail. */
export const CONF = process.env.PARLEY_TURN_CONF ?? join(root, 'docs/turnserver.conf');

export class Coturn {
  log = [];

  /** @param {{addresses: string[], port: number, tlsPort: number, secret?: string}} options `addresses` to listen on and relay from */
  constructor({ addresses, port, tlsPort, secret }) {
    Object.assign(this, { addresses, port, tlsPort, secret });
  }

  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'parley-coturn-'));
    const file = (name) => join(this.folder, name);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
      '-subj', '/CN=turn.example.org', '-keyout', file('key.pem'), '-out', file('cert.pem')], { stdio: 'ignore' });
    writeFileSync(file('turnserver.conf'), [readFileSync(CONF, 'utf8'),
      ...(this.secret ? [`static-auth-secret=${this.secret}`] : []),
      ...this.addresses.flatMap((address) => [`listening-ip=${address}`, `relay-ip=${address}`]),
      `listening-port=${this.port}`, `tls-listening-port=${this.tlsPort}`, `cert=${file('cert.pem')}`, `pkey=${file('key.pem')}`,
      `userdb=${file('turndb')}`, `pidfile=${file('pid')}`, ''].join('\n'), { mode: 0o600 });
    this.process = spawn('turnserver', ['-c', file('turnserver.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.lastResort = () => this.process.kill('SIGKILL');
    process.on('exit', this.lastResort);
    this.ended = new Promise((resolve) => this.process.once('close', resolve));
    for (const stream of [this.process.stdout, this.process.stderr]) createInterface({ input: stream }).on('line', (line) => this.log.push(line));
    await until(async () => {
      const client = this.client();
      try {
        return await client.allocate() === 401;
      } finally {
        await client.close();
      }
    }, { timeout: 20_000, what: 'coturn to answer' });
  }

  /** @param {{username?: string, credential?: string}} [credentials] @param {string} [host] */
  client(credentials, host = this.addresses[0]) {
    return new TurnClient({ host, port: this.port, ...credentials });
  }

  async stop() {
    if (!this.process) return;
    this.process.kill('SIGTERM');
    await this.ended;
    process.off('exit', this.lastResort);
    rmSync(this.folder, { recursive: true });
  }
}
