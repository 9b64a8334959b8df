'use client';

import { useTranslations } from 'next-intl';
import { type KeyboardEvent, useRef, useState } from 'react';
import { Button, IconButton } from '@/components/ui/button.tsx';
import { CheckField, SelectField, TextField } from '@/components/ui/field.tsx';
import { printAddress } from '@/lib/saved.ts';
import { useProblemWords } from './problem-words.ts';
import {
  type HopDraft,
  type HopKind,
  type HopProblems,
  mayAddHop,
  movedHop,
  newHop,
  readHop,
  withKind,
  withText,
} from './road-form.ts';

const KINDS = ['automatic', 'http-connect', 'http-forward', 'socks5'] as const satisfies readonly HopKind[];
const KIND_NAMES = {
  automatic: 'tunnelFirst',
  'http-connect': 'connect',
  'http-forward': 'forward',
  socks5: 'socks',
} as const;

/** The proxies of a road, from the relay on: added, changed, put in another order, taken away. */
export function HopList({
  drafts,
  problems,
  onChange,
}: {
  drafts: readonly HopDraft[];
  problems: HopProblems;
  onChange: (drafts: readonly HopDraft[]) => void;
}) {
  const t = useTranslations('routes');
  const list = useRef<HTMLOListElement>(null);
  const [told, setTold] = useState('');
  /** After the list was drawn anew: a proxy that moved takes the focus along. */
  const focus = (id: string, part: string) =>
    requestAnimationFrame(() => {
      const item = list.current?.querySelector(`[data-hop="${CSS.escape(id)}"]`);
      const wanted = item?.querySelector<HTMLElement>(`[data-part="${part}"]:not(:disabled)`);
      (wanted ?? item?.querySelector<HTMLElement>('input'))?.focus();
    });
  const move = (id: string, by: 1 | -1) => {
    const next = movedHop(drafts, id, by);
    if (next === drafts) return;
    onChange(next);
    setTold(t('moved', { place: next.findIndex((draft) => draft.id === id) + 1, count: next.length }));
    focus(id, by === 1 ? 'down' : 'up');
  };
  const remove = (id: string) => {
    const at = drafts.findIndex((draft) => draft.id === id);
    const next = drafts.filter((draft) => draft.id !== id);
    onChange(next);
    setTold(t('removed', { place: at + 1, count: next.length }));
    focus((next[at] ?? next[at - 1])?.id ?? '', 'text');
  };
  const add = () => {
    const draft = newHop(crypto.randomUUID());
    onChange([...drafts, draft]);
    focus(draft.id, 'text');
  };
  return (
    <div className="flex flex-col gap-3">
      <ol ref={list} className="flex flex-col gap-3">
        {drafts.map((draft, i) => (
          <li key={draft.id} data-hop={draft.id}>
            <HopFields
              draft={draft}
              place={i + 1}
              count={drafts.length}
              problem={problems[draft.id]}
              onChange={(changed) => onChange(drafts.with(i, changed))}
              onMove={(by) => move(draft.id, by)}
              onRemove={() => remove(draft.id)}
            />
          </li>
        ))}
      </ol>
      <p role="status" className="sr-only">
        {told}
      </p>
      {mayAddHop(drafts) && (
        <div>
          <Button look="plain" icon="plus" onClick={add}>
            {t('addHop')}
          </Button>
        </div>
      )}
    </div>
  );
}

function HopFields({
  draft,
  place,
  count,
  problem,
  onChange,
  onMove,
  onRemove,
}: {
  draft: HopDraft;
  place: number;
  count: number;
  problem: HopProblems[string] | undefined;
  onChange: (draft: HopDraft) => void;
  onMove: (by: 1 | -1) => void;
  onRemove: () => void;
}) {
  const t = useTranslations('routes');
  const say = useProblemWords();
  const read = readHop(draft);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    onMove(event.key === 'ArrowUp' ? -1 : 1);
  };
  return (
    <fieldset className={`min-w-0 ${count > 1 ? 'rounded-card border border-line p-3' : ''}`} onKeyDown={onKeyDown}>
      <legend className={count > 1 ? 'sr-only' : 'hidden'}>{t('place', { place, count })}</legend>
      {count > 1 && (
        <div className="mb-1 flex items-center gap-1">
          <span aria-hidden="true" className="grow text-sm font-medium">
            {t('place', { place, count })}
          </span>
          <IconButton
            data-part="up"
            icon="up"
            label={t('moveUp', { place })}
            disabled={place === 1}
            onClick={() => onMove(-1)}
          />
          <IconButton
            data-part="down"
            icon="down"
            label={t('moveDown', { place })}
            disabled={place === count}
            onClick={() => onMove(1)}
          />
          <IconButton icon="trash" label={t('removeHop', { place })} onClick={onRemove} />
        </div>
      )}
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          data-part="text"
          name={`hop${place}`}
          label={t('address')}
          value={draft.text}
          placeholder="proxy.corp.example:3128"
          isCode
          error={problem && say(problem, t('address'))}
          hint={
            read !== null &&
            !('problem' in read) &&
            t(read.tls === true ? 'understoodTls' : 'understood', { address: printAddress(read) })
          }
          onChange={(event) => onChange(withText(draft, event.target.value))}
        />
        <SelectField
          label={t('kind')}
          value={draft.kind}
          hint={t(`${KIND_NAMES[draft.kind]}Hint`)}
          onChange={(event) => {
            const kind = KINDS.find((known) => known === event.target.value);
            if (kind) onChange(withKind(draft, kind, draft.isTls));
          }}
        >
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {t(KIND_NAMES[kind])}
            </option>
          ))}
        </SelectField>
      </div>
      {draft.kind !== 'socks5' && (
        <CheckField
          className="mt-3"
          label={t('overTls')}
          hint={t('overTlsHint')}
          checked={draft.isTls}
          onChange={(event) => onChange(withKind(draft, draft.kind, event.target.checked))}
        />
      )}
    </fieldset>
  );
}
