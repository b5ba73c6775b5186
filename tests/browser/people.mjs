/**
 * People with browsers: Debian's Chromium with a fake camera and microphone, and what a person does on the pages. Each page is
 * watched: an error on the console, a violation of the Content-Security-Policy or a request to elsewhere fails the test.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--allow-loopback-in-peer-connection'];
export const CAMERA = '--use-fake-device-for-media-stream';
export const ALLOWED = '--use-fake-ui-for-media-stream';
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

/** @param {string[]} [flags] @param {string} [executablePath] */
export function launch(flags = [CAMERA, ALLOWED], executablePath = '/usr/bin/chromium') {
  return chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}

/** Small pictures, for two cores. */
const CAMERA_GIVES = { width: 320, height: 240, frameRate: 10 };

/**
 * Runs in the page before its own scripts: what the camera gives; the connections that say something of themselves, for their statistics.
 *
 * @param {MediaTrackConstraints} picture
 */
function prepare(picture) {
  const devices = navigator.mediaDevices;
  if (!devices) return; // about:blank
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => ask({ ...wanted, video: wanted.video && picture });
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    setLocalDescription(...args) {
      if (!globalThis.connections.includes(this)) globalThis.connections.push(this);
      return super.setLocalDescription(...args);
    }
  };
  globalThis.violations = [];
  addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
}

export class Person {
  /** What went wrong on this person's pages. @type {string[]} */
  complaints = [];

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} origin
   * @param {{permissions?: string[], init?: () => void, picture?: MediaTrackConstraints, viewport?: object}} [options] and those of a context
   */
  static async create(browser, origin, { permissions = ['camera', 'microphone', 'clipboard-read', 'clipboard-write'], init, picture = CAMERA_GIVES, ...options } = {}) {
    const person = new Person();
    person.origin = origin;
    person.context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions, ...options });
    await person.context.addInitScript(prepare, picture);
    if (init) await person.context.addInitScript(init);
    person.context.on('page', (page) => person.#watch(page));
    person.page = await person.context.newPage();
    return person;
  }

  #watch(page) {
    page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.origin) && !url.startsWith(`blob:${this.origin}`)) this.complaints.push(`request to ${url}`);
    });
  }

  async #violations() {
    const all = await Promise.all(this.context.pages().map((page) => page.evaluate(() => globalThis.violations ?? [])));
    return all.flat();
  }

  /** Ends the browser's context; throws when something was wrong that the test did not expect. @param {RegExp} [expected] */
  async close(expected) {
    const complaints = [...this.complaints, ...(await this.#violations())].filter((text) => !expected?.test(text));
    await this.context.close();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  }

  /** @param {string} path */
  goto(path) {
    return this.page.goto(this.origin + path);
  }

  /** The view that is up; waits for it. @param {string} view @param {number} [timeout] */
  async sees(view, timeout = 10_000) {
    await this.page.waitForSelector(`body[data-view="${view}"]`, { timeout });
  }

  /** Waits until the element says it. @param {string} selector @param {string | RegExp} text */
  async reads(selector, text) {
    const source = text instanceof RegExp ? text.source : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    await this.page.waitForFunction(([where, pattern]) => new RegExp(pattern).test(document.querySelector(where)?.textContent ?? ''),
      [selector, source], { timeout: 10_000 });
  }

  /** Enters the lobby of `room`, and joins. @param {string} room @param {string} name */
  async join(room, name) {
    await this.goto(`/r/${room}/`);
    await this.sees('lobby');
    await this.page.fill('#name', name);
    await this.page.click('#join');
  }

  /** The sums of what was received on all connections. @returns {Promise<{frames: number, packets: number, energy: number}>} */
  received() {
    return this.page.evaluate(async () => {
      const sum = { frames: 0, packets: 0, energy: 0 };
      for (const connection of globalThis.connections) {
        for (const report of (await connection.getStats()).values()) {
          if (report.type !== 'inbound-rtp') continue;
          if (report.kind === 'video') sum.frames += report.framesDecoded ?? 0;
          else sum.packets += report.packetsReceived ?? 0;
          sum.energy += report.totalAudioEnergy ?? 0;
        }
      }
      return sum;
    });
  }

  /** The page's marks with their time on the wall clock, ms. @returns {Promise<Map<string, number>>} the first of each name */
  async timeline() {
    const marks = await this.page.evaluate(() => globalThis.parley.timeline.map(({ name, at }) => [name, performance.timeOrigin + at]));
    return new Map(marks.reverse());
  }

  /** Keeps what is on the screen in tests/artifacts/. @param {string} name */
  async picture(name) {
    const folder = fileURLToPath(new URL('../artifacts/', import.meta.url));
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: `${folder}${name}.png` });
  }
}
