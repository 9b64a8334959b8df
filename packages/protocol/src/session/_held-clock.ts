import type { OpenedRoad } from '../opened-road.ts';
import type { Platform } from '../platform.ts';

/** How long a road's peer may take, and whether anything can reach it. */
export interface HeldClock {
  readonly platform: Platform;
  /** Whether there is nothing left of the road, though its stream may not have said so yet. */
  readonly isLost: boolean;
  /**
   * Waits while the road is held. @returns whether it was
   * @throws the signal's reason, when that is aborted meanwhile
   */
  wait(signal: AbortSignal): Promise<boolean>;
}

/**
 * A platform whose sleeps stand still while a road is held: a deadline is for a peer that does not answer, and a held
 * road's peer may have answered long ago. Clocks go on; only sleeping takes longer.
 *
 * @param onLink told whenever the road is held, and when it no longer is
 */
export function heldClock(platform: Platform, road: OpenedRoad, onLink: (link: 'held' | 'live') => void): HeldClock {
  if (road.watchLink === undefined) return { platform, isLost: false, wait: () => Promise.resolve(false) };
  let heldSinceMs: number | null = null;
  let heldBeforeMs = 0;
  let isLost = false;
  const waiting = new Set<() => void>();
  road.watchLink(({ state }) => {
    const now = platform.monotonicMs();
    isLost = state === 'lost';
    if (state === 'held') heldSinceMs ??= now;
    else if (heldSinceMs !== null) {
      heldBeforeMs += now - heldSinceMs;
      heldSinceMs = null;
    }
    onLink(state === 'held' ? 'held' : 'live'); // a lost road is held by nobody
    if (state !== 'held') for (const go of waiting) go();
  });
  const heldMs = () => heldBeforeMs + (heldSinceMs === null ? 0 : platform.monotonicMs() - heldSinceMs);
  const clock: Platform = {
    now: () => platform.now(),
    monotonicMs: () => platform.monotonicMs(),
    random: (length) => platform.random(length),
    async sleep(ms, signal) {
      let counted = heldMs();
      for (let left = ms; left > 0; ) {
        await platform.sleep(left, signal);
        const held = heldMs();
        left = held - counted;
        counted = held;
      }
    },
  };
  return {
    platform: clock,
    get isLost() {
      return isLost;
    },
    async wait(signal) {
      if (heldSinceMs === null) return false;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          waiting.delete(go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        waiting.add(go);
        signal.addEventListener('abort', go, { once: true });
        if (signal.aborted) go();
      });
      if (signal.aborted) throw signal.reason;
      return true;
    },
  };
}
