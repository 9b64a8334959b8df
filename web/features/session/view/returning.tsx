'use client';

import { useTranslations } from 'next-intl';
import { useEffect, useRef } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Card } from '@/components/ui/card.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { bringSessionBack, forgetStanding, type SessionEntry } from '../session-registry.ts';

/** A session of an earlier page: it is being looked for, or its shell is offered to whoever signs in again. */
export function ReturnCard({
  entry,
  onConnect,
  onClose,
}: {
  entry: SessionEntry;
  onConnect: () => void;
  onClose: () => void;
}) {
  const t = useTranslations('session.returning');
  const { returning, standing, request } = entry;
  if (returning === null) return null;
  const isLooking = returning.step === 'looking';
  const canTakeUp = standing !== null;
  const name = request.label;
  const time = isLooking
    ? ''
    : new Date(returning.seenAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const openNew = () => {
    forgetStanding(entry.id);
    onConnect();
  };
  return (
    <div data-region="output" tabIndex={-1} className="min-h-0 grow overflow-y-auto bg-ground p-3 outline-none sm:p-8">
      <Card className="mx-auto flex max-w-2xl flex-col gap-4 p-4 sm:p-6">
        <h1 className="text-xl font-semibold">
          {t(isLooking ? 'looking' : canTakeUp ? 'title' : 'goneTitle', { name })}
        </h1>
        {!isLooking && (
          <>
            <p role="status" className="max-w-[72ch]">
              {t(canTakeUp ? returning.why : 'gone', { name, time })}
            </p>
            {canTakeUp && <p className="max-w-[72ch] text-ink-soft">{t('missing', { time })}</p>}
            <div className="flex flex-wrap justify-end gap-2">
              <Button onClick={onClose}>{t('close')}</Button>
              {canTakeUp && <Button onClick={openNew}>{t('newShell')}</Button>}
              <Button look="primary" onClick={onConnect} autoFocus>
                {t(canTakeUp ? 'takeUp' : 'newShell')}
              </Button>
            </div>
          </>
        )}
      </Card>
    </div>
  );
}

/** Where the input line was: another tab of this browser has the session now. */
export function ElsewherePanel({ entry }: { entry: SessionEntry }) {
  const t = useTranslations('session.elsewhere');
  return (
    <div className="px-3 pb-3 text-ink" data-region="input" tabIndex={-1}>
      <div className="mt-2 flex flex-wrap items-center gap-3 rounded-card border border-line bg-surface p-3">
        <p role="status" className="grow basis-60 text-sm">
          {t('text')}
        </p>
        <Button look="primary" onClick={() => bringSessionBack(entry.id)}>
          {t('back')}
        </Button>
      </div>
    </div>
  );
}

/** Says once which way a session came back to this page. */
export function useReturnWords(sessions: readonly SessionEntry[]): void {
  const t = useTranslations('session.returning');
  const told = useRef(new Set<string>());
  useEffect(() => {
    for (const { id, beganAt, cameBack, state, request } of sessions) {
      const key = `${id} ${beganAt} ${cameBack}`;
      if (cameBack === null || state.at !== 'ready' || told.current.has(key)) continue;
      told.current.add(key);
      showToast(
        t(cameBack === 'same' ? 'same' : 'taken', { name: request.label }),
        cameBack === 'same' ? 'good' : 'warn',
      );
    }
  }, [sessions, t]);
}
