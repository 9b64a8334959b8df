'use client';

import { useTranslations } from 'next-intl';
import { HopLine } from '@/components/hop-line.tsx';
import { plannedHops } from '@/components/hop-view.ts';
import { SelectField } from '@/components/ui/field.tsx';
import { printAddress, type SavedRoute } from '@/lib/saved.ts';
import type { FormPart } from './connect-fields.tsx';
import { isHttpOnly, targetOf } from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';
import { ProxyFields } from './proxy-fields.tsx';
import { RoadFound } from './road-found.tsx';
import { RouteForm } from './route-form.tsx';

const NEW_ROUTE = '+';

/** The road: one that was saved, a new one, or none; drawn; and who signs in to its proxies. */
export function RouteFields(part: FormPart) {
  const { form, routes, problems, road, editing, onEdit, onChange } = part;
  const t = useTranslations('connect');
  const say = useProblemWords();
  const route = routes.find(({ id }) => id === form.routeId);
  const target = targetOf(form, routes);
  const isHttps = target?.scheme === 'https';
  const isAdding = editing === 'new';
  const close = () => onEdit(null);
  return (
    <fieldset className="flex min-w-0 flex-col gap-3 border-t border-line pt-4">
      <legend className="sr-only">{t('route')}</legend>
      <SelectField
        label={t('route')}
        name="route"
        value={isAdding ? NEW_ROUTE : (route?.id ?? '')}
        error={problems.route && say(problems.route, t('route'))}
        aside={
          route !== undefined &&
          editing === null && (
            <button type="button" className="link text-sm pointer-coarse:min-h-11" onClick={() => onEdit('route')}>
              {t('changeRoute')}
            </button>
          )
        }
        hint={
          editing === null && (
            <>
              {t(`routeHint.${hintOf(route)}`)}
              {isHttps && routes.some(isHttpOnly) && <span className="mt-1 block">{t('routeNoForward')}</span>}
            </>
          )
        }
        onChange={({ target: { value } }) => {
          onEdit(value === NEW_ROUTE ? 'new' : null);
          if (value !== NEW_ROUTE) onChange({ routeId: value === '' ? null : value });
        }}
      >
        <option value="">{t('direct')}</option>
        {routes.map((saved) => (
          <option key={saved.id} value={saved.id} disabled={isHttps && isHttpOnly(saved)}>
            {saved.settings === null
              ? t(isHttps && isHttpOnly(saved) ? 'routeHttpOnly' : 'routeNamed', {
                  name: saved.name,
                  address: saved.hops.map(printAddress).join(', '),
                })
              : t('routeAutomatic', { name: saved.name })}
          </option>
        ))}
        <option value={NEW_ROUTE}>{t('newRoute')}</option>
      </SelectField>
      {editing !== null && (
        <div className="rounded-card border border-line p-4">
          <RouteForm
            key={editing}
            route={editing === 'route' ? (route ?? null) : null}
            target={target}
            onSaved={(routeId) => {
              close();
              onChange({ routeId });
            }}
            onDirect={() => {
              close();
              onChange({ routeId: null });
            }}
            onCancel={close}
          />
        </div>
      )}
      {editing === null && route?.settings != null && <RoadFound found={road} />}
      <div className="rounded-card border border-line bg-ground px-4 py-4">
        <HopLine
          hops={plannedHops({
            relay: typeof location === 'undefined' ? '' : location.host,
            proxies: (road.hops ?? []).map(printAddress),
            server: target ? printAddress(target) : '',
            scheme: target?.scheme ?? 'http',
          })}
        />
      </div>
      <ProxyFields {...part} />
    </fieldset>
  );
}

function hintOf(route: SavedRoute | undefined) {
  if (route === undefined) return 'direct';
  if (route.settings !== null) return 'automatic';
  if (route.hops.length > 1) return 'chain';
  const kind = route.hops[0]?.kind ?? 'direct';
  return kind === 'http-connect' && route.forwardsIfRefused ? 'tunnelFirst' : kind;
}
