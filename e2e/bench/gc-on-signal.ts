/** Loaded into a process before its program: SIGUSR2 collects all garbage, so that what is measured is what is held. */
process.on('SIGUSR2', () => {
  if (typeof globalThis.gc === 'function') globalThis.gc();
});
