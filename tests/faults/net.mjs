/**
 * Networks of the fault programme's own: a bridge with the server at it, and any number of namespaces at its ports, each of which can be
 * cut off without a sign (as behind a router that has gone), or be given another address. They end with the process.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ip, run } from '../lib/namespaces.mjs';
import { until } from '../lib/poll.mjs';

const BRIDGE = 'parley-faults';
export const SERVER = '11.77.0.1';
const address = (host) => `11.77.0.${host}`;

/** A namespace at a port of the bridge. */
export class Site {
  static #count = 0;

  constructor() {
    const number = ++Site.#count;
    this.port = `pf${number}`;
    this.host = 10 + number;
    this.keeper = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  }

  async start() {
    const { pid } = this.keeper;
    const [here, there] = [`/proc/${process.pid}/ns/net`, `/proc/${pid}/ns/net`];
    await until(() => existsSync(there) && readlinkSync(here) !== readlinkSync(there), { what: 'the namespace' });
    ip('link', 'add', this.port, 'type', 'veth', 'peer', 'name', 'net0', 'netns', String(pid));
    this.inside('ip', 'link', 'set', 'lo', 'up');
    this.inside('ip', 'link', 'set', 'net0', 'addrgenmode', 'none');
    this.inside('ip', 'link', 'set', 'net0', 'up');
    ip('link', 'set', this.port, 'addrgenmode', 'none');
    ip('link', 'set', this.port, 'up');
    this.inside('ip', 'address', 'add', `${address(this.host)}/24`, 'dev', 'net0');
    this.heal();
    this.folder = mkdtempSync(join(tmpdir(), 'parley-site-'));
    this.chromium = join(this.folder, 'chromium');
    writeFileSync(this.chromium, `#!/bin/sh\nexec nsenter --net=${there} /usr/bin/chromium "$@"\n`);
    chmodSync(this.chromium, 0o755);
  }

  inside(...words) {
    run('nsenter', `--net=/proc/${this.keeper.pid}/ns/net`, ...words);
  }

  /** Nothing comes or goes, and nobody is told. */
  cut() {
    ip('link', 'set', this.port, 'nomaster');
  }

  heal() {
    ip('link', 'set', this.port, 'master', BRIDGE);
  }

  /** As from one network into another. */
  move() {
    const old = this.host;
    this.host = old < 100 ? old + 100 : old - 100;
    this.inside('ip', 'address', 'del', `${address(old)}/24`, 'dev', 'net0');
    this.inside('ip', 'address', 'add', `${address(this.host)}/24`, 'dev', 'net0');
  }

  end() {
    this.keeper.kill();
    if (this.folder) rmSync(this.folder, { recursive: true });
  }
}

/** The bridge, in the namespace this process is in. */
export function makeBridge() {
  ip('link', 'add', BRIDGE, 'type', 'bridge');
  ip('link', 'set', BRIDGE, 'addrgenmode', 'none');
  ip('address', 'add', `${SERVER}/24`, 'dev', BRIDGE);
  ip('link', 'set', BRIDGE, 'up');
}
