/**
 * What the two ends say to each other over the call's data channel: JSON objects, checked here as all that comes from the other is.
 */

/** @typedef {{audio: boolean, video: boolean}} Shown what a peer lets the other hear and see */

const LONGEST = 1000;

/** What came over the channel, when it is a JSON object. @param {unknown} text @returns {Record<string, unknown> | null} */
export function parseObject(text) {
  if (typeof text !== 'string' || text.length > LONGEST) return null;
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** @param {Record<string, unknown> | null} message @returns {Shown | null} */
export function readShown(message) {
  const { audio, video } = message ?? {};
  return typeof audio === 'boolean' && typeof video === 'boolean' ? { audio, video } : null;
}
