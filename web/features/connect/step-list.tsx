'use client';

import { useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { Icon } from '@/components/ui/icons.tsx';
import type { StepView } from '@/features/session/session-registry.ts';

const LOOKS = {
  waiting: { icon: 'circle', colour: 'text-line-strong', words: 'text-ink-soft' },
  running: { icon: 'circle', colour: 'text-accent', words: 'text-ink font-medium' },
  done: { icon: 'check', colour: 'text-good', words: 'text-ink' },
  failed: { icon: 'cross', colour: 'text-bad', words: 'text-ink font-medium' },
} as const;

/** Steps with their times. The children open under the step that failed. */
export function StepList({ steps, children }: { steps: readonly StepView[]; children?: ReactNode }) {
  const t = useTranslations();
  return (
    <ol aria-live="polite">
      {steps.map((step, index) => {
        const look = LOOKS[step.state];
        return (
          <li key={step.id} className="relative flex gap-3 pb-3 last:pb-0">
            {index < steps.length - 1 && (
              <span aria-hidden="true" className="absolute top-5 bottom-0 left-[7.5px] w-px bg-line" />
            )}
            <Icon name={look.icon} className={`mt-0.5 bg-surface ${look.colour}`} />
            <div className="min-w-0 grow">
              <div className="flex items-baseline justify-between gap-3">
                <span className={look.words}>
                  {t(step.labelKey, step.params)}
                  <span className="sr-only">, {t(`progress.state.${step.state}`)}</span>
                </span>
                <span className="shrink-0 text-sm text-ink-soft tabular-nums">
                  {step.ms === null
                    ? step.state === 'running' && t('progress.state.running')
                    : t('hops.ms', { ms: Math.round(step.ms) })}
                </span>
              </div>
              {step.state === 'failed' && children}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
