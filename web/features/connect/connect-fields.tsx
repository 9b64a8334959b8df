'use client';

import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { HopLine } from '@/components/hop-line.tsx';
import { plannedHops } from '@/components/hop-view.ts';
import { Badge } from '@/components/ui/badge.tsx';
import { CheckField, ChoiceField, SelectField, TextField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { useSaved } from '@/features/home/use-saved.ts';
import type { SavedPolicy } from '@/lib/saved.ts';
import { type ConnectForm, type FormProblems, OFFERED_CODE_PAGES, printAddress, readServer } from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';
import { RouteForm } from './route-form.tsx';

const POLICIES: readonly SavedPolicy[] = ['negotiate', 'ntlm', 'negotiate-raw'];
const NEW_ROUTE = '+';

interface Part {
  readonly form: ConnectForm;
  readonly problems: FormProblems;
  readonly onChange: (part: Partial<ConnectForm>) => void;
}

/** The fields, in the order a person thinks of them; what is rarely needed is folded away. */
export function ConnectFields(part: Part) {
  return (
    <div className="flex flex-col gap-5">
      <ServerFields {...part} />
      <SignInFields {...part} />
      <RouteFields {...part} />
      <MoreFields {...part} />
    </div>
  );
}

function ServerFields({ form, problems, onChange }: Part) {
  const t = useTranslations();
  const read = readServer(form.server);
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
                {t('connect.understood', { host: read.target.host, port: String(read.target.port) })}
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

function SignInFields({ form, problems, onChange }: Part) {
  const t = useTranslations();
  const say = useProblemWords();
  const read = readServer(form.server);
  const impliedUser = read !== null && 'target' in read ? read.user : null;
  return (
    <fieldset className="flex flex-col gap-3 border-t border-line pt-4">
      <legend className="sr-only">{t('connect.signIn')}</legend>
      <SelectField
        label={t('connect.signIn')}
        name="policy"
        value={form.policy}
        hint={t(`connect.policyHint.${form.policy}`)}
        onChange={(event) => {
          const policy = POLICIES.find((known) => known === event.target.value);
          if (policy) onChange({ policy });
        }}
      >
        {POLICIES.map((policy) => (
          <option key={policy} value={policy}>
            {t(`connect.policy.${policy}`)}
          </option>
        ))}
      </SelectField>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          name="user"
          label={t('connect.user')}
          value={form.user}
          placeholder={impliedUser ?? 'CORP\\ana'}
          autoComplete="username"
          isCode
          error={problems.user && say(problems.user, t('connect.user'))}
          onChange={(event) => onChange({ user: event.target.value })}
        />
        <PasswordField form={form} problems={problems} onChange={onChange} />
      </div>
      <p className="flex gap-2 text-sm text-ink-soft">
        <Icon name="key" className="mt-0.5" />
        {t('connect.passwordNote')}
      </p>
    </fieldset>
  );
}

function PasswordField({ form, problems, onChange }: Part) {
  const t = useTranslations();
  const say = useProblemWords();
  const [isShown, setShown] = useState(false);
  return (
    <TextField
      name="password"
      data-first={form.server !== '' || undefined}
      type={isShown ? 'text' : 'password'}
      label={t('connect.password')}
      value={form.password}
      autoComplete="current-password"
      error={problems.password && say(problems.password, t('connect.password'))}
      aside={
        <button
          type="button"
          aria-pressed={isShown}
          className="link text-sm pointer-coarse:min-h-11"
          onClick={() => setShown(!isShown)}
        >
          {t(isShown ? 'connect.hidePassword' : 'connect.showPassword')}
        </button>
      }
      onChange={(event) => onChange({ password: event.target.value })}
    />
  );
}

function RouteFields({ form, problems, onChange }: Part) {
  const t = useTranslations('connect');
  const say = useProblemWords();
  const { routes } = useSaved();
  const [isAdding, setAdding] = useState(false);
  const route = routes.find(({ id }) => id === form.routeId);
  const read = readServer(form.server);
  const server = read !== null && 'target' in read ? printAddress(read.target) : '';
  return (
    <fieldset className="flex flex-col gap-3 border-t border-line pt-4">
      <legend className="sr-only">{t('route')}</legend>
      <SelectField
        label={t('route')}
        name="route"
        value={isAdding ? NEW_ROUTE : (route?.id ?? '')}
        error={problems.route && say(problems.route, t('route'))}
        hint={isAdding ? null : t(route === undefined ? 'routeHint.direct' : `routeHint.${route.kind}`)}
        onChange={({ target: { value } }) => {
          setAdding(value === NEW_ROUTE);
          if (value !== NEW_ROUTE) onChange({ routeId: value === '' ? null : value });
        }}
      >
        <option value="">{t('direct')}</option>
        {routes.map((saved) => (
          <option key={saved.id} value={saved.id}>
            {t('routeNamed', { name: saved.name, address: printAddress(saved) })}
          </option>
        ))}
        <option value={NEW_ROUTE}>{t('newRoute')}</option>
      </SelectField>
      {isAdding && (
        <div className="rounded-card border border-line p-4">
          <RouteForm
            onSaved={(id) => {
              setAdding(false);
              onChange({ routeId: id });
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
            server,
          })}
        />
      </div>
    </fieldset>
  );
}

function MoreFields({ form, problems, onChange }: Part) {
  const t = useTranslations();
  const say = useProblemWords();
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
      </div>
    </details>
  );
}
