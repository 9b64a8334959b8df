'use client';

import { useSyncExternalStore } from 'react';
import { CHECKING, type RelayStanding, readStanding, watchStanding } from '@/lib/relay-status.ts';

/** Where this tab stands with the relay; redraws when it changes. */
export function useStanding(): RelayStanding {
  return useSyncExternalStore(watchStanding, readStanding, () => CHECKING);
}
