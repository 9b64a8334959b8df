'use client';

import { type Hop, isWinRmError, type RouteTarget, type WinRmError } from '@fairlead/protocol';
import { useEffect, useState } from 'react';
import type { SavedRoute } from '@/lib/saved.ts';
import { workerFault } from '../session/worker/messages.ts';
import { askSettings } from './ask-settings.ts';
import type { SettingsReading } from './settings-reading.ts';

/** What settings gave, for one server. */
export interface Found {
  /** They are being read. */
  readonly isLooking: boolean;
  readonly reading: SettingsReading | null;
  readonly error: WinRmError | null;
}

/** A road of the form, as far as it is known. */
export interface Road extends Found {
  /** Null while settings decide and have not. */
  readonly hops: readonly Hop[] | null;
}

const NOTHING: Found = { isLooking: false, reading: null, error: null };
/** A person who types is not asked about each letter. */
const PAUSE_MS = 250;

/** Reads settings again whenever they or the server change. */
export function useReading(text: string, target: RouteTarget | null): Found {
  const [found, setFound] = useState<Found & { readonly of: string }>({ ...NOTHING, of: '' });
  const { scheme = null, host = '', port = 0 } = target ?? {};
  const of = JSON.stringify([text, scheme, host, port]);
  useEffect(() => {
    if (text.trim() === '') return;
    const aborter = new AbortController();
    const settle = (part: Partial<Found>) => !aborter.signal.aborted && setFound({ ...NOTHING, ...part, of });
    const ask = async () => {
      try {
        settle({ reading: await askSettings(text, scheme && { scheme, host, port }, aborter.signal) });
      } catch (error) {
        settle({ error: isWinRmError(error) ? error : workerFault() });
      }
    };
    const pause = setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      clearTimeout(pause);
      aborter.abort();
    };
  }, [text, scheme, host, port, of]);
  if (text.trim() === '') return NOTHING;
  return found.of === of ? found : { ...NOTHING, isLooking: true };
}

/** The road of a route for one server: its own, or what its settings give. */
export function useRoad(route: SavedRoute | null, target: RouteTarget | null): Road {
  const found = useReading(route?.settings?.text ?? '', target);
  if (route?.settings == null) return { ...NOTHING, hops: route?.hops ?? [] };
  return { ...found, hops: found.reading?.answer?.routes[0]?.hops ?? null };
}
