'use client';

import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { type RelayStanding, refreshStanding } from '@/lib/relay-status.ts';

/** Why there is nothing to sign in to: no cryptography on this address, or no relay behind it. */
export function StandingProblem({
  standing,
}: {
  standing: Extract<RelayStanding, { at: 'insecure' } | { at: 'unreachable' }>;
}) {
  const t = useTranslations('standing');
  const [isBusy, setBusy] = useState(false);
  const at = standing.at;
  const again = async () => {
    setBusy(true);
    await refreshStanding();
    setBusy(false);
  };
  return (
    <section className="arrives mx-auto max-w-lg py-16">
      <h1 className="flex items-start gap-3 text-xl font-semibold">
        <Icon name="warning" className="mt-1 text-warn-ink" />
        {t(`${at}.title`)}
      </h1>
      <p className="mt-3 text-ink-soft">{t(`${at}.text`)}</p>
      <p className="mt-2 mb-6 text-ink-soft">{t(`${at}.fix`)}</p>
      {at === 'insecure' && (
        <pre className="mb-6 break-words whitespace-pre-wrap rounded-control border border-line bg-sunken p-3 font-mono text-sm">
          {t('insecure.example')}
        </pre>
      )}
      <Button look="primary" icon="reload" isBusy={isBusy} onClick={() => void again()}>
        {t('again')}
      </Button>
    </section>
  );
}
