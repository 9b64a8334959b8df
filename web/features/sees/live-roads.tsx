'use client';

import { useTranslations } from 'next-intl';
import { HopLine } from '@/components/hop-line.tsx';
import { useSessions } from '@/features/session/session-registry.ts';

/** The roads of this tab's sessions, hop by hop, as they are now. */
export default function LiveRoadList() {
  const t = useTranslations('sees.live');
  const sessions = useSessions().filter(({ state }) => state.at === 'ready');
  if (sessions.length === 0) return null;
  return (
    <section aria-labelledby="live-roads" className="mt-12">
      <h2 id="live-roads" className="text-xl font-semibold">
        {t('title')}
      </h2>
      <p className="mt-1 mb-4 max-w-[72ch] text-ink-soft">{t('text')}</p>
      <ul className="flex flex-col gap-4">
        {sessions.map((session) => (
          <li key={session.id} className="rounded-card border border-line bg-surface px-4 py-5">
            <h3 className="mb-4 font-medium">{session.request.label}</h3>
            <HopLine hops={session.hops} size="large" />
          </li>
        ))}
      </ul>
    </section>
  );
}
