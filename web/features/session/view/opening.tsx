'use client';

import type { WinRmError } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { HopLine } from '@/components/hop-line.tsx';
import { Button } from '@/components/ui/button.tsx';
import { Card } from '@/components/ui/card.tsx';
import { proxyQuestion, QUESTION_ACTIONS } from '@/features/connect/proxy-question.ts';
import { StepList } from '@/features/connect/step-list.tsx';
import { ErrorBlock } from '@/features/failure/error-block.tsx';
import { isOutage } from '../outage.ts';
import { cancel, endError, type SessionEntry } from '../session-registry.ts';

/** A tab on its way to its first prompt: the hops, the steps with their times, and what failed where it failed. */
export function Opening({
  entry,
  onRecover,
  onClose,
}: {
  entry: SessionEntry;
  onRecover: (error: WinRmError) => void;
  onClose: () => void;
}) {
  const t = useTranslations('session.opening');
  const error = endError(entry.state);
  const tAll = useTranslations();
  const question = entry.request.isDemo ? null : proxyQuestion(error);
  const action = error && isOutage(entry, error) ? 'recovery.retry' : question && QUESTION_ACTIONS[question.place];
  const isClosed = entry.state.at === 'closed' && error === null;
  const failure = error && (
    <ErrorBlock error={error} onAct={onRecover} actionLabel={action === null ? undefined : tAll(action)} />
  );
  return (
    <div data-region="output" tabIndex={-1} className="min-h-0 grow overflow-y-auto bg-ground p-3 outline-none sm:p-8">
      <Card className="mx-auto flex max-w-2xl flex-col gap-6 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">
          {t(error ? 'failed' : isClosed ? 'closed' : 'title', { name: entry.request.label })}
        </h1>
        <HopLine hops={entry.hops} size="large" />
        <StepList steps={entry.steps}>{failure}</StepList>
        {!entry.steps.some((step) => step.state === 'failed') && failure}
        <div className="flex justify-end gap-2">
          {error || isClosed ? (
            <Button onClick={onClose}>{t('closeTab')}</Button>
          ) : (
            <Button onClick={() => cancel(entry.id)}>{t('cancel')}</Button>
          )}
        </div>
      </Card>
    </div>
  );
}
