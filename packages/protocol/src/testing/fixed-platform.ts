import { isWinRmError, WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';

/** A platform that holds still: time moves only by `advance`, randomness is a known sequence. */
export interface FixedPlatform extends Platform {
  /** Moves both clocks and wakes whoever has slept long enough, in order. */
  advance(ms: number): Promise<void>;
  /** How many are asleep now. */
  readonly sleeperCount: number;
}

/** 2026-01-02T03:04:05.678Z, so that a wrong unit or a swapped field shows. */
const FIXED_NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

/**
 * @param options.random bytes to hand out in order; after them, and without them, 0, 1, 2 … modulo 256
 */
export function fixedPlatform(options: { nowMs?: number; random?: Uint8Array } = {}): FixedPlatform {
  const began = options.nowMs ?? FIXED_NOW_MS;
  const sleepers = new Set<Sleeper>();
  let elapsed = 0;
  let drawn = 0;
  return {
    now: () => began + elapsed,
    monotonicMs: () => elapsed,
    random(length) {
      const given = options.random ?? new Uint8Array(0);
      return Uint8Array.from({ length }, () => {
        const at = drawn++;
        return given[at] ?? (at - given.length) & 255;
      });
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(reasonOf(signal));
        const sleeper: Sleeper = { wakesAt: elapsed + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener(
          'abort',
          () => {
            sleepers.delete(sleeper);
            reject(reasonOf(signal));
          },
          { once: true },
        );
      });
    },
    async advance(ms) {
      await settled();
      elapsed += ms;
      const due = [...sleepers].filter((sleeper) => sleeper.wakesAt <= elapsed).sort((a, b) => a.wakesAt - b.wakesAt);
      for (const sleeper of due) {
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settled();
    },
    get sleeperCount() {
      return sleepers.size;
    },
  };
}

function reasonOf(signal: AbortSignal): unknown {
  return isWinRmError(signal.reason) ? signal.reason : new WinRmError('session.cancelled', { at: 'sleep' });
}

/** Lets everything run that can run without time passing. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
