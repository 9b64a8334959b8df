'use client';

import { useFormatter, useTranslations } from 'next-intl';
import type { Block } from '../block-log.ts';

/** Says politely what has come to an end, for those who do not see it. */
export function Announcer({ ended, said }: { ended: Block | null; said: string }) {
  const t = useTranslations('session.announce');
  const format = useFormatter();
  const words =
    ended === null
      ? ''
      : t(ended.status === 'interrupted' ? 'interrupted' : 'finished', {
          command: ended.command.slice(0, 60),
          lines: ended.lineCount,
          errors: ended.errorLineCount,
          seconds: format.number((ended.durationMs ?? 0) / 1000, { maximumFractionDigits: 1 }),
        });
  return (
    <>
      <p role="status" className="sr-only">
        {/* The id makes two equal sentences two announcements. */}
        <span key={ended?.id}>{words}</span>
      </p>
      <p role="status" className="sr-only">
        {said}
      </p>
    </>
  );
}
