'use client';

import type { TrustAnswer, TrustQuestion } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { CertificateFacts } from './certificate-facts.tsx';
import { CompareField } from './compare-field.tsx';
import { compareThumbprint } from './thumbprint.ts';

/**
 * A host that nothing vouches for: what it shows, and the decision. Focus begins where the thumbprint is compared, never
 * on trust; a pasted thumbprint that differs leaves only the way back.
 */
export default function FirstContactDialog({
  question,
  isProduction,
  onAnswer,
}: {
  question: TrustQuestion;
  isProduction: boolean;
  onAnswer: (answer: TrustAnswer) => void;
}) {
  const t = useTranslations('trust');
  const [pasted, setPasted] = useState('');
  const { evidence, target, warnings } = question;
  const comparison = compareThumbprint(pasted, evidence);
  const isBlocked = comparison === 'mismatch' || comparison === 'malformed';
  return (
    <Dialog
      title={t('first.title', { target })}
      size="large"
      isProduction={isProduction}
      onClose={() => onAnswer('refuse')}
      footer={
        <>
          <Button look="plain" className="mr-auto max-sm:mr-0 max-sm:w-full" onClick={() => onAnswer('refuse')}>
            {t('first.refuse')}
          </Button>
          <Button className="max-sm:w-full" disabled={isBlocked} onClick={() => onAnswer('trust-once')}>
            {t('first.once')}
          </Button>
          <Button
            className="max-sm:w-full"
            look="primary"
            disabled={isBlocked}
            icon="lock"
            onClick={() => onAnswer('pin')}
          >
            {t('first.pin')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-5">
        <div className="max-w-[72ch]">
          <p>{t('first.intro', { target })}</p>
          <p className="mt-1 text-ink-soft">{t('first.nothingSent')}</p>
        </div>
        <div className="rounded-card border border-line bg-ground p-4">
          <CertificateFacts evidence={evidence} />
        </div>
        {warnings.map((warning) => (
          <Note key={warning} tone="warn">
            {t(`warning.${warning}`)}
          </Note>
        ))}
        <CompareField value={pasted} comparison={comparison} onChange={setPasted} />
      </div>
    </Dialog>
  );
}
