'use client';

import { useTranslations } from 'next-intl';
import { Icon, type IconName } from '@/components/ui/icons.tsx';
import type { SessionEntry } from '../session-registry.ts';
import { type StatusPart, statusParts } from '../status-line.ts';

const TONES = { plain: 'text-ink-soft', good: 'text-good', warn: 'text-warn-ink', bad: 'text-bad' } as const;
const ICONS: Readonly<Record<string, IconName>> = {
  sealed: 'lock',
  inner: 'lock',
  readable: 'lock-open',
  auth: 'key',
  link: 'route',
};

/** One line that says what is true about the connection; a press opens the whole of it. */
export function StatusBar({
  entry,
  tabMode,
  onOpenHops,
}: {
  entry: SessionEntry;
  tabMode: 'complete' | 'focus';
  onOpenHops: () => void;
}) {
  const t = useTranslations();
  const { request } = entry;
  const parts = statusParts({
    state: entry.state,
    route: request.route,
    policy: request.policy,
    port: entry.port,
    tls: entry.tls,
    sealsAlways: request.sealsAlways,
    codePage: request.shell.codePage,
    isFallback: entry.link?.via === 'http',
    isElsewhere: entry.isElsewhere,
  });
  return (
    <footer className="flex h-6 shrink-0 items-center gap-3 border-t border-line bg-ground px-3 text-xs">
      <button
        type="button"
        onClick={onOpenHops}
        className="flex h-6 min-w-0 items-center gap-3 overflow-hidden rounded-sm outline-offset-[-2px] hover:text-ink"
      >
        <span className="sr-only">{t('session.status.open')}</span>
        {parts.map((part) => (
          <Part key={part.id} part={part} words={t(part.key, part.values)} />
        ))}
      </button>
      <span className="grow" />
      {tabMode === 'focus' && <span className="shrink-0 text-warn-ink">{t('session.status.tabMoves')}</span>}
    </footer>
  );
}

function Part({ part, words }: { part: StatusPart; words: string }) {
  const icon = ICONS[part.id];
  const hiding =
    part.id === 'encoding' || part.id === 'inner' ? 'max-md:hidden' : part.id === 'auth' ? 'max-sm:hidden' : '';
  return (
    <span
      className={`flex min-w-0 items-center gap-1 whitespace-nowrap ${TONES[part.tone]} ${hiding} ${part.id === 'link' ? 'shrink' : 'shrink-0 max-sm:shrink'}`}
    >
      {icon && <Icon name={icon} className="size-3" />}
      <span className={`truncate ${part.id === 'sealed' || part.id === 'readable' ? 'max-sm:sr-only' : ''}`}>
        {words}
      </span>
    </span>
  );
}
