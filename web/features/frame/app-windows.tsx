'use client';

import { lazy, Suspense } from 'react';
import { FullMessages } from '@/components/full-messages.tsx';
import type { AppWindow } from './windows.ts';

const Palette = lazy(() => import('@/features/palette/palette.tsx'));
const Settings = lazy(() => import('@/features/settings/settings-dialog.tsx'));
const Connect = lazy(() => import('@/features/connect/connect-dialog.tsx'));
const Demo = lazy(() => import('@/features/connect/demo-dialog.tsx'));
const Routes = lazy(() => import('@/features/connect/routes-dialog.tsx'));

/** The app-wide dialogs, each fetched when it is first opened. */
export default function AppWindows({ opened }: { opened: AppWindow }) {
  return (
    <Suspense fallback={null}>
      <FullMessages>
        {opened.kind === 'palette' && <Palette />}
        {opened.kind === 'settings' && <Settings opened={opened} />}
        {opened.kind === 'connect' && (
          <Connect
            opened={opened}
            key={opened.part === 'proxy' ? opened.sessionId : (opened.targetId ?? opened.part)}
          />
        )}
        {opened.kind === 'demo' && <Demo opened={opened} key={String(opened.isMaze)} />}
        {opened.kind === 'routes' && <Routes />}
      </FullMessages>
    </Suspense>
  );
}
