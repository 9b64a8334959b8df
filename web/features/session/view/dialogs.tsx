'use client';

import { useTranslations } from 'next-intl';
import { type FormEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { CheckField, TextField } from '@/components/ui/field.tsx';
import { changePreferences } from '@/lib/preferences.ts';
import type { SessionEntry } from '../session-registry.ts';
import type { PasteQuestion } from './use-input.ts';

/** Several lines are about to be pasted: how many, and the first of them. */
export function PasteDialog({
  question,
  onPaste,
  onClose,
}: {
  question: PasteQuestion;
  onPaste: (text: string) => void;
  onClose: () => void;
}) {
  const t = useTranslations('session.paste');
  const [isOff, setOff] = useState(false);
  const button = useFirstFocus();
  const paste = () => {
    if (isOff) changePreferences({ pasteGuard: false });
    onClose();
    onPaste(question.text);
  };
  return (
    <Dialog
      title={t('title', { count: question.lineCount })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button ref={button} look="primary" onClick={paste}>
            {t('paste', { count: question.lineCount })}
          </Button>
        </>
      }
    >
      <p className="text-ink-soft">{t('why')}</p>
      <pre lang="" className="mt-3 overflow-x-auto rounded-control bg-sunken p-3 font-mono text-sm">
        {question.preview.join('\n')}
        {question.hiddenLineCount > 0 && `\n${t('hidden', { count: question.hiddenLineCount })}`}
      </pre>
      {question.removedControlCount > 0 && (
        <p className="mt-2 text-sm text-warn-ink">{t('removed', { count: question.removedControlCount })}</p>
      )}
      <CheckField
        className="mt-4"
        label={t('off')}
        checked={isOff}
        onChange={(event) => setOff(event.target.checked)}
      />
    </Dialog>
  );
}

/** Focus for the button that Enter should press; the dialog itself chooses its first control. */
function useFirstFocus(): RefObject<HTMLButtonElement | null> {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return button;
}

/** A tab whose command still runs is about to be closed. */
export function CloseDialog({
  entry,
  onConfirm,
  onClose,
}: {
  entry: SessionEntry;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const t = useTranslations('session.close');
  const button = useFirstFocus();
  return (
    <Dialog
      title={t('title', { name: entry.request.label })}
      size="small"
      isProduction={entry.request.isProduction}
      onClose={onClose}
      footer={
        <>
          <Button ref={button} onClick={onClose}>
            {t('keep')}
          </Button>
          <Button look="danger" onClick={onConfirm}>
            {t('confirm')}
          </Button>
        </>
      }
    >
      <p>{t('text')}</p>
    </Dialog>
  );
}

/** The password is not known any more, or was rejected: asked for again, for this tab only. */
export function PasswordDialog({
  entry,
  onPassword,
  onClose,
}: {
  entry: SessionEntry;
  onPassword: (password: string) => void;
  onClose: () => void;
}) {
  const t = useTranslations('session.password');
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password !== '') onPassword(password);
  };
  return (
    <Dialog
      title={t('title', { name: entry.request.label })}
      size="small"
      isProduction={entry.request.isProduction}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button look="primary" type="submit" form="session-password">
            {t('connect')}
          </Button>
        </>
      }
    >
      <form id="session-password" onSubmit={submit}>
        <TextField
          label={t('label', { user: entry.request.user })}
          hint={t('hint')}
          type="password"
          autoFocus
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </form>
    </Dialog>
  );
}
