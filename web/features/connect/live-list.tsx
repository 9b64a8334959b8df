'use client';

import { useTranslations } from 'next-intl';
import { Suspense } from 'react';
import { FullMessages } from '@/components/full-messages.tsx';
import { Go } from '@/components/go.tsx';
import { Badge } from '@/components/ui/badge.tsx';
import { buttonClass } from '@/components/ui/button.tsx';
import { useSessions } from '@/features/session/session-registry.ts';

/** The sessions this tab holds open. */
export default function LiveList() {
  return (
    <Suspense fallback={null}>
      <FullMessages>
        <List />
      </FullMessages>
    </Suspense>
  );
}

function List() {
  const t = useTranslations();
  const sessions = useSessions();
  if (sessions.length === 0) return null;
  return (
    <section aria-labelledby="live" className="mb-8">
      <h2 id="live" className="mb-2 text-lg font-semibold">
        {t('live.title')}
      </h2>
      <ul className="divide-y divide-line rounded-card border border-line bg-surface">
        {sessions.map((session) => (
          <li key={session.id} className="flex min-h-row flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
            <span className="min-w-0 truncate font-medium">{session.request.label}</span>
            {session.request.isDemo && <Badge tone="warn">{t('demo.ribbon')}</Badge>}
            <span className="truncate font-mono text-xs text-ink-soft">{session.request.target}</span>
            <span className="grow" />
            <Badge tone={session.state.at === 'ready' ? 'good' : session.state.at === 'lost' ? 'bad' : 'plain'}>
              {t(`live.state.${session.state.at}`)}
            </Badge>
            <Go href={`/session/#${session.id}`} className={buttonClass('quiet')}>
              {t('live.open')}
            </Go>
          </li>
        ))}
      </ul>
    </section>
  );
}
