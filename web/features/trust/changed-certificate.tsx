'use client';

import { useFormatter, useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { Icon } from '@/components/ui/icons.tsx';
import type { CertificateChange } from './certificate-change.ts';
import { Thumbprint } from './certificate-facts.tsx';
import { readPins } from './pin-book.ts';

/** The full stop: what was trusted beside what is shown now, what that can mean, and nothing to press by mistake. */
export default function ChangedCertificate({ error }: { error: CertificateChange }) {
  const t = useTranslations('trust');
  const format = useFormatter();
  const { details, code } = error;
  const date = (when: Date) => format.dateTime(when, { dateStyle: 'medium' });
  const expected = details.expected.split(', ');
  const pin = readPins()?.find(({ sha256 }) => expected.includes(sha256));
  const isOtherIssuer = code === 'tls.intercepted';
  return (
    <div role="alert" className="flex flex-col gap-5">
      <div className="flex gap-3">
        <span className="flex size-8 shrink-0 items-center justify-center rounded-full bg-bad text-on-bad">
          <Icon name="warning" />
        </span>
        <div className="max-w-[72ch]">
          <p className="font-medium">
            {t(isOtherIssuer ? 'changed.intercepted' : 'changed.replaced', {
              host: details.host,
              issuer: details.issuer,
            })}
          </p>
          <p className="mt-1 text-ink-soft">{t('changed.nothingSent')}</p>
        </div>
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Side title={pin ? t('changed.trustedSince', { date: date(new Date(pin.sinceMs)) }) : t('changed.trusted')}>
          <Line name={t('fact.issuer')}>{details.pinnedIssuer || t('changed.unknownIssuer')}</Line>
          {expected.map((sha256) => (
            <Line key={sha256} name={t('fact.sha256')}>
              <Thumbprint value={sha256} name={t('changed.oldThumbprint')} />
            </Line>
          ))}
        </Side>
        <Side isNow title={t('changed.now')}>
          <Line name={t('fact.issuer')} isDifferent={isOtherIssuer}>
            {details.issuer}
          </Line>
          <Line name={t('fact.sha256')} isDifferent>
            <Thumbprint value={details.sha256} name={t('changed.newThumbprint')} />
          </Line>
          <Line name={t('fact.valid')}>
            {t('fact.range', { from: date(new Date(details.notBefore)), to: date(new Date(details.notAfter)) })}
          </Line>
        </Side>
      </div>
      <div className="max-w-[72ch]">
        <h3 className="font-semibold">{t('changed.meaning')}</h3>
        <ul className="mt-1 list-disc space-y-1 pl-5 text-ink-soft">
          {(isOtherIssuer ? (['inspection', 'attack', 'renewed'] as const) : (['renewed', 'attack'] as const)).map(
            (what) => (
              <li key={what}>{t(`changed.can.${what}`)}</li>
            ),
          )}
        </ul>
        <p className="mt-3 text-ink-soft">{t('changed.next')}</p>
      </div>
      <code className="font-mono text-xs text-ink-soft">{code}</code>
    </div>
  );
}

function Side({ title, isNow = false, children }: { title: string; isNow?: boolean; children: ReactNode }) {
  return (
    <section
      className={`min-w-0 rounded-card ${isNow ? 'border-2 border-bad p-[15px]' : 'border border-line-strong p-4'}`}
    >
      <h3 className={`mb-3 font-semibold ${isNow ? 'text-bad' : ''}`}>{title}</h3>
      <dl className="flex flex-col gap-3">{children}</dl>
    </section>
  );
}

function Line({ name, isDifferent = false, children }: { name: string; isDifferent?: boolean; children: ReactNode }) {
  const t = useTranslations('trust.changed');
  return (
    <div>
      <dt className="text-sm text-ink-soft">
        {name}
        {isDifferent && <span className="text-bad"> · {t('different')}</span>}
      </dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  );
}
