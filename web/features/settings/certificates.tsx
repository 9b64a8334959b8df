'use client';

import { exportPins, importPins, isWinRmError, mergePins, removePins, type TargetPin } from '@fairlead/protocol';
import { useFormatter, useTranslations } from 'next-intl';
import { useEffect, useRef, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { type ChosenFile, FileButton } from '@/components/ui/file-button.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { Thumbprint } from '@/features/trust/certificate-facts.tsx';
import { changePins, forgetPins } from '@/features/trust/pin-book.ts';
import { saveText } from '@/lib/save-text.ts';
import { PinForm } from './pin-form.tsx';
import { Roots } from './roots.tsx';
import { usePins } from './use-book.ts';

const MAX_PIN_FILE_BYTES = 5_000_000;

/** The certificates this browser trusts: pins for one target each, and roots for all. */
export default function Certificates({ isWanted }: { isWanted: boolean }) {
  const t = useTranslations('settings.certificates');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isWanted) return;
    // After the dialog around it has taken the focus for itself.
    const frame = requestAnimationFrame(() => {
      heading.current?.scrollIntoView({ block: 'start' });
      heading.current?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, [isWanted]);
  return (
    <section className="flex flex-col gap-4 border-t border-line pt-5">
      <div>
        <h3 ref={heading} tabIndex={-1} className="scroll-mt-4 font-semibold outline-none">
          {t('title')}
        </h3>
        <p className="mt-1 max-w-[72ch] text-sm text-ink-soft">{t('text')}</p>
      </div>
      <Pins />
      <Roots />
    </section>
  );
}

function Pins() {
  const t = useTranslations('settings.certificates');
  const pins = usePins();
  const [isAdding, setAdding] = useState(false);
  if (pins === null) return <Broken words={t('broken')} action={t('giveUp')} onGiveUp={forgetPins} />;
  return (
    <div className="flex flex-col gap-3">
      {pins.length === 0 ? (
        <p className="rounded-control border border-dashed border-line-strong px-4 py-4 text-sm text-ink-soft">
          {t('none')}
        </p>
      ) : (
        <ul aria-label={t('pins')} className="divide-y divide-line rounded-control border border-line">
          {pins.map((pin) => (
            <PinRow key={`${pin.target} ${pin.sha256}`} pin={pin} />
          ))}
        </ul>
      )}
      {isAdding && <PinForm onDone={() => setAdding(false)} />}
      <div className="flex flex-wrap gap-2">
        {!isAdding && (
          <Button icon="plus" onClick={() => setAdding(true)}>
            {t('add')}
          </Button>
        )}
        <ImportPins />
        {pins.length > 0 && (
          <Button icon="save" onClick={() => saveText(exportPins(pins), 'fairlead-pins', 'json')}>
            {t('export')}
          </Button>
        )}
      </div>
    </div>
  );
}

function PinRow({ pin }: { pin: TargetPin }) {
  const t = useTranslations('settings.certificates');
  const format = useFormatter();
  const [isAsking, setAsking] = useState(false);
  const remove = () => {
    changePins((store) => removePins(store, pin.target));
    showToast(t('removed', { target: pin.target }));
  };
  return (
    <li className="flex flex-col gap-1 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 grow font-mono text-sm font-medium wrap-anywhere">{pin.target}</span>
        {!isAsking && (
          <Button
            look="plain"
            icon="trash"
            aria-label={t('removeOne', { target: pin.target })}
            onClick={() => setAsking(true)}
          >
            {t('remove')}
          </Button>
        )}
      </div>
      <Thumbprint value={pin.sha256} name={t('thumbprintOf', { target: pin.target })} />
      <p className="text-sm wrap-anywhere text-ink-soft">
        {t('since', {
          date: format.dateTime(new Date(pin.sinceMs), { dateStyle: 'medium' }),
          issuer: pin.issuer || t('unknownIssuer'),
        })}
      </p>
      {isAsking && (
        <Note tone="warn" className="mt-1">
          <p>{t('removeAsk')}</p>
          <div className="mt-2 flex flex-wrap gap-2">
            <Button look="danger" icon="trash" onClick={remove}>
              {t('removeNow')}
            </Button>
            <Button look="plain" onClick={() => setAsking(false)}>
              {t('keep')}
            </Button>
          </div>
        </Note>
      )}
    </li>
  );
}

/** Brings in what another browser exported; a target that both know differently keeps the pin it has. */
function ImportPins() {
  const t = useTranslations('settings.certificates');
  const [told, setTold] = useState<{ readonly words: string; readonly tone: 'good' | 'warn' | 'bad' } | null>(null);
  const take = ([file]: readonly ChosenFile[]) => {
    if (file === undefined) return;
    try {
      const theirs = importPins(new TextDecoder('utf-8', { fatal: true }).decode(file.bytes));
      let conflicts: readonly string[] = [];
      changePins((mine) => {
        const merged = mergePins(mine, theirs);
        conflicts = merged.conflicts;
        return merged.store;
      });
      const list = conflicts.join(', ');
      setTold(
        conflicts.length > 0
          ? { words: t('importedConflicts', { count: theirs.length, conflicts: conflicts.length, list }), tone: 'warn' }
          : { words: t('imported', { count: theirs.length }), tone: 'good' },
      );
    } catch (error) {
      if (!isWinRmError(error) && !(error instanceof TypeError)) throw error;
      setTold({ words: t('notPins', { name: file.name }), tone: 'bad' });
    }
  };
  return (
    <>
      <FileButton icon="up" accept=".json,application/json" maxBytes={MAX_PIN_FILE_BYTES} onChoose={take}>
        {t('import')}
      </FileButton>
      {told && (
        <Note tone={told.tone} className="order-last w-full">
          <p role="status">{told.words}</p>
        </Note>
      )}
    </>
  );
}

/** What is kept cannot be read: nothing is trusted by it, and nothing is forgotten in silence. */
export function Broken({ words, action, onGiveUp }: { words: string; action: string; onGiveUp: () => void }) {
  return (
    <Note tone="bad">
      <p role="alert" className="text-ink">
        {words}
      </p>
      <Button look="danger" icon="trash" className="mt-2" onClick={onGiveUp}>
        {action}
      </Button>
    </Note>
  );
}
