'use client';

import { useTranslations } from 'next-intl';
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { HopLine } from '@/components/hop-line.tsx';
import { plannedHops } from '@/components/hop-view.ts';
import { Note } from '@/components/ui/card.tsx';
import { ChoiceField } from '@/components/ui/field.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { everConnected, watchConnected } from '@/features/connect/connected.ts';
import { Frame } from '@/features/frame/frame.tsx';
import { useStanding } from '@/features/frame/use-standing.ts';
import { type Build, readBuild } from '@/lib/build.ts';
import { refreshStanding } from '@/lib/relay-status.ts';
import { FACTS, READERS, type Reader, type Reading, reading, type Transport } from './reading.ts';

const LiveRoadList = lazy(() => import('./live-roads.tsx'));

type Road = 'direct' | 'tunnel' | 'forward';

/** What each hop can read, said exactly: the table, its reasons, what the relay may reach, and which build runs here. */
export function SeesPage() {
  const t = useTranslations('sees');
  const [road, setRoad] = useState<Road>('tunnel');
  const [relay, setRelay] = useState('');
  useEffect(() => {
    setRelay(location.host);
    void refreshStanding();
  }, []);
  return (
    <Frame>
      <div className="py-10">
        <h1 className="text-2xl font-semibold tracking-tight">{t('title')}</h1>
        <p className="mt-2 mb-6 max-w-[72ch] text-ink-soft">{t('intro')}</p>
        <ChoiceField
          label={t('road.label')}
          value={road}
          choices={(['direct', 'tunnel', 'forward'] as const).map((value) => ({ value, label: t(`road.${value}`) }))}
          onChoose={setRoad}
          className="max-w-md"
        />
        {(['https', 'http'] as const).map((transport) => (
          <Reached key={transport} transport={transport} road={road} relay={relay} />
        ))}
        <div className="mt-8 flex max-w-[72ch] flex-col gap-4">
          {road === 'forward' && <Note tone="warn">{t('note.forward')}</Note>}
          <Note tone="warn">{t('note.page')}</Note>
        </div>
        <LiveRoads />
        <Reach />
        <RunningBuild />
      </div>
    </Frame>
  );
}

/** One transport over the chosen road: the line, the table, and its reasons. */
function Reached({ transport, road, relay }: { transport: Transport; road: Road; relay: string }) {
  const t = useTranslations('sees');
  const isImpossible = transport === 'https' && road === 'forward';
  return (
    <section aria-labelledby={`by-${transport}`} className="mt-10">
      <h2 id={`by-${transport}`} className="text-xl font-semibold">
        {t(`transport.${transport}.title`)}
      </h2>
      <p className="mt-1 mb-4 max-w-[72ch] text-ink-soft">{t(`transport.${transport}.text`)}</p>
      {isImpossible ? (
        <Note>{t('transport.https.noForward')}</Note>
      ) : (
        <>
          <div className="rounded-card border border-line bg-surface px-4 py-6">
            <HopLine
              hops={plannedHops({
                relay,
                proxies: road === 'direct' ? [] : [t('example.proxy')],
                server: t(`example.server.${transport}`),
                scheme: transport,
              })}
            />
          </div>
          <ReadingTable
            transport={transport}
            readers={road === 'direct' ? READERS.filter((reader) => reader !== 'proxy') : READERS}
          />
          <div className="mt-6 flex max-w-[72ch] flex-col gap-4">
            {transport === 'http' && <Note tone="warn">{t('note.guess')}</Note>}
            {transport === 'http' ? <Note>{t('note.sealed')}</Note> : <Note>{t('note.trust')}</Note>}
            {transport === 'https' && <Note>{t('note.versions')}</Note>}
          </div>
        </>
      )}
    </section>
  );
}

const LOOKS: Record<Reading, { icon: 'eye' | 'warning' | 'lock'; colour: string }> = {
  reads: { icon: 'eye', colour: 'text-ink' },
  guess: { icon: 'warning', colour: 'text-warn-ink' },
  nothing: { icon: 'lock', colour: 'text-good' },
};

function ReadingTable({ transport, readers }: { transport: Transport; readers: readonly Reader[] }) {
  const t = useTranslations('sees');
  const word = (reader: Reader, fact: (typeof FACTS)[number]) => {
    const what = reading(transport, reader, fact);
    return (
      <span className={`inline-flex items-center gap-1.5 ${LOOKS[what].colour}`}>
        <Icon name={LOOKS[what].icon} />
        {t(`reading.${what}`)}
      </span>
    );
  };
  return (
    <>
      <table className="mt-6 w-full border-collapse text-left max-md:hidden">
        <caption className="sr-only">{t(`table.${transport}`)}</caption>
        <thead>
          <tr className="border-b border-line-strong">
            <th scope="col" className="py-2 pr-4 font-medium">
              {t('fact.label')}
            </th>
            {readers.map((reader) => (
              <th key={reader} scope="col" className="py-2 pr-4 font-medium">
                {t(`reader.${reader}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {FACTS.map((fact) => (
            <tr key={fact} className="border-b border-line align-top">
              <th scope="row" className="py-2 pr-4 font-normal">
                <span className="block font-medium">{t(`fact.${fact}.name`)}</span>
                <span className="block text-sm text-ink-soft">{t(`fact.${fact}.${transport}`)}</span>
              </th>
              {readers.map((reader) => (
                <td key={reader} className="py-2 pr-4 text-sm whitespace-nowrap">
                  {word(reader, fact)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="mt-6 flex flex-col gap-3 md:hidden">
        {FACTS.map((fact) => (
          <li key={fact} className="rounded-card border border-line bg-surface p-4">
            <span className="block font-medium">{t(`fact.${fact}.name`)}</span>
            <span className="block text-sm text-ink-soft">{t(`fact.${fact}.${transport}`)}</span>
            <dl className="mt-2 grid grid-cols-2 gap-x-4 gap-y-1 text-sm">
              {readers.map((reader) => (
                <div key={reader} className="contents">
                  <dt className="text-ink-soft">{t(`reader.${reader}`)}</dt>
                  <dd>{word(reader, fact)}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Roads that are open now, drawn as they are. Nothing is fetched for it before the first session. */
function LiveRoads() {
  const isUsed = useSyncExternalStore(watchConnected, everConnected, () => false);
  return isUsed ? (
    <Suspense fallback={null}>
      <LiveRoadList />
    </Suspense>
  ) : null;
}

function Reach() {
  const t = useTranslations('sees.reach');
  const standing = useStanding();
  const status = standing.at === 'signed-in' ? standing.status : null;
  const list = (entries: readonly string[]) =>
    entries.length === 0 ? (
      <p className="text-ink-soft">{t('none')}</p>
    ) : (
      <ul className="flex flex-wrap gap-2">
        {entries.map((entry) => (
          <li key={entry} className="rounded-control border border-line bg-sunken px-2 py-0.5 font-mono text-xs">
            {entry}
          </li>
        ))}
      </ul>
    );
  return (
    <section aria-labelledby="reach" className="mt-12 max-w-[72ch]">
      <h2 id="reach" className="text-xl font-semibold">
        {t('title')}
      </h2>
      <p className="mt-1 mb-4 text-ink-soft">{t('text')}</p>
      {status === null ? (
        <p className="text-ink-soft">{t(standing.at === 'signed-out' ? 'signedOut' : 'unknown')}</p>
      ) : (
        <div className="flex flex-col gap-4">
          <div>
            <h3 className="mb-1 text-sm font-medium">{t('targets')}</h3>
            {list(status.canReach.targets)}
          </div>
          <div>
            <h3 className="mb-1 text-sm font-medium">{t('proxies')}</h3>
            {list(status.canReach.proxies)}
          </div>
          {status.demo && <p className="text-sm text-ink-soft">{t('demo')}</p>}
        </div>
      )}
    </section>
  );
}

function RunningBuild() {
  const t = useTranslations('sees.build');
  const [build, setBuild] = useState<Build | null>(null);
  useEffect(() => {
    let isShown = true;
    void readBuild().then((read) => isShown && setBuild(read));
    return () => {
      isShown = false;
    };
  }, []);
  return (
    <section id="build" aria-labelledby="build-title" className="mt-12 max-w-[72ch]">
      <h2 id="build-title" className="text-xl font-semibold">
        {t('title')}
      </h2>
      <p className="mt-1 mb-3 text-ink-soft">{t('text')}</p>
      {build ? (
        <>
          <p className="rounded-control border border-line bg-sunken p-3 font-mono text-xs break-all">{build.hash}</p>
          <p className="mt-2 text-sm text-ink-soft">{t('covers', { files: build.files, version: build.version })}</p>
        </>
      ) : (
        <p className="text-ink-soft">{t('unknown')}</p>
      )}
    </section>
  );
}
