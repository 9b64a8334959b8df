'use client';

import { useFormatter, useTranslations } from 'next-intl';
import { useEffect, useRef, useState } from 'react';
import type { Block } from '../block-log.ts';

/** Error output of the reply that brought the prompt comes within it; a sentence is not said twice because of it. */
const SETTLE_MS = 150;

/** Says politely what has come to an end, for those who do not see it. */
export function Announcer(props: { ended: Block | null; said: string }) {
  const ended = useSettled(props.ended);
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
        {props.said}
      </p>
    </>
  );
}

/** The block as it stood a moment after it ended; what changes later is not said again. */
function useSettled(block: Block | null): Block | null {
  const [settled, setSettled] = useState(block);
  const latest = useRef(block);
  const id = block?.id ?? null;
  useEffect(() => {
    latest.current = block;
  });
  useEffect(() => {
    if (id === null) return;
    const timer = setTimeout(() => setSettled(latest.current), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return settled;
}
