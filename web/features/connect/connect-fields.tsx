'use client';

import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { HopLine } from '@/components/hop-line.tsx';
import { plannedHops } from '@/components/hop-view.ts';
import { Badge } from '@/components/ui/badge.tsx';
import { CheckField, ChoiceField, SelectField, TextField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { useSaved } from '@/features/home/use-saved.ts';
import type { SavedRoute } from '@/lib/saved.ts';
import {
  type ChosenServer,
  type ConnectForm,
  chooseServer,
  type FormProblems,
  NO_PROXY_ACCOUNT,
  needsHttps,
  OFFERED_CODE_PAGES,
  printAddress,
} from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';
import { ProxyFields } from './proxy-fields.tsx';
import { RouteForm } from './route-form.tsx';
import { SignInFields } from './sign-in-fields.tsx';

const NEW_ROUTE = '+';

/** What each group of fields is given. */
export interface FormPart {
  readonly form: ConnectForm;
  readonly problems: FormProblems;
  /** What the route's proxy asked for in the last attempt; null when it did not. */
  readonly asked: string | null;
  readonly onChange: (part: Partial<ConnectForm>) => void;
}

/** The fields, in the order a person thinks of them; what is rarely needed is folded away. */
export function ConnectFields(part: FormPart) {
  return (
    <div className="flex flex-col gap-5">
      <ServerFields {...part} />
      <SignInFields {...part} />
      <RouteFields {...part} />
      <MoreFields {...part} />
    </div>
  );
}

function ServerFields({ form, problems, onChange }: FormPart) {
  const t = useTranslations();
  const { routes } = useSaved();
  const read = chooseServer(form, routes);
  const say = useProblemWords();
  return (
    <>
      <TextField
        data-first={form.server === '' || undefined}
        name="server"
        label={t('connect.server')}
        value={form.server}
        placeholder="web01.corp.example"
        isCode
        error={problems.server && say(problems.server, t('connect.server'))}
        hint={
          read === null ? (
            t('connect.serverHint')
          ) : 'problem' in read ? (
            say(read.problem, t('connect.server'))
          ) : (
            <span className="flex gap-2">
              <Icon name="check" className="mt-0.5 text-good" />
              <span>
                {t(`connect.understood.${read.target.scheme}`, {
                  host: read.target.host,
                  port: String(read.target.port),
                })}
                {read.user && (
                  <>
                    {' '}
                    <Badge>{t('connect.asUser', { user: read.user })}</Badge>
                  </>
                )}
              </span>
            </span>
          )
        }
        onChange={(event) => onChange({ server: event.target.value })}
      />
      {read !== null && 'target' in read && <Transport read={read} onChoose={(transport) => onChange({ transport })} />}
      <div>
        <ChoiceField
          label={t('connect.shell')}
          value={form.shell}
          choices={[
            { value: 'interactive', label: t('connect.interactive') },
            { value: 'command', label: t('connect.command') },
          ]}
          hint={t(form.shell === 'interactive' ? 'connect.interactiveHint' : 'connect.commandHint')}
          onChoose={(shell) => onChange({ shell })}
        />
        {form.shell === 'command' && (
          <TextField
            fieldClass="mt-3"
            name="command"
            label={t('connect.commandLine')}
            value={form.command}
            placeholder="ipconfig /all"
            isCode
            error={problems.command && say(problems.command, t('connect.commandLine'))}
            onChange={(event) => onChange({ command: event.target.value })}
          />
        )}
      </div>
    </>
  );
}

/** HTTPS or HTTP, where the server's text leaves it open; what is at stake in either case. */
function Transport({ read, onChoose }: { read: ChosenServer; onChoose: (scheme: 'https' | 'http') => void }) {
  const t = useTranslations('connect.transport');
  const { scheme } = read.target;
  const isWarned = scheme === 'http' && read.recommended === 'https';
  const hint = isWarned ? (
    <span className="inline-flex gap-1.5 text-warn-ink">
      <Icon name="warning" className="mt-0.5" />
      {t('proxied')}
    </span>
  ) : (
    t(`hint.${scheme}`)
  );
  if (!read.isBare) return isWarned ? <p className="-mt-3 text-sm">{hint}</p> : null;
  return (
    <ChoiceField
      label={t('label')}
      value={scheme}
      choices={(['https', 'http'] as const).map((value) => ({
        value,
        label: t(value === 'https' && read.recommended === 'https' ? 'httpsRecommended' : value),
      }))}
      hint={hint}
      onChoose={onChoose}
    />
  );
}

function RouteFields(part: FormPart) {
  const { form, problems, onChange } = part;
  const t = useTranslations('connect');
  const say = useProblemWords();
  const { routes } = useSaved();
  const [isAdding, setAdding] = useState(false);
  const route = routes.find(({ id }) => id === form.routeId);
  const read = chooseServer(form, routes);
  const target = read !== null && 'target' in read ? read.target : null;
  const isHttps = target?.scheme === 'https';
  return (
    <fieldset className="flex flex-col gap-3 border-t border-line pt-4">
      <legend className="sr-only">{t('route')}</legend>
      <SelectField
        label={t('route')}
        name="route"
        value={isAdding ? NEW_ROUTE : (route?.id ?? '')}
        error={problems.route && say(problems.route, t('route'))}
        hint={
          !isAdding && (
            <>
              {t(route === undefined ? 'routeHint.direct' : `routeHint.${route.kind}`)}
              {isHttps && routes.some(isForward) && <span className="mt-1 block">{t('routeNoForward')}</span>}
            </>
          )
        }
        onChange={({ target: { value } }) => {
          setAdding(value === NEW_ROUTE);
          if (value !== NEW_ROUTE) onChange({ routeId: value === '' ? null : value, ...NO_PROXY_ACCOUNT });
        }}
      >
        <option value="">{t('direct')}</option>
        {routes.map((saved) => (
          <option key={saved.id} value={saved.id} disabled={isHttps && isForward(saved)}>
            {t(isHttps && isForward(saved) ? 'routeHttpOnly' : 'routeNamed', {
              name: saved.name,
              address: printAddress(saved),
            })}
          </option>
        ))}
        <option value={NEW_ROUTE}>{t('newRoute')}</option>
      </SelectField>
      {isAdding && (
        <div className="rounded-card border border-line p-4">
          <RouteForm
            onSaved={(id) => {
              setAdding(false);
              onChange({ routeId: id, ...NO_PROXY_ACCOUNT });
            }}
            onCancel={() => setAdding(false)}
          />
        </div>
      )}
      <div className="rounded-card border border-line bg-ground px-4 py-4">
        <HopLine
          hops={plannedHops({
            relay: typeof location === 'undefined' ? '' : location.host,
            proxies: route ? [printAddress(route)] : [],
            server: target ? printAddress(target) : '',
            scheme: target?.scheme ?? 'http',
          })}
        />
      </div>
      <ProxyFields {...part} />
    </fieldset>
  );
}

const isForward = (route: SavedRoute): boolean => route.kind === 'http-forward';

function MoreFields({ form, problems, onChange }: FormPart) {
  const t = useTranslations();
  const say = useProblemWords();
  const { routes } = useSaved();
  const read = chooseServer(form, routes);
  const isHttps = read !== null && 'target' in read && read.target.scheme === 'https';
  return (
    <details className="group border-t border-line pt-3" open={problems.workingDirectory !== undefined || undefined}>
      <summary className="flex min-h-control list-none items-center gap-2 rounded-control font-medium">
        <Icon name="right" className="duration-[120ms] group-open:rotate-90" />
        {t('connect.more')}
      </summary>
      <div className="mt-3 grid gap-4 sm:grid-cols-2">
        <TextField
          name="name"
          label={t('connect.name')}
          hint={t('connect.nameHint')}
          value={form.name}
          maxLength={100}
          onChange={(event) => onChange({ name: event.target.value })}
        />
        <SelectField
          name="codePage"
          label={t('connect.codePage')}
          hint={t('connect.codePageHint')}
          value={form.codePage}
          onChange={(event) => onChange({ codePage: Number(event.target.value) })}
        >
          {OFFERED_CODE_PAGES.map(({ id, name }) => (
            <option key={id} value={id}>
              {`${id} · ${name}`}
            </option>
          ))}
        </SelectField>
        <TextField
          fieldClass="sm:col-span-2"
          name="workingDirectory"
          label={t('connect.workingDirectory')}
          value={form.workingDirectory}
          placeholder="C:\Windows\Temp"
          maxLength={260}
          isCode
          error={problems.workingDirectory && say(problems.workingDirectory, t('connect.workingDirectory'))}
          onChange={(event) => onChange({ workingDirectory: event.target.value })}
        />
        <CheckField
          label={t('connect.noProfile')}
          hint={t('connect.noProfileHint')}
          checked={form.noProfile}
          onChange={(event) => onChange({ noProfile: event.target.checked })}
        />
        <CheckField
          label={t('connect.production')}
          hint={t('connect.productionHint')}
          checked={form.isProduction}
          onChange={(event) => onChange({ isProduction: event.target.checked })}
        />
        {isHttps && (
          <>
            <CheckField
              label={t('connect.sealAlways')}
              hint={t(needsHttps(form.policy) ? 'connect.sealImpossible' : 'connect.sealAlwaysHint')}
              checked={form.sealsAlways && !needsHttps(form.policy)}
              disabled={needsHttps(form.policy)}
              onChange={(event) => onChange({ sealsAlways: event.target.checked })}
            />
            <CheckField
              label={t('connect.legacyTls')}
              hint={t('connect.legacyTlsHint')}
              checked={form.allowsLegacyTls}
              onChange={(event) => onChange({ allowsLegacyTls: event.target.checked })}
            />
          </>
        )}
      </div>
    </details>
  );
}
