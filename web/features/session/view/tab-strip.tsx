'use client';

import { useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { Go } from '@/components/go.tsx';
import { Badge } from '@/components/ui/badge.tsx';
import { IconButton } from '@/components/ui/button.tsx';
import { Icon, Mark } from '@/components/ui/icons.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import type { SessionEntry } from '../session-registry.ts';

/** The open sessions side by side, the way home, and at the right what belongs to the one shown. */
export function TabStrip({
  sessions,
  activeId,
  onShow,
  onClose,
  children,
}: {
  sessions: readonly SessionEntry[];
  activeId: string | null;
  onShow: (id: string) => void;
  onClose: (id: string) => void;
  children?: ReactNode;
}) {
  const t = useTranslations('session');
  return (
    <header className="flex h-10 shrink-0 items-stretch border-b border-line bg-ground pointer-coarse:h-11">
      <Go
        href="/"
        aria-label={t('home')}
        title={t('home')}
        className="flex w-11 shrink-0 items-center justify-center outline-offset-[-2px] hover:bg-sunken"
      >
        <Mark className="size-5" />
      </Go>
      <nav
        aria-label={t('tabs.label')}
        data-region="tabs"
        className="flex min-w-0 items-stretch overflow-x-auto [scrollbar-width:none]"
      >
        <ul className="flex items-stretch">
          {sessions.map((session, at) => (
            <Tab
              key={session.id}
              session={session}
              place={at + 1}
              isActive={session.id === activeId}
              onShow={() => onShow(session.id)}
              onClose={() => onClose(session.id)}
            />
          ))}
        </ul>
      </nav>
      <div className="flex shrink-0 items-center pl-1">
        <IconButton
          label={t('tabs.new')}
          icon="plus"
          onClick={() => openWindow({ kind: 'connect', targetId: null, part: 'server' })}
        />
      </div>
      <div className="grow" />
      <div className="flex shrink-0 items-center gap-0.5 pr-1">{children}</div>
    </header>
  );
}

const DOTS = {
  ready: 'border-good bg-good',
  running: 'border-accent bg-accent',
  opening: 'border-accent',
  reopening: 'border-warn bg-warn',
  held: 'border-warn bg-warn',
  ended: 'border-line-strong',
  failed: 'border-bad bg-bad',
} as const;

function Tab({
  session,
  place,
  isActive,
  onShow,
  onClose,
}: {
  session: SessionEntry;
  place: number;
  isActive: boolean;
  onShow: () => void;
  onClose: () => void;
}) {
  const t = useTranslations('session');
  const tDemo = useTranslations('demo');
  const { request } = session;
  const standing = standingOf(session);
  return (
    <li
      className={`group relative flex items-stretch border-r border-line ${isActive ? 'bg-sunken' : 'hover:bg-sunken'}`}
    >
      {isActive && (
        <span
          aria-hidden="true"
          className={`absolute inset-x-0 top-0 h-0.5 ${request.isProduction ? 'bg-bad' : request.isDemo ? 'bg-warn' : 'bg-accent'}`}
        />
      )}
      <button
        type="button"
        aria-current={isActive ? 'page' : undefined}
        title={`${request.label} · ${session.address}${place <= 9 ? ` (Alt+${place})` : ''}`}
        onClick={onShow}
        className={`flex max-w-56 items-center gap-2 pl-3 text-sm outline-offset-[-2px] max-sm:max-w-36 ${isActive ? 'text-ink' : 'text-ink-soft'}`}
      >
        <span aria-hidden="true" className={`size-2 shrink-0 rounded-full border ${DOTS[standing]}`} />
        <span className="truncate font-medium">{request.label}</span>
        {request.isDemo && <Badge tone="warn">{tDemo('ribbon')}</Badge>}
        <span className="sr-only">{t(`standing.${standing}`)}</span>
        {request.isProduction && <Badge tone="bad">{t('production')}</Badge>}
      </button>
      <button
        type="button"
        aria-label={t('tabs.close', { name: request.label })}
        title={t('tabs.close', { name: request.label })}
        onClick={onClose}
        className="mx-1 my-auto flex size-6 items-center justify-center rounded-control text-ink-soft hover:bg-line hover:text-ink pointer-coarse:size-11"
      >
        <Icon name="cross" className="size-3" />
      </button>
    </li>
  );
}

/** Where a session stands, in one word that has a dot, a sentence and a colour. */
function standingOf(session: SessionEntry): keyof typeof DOTS {
  const { state, isRunning } = session;
  switch (state.at) {
    case 'ready':
      if (state.link !== 'live') return state.link;
      return isRunning ? 'running' : 'ready';
    case 'ended':
      return 'ended';
    case 'lost':
      return 'failed';
    case 'closed':
      return state.error === null ? 'ended' : 'failed';
    default:
      return 'opening';
  }
}
