'use client';

import { lazy, Suspense, useSyncExternalStore } from 'react';
import { everConnected, watchConnected } from '@/features/connect/connected.ts';

const LiveList = lazy(() => import('@/features/connect/live-list.tsx'));

/** Open sessions of this tab. Nothing is fetched before the first was opened: there can be none. */
export function LiveSessions() {
  const isUsed = useSyncExternalStore(watchConnected, everConnected, () => false);
  return isUsed ? (
    <Suspense fallback={null}>
      <LiveList />
    </Suspense>
  ) : null;
}
