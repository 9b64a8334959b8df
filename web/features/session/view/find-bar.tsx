'use client';

import { useTranslations } from 'next-intl';
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { IconButton } from '@/components/ui/button.tsx';
import type { FindQuery, Screen } from '../screen/screen.ts';

type Switch = 'isCaseSensitive' | 'isWholeWord' | 'isRegex';

const SWITCHES: readonly { readonly name: Switch; readonly sign: string }[] = [
  { name: 'isCaseSensitive', sign: 'Aa' },
  { name: 'isWholeWord', sign: 'ab|' },
  { name: 'isRegex', sign: '.*' },
];

/** Finds text in the output: as one types, with counts, forward and back. */
export function FindBar({ screen, request, onClose }: { screen: Screen; request: number; onClose: () => void }) {
  const t = useTranslations('session.find');
  const field = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState<FindQuery>({
    text: '',
    isRegex: false,
    isCaseSensitive: false,
    isWholeWord: false,
  });
  const watch = useCallback((listener: () => void) => screen.watch(listener), [screen]);
  const found = useSyncExternalStore(
    watch,
    () => screen.lastFind,
    () => screen.lastFind,
  );
  const [isBad, setBad] = useState(false);
  useEffect(() => {
    if (request === 0) return;
    field.current?.focus();
    field.current?.select();
  }, [request]);
  useEffect(() => () => screen.endFind(), [screen]);
  const search = (next: FindQuery, direction: 'next' | 'previous') => {
    setQuery(next);
    setBad(screen.find(next, direction).isBadRegex);
  };
  const result = isBad
    ? t('badRegex')
    : query.text === ''
      ? ''
      : found.count === 0
        ? t('none')
        : found.at === 0
          ? t('many', { count: found.count })
          : t('count', { at: found.at, count: found.count });
  return (
    <search
      aria-label={t('label')}
      data-region="find"
      className="opens absolute top-2 right-3 z-20 flex max-w-[calc(100%-1.5rem)] flex-wrap items-center gap-1 rounded-control border border-line-strong bg-surface p-1"
    >
      <input
        ref={field}
        type="text"
        aria-label={t('label')}
        placeholder={t('placeholder')}
        value={query.text}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => search({ ...query, text: event.target.value }, 'previous')}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === 'Enter') search(query, event.shiftKey ? 'next' : 'previous');
          if (event.key === 'Escape') onClose();
        }}
        className="min-h-7 w-40 rounded-sm bg-sunken px-2 text-sm"
      />
      <output className={`min-w-16 text-xs ${isBad ? 'text-bad' : 'text-ink-soft'}`}>{result}</output>
      {SWITCHES.map(({ name, sign }) => (
        <button
          key={name}
          type="button"
          aria-pressed={query[name]}
          title={t(name)}
          onClick={() => search({ ...query, [name]: !query[name] }, 'previous')}
          className={`size-7 rounded-sm font-mono text-xs pointer-coarse:size-11 ${query[name] ? 'bg-accent text-on-accent' : 'text-ink-soft hover:bg-sunken'}`}
        >
          <span aria-hidden="true">{sign}</span>
          <span className="sr-only">{t(name)}</span>
        </button>
      ))}
      <IconButton
        label={t('previous')}
        icon="up"
        className="!size-7 pointer-coarse:!size-11"
        onClick={() => search(query, 'previous')}
      />
      <IconButton
        label={t('next')}
        icon="down"
        className="!size-7 pointer-coarse:!size-11"
        onClick={() => search(query, 'next')}
      />
      <IconButton label={t('close')} icon="cross" className="!size-7 pointer-coarse:!size-11" onClick={onClose} />
    </search>
  );
}
