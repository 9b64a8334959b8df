'use client';

import { useTranslations } from 'next-intl';
import { useEffect, useState } from 'react';
import { Go } from '@/components/go.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { usePreferences } from '@/components/use-preferences.ts';
import { readBuild } from '@/lib/build.ts';
import { changePreferences, THEMES } from '@/lib/preferences.ts';

const THEME_ICONS = { system: 'half', light: 'sun', dark: 'moon', contrast: 'eye' } as const;

/** Theme, language, version, the hash of what runs here, and the way to the page that explains it. */
export function Footer() {
  const t = useTranslations('footer');
  const { theme } = usePreferences();
  const [hash, setHash] = useState<string | null>(null);
  useEffect(() => {
    let isShown = true;
    void readBuild().then((build) => isShown && build && setHash(build.hash));
    return () => {
      isShown = false;
    };
  }, []);
  const following = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <footer className="mt-16 border-t border-line text-sm text-ink-soft">
      <div className="mx-auto flex max-w-5xl flex-wrap items-center gap-x-5 gap-y-1 px-4 py-3">
        <Go href="/sees/" className="link flex min-h-control items-center">
          {t('sees')}
        </Go>
        <span className="grow" />
        <span lang="en" className="flex items-center">
          {t('language')}
        </span>
        <button
          type="button"
          onClick={() => changePreferences({ theme: following })}
          className="flex min-h-control items-center gap-1.5 rounded-control hover:text-ink"
        >
          <Icon name={THEME_ICONS[theme]} />
          <span className="sr-only">{t('themeLabel')}</span>
          {t(`theme.${theme}`)}
        </button>
        <Go href="/sees/#build" className="flex min-h-control items-center gap-2 rounded-control hover:text-ink">
          <span>{t('version', { version: process.env.FAIRLEAD_VERSION ?? '' })}</span>
          {hash && <span className="font-mono text-xs">{hash.slice(0, 10)}</span>}
        </Go>
      </div>
    </footer>
  );
}
