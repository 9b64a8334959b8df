import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Platform } from '@fairlead/protocol/road';

/** Node's clock, random numbers and sleep, for walking roads. */
export const nodePlatform: Platform = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: (length) => new Uint8Array(randomBytes(length)),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal === undefined ? {} : { signal: signal as globalThis.AbortSignal });
  },
};
