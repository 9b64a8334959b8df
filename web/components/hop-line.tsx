'use client';

import { useTranslations } from 'next-intl';
import { Fragment, useId, useState } from 'react';
import { type HopView, stretchState } from './hop-view.ts';
import { Icon } from './ui/icons.tsx';

const RINGS = {
  idle: 'border-line-strong',
  dialling: 'border-accent',
  open: 'border-good',
  failed: 'border-bad bg-bad',
} as const;

/** A long road goes on in a second row where one is too narrow; the room is for a stretch that ends a row. */
const MANY = 'flex-wrap gap-y-2 px-4 @md:px-11';

/**
 * The signature picture: you, relay, proxies, server, as rings on a line, with a padlock on each stretch.
 *
 * `small` is rings alone for a status line, `medium` adds names, `large` adds times. What a padlock means is told in words
 * under the line (above it when small) on hover, focus and tap, so nothing is ever cut off at a screen's edge.
 */
export function HopLine({ hops, size = 'medium' }: { hops: readonly HopView[]; size?: 'small' | 'medium' | 'large' }) {
  const t = useTranslations();
  const [shown, setShown] = useState<string | null>(null);
  const readoutId = useId();
  // The middle size always says something, so that nothing moves when a padlock is pointed at.
  const told = Math.max(
    hops.findIndex((hop) => hop.id === shown),
    size === 'medium' ? 0 : -1,
  );
  const from = hops[told];
  const to = hops[told + 1];
  const sentence = from?.readableKey ? t(from.readableKey) : t('hops.readable.nothing');
  const isSmall = size === 'small';
  return (
    <div className={`@container relative ${isSmall ? 'inline-block' : 'w-full'}`}>
      <ol
        aria-label={t('hops.label')}
        className={`flex ${isSmall ? 'items-center' : `items-start ${hops.length > 4 ? MANY : ''}`}`}
      >
        {hops.map((hop, index) => {
          const next = hops[index + 1];
          return (
            <Fragment key={hop.id}>
              <HopNode hop={hop} size={size} />
              {next && (
                <Stretch
                  hop={hop}
                  next={next}
                  isSmall={isSmall}
                  isMany={hops.length > 4}
                  readoutId={readoutId}
                  isShown={shown === hop.id}
                  onShow={(show) => setShown((was) => (show ? hop.id : was === hop.id ? null : was))}
                />
              )}
            </Fragment>
          );
        })}
      </ol>
      <p
        id={readoutId}
        role="status"
        hidden={!(from && to)}
        className={
          isSmall
            ? 'opens absolute right-0 bottom-full z-20 mb-2 w-72 rounded-control border border-line-strong bg-surface p-2 text-xs text-ink'
            : 'opens mt-3 border-l-2 border-accent pl-3 text-sm text-ink-soft'
        }
      >
        {from && to && (
          <>
            <b className="font-medium text-ink">
              {t('hops.between', { from: t(`hops.kind.${from.kind}`), to: t(`hops.kind.${to.kind}`) })}
            </b>{' '}
            {sentence}
          </>
        )}
      </p>
    </div>
  );
}

function HopNode({ hop, size }: { hop: HopView; size: 'small' | 'medium' | 'large' }) {
  const t = useTranslations('hops');
  const kind = t(`kind.${hop.kind}`);
  const state = t(`state.${hop.state}`);
  const ring = (
    <span aria-hidden="true" className={`block size-2.5 shrink-0 rounded-full border-2 ${RINGS[hop.state]}`} />
  );
  if (size === 'small') {
    return (
      <li className="flex" title={`${kind} ${hop.name}`.trim()}>
        {ring}
        <span className="sr-only">{`${kind} ${hop.name}, ${state}`}</span>
      </li>
    );
  }
  return (
    <li className="flex w-14 shrink-0 flex-col items-center gap-1.5 text-center @md:w-28">
      <span className="flex size-6 items-center justify-center">
        {hop.state === 'failed' ? <Icon name="cross" className="text-bad" /> : ring}
      </span>
      <span className="w-full min-w-0">
        <span className="block text-xs font-medium text-ink @md:text-sm">{kind}</span>
        {hop.name !== '' && (
          <span
            className="font-mono text-xs wrap-anywhere text-ink-soft @max-md:sr-only @md:line-clamp-2"
            title={hop.name}
          >
            {breakable(hop.name)}
          </span>
        )}
        {size === 'large' && hop.ms !== null && (
          <span className="block text-xs text-ink-soft tabular-nums">{t('ms', { ms: Math.round(hop.ms) })}</span>
        )}
        <span className="sr-only">{state}</span>
      </span>
    </li>
  );
}

/** A name that breaks where its parts end before it breaks anywhere else. */
function breakable(name: string) {
  return [...name.matchAll(/[:.]?[^:.]*/gu)].map((part) => (
    <Fragment key={part.index}>
      {part.index > 0 && <wbr />}
      {part[0]}
    </Fragment>
  ));
}

const LINES = {
  idle: 'border-dotted border-line-strong',
  dialling: 'border-dashed border-accent',
  open: 'border-solid border-good',
  broken: 'border-solid border-bad',
} as const;

function Stretch({
  hop,
  next,
  isSmall,
  isMany,
  isShown,
  readoutId,
  onShow,
}: {
  hop: HopView;
  next: HopView;
  isSmall: boolean;
  /** Part of a road that may need a second row: names keep out of each other's way. */
  isMany: boolean;
  isShown: boolean;
  readoutId: string;
  onShow: (show: boolean) => void;
}) {
  const t = useTranslations('hops');
  const state = stretchState(next);
  const half = `border-t-2 ${isSmall ? 'w-2' : 'min-w-1 grow basis-0'} ${LINES[state]}`;
  const isSealed = hop.lockToNext === 'sealed';
  // The stretch reaches under the words of both stops, from ring to ring.
  return (
    <li
      className={`relative z-10 flex items-center ${isSmall ? '' : `-mx-4 h-6 min-w-10 grow-2 basis-0 @md:-mx-11 ${isMany ? '@md:min-w-24' : ''}`}`}
    >
      <span aria-hidden="true" className={half} />
      {hop.lockToNext && (
        <button
          type="button"
          aria-label={`${t('between', { from: t(`kind.${hop.kind}`), to: t(`kind.${next.kind}`) })} ${t(isSealed ? 'sealed' : 'open')}`}
          aria-expanded={isShown}
          aria-controls={readoutId}
          onPointerEnter={(event) => event.pointerType === 'mouse' && onShow(true)}
          onPointerLeave={(event) => event.pointerType === 'mouse' && onShow(false)}
          onFocus={() => onShow(true)}
          onBlur={() => onShow(false)}
          onClick={() => onShow(true)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || !isShown) return;
            // The sentence goes first; a dialog around it takes the next Escape.
            event.preventDefault();
            event.stopPropagation();
            onShow(false);
          }}
          className={`flex shrink-0 items-center justify-center rounded-control hover:bg-sunken pointer-coarse:-mx-2.5 pointer-coarse:size-11 ${isSmall ? 'size-5' : 'size-6'} ${isSealed ? 'text-good' : 'text-warn-ink'}`}
        >
          <Icon name={isSealed ? 'lock' : 'lock-open'} className={isSmall ? 'size-3' : 'size-4'} />
        </button>
      )}
      {/* A broken stretch shows its gap: the half that was walked, then nothing. */}
      <span aria-hidden="true" className={state === 'broken' ? `${half} opacity-0` : half} />
    </li>
  );
}
