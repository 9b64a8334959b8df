'use client';

import { useTranslations } from 'next-intl';
import { Badge } from '@/components/ui/badge.tsx';
import { Button, IconButton } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { useSaved } from '@/features/home/use-saved.ts';
import { changeSaved, withoutRoute } from '@/lib/saved.ts';
import { printAddress } from './connect-form.ts';
import { RouteForm } from './route-form.tsx';

/** The proxies one saved, and a form for one more. */
export default function RoutesDialog() {
  const t = useTranslations();
  const { routes } = useSaved();
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
              <li key={route.id} className="flex min-h-row items-center gap-3 py-1.5 pr-2 pl-4">
                <div className="min-w-0 grow">
                  <div className="flex flex-wrap items-center gap-x-2">
                    <span className="truncate font-medium">{route.name}</span>
                    <Badge>{t(route.kind === 'http-connect' ? 'routes.connect' : 'routes.forward')}</Badge>
                  </div>
                  <div className="truncate font-mono text-xs text-ink-soft">{printAddress(route)}</div>
                </div>
                <IconButton
                  icon="trash"
                  label={t('routes.forget', { name: route.name })}
                  onClick={() => {
                    changeSaved((saved) => withoutRoute(saved, route.id));
                    showToast(t('routes.forgotten', { name: route.name }));
                  }}
                />
              </li>
            ))}
          </ul>
        )}
        <RouteForm onSaved={() => showToast(t('routes.saved'), 'good')} />
        <Note>{t('routes.honest')}</Note>
      </div>
    </Dialog>
  );
}
