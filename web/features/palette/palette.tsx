'use client';

import { useTranslations } from 'next-intl';
import { type KeyboardEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Key } from '@/components/ui/card.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { offeredActions, type PaletteAction, rankActions, watchActions } from './actions.ts';

const NONE: readonly PaletteAction[] = [];

/** Everything one can do now, found by typing; arrows choose, Enter does it, Escape closes. */
export default function Palette() {
  const t = useTranslations('palette');
  const offered = useSyncExternalStore(watchActions, offeredActions, () => NONE);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const found = rankActions(offered, typed);
  const isGrouped = new Set(found.map(({ group }) => group)).size > 1;
  const chosen = found[Math.min(at, found.length - 1)];

  useEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    list.current?.querySelector(`[aria-selected="true"]`)?.scrollIntoView({ block: 'nearest' });
  });

  const pick = (action: PaletteAction) => {
    openWindow(null);
    // After the palette has given focus back, so that what opens next can take it.
    setTimeout(action.run, 0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + 8,
      PageUp: at - 8,
      Home: event.ctrlKey ? 0 : undefined,
      End: event.ctrlKey ? found.length - 1 : undefined,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const isStep = event.key.startsWith('Arrow');
      setAt(isStep ? (to + found.length) % Math.max(found.length, 1) : Math.max(0, Math.min(to, found.length - 1)));
    } else if (event.key === 'Enter' && chosen) {
      event.preventDefault();
      pick(chosen);
    }
  };
  return (
    <dialog
      ref={dialog}
      aria-label={t('title')}
      onCancel={(event) => {
        event.preventDefault();
        openWindow(null);
      }}
      onMouseDown={(event) => event.target === event.currentTarget && openWindow(null)}
      className="opens top-[12dvh] mt-0 max-h-[70dvh] w-[calc(100vw-1.5rem)] max-w-xl flex-col overflow-hidden rounded-card border border-line-strong bg-surface text-ink open:flex"
    >
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={chosen && `palette-${chosen.id}`}
        aria-label={t('search')}
        placeholder={t('search')}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        className="min-h-12 shrink-0 border-b border-line bg-transparent px-4 text-lg outline-none placeholder:text-ink-soft"
      />
      <div
        ref={list}
        id="palette-list"
        role="listbox"
        aria-label={t('title')}
        className="min-h-0 overflow-y-auto p-1.5"
      >
        {found.map((action) => (
          <div
            key={action.id}
            id={`palette-${action.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={action === chosen}
            onPointerUp={() => pick(action)}
            onPointerMove={() => setAt(found.indexOf(action))}
            className="flex min-h-control cursor-pointer items-center gap-3 rounded-control px-2.5 aria-selected:bg-sunken"
          >
            <span className="min-w-0 grow truncate">{action.label}</span>
            {isGrouped && <span className="text-sm text-ink-soft">{action.group}</span>}
            {action.keys && <Key>{action.keys}</Key>}
          </div>
        ))}
        {found.length === 0 && <p className="px-3 py-4 text-ink-soft">{t('none', { typed })}</p>}
      </div>
      <p className="shrink-0 border-t border-line px-4 py-2 text-sm text-ink-soft">{t('hint')}</p>
    </dialog>
  );
}
