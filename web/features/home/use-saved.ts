'use client';

import { useSyncExternalStore } from 'react';
import { NOTHING_SAVED, readSaved, type Saved, watchSaved } from '@/lib/saved.ts';

/** Targets and routes kept in this browser; redraws when they change. */
export function useSaved(): Saved {
  return useSyncExternalStore(watchSaved, readSaved, () => NOTHING_SAVED);
}
