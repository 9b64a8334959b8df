'use client';

import { useTranslations } from 'next-intl';
import { useEffect, useSyncExternalStore } from 'react';
import { IconButton } from './button.tsx';
import { Icon } from './icons.tsx';

/** Words that appear by themselves and leave by themselves; they stay in the log for the life of the tab. */
export interface Toast {
  readonly id: number;
  readonly tone: 'plain' | 'good' | 'warn' | 'bad';
  readonly text: string;
}

/** Long enough to read twice; pointing at a toast or focusing it holds it. */
const SHOWN_MS = 7000;
/** Enough to look back; old ones are of no use. */
const MAX_LOGGED = 50;

let shown: readonly Toast[] = [];
let logged: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};
const watch = (listener: () => void) => {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
};
const NONE: readonly Toast[] = [];

/** Shows a sentence, already in the reader's language. */
export function showToast(text: string, tone: Toast['tone'] = 'plain'): void {
  lastId += 1;
  const toast = { id: lastId, tone, text };
  shown = [...shown.slice(-2), toast];
  logged = [toast, ...logged].slice(0, MAX_LOGGED);
  tell();
}

/** Every toast of this tab, newest first. */
export function useToastLog(): readonly Toast[] {
  return useSyncExternalStore(
    watch,
    () => logged,
    () => NONE,
  );
}

/** The place where toasts appear; once per page. */
export function Toasts() {
  const toasts = useSyncExternalStore(
    watch,
    () => shown,
    () => NONE,
  );
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-16 z-40 flex flex-col items-center gap-2"
    >
      {toasts.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

const ICONS = { plain: 'note', good: 'check', warn: 'warning', bad: 'warning' } as const;
const COLOURS = { plain: 'text-accent', good: 'text-good', warn: 'text-warn-ink', bad: 'text-bad' } as const;

function ToastCard({ toast }: { toast: Toast }) {
  const t = useTranslations('common');
  const dismiss = () => {
    shown = shown.filter((other) => other.id !== toast.id);
    tell();
  };
  useEffect(() => {
    const timer = setTimeout(() => {
      shown = shown.filter((other) => other.id !== toast.id);
      tell();
    }, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [toast.id]);
  return (
    <div className="arrives pointer-events-auto flex max-w-lg items-center gap-2 rounded-card border border-line-strong bg-surface py-1 pr-1 pl-3 text-sm">
      <Icon name={ICONS[toast.tone]} className={COLOURS[toast.tone]} />
      <span className="py-1">{toast.text}</span>
      <IconButton label={t('dismiss')} icon="cross" onClick={dismiss} />
    </div>
  );
}
