import { useTranslations } from 'next-intl';
import { useState } from 'react';
import type { LiveShell } from '../live-shell.ts';
import type { Screen } from '../screen/screen.ts';
import { type ShortcutAction, shortcutOf } from '../shortcut.ts';
import type { BarKey } from './key-bar.tsx';
import { moveCommand, moveRegion } from './regions.ts';
import type { Input } from './use-input.ts';
import { useWindowKeys } from './use-window-keys.ts';

/** What the keys act on. */
export interface KeyTargets {
  readonly shell: LiveShell;
  readonly input: Input;
  readonly root: { readonly current: HTMLElement | null };
  readonly findRequest: number;
  readonly copy: (text: string) => void;
  readonly say: (words: string) => void;
  readonly onFind: (isOpen: boolean) => void;
  readonly onCommandView: () => void;
}

/** The keys of one session that are not the input line's own, and the bar of keys a phone has not. */
export function useKeys(on: KeyTargets) {
  const t = useTranslations('session.announce');
  const [isCtrlHeld, setCtrlHeld] = useState(false);
  const { input } = on;
  const run = (action: ShortcutAction, event?: KeyboardEvent) => {
    if (action.kind === 'tab-mode') {
      const next = input.tabMode === 'complete' ? 'focus' : 'complete';
      input.setTabMode(next);
      on.say(t('tabMode', { mode: next }));
      event?.preventDefault();
    } else if (runAction(action, on)) event?.preventDefault();
  };
  useWindowKeys((event) => {
    const action = shortcutOf(event);
    // Another field, such as the one of the find bar, keeps its own editing keys.
    const isElsewhere = isTextField(event.target) && event.target !== input.field.current;
    if (action !== null && !(isElsewhere && EDITING.has(action.kind))) run(action, event);
    else if (!isTextField(event.target)) outputKey(event, on);
  });
  return {
    isCtrlHeld,
    onEdit: (text: string, caret: number) => {
      // A held Ctrl makes the next letter of a phone's keyboard a shortcut; those keyboards name no keys.
      const typed = text.length === input.state.text.length + 1 ? (text[caret - 1] ?? '') : '';
      if (!isCtrlHeld || typed === '') {
        input.onEdit(text, caret);
        return;
      }
      setCtrlHeld(false);
      if (typed.toLowerCase() === 'r') input.act('search-older');
      const stroke = { key: typed, code: '', ctrlKey: true, shiftKey: false, altKey: false, metaKey: false };
      const action = shortcutOf(stroke);
      if (action !== null) run(action);
    },
    onBarKey: (key: BarKey) => {
      if (key === 'Control') setCtrlHeld(!isCtrlHeld);
      else pressBarKey(key, input);
      input.field.current?.focus({ preventScroll: true });
    },
  };
}

const EDITING: ReadonlySet<ShortcutAction['kind']> = new Set(['interrupt', 'break', 'end-input', 'clear', 'paste']);

/** Runs an action; false leaves the key to the browser. */
function runAction(action: ShortcutAction, on: KeyTargets): boolean {
  const { shell, input } = on;
  const { screen } = shell;
  switch (action.kind) {
    case 'interrupt':
      return interruptOrCopy(on);
    case 'break':
      if (input.mode !== 'prompt') void shell.interrupt('ctrl-break');
      return true;
    case 'end-input':
      if (input.mode !== 'prompt') void shell.endInput();
      return true;
    case 'copy':
      if (screen.selection === '') return false;
      on.copy(screen.selection);
      return true;
    case 'paste':
      // The browser pastes into what has the focus when the key has been handled.
      input.field.current?.focus({ preventScroll: true });
      return false;
    case 'clear':
      shell.clear();
      return true;
    case 'find':
      on.onFind(true);
      return true;
    case 'find-next':
    case 'find-previous':
      if (on.findRequest === 0) on.onFind(true);
      else screen.findAgain(action.kind === 'find-next' ? 'previous' : 'next');
      return true;
    case 'next-region':
    case 'previous-region':
      moveRegion(document.body, action.kind === 'next-region' ? 1 : -1);
      return true;
    case 'older-command':
    case 'newer-command': {
      const direction = action.kind === 'older-command' ? 'older' : 'newer';
      if (!moveCommand(on.root.current ?? document.body, direction)) screen.scrollToCommand(direction);
      return true;
    }
    case 'command-view':
      on.onCommandView();
      return true;
    case 'page-up':
    case 'page-down':
      screen.scrollPages(action.kind === 'page-up' ? -1 : 1);
      return true;
    default:
      return false;
  }
}

/** Ctrl+C as Windows Terminal has it: a selection is copied; without one a program is stopped, or the line cleared. */
function interruptOrCopy({ shell, input, copy }: KeyTargets): boolean {
  const field = input.field.current;
  const hasFieldSelection =
    field !== null && field === document.activeElement && field.selectionStart !== field.selectionEnd;
  if (hasFieldSelection || (getSelection()?.toString() ?? '') !== '') return false;
  if (shell.screen.selection !== '') {
    copy(shell.screen.selection);
    shell.screen.clearSelection();
  } else if (input.mode === 'prompt') {
    // What waits for the link goes back into the line, where it can be seen and cleared.
    if (!shell.takeBack()) input.replace('');
  } else if (shell.view.isLinked || !shell.takeBack()) void shell.interrupt('ctrl-c');
  return true;
}

/** Keys while the output has the focus: it scrolls; a letter goes to the input line. */
function outputKey(event: KeyboardEvent, { shell: { screen }, input }: KeyTargets): void {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
  const isNowhere = target === document.body;
  if ((!isNowhere && target.closest('[data-region="output"]') === null) || target instanceof HTMLButtonElement) return;
  const isDocument = document.querySelector('[data-document]') !== null;
  if (!isDocument && scrolled(screen, event.key)) event.preventDefault();
  else if (event.key.length === 1 && event.key !== ' ') input.field.current?.focus({ preventScroll: true });
}

function scrolled(screen: Screen, key: string): boolean {
  if (key === 'ArrowUp' || key === 'ArrowDown') screen.scrollLines(key === 'ArrowUp' ? -1 : 1);
  else if (key === 'PageUp' || key === 'PageDown') screen.scrollPages(key === 'PageUp' ? -1 : 1);
  else if (key === 'Home' || key === 'End') screen.scrollToEdge(key === 'Home' ? 'top' : 'bottom');
  else return false;
  return true;
}

function pressBarKey(key: BarKey, input: Input): void {
  const field = input.field.current;
  const at = field?.selectionStart ?? 0;
  if (key === 'ArrowLeft') field?.setSelectionRange(Math.max(0, at - 1), Math.max(0, at - 1));
  else if (key === 'ArrowRight') field?.setSelectionRange(at + 1, at + 1);
  else if (key === 'Escape') input.act(input.state.search === null ? 'clear-line' : 'search-cancel');
  else if (key === 'Tab') input.act(input.state.search === null ? 'take' : 'search-keep');
  else if (input.mode === 'prompt') input.act(key === 'ArrowUp' ? 'older' : 'newer');
}

/** The terminal's own hidden field is no place to type. */
function isTextField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement) || target.classList.contains('xterm-helper-textarea')) return false;
  return target.matches('input, textarea, select');
}
