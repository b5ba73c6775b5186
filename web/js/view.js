/**
 * The call page's DOM, all of it: draws a page and the local media, and tells what the user wants. Text from others only ever
 * becomes text.
 */
import { Emitter } from './emitter.js';
import { sentenceOf } from './api.js';
import { joinLabel, problemSentence } from './media.js';
import { hasSpace, isMember, membersSentence, otherMember, statusOf } from './page.js';
import { SafetyView } from './safety-view.js';

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./media.js').LocalMedia} LocalMedia */
/** @typedef {import('./media.js').Kind} Kind */
/** @typedef {{audio: boolean, video: boolean}} Shown */

/**
 * What the user asks for.
 *
 * @typedef {{
 *   join: string, toggle: Kind, choose: {kind: Kind, id: string}, retryMedia: undefined,
 *   hangUp: undefined, useHere: undefined, retry: undefined, firstFrame: undefined,
 * }} Intents `join` brings the name as it was typed
 */

/** @type {Record<Kind, {on: {icon: string, text: string, long: string}, off: {icon: string, text: string, long: string}}>} */
const TOGGLES = {
  audio: {
    on: { icon: '#i-mic', text: 'Mute', long: 'Mute microphone' },
    off: { icon: '#i-mic-off', text: 'Unmute', long: 'Unmute microphone' },
  },
  video: {
    on: { icon: '#i-camera', text: 'Video off', long: 'Turn camera off' },
    off: { icon: '#i-camera-off', text: 'Video on', long: 'Turn camera on' },
  },
};

/** A picture fills the stage when that cuts off no more than this part of it. */
const CUT_MOST = 0.35;
const COPIED_MS = 2_000;

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
function at(id) {
  return /** @type {T} */ (document.getElementById(id));
}

/** @param {string} id */
const video = (id) => /** @type {HTMLVideoElement} */ (at(id));
/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement} */ (at(id));
/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement} */ (at(id));

/** @param {Element} element @param {string} href */
function setIcon(element, href) {
  element.querySelector('use')?.setAttribute('href', href);
}

/** Writes only what changed, so that live regions are not read out again. @param {Element | null} element @param {string} text */
function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** @extends {Emitter<Intents>} */
export class View extends Emitter {
  #link;
  #safety = new SafetyView();
  /** @type {Shown} */
  #shown = { audio: true, video: true };
  /** Whether a picture of the other has been drawn since its camera went on. */
  #hasPicture = false;
  /** @type {string} */
  #view = 'loading';

  /** @param {string} link the invitation */
  constructor(link) {
    super();
    this.#link = link;
    input('invite').value = link;
    at('lobby').addEventListener('submit', (event) => {
      event.preventDefault();
      this.emit('join', input('name').value);
    });
    button('full-join').addEventListener('click', () => this.emit('join', input('name').value));
    for (const element of document.querySelectorAll('[data-toggle]')) {
      const kind = /** @type {Kind} */ (element.getAttribute('data-toggle'));
      element.addEventListener('click', () => this.emit('toggle', kind));
    }
    for (const kind of /** @type {const} */ (['audio', 'video'])) {
      at(`device-${kind}`).addEventListener('change', (event) => {
        this.emit('choose', { kind, id: /** @type {HTMLSelectElement} */ (event.target).value });
      });
    }
    for (const element of document.querySelectorAll('[data-copy]')) {
      element.addEventListener('click', () => void this.#copy(element));
    }
    button('media-retry').addEventListener('click', () => this.emit('retryMedia', undefined));
    button('hang-up').addEventListener('click', () => this.emit('hangUp', undefined));
    button('use-here').addEventListener('click', () => this.emit('useHere', undefined));
    button('error-retry').addEventListener('click', () => this.emit('retry', undefined));
    button('unblock').addEventListener('click', () => void this.#play());
    input('invite').addEventListener('focus', () => input('invite').select());
    this.#offerShare();
    this.#offerFullScreen();
    this.#watchRemote();
  }

  set name(/** @type {string} */ name) {
    input('name').value = name;
  }

  /** A sentence under the name field, '' for none. @param {string} text */
  complainAboutName(text) {
    setText(at('name-error'), text);
    input('name').setAttribute('aria-invalid', String(text !== ''));
    if (text) input('name').focus();
  }

  /**
   * @param {Page} page
   * @param {LocalMedia} media
   * @param {string} selfName
   */
  draw(page, media, selfName) {
    this.#switchTo(page.view === 'ended' ? 'loading' : page.view);
    const status = statusOf(page);
    setText(at('loading-text'), page.trouble ? status.text : 'One moment…');
    setText(at('status'), page.view === 'loading' && !page.joining ? '' : status.text);
    at('status').dataset.tone = status.tone;
    this.#drawMedia(media);
    this.#drawLobby(page, media);
    this.#drawCall(page, selfName);
    this.#drawFull(page);
    if (page.view === 'error') setText(at('error-text'), sentenceOf(page.error));
  }

  /** The other's sound and picture. @param {MediaStream | null} stream */
  setRemoteStream(stream) {
    const remote = video('remote');
    if (remote.srcObject !== stream) {
      this.#hasPicture = false;
      remote.srcObject = stream;
    }
    if (stream) void this.#play();
  }

  /** What the other lets us hear and see. @param {Shown} shown */
  setRemoteShown(shown) {
    if (!shown.video) this.#hasPicture = false;
    else if (!this.#shown.video) this.#awaitPicture();
    this.#shown = shown;
  }

  /** The code of the connection that stands. @param {import('./safety.js').Safety} safety */
  setSafety(safety) {
    this.#safety.show(safety);
  }

  /** @param {string} view */
  #switchTo(view) {
    if (view === this.#view) return;
    this.#view = view;
    document.body.dataset.view = view;
    for (const element of document.querySelectorAll('.view')) element.toggleAttribute('hidden', element.id !== `view-${view}`);
    // A name that is still missing is what to do next; else the heading says where we are.
    if (view === 'lobby' && input('name').value === '') input('name').focus();
    else /** @type {HTMLElement | null} */ (document.querySelector(`#view-${view} h1`))?.focus();
  }

  /** @param {LocalMedia} media */
  #drawMedia(media) {
    for (const element of document.querySelectorAll('[data-toggle]')) {
      const kind = /** @type {Kind} */ (element.getAttribute('data-toggle'));
      const on = media.shown[kind];
      const looks = TOGGLES[kind][on ? 'on' : 'off'];
      element.toggleAttribute('data-off', !on);
      setIcon(element, looks.icon);
      setText(element.querySelector('.caption'), looks.text);
      setText(element.querySelector('.sr'), looks.long);
    }
    const track = media.tracks.video;
    for (const id of ['preview', 'self-view']) {
      const element = video(id);
      const shownTrack = /** @type {MediaStream | null} */ (element.srcObject)?.getVideoTracks()[0] ?? null;
      if (shownTrack !== track) element.srcObject = track && new MediaStream([track]);
      element.hidden = !track;
    }
    at('preview-empty').hidden = track !== null;
    setText(at('preview-text'), media.isAsking ? 'Allow camera and microphone, if you are asked' : 'Your camera is off');
    for (const kind of /** @type {const} */ (['audio', 'video'])) drawDevices(kind, media);
  }

  /**
   * @param {Page} page
   * @param {LocalMedia} media
   */
  #drawLobby(page, media) {
    setText(at('members'), membersSentence(page));
    const problem = media.isAsking ? '' : problemSentence(media.problems);
    setText(at('media-problem-text'), problem);
    at('media-problem').hidden = problem === '';
    button('join').disabled = page.joining;
    setText(at('join'), page.joining ? 'Joining…' : joinLabel(media.isAsking ? { audio: null, video: null } : media.problems));
    if (page.view === 'lobby' && page.error) this.complainAboutName(sentenceOf(page.error));
  }

  /**
   * @param {Page} page
   * @param {string} selfName
   */
  #drawCall(page, selfName) {
    if (page.view !== 'call') return;
    const other = otherMember(page);
    const name = other?.peer_name ?? '';
    document.title = other ? `${name} – Parley` : 'Waiting – Parley';
    setText(at('call-title'), other ? `Call with ${name}` : 'Call');
    setText(at('self-name'), selfName);
    at('waiting').hidden = other !== null;
    at('remote').toggleAttribute('hidden', other === null);
    this.#safety.offer(other !== null);
    at('copy').hidden = other === null;
    const picture = this.#hasPicture && this.#shown.video;
    at('remote').classList.toggle('blank', !picture);
    at('remote-empty').hidden = other === null || picture;
    at('remote-name').hidden = other === null || !picture && this.#shown.audio;
    setText(at('remote-initial'), [...name][0]?.toUpperCase() ?? '');
    const isUp = page.media === 'connected';
    setText(at('remote-text'), isUp && !this.#shown.video ? `${name} has the camera off` : name);
    setText(at('remote-name-text'), name);
    at('remote-muted').toggleAttribute('hidden', this.#shown.audio || !isUp);
  }

  /** @param {Page} page */
  #drawFull(page) {
    if (page.view !== 'full') return;
    document.title = 'Full – Parley';
    const names = page.room?.peers.map((peer) => peer.peer_name) ?? [];
    const who = names.join(' and ');
    const isFree = hasSpace(page) && !isMember(page);
    setText(at('full-title'), isFree ? 'There is room for you now' : 'This call is full');
    const wait = 'A call is for two. As soon as one of them leaves you can join here.';
    const left = who ? `${who} is still here.` : 'The others have left.';
    setText(at('full-text'), isFree ? left : `${who} are talking. ${wait}`);
    button('full-join').disabled = !isFree || page.joining;
  }

  // ---- the other's picture ----

  #watchRemote() {
    const remote = video('remote');
    remote.addEventListener('resize', () => this.#fit());
    addEventListener('resize', () => this.#fit());
    remote.addEventListener('loadedmetadata', () => this.#awaitPicture());
  }

  #awaitPicture() {
    const onFrame = () => {
      this.#hasPicture = true;
      this.#fit();
      this.emit('firstFrame', undefined);
    };
    const remote = video('remote');
    if ('requestVideoFrameCallback' in remote) remote.requestVideoFrameCallback(onFrame);
    else onFrame(); // an older browser does not tell: soon enough
  }

  #fit() {
    const remote = video('remote');
    const ratio = (remote.videoWidth / remote.videoHeight) / (innerWidth / innerHeight);
    const cut = 1 - Math.min(ratio, 1 / ratio);
    remote.dataset.fit = cut <= CUT_MOST ? 'cover' : 'contain';
  }

  async #play() {
    try {
      await video('remote').play();
      button('unblock').hidden = true;
    } catch (error) {
      // A page that came back by itself may have to be touched before it may make a sound.
      button('unblock').hidden = /** @type {Error} */ (error).name !== 'NotAllowedError';
    }
  }

  // ---- the link, and the whole screen ----

  /** @param {Element} element */
  async #copy(element) {
    const caption = /** @type {HTMLElement} */ (element.querySelector('span:not(.round)'));
    const before = caption.dataset.before ?? caption.textContent ?? '';
    caption.dataset.before = before;
    let done = 'Copied';
    try {
      await navigator.clipboard.writeText(this.#link);
    } catch {
      done = 'Copy it from the address bar';
    }
    setText(caption, done);
    setIcon(element, '#i-check');
    setTimeout(() => {
      setText(caption, before);
      setIcon(element, '#i-link');
    }, COPIED_MS);
  }

  #offerShare() {
    if (typeof navigator.share !== 'function') return;
    button('share').hidden = false;
    button('share').addEventListener('click', () => {
      navigator.share({ title: 'Parley', text: 'Join me in a call', url: this.#link }).catch(() => {}); // changed their mind
    });
  }

  #offerFullScreen() {
    if (!document.fullscreenEnabled) return;
    button('full-screen').hidden = false;
    button('full-screen').addEventListener('click', () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else document.documentElement.requestFullscreen().catch(() => {}); // refused: the page stays as it is
    });
  }
}

/**
 * @param {Kind} kind
 * @param {LocalMedia} media
 */
function drawDevices(kind, media) {
  const select = /** @type {HTMLSelectElement} */ (at(`device-${kind}`));
  const devices = media.devices[kind];
  const current = media.tracks[kind]?.getSettings().deviceId ?? media.chosen[kind];
  const drawn = JSON.stringify([devices.map((device) => [device.deviceId, device.label]), current]);
  if (select.dataset.drawn === drawn) return; // else an open list would close
  select.dataset.drawn = drawn;
  select.replaceChildren(...devices.map((device) => new Option(device.label, device.deviceId, false, device.deviceId === current)));
  select.disabled = devices.length < 2;
  if (devices.length === 0) select.append(new Option(kind === 'audio' ? 'No microphone' : 'No camera', ''));
}
