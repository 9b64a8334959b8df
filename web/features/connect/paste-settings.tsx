'use client';

import { type Hop, isWinRmError, type RouteTarget, type WinRmError } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { type DragEvent, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { AreaField, TextField } from '@/components/ui/field.tsx';
import { type ChosenFile, FileButton } from '@/components/ui/file-button.tsx';
import { useStanding } from '@/features/frame/use-standing.ts';
import { errorText } from '@/lib/error-text.ts';
import { MAX_SETTINGS_CHARACTERS, printAddress, type SavedSettings } from '@/lib/saved.ts';
import { workerFault } from '../session/worker/messages.ts';
import { readServer } from './connect-form.ts';
import { RoadFound, useRoadWords } from './road-found.tsx';
import { useReading } from './use-road.ts';

/** More than any PAC file. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Fetched when it is wanted. Takes the settings a person has, in whatever form, and shows the road they give for one
 * server. Nothing is read from the browser or the machine (the seed's rule R34): only what is put here.
 */
export default function PasteSettings({
  settings,
  target,
  onRoad,
  onDirect,
  onKeep,
}: {
  /** What is kept already, for a route that is changed. */
  settings: SavedSettings | null;
  target: RouteTarget | null;
  onRoad: (hops: readonly Hop[]) => void;
  onDirect: (() => void) | undefined;
  onKeep: (settings: SavedSettings) => void;
}) {
  const t = useTranslations('routes.pasted');
  const print = useRoadWords();
  const [text, setText] = useState(settings?.text ?? '');
  const [from, setFrom] = useState(settings?.from ?? '');
  const [tried, setTried] = useState('');
  const asked = tried.trim() === '' ? target : serverOf(tried);
  const found = useReading(text, asked);
  const { reading } = found;
  const take = ([file]: readonly ChosenFile[]) => {
    if (file === undefined) return;
    setText(new TextDecoder().decode(file.bytes));
    setFrom(file.name.slice(0, 200));
  };
  const onDrop = (event: DragEvent) => {
    const [file] = event.dataTransfer.files;
    if (file === undefined) return;
    event.preventDefault();
    void file
      .slice(0, MAX_FILE_BYTES)
      .arrayBuffer()
      .then((bytes) => take([{ name: file.name, bytes: new Uint8Array(bytes) }]));
  };
  const road = reading?.answer?.routes[0] ?? null;
  const isWhole = reading !== null && reading.pacUrl === null;
  // What stands beside the address of a PAC file is what such settings fall back to.
  const beside = reading !== null && !isWhole && road !== null && road.hops.length > 0 ? road : null;
  const use = (hops: readonly Hop[]) => (hops.length > 0 ? onRoad(hops) : onDirect?.());
  const kept = reading?.keep ?? null;
  const isTooLong = kept !== null && kept.length > MAX_SETTINGS_CHARACTERS;
  return (
    <div className="flex flex-col gap-4">
      <AreaField
        name="settings"
        label={t('label')}
        value={text}
        rows={5}
        isCode
        hint={t('hint')}
        onDrop={onDrop}
        onDragOver={(event) => event.dataTransfer.types.includes('Files') && event.preventDefault()}
        onChange={(event) => {
          setText(event.target.value);
          setFrom('');
        }}
      />
      <div className="flex flex-wrap items-center gap-3">
        <FileButton accept=".pac,.dat,.js,.txt,.reg" maxBytes={MAX_FILE_BYTES} onChoose={take}>
          {t('file')}
        </FileButton>
        {from !== '' && <span className="min-w-0 truncate text-sm text-ink-soft">{t('from', { from })}</span>}
      </div>
      <TextField
        name="settingsFor"
        label={t('for')}
        value={tried}
        placeholder={target === null ? 'web01.corp.example' : `${target.scheme}://${printAddress(target)}`}
        isCode
        error={tried.trim() !== '' && asked === null && t('forProblem')}
        hint={t(target === null ? 'forHint' : 'forHintKnown')}
        onChange={(event) => setTried(event.target.value)}
      />
      <RoadFound found={found} onUse={use} mayGoDirect={onDirect !== undefined} />
      {reading?.pacUrl != null && (
        <FetchScript
          key={reading.pacUrl}
          url={reading.pacUrl}
          onFetched={(script) => {
            setText(script);
            // Not the query, which may be somebody's token: this becomes the route's name.
            setFrom((reading.pacUrl ?? '').replace(/\?.*$/s, ''));
          }}
        />
      )}
      {beside && <p className="text-sm wrap-anywhere">{t('beside', { road: print(beside) })}</p>}
      <div className="flex flex-wrap gap-2 empty:hidden">
        {beside && (
          <Button look="quiet" icon="check" onClick={() => use(beside.hops)}>
            {t('useBeside')}
          </Button>
        )}
        {isWhole && road !== null && (road.hops.length > 0 || onDirect !== undefined) && (
          <Button look="quiet" icon="check" onClick={() => use(road.hops)}>
            {t(road.hops.length > 0 ? 'use' : 'useDirect')}
          </Button>
        )}
        {isWhole && kept !== null && !isTooLong && (
          <Button icon="route" onClick={() => onKeep({ text: kept, from })}>
            {t('keep')}
          </Button>
        )}
      </div>
      {isWhole && (
        <p className="text-sm text-ink-soft">{t(kept === null ? 'hasPassword' : isTooLong ? 'tooLong' : 'keepHint')}</p>
      )}
    </div>
  );
}

/** A PAC file by its address: the relay fetches it, when it is told to. */
function FetchScript({ url, onFetched }: { url: string; onFetched: (script: string) => void }) {
  const t = useTranslations();
  const standing = useStanding();
  const mayFetch = standing.at === 'signed-in' && (standing.status.canReach.scripts ?? []).length > 0;
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<WinRmError | null>(null);
  const fetchIt = async () => {
    setBusy(true);
    setFailure(null);
    try {
      const { fetchProxyScript } = await import('@/lib/relay-api.ts');
      onFetched(await fetchProxyScript(url));
    } catch (error) {
      setFailure(isWinRmError(error) ? error : workerFault());
    } finally {
      setBusy(false);
    }
  };
  const told = failure && errorText(failure);
  return (
    <div className="flex flex-col gap-2 text-sm">
      <p className="wrap-anywhere">{t(mayFetch ? 'routes.pasted.pacUrl' : 'routes.pasted.pacUrlOnly', { url })}</p>
      {mayFetch && (
        <div>
          <Button isBusy={isBusy} onClick={() => void fetchIt()}>
            {t('routes.pasted.fetch')}
          </Button>
        </div>
      )}
      {told && (
        <p role="alert" className="border-l-2 border-bad pl-3">
          {t(told.messageKey, told.values)} {t(told.hintKey, told.values)}
        </p>
      )}
    </div>
  );
}

function serverOf(text: string): RouteTarget | null {
  const read = readServer(text);
  return read !== null && 'target' in read ? read.target : null;
}
