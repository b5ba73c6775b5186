/**
 * A peer connection for Node: libdatachannel with the part of RTCPeerConnection that web/js/call.js uses. It has data channels and no
 * tracks, and libdatachannel can neither restart ICE nor roll back: whoever needs that is said to have lost its call.
 */
import { randomUUID } from 'node:crypto';
import datachannel from 'node-datachannel';

/** The channel on which both ends show that media would flow. */
const BEAT = { label: 'beat', id: 1 };

/** What call.js makes for tracks to live in. */
globalThis.MediaStream ??= class {
  addTrack() {}
};

/** A candidate as a browser gives it. @param {string} candidate @param {string} sdpMid */
const iceCandidate = (candidate, sdpMid) => ({ candidate, sdpMid, toJSON: () => ({ candidate, sdpMid }) });

/** One end of a data channel, as the page sees it. */
class Channel {
  onopen;
  onmessage;
  #native;

  constructor(native) {
    this.#native = native;
    native.onOpen(() => this.onopen?.());
    native.onMessage((data) => this.onmessage?.({ data }));
  }

  get readyState() {
    return this.#native.isOpen() ? 'open' : 'closed';
  }

  send(text) {
    try {
      this.#native.sendMessage(text);
    } catch {
      // It closes just now.
    }
  }
}

export class Connection {
  onnegotiationneeded;
  onicecandidate;
  onconnectionstatechange;
  ontrack;
  /** ICE restarts that were asked for. */
  restarts = 0;
  #native;
  #beat;
  #closed = false;

  /** @param {(from: Connection) => void} onBeat called for each beat of the other end */
  constructor(onBeat) {
    this.#native = new datachannel.PeerConnection(randomUUID(), { iceServers: [], disableAutoNegotiation: true });
    this.#native.onStateChange(() => !this.#closed && this.onconnectionstatechange?.());
    this.#native.onLocalCandidate((candidate, sdpMid) => !this.#closed && this.onicecandidate?.({
      candidate: iceCandidate(candidate.replace(/^a=/, ''), sdpMid),
    }));
    this.#native.onGatheringStateChange((state) => !this.#closed && state === 'complete' && this.onicecandidate?.({ candidate: null }));
    this.#beat = this.createDataChannel(BEAT.label, { negotiated: true, id: BEAT.id });
    this.#beat.onmessage = () => onBeat(this);
  }

  beat() {
    if (this.#beat.readyState === 'open') this.#beat.send('.');
  }

  get connectionState() {
    return this.#closed ? 'closed' : this.#native.state();
  }

  /**
   * It failed by itself. That happens to one in some hundred on loopback: libdatachannel starts DTLS before it has taken the fingerprint
   * of the answer that brought the candidates, and then trusts nobody.
   */
  get isBroken() {
    return !this.#closed && ['failed', 'closed'].includes(this.#native.state());
  }

  get signalingState() {
    return this.#closed ? 'closed' : this.#native.signalingState();
  }

  get localDescription() {
    return this.#native.localDescription();
  }

  get remoteDescription() {
    return this.#native.remoteDescription() ?? undefined;
  }

  /** Whoever adds one offers by itself: no event while that is under way (W3C WebRTC 1.0, 4.7.3). */
  addTransceiver() {}

  getTransceivers() {
    return [];
  }

  createDataChannel(label, { negotiated, id }) {
    return new Channel(this.#native.createDataChannel(label, { negotiated, id }));
  }

  async setLocalDescription() {
    this.#native.setLocalDescription();
  }

  async setRemoteDescription({ type, sdp }) {
    this.#native.setRemoteDescription(sdp, type);
  }

  async addIceCandidate({ candidate, sdpMid }) {
    this.#native.addRemoteCandidate(candidate, sdpMid ?? '0');
  }

  setConfiguration() {}

  async getStats() {
    return new Map([['transport', { type: 'transport', bytesReceived: this.#native.bytesReceived() }]]);
  }

  restartIce() {
    this.restarts++;
  }

  close() {
    this.#closed = true;
    this.#native.close();
  }
}

/** For whoever only signals: nothing ever comes of it. */
export class NoConnection {
  connectionState = 'new';
  signalingState = 'stable';
  localDescription = null;
  addTransceiver() {}
  getTransceivers() {
    return [];
  }
  createDataChannel() {
    return {};
  }
  async setLocalDescription() {}
  setConfiguration() {}
  restartIce() {}
  close() {}
}

/** Ends the threads behind all connections. */
export function endConnections() {
  datachannel.cleanup();
}
