import type { EditorState } from './line-editor.ts';
import { isOnFirstLine, isOnLastLine } from './line-editor.ts';
import type { Stroke } from './shortcut.ts';

/** What a key does in the input line; null leaves it to the text field. `nothing` only keeps the browser's hands off. */
export type InputAction =
  | 'submit'
  | 'older'
  | 'newer'
  | 'prefix-older'
  | 'prefix-newer'
  | 'search-older'
  | 'search-newer'
  | 'search-keep'
  | 'search-run'
  | 'search-cancel'
  | 'take'
  | 'take-word'
  | 'clear-line'
  | 'nothing';

/** What the line is for: `program` and `hidden` lines go to a running program and have no history. */
export type InputMode = 'prompt' | 'program' | 'hidden';

/** What decides beside the key. */
export interface InputKeyContext {
  readonly mode: InputMode;
  readonly tabMode: 'complete' | 'focus';
  readonly hasSuggestion: boolean;
}

/** The action of a key in the input line. Keys while an IME composes are the IME's: do not ask then. */
export function inputKey(stroke: Stroke, state: EditorState, context: InputKeyContext): InputAction | null {
  if (stroke.altKey || stroke.metaKey) return null;
  if (state.search !== null) return searchKey(stroke);
  if (stroke.key === 'Enter') return stroke.shiftKey && context.mode !== 'hidden' ? null : 'submit';
  if (stroke.key === 'Escape') return state.text === '' ? null : 'clear-line';
  if (context.mode !== 'prompt') return stroke.key === 'Tab' && context.tabMode === 'complete' ? 'nothing' : null;
  if (stroke.ctrlKey) return ctrlKey(stroke, context);
  switch (stroke.key) {
    case 'ArrowUp':
      return !stroke.shiftKey && isOnFirstLine(state) ? 'older' : null;
    case 'ArrowDown':
      return !stroke.shiftKey && isOnLastLine(state) ? 'newer' : null;
    case 'F8':
      return stroke.shiftKey ? 'prefix-newer' : 'prefix-older';
    case 'ArrowRight':
    case 'End':
      return context.hasSuggestion && !stroke.shiftKey ? 'take' : null;
    case 'Tab':
      if (context.tabMode === 'focus' || stroke.shiftKey) return null;
      return context.hasSuggestion ? 'take' : 'nothing';
    default:
      return null;
  }
}

function ctrlKey(stroke: Stroke, context: InputKeyContext): InputAction | null {
  if (stroke.key === 'ArrowRight') return context.hasSuggestion ? 'take-word' : null;
  return stroke.key.toLowerCase() === 'r' && !stroke.shiftKey ? 'search-older' : null;
}

function searchKey(stroke: Stroke): InputAction | null {
  const key = stroke.key.toLowerCase();
  if (stroke.ctrlKey && key === 'r') return 'search-older';
  if (stroke.ctrlKey && key === 's') return 'search-newer';
  if (stroke.ctrlKey && (key === 'g' || key === 'c')) return 'search-cancel';
  switch (stroke.key) {
    case 'Enter':
      return 'search-run';
    case 'Escape':
      return 'search-cancel';
    case 'ArrowUp':
      return 'search-older';
    case 'ArrowDown':
      return 'search-newer';
    case 'Tab':
    case 'ArrowRight':
    case 'End':
      return 'search-keep';
    default:
      return null;
  }
}
