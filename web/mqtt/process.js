/**
 * What MQTT.js and its streams ask of Node's `process`. `nextTick` comes before anything else of the browser's, as it does in Node: by a timer, which is what is
 * commonly put here, each message would wait for what is drawn meanwhile, several times on its way.
 */
export const process = {
  env: {},
  /** @param {(...args: any[]) => void} callback @param {any[]} args */
  nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
};
export default process;
