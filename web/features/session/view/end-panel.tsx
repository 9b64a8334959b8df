'use client';

import type { ExitCode, WinRmError } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { Button } from '@/components/ui/button.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { proxyQuestion, QUESTION_ACTIONS } from '@/features/connect/proxy-question.ts';
import { ErrorBlock } from '@/features/failure/error-block.tsx';
import { isOutage } from '../outage.ts';
import type { SessionEntry } from '../session-registry.ts';

/** Where the input line was, once the session is over: how it ended, and the one thing to do next. */
export function EndPanel({
  entry,
  onNewShell,
  onRecover,
}: {
  entry: SessionEntry;
  onNewShell: () => void;
  onRecover: (error: WinRmError) => void;
}) {
  const t = useTranslations('session.end');
  const tRecovery = useTranslations('recovery');
  const tAll = useTranslations();
  const { state } = entry;
  const isEnded = state.at === 'ended';
  const error = state.at === 'lost' || state.at === 'closed' ? state.error : null;
  const question = entry.request.isDemo ? null : proxyQuestion(error);
  return (
    <div className="max-h-[60dvh] overflow-y-auto px-3 pb-3 text-ink" data-region="input" tabIndex={-1}>
      {error !== null && (
        <ErrorBlock
          error={error}
          onAct={onRecover}
          {...(question !== null
            ? { actionLabel: tAll(QUESTION_ACTIONS[question.place]) }
            : entry.standing !== null
              ? { actionLabel: t('takeUp'), hint: t('standing') }
              : isOutage(entry, error)
                ? { actionLabel: tRecovery('reconnect'), hint: t('gone') }
                : {})}
        />
      )}
      {error === null && (
        <div className="mt-2 flex flex-wrap items-center gap-3 rounded-card border border-line bg-surface p-3">
          <Icon name={!isEnded ? 'circle' : state.exit.signed === 0 ? 'check' : 'warning'} className="text-ink-soft" />
          <p role="status" className="grow text-sm">
            {isEnded ? <Exit exit={state.exit} /> : t('closed')}
          </p>
          <Button look="primary" icon="reload" onClick={onNewShell} autoFocus>
            {t(entry.request.shell.kind === 'command' ? 'runAgain' : 'newShell')}
          </Button>
        </div>
      )}
    </div>
  );
}

function Exit({ exit }: { exit: ExitCode }) {
  const t = useTranslations('session.end');
  const isPlain = exit.signed === exit.unsigned;
  const hex = `0x${exit.unsigned.toString(16).padStart(8, '0')}`;
  return isPlain
    ? t('exit', { code: String(exit.signed) })
    : t('exitBoth', { signed: String(exit.signed), unsigned: String(exit.unsigned), hex });
}
