'use client';

import { useTranslations } from 'next-intl';
import { TextField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import type { Comparison } from './thumbprint.ts';

/** Where the thumbprint goes that somebody gave by another way; says whether it is the shown one. */
export function CompareField({
  value,
  comparison,
  onChange,
}: {
  value: string;
  comparison: Comparison;
  onChange: (value: string) => void;
}) {
  const t = useTranslations('trust.compare');
  const isWrong = comparison === 'mismatch' || comparison === 'malformed';
  return (
    <TextField
      data-first
      label={t('label')}
      value={value}
      isCode
      error={isWrong && t(comparison)}
      hint={
        comparison === 'match' ? (
          <span role="status" className="inline-flex gap-1.5 font-medium text-good">
            <Icon name="check" className="mt-0.5" />
            {t('match')}
          </span>
        ) : (
          t('hint')
        )
      }
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
