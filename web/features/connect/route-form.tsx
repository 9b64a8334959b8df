'use client';

import type { Hop, RouteTarget } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { lazy, Suspense, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { ChoiceField, TextField } from '@/components/ui/field.tsx';
import { changeSaved, printAddress, type SavedRoute, type SavedSettings, withRoute } from '@/lib/saved.ts';
import { HopList } from './hop-list.tsx';
import { draftOf, forwardsIfRefused, type HopDraft, type HopProblems, newHop, readHops } from './road-form.ts';

const PasteSettings = lazy(() => import('./paste-settings.tsx'));

/** Saves a road under a name: typed, or read from settings one has. No form of its own: it may stand inside one. */
export function RouteForm({
  route = null,
  target = null,
  onSaved,
  onDirect,
  onCancel,
}: {
  /** The route to change; null for a new one. */
  route?: SavedRoute | null;
  /** The server the road is for, where it is known. */
  target?: RouteTarget | null;
  onSaved: (id: string) => void;
  /** Settings said that no proxy is used; left out where that is nothing to choose. */
  onDirect?: () => void;
  onCancel?: () => void;
}) {
  const t = useTranslations('routes');
  const tCommon = useTranslations('common');
  const [isPasting, setPasting] = useState(route?.settings != null);
  const [name, setName] = useState(route?.name ?? '');
  const [drafts, setDrafts] = useState<readonly HopDraft[]>(() => draftsFor(route));
  const [problems, setProblems] = useState<HopProblems>({});
  const keep = (hops: readonly Hop[], settings: SavedSettings | null, isAutomatic = true) => {
    const id = route?.id ?? crypto.randomUUID();
    const host = hops[0]?.host ?? '';
    const road = hops.length > 1 ? t('chainName', { host, more: hops.length - 1 }) : host;
    const usual = settings === null ? road : settings.from || t('pastedName');
    const named = (name.trim() || usual).slice(0, 100);
    const saved: SavedRoute = { id, name: named, hops, settings, forwardsIfRefused: isAutomatic };
    changeSaved((all) => withRoute(all, saved));
    if (route === null) {
      setName('');
      setDrafts(draftsFor(null));
    }
    onSaved(id);
  };
  const save = () => {
    const read = readHops(drafts);
    setProblems('problems' in read ? read.problems : {});
    if ('hops' in read) keep(read.hops, null, forwardsIfRefused(drafts));
  };
  return (
    <fieldset
      className="flex min-w-0 flex-col gap-4"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
        event.preventDefault();
        if (!isPasting && event.target.type !== 'checkbox') save();
      }}
    >
      <legend className="mb-3 font-medium">{route === null ? t('new') : t('change', { name: route.name })}</legend>
      <ChoiceField
        label={t('how')}
        value={isPasting ? 'paste' : 'type'}
        choices={[
          { value: 'type', label: t('type') },
          { value: 'paste', label: t('paste') },
        ]}
        onChoose={(how) => setPasting(how === 'paste')}
      />
      {isPasting ? (
        <Suspense fallback={<p className="text-sm text-ink-soft">{t('loading')}</p>}>
          <PasteSettings
            settings={route?.settings ?? null}
            target={target}
            onRoad={(hops) => keep(hops, null)}
            onDirect={onDirect}
            onKeep={(settings) => keep([], settings)}
          />
        </Suspense>
      ) : (
        <HopList
          drafts={drafts}
          problems={problems}
          onChange={(next) => {
            setDrafts(next);
            setProblems({});
          }}
        />
      )}
      <TextField
        label={t('name')}
        value={name}
        maxLength={100}
        placeholder={t('nameExample')}
        onChange={(event) => setName(event.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        {!isPasting && (
          <Button icon={route === null ? 'plus' : 'check'} onClick={save}>
            {t(route === null ? 'save' : 'saveChange')}
          </Button>
        )}
        {onCancel && (
          <Button look="plain" onClick={onCancel}>
            {tCommon('cancel')}
          </Button>
        )}
      </div>
    </fieldset>
  );
}

function draftsFor(route: SavedRoute | null): readonly HopDraft[] {
  const hops = route?.hops ?? [];
  return hops.length === 0
    ? [newHop('first')]
    : hops.map((hop, i) =>
        draftOf(hop, `${i} ${printAddress(hop)}`, route?.forwardsIfRefused === true && i === hops.length - 1),
      );
}
