import { useEffect } from 'react';
import { closeSession, type SessionEntry } from '../session-registry.ts';

/** Asks before the page is left while a command runs, and only then. Shells are closed as far as a leaving page can. */
export function useLeaveGuard(sessions: readonly SessionEntry[]): void {
  useEffect(() => {
    const onLeaving = (event: BeforeUnloadEvent) => {
      if (sessions.some(({ state, isRunning }) => state.at === 'ready' && isRunning)) event.preventDefault();
    };
    const onLeft = (event: PageTransitionEvent) => {
      if (!event.persisted) for (const { id } of sessions) void closeSession(id);
    };
    addEventListener('beforeunload', onLeaving);
    addEventListener('pagehide', onLeft);
    return () => {
      removeEventListener('beforeunload', onLeaving);
      removeEventListener('pagehide', onLeft);
    };
  }, [sessions]);
}
