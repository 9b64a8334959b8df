'use client';

import { lazy, Suspense } from 'react';
import { answerTrust, type SessionEntry } from '@/features/session/session-registry.ts';

const FirstContactDialog = lazy(() => import('./first-contact-dialog.tsx'));

/** Asks about the host of a session that waits for it; draws nothing otherwise. */
export function FirstContact({ entry }: { entry: SessionEntry }) {
  if (entry.state.at !== 'judging') return null;
  return (
    <Suspense fallback={null}>
      <FirstContactDialog
        question={entry.state.question}
        isProduction={entry.request.isProduction}
        onAnswer={(answer) => answerTrust(entry.id, answer)}
      />
    </Suspense>
  );
}
