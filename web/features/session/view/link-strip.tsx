'use client';

import { useFormatter, useTranslations } from 'next-intl';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { errorText } from '@/lib/error-text.ts';
import type { LinkView } from '../session-entry.ts';
import { hurrySession, type SessionEntry } from '../session-registry.ts';
import { Strip } from './notices.tsx';

/** A link that is back sooner is not worth a word. */
const SHOWN_AFTER_MS = 700;

/** The way to the relay, or to the server, is broken: since when, what holds, and when it is tried again. */
export function LinkStrip({ entry, queuedCount }: { entry: SessionEntry; queuedCount: number }) {
  const { state, link } = entry;
  const isBroken = state.at === 'ready' && state.link !== 'live';
  const now = useNow(isBroken);
  const isOffline = useSyncExternalStore(
    watchNetwork,
    () => !navigator.onLine,
    () => false,
  );
  if (state.at !== 'ready') return null;
  if (link === null || !isBroken) {
    if (isOffline) return <Quiet words="link.offline" />;
    return isBroken ? <Quiet words={state.link === 'held' ? 'held.text' : 'reopening.text'} /> : null;
  }
  // The state is told a moment before the figures.
  if (link.state === 'live') return null;
  const times = timesOf(link, now);
  if (times.sinceMs < SHOWN_AFTER_MS) return null;
  const parts = { entry, link, times, queuedCount, isOffline };
  return link.state === 'held' ? <Held {...parts} /> : <Reopening {...parts} />;
}

interface Times {
  readonly sinceMs: number;
  readonly retryInMs: number;
  readonly leftMs: number | null;
}

interface StripParts {
  readonly entry: SessionEntry;
  readonly link: LinkView;
  readonly times: Times;
  readonly queuedCount: number;
  readonly isOffline: boolean;
}

function Held({ entry, link, times, queuedCount, isOffline }: StripParts) {
  const t = useTranslations('session.link');
  const format = useFormatter();
  const left =
    times.leftMs === null
      ? null
      : `${Math.floor(times.leftMs / 60_000)}:${String(Math.floor((times.leftMs / 1000) % 60)).padStart(2, '0')}`;
  const bytes = format.number(link.heldBytes, { style: 'unit', unit: 'byte', unitDisplay: 'long' });
  return (
    <Strip tone="warn" isOver actions={<Again entry={entry} times={times} />}>
      <p role="status" className="sr-only">
        {t('heldSaid')}
      </p>
      <p aria-hidden="true">
        {t('held', { seconds: seconds(times.sinceMs) })} {left !== null && t('keeps', { left })}
      </p>
      <p className="mt-0.5 text-ink-soft empty:hidden">
        {[
          isOffline && t('offline'),
          queuedCount > 0 && t('lines', { count: queuedCount }),
          link.heldBytes > 0 && t('bytes', { bytes }),
        ]
          .filter((words) => words !== false)
          .join(' ')}
      </p>
    </Strip>
  );
}

function Reopening({ entry, link, times, queuedCount, isOffline }: StripParts) {
  const t = useTranslations();
  const why = link.error && errorText(link.error);
  return (
    <Strip tone="warn" isOver actions={link.attempt > 0 && <Again entry={entry} times={times} />}>
      <p role="status" className="sr-only">
        {t(link.attempt > 0 ? 'session.link.anewSaid' : 'session.reopening.text')}
      </p>
      <p aria-hidden="true">
        {link.attempt > 0
          ? t('session.link.anew', { seconds: seconds(times.sinceMs), name: entry.request.label })
          : t('session.reopening.text')}
      </p>
      <p className="mt-0.5 text-ink-soft empty:hidden">
        {[
          why && t(why.messageKey, why.values),
          isOffline && t('session.link.offline'),
          queuedCount > 0 && t('session.link.lines', { count: queuedCount }),
        ]
          .filter((words) => typeof words === 'string')
          .join(' ')}
      </p>
    </Strip>
  );
}

/** Without figures: before they have been told, and where only the device says that something is amiss. */
function Quiet({ words }: { words: 'link.offline' | 'held.text' | 'reopening.text' }) {
  const t = useTranslations('session');
  return (
    <Strip tone="warn" isOver actions={null}>
      <p role="status">{t(words)}</p>
    </Strip>
  );
}

/** The countdown, and the button that does not wait for it. Numbers change in place and are not read out. */
function Again({ entry, times }: { entry: SessionEntry; times: Times }) {
  const t = useTranslations('session.link');
  return (
    <>
      <span aria-hidden="true" className="min-w-[15ch] text-right whitespace-nowrap text-ink-soft">
        {times.retryInMs < 50 ? t('trying') : t('retry', { seconds: Math.ceil(times.retryInMs / 1000) })}
      </span>
      <Button aria-label={t('nowLabel')} onClick={() => hurrySession(entry.id)}>
        {t('now')}
      </Button>
    </>
  );
}

/** What was told, carried on to this moment. */
function timesOf({ toldAtMs, sinceMs, retryInMs, givenUpInMs }: LinkView, now: number): Times {
  const passed = Math.max(0, now - toldAtMs);
  return {
    sinceMs: sinceMs + passed,
    retryInMs: Math.max(0, retryInMs - passed),
    leftMs: givenUpInMs === null ? null : Math.max(0, givenUpInMs - passed),
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** The page's clock, a few times a second while it is looked at. */
function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!isRunning) return;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}

function watchNetwork(listener: () => void): () => void {
  addEventListener('online', listener);
  addEventListener('offline', listener);
  return () => {
    removeEventListener('online', listener);
    removeEventListener('offline', listener);
  };
}
