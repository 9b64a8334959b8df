'use client';

import { useTranslations } from 'next-intl';
import { useEffect, useRef, useState } from 'react';
import { Badge } from '@/components/ui/badge.tsx';
import { Button } from '@/components/ui/button.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { Menu } from '@/components/ui/menu.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { ago } from '@/lib/ago.ts';
import { changeSaved, type SavedTarget, searchTargets, withoutTarget } from '@/lib/saved.ts';
import { useSaved } from './use-saved.ts';

/** From this many on, a list wants searching. */
const SEARCH_FROM = 5;

/** The servers one saved or used, newest first, with a search field that `/` reaches. */
export function TargetList() {
  const t = useTranslations('home.targets');
  const { targets, routes } = useSaved();
  const [typed, setTyped] = useState('');
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof Element && event.target.closest('input,textarea,select,dialog');
      if (event.key !== '/' || event.ctrlKey || event.altKey || event.metaKey || isTyping || !search.current) return;
      event.preventDefault();
      search.current.focus();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
  const found = searchTargets(targets, typed);
  return (
    <section aria-labelledby="targets" className="my-8">
      <div className="mb-2 flex min-h-control flex-wrap items-center gap-3">
        <h2 id="targets" className="text-lg font-semibold">
          {t('title')}
        </h2>
        <span className="grow" />
        {targets.length >= SEARCH_FROM && (
          <label className="relative block w-full sm:w-64">
            <span className="sr-only">{t('search')}</span>
            <Icon name="search" className="absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-soft" />
            <input
              ref={search}
              type="search"
              value={typed}
              placeholder={t('searchHint')}
              onChange={(event) => setTyped(event.target.value)}
              className="min-h-control w-full rounded-control border border-line-strong bg-sunken pr-2 pl-8 placeholder:text-ink-soft"
            />
          </label>
        )}
      </div>
      {targets.length === 0 ? (
        <p className="rounded-card border border-dashed border-line-strong px-5 py-8 text-center text-ink-soft">
          {t('empty')}
        </p>
      ) : (
        <ul className="divide-y divide-line rounded-card border border-line bg-surface">
          {found.map((target) => (
            <TargetRow
              key={target.id}
              target={target}
              routeName={routes.find((route) => route.id === target.routeId)?.name ?? null}
            />
          ))}
          {found.length === 0 && <li className="px-5 py-6 text-center text-ink-soft">{t('noneFound', { typed })}</li>}
        </ul>
      )}
    </section>
  );
}

function TargetRow({ target, routeName }: { target: SavedTarget; routeName: string | null }) {
  const t = useTranslations('home.targets');
  const open = () => openWindow({ kind: 'connect', targetId: target.id, part: 'server' });
  const title = target.name || target.target;
  const when = ago(target.usedAt, Date.now());
  return (
    <li className="relative flex min-h-row items-center gap-3 py-1.5 pr-2 pl-4">
      {target.isProduction && (
        <span aria-hidden="true" className="absolute inset-y-0 left-0 w-1 rounded-l-card bg-bad" />
      )}
      <div className="min-w-0 grow">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <span className={`truncate font-medium ${target.name ? '' : 'font-mono text-sm'}`}>{title}</span>
          {target.isProduction && (
            <Badge tone="bad" icon="warning">
              {t('production')}
            </Badge>
          )}
        </div>
        <div className="flex flex-wrap gap-x-3 text-sm text-ink-soft">
          {target.name && <span className="truncate font-mono text-xs leading-5">{target.target}</span>}
          {target.user && <span className="truncate">{target.user}</span>}
          <span>{routeName === null ? t('direct') : t('via', { name: routeName })}</span>
          {when && <span>{t('used', { when })}</span>}
        </div>
      </div>
      <Button onClick={open} aria-label={t('connectTo', { name: title })}>
        {t('connect')}
      </Button>
      <Menu
        label={t('more', { name: title })}
        items={[
          { id: 'edit', label: t('edit'), icon: 'gear', onPick: open },
          {
            id: 'forget',
            label: t('forget'),
            icon: 'trash',
            isDangerous: true,
            onPick: () => {
              changeSaved((saved) => withoutTarget(saved, target.id));
              showToast(t('forgotten', { name: title }));
            },
          },
        ]}
      />
    </li>
  );
}
