import { useEffect, useRef } from 'react';
import type { SessionEntry } from '../session-registry.ts';

/** A reload that was asked for with keys comes right after them. */
const KEY_MS = 2000;

/**
 * Asks before the page is left while a command runs that would end with it, and only then. A reload ends nothing where
 * the session outlives its page, but only a reload by keys can be told from a closed tab.
 */
export function useLeaveGuard(sessions: readonly SessionEntry[]): void {
  const reloadAtMs = useRef(-Infinity);
  useEffect(() => {
    const onKey = ({ key, ctrlKey, metaKey }: KeyboardEvent) => {
      if (key === 'F5' || ((ctrlKey || metaKey) && key.toLowerCase() === 'r')) reloadAtMs.current = performance.now();
    };
    addEventListener('keydown', onKey, true);
    return () => removeEventListener('keydown', onKey, true);
  }, []);
  useEffect(() => {
    const onLeaving = (event: BeforeUnloadEvent) => {
      const isReload = performance.now() - reloadAtMs.current < KEY_MS;
      const isLost = ({ state, isRunning, worker, isElsewhere }: SessionEntry) =>
        state.at === 'ready' && isRunning && !isElsewhere && !(isReload && worker !== null);
      if (sessions.some(isLost)) event.preventDefault();
    };
    addEventListener('beforeunload', onLeaving);
    return () => removeEventListener('beforeunload', onLeaving);
  }, [sessions]);
}
