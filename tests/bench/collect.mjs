/** Loaded before a server (`node --expose-gc --import`): on SIGUSR2 it drops its garbage, and says so when it is done. */
process.on('SIGUSR2', () => {
  globalThis.gc();
  console.log('collected');
});
