'use client';

import { useTranslations } from 'next-intl';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { useStanding } from '@/features/frame/use-standing.ts';
import { type AppWindow, openWindow } from '@/features/frame/windows.ts';
import { connect, useSession } from '@/features/session/session-registry.ts';
import { signOut } from '@/lib/relay-status.ts';
import { findDemoPassword } from '@/lib/vault.ts';
import { ConnectProgress } from './connect-progress.tsx';
import { markConnected } from './connected.ts';
import { MazeList } from './maze-list.tsx';
import { beginTrial, noteTrial } from './maze-outcomes.ts';
import { type MazeWay, type RoomId, requestOf } from './maze-ways.ts';

/** Opens the demo at once, because host, proxy and password are known; or shows its maze. */
export default function DemoDialog({ opened }: { opened: Extract<AppWindow, { kind: 'demo' }> }) {
  const t = useTranslations('demo');
  const standing = useStanding();
  const demo = standing.at === 'signed-in' ? standing.status.demo : null;
  // Undefined until it was looked for, null when there is none.
  const [password, setPassword] = useState<string | null>();
  const [sessionId, setSessionId] = useState<string | null>(null);
  const [lastRoom, setLastRoom] = useState<RoomId | null>(null);
  const isStarted = useRef(false);
  useTrialNotes(sessionId);
  const begin = useCallback(
    (way: MazeWay, secret: string) => {
      if (demo === null) return;
      const isPlain = way.room === 'straight' || way.room === 'strips' || way.isAround;
      const label = isPlain ? t(way.scheme === 'https' ? 'labelHttps' : 'label') : t(`maze.room.${way.room}.label`);
      markConnected();
      const id = connect(requestOf(demo, way, secret, { label, proxy: t(`maze.room.${way.room}.proxy`) }));
      beginTrial(way, id);
      setSessionId(id);
      setLastRoom(way.room);
    },
    [demo, t],
  );
  useEffect(() => {
    if (isStarted.current || demo === null) return;
    isStarted.current = true;
    void findDemoPassword().then((found) => {
      setPassword(found);
      if (found === null || opened.isMaze) return;
      const scheme = opened.scheme === 'https' && demo.https ? 'https' : 'http';
      begin({ room: 'straight', scheme, isAround: false }, found);
    });
  }, [demo, opened, begin]);
  if (sessionId !== null && typeof password === 'string') {
    return (
      <ConnectProgress
        sessionId={sessionId}
        password={password}
        isProduction={false}
        onReady={() => undefined}
        onHttps={
          lastRoom && demo?.https
            ? () => begin({ room: lastRoom, scheme: 'https', isAround: false }, password)
            : undefined
        }
        onBack={() => (opened.isMaze ? setSessionId(null) : openWindow(null))}
      />
    );
  }
  if (demo !== null && password === undefined) return null;
  if (demo !== null && typeof password === 'string') {
    if (!opened.isMaze) return null;
    return <MazeList demo={demo} password={password} lastRoom={lastRoom} onOpen={(way) => begin(way, password)} />;
  }
  return (
    <Dialog
      title={t('title')}
      size="small"
      onClose={() => openWindow(null)}
      footer={
        demo && (
          <Button
            look="primary"
            onClick={() => {
              openWindow(null);
              void signOut();
            }}
          >
            {t('signInAgain')}
          </Button>
        )
      }
    >
      <p>{t(demo ? 'noPassword' : 'noDemo')}</p>
    </Dialog>
  );
}

/** Notes what comes of the session whose progress is shown, for when it is gone. */
function useTrialNotes(sessionId: string | null): void {
  const entry = useSession(sessionId ?? '');
  useEffect(() => {
    if (entry !== null) noteTrial(entry.id, entry.state);
  }, [entry]);
}
