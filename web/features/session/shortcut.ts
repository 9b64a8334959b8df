/** The keyboard of the session page, as one table. A key becomes the name of an action or null. */

/** What a shortcut does. */
export type ShortcutAction =
  | { readonly kind: 'tab'; readonly index: number }
  | {
      readonly kind:
        | 'new-tab'
        | 'close-tab'
        | 'find'
        | 'find-next'
        | 'find-previous'
        | 'copy'
        | 'paste'
        | 'clear'
        | 'end-input'
        | 'interrupt'
        | 'break'
        | 'next-region'
        | 'previous-region'
        | 'tab-mode'
        | 'older-command'
        | 'newer-command'
        | 'command-view'
        | 'page-up'
        | 'page-down';
    };

/** The parts of a key event that decide. */
export interface Stroke {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** The action of a stroke, or null. Keys while an IME composes are the IME's: do not ask then. */
export function shortcutOf(stroke: Stroke): ShortcutAction | null {
  if (stroke.metaKey) return null;
  if (stroke.altKey && !stroke.ctrlKey) return altShortcut(stroke);
  if (stroke.altKey) return null;
  const name = `${stroke.ctrlKey ? 'Ctrl+' : ''}${stroke.shiftKey ? 'Shift+' : ''}${keyName(stroke)}`;
  const kind = BY_NAME[name];
  return kind === undefined ? null : { kind };
}

function altShortcut(stroke: Stroke): ShortcutAction | null {
  const digit = /^Digit([1-9])$/.exec(stroke.code)?.[1];
  if (digit !== undefined && !stroke.shiftKey) return { kind: 'tab', index: Number(digit) - 1 };
  if (stroke.shiftKey && stroke.code === 'KeyT') return { kind: 'new-tab' };
  if (stroke.shiftKey && stroke.code === 'KeyW') return { kind: 'close-tab' };
  return null;
}

/** Letters by what is printed on the key, so that other layouts keep their mnemonics. */
function keyName(stroke: Stroke): string {
  return stroke.key.length === 1 ? stroke.key.toUpperCase() : stroke.key;
}

const BY_NAME: Readonly<Record<string, Exclude<ShortcutAction, { kind: 'tab' }>['kind']>> = {
  'Ctrl+Shift+F': 'find',
  F3: 'find-next',
  'Shift+F3': 'find-previous',
  'Ctrl+Shift+C': 'copy',
  'Ctrl+Shift+V': 'paste',
  'Ctrl+V': 'paste',
  'Ctrl+L': 'clear',
  'Ctrl+D': 'end-input',
  'Ctrl+C': 'interrupt',
  'Ctrl+Pause': 'break',
  'Ctrl+Cancel': 'break',
  F6: 'next-region',
  'Shift+F6': 'previous-region',
  'Ctrl+M': 'tab-mode',
  'Ctrl+ArrowUp': 'older-command',
  'Ctrl+ArrowDown': 'newer-command',
  'Ctrl+Shift+O': 'command-view',
  'Shift+PageUp': 'page-up',
  'Shift+PageDown': 'page-down',
};
