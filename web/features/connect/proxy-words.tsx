'use client';

import { useTranslations } from 'next-intl';
import { Icon } from '@/components/ui/icons.tsx';
import type { ProxyQuestion } from './proxy-question.ts';

const SENTENCES = {
  'proxy.auth-required': 'required',
  'proxy.auth-rejected': 'rejected',
  'proxy.auth-unsupported': 'unsupported',
  'proxy.auth-loops': 'loops',
  'proxy.needs-https': 'https',
  'proxy.tls-failed': 'tls',
  'proxy.socks-refused': 'socks',
} as const satisfies Record<ProxyQuestion['code'], string>;

/** What a proxy asked for in the last attempt, and in a fold what it said itself. */
export function AskedBy({ asked }: { asked: ProxyQuestion }) {
  const t = useTranslations('connect.proxy');
  const { words, offered, mechanism, problem } = asked;
  const lines = words && [
    t('words.status', { status: words.status }),
    ...(words.via === '' ? [] : [`Via: ${words.via}`]),
    ...(words.proxyStatus === '' ? [] : [`Proxy-Status: ${words.proxyStatus}`]),
  ];
  return (
    <div className="min-w-0 border-l-2 border-warn pl-3 text-sm wrap-anywhere">
      <p>{t(`asked.${SENTENCES[asked.code]}`, { offered: offered || t('asked.nothing'), mechanism, problem })}</p>
      {lines !== null && words !== null && (
        <details className="group mt-1">
          <summary className="flex min-h-control list-none items-center gap-2 rounded-control text-ink-soft">
            <Icon name="right" className="duration-[120ms] group-open:rotate-90" />
            {t('words.fold')}
          </summary>
          <pre
            lang=""
            className="mt-1 rounded-control bg-sunken p-2 font-mono text-xs wrap-anywhere whitespace-pre-wrap"
          >
            {[...lines, ...(words.text === '' ? [] : ['', words.text])].join('\n')}
          </pre>
        </details>
      )}
    </div>
  );
}
