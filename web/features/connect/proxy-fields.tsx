'use client';

import { useTranslations } from 'next-intl';
import { CheckField, TextField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { useSaved } from '@/features/home/use-saved.ts';
import type { FormPart } from './connect-fields.tsx';
import { chooseServer, proxyStanding, routeOf } from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';

/** Who signs in to the route's proxy, apart from who signs in to the server; for an http target, why nobody does. */
export function ProxyFields({ form, problems, asked, onChange }: FormPart) {
  const t = useTranslations('connect.proxy');
  const say = useProblemWords();
  const { routes } = useSaved();
  const server = chooseServer(form, routes);
  const standing = proxyStanding(server !== null && 'target' in server ? server.target : null, routeOf(form, routes));
  if (standing === 'none') return null;
  if (standing === 'needs-https') return <p className="text-sm text-ink-soft">{t('needsHttps')}</p>;
  const isWanted = asked !== null || form.proxyUser !== '' || problems.proxyUser || problems.proxyPassword;
  return (
    <details className="group" open={isWanted ? true : undefined}>
      <summary className="flex min-h-control list-none items-center gap-2 rounded-control font-medium">
        <Icon name="right" className="duration-[120ms] group-open:rotate-90" />
        {t('fold')}
      </summary>
      <div className="mt-3 flex flex-col gap-3">
        {asked !== null && <p className="text-sm">{t('asked', { offered: asked })}</p>}
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            name="proxyUser"
            label={t('user')}
            value={form.proxyUser}
            isCode
            error={problems.proxyUser && say(problems.proxyUser, t('user'))}
            onChange={(event) => onChange({ proxyUser: event.target.value })}
          />
          <TextField
            name="proxyPassword"
            type="password"
            label={t('password')}
            value={form.proxyPassword}
            error={problems.proxyPassword && say(problems.proxyPassword, t('password'))}
            onChange={(event) => onChange({ proxyPassword: event.target.value })}
          />
        </div>
        <CheckField
          label={t('basic')}
          hint={t('basicHint')}
          checked={form.allowsProxyBasic}
          onChange={(event) => onChange({ allowsProxyBasic: event.target.checked })}
        />
        <p className="flex gap-2 text-sm text-ink-soft">
          <Icon name="key" className="mt-0.5" />
          {t('note')}
        </p>
      </div>
    </details>
  );
}
