/**
 * A browser's first peer connection takes a tenth of a second longer than the next: threads start, and the codecs are asked for. Whoever waits in the lobby has that time.
 */

/** Makes a connection as a call does, up to its offer, which goes to nobody; nothing is gathered and nothing is sent. */
export async function warmUp() {
  try {
    const pc = new RTCPeerConnection();
    for (const kind of ['audio', 'video']) pc.addTransceiver(kind);
    pc.createDataChannel('');
    await pc.createOffer();
    pc.close();
  } catch {
    // The call itself will tell.
  }
}
