import { CLEAR } from '@fairlead/protocol';
import '@xterm/xterm/css/xterm.css';
import './screen.css';
import { FitAddon } from '@xterm/addon-fit';
import type { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { type IMarker, type ITheme, Terminal } from '@xterm/xterm';
import { WriteGate } from '../write-gate.ts';
import { cspDocument } from './csp-document.ts';
import { contrastFor, contrastRatio, paletteFor } from './palette.ts';
import type { FindQuery, FindResult, Screen, ScreenLook } from './screen.ts';
import { StderrRule } from './stderr-rule.ts';
import { scrollByTouch } from './touch-scroll.ts';

/** Lines kept above the page: some 30 MB at 120 columns. The command view keeps the text of more. */
const SCROLLBACK_LINES = 20_000;

/** xterm.js yields to the page between pieces, not inside one. */
const PIECE_CHARS = 32 * 1024;
const FONT = '"JetBrains Mono", ui-monospace, "Cascadia Mono", Consolas, monospace';
const NO_FIND: FindResult = { at: 0, count: 0, isBadRegex: false };
const DIVIDER_COLUMNS = 72;

/** A `Screen` on xterm.js, drawn by its DOM renderer. */
export class TerminalScreen implements Screen {
  readonly element = document.createElement('div');
  readonly #csp = cspDocument(document);
  readonly #gate = new WriteGate();
  readonly #fit = new FitAddon();
  /** Fetched when something is first looked for. */
  #search: SearchAddon | null = null;
  readonly #terminal: Terminal;
  readonly #rule: StderrRule;
  readonly #host = document.createElement('div');
  readonly #listeners = new Set<() => void>();
  #commands: IMarker[] = [];
  #heldLineEnd = '';
  #isMidLine = false;
  #isLight = false;
  #isOpen = false;
  #isDisposed = false;
  #lastFind = NO_FIND;
  #rowPx = 0;
  #query: FindQuery | null = null;
  #seen = '';
  #words = { label: '', hint: '' };

  constructor() {
    this.#terminal = new Terminal({
      allowProposedApi: true,
      convertEol: true,
      cursorInactiveStyle: 'none',
      cursorStyle: 'bar',
      disableStdin: true,
      documentOverride: this.#csp.document,
      fontFamily: FONT,
      lineHeight: 1.2,
      overviewRuler: { width: 10 },
      scrollback: SCROLLBACK_LINES,
      scrollOnEraseInDisplay: true,
      smoothScrollDuration: 0,
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = '11';
    // No key is the terminal's: the input line is where one types.
    this.#terminal.attachCustomKeyEventHandler(() => false);
    const layer = document.createElement('div');
    layer.className = 'fl-stderr';
    layer.setAttribute('aria-hidden', 'true');
    this.#host.className = 'fl-host';
    this.element.className = 'fl-screen';
    this.element.append(layer, this.#host);
    scrollByTouch(
      this.element,
      () => this.#rowPx,
      (lines) => this.#terminal.scrollLines(lines),
    );
    this.#rule = new StderrRule(this.#terminal, layer, () => this.#rowPx);
    // A render follows what was written and every scroll, once per frame; before the first one there is nobody to tell.
    this.#terminal.onRender(() => this.#tellIfMoved());
    this.#terminal.onResize(() => {
      this.#measure();
      this.#tellIfMoved();
    });
  }

  get usedRows(): number {
    const buffer = this.#terminal.buffer.active;
    if (buffer.viewportY < buffer.baseY) return this.#terminal.rows;
    for (let row = this.#terminal.rows - 1; row >= 0; row -= 1) {
      if (row === buffer.cursorY && (row > 0 || buffer.cursorX > 0)) return row + 1;
      if (buffer.getLine(buffer.baseY + row)?.translateToString(true)) return row + 1;
    }
    return 0;
  }

  get rowPx(): number {
    return this.#rowPx;
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  get lastFind(): FindResult {
    return this.#lastFind;
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    this.#put(this.#heldLineEnd);
    if (stream === 'stderr') this.#after(() => this.#rule.begin());
    // A line end at the end waits for what follows, so that the input line stands right under the text.
    const held = /\r?\n$/.exec(text)?.[0] ?? '';
    this.#heldLineEnd = held;
    this.#put(text.slice(0, text.length - held.length));
    if (stream === 'stderr') this.#after(() => this.#rule.end());
  }

  writeCommand(prompt: string, command: string): void {
    this.#startLine();
    this.#after(() => {
      const marker = this.#terminal.registerMarker(0);
      this.#commands = [...this.#commands.filter((one) => !one.isDisposed), marker].slice(-1_000);
    });
    this.#put(`\x1b[90m${prompt}\x1b[0;1m${command.replace(/\n/g, '\r\n')}\x1b[0m`);
    this.#heldLineEnd = '\r\n';
    this.scrollToEdge('bottom');
  }

  writeInput(text: string, isHidden: boolean): void {
    this.#put(`${this.#heldLineEnd}\x1b[1m${isHidden ? '•••' : text.replace(/\n/g, '\r\n')}\x1b[0m`);
    this.#heldLineEnd = '\r\n';
    this.scrollToEdge('bottom');
  }

  writeDivider(words: string): void {
    this.#startLine();
    const rule = '─'.repeat(Math.max(2, Math.min(DIVIDER_COLUMNS, this.#terminal.cols) - words.length - 5));
    this.#put(`\x1b[0;90m── ${words} ${rule}\x1b[0m`);
    this.#heldLineEnd = '\r\n';
  }

  ready(): Promise<void> {
    return this.#gate.ready();
  }

  clear(): void {
    this.#heldLineEnd = '';
    this.#put(CLEAR);
  }

  shown(): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#csp.during(() => this.#terminal.open(this.#host));
    }
    // The terminal's hidden field takes no text; it is what makes the output reachable by keyboard.
    this.#terminal.textarea?.setAttribute('aria-label', this.#words.label);
    this.#terminal.textarea?.setAttribute('aria-description', this.#words.hint);
    if (this.#host.clientHeight > 0) this.#fit.fit();
    this.#measure();
    this.#rule.draw();
    this.#tellIfMoved();
  }

  setLook(look: ScreenLook, words: { readonly label: string; readonly hint: string }): void {
    const palette = paletteFor(look.palette, look.theme);
    this.#words = words;
    this.#isLight = contrastRatio(palette.ground, '#000000') > 10;
    this.#terminal.options.theme = themeOf(palette.ground, palette.ink, palette.colours);
    this.#terminal.options.minimumContrastRatio = contrastFor(look.theme);
    this.#terminal.options.fontSize = look.fontPx;
    this.element.style.setProperty('--fl-ground', palette.ground);
    if (this.#isOpen) this.shown();
  }

  clearSelection(): void {
    this.#terminal.clearSelection();
  }

  selectAll(): void {
    this.#terminal.selectAll();
  }

  scrollPages(pages: number): void {
    this.#terminal.scrollPages(pages);
  }

  scrollLines(lines: number): void {
    this.#terminal.scrollLines(lines);
  }

  scrollToEdge(edge: 'top' | 'bottom'): void {
    if (edge === 'top') this.#terminal.scrollToTop();
    else this.#terminal.scrollToBottom();
  }

  scrollToCommand(direction: 'older' | 'newer'): boolean {
    const top = this.#terminal.buffer.active.viewportY;
    const lines = this.#commands.filter((marker) => !marker.isDisposed).map((marker) => marker.line);
    const line = direction === 'older' ? lines.findLast((one) => one < top) : lines.find((one) => one > top);
    if (line === undefined) {
      if (direction === 'newer') this.scrollToEdge('bottom');
      return false;
    }
    this.#terminal.scrollToLine(line);
    return true;
  }

  findAgain(direction: 'next' | 'previous'): void {
    if (this.#query !== null) this.find(this.#query, direction);
  }

  find(query: FindQuery, direction: 'next' | 'previous'): FindResult {
    this.#query = query;
    if (query.text === '') {
      this.endFind();
      return this.#lastFind;
    }
    if (query.isRegex && !isRegex(query.text)) {
      this.#search?.clearDecorations();
      this.#lastFind = { ...NO_FIND, isBadRegex: true };
      return this.#lastFind;
    }
    const search = this.#search;
    if (search === null) {
      void this.#loadSearch().then(() => {
        if (this.#query === query) this.find(query, direction);
      });
      return this.#lastFind;
    }
    const options = {
      regex: query.isRegex,
      caseSensitive: query.isCaseSensitive,
      wholeWord: query.isWholeWord,
      decorations: this.#isLight ? FIND_ON_LIGHT : FIND_ON_DARK,
    };
    const isFound =
      direction === 'next' ? search.findNext(query.text, options) : search.findPrevious(query.text, options);
    if (!isFound) this.#lastFind = NO_FIND;
    return this.#lastFind;
  }

  async #loadSearch(): Promise<void> {
    const { SearchAddon } = await import('@xterm/addon-search');
    if (this.#search !== null || this.#isDisposed) return;
    const search = new SearchAddon({ highlightLimit: 2_000 });
    this.#search = search;
    this.#terminal.loadAddon(search);
    search.onDidChangeResults(({ resultIndex, resultCount }) => {
      this.#lastFind = { at: resultIndex + 1, count: resultCount, isBadRegex: false };
      this.#tell();
    });
  }

  endFind(): void {
    this.#search?.clearDecorations();
    this.#terminal.clearSelection();
    this.#lastFind = NO_FIND;
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#listeners.clear();
    this.#terminal.dispose();
    this.element.remove();
  }

  #startLine(): void {
    if (this.#heldLineEnd !== '') this.#put(this.#heldLineEnd);
    else if (this.#isMidLine) this.#put('\r\n');
    this.#heldLineEnd = '';
  }

  #put(text: string): void {
    if (text !== '') this.#isMidLine = !text.endsWith('\n') && !text.endsWith(CLEAR);
    for (let at = 0; at < text.length; at += PIECE_CHARS) {
      const piece = text.slice(at, at + PIECE_CHARS);
      this.#gate.wrote(piece.length);
      this.#terminal.write(piece, () => this.#gate.drained(piece.length));
    }
  }

  /** Runs when everything written so far has been parsed, and before anything written later. */
  #after(then: () => void): void {
    this.#terminal.write('', then);
  }

  /** Asking for a height makes the browser lay the page out: seldom, and never per line. */
  #measure(): void {
    this.#rowPx = (this.element.querySelector('.xterm-screen')?.clientHeight ?? 0) / this.#terminal.rows;
  }

  #tellIfMoved(): void {
    const seen = `${this.usedRows} ${this.rowPx}`;
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const FIND_ON_LIGHT = {
  matchBackground: '#ffe08a',
  matchOverviewRuler: '#c98a00',
  activeMatchBackground: '#ffb347',
  activeMatchColorOverviewRuler: '#8a5a00',
};

const FIND_ON_DARK = {
  matchBackground: '#6b5a1e',
  matchOverviewRuler: '#d8a93a',
  activeMatchBackground: '#b5831a',
  activeMatchColorOverviewRuler: '#ffd257',
};

const COLOUR_NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

function themeOf(ground: string, ink: string, colours: readonly string[]): ITheme {
  const theme: ITheme = {
    background: ground,
    foreground: ink,
    cursor: `${ground}00`,
    cursorAccent: ink,
    selectionBackground: `${colours[4] ?? ink}55`,
    overviewRulerBorder: `${ground}00`,
    scrollbarSliderBackground: `${ink}33`,
    scrollbarSliderHoverBackground: `${ink}55`,
    scrollbarSliderActiveBackground: `${ink}77`,
  };
  COLOUR_NAMES.forEach((name, at) => {
    theme[name] = colours[at] ?? ink;
    theme[`bright${name[0]?.toUpperCase()}${name.slice(1)}` as `bright${Capitalize<typeof name>}`] =
      colours[at + 8] ?? ink;
  });
  return theme;
}

function isRegex(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}
