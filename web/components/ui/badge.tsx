import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

const TONES = {
  plain: 'text-ink-soft border-line-strong',
  accent: 'text-accent border-accent',
  good: 'text-good border-good',
  warn: 'text-warn-ink border-warn',
  bad: 'text-bad border-bad',
} as const;

/** Colour of a badge. `bad` is for failure, a changed pin, and production. */
export type Tone = keyof typeof TONES;

/** A small word with a border: a state is an icon, a word and a colour together. */
export function Badge({ tone = 'plain', icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center gap-1 rounded-control border px-1.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {icon && <Icon name={icon} className="size-3" />}
      {children}
    </span>
  );
}
