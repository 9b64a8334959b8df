'use client';

import { useTranslations } from 'next-intl';
import { useEffect, useRef } from 'react';
import { Go } from '@/components/go.tsx';
import { Button, buttonClass } from '@/components/ui/button.tsx';
import { Icon, type IconName } from '@/components/ui/icons.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { errorText } from '@/lib/error-text.ts';
import { MazeGlyph } from './maze-glyph.tsx';
import type { Outcome } from './maze-outcomes.ts';
import type { MazeWay, RoomPlan } from './maze-ways.ts';

/** One room: what it does, what will happen, why it matters, its buttons, and what came of it. */
export function MazeRoom({
  plan,
  outcome,
  isFirst,
  isHere,
  onOpen,
  onDoor,
}: {
  plan: RoomPlan;
  outcome: Outcome;
  /** Where the focus begins. */
  isFirst: boolean;
  /** For the door: whether this page came through it. */
  isHere: boolean;
  onOpen: (way: MazeWay) => void;
  /** Opens the page through the door. */
  onDoor: () => void;
}) {
  const t = useTranslations('demo.maze');
  const { room, account, ways } = plan;
  const title = t(`room.${room}.title`);
  const id = `maze-${room}`;
  const isDoor = room === 'strips' && !isHere;
  const wayOut = outcome.at === 'stopped' ? plan.wayOut : null;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!isFirst) return;
    // After the dialog has put the focus on a button of the room: what came of it should be seen as well.
    const frame = requestAnimationFrame(() => item.current?.scrollIntoView({ block: 'nearest' }));
    return () => cancelAnimationFrame(frame);
  }, [isFirst]);
  const offered = ways.filter((way) => !isSame(way, wayOut));
  return (
    <li ref={item} aria-labelledby={id} className="grid gap-x-6 gap-y-3 py-4 sm:grid-cols-[minmax(0,1fr)_10.5rem]">
      <div className="min-w-0">
        <MazeGlyph room={room} />
        <h4 id={id} className="mt-1 font-semibold">
          {title}
        </h4>
        <p className="max-w-[64ch]">{t(`room.${room}.does`, { seconds: plan.seconds })}</p>
        <dl className="mt-1 max-w-[64ch] text-sm text-ink-soft">
          <Fact term={t('expect')}>{t(`room.${room}.expect`)}</Fact>
          <Fact term={t('why')}>{t(`room.${room}.why`)}</Fact>
        </dl>
        {account && (
          <p className="mt-1 max-w-[64ch] text-sm break-words text-ink-soft">
            {t.rich('account', {
              ...account,
              mono: (words) => <code className="font-mono text-xs text-ink">{words}</code>,
            })}
          </p>
        )}
        {isHere && <Line icon="note" tone="text-accent" words={t('here')} />}
        <OutcomeLine outcome={outcome} />
      </div>
      <div className="flex flex-wrap content-start gap-2 sm:flex-col sm:flex-nowrap">
        {outcome.at === 'open' && (
          <Go
            href={`/session/#${outcome.sessionId}`}
            aria-label={t('openNamed', { action: t('show'), room: title })}
            className={buttonClass('quiet')}
            data-first={isFirst || undefined}
            onClick={() => openWindow(null)}
          >
            {t('show')}
          </Go>
        )}
        {wayOut && (
          <Button
            look={isFirst ? 'primary' : 'quiet'}
            data-first={isFirst || undefined}
            aria-label={t('openNamed', { action: t(wayOutKey(wayOut)), room: title })}
            onClick={() => onOpen(wayOut)}
          >
            {t(wayOutKey(wayOut))}
          </Button>
        )}
        {offered.map((way, index) => (
          <Button
            key={way.scheme}
            look={index === 0 && wayOut === null ? 'quiet' : 'plain'}
            data-first={(isFirst && index === 0 && wayOut === null && outcome.at !== 'open') || undefined}
            aria-label={t('openNamed', { action: t(actionKey(plan, way)), room: title })}
            onClick={() => onOpen(way)}
          >
            {t(actionKey(plan, way))}
          </Button>
        ))}
        {isDoor && (
          <Button className="h-auto! py-1 whitespace-normal!" onClick={onDoor}>
            <span>
              {t('newTab')} <span className="block text-xs font-normal text-ink-soft">{t('newTabNote')}</span>
            </span>
          </Button>
        )}
      </div>
    </li>
  );
}

function Fact({ term, children }: { term: string; children: string }) {
  return (
    <div className="mt-0.5">
      <dt className="inline font-medium text-ink">{term}</dt>
      <dd className="ml-2 inline">{children}</dd>
    </div>
  );
}

/** What came of it: an icon, words and a colour; an error in its own sentence, with its code. */
function OutcomeLine({ outcome }: { outcome: Outcome }) {
  const t = useTranslations();
  switch (outcome.at) {
    case 'untried':
      return null;
    case 'opening':
      return <Line icon="circle" tone="text-ink-soft" words={t('demo.maze.outcome.opening')} />;
    case 'open': {
      const { connections, handshakes, isAround } = outcome;
      const key = isAround ? 'openAround' : 'open';
      return <Line icon="check" tone="text-good" words={t(`demo.maze.outcome.${key}`, { connections, handshakes })} />;
    }
    case 'left': {
      const key = outcome.isAround ? 'leftAround' : 'left';
      return <Line icon="check" tone="text-ink-soft" words={t(`demo.maze.outcome.${key}`)} />;
    }
    case 'stopped': {
      const text = errorText(outcome.error);
      return (
        <>
          <Line icon="stop" tone="text-warn-ink" words={t('demo.maze.outcome.stopped')} />
          <p className="mt-1 max-w-[64ch] border-l-2 border-warn pl-3 text-sm break-words">
            {t(text.messageKey, text.values)} <code className="font-mono text-xs text-ink-soft">{text.code}</code>
          </p>
        </>
      );
    }
  }
}

function Line({ icon, tone, words }: { icon: IconName; tone: string; words: string }) {
  return (
    <p className={`mt-2 flex items-start gap-2 text-sm ${tone}`}>
      <Icon name={icon} className="mt-0.5" />
      {words}
    </p>
  );
}

const isSame = (way: MazeWay, other: MazeWay | null): boolean =>
  way.scheme === other?.scheme && way.isAround === other.isAround;

const wayOutKey = ({ isAround }: MazeWay) => (isAround ? ('wayOut.around' as const) : ('wayOut.https' as const));

/** A room with one way says "Open"; one with two says which. */
function actionKey({ room, ways }: RoomPlan, { scheme }: MazeWay) {
  if (scheme === 'https') return 'openHttps' as const;
  return ways.length > 1 && room !== 'straight' ? ('openHttp' as const) : ('open' as const);
}
