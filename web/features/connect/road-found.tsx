'use client';

import type { Hop, ProxyRoute } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { Icon } from '@/components/ui/icons.tsx';
import { errorText } from '@/lib/error-text.ts';
import { printAddress } from '@/lib/saved.ts';
import type { SettingsAnswer } from './settings-reading.ts';
import type { Found } from './use-road.ts';

/** Longest piece of a script's own words that is shown. */
const MAX_SHOWN = 2000;

/** What settings give for a server, and why: for people to check, and the same wherever it is shown. */
export function RoadFound({
  found: { isLooking, reading, error },
  onUse,
  mayGoDirect = false,
}: {
  found: Found;
  /** Takes one of the other roads they name; left out where there is nothing to take it for. */
  onUse?: (hops: readonly Hop[]) => void;
  /** Whether the direct one may be taken too. */
  mayGoDirect?: boolean;
}) {
  const t = useTranslations();
  if (error !== null) {
    const told = errorText(error);
    return (
      <p role="alert" className="border-l-2 border-bad pl-3 text-sm">
        {t(told.messageKey, told.values)} {t(told.hintKey, told.values)}
      </p>
    );
  }
  return (
    <div
      role="status"
      aria-label={t('routes.found.label')}
      className="flex min-w-0 flex-col gap-2 text-sm wrap-anywhere empty:hidden"
    >
      {isLooking && <p className="text-ink-soft">{t('routes.found.looking')}</p>}
      {reading && (
        <>
          <p className="flex gap-2">
            <Icon name="check" className="mt-0.5 text-good" />
            <span>{t(`routes.found.source.${reading.source}`)}</span>
          </p>
          {reading.answer && reading.pacUrl === null && (
            <Answer answer={reading.answer} onUse={onUse} mayGoDirect={mayGoDirect} />
          )}
          {reading.warnings.length > 0 && (
            <ul className="flex flex-col gap-1 text-warn-ink">
              {reading.warnings.map(({ code, setting, about }) => (
                <li key={`${code} ${setting} ${about}`} className="flex gap-2">
                  <Icon name="warning" className="mt-0.5" />
                  <span className="min-w-0 wrap-anywhere">
                    {t(`routes.found.warning.${code}`, { setting: setting || '-', about: about || '-' })}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </div>
  );
}

function Answer({
  answer,
  onUse,
  mayGoDirect,
}: {
  answer: SettingsAnswer;
  onUse: ((hops: readonly Hop[]) => void) | undefined;
  mayGoDirect: boolean;
}) {
  const t = useTranslations('routes.found');
  const print = useRoadWords();
  const [first, ...others] = answer.routes;
  const words = [answer.raw, ...answer.alerts].filter((text) => text !== '');
  return (
    <>
      {first && (
        <p>
          <strong className="font-medium">{print(first)}</strong>{' '}
          <span className="text-ink-soft">{t(`why.${answer.why}`)}</span>
        </p>
      )}
      {others.length > 0 && (
        <div className="text-ink-soft">
          <p>{t('others')}</p>
          <ol className="list-decimal pl-6" start={2}>
            {others.map((route) => (
              <li key={route.name}>
                {print(route)}{' '}
                {onUse && (route.hops.length > 0 || mayGoDirect) && (
                  <button
                    type="button"
                    className="link pointer-coarse:min-h-11"
                    aria-label={t('useOther', { road: print(route) })}
                    onClick={() => onUse(route.hops)}
                  >
                    {t('useIt')}
                  </button>
                )}
              </li>
            ))}
          </ol>
        </div>
      )}
      {answer.unresolved.length > 0 && (
        <p className="wrap-anywhere text-ink-soft">
          {t('unresolved', { names: answer.unresolved.slice(0, 10).join(', ') })}
        </p>
      )}
      {words.length > 0 && (
        <figure>
          <figcaption className="text-ink-soft">{t('raw')}</figcaption>
          <pre
            lang=""
            className="mt-1 rounded-control bg-sunken p-2 font-mono text-xs wrap-anywhere whitespace-pre-wrap"
          >
            {words.join('\n').slice(0, MAX_SHOWN)}
          </pre>
        </figure>
      )}
    </>
  );
}

/** A road in words: its proxies, from the relay on. */
export function useRoadWords(): (route: ProxyRoute) => string {
  const t = useTranslations('routes.found');
  return ({ hops }) =>
    hops.length === 0
      ? t('direct')
      : hops
          .map((hop) =>
            t(hop.kind === 'socks5' ? 'road.socks' : hop.tls === true ? 'road.tls' : 'road.plain', {
              address: printAddress(hop),
            }),
          )
          .join(', ');
}
