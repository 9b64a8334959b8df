'use client';

import { useTranslations } from 'next-intl';
import { Badge } from '@/components/ui/badge.tsx';
import { CheckField, ChoiceField, SelectField, TextField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import type { SavedRoute } from '@/lib/saved.ts';
import {
  type ChosenServer,
  type ConnectForm,
  chooseServer,
  type FormProblems,
  needsHttps,
  OFFERED_CODE_PAGES,
} from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';
import type { ProxyQuestion } from './proxy-question.ts';
import { RouteFields } from './route-fields.tsx';
import { SignInFields } from './sign-in-fields.tsx';
import type { Road } from './use-road.ts';

/** What each group of fields is given. */
export interface FormPart {
  readonly form: ConnectForm;
  readonly problems: FormProblems;
  /** Those there are to choose from. */
  readonly routes: readonly SavedRoute[];
  /** The chosen one's, for the form's server. */
  readonly road: Road;
  /** What a proxy asked for in the last attempt; null when none did. */
  readonly asked: ProxyQuestion | null;
  /** Whether a route is being put together, or changed. */
  readonly editing: 'new' | 'route' | null;
  readonly onEdit: (editing: 'new' | 'route' | null) => void;
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

function ServerFields({ form, routes, problems, onChange }: FormPart) {
  const t = useTranslations();
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

function MoreFields({ form, routes, problems, onChange }: FormPart) {
  const t = useTranslations();
  const say = useProblemWords();
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
