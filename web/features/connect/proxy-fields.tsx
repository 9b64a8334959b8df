'use client';

import type { Hop } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { CheckField, SelectField, TextField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { useStanding } from '@/features/frame/use-standing.ts';
import { printAddress } from '@/lib/saved.ts';
import type { FormPart } from './connect-fields.tsx';
import { asHttps, targetOf } from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';
import { AskedBy } from './proxy-words.tsx';
import { NO_SIGN_IN, type ProxyDraft, type ProxyMeans, proxyStanding } from './road-form.ts';

const MEANS: readonly ProxyMeans[] = ['best', 'windows', 'digest', 'basic'];

/**
 * Who signs in to each proxy of the road, apart from who signs in to the server; for an http target, why nobody does,
 * and what can be done.
 */
export function ProxyFields(part: FormPart) {
  const { form, routes, road, asked } = part;
  const target = targetOf(form, routes);
  const hops = road.hops ?? [];
  const standings = hops.map((hop) => proxyStanding(hop, target?.scheme ?? null, form.isHttpDangerChosen));
  const isHttp = target?.scheme !== 'https' && hops.length > 0;
  return (
    <>
      {isHttp && <HttpBehindSignIn {...part} isForward={standings.every((standing) => standing === 'never')} />}
      {hops.map((hop, i) => {
        const isAsked = asked?.hop === i + 1 && asked.host === hop.host && asked.port === hop.port;
        const key = `${i} ${printAddress(hop)}`;
        if (standings[i] === 'may')
          return <SignIn key={key} {...part} asked={isAsked ? asked : null} hop={hop} place={i + 1} />;
        return isAsked && <AskedBy key={key} asked={asked} />;
      })}
    </>
  );
}

/** The seed's rule R5, before it is hit: behind a proxy that wants a sign-in the server is reached by https. */
function HttpBehindSignIn({ form, routes, onChange, isForward }: FormPart & { isForward: boolean }) {
  const t = useTranslations('connect.proxy');
  const standing = useStanding();
  const mayChoose = standing.at === 'signed-in' && standing.status.canReach.httpBehindSignIn === true && !isForward;
  const secure = isForward ? null : asHttps(form, routes);
  return (
    <div className="flex flex-col gap-2 text-sm text-ink-soft">
      <p>
        {t(isForward ? 'forwardNever' : 'needsHttps')}
        {secure !== null && (
          <>
            {' '}
            <button
              type="button"
              name="useHttps"
              className="link pointer-coarse:min-h-11"
              onClick={() => onChange(secure)}
            >
              {t('useHttps')}
            </button>
          </>
        )}
      </p>
      {mayChoose && (
        <CheckField
          name="httpDanger"
          label={
            <span className="inline-flex gap-1.5 text-warn-ink">
              <Icon name="warning" className="mt-0.5" />
              {t('danger')}
            </span>
          }
          hint={t('dangerHint')}
          checked={form.isHttpDangerChosen}
          onChange={(event) => onChange({ isHttpDangerChosen: event.target.checked })}
        />
      )}
    </div>
  );
}

function SignIn({ form, problems, asked, onChange, hop, place }: FormPart & { hop: Hop; place: number }) {
  const t = useTranslations('connect.proxy');
  const say = useProblemWords();
  const address = printAddress(hop);
  const draft = form.signIns[address] ?? NO_SIGN_IN;
  const change = (part: Partial<ProxyDraft>) =>
    onChange({ signIns: { ...form.signIns, [address]: { ...draft, ...part } } });
  const [userProblem, passwordProblem] = [problems[`proxyUser${place}`], problems[`proxyPassword${place}`]];
  const isWanted = asked !== null || draft.user !== '' || userProblem !== undefined || passwordProblem !== undefined;
  const isSocks = hop.kind === 'socks5';
  const isShown = isSocks || draft.means === 'basic';
  return (
    <details className="group" open={isWanted ? true : undefined}>
      <summary className="flex min-h-control list-none items-center gap-2 rounded-control font-medium">
        <Icon name="right" className="duration-[120ms] group-open:rotate-90" />
        <span className="min-w-0 break-words">{t('fold', { address })}</span>
      </summary>
      <fieldset className="mt-3 flex min-w-0 flex-col gap-3">
        <legend className="sr-only">{t('fold', { address })}</legend>
        {asked !== null && <AskedBy asked={asked} />}
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            name={`proxyUser${place}`}
            label={t('user')}
            value={draft.user}
            isCode
            error={userProblem && say(userProblem, t('user'))}
            onChange={(event) => change({ user: event.target.value })}
          />
          <TextField
            name={`proxyPassword${place}`}
            type="password"
            label={t('password')}
            value={draft.password}
            error={passwordProblem && say(passwordProblem, t('password'))}
            onChange={(event) => change({ password: event.target.value })}
          />
        </div>
        {!isSocks && (
          <SelectField
            name={`proxyMeans${place}`}
            label={t('meansLabel')}
            value={draft.means}
            hint={draft.means !== 'basic' && t(`meansHint.${draft.means}`)}
            onChange={(event) => {
              const means = MEANS.find((known) => known === event.target.value);
              if (means) change({ means });
            }}
          >
            {MEANS.map((means) => (
              <option key={means} value={means}>
                {t(`means.${means}`)}
              </option>
            ))}
          </SelectField>
        )}
        {isShown ? (
          <p className="flex gap-2 text-sm text-warn-ink">
            <Icon name="warning" className="mt-0.5" />
            {t(isSocks ? 'socksShows' : 'basicShows')}
          </p>
        ) : (
          <p className="flex gap-2 text-sm text-ink-soft">
            <Icon name="key" className="mt-0.5" />
            {t('note')}
          </p>
        )}
      </fieldset>
    </details>
  );
}
