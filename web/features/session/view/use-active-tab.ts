import { useCallback, useEffect, useRef, useState } from 'react';
import type { SessionEntry } from '../session-registry.ts';

/**
 * The tab that is shown, and a way to show another. The address carries it (`/session/#s2`), so that a link from another
 * page and the browser's back button work; a session that has just been opened comes to the front.
 */
export function useActiveTab(sessions: readonly SessionEntry[]): [SessionEntry | null, (id: string) => void] {
  const [id, setId] = useState<string | null>(null);
  const known = useRef<readonly string[]>([]);
  const show = useCallback((next: string) => {
    setId(next);
    history.replaceState(history.state, '', `#${next}`);
  }, []);
  useEffect(() => {
    const read = () => setId(location.hash.slice(1) || null);
    read();
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  useEffect(() => {
    const ids = sessions.map((session) => session.id);
    const fresh = ids.findLast((one) => !known.current.includes(one));
    const isFirstLook = known.current.length === 0;
    known.current = ids;
    if (fresh !== undefined && !(isFirstLook && ids.includes(location.hash.slice(1)))) show(fresh);
  }, [sessions, show]);
  const active = sessions.find((session) => session.id === id) ?? sessions.at(-1) ?? null;
  const label = active?.request.label;
  useEffect(() => {
    if (label === undefined) return;
    const before = document.title;
    document.title = `${label} · ${before.split(' · ').at(-1)}`;
    return () => {
      document.title = before;
    };
  }, [label]);
  return [active, show];
}
