'use client';

import type { Status } from '@fairlead/contract';
import { useTranslations } from 'next-intl';
import { type ReactNode, useEffect } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { isHandover, takeHandover } from '@/lib/demo-handover.ts';
import { keepDemoPassword } from '@/lib/vault.ts';
import { LiveSessions } from './live-sessions.tsx';
import { TargetList } from './target-list.tsx';
import { useSaved } from './use-saved.ts';

/** Fetches the dialog while the hand is still on its way to the button. */
const prepare = () => void import('@/features/connect/connect-dialog.tsx');

/** Home of someone signed in: three ways to begin, open sessions, and the servers one knows. */
export default function Begin({ status }: { status: Status }) {
  const t = useTranslations('home');
  const { targets } = useSaved();
  const isNew = targets.length === 0;
  useHandover();
  return (
    <div className="arrives py-10">
      <h1 className="text-2xl font-semibold tracking-tight">{t('title')}</h1>
      <p className="mt-1 mb-8 max-w-[72ch] text-ink-soft">{t('intro')}</p>
      <LiveSessions />
      {!isNew && <TargetList />}
      <section aria-label={t('begin')} className="grid gap-4 md:grid-cols-3">
        {status.demo && (
          <BeginCard rings={4} title={t('demo.title')} text={t('demo.text')}>
            <Button
              look={isNew ? 'primary' : 'quiet'}
              icon="play"
              onPointerEnter={prepare}
              onFocus={prepare}
              onClick={() => openWindow({ kind: 'demo' })}
            >
              {t('demo.action')}
            </Button>
            {status.demo.https && (
              <Button
                look="plain"
                aria-label={t('demo.httpsLabel')}
                onPointerEnter={prepare}
                onFocus={prepare}
                onClick={() => openWindow({ kind: 'demo', scheme: 'https' })}
              >
                {t('demo.https')}
              </Button>
            )}
            {status.demo.maze && (
              <Button
                look="plain"
                aria-label={t('demo.mazeLabel')}
                onPointerEnter={prepare}
                onFocus={prepare}
                onClick={() => openWindow({ kind: 'demo', isMaze: true })}
              >
                {t('demo.maze')}
              </Button>
            )}
          </BeginCard>
        )}
        <BeginCard rings={2} title={t('connect.title')} text={t('connect.text')}>
          <Button
            look={isNew && status.demo ? 'quiet' : 'primary'}
            icon="terminal"
            onPointerEnter={prepare}
            onFocus={prepare}
            onClick={() => openWindow({ kind: 'connect', targetId: null, part: 'server' })}
          >
            {t('connect.action')}
          </Button>
        </BeginCard>
        <BeginCard rings={3} title={t('proxy.title')} text={t('proxy.text')}>
          <Button
            icon="route"
            onPointerEnter={prepare}
            onFocus={prepare}
            onClick={() => openWindow({ kind: 'routes' })}
          >
            {t('proxy.action')}
          </Button>
        </BeginCard>
      </section>
      {status.canReach.targets.length === 0 && (
        <Note tone="warn" className="mt-6 max-w-[72ch]">
          <p>{status.demo ? t('reach.demoOnly') : t('reach.nothing')}</p>
          <pre className="mt-2 break-words whitespace-pre-wrap font-mono text-xs text-ink">{t('reach.example')}</pre>
        </Note>
      )}
      {isNew && <TargetList />}
    </div>
  );
}

/** A page opened through the maze's gateway brings the demo's password, and goes on where it was opened from. */
function useHandover(): void {
  useEffect(() => {
    if (!isHandover(location.hash)) return;
    const fragment = location.hash;
    history.replaceState(history.state, '', location.pathname + location.search);
    void takeHandover(fragment, globalThis.cookieStore).then(async (password) => {
      if (password !== null) await keepDemoPassword(password);
      openWindow({ kind: 'demo', isMaze: true });
    });
  }, []);
}

function BeginCard({
  rings,
  title,
  text,
  children,
}: {
  rings: 2 | 3 | 4;
  title: string;
  text: string;
  children: ReactNode;
}) {
  return (
    <div className="flex flex-col rounded-card border border-line bg-surface p-5">
      <RoadGlyph rings={rings} />
      <h2 className="mt-4 text-lg leading-tight font-semibold">{title}</h2>
      <p className="mt-1.5 mb-5 grow text-ink-soft">{text}</p>
      <div className="flex flex-wrap gap-2">{children}</div>
    </div>
  );
}

/** The hop line as a sign: as many rings as the road has stops, the one in question in the accent. */
function RoadGlyph({ rings }: { rings: 2 | 3 | 4 }) {
  const marked = rings === 3 ? 1 : rings - 1;
  return (
    <svg aria-hidden="true" viewBox="0 0 120 12" fill="none" strokeWidth="2" className="h-3 w-30 self-start">
      {[0, 1, 2, 3].slice(0, rings).map((index) => (
        <g key={index}>
          {index > 0 && <path d={`M${index * 36 - 24} 6h24`} className="stroke-line-strong" />}
          <circle cx={index * 36 + 6} cy="6" r="5" className={index === marked ? 'stroke-accent' : 'stroke-ink-soft'} />
        </g>
      ))}
    </svg>
  );
}
