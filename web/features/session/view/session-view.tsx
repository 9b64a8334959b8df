'use client';

import type { WinRmError } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { useRef, useState } from 'react';
import { showToast } from '@/components/ui/toast.tsx';
import { usePreferences } from '@/components/use-preferences.ts';
import { isOver } from '../live-entry.ts';
import type { LiveShell } from '../live-shell.ts';
import type { SessionEntry } from '../session-registry.ts';
import { AgainLine } from './again-line.tsx';
import { Announcer } from './announcer.tsx';
import { CommandView } from './command-view.tsx';
import { PasteDialog } from './dialogs.tsx';
import { EndPanel } from './end-panel.tsx';
import { FindBar } from './find-bar.tsx';
import { InputLine } from './input-line.tsx';
import { KeyBar } from './key-bar.tsx';
import { LinkStrip } from './link-strip.tsx';
import { HangerNotice, InputErrorNotice, MojibakeNotice, RunningBar } from './notices.tsx';
import { OutputPane } from './output-pane.tsx';
import { ElsewherePanel } from './returning.tsx';
import { RoadNotices } from './road-notices.tsx';
import { StatusBar } from './status-bar.tsx';
import { type Input, useInput } from './use-input.ts';
import { useKeys } from './use-keys.ts';
import { useLook } from './use-look.ts';
import { useScreenSize, useShellView } from './use-shell.ts';

/** What the session view is given by the page. */
export interface SessionViewProps {
  readonly entry: SessionEntry;
  readonly shell: LiveShell;
  readonly isCommandView: boolean;
  /** Counts how often find was asked for; 0 is closed. */
  readonly findRequest: number;
  readonly onFind: (isOpen: boolean) => void;
  readonly onCommandView: () => void;
  readonly onOpenHops: () => void;
  readonly onNewShell: (codePage?: number) => void;
  readonly onRecover: (error: WinRmError) => void;
  readonly onClose: () => void;
}

/** One session: its output, its input line, and what is to be said about both. */
export function SessionView(props: SessionViewProps) {
  const { entry, shell } = props;
  const t = useTranslations('session');
  const { pasteGuard } = usePreferences();
  const look = useLook();
  const view = useShellView(shell);
  const { rowPx } = useScreenSize(shell.screen);
  const root = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState('');
  const input = useInput(shell, view, pasteGuard, (limit) =>
    showToast(t('paste.tooLong', { kilobytes: limit / 1024 }), 'warn'),
  );
  const copy = useCopy();
  const keys = useKeys({ ...props, input, root, copy, say: setSaid });
  const over = isOver(entry.state);
  const closeFind = () => {
    props.onFind(false);
    input.field.current?.focus({ preventScroll: true });
  };
  const focusInput = () => shell.screen.selection === '' && input.field.current?.focus({ preventScroll: true });
  const colours = {
    '--fl-ground': look.colours.ground,
    '--fl-ink': look.colours.ink,
    '--fl-soft': look.colours.colours[8],
  };
  const isReady = entry.state.at === 'ready' && !entry.isElsewhere;
  const line = entry.isElsewhere ? (
    <ElsewherePanel entry={entry} />
  ) : over ? (
    <EndPanel entry={entry} onNewShell={() => props.onNewShell()} onRecover={props.onRecover} />
  ) : !isReady ? (
    <AgainLine entry={entry} />
  ) : (
    <>
      <InputLine
        {...input}
        prompt={view.prompt}
        isDisabled={false}
        rowPx={rowPx}
        fontPx={look.fontPx}
        onEdit={keys.onEdit}
      />
      {view.isRunning && (
        <RunningBar
          {...view}
          isHidden={input.isHidden}
          onInterrupt={() => void shell.interrupt('ctrl-c')}
          onEndInput={() => void shell.endInput()}
          onHidden={input.setHidden}
          onCloseShell={props.onClose}
        />
      )}
    </>
  );
  return (
    <section
      ref={root}
      aria-label={entry.request.label}
      className="relative flex min-h-0 grow flex-col bg-(--fl-ground) text-(--fl-ink)"
      style={colours as Record<string, string>}
    >
      <h1 className="sr-only">{entry.request.label}</h1>
      {isReady && <LinkStrip entry={entry} queuedCount={view.queuedCount} />}
      {props.findRequest > 0 && !props.isCommandView && (
        <FindBar screen={shell.screen} request={props.findRequest} onClose={closeFind} />
      )}
      {props.isCommandView ? (
        <>
          <CommandView shell={shell} onCopy={copy} onReuse={input.replace} />
          <div className="border-t border-line pt-2">{line}</div>
        </>
      ) : (
        <div
          className="flex min-h-0 grow flex-col"
          onPointerUp={(event) => event.pointerType === 'mouse' && setTimeout(focusInput)}
        >
          <OutputPane screen={shell.screen} look={look} label={t('output.label')} hint={t('output.hint')}>
            {line}
          </OutputPane>
        </div>
      )}
      {isReady && <Notices entry={entry} shell={shell} input={input} view={view} onNewShell={props.onNewShell} />}
      {isReady && <KeyBar isCtrlHeld={keys.isCtrlHeld} onKey={keys.onBarKey} />}
      <StatusBar entry={entry} tabMode={input.tabMode} onOpenHops={props.onOpenHops} />
      <Announcer ended={view.lastEnded} said={said} />
      {input.question && <PasteDialog question={input.question} onPaste={input.insert} onClose={input.dropQuestion} />}
    </section>
  );
}

function Notices({
  entry,
  shell,
  input,
  view,
  onNewShell,
}: {
  entry: SessionEntry;
  shell: LiveShell;
  input: Input;
  view: LiveShell['view'];
  onNewShell: (codePage?: number) => void;
}) {
  return (
    <>
      <RoadNotices entry={entry} />
      {view.inputError && <InputErrorNotice error={view.inputError} onDrop={() => shell.dismissInputError()} />}
      {view.mojibake && (
        <MojibakeNotice
          hint={view.mojibake}
          onFix={(codePage) => onNewShell(codePage)}
          onDrop={() => shell.dismissMojibake()}
        />
      )}
      {input.hanger && (
        <HangerNotice
          hanger={input.hanger.hanger}
          onRun={() => input.send(input.hanger?.text ?? '')}
          onUse={(command) => {
            input.dropHanger();
            input.replace(command);
            input.field.current?.focus();
          }}
          onDrop={() => {
            input.dropHanger();
            input.field.current?.focus();
          }}
        />
      )}
    </>
  );
}

function useCopy(): (text: string) => void {
  const t = useTranslations('common');
  return (text) => {
    navigator.clipboard.writeText(text).then(
      () => showToast(t('copied'), 'good'),
      () => showToast(t('notCopied'), 'warn'),
    );
  };
}
