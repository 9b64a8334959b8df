import { isWinRmError, WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';

/** The most one call of `crypto.getRandomValues` gives. Web Cryptography API, section 10.1.1. */
const RANDOM_PIECE_BYTES = 65_536;

/** Longer sleeps overflow the timers' 32-bit counter and would end at once. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

/** Platform from globals that browsers, workers and Node all have. */
export const defaultPlatform: Platform = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  random(length) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += RANDOM_PIECE_BYTES) {
      crypto.getRandomValues(bytes.subarray(at, at + RANDOM_PIECE_BYTES));
    }
    return bytes;
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(reasonOf(signal));
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(reasonOf(signal));
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(ms, LONGEST_SLEEP_MS),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};

function reasonOf(signal: AbortSignal | undefined): unknown {
  return isWinRmError(signal?.reason) ? signal?.reason : new WinRmError('session.cancelled', { at: 'sleep' });
}
