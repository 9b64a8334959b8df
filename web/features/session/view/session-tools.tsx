'use client';

import { useTranslations } from 'next-intl';
import { useMemo, useState } from 'react';
import { Go } from '@/components/go.tsx';
import { Button, buttonClass, IconButton } from '@/components/ui/button.tsx';
import { Menu } from '@/components/ui/menu.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { useActions } from '@/features/palette/use-actions.ts';
import { saveText } from '@/lib/save-text.ts';
import { browserStorage, isHistoryOn, setHistoryOn } from '../history.ts';
import type { LiveShell } from '../live-shell.ts';
import type { SessionEntry } from '../session-registry.ts';
import { LatencyButton } from './latency.tsx';

/** What can be done with the session that is shown. */
export interface SessionActs {
  readonly onFind: () => void;
  readonly onCommandView: () => void;
  readonly onHops: () => void;
  readonly onClose: () => void;
}

/** Tools at the right of the tabs: latency, find, command view, and the rest in a menu. */
export function SessionTools({
  entry,
  isCommandView,
  ...acts
}: SessionActs & { entry: SessionEntry; isCommandView: boolean }) {
  const t = useTranslations('session.tools');
  const words = useTranslations('common');
  const { shell } = entry;
  const [isKept, setKept] = useState(() => isHistoryOn(browserStorage()));
  const switchHistory = () => {
    setHistoryOn(browserStorage(), !isKept);
    if (isKept) shell?.history.clear();
    setKept(!isKept);
  };
  const copyLast = () =>
    navigator.clipboard.writeText(lastOutput(shell)).then(
      () => showToast(words('copied'), 'good'),
      () => showToast(words('notCopied'), 'warn'),
    );
  return (
    <>
      {entry.wasReady && <LatencyButton entry={entry} onOpen={acts.onHops} />}
      {entry.wasReady && (
        <>
          <IconButton className="max-sm:hidden" label={t('find')} icon="search" onClick={acts.onFind} />
          <IconButton
            className={`max-sm:hidden ${isCommandView ? 'text-accent' : ''}`}
            label={t('commandView')}
            aria-pressed={isCommandView}
            icon="list"
            onClick={acts.onCommandView}
          />
        </>
      )}
      <Menu
        label={t('menu')}
        items={[
          { id: 'find', label: t('find'), icon: 'search', onPick: acts.onFind },
          {
            id: 'commands',
            label: t(isCommandView ? 'terminalView' : 'commandView'),
            icon: 'list',
            onPick: acts.onCommandView,
          },
          { id: 'copy', label: t('copyLast'), icon: 'copy', onPick: () => void copyLast() },
          {
            id: 'save',
            label: t('saveLast'),
            icon: 'save',
            onPick: () => saveText(lastOutput(shell), entry.request.label),
          },
          { id: 'clear', label: t('clear'), icon: 'reload', onPick: () => shell?.clear() },
          { id: 'history', label: t('forgetHistory'), icon: 'trash', onPick: () => shell?.history.clear() },
          { id: 'keep', label: t(isKept ? 'stopHistory' : 'keepHistory'), icon: 'eye', onPick: switchHistory },
          { id: 'hops', label: t('hops'), icon: 'route', onPick: acts.onHops },
          { id: 'palette', label: t('palette'), icon: 'keyboard', onPick: () => openWindow({ kind: 'palette' }) },
          { id: 'settings', label: t('settings'), icon: 'gear', onPick: () => openWindow({ kind: 'settings' }) },
          { id: 'close', label: t('close'), icon: 'cross', isDangerous: true, onPick: acts.onClose },
        ]}
      />
    </>
  );
}

/** No session in this tab of the browser: how to get one. */
export function NoSession() {
  const t = useTranslations('session.none');
  return (
    <div className="flex grow flex-col items-center justify-center gap-3 p-6 text-center">
      <h1 className="text-xl font-semibold">{t('title')}</h1>
      <p className="max-w-[48ch] text-ink-soft">{t('text')}</p>
      <div className="mt-2 flex flex-wrap justify-center gap-2">
        <Button
          look="primary"
          icon="plus"
          onClick={() => openWindow({ kind: 'connect', targetId: null, part: 'server' })}
        >
          {t('connect')}
        </Button>
        <Go href="/" className={buttonClass('quiet')}>
          {t('home')}
        </Go>
      </div>
    </div>
  );
}

/** Offers the session's actions in the command palette. */
export function useSessionActions(entry: SessionEntry | null, acts: SessionActs): void {
  const t = useTranslations('session.tools');
  const isReady = entry?.wasReady === true;
  const { onFind, onCommandView, onHops, onClose } = acts;
  useActions(
    useMemo(() => {
      if (!isReady) return [];
      const group = t('group');
      return [
        { id: 'session.find', label: t('find'), group, keys: 'Ctrl+Shift+F', run: onFind },
        { id: 'session.commands', label: t('commandView'), group, keys: 'Ctrl+Shift+O', run: onCommandView },
        { id: 'session.hops', label: t('hops'), group, run: onHops },
        { id: 'session.close', label: t('close'), group, keys: 'Alt+Shift+W', run: onClose },
      ];
    }, [t, isReady, onFind, onCommandView, onHops, onClose]),
  );
}

function lastOutput(shell: LiveShell | null): string {
  const last = shell?.blocks.blocks.findLast((block) => block.kind === 'command' && block.charCount > 0);
  return last === undefined ? '' : (shell?.blocks.output(last.id) ?? '');
}
