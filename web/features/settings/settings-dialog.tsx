'use client';

import { useTranslations } from 'next-intl';
import { lazy, Suspense, useCallback, useState, useSyncExternalStore } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { CheckField, ChoiceField, SelectField } from '@/components/ui/field.tsx';
import { showToast, useToastLog } from '@/components/ui/toast.tsx';
import { usePreferences } from '@/components/use-preferences.ts';
import { type AppWindow, openWindow } from '@/features/frame/windows.ts';
import { paletteFor } from '@/features/session/screen/palette.ts';
import {
  changePreferences,
  DENSITIES,
  PALETTES,
  paintedTheme,
  resetPreferences,
  TERMINAL_SIZES,
  TEXT_SIZES,
  THEMES,
} from '@/lib/preferences.ts';
import { changeSaved, NOTHING_SAVED } from '@/lib/saved.ts';
import { forgetEverything } from '@/lib/vault.ts';

const Certificates = lazy(() => import('./certificates.tsx'));

/** How things look in this browser, and what it keeps. Every change holds at once. */
export default function SettingsDialog({ opened }: { opened: Extract<AppWindow, { kind: 'settings' }> }) {
  const t = useTranslations('settings');
  const preferences = usePreferences();
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
            choices={THEMES.map((value) => ({ value, label: t(`theme.${value}`) }))}
            onChoose={(theme) => changePreferences({ theme })}
          />
          <div className="grid gap-4 sm:grid-cols-2">
            <ChoiceField
              label={t('density.label')}
              value={preferences.density}
              choices={DENSITIES.map((value) => ({ value, label: t(`density.${value}`) }))}
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
          <PalettePreview />
          <CheckField
            label={t('pasteGuard.label')}
            hint={t('pasteGuard.hint')}
            checked={preferences.pasteGuard}
            onChange={(event) => changePreferences({ pasteGuard: event.target.checked })}
          />
        </section>
        <Suspense fallback={null}>
          <Certificates isWanted={opened.part === 'certificates'} />
        </Suspense>
        <Kept />
        <Notices />
      </div>
    </Dialog>
  );
}

/** The chosen colours as they will look, on the theme that is painted now. */
function PalettePreview() {
  const t = useTranslations('settings.preview');
  const { palette, theme, terminalPx } = usePreferences();
  const dark = useMedia('(prefers-color-scheme: dark)');
  const moreContrast = useMedia('(prefers-contrast: more)');
  const painted = paintedTheme(theme, { dark, moreContrast });
  const { ground, ink, colours } = paletteFor(palette, painted);
  return (
    <figure>
      <figcaption className="sr-only">{t('label')}</figcaption>
      <div
        aria-hidden="true"
        className="overflow-hidden rounded-control border border-line p-3 font-mono leading-[1.2] whitespace-pre"
        style={{ background: ground, color: ink, fontSize: `${terminalPx}px` }}
      >
        {t('prompt')}
        <b>{t('command')}</b>
        {'\n'}
        {colours.slice(1, 7).map((colour, index) => (
          <span key={colour} style={{ color: colour }}>{`${t(`colour.${index + 1}`)} `}</span>
        ))}
      </div>
    </figure>
  );
}

function useMedia(query: string): boolean {
  const watch = useCallback(
    (listener: () => void) => {
      const media = matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(watch, () => matchMedia(query).matches);
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

/** The messages that appeared by themselves and left again, newest first. */
function Notices() {
  const t = useTranslations('settings.notices');
  const toasts = useToastLog();
  if (toasts.length === 0) return null;
  return (
    <section className="flex flex-col gap-2 border-t border-line pt-5">
      <h3 className="font-semibold">{t('title')}</h3>
      <ul className="space-y-1 text-sm text-ink-soft">
        {toasts.map((toast) => (
          <li key={toast.id}>{toast.text}</li>
        ))}
      </ul>
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
