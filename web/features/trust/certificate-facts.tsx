'use client';

import type { CertificateEvidence } from '@fairlead/protocol';
import { useFormatter, useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { IconButton } from '@/components/ui/button.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { groupsOf } from './groups.ts';

/** Who a certificate says it is, who vouches for that, until when, and the thumbprints to compare. */
export function CertificateFacts({ evidence }: { evidence: CertificateEvidence }) {
  const t = useTranslations('trust.fact');
  const format = useFormatter();
  const date = (iso: string) => format.dateTime(new Date(iso), { dateStyle: 'long' });
  return (
    <dl className="grid gap-x-6 gap-y-3 sm:grid-cols-[8.5rem_1fr]">
      <Fact name={t('subject')}>{evidence.subject || '–'}</Fact>
      <Fact name={t('issuer')}>
        {evidence.issuer || '–'}
        {evidence.issuer === evidence.subject && <span className="block text-sm text-ink-soft">{t('selfSigned')}</span>}
      </Fact>
      <Fact name={t('names')}>
        <span className="font-mono text-sm">{evidence.names}</span>
      </Fact>
      <Fact name={t('valid')}>{t('range', { from: date(evidence.notBefore), to: date(evidence.notAfter) })}</Fact>
      <Fact name={t('sha256')}>
        <Thumbprint value={evidence.sha256} name={t('sha256')} />
      </Fact>
      <Fact name={t('sha1')}>
        <Thumbprint value={evidence.sha1} name={t('sha1')} />
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents max-sm:block">
      <dt className="text-sm text-ink-soft">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  );
}

/** A thumbprint in groups of four, as an eye compares it, with a button that copies it. */
export function Thumbprint({ value, name }: { value: string; name: string }) {
  const t = useTranslations();
  const copy = () =>
    navigator.clipboard.writeText(value).then(
      () => showToast(t('common.copied'), 'good'),
      () => showToast(t('common.notCopied'), 'warn'),
    );
  return (
    <span className="flex items-start gap-1">
      <span className="min-w-0 font-mono text-sm leading-6 [word-spacing:0.15em]">{groupsOf(value).join(' ')}</span>
      <IconButton
        label={t('trust.copy', { name })}
        icon="copy"
        className="-my-1 shrink-0"
        onClick={() => void copy()}
      />
    </span>
  );
}
