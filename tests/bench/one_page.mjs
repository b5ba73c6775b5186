/**
 * The same call with nothing between the two: both ends in one page, which hand each other their descriptions and candidates by calling functions. What both
 * functions say runs in the page.
 */

/** Two cameras and microphones, running and shown, as in the lobby. */
export async function openCameras() {
  globalThis.cameras = [];
  for (const _ of ['there', 'joining']) {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const preview = Object.assign(document.createElement('video'), { srcObject: stream, muted: true, autoplay: true });
    document.body.prepend(preview);
    await new Promise((resolve) => preview.requestVideoFrameCallback(resolve));
    globalThis.cameras.push(stream);
  }
}

/**
 * From the click to the first frame decoded at the one who joins. What is negotiated is what web/js/call.js negotiates.
 *
 * @param {RTCIceServer[]} iceServers
 * @returns {Promise<number>} in ms
 */
export async function callInOnePage(iceServers) {
  const [there, joining] = globalThis.cameras;
  const offerer = new RTCPeerConnection({ iceServers }); // whoever waits has hers already (web/js/call.js, prepare)
  const started = performance.now();
  const answerer = new RTCPeerConnection({ iceServers });
  const early = { offerer: [], answerer: [] };
  const pass = (to, kept) => ({ candidate }) => {
    if (!candidate) return;
    if (to.remoteDescription) void to.addIceCandidate(candidate);
    else kept.push(candidate);
  };
  offerer.onicecandidate = pass(answerer, early.answerer);
  answerer.onicecandidate = pass(offerer, early.offerer);
  const channel = (pc) => pc.createDataChannel('shown', { negotiated: true, id: 0 });

  // Both are seen and heard, as in a call.
  const remotes = [answerer, offerer].map((pc) => {
    const remote = Object.assign(document.createElement('video'), { autoplay: true });
    const received = new MediaStream();
    document.body.prepend(remote);
    pc.ontrack = ({ track }) => {
      received.addTrack(track);
      remote.srcObject = received;
    };
    return remote;
  });
  const firstFrame = new Promise((resolve) => remotes[0].requestVideoFrameCallback((now) => resolve(now - started)));

  for (const kind of ['audio', 'video']) {
    const [track] = kind === 'audio' ? there.getAudioTracks() : there.getVideoTracks();
    offerer.addTransceiver(track, { direction: 'sendrecv', streams: [there] });
  }
  channel(offerer);
  await offerer.setLocalDescription();
  await answerer.setRemoteDescription(offerer.localDescription);
  for (const candidate of early.answerer) void answerer.addIceCandidate(candidate);
  for (const track of joining.getTracks()) answerer.addTrack(track, joining);
  channel(answerer);
  await answerer.setLocalDescription();
  await offerer.setRemoteDescription(answerer.localDescription);
  for (const candidate of early.offerer) void offerer.addIceCandidate(candidate);

  const took = await firstFrame;
  offerer.close();
  answerer.close();
  for (const remote of remotes) remote.remove();
  return took;
}
