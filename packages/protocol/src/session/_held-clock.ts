import type { OpenedRoad } from '../opened-road.ts';
import type { Platform } from '../platform.ts';

/**
 * A platform whose sleeps stand still while a road is held: a deadline is for a peer that does not answer, and a held
 * road's peer may have answered long ago. Clocks go on; only sleeping takes longer.
 *
 * @param onLink told whenever the road is held, and when it no longer is
 */
export function heldClock(platform: Platform, road: OpenedRoad, onLink: (link: 'held' | 'live') => void): Platform {
  if (road.watchLink === undefined) return platform;
  let heldSinceMs: number | null = null;
  let heldBeforeMs = 0;
  road.watchLink(({ state }) => {
    const now = platform.monotonicMs();
    if (state === 'held') heldSinceMs ??= now;
    else if (heldSinceMs !== null) {
      heldBeforeMs += now - heldSinceMs;
      heldSinceMs = null;
    }
    onLink(state === 'held' ? 'held' : 'live'); // a lost road is held by nobody
  });
  const heldMs = () => heldBeforeMs + (heldSinceMs === null ? 0 : platform.monotonicMs() - heldSinceMs);
  return {
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
}
