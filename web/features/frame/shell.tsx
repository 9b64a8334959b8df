'use client';

import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useSyncExternalStore } from 'react';
import { Toasts } from '@/components/ui/toast.tsx';
import { usePreferences } from '@/components/use-preferences.ts';
import { useActions } from '@/features/palette/use-actions.ts';
import { paintedTheme } from '@/lib/preferences.ts';
import { openedWindow, openWindow, watchWindow } from './windows.ts';

const Windows = lazy(() => import('./app-windows.tsx'));

/** What every page stands in: paints the theme, listens for the app's own keys, and holds its dialogs and toasts. */
export function Shell({ children }: { children: ReactNode }) {
  usePaintedTheme();
  useAppKeys();
  useAppActions();
  const opened = useSyncExternalStore(watchWindow, openedWindow, () => null);
  return (
    <>
      {children}
      <Toasts />
      {opened && (
        <Suspense fallback={null}>
          <Windows opened={opened} />
        </Suspense>
      )}
    </>
  );
}

function usePaintedTheme(): void {
  const { theme, density, textSize } = usePreferences();
  useEffect(() => {
    const root = document.documentElement;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const contrast = matchMedia('(prefers-contrast: more)');
    const paint = () => {
      root.dataset['theme'] = paintedTheme(theme, { dark: dark.matches, moreContrast: contrast.matches });
      root.dataset['density'] = density;
      root.dataset['text'] = textSize;
    };
    paint();
    dark.addEventListener('change', paint);
    contrast.addEventListener('change', paint);
    return () => {
      dark.removeEventListener('change', paint);
      contrast.removeEventListener('change', paint);
    };
  }, [theme, density, textSize]);
}

function useAppKeys(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isPalette = event.key === 'F1' || (event.ctrlKey && event.shiftKey && event.code === 'KeyP');
      if (!isPalette) return;
      event.preventDefault();
      openWindow(openedWindow()?.kind === 'palette' ? null : { kind: 'palette' });
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

function useAppActions(): void {
  const t = useTranslations('commands');
  const router = useRouter();
  useActions(
    useMemo(
      () => [
        {
          id: 'app.connect',
          label: t('connect'),
          group: t('group'),
          run: () => openWindow({ kind: 'connect', targetId: null, part: 'server' }),
        },
        { id: 'app.demo', label: t('demo'), group: t('group'), run: () => openWindow({ kind: 'demo' }) },
        {
          id: 'app.maze',
          label: t('maze'),
          group: t('group'),
          run: () => openWindow({ kind: 'demo', isMaze: true }),
        },
        { id: 'app.routes', label: t('routes'), group: t('group'), run: () => openWindow({ kind: 'routes' }) },
        { id: 'app.home', label: t('home'), group: t('group'), run: () => router.push('/') },
        { id: 'app.sessions', label: t('sessions'), group: t('group'), run: () => router.push('/session/') },
        { id: 'app.sees', label: t('sees'), group: t('group'), run: () => router.push('/sees/') },
        { id: 'app.settings', label: t('settings'), group: t('group'), run: () => openWindow({ kind: 'settings' }) },
      ],
      [t, router],
    ),
  );
}
