/** Stand-ins for the clock, the MQTT client and the peer connection: each does just what its test tells it to. */

/** A clock that stands still until it is told to go on. */
export class FakeClock {
  #now = 1_700_000_000_000;
  #next = 1;
  #timers = new Map();

  now() {
    return this.#now;
  }

  setTimeout(run, ms) {
    this.#timers.set(this.#next, { run, at: this.#now + ms });
    return this.#next++;
  }

  clearTimeout(id) {
    this.#timers.delete(id);
  }

  /** What is due within `ms` runs, in order, each at its own time. */
  async advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Somebody sets it, or the machine has slept: timers do not notice. @param {number} by ms */
  set(by) {
    this.#now += by;
    for (const timer of this.#timers.values()) timer.at += by;
  }

  get pending() {
    return this.#timers.size;
  }
}

/** Lets promises that are ready run their continuations. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** MQTT.js's client as signalling.js uses it, and what a test does to it. */
export class FakeMqtt {
  connected = false;
  incomingStore = 'incoming';
  outgoingStore = 'outgoing';
  published = [];
  subscriptions = [];
  reconnects = [];
  pings = 0;
  ended = false;
  keptFor = Infinity;
  destroyed = 0;
  #listeners = new Map();

  constructor(url, options) {
    this.url = url;
    this.options = options;
    this.stream = { destroy: () => this.destroyed++ };
  }

  on(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  emit(name, ...args) {
    for (const listener of this.#listeners.get(name) ?? []) listener(...args);
  }

  subscribe(filters) {
    this.subscriptions.push(filters);
  }

  publish(topic, payload, options) {
    this.published.push({ topic, body: JSON.parse(payload), options });
  }

  reconnect(stores) {
    this.reconnects.push(stores);
  }

  sendPing() {
    this.pings++;
  }

  /** @param {boolean} _force @param {{properties: {sessionExpiryInterval: number}}} options */
  end(_force, { properties }) {
    this.ended = true;
    this.keptFor = properties.sessionExpiryInterval;
  }

  // what the broker does

  accept() {
    this.connected = true;
    this.emit('connect');
  }

  lose() {
    this.connected = false;
    this.emit('close');
  }

  deliver(topic, body) {
    this.emit('message', `parley/v1/${topic}`, new TextEncoder().encode(body === '' ? '' : JSON.stringify(body)));
  }

  /** The bodies published on topics that end in `event`. */
  sent(event) {
    return this.published.filter(({ topic }) => topic.endsWith(`/${event}`)).map(({ body }) => body);
  }
}

/** A peer connection with the signalling states of the specification, and no network. */
export class FakePeerConnection {
  static made = [];
  signalingState = 'stable';
  connectionState = 'new';
  localDescription = null;
  remoteDescription = null;
  candidates = [];
  transceivers = [];
  restarts = 0;
  bytesReceived = 0;
  #serial = 0;
  #needed = false;
  #operations = 0;

  constructor(config) {
    this.config = config;
    FakePeerConnection.made.push(this);
  }

  addTransceiver(trackOrKind, { direction }) {
    const kind = typeof trackOrKind === 'string' ? trackOrKind : trackOrKind.kind;
    this.transceivers.push(fakeTransceiver(kind, direction, typeof trackOrKind === 'string' ? null : trackOrKind));
    this.#need();
  }

  createDataChannel() {
    this.channel = { readyState: 'connecting', sent: [], send: (text) => this.channel.sent.push(text) };
    return this.channel;
  }

  getTransceivers() {
    return this.transceivers;
  }

  async setLocalDescription() {
    await this.#work();
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    this.localDescription = { type, sdp: `${type} ${++this.#serial}` };
    this.signalingState = type === 'offer' ? 'have-local-offer' : 'stable';
  }

  async setRemoteDescription(description) {
    await this.#work();
    if (description.sdp === 'broken') throw new Error('broken description');
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
    if (description.type === 'offer' && this.transceivers.length === 0) {
      this.transceivers = [fakeTransceiver('audio', 'recvonly', null), fakeTransceiver('video', 'recvonly', null)];
    }
  }

  async addIceCandidate(candidate) {
    await this.#work();
    if (!this.remoteDescription) throw new Error('no remote description');
    this.candidates.push(candidate.candidate);
  }

  setConfiguration(config) {
    this.config = config;
  }

  async getStats() {
    return new Map([['T', { type: 'transport', bytesReceived: this.bytesReceived }], ['P', { type: 'candidate-pair', bytesReceived: 77 }]]);
  }

  restartIce() {
    this.restarts++;
    this.#need();
  }

  close() {
    this.signalingState = 'closed';
    this.connectionState = 'closed';
  }

  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  /** What is under way when the connection is closed never ends (W3C WebRTC 1.0, 4.4.1.2). */
  async #work() {
    this.#operations++;
    await settle();
    this.#operations--;
    if (this.signalingState === 'closed') await new Promise(() => {});
  }

  /** However much has changed, one event, and none while something is under way (W3C WebRTC 1.0, 4.7.3). */
  #need() {
    if (this.#needed) return;
    this.#needed = true;
    queueMicrotask(() => {
      this.#needed = false;
      if (this.signalingState === 'stable' && this.#operations === 0) this.onnegotiationneeded?.();
    });
  }
}

function fakeTransceiver(kind, direction, track) {
  const sender = {
    track,
    async replaceTrack(next) {
      sender.track = next;
    },
    setStreams() {},
  };
  return { direction, sender, receiver: { track: { kind } } };
}

export class FakeMediaStream {
  tracks = [];

  addTrack(track) {
    this.tracks.push(track);
  }
}
