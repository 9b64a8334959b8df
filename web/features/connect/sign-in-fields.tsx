'use client';

import { useTranslations } from 'next-intl';
import { lazy, Suspense, useState } from 'react';
import { SelectField, TextField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import type { SavedPolicy } from '@/lib/saved.ts';
import type { FormPart } from './connect-fields.tsx';
import { chooseServer, needsHttps } from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';

const CertificateField = lazy(() => import('./certificate-field.tsx'));

const POLICIES: readonly SavedPolicy[] = ['negotiate', 'ntlm', 'negotiate-raw', 'basic', 'certificate'];

/** Who signs in, and how. What would be readable without TLS can be chosen for https targets only. */
export function SignInFields(part: FormPart) {
  const { form, routes, problems, onChange } = part;
  const t = useTranslations();
  const say = useProblemWords();
  const server = chooseServer(form, routes);
  const target = server !== null && 'target' in server ? server.target : null;
  const isHttp = target?.scheme === 'http';
  const isByCertificate = form.policy === 'certificate';
  return (
    <fieldset className="flex flex-col gap-3 border-t border-line pt-4">
      <legend className="sr-only">{t('connect.signIn')}</legend>
      <SelectField
        label={t('connect.signIn')}
        name="policy"
        value={form.policy}
        error={problems.policy && say(problems.policy, t(`connect.policy.${form.policy}`))}
        hint={
          <>
            {t(`connect.policyHint.${form.policy}`)}
            {isHttp && <span className="mt-1 block">{t('connect.policyNeedsHttps')}</span>}
          </>
        }
        onChange={(event) => {
          const policy = POLICIES.find((known) => known === event.target.value);
          if (policy) onChange({ policy });
        }}
      >
        {POLICIES.map((policy) => {
          const isShut = isHttp && needsHttps(policy);
          return (
            <option key={policy} value={policy} disabled={isShut}>
              {isShut ? t('connect.httpsOnly', { name: t(`connect.policy.${policy}`) }) : t(`connect.policy.${policy}`)}
            </option>
          );
        })}
      </SelectField>
      {isByCertificate ? (
        <Suspense fallback={null}>
          <CertificateField
            certificate={form.certificate}
            error={problems.certificate && say(problems.certificate, t('connect.certificate.label'))}
            onOpened={(certificate) => onChange({ certificate })}
          />
        </Suspense>
      ) : (
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            name="user"
            label={t('connect.user')}
            value={form.user}
            placeholder={(server !== null && 'target' in server && server.user) || 'CORP\\ana'}
            autoComplete="username"
            isCode
            error={problems.user && say(problems.user, t('connect.user'))}
            onChange={(event) => onChange({ user: event.target.value })}
          />
          <PasswordField {...part} />
        </div>
      )}
      <p className="flex gap-2 text-sm text-ink-soft">
        <Icon name="key" className="mt-0.5" />
        {t(
          isByCertificate
            ? 'connect.certificateNote'
            : form.policy === 'basic'
              ? 'connect.basicNote'
              : 'connect.passwordNote',
        )}
      </p>
    </fieldset>
  );
}

function PasswordField({ form, problems, onChange }: FormPart) {
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
