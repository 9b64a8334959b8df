'use client';

import { addPin, DEFAULT_TLS_PORT, isWinRmError, parseTarget, parseThumbprint, pinTarget } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { TextField } from '@/components/ui/field.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { changePins } from '@/features/trust/pin-book.ts';

/** Pins a thumbprint that somebody gave by another way, before or instead of meeting the host. */
export function PinForm({ onDone }: { onDone: () => void }) {
  const t = useTranslations('settings.certificates.form');
  const [target, setTarget] = useState('');
  const [thumbprint, setThumbprint] = useState('');
  const [isChecked, setChecked] = useState(false);
  const place = readPlace(target);
  const sha256 = readSha256(thumbprint);
  const save = () => {
    setChecked(true);
    if (place === null || sha256 === null) return;
    changePins((store) => addPin(store, place, { sha256, issuer: '', sinceMs: Date.now() }));
    showToast(t('done', { target: place }), 'good');
    onDone();
  };
  return (
    <fieldset
      className="flex flex-col gap-4 rounded-control border border-line bg-ground p-4"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
        event.preventDefault();
        save();
      }}
    >
      <legend className="sr-only">{t('title')}</legend>
      <TextField
        label={t('target')}
        value={target}
        placeholder="web01.corp.example:5986"
        isCode
        autoFocus
        hint={place === null ? t('targetHint') : t('understood', { target: place })}
        error={isChecked && place === null && t('targetProblem')}
        onChange={(event) => setTarget(event.target.value)}
      />
      <TextField
        label={t('thumbprint')}
        value={thumbprint}
        isCode
        hint={t('thumbprintHint')}
        error={isChecked && sha256 === null && t('thumbprintProblem')}
        onChange={(event) => setThumbprint(event.target.value)}
      />
      <div className="flex gap-2">
        <Button icon="lock" onClick={save}>
          {t('save')}
        </Button>
        <Button look="plain" onClick={onDone}>
          {t('cancel')}
        </Button>
      </div>
    </fieldset>
  );
}

/** Host and port as a pin names them; port 5986 where none was typed. */
function readPlace(text: string): string | null {
  try {
    const { target } = parseTarget(text.trim());
    const isBare = target.scheme === 'http' && !text.includes('://') && !/:\d+$/.test(text.trim());
    return pinTarget(target.host, isBare ? DEFAULT_TLS_PORT : target.port);
  } catch (error) {
    if (!isWinRmError(error)) throw error;
    return null;
  }
}

function readSha256(text: string): string | null {
  try {
    const thumbprint = parseThumbprint(text);
    return thumbprint.length === 64 ? thumbprint : null;
  } catch (error) {
    if (!isWinRmError(error)) throw error;
    return null;
  }
}
