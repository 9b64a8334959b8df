'use client';

import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { CheckField, ChoiceField, SelectField } from '@/components/ui/field.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { usePreferences } from '@/components/use-preferences.ts';
import { openWindow } from '@/features/frame/windows.ts';
import {
  changePreferences,
  DENSITIES,
  PALETTES,
  resetPreferences,
  TERMINAL_SIZES,
  TEXT_SIZES,
  THEMES,
} from '@/lib/preferences.ts';
import { changeSaved, NOTHING_SAVED } from '@/lib/saved.ts';
import { forgetEverything } from '@/lib/vault.ts';

/** How things look in this browser, and what it keeps. Every change holds at once. */
export default function SettingsDialog() {
  const t = useTranslations('settings');
  const preferences = usePreferences();
  const choices = <Value extends string>(values: readonly Value[], key: string) =>
    values.map((value) => ({ value, label: t(`${key}.${value}`) }));
  return (
    <Dialog
      title={t('title')}
      onClose={() => openWindow(null)}
      footer={
        <>
          <Button look="plain" onClick={resetPreferences}>
            {t('reset')}
          </Button>
          <Button look="primary" onClick={() => openWindow(null)}>
            {t('done')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-6">
        <section className="flex flex-col gap-4">
          <h3 className="font-semibold">{t('interface')}</h3>
          <ChoiceField
            label={t('theme.label')}
            value={preferences.theme}
            choices={choices(THEMES, 'theme')}
            onChoose={(theme) => changePreferences({ theme })}
          />
          <div className="grid gap-4 sm:grid-cols-2">
            <ChoiceField
              label={t('density.label')}
              value={preferences.density}
              choices={choices(DENSITIES, 'density')}
              onChoose={(density) => changePreferences({ density })}
            />
            <ChoiceField
              label={t('text.label')}
              value={preferences.textSize}
              choices={TEXT_SIZES.map((value) => ({ value, label: t('text.percent', { percent: value }) }))}
              onChoose={(textSize) => changePreferences({ textSize })}
            />
          </div>
        </section>
        <section className="flex flex-col gap-4 border-t border-line pt-5">
          <h3 className="font-semibold">{t('terminal')}</h3>
          <div className="grid gap-4 sm:grid-cols-2">
            <SelectField
              label={t('palette.label')}
              value={preferences.palette}
              onChange={({ target: { value } }) => {
                const palette = PALETTES.find((known) => known === value);
                if (palette) changePreferences({ palette });
              }}
            >
              {PALETTES.map((value) => (
                <option key={value} value={value}>
                  {t(`palette.${value}`)}
                </option>
              ))}
            </SelectField>
            <SelectField
              label={t('terminalSize')}
              value={preferences.terminalPx}
              onChange={(event) => changePreferences({ terminalPx: Number(event.target.value) })}
            >
              {TERMINAL_SIZES.map((px) => (
                <option key={px} value={px}>
                  {t('pixels', { px })}
                </option>
              ))}
            </SelectField>
          </div>
          <CheckField
            label={t('pasteGuard.label')}
            hint={t('pasteGuard.hint')}
            checked={preferences.pasteGuard}
            onChange={(event) => changePreferences({ pasteGuard: event.target.checked })}
          />
        </section>
        <Kept />
      </div>
    </Dialog>
  );
}

/** What this browser keeps, and the way to be rid of it. */
function Kept() {
  const t = useTranslations('settings.kept');
  const [isAsking, setAsking] = useState(false);
  const wipe = async () => {
    await forgetEverything();
    changeSaved(() => NOTHING_SAVED);
    for (const key of ownStorageKeys()) localStorage.removeItem(key);
    resetPreferences();
    setAsking(false);
    showToast(t('wiped'), 'good');
  };
  return (
    <section className="flex flex-col gap-3 border-t border-line pt-5">
      <h3 className="font-semibold">{t('title')}</h3>
      <ul className="list-disc space-y-1 pl-5 text-sm text-ink-soft">
        <li>{t('storage')}</li>
        <li>{t('memory')}</li>
        <li>{t('demo')}</li>
      </ul>
      <div className="flex flex-wrap items-center gap-2">
        {isAsking ? (
          <>
            <span className="text-sm">{t('ask')}</span>
            <Button look="danger" icon="trash" onClick={() => void wipe()}>
              {t('wipeNow')}
            </Button>
            <Button look="plain" onClick={() => setAsking(false)}>
              {t('keep')}
            </Button>
          </>
        ) : (
          <Button icon="trash" onClick={() => setAsking(true)}>
            {t('wipe')}
          </Button>
        )}
      </div>
    </section>
  );
}

function ownStorageKeys(): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith('fairlead.'));
  } catch {
    return [];
  }
}
