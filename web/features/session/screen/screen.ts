import type { PaintedTheme, Preferences } from '@/lib/preferences.ts';

/** How output looks. */
export interface ScreenLook {
  readonly palette: Preferences['palette'];
  readonly theme: PaintedTheme;
  readonly fontPx: number;
}

/** What the find bar asks for. */
export interface FindQuery {
  readonly text: string;
  readonly isRegex: boolean;
  readonly isCaseSensitive: boolean;
  readonly isWholeWord: boolean;
}

/** What was found: which one is shown (from 1; 0 when past the limit or none) and how many there are. */
export interface FindResult {
  readonly at: number;
  readonly count: number;
  readonly isBadRegex: boolean;
}

/** The output of one session on a page. It lives as long as the session and moves between places on the page. */
export interface Screen {
  /** Put on the page by whoever shows the session, and taken away again. */
  readonly element: HTMLElement;
  /** Rows that hold anything; the input line stands under them. */
  readonly usedRows: number;
  /** Height of a row in CSS pixels; 0 before the first time on a page. */
  readonly rowPx: number;
  readonly selection: string;
  /** Writes text that has passed the output filter. */
  write(stream: 'stdout' | 'stderr', text: string): void;
  /** Writes a prompt and the command after it, and remembers the place. */
  writeCommand(prompt: string, command: string): void;
  /** Writes what was typed at a running program; hidden input is shown as three dots. */
  writeInput(text: string, isHidden: boolean): void;
  /** Draws a line across with words in it, for a reconnection or an end. */
  writeDivider(words: string): void;
  /** Resolves when there is room for more. */
  ready(): Promise<void>;
  /** Clears the page; what it showed stays in the scrollback. */
  clear(): void;
  /** The element is on the page: opens on the first call, fits on every one. */
  shown(): void;
  /** The words are the name of the output and how to use it with the keyboard, for screen readers. */
  setLook(look: ScreenLook, words: { readonly label: string; readonly hint: string }): void;
  clearSelection(): void;
  selectAll(): void;
  scrollPages(pages: number): void;
  scrollLines(lines: number): void;
  scrollToEdge(edge: 'top' | 'bottom'): void;
  /** Shows the command before or after the one in view; false when there is none. */
  scrollToCommand(direction: 'older' | 'newer'): boolean;
  find(query: FindQuery, direction: 'next' | 'previous'): FindResult;
  /** Looks for the same again; nothing when nothing was looked for. */
  findAgain(direction: 'next' | 'previous'): void;
  endFind(): void;
  /** Calls back when `usedRows`, `rowPx` or the finds change, until the returned function is called. */
  watch(listener: () => void): () => void;
  readonly lastFind: FindResult;
  dispose(): void;
}
