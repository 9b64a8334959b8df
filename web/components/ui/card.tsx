import type { ReactNode } from 'react';

/** A bordered surface. Structure is hairlines, never shadows. */
export function Card({ className = '', children }: { className?: string; children: ReactNode }) {
  return <div className={`rounded-card border border-line bg-surface ${className}`}>{children}</div>;
}

const NOTE_TONES = {
  plain: 'border-line-strong',
  warn: 'border-warn',
  bad: 'border-bad',
  good: 'border-good',
} as const;

/** A remark with a rule at its left edge in the colour of its weight. */
export function Note({
  tone = 'plain',
  className = '',
  children,
}: {
  tone?: keyof typeof NOTE_TONES;
  className?: string;
  children: ReactNode;
}) {
  return <div className={`border-l-2 pl-3 text-sm text-ink-soft ${NOTE_TONES[tone]} ${className}`}>{children}</div>;
}

/** A key of the keyboard. */
export function Key({ children }: { children: ReactNode }) {
  return (
    <kbd className="rounded-sm border border-line-strong bg-sunken px-1 font-sans text-xs text-ink-soft">
      {children}
    </kbd>
  );
}
