'use client';

import type { WinRmError } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { type ReactNode, useEffect } from 'react';
import { Button, IconButton } from '@/components/ui/button.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { errorText } from '@/lib/error-text.ts';
import type { Hanger } from '../hangers.ts';
import type { MojibakeHint } from '../mojibake.ts';
import { useSecondsSince } from './use-shell.ts';

/** A strip between output and status: an icon, what is the matter, and what one can press. */
export function Strip({
  tone,
  isOver = false,
  children,
  actions,
}: {
  tone: 'plain' | 'warn' | 'bad';
  /** Over the top of the output, which stays where it is. */
  isOver?: boolean;
  children: ReactNode;
  actions: ReactNode;
}) {
  const edge = tone === 'plain' ? 'border-accent' : tone === 'warn' ? 'border-warn' : 'border-bad';
  const ink = tone === 'plain' ? 'text-accent' : tone === 'warn' ? 'text-warn-ink' : 'text-bad';
  return (
    <div
      className={`arrives flex shrink-0 flex-wrap items-center gap-x-4 gap-y-2 border-l-4 bg-surface px-3 py-2 text-sm ${edge} ${isOver ? 'absolute inset-x-0 top-0 z-10 border-b border-b-line' : 'border-t border-t-line'}`}
    >
      <div className="flex min-w-0 grow basis-60 gap-2">
        <Icon name={tone === 'plain' ? 'note' : 'warning'} className={`mt-0.5 ${ink}`} />
        <div className="min-w-0">{children}</div>
      </div>
      <div className="flex flex-wrap items-center gap-2">{actions}</div>
    </div>
  );
}

/** A program that would wait for a console: the form that works, or run it all the same. */
export function HangerNotice({
  hanger,
  onRun,
  onUse,
  onDrop,
}: {
  hanger: Hanger;
  onRun: () => void;
  onUse: (command: string) => void;
  onDrop: () => void;
}) {
  const t = useTranslations('session.hanger');
  return (
    <Strip
      tone="warn"
      actions={
        <>
          <Button look="primary" onClick={() => onUse(hanger.instead)} autoFocus>
            {t('use')}
          </Button>
          <Button onClick={onRun}>{t('run')}</Button>
          <IconButton label={t('drop')} icon="cross" onClick={onDrop} />
        </>
      }
    >
      <p role="alert">{t(`kind.${hanger.kind}`, { program: hanger.program })}</p>
      <p className="mt-0.5 text-ink-soft">
        {t('instead')} <code className="font-mono text-ink">{hanger.instead}</code>
      </p>
    </Strip>
  );
}

/** Text that was read in another code page than it was written in. */
export function MojibakeNotice({
  hint,
  onFix,
  onDrop,
}: {
  hint: MojibakeHint;
  onFix: (codePage: number) => void;
  onDrop: () => void;
}) {
  const t = useTranslations('session.mojibake');
  const codePage = String(hint.codePage);
  return (
    <Strip
      tone="warn"
      actions={
        <>
          <Button onClick={() => onFix(hint.codePage)}>{t('fix', { codePage })}</Button>
          <IconButton label={t('drop')} icon="cross" onClick={onDrop} />
        </>
      }
    >
      <p role="status">{t(hint.kind, { codePage })}</p>
    </Strip>
  );
}

/** A line that was not sent, or of which nobody knows whether it arrived. It is never sent again by itself. */
export function InputErrorNotice({ error, onDrop }: { error: WinRmError; onDrop: () => void }) {
  const t = useTranslations();
  const text = errorText(error);
  return (
    <Strip tone="bad" actions={<IconButton label={t('common.dismiss')} icon="cross" onClick={onDrop} />}>
      <p role="alert">
        {t(text.messageKey, text.values)} {text.because && t(text.because.messageKey, text.because.values)}
      </p>
      <p className="mt-0.5 text-ink-soft">{t(text.hintKey, text.values)}</p>
    </Strip>
  );
}

/** After this long without an answer, closing the shell is offered. */
const STOP_PATIENCE_S = 3;

/** A command runs: ways to stop it, to end its input, and to type unseen. */
export function RunningBar({
  stoppingSinceMs,
  queuedCount,
  isLinked,
  isHidden,
  seemsSecret,
  onInterrupt,
  onEndInput,
  onHidden,
  onCloseShell,
}: {
  stoppingSinceMs: number | null;
  queuedCount: number;
  isLinked: boolean;
  isHidden: boolean;
  seemsSecret: boolean;
  onInterrupt: () => void;
  onEndInput: () => void;
  onHidden: (isHidden: boolean) => void;
  onCloseShell: () => void;
}) {
  const t = useTranslations('session.running');
  const seconds = useSecondsSince(stoppingSinceMs);
  const isStopping = stoppingSinceMs !== null;
  useEffect(() => {
    if (seemsSecret) onHidden(true);
  }, [seemsSecret, onHidden]);
  return (
    <div className="flex flex-wrap items-center gap-x-1 gap-y-1 px-2.5 pb-2 text-xs">
      <Small icon="stop" isStrong onClick={onInterrupt}>
        {isStopping ? t(isLinked ? 'stopping' : 'stopWaits', { seconds }) : <Named name={t('stop')} keys="Ctrl+C" />}
      </Small>
      {isStopping && seconds >= STOP_PATIENCE_S && (
        <Small icon="cross" isDanger onClick={onCloseShell}>
          {t('closeShell')}
        </Small>
      )}
      {isStopping && isLinked && seconds >= STOP_PATIENCE_S && <span className="text-(--fl-soft)">{t('slow')}</span>}
      {!isStopping && (
        <>
          <Small icon="leave" onClick={onEndInput}>
            <Named name={t('endInput')} keys="Ctrl+D" />
          </Small>
          <Small icon="eye" isPressed={isHidden} onClick={() => onHidden(!isHidden)}>
            {t(isHidden ? 'showInput' : 'hideInput')}
          </Small>
        </>
      )}
      {queuedCount > 0 && (
        <span className="px-1 text-(--fl-soft)">{t(isLinked ? 'queued' : 'queuedLink', { count: queuedCount })}</span>
      )}
    </div>
  );
}

/** Words and the keys that do the same; a touch screen has no such keys. */
function Named({ name, keys }: { name: string; keys: string }) {
  return (
    <>
      {name} <span className="pointer-coarse:hidden">{keys}</span>
    </>
  );
}

function Small({
  icon,
  isStrong = false,
  isDanger = false,
  isPressed,
  onClick,
  children,
}: {
  icon: Parameters<typeof Icon>[0]['name'];
  isStrong?: boolean;
  isDanger?: boolean;
  isPressed?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  const ink = isDanger ? 'text-bad' : isStrong ? 'text-(--fl-ink)' : 'text-(--fl-soft)';
  return (
    <button
      type="button"
      aria-pressed={isPressed}
      onClick={onClick}
      className={`flex min-h-6 items-center gap-1 rounded-sm border border-transparent px-1.5 font-sans hover:border-line-strong pointer-coarse:min-h-11 pointer-coarse:px-2 ${ink} ${isPressed ? 'border-line-strong' : ''}`}
    >
      <Icon name={icon} className="size-3" />
      {children}
    </button>
  );
}
