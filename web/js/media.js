/**
 * Camera and microphone: asking for them, saying what is wrong with them, switching them. No DOM.
 *
 * A camera that is off is stopped, so that its light is off too; a muted microphone is kept, so that unmuting is instant.
 */
import { Emitter } from './emitter.js';

/** @typedef {'audio' | 'video'} Kind */
/** @typedef {'refused' | 'none' | 'in-use' | 'insecure' | 'unknown'} Problem */
/** @typedef {{audio: Problem | null, video: Problem | null}} Problems */
/** @typedef {{audio: boolean, video: boolean}} Wanted */
/** @typedef {{audio: string, video: string}} DeviceIds '' stands for the browser's own choice */

/** By the error's name (W3C Media Capture, 10.3; older browsers' names beside them). @type {Readonly<Record<string, Problem>>} */
const PROBLEMS = Object.freeze({
  NotAllowedError: 'refused', SecurityError: 'refused', PermissionDeniedError: 'refused',
  NotFoundError: 'none', DevicesNotFoundError: 'none', OverconstrainedError: 'none',
  NotReadableError: 'in-use', TrackStartError: 'in-use', AbortError: 'in-use',
  TypeError: 'insecure', // there is no navigator.mediaDevices on a page that is not secure
});

/** @param {unknown} error @returns {Problem} */
export function classifyMediaError(error) {
  return PROBLEMS[/** @type {{name?: string}} */ (error)?.name ?? ''] ?? 'unknown';
}

/** @type {Record<Problem, (what: string) => string>} */
const SENTENCES = {
  'refused': (what) => `The browser does not let this page use your ${what}. You can allow it beside the page’s address.`,
  'none': (what) => `No ${what} was found.`,
  'in-use': (what) => `Another program is using your ${what}.`,
  'insecure': () => 'The browser gives camera and microphone only to pages with a secure address (https).',
  'unknown': (what) => `Your ${what} could not be started.`,
};

/** What is wrong, in a sentence or two; '' when nothing is. @param {Problems} problems */
export function problemSentence({ audio, video }) {
  if (audio && audio === video) return SENTENCES[audio](audio === 'none' ? 'camera or microphone' : 'camera and microphone');
  return [video && SENTENCES[video]('camera'), audio && SENTENCES[audio]('microphone')].filter(Boolean).join(' ');
}

/** What joining means then: the way on. @param {Problems} problems */
export function joinLabel({ audio, video }) {
  if (audio && video) return 'Join to watch and listen';
  if (video) return 'Join with sound only';
  return audio ? 'Join with picture only' : 'Join the call';
}

/** @extends {Emitter<{changed: undefined}>} */
export class LocalMedia extends Emitter {
  /** @type {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null}} */
  tracks = { audio: null, video: null };
  /** @type {Problems} */
  problems = { audio: null, video: null };
  /** @type {Wanted} */
  wanted;
  /** @type {DeviceIds} */
  chosen;
  /** @type {{audio: MediaDeviceInfo[], video: MediaDeviceInfo[]}} */
  devices = { audio: [], video: [] };
  /** True until the browser and its user have answered the first question. */
  isAsking = false;
  #closed = false;

  /**
   * @param {Wanted} wanted
   * @param {DeviceIds} chosen
   */
  constructor(wanted, chosen) {
    super();
    this.wanted = { ...wanted };
    this.chosen = { ...chosen };
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#listDevices());
  }

  /** What the other gets to hear and see. @returns {Wanted} */
  get shown() {
    const { audio, video } = this.tracks;
    return { audio: audio !== null && this.wanted.audio, video: video !== null && this.wanted.video };
  }

  /** Starts what is wanted and not running: at the beginning, and after "try again". A muted microphone is started too. */
  async open() {
    this.isAsking = true;
    this.emit('changed', undefined);
    await this.#start({ audio: !this.tracks.audio, video: this.wanted.video && !this.tracks.video });
    this.isAsking = false;
    await this.#listDevices();
  }

  /**
   * @param {Kind} kind
   * @param {boolean} on
   */
  async turn(kind, on) {
    this.wanted[kind] = on;
    if (on && !this.tracks[kind]) await this.#start({ audio: kind === 'audio', video: kind === 'video' });
    else if (!on && kind === 'video') this.#take('video', null);
    if (this.tracks.audio) this.tracks.audio.enabled = this.wanted.audio;
    if (this.problems[kind]) this.wanted[kind] = false;
    this.emit('changed', undefined);
  }

  /**
   * Another device of that kind; '' for the browser's choice.
   *
   * @param {Kind} kind
   * @param {string} deviceId
   */
  async choose(kind, deviceId) {
    this.chosen[kind] = deviceId;
    if (this.tracks[kind]) {
      this.#take(kind, null); // first: some cameras can only be opened once
      await this.#start({ audio: kind === 'audio', video: kind === 'video' });
    }
    this.emit('changed', undefined);
  }

  /** Stops everything, for good. */
  close() {
    this.#closed = true;
    this.#take('audio', null);
    this.#take('video', null);
  }

  /** @param {Wanted} kinds */
  async #start(kinds) {
    if (!kinds.audio && !kinds.video) return;
    try {
      await this.#ask(kinds);
    } catch (error) {
      const problem = classifyMediaError(error);
      if (!kinds.audio || !kinds.video) {
        this.problems[kinds.audio ? 'audio' : 'video'] = problem;
        return;
      }
      // Asked for both, refused both: which of them is it?
      for (const kind of /** @type {const} */ (['audio', 'video'])) {
        if (problem === 'insecure' || (problem === 'refused' && !(await isGranted(kind)))) this.problems[kind] = problem;
        else await this.#start({ audio: kind === 'audio', video: kind === 'video' });
      }
    }
  }

  /** @param {Wanted} kinds */
  async #ask(kinds) {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: kinds.audio && { deviceId: { ideal: this.chosen.audio } },
      video: kinds.video && {
        deviceId: { ideal: this.chosen.video },
        width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, facingMode: 'user',
      },
    });
    for (const track of stream.getTracks()) this.#take(/** @type {Kind} */ (track.kind), track);
    if (this.tracks.audio) this.tracks.audio.enabled = this.wanted.audio;
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  #take(kind, track) {
    this.tracks[kind]?.stop();
    if (track && (this.#closed || !(kind === 'audio' || this.wanted.video))) {
      track.stop(); // the answer came too late
      track = null;
    }
    this.tracks[kind] = track;
    if (!track) return;
    this.problems[kind] = null;
    track.addEventListener('ended', () => {
      // Pulled out, or the permission taken back.
      if (this.tracks[kind] !== track) return;
      this.tracks[kind] = null;
      this.problems[kind] = 'none';
      this.emit('changed', undefined);
    });
  }

  async #listDevices() {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    // Without permission the entries have no ids: nothing to choose from.
    const named = (/** @type {string} */ kind) => all.filter((device) => device.kind === kind && device.deviceId !== '');
    this.devices = { audio: named('audioinput'), video: named('videoinput') };
    this.emit('changed', undefined);
  }
}

/** @param {Kind} kind */
async function isGranted(kind) {
  try {
    const name = /** @type {PermissionName} */ (kind === 'audio' ? 'microphone' : 'camera');
    return (await navigator.permissions.query({ name })).state === 'granted';
  } catch {
    return false; // the browser does not tell: asking again could only annoy
  }
}
