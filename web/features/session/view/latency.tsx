'use client';

import type { JournalEntry } from '@fairlead/protocol';
import { useFormatter, useTranslations } from 'next-intl';
import { HopLine } from '@/components/hop-line.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { Thumbprint } from '@/features/trust/certificate-facts.tsx';
import { shortSuite } from '../progress.ts';
import type { SessionEntry } from '../session-registry.ts';
import { roadRemarks } from './road-notices.tsx';

/** Round trips drawn in the strip. */
const SHOWN_TRIPS = 12;

/** The last round trip and how it has been, in the strip; a press opens the hops. */
export function LatencyButton({ entry, onOpen }: { entry: SessionEntry; onOpen: () => void }) {
  const t = useTranslations('session.latency');
  const trips = roundTrips(entry.journal?.entries ?? []).slice(-SHOWN_TRIPS);
  const last = entry.lastRoundTripMs;
  return (
    <button
      type="button"
      onClick={onOpen}
      aria-label={last === null ? t('openUnknown') : t('open', { ms: Math.round(last) })}
      title={t('title')}
      className="flex h-control items-center gap-2 rounded-control px-2 text-xs text-ink-soft hover:bg-sunken hover:text-ink"
    >
      {last !== null && <span className="whitespace-nowrap">{t('ms', { ms: Math.round(last) })}</span>}
      <Trips trips={trips} />
    </button>
  );
}

function Trips({ trips }: { trips: readonly Trip[] }) {
  const most = Math.max(1, ...trips.map((trip) => trip.ms));
  return (
    <svg aria-hidden="true" viewBox={`0 0 ${SHOWN_TRIPS * 3} 12`} className="h-3 w-9 max-sm:hidden">
      {trips.map(({ atMs, ms }, at) => {
        const height = Math.max(1.5, (ms / most) * 12);
        const x = (SHOWN_TRIPS - trips.length + at) * 3;
        return <rect key={atMs} x={x} y={12 - height} width="2" height={height} className="fill-accent" />;
      })}
    </svg>
  );
}

/** You, relay, proxies, server: times, bytes and handshakes, counted. */
export function HopDialog({ entry, onClose }: { entry: SessionEntry; onClose: () => void }) {
  const t = useTranslations();
  const format = useFormatter();
  const { counts } = entry;
  const bytes = (count: number) => {
    const unit = count < 10_000 ? 'byte' : count < 10_000_000 ? 'kilobyte' : 'megabyte';
    const value = count / { byte: 1, kilobyte: 1_000, megabyte: 1_000_000 }[unit];
    return format.number(value, { style: 'unit', unit, maximumFractionDigits: value < 100 ? 1 : 0 });
  };
  const trips = roundTrips(entry.journal?.entries ?? []);
  const facts: [string, string][] = [
    ['roundTrip', entry.lastRoundTripMs === null ? '–' : t('hops.ms', { ms: Math.round(entry.lastRoundTripMs) })],
    ['median', trips.length === 0 ? '–' : t('hops.ms', { ms: Math.round(median(trips.map((trip) => trip.ms))) })],
    ['exchanges', t('session.hops.count', { count: counts.exchanges })],
    ['sent', bytes(counts.requestBytes)],
    ['received', bytes(counts.responseBytes)],
    ['connections', t('session.hops.count', { count: counts.connections })],
    ['handshakes', t('session.hops.count', { count: counts.handshakes })],
    ['carried', t(`session.hops.carriedBy.${entry.link?.via ?? 'websocket'}`)],
  ];
  return (
    <Dialog title={t('session.hops.title', { name: entry.request.label })} size="large" onClose={onClose}>
      <div className="flex flex-col gap-6">
        <HopLine hops={entry.hops} size="large" />
        <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-4">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt className="text-xs text-ink-soft">{t(`session.hops.${name}`)}</dt>
              <dd className="text-lg">{value}</dd>
            </div>
          ))}
        </dl>
        <ul className="flex flex-col gap-1 text-sm">
          {entry.steps.map((step) => (
            <li key={step.id} className="flex justify-between gap-4 border-b border-line pb-1 last:border-0">
              <span>{t(step.labelKey, step.params)}</span>
              <span className="shrink-0 text-ink-soft">
                {step.ms === null ? '–' : t('hops.ms', { ms: Math.round(step.ms) })}
              </span>
            </li>
          ))}
        </ul>
        {entry.tls && (
          <dl className="grid gap-x-6 gap-y-3 border-t border-line pt-4 sm:grid-cols-4">
            <div>
              <dt className="text-xs text-ink-soft">{t('session.hops.tls')}</dt>
              <dd>
                {t('session.hops.tlsVersion', { version: entry.tls.version, suite: shortSuite(entry.tls.suite) })}
              </dd>
            </div>
            <div>
              <dt className="text-xs text-ink-soft">{t('session.hops.group')}</dt>
              <dd>{entry.tls.group}</dd>
            </div>
            <div className="sm:col-span-2">
              <dt className="text-xs text-ink-soft">{t('session.hops.trust')}</dt>
              <dd>{t(`session.hops.trustedBy.${entry.tls.trustedBy}`)}</dd>
            </div>
            <div className="sm:col-span-4">
              <dt className="text-xs text-ink-soft">{t('session.hops.thumbprint')}</dt>
              <dd>
                <Thumbprint value={entry.tls.sha256} name={t('trust.fact.sha256')} />
              </dd>
            </div>
          </dl>
        )}
        <ul className="flex flex-col gap-2 empty:hidden">
          {roadRemarks(entry).map(({ key, words, values }) => (
            <li key={key} className="max-w-[72ch] border-l-2 border-warn pl-3 text-sm">
              {t(words, values)}
            </li>
          ))}
        </ul>
        <p className="max-w-[72ch] text-sm text-ink-soft">{t('session.hops.note')}</p>
      </div>
    </Dialog>
  );
}

interface Trip {
  readonly atMs: number;
  readonly ms: number;
}

/** Exchanges that carry what a person does; a Receive waits for output and says nothing about the road. */
function roundTrips(entries: readonly JournalEntry[]): Trip[] {
  return entries.flatMap(({ ms: atMs, what }) =>
    what.event === 'exchange' && what.lane === 'control' && ROUND_TRIPS.has(what.operation.toLowerCase())
      ? [{ atMs, ms: what.ms }]
      : [],
  );
}

const ROUND_TRIPS = new Set(['send', 'signal', 'command', 'create']);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
