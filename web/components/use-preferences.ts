'use client';

import { useSyncExternalStore } from 'react';
import { DEFAULT_PREFERENCES, type Preferences, readPreferences, watchPreferences } from '@/lib/preferences.ts';

/** What the person has set; redraws when it changes. The export is drawn with the defaults. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(watchPreferences, readPreferences, () => DEFAULT_PREFERENCES);
}
