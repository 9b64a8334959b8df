'use client';

import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { Badge } from '@/components/ui/badge.tsx';
import { Button, IconButton } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { useSaved } from '@/features/home/use-saved.ts';
import { changeSaved, printAddress, type SavedRoute, withoutRoute } from '@/lib/saved.ts';
import { RouteForm } from './route-form.tsx';

/** The routes one saved, and a form for one more, or to change one of them. */
export default function RoutesDialog() {
  const t = useTranslations();
  const { routes } = useSaved();
  const [changed, setChanged] = useState<SavedRoute | null>(null);
  return (
    <Dialog
      title={t('routes.title')}
      onClose={() => openWindow(null)}
      footer={
        <Button
          look={routes.length > 0 ? 'primary' : 'quiet'}
          onClick={() => openWindow({ kind: 'connect', targetId: null, part: 'server' })}
        >
          {t('routes.useOne')}
        </Button>
      }
    >
      <div className="flex flex-col gap-5">
        {routes.length === 0 ? (
          <p className="text-ink-soft">{t('routes.empty')}</p>
        ) : (
          <ul className="divide-y divide-line rounded-card border border-line">
            {routes.map((route) => (
              <RouteRow key={route.id} route={route} onChange={() => setChanged(route)} />
            ))}
          </ul>
        )}
        <RouteForm
          key={changed?.id ?? 'new'}
          route={changed}
          onSaved={() => {
            setChanged(null);
            showToast(t('routes.saved'), 'good');
          }}
          {...(changed !== null && { onCancel: () => setChanged(null) })}
        />
        <Note>{t('routes.honest')}</Note>
      </div>
    </Dialog>
  );
}

const BADGES = { 'http-connect': 'connect', 'http-forward': 'forward', socks5: 'socks' } as const;

function RouteRow({ route, onChange }: { route: SavedRoute; onChange: () => void }) {
  const t = useTranslations('routes');
  const { name, hops, settings } = route;
  const last = hops.at(-1);
  return (
    <li className="flex min-h-row items-center gap-1 py-1.5 pr-2 pl-4">
      <div className="min-w-0 grow">
        <div className="flex flex-wrap items-center gap-x-2">
          <span className="truncate font-medium">{name}</span>
          {last && <Badge>{t(BADGES[last.kind])}</Badge>}
          {settings && <Badge>{t('automatic')}</Badge>}
        </div>
        <div className="truncate font-mono text-xs text-ink-soft">
          {settings === null ? hops.map(printAddress).join(', ') : settings.from}
        </div>
      </div>
      <IconButton icon="gear" label={t('editRoute', { name })} onClick={onChange} />
      <IconButton
        icon="trash"
        label={t('forget', { name })}
        onClick={() => {
          changeSaved((saved) => withoutRoute(saved, route.id));
          showToast(t('forgotten', { name }));
        }}
      />
    </li>
  );
}
