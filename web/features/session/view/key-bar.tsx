'use client';

import { useTranslations } from 'next-intl';
import { Icon, type IconName } from '@/components/ui/icons.tsx';

/** A key of the bar, by the name a keyboard event has. */
export type BarKey = 'Escape' | 'Tab' | 'Control' | 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

const KEYS: readonly { readonly key: BarKey; readonly sign?: string; readonly icon?: IconName }[] = [
  { key: 'Escape', sign: 'Esc' },
  { key: 'Tab', sign: 'Tab' },
  { key: 'Control', sign: 'Ctrl' },
  { key: 'ArrowUp', icon: 'up' },
  { key: 'ArrowDown', icon: 'down' },
  { key: 'ArrowLeft', icon: 'left' },
  { key: 'ArrowRight', icon: 'right' },
];

/** Keys a phone has not: shown for coarse pointers only; pressing one leaves the caret, and the keyboard, where it is. */
export function KeyBar({ isCtrlHeld, onKey }: { isCtrlHeld: boolean; onKey: (key: BarKey) => void }) {
  const t = useTranslations('session.keys');
  return (
    <div
      role="toolbar"
      aria-label={t('label')}
      className="hidden h-11 shrink-0 border-t border-line bg-ground pointer-coarse:flex"
    >
      {KEYS.map(({ key, sign, icon }) => (
        <button
          key={key}
          type="button"
          aria-label={t(key)}
          aria-pressed={key === 'Control' ? isCtrlHeld : undefined}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onKey(key)}
          className={`flex min-w-11 grow items-center justify-center text-sm outline-offset-[-2px] ${key === 'Control' && isCtrlHeld ? 'bg-accent text-on-accent' : 'active:bg-sunken'}`}
        >
          {icon ? <Icon name={icon} /> : sign}
        </button>
      ))}
    </div>
  );
}
