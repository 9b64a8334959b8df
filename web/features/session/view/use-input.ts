import { type ClipboardEvent, type KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react';
import { findHanger, type Hanger } from '../hangers.ts';
import { type InputAction, type InputMode, inputKey } from '../input-key.ts';
import {
  type EditorState,
  EMPTY_LINE,
  edited,
  inserted,
  recalled,
  searchEnded,
  searchedNewer,
  searchedOlder,
  searchTyped,
  suggestion,
  suggestionTaken,
} from '../line-editor.ts';
import type { LiveShell, ShellView } from '../live-shell.ts';
import { inspectPaste, type PasteVerdict } from '../paste-guard.ts';

/** A question to answer before a paste. */
export type PasteQuestion = Extract<PasteVerdict, { kind: 'ask' }>;

/** Programs a person was warned about, per shell: once is enough. */
const warned = new WeakMap<LiveShell, Set<string>>();
/** Lines in the making survive a look at another tab. */
const drafts = new WeakMap<LiveShell, EditorState>();

/** The input line of a shell: its state, and everything that can be done with it. */
export function useInput(
  shell: LiveShell,
  view: ShellView,
  isPasteGuardOn: boolean,
  onTooLong: (limit: number) => void,
) {
  const field = useRef<HTMLTextAreaElement | HTMLInputElement>(null);
  const [state, setState] = useState(() => drafts.get(shell) ?? EMPTY_LINE);
  const [isHidden, setHidden] = useState(false);
  const [tabMode, setTabMode] = useState<'complete' | 'focus'>('complete');
  const [hanger, setHanger] = useState<{ hanger: Hanger; text: string } | null>(null);
  const [question, setQuestion] = useState<PasteQuestion | null>(null);
  const mode: InputMode = !view.isRunning ? 'prompt' : isHidden ? 'hidden' : 'program';
  const { lines: history } = shell.history;
  useDraft(shell, state, mode, setState);
  useEndOfHiding(view.isRunning, setHidden, setState);

  const send = useCallback(
    (text: string) => {
      setHanger(null);
      const isTaken = mode === 'prompt' ? shell.submit(text) : shell.answer(text, mode === 'hidden');
      // What was refused stays to be corrected.
      setState(isTaken ? EMPTY_LINE : lineOf(text));
      setHidden((was) => was && !isTaken);
    },
    [shell, mode],
  );
  const submit = useCallback(
    (text: string) => {
      const found = mode === 'prompt' ? findHanger(text) : null;
      const known = warned.get(shell) ?? new Set();
      if (found === null || known.has(found.program)) {
        send(text);
        return;
      }
      warned.set(shell, known.add(found.program));
      setHanger({ hanger: found, text });
      setState(lineOf(text));
    },
    [shell, mode, send],
  );
  const act = (action: InputAction) => {
    if (action === 'submit') submit(state.text);
    else if (action === 'search-run') submit(searchEnded(state, history, true).text);
    else setState(edit(action, state, history));
  };
  const insert = (text: string) => {
    const from = field.current?.selectionStart ?? state.caret;
    setState((was) => inserted(was, text, from, Math.max(from, field.current?.selectionEnd ?? from)));
    field.current?.focus();
  };
  const paste = (raw: string) => {
    const verdict = inspectPaste(raw, isPasteGuardOn && mode !== 'hidden');
    if (verdict.kind === 'clean') insert(verdict.text);
    else if (verdict.kind === 'ask') setQuestion(verdict);
    else onTooLong(verdict.limit);
  };
  return {
    ...{ field, state, mode, history, tabMode, isHidden, hanger, question },
    ...{ setHidden, setTabMode, send, insert, paste, act },
    ...{ dropHanger: () => setHanger(null), dropQuestion: () => setQuestion(null) },
    replace: (text: string) => setState(lineOf(text)),
    onEdit: (text: string, caret: number) => {
      setState((was) => (was.search === null ? edited(was, text, caret) : searchTyped(was, history, text)));
    },
    onCaret: (text: string, caret: number) => setState((was) => (was.text === text ? { ...was, caret } : was)),
    onPaste: (event: ClipboardEvent) => {
      event.preventDefault();
      paste(event.clipboardData.getData('text/plain'));
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.nativeEvent.isComposing) return;
      const action = inputKey(event, state, { mode, tabMode, hasSuggestion: suggestion(state, history) !== '' });
      if (action === null) return;
      event.preventDefault();
      event.stopPropagation();
      act(action);
    },
  };
}

function lineOf(text: string): EditorState {
  return edited(EMPTY_LINE, text, text.length);
}

type SetState = (next: (was: EditorState) => EditorState) => void;

/** Keeps what is being written for when the tab is looked at again; hidden input is kept nowhere. */
function useDraft(shell: LiveShell, state: EditorState, mode: InputMode, setState: SetState): void {
  useOffer(shell.view.offered, setState);
  useEffect(() => {
    if (mode === 'hidden') return;
    drafts.set(shell, state);
    shell.keepDraft(state.text);
  }, [shell, state, mode]);
}

/** Offers that were taken: looking at another tab and back must not bring them again. */
const takenOffers = new WeakSet<object>();

/** What was written before a reload, or entered and never sent, comes into the line, before what stands there. */
function useOffer(offered: ShellView['offered'], setState: SetState): void {
  useEffect(() => {
    if (offered === null || takenOffers.has(offered)) return;
    takenOffers.add(offered);
    setState((was) => {
      const text = was.text === '' ? offered.text : `${offered.text}\n${was.text}`;
      return lineOf(text);
    });
  }, [offered, setState]);
}

/** What was hidden for one program is no longer hidden for the next, and never becomes a line at the prompt. */
function useEndOfHiding(
  isRunning: boolean,
  setHidden: (next: (was: boolean) => boolean) => void,
  setState: (state: EditorState) => void,
): void {
  useEffect(() => {
    if (isRunning) return;
    setHidden((was) => {
      if (was) setState(EMPTY_LINE);
      return false;
    });
  }, [isRunning, setHidden, setState]);
}

/** The input of a shell, as the components take it. */
export type Input = ReturnType<typeof useInput>;

function edit(action: InputAction, state: EditorState, history: readonly string[]): EditorState {
  switch (action) {
    case 'older':
    case 'newer':
      return recalled(state, history, action, 'any');
    case 'prefix-older':
      return recalled(state, history, 'older', 'prefix');
    case 'prefix-newer':
      return recalled(state, history, 'newer', 'prefix');
    case 'search-older':
      return searchedOlder(state, history);
    case 'search-newer':
      return searchedNewer(state, history);
    case 'search-keep':
      return searchEnded(state, history, true);
    case 'search-cancel':
      return searchEnded(state, history, false);
    case 'take':
      return suggestionTaken(state, history, 'whole');
    case 'take-word':
      return suggestionTaken(state, history, 'word');
    case 'clear-line':
      return EMPTY_LINE;
    default:
      return state;
  }
}
