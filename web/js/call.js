/**
 * The peer connection of a call, by perfect negotiation (W3C WebRTC 1.0, 10.7). It knows no MQTT and no DOM.
 *
 * One RTCPeerConnection stands for one pair of page loads. Whoever was in the room makes the first offer and is the impolite one;
 * the session in each message tells a new page load of the other from messages of its last one. Once media flows this
 * module leaves it alone: a lost broker changes nothing, and ICE starts again only when the media itself has failed (rule 5).
 *
 * Sound and picture are both negotiated from the start, with or without a track to send, so that a camera can be switched on in mid-call
 * without signalling, and somebody who only watches still receives. What is switched off travels over a data channel beside the media,
 * and so does the agreement on the safety code (safety.js).
 */
import { CandidateBatch } from './candidates.js';
import { systemClock } from './clock.js';
import { Emitter } from './emitter.js';
import { PENDING, SafetyExchange, fingerprintOf } from './safety.js';
import { parseObject, readShown } from './shown.js';

/** @typedef {import('./protocol.js').SignalKind} SignalKind */
/** @typedef {import('./protocol.js').Candidate} Candidate */
/** @typedef {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null}} Tracks */
/** @typedef {import('./shown.js').Shown} Shown */
/** @typedef {'new' | 'connecting' | 'connected' | 'interrupted' | 'failed'} MediaState */

/**
 * @typedef {{
 *   session: string,
 *   iceServers: object[],
 *   send: (kind: SignalKind, body: object) => void,
 *   newConnection?: (config: RTCConfiguration) => RTCPeerConnection,
 *   timers?: import('./clock.js').Timers,
 * }} CallOptions
 */

/** @typedef {{stream: MediaStream, media: MediaState, shown: Shown, sent: 'offer' | 'answer', safety: import('./safety.js').Safety}} CallEvents */

/** `disconnected` often mends itself; after this it is treated as failed, ms. */
const DISCONNECTED_MS = 5_000;
/** The polite one lets the other restart first, so that both do not offer at once, ms. */
const POLITE_WAIT_MS = 2_000;
/** After a change of network nothing at all comes from the other for so long: the way there is gone, ms. */
const SILENCE_MS = 500;
/** A restart that has led nowhere by then is tried again, ms. */
const RESTART_AGAIN_MS = 10_000;
/** Batches of candidates that wait for their description: many more than a browser makes. What a hostile one sends beyond is dropped. */
const EARLY_MOST = 64;
/** The data channel that both ends open by themselves (`negotiated`). */
const CHANNEL = Object.freeze({ label: 'shown', id: 0 });

/** @type {Record<string, MediaState>} */
const MEDIA_STATES = {
  new: 'new', connecting: 'connecting', connected: 'connected', disconnected: 'interrupted', failed: 'failed', closed: 'new',
};

/** All that has come over the connection's transport, bytes. @param {RTCPeerConnection} pc */
async function bytesReceived(pc) {
  let sum = 0;
  for (const report of (await pc.getStats()).values()) if (report.type === 'transport') sum += report.bytesReceived ?? 0;
  return sum;
}

/** @extends {Emitter<CallEvents>} */
export class Call extends Emitter {
  #options;
  #timers;
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** Made ahead, for the next `#open`: a connection takes its time to come about. @type {RTCPeerConnection | null} */
  #spare = null;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** @type {SafetyExchange | null} */
  #exchange = null;
  /** Rejects when the connection goes. @type {Promise<never>} */
  #gone = new Promise(() => {});
  /** @type {(reason: Error) => void} */
  #go = () => {};
  #batch;
  #polite = false;
  #makingOffer = false;
  #settingAnswer = false;
  #ignoreOffer = false;
  /** The other's session, once one of its messages told. */
  #remoteSession = '';
  /** Sessions of the other's earlier page loads: what still comes from them is dropped. @type {Set<string>} */
  #retired = new Set();
  /** Candidates that came before the description they belong to. @type {{session: string, candidates: Candidate[]}[]} */
  #early = [];
  /** @type {Tracks} */
  #tracks = { audio: null, video: null };
  /** @type {Shown} */
  #shown = { audio: false, video: false };
  /** @type {any} */
  #restartTimer;
  /** Signals and the safety code's messages are handled one after the other. @type {Promise<void>} */
  #queue = Promise.resolve();

  /** @param {CallOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#timers = options.timers ?? systemClock;
    this.#batch = new CandidateBatch((body) => this.#options.send('candidate', body), this.#timers);
  }

  /** @returns {MediaState} */
  get media() {
    return MEDIA_STATES[this.#pc?.connectionState ?? 'new'];
  }

  /** @param {object[]} iceServers fresh ones, used from the next ICE restart on */
  setIceServers(iceServers) {
    this.#options.iceServers = iceServers;
    for (const pc of [this.#pc, this.#spare]) pc?.setConfiguration({ iceServers: /** @type {RTCIceServer[]} */ (iceServers) });
  }

  /**
   * What is sent from now on; tracks that change are swapped without negotiation.
   *
   * @param {Tracks} tracks
   * @param {Shown} shown what the other is told about them
   */
  setTracks(tracks, shown) {
    this.#tracks = tracks;
    this.#shown = shown;
    for (const { sender, receiver } of this.#pc?.getTransceivers() ?? []) {
      const track = tracks[/** @type {'audio' | 'video'} */ (receiver.track.kind)];
      if (sender.track !== track) void sender.replaceTrack(track);
    }
    this.#tellShown();
  }

  /**
   * The other has come, or come back. A new page load of it (`resumed` false) gets a connection of its own, and our offer.
   *
   * @param {boolean} resumed
   * @param {boolean} yields who offers when both come back and neither has a connection: not the one who yields
   */
  arrived(resumed, yields) {
    if (!resumed) this.#forget();
    if (!this.#pc) this.#open(resumed && yields);
    else if (this.media !== 'connected') this.#offerAgain();
  }

  /**
   * A message of the other's.
   *
   * @param {SignalKind} kind
   * @param {{session: string, sdp?: string, candidates?: Candidate[]}} message
   * @returns {Promise<void>} settled when it is dealt with
   */
  receive(kind, message) {
    // A description or candidate the browser will not have: the connection stands as it was, and a failed one is restarted.
    return this.#inTurn(kind, () => this.#handle(kind, message));
  }

  /** @param {string} what @param {() => Promise<void> | void} doing @returns {Promise<void>} */
  #inTurn(what, doing) {
    this.#queue = this.#queue.then(doing).catch((error) => {
      console.warn(`parley: ${what} not used:`, error instanceof Error ? error.message : error);
    });
    return this.#queue;
  }

  /** There will be a call soon: what needs neither the other nor the network is done now. */
  prepare() {
    if (!this.#pc) this.#spare ??= this.#newConnection();
  }

  #newConnection() {
    const { iceServers, newConnection = (config) => new RTCPeerConnection(config) } = this.#options;
    return newConnection({ iceServers: /** @type {RTCIceServer[]} */ (iceServers) });
  }

  /** Ends the connection and forgets the other. */
  close() {
    this.#forget();
    this.#spare?.close();
    this.#spare = null;
    this.emit('media', 'new');
  }

  #forget() {
    if (this.#remoteSession) this.#retired.add(this.#remoteSession);
    this.#early = this.#early.filter(({ session }) => !this.#retired.has(session));
    this.#drop();
  }

  /** The connection goes, the other stays. */
  #drop() {
    this.#timers.clearTimeout(this.#restartTimer);
    this.#batch.clear();
    this.#remoteSession = '';
    this.#channel = this.#exchange = null;
    const pc = this.#pc;
    this.#pc = null;
    this.#go(new Error('the connection is gone'));
    pc?.close();
    if (pc) this.emit('safety', PENDING);
  }

  /**
   * What a connection does, or an error as soon as it goes: what is under way then stays pending for ever (W3C WebRTC 1.0, 4.4.1.2),
   * and so would all turns behind it.
   *
   * @param {Promise<void>} work @returns {Promise<void>}
   */
  #unlessGone(work) {
    return Promise.race([work, this.#gone]);
  }

  /** @param {boolean} polite the other's offer comes first */
  #open(polite) {
    const pc = this.#spare ?? this.#newConnection();
    this.#spare = null;
    this.#pc = pc;
    this.#gone = new Promise((_, reject) => { this.#go = reject; });
    this.#gone.catch(() => {}); // nothing may be under way
    this.#polite = polite;
    this.#makingOffer = this.#settingAnswer = this.#ignoreOffer = false;
    this.emit('media', 'new');
    // Until its channel says otherwise; now, since the channel may speak before the tracks are told.
    this.emit('shown', { audio: true, video: true });

    pc.onnegotiationneeded = () => void this.#offer(pc);
    pc.onicecandidate = ({ candidate }) => {
      if (pc !== this.#pc) return;
      if (candidate?.candidate) this.#batch.add(/** @type {Candidate} */ (candidate.toJSON()));
      else if (!candidate) this.#batch.finish();
    };
    const remote = new MediaStream(); // of our own: not every sender names one
    pc.ontrack = ({ track }) => {
      if (pc !== this.#pc) return;
      remote.addTrack(track);
      this.emit('stream', remote);
    };
    pc.onconnectionstatechange = () => {
      if (pc === this.#pc) this.#onMediaState();
    };
    if (polite) return; // the offer brings the transceivers, and `#answer` fills them
    const stream = new MediaStream();
    for (const kind of /** @type {const} */ (['audio', 'video'])) {
      pc.addTransceiver(this.#tracks[kind] ?? kind, { direction: 'sendrecv', streams: [stream] });
    }
    this.#openChannel(pc);
  }

  /** @param {RTCPeerConnection} pc */
  #openChannel(pc) {
    const channel = pc.createDataChannel(CHANNEL.label, { negotiated: true, id: CHANNEL.id });
    this.#channel = channel;
    channel.onopen = () => {
      if (channel !== this.#channel) return;
      this.#tellShown();
      // In turn: a channel may open while the answer is still being taken, and then there is no remote description yet.
      void this.#inTurn('safety code', () => this.#agree(pc, channel));
    };
    channel.onmessage = ({ data }) => {
      if (channel !== this.#channel) return;
      const message = parseObject(data);
      const shown = readShown(message);
      if (shown) this.emit('shown', shown);
      if (message && 'safety' in message) void this.#inTurn('safety code', () => (channel === this.#channel ? this.#exchange?.receive(message.safety) : undefined));
    };
  }

  /**
   * The channel is up, so both certificates are settled: time for the words.
   *
   * @param {RTCPeerConnection} pc @param {RTCDataChannel} channel
   */
  #agree(pc, channel) {
    if (channel !== this.#channel) return;
    const exchange = new SafetyExchange({
      local: fingerprintOf(pc.localDescription?.sdp ?? ''),
      remote: fingerprintOf(pc.remoteDescription?.sdp ?? ''),
      send: (safety) => {
        if (channel.readyState === 'open') channel.send(JSON.stringify({ safety }));
      },
      done: (safety) => {
        if (exchange === this.#exchange) this.emit('safety', safety);
      },
    });
    this.#exchange = exchange;
    void exchange.start();
  }

  /**
   * Whether a description names another certificate than the one before it. A connection keeps its certificates (RFC 8829, 4.1.1), and the
   * words speak of them: whoever could exchange one later would make the words a lie.
   *
   * @param {string} sdp
   */
  #isOfAnother(sdp) {
    const before = this.#pc?.remoteDescription?.sdp;
    return before !== undefined && fingerprintOf(before) !== fingerprintOf(sdp);
  }

  #tellShown() {
    if (this.#channel?.readyState === 'open') this.#channel.send(JSON.stringify(this.#shown));
  }

  /** @param {RTCPeerConnection} pc */
  async #offer(pc) {
    // The one who came later only answers, until the first offer is through.
    if (pc !== this.#pc || (this.#polite && !pc.remoteDescription)) return;
    try {
      this.#makingOffer = true;
      await pc.setLocalDescription();
      if (pc === this.#pc) this.#sendDescription(pc);
    } catch (error) {
      if (pc === this.#pc && pc.signalingState !== 'closed') console.warn('parley: no offer:', error);
    } finally {
      if (pc === this.#pc) this.#makingOffer = false;
    }
  }

  /** @param {RTCPeerConnection} pc */
  #sendDescription(pc) {
    const description = pc.localDescription;
    if (!description || (description.type !== 'offer' && description.type !== 'answer')) return;
    this.#options.send(description.type, { sdp: description.sdp });
    this.emit('sent', description.type);
  }

  /**
   * @param {SignalKind} kind
   * @param {{session: string, sdp?: string, candidates?: Candidate[]}} message
   */
  async #handle(kind, { session, sdp = '', candidates = [] }) {
    if (this.#retired.has(session)) return;
    if (kind === 'candidate') return this.#addCandidates(session, candidates);
    if (kind === 'answer') return this.#takeAnswer(session, sdp);
    return this.#takeOffer(session, sdp);
  }

  /**
   * @param {string} session
   * @param {string} sdp
   */
  async #takeOffer(session, sdp) {
    const isNewLoad = this.#remoteSession !== '' && session !== this.#remoteSession;
    if (isNewLoad) this.#forget();
    else if (this.#isOfAnother(sdp)) this.#drop(); // a connection of its own, with words of its own
    if (!this.#pc) this.#open(true);
    const pc = /** @type {RTCPeerConnection} */ (this.#pc);

    const ready = !this.#makingOffer && (pc.signalingState === 'stable' || this.#settingAnswer);
    this.#ignoreOffer = !this.#polite && !ready;
    if (this.#ignoreOffer) return;
    this.#remoteSession = session;
    await this.#unlessGone(pc.setRemoteDescription({ type: 'offer', sdp })); // rolls back an offer of ours
    await this.#addEarly();
    this.#fillTransceivers(pc);
    if (!this.#channel) this.#openChannel(pc);
    await this.#unlessGone(pc.setLocalDescription());
    this.#sendDescription(pc);
  }

  /**
   * @param {string} session
   * @param {string} sdp
   */
  async #takeAnswer(session, sdp) {
    const pc = this.#pc;
    // An answer to an offer that was rolled back or answered already, or of another page load, is too late.
    if (!pc || pc.signalingState !== 'have-local-offer') return;
    if (this.#remoteSession !== '' && session !== this.#remoteSession) return;
    if (this.#isOfAnother(sdp)) throw new Error('an answer with another certificate');
    this.#remoteSession = session;
    try {
      this.#settingAnswer = true;
      await this.#unlessGone(pc.setRemoteDescription({ type: 'answer', sdp }));
    } finally {
      this.#settingAnswer = false;
    }
    await this.#addEarly();
  }

  /** The offer made the transceivers: send in them what we have. @param {RTCPeerConnection} pc */
  #fillTransceivers(pc) {
    const stream = new MediaStream();
    for (const transceiver of pc.getTransceivers()) {
      const kind = /** @type {'audio' | 'video'} */ (transceiver.receiver.track.kind);
      if (transceiver.direction === 'stopped' || transceiver.direction === 'sendrecv') continue;
      transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(stream);
      void transceiver.sender.replaceTrack(this.#tracks[kind]);
    }
  }

  /** @param {string} session @param {Candidate[]} candidates */
  async #addCandidates(session, candidates) {
    const pc = this.#pc;
    if (!pc?.remoteDescription || session !== this.#remoteSession) {
      this.#early.push({ session, candidates });
      if (this.#early.length > EARLY_MOST) this.#early.shift();
      return;
    }
    // All at once: the browser keeps their order, and each would wait for the page's turn.
    await Promise.all(candidates.map(async (candidate) => {
      try {
        await this.#unlessGone(pc.addIceCandidate(candidate));
      } catch (error) {
        if (!this.#ignoreOffer) throw error; // those of an ignored offer fit nothing here
      }
    }));
  }

  async #addEarly() {
    const early = this.#early.filter(({ session }) => session === this.#remoteSession);
    this.#early = [];
    for (const { session, candidates } of early) await this.#addCandidates(session, candidates);
  }

  #onMediaState() {
    const { media } = this;
    this.emit('media', media);
    this.#timers.clearTimeout(this.#restartTimer);
    if (media === 'interrupted') this.#restartIn(DISCONNECTED_MS);
    if (media === 'failed') this.#restartIn(this.#polite ? POLITE_WAIT_MS : 0);
  }

  /** @param {number} ms */
  #restartIn(ms) {
    this.#timers.clearTimeout(this.#restartTimer);
    this.#restartTimer = this.#timers.setTimeout(() => {
      if (!this.#pc || this.media === 'connected') return;
      this.#offerAgain();
      this.#restartIn(RESTART_AGAIN_MS);
    }, ms);
  }

  /**
   * Our connection to the broker was lost, and is back: so may be the network, and another one, in which the old ways lead nowhere. The
   * browser would notice some seconds later.
   */
  async listen() {
    const pc = this.#pc;
    if (!pc || this.media !== 'connected') return;
    const before = await bytesReceived(pc);
    this.#timers.setTimeout(() => void (async () => {
      if (pc === this.#pc && before === (await bytesReceived(pc)) && pc === this.#pc) this.#offerAgain();
    })(), SILENCE_MS);
  }

  /** Media is not up: the offer that may have got lost once more, or ICE from the start. */
  #offerAgain() {
    const pc = this.#pc;
    if (!pc) return;
    if (pc.signalingState === 'have-local-offer') this.#sendDescription(pc);
    else if (pc.remoteDescription) pc.restartIce();
  }
}
