'use client';

import { useEffect } from 'react';
import { offerActions, type PaletteAction } from './actions.ts';

/** Offers actions in the command palette while the calling screen is shown. Pass a memoised array. */
export function useActions(actions: readonly PaletteAction[]): void {
  useEffect(() => offerActions(actions), [actions]);
}
