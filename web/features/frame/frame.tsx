'use client';

import { useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { Go } from '@/components/go.tsx';
import { IconButton } from '@/components/ui/button.tsx';
import { Mark } from '@/components/ui/icons.tsx';
import { Footer } from './footer.tsx';
import { openWindow } from './windows.ts';

/** The page around everything but a session: the mark, the ways to go, and the footer. */
export function Frame({ aside, children }: { aside?: ReactNode; children: ReactNode }) {
  const t = useTranslations();
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#main" className="skip">
        {t('common.skip')}
      </a>
      <header className="border-b border-line">
        <div className="mx-auto flex min-h-12 max-w-5xl items-center gap-2 px-4">
          <Go href="/" className="flex min-h-control items-center gap-2 rounded-control pr-2 text-lg font-semibold">
            <Mark />
            {t('app.name')}
          </Go>
          <div className="grow" />
          {aside}
          <IconButton label={t('nav.commands')} icon="keyboard" onClick={() => openWindow({ kind: 'palette' })} />
          <IconButton label={t('nav.settings')} icon="gear" onClick={() => openWindow({ kind: 'settings' })} />
        </div>
      </header>
      <main id="main" tabIndex={-1} className="mx-auto w-full max-w-5xl grow px-4 outline-none">
        {children}
      </main>
      <Footer />
    </div>
  );
}
