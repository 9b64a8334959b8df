/**
 * The line a person is writing, as values. The text field itself edits (so the system places carets, IME windows and
 * dictation); this machine adds what a text field does not know: history, search and suggestions. Pure: every function
 * takes a state and gives the next one.
 */

/** A line in the making. INVARIANT: `recall` and `search` are never both set. */
export interface EditorState {
  readonly text: string;
  /** Where the caret belongs after a change made here; the field's own edits report theirs. */
  readonly caret: number;
  /** Set while walking through history: what was typed before, and where we stand (counted from the newest, 0). */
  readonly recall: { readonly back: number; readonly draft: string; readonly prefix: string } | null;
  /** Set while searching: the query, the match (counted from the newest, or null) and the line to go back to. */
  readonly search: { readonly query: string; readonly back: number | null; readonly draft: string } | null;
}

/** Nothing typed yet. */
export const EMPTY_LINE: EditorState = { text: '', caret: 0, recall: null, search: null };

/** The field's own edit: typing, deleting, pasting, the caret moving. Ends a walk through history. */
export function edited(state: EditorState, text: string, caret: number): EditorState {
  if (text === state.text) return { ...state, caret };
  return { text, caret, recall: null, search: state.search };
}

/** Puts text at the selection, as a paste or a program would. */
export function inserted(state: EditorState, text: string, from: number, to: number): EditorState {
  const next = state.text.slice(0, from) + text + state.text.slice(to);
  return { text: next, caret: from + text.length, recall: null, search: null };
}

/**
 * Up or Down (whole history), F8 or Shift+F8 (only lines that begin with what stands before the caret).
 * @param history oldest first
 */
export function recalled(
  state: EditorState,
  history: readonly string[],
  direction: 'older' | 'newer',
  by: 'any' | 'prefix',
): EditorState {
  const prefix = by === 'any' ? '' : (state.recall?.prefix ?? state.text.slice(0, state.caret));
  const start = state.recall ?? { back: -1, draft: state.text, prefix };
  const step = direction === 'older' ? 1 : -1;
  for (let back = start.back + step; back < history.length; back += step) {
    if (back < 0) {
      const text = start.draft;
      return {
        text,
        caret: by === 'any' ? text.length : Math.min(prefix.length, text.length),
        recall: null,
        search: null,
      };
    }
    const line = history[history.length - 1 - back] ?? '';
    if (!line.startsWith(prefix) || line === state.text) continue;
    const caret = by === 'any' ? line.length : prefix.length;
    return { text: line, caret, recall: { back, draft: start.draft, prefix }, search: null };
  }
  return state;
}

/** Ctrl+R: begins a search, or goes to the next older match of one under way. */
export function searchedOlder(state: EditorState, history: readonly string[]): EditorState {
  if (state.search === null) {
    return { ...state, recall: null, search: { query: '', back: null, draft: state.text } };
  }
  return seek(state, history, (state.search.back ?? -1) + 1, 1);
}

/** Ctrl+S while searching: the next newer match. */
export function searchedNewer(state: EditorState, history: readonly string[]): EditorState {
  if (state.search?.back == null) return state;
  return seek(state, history, state.search.back - 1, -1);
}

/** The query changed: starts again from the newest line. */
export function searchTyped(state: EditorState, history: readonly string[], query: string): EditorState {
  if (state.search === null) return state;
  const begun = { ...state, search: { ...state.search, query, back: null } };
  return query === '' ? begun : seek(begun, history, 0, 1);
}

/** The line a search has found, or null. */
export function searchMatch(state: EditorState, history: readonly string[]): string | null {
  if (state.search?.back == null) return null;
  return history[history.length - 1 - state.search.back] ?? null;
}

/** Ends a search: `accept` keeps the match as the line, else the line is as it was. */
export function searchEnded(state: EditorState, history: readonly string[], accept: boolean): EditorState {
  if (state.search === null) return state;
  const text = (accept ? searchMatch(state, history) : null) ?? state.search.draft;
  return { text, caret: text.length, recall: null, search: null };
}

/** What the newest line that continues the text would add; "" when none does or the caret is not at the end. */
export function suggestion(state: EditorState, history: readonly string[]): string {
  if (state.text === '' || state.caret !== state.text.length || state.search !== null) return '';
  for (let at = history.length - 1; at >= 0; at -= 1) {
    const line = history[at] ?? '';
    if (line.length > state.text.length && line.startsWith(state.text) && !line.includes('\n')) {
      return line.slice(state.text.length);
    }
  }
  return '';
}

/** Takes the suggestion, whole or its first word. */
export function suggestionTaken(state: EditorState, history: readonly string[], how: 'whole' | 'word'): EditorState {
  const rest = suggestion(state, history);
  if (rest === '') return state;
  const taken = how === 'whole' ? rest : (/^\s*\S+\s?/.exec(rest)?.[0] ?? rest);
  const text = state.text + taken;
  return { text, caret: text.length, recall: null, search: null };
}

/** Whether Up may leave the field for history: the caret is on the first line. */
export function isOnFirstLine(state: EditorState): boolean {
  return !state.text.slice(0, state.caret).includes('\n');
}

/** Whether Down may leave the field for history: the caret is on the last line. */
export function isOnLastLine(state: EditorState): boolean {
  return !state.text.slice(state.caret).includes('\n');
}

/** The lines a multi-line entry stands for, in order; blank ones at the end are dropped. */
export function linesOf(text: string): string[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  while (lines.length > 1 && lines.at(-1)?.trim() === '') lines.pop();
  return lines;
}

function seek(state: EditorState, history: readonly string[], from: number, step: 1 | -1): EditorState {
  const search = state.search;
  if (search === null) return state;
  const shown = searchMatch(state, history);
  const query = search.query.toLowerCase();
  for (let back = from; back >= 0 && back < history.length; back += step) {
    const line = history[history.length - 1 - back] ?? '';
    if (line === shown || !line.toLowerCase().includes(query)) continue;
    return { ...state, search: { ...search, back } };
  }
  return state;
}
