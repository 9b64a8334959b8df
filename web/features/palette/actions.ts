/** What can be done now, as the command palette lists it: screens add their actions while they are shown. */
export interface PaletteAction {
  /** Stable and unique. */
  readonly id: string;
  /** In the reader's language. */
  readonly label: string;
  /** A group's heading, in the reader's language. */
  readonly group: string;
  /** Keys that do the same, as they are pressed, for instance "Alt+Shift+T"; the palette only shows them. */
  readonly keys?: string;
  readonly run: () => void;
}

const sets = new Map<symbol, readonly PaletteAction[]>();
let all: readonly PaletteAction[] = [];
const listeners = new Set<() => void>();
const tell = () => {
  // What came last stands first: the screen before the app around it.
  all = [...sets.values()].reverse().flat();
  for (const listener of listeners) listener();
};

/** Adds actions until the returned function is called. */
export function offerActions(actions: readonly PaletteAction[]): () => void {
  const key = Symbol('actions');
  sets.set(key, actions);
  tell();
  return () => {
    sets.delete(key);
    tell();
  };
}

/** Every action on offer. The same array until something changes. */
export function offeredActions(): readonly PaletteAction[] {
  return all;
}

/** Calls back after each change until the returned function is called. */
export function watchActions(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/**
 * The actions that fit what was typed, best first: every word must occur; a word at the start of a label counts most,
 * then at the start of any word, then anywhere. Order of offer decides between equals.
 */
export function rankActions(actions: readonly PaletteAction[], typed: string): PaletteAction[] {
  const words = typed.toLowerCase().split(/\s+/u).filter(Boolean);
  const scored = actions.flatMap((action, index) => {
    const text = `${action.label} ${action.group}`.toLowerCase();
    let score = 0;
    for (const word of words) {
      const at = text.indexOf(word);
      if (at < 0) return [];
      score += at === 0 ? 3 : /[^\p{L}\p{N}]/u.test(text[at - 1] ?? '') ? 2 : 1;
    }
    return [{ action, score, index }];
  });
  scored.sort((one, other) => other.score - one.score || one.index - other.index);
  return scored.map(({ action }) => action);
}
