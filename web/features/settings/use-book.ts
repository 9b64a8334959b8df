import type { Certificate } from '@fairlead/protocol';
import { useSyncExternalStore } from 'react';
import { type PinBook, readPins, watchPins } from '@/features/trust/pin-book.ts';
import { readRoots, watchRoots } from '@/features/trust/root-book.ts';

/** What is pinned now; null when it cannot be read. */
export function usePins(): PinBook {
  return useSyncExternalStore(watchPins, readPins, readPins);
}

/** Imported roots; null when they cannot be read. */
export function useRoots(): readonly Certificate[] | null {
  return useSyncExternalStore(watchRoots, readRoots, readRoots);
}
