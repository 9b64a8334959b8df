'use client';

import { useTranslations } from 'next-intl';
import { HopLine } from '@/components/hop-line.tsx';
import { Button } from '@/components/ui/button.tsx';
import { cancel, type SessionEntry } from '../session-registry.ts';

/** Where the input line will be: another session is on its way into this tab, and the old output stays above. */
export function AgainLine({ entry }: { entry: SessionEntry }) {
  const t = useTranslations();
  const step = entry.steps.find((one) => one.state === 'running') ?? entry.steps.at(-1);
  return (
    <div
      className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line bg-surface px-4 py-2 text-ink"
      data-region="input"
    >
      <HopLine hops={entry.hops} size="small" />
      <p role="status" className="grow text-sm text-ink-soft">
        {step && t(step.labelKey, step.params)}
      </p>
      <Button onClick={() => cancel(entry.id)}>{t('session.opening.cancel')}</Button>
    </div>
  );
}
