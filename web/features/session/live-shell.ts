import { CmdPromptReader, isWinRmError, type OutputFilter, plainText } from '@fairlead/protocol';
import { BlockLog } from './block-log.ts';
import type { LineHistory } from './history.ts';
import { linesOf } from './line-editor.ts';
import { asksForSecret } from './masked-prompt.ts';
import { findMojibake } from './mojibake.ts';
import type { Screen } from './screen/screen.ts';
import type { GapWords, ShellSession } from './shell-session.ts';
import { draftOf, promptText, refusalOf, shellStreams } from './shell-stream.ts';
import { FRESH, type LiveShellParts, type ShellView } from './shell-view.ts';
import type { Note, Past, Survived } from './survival.ts';
import { WaitingLines } from './waiting-lines.ts';

export type { ShellSession } from './shell-session.ts';
export type { LiveShellParts, ShellView } from './shell-view.ts';

/** Everything between one session's bytes and one page: decoding, filtering, prompts, blocks, and what was typed. */
export class LiveShell {
  readonly blocks: BlockLog;
  readonly screen: Screen;
  readonly history: LineHistory;
  readonly #parts: LiveShellParts;
  readonly #listeners = new Set<() => void>();
  #session: ShellSession | null = null;
  #prompts: CmdPromptReader | null = null;
  #view: ShellView = FRESH;
  readonly #waiting = new WaitingLines();
  #tail = '';
  #hasPrompts = false;
  #mojibakeSeen = false;
  #codePage = 65_001;
  #draftText = '';
  /** While the past is shown again, the time at which it happened. */
  #replayMs: number | null = null;
  #lastOutputMs: number | null = null;

  constructor(parts: LiveShellParts) {
    this.#parts = parts;
    this.blocks = new BlockLog(() => this.#now());
    this.screen = parts.screen;
    this.history = parts.history;
  }

  /** What a person sees now. */
  get view(): ShellView {
    return this.#view;
  }

  /** Calls back after each change of `view` until the returned function is called. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes a session's output until it ends. Old text stays; a new session in the same tab writes on beneath it. What an
   * earlier page left is shown first, and announced to nobody.
   */
  async run(session: ShellSession, codePage: number, gapWords: GapWords = () => 'gap'): Promise<void> {
    this.#giveBack();
    this.#session = session;
    this.#codePage = codePage;
    const prompts = new CmdPromptReader(session.promptWord);
    this.#prompts = prompts;
    this.#hasPrompts = false;
    const { lastEnded, isLinked, offered } = this.#view;
    this.#set({ ...FRESH, lastEnded, isLinked, offered, isRunning: this.#parts.kind === 'command' });
    if (this.#parts.kind === 'command') {
      this.blocks.begin('command', '', this.#parts.command);
      this.screen.writeCommand('', this.#parts.command);
    }
    const streams = shellStreams(codePage);
    const take = (past: Extract<Past, { what: 'chunk' | 'gap' }>) => {
      if (past.what === 'gap') this.screen.writeDivider(gapWords(this.#lastOutputMs, past.atMs));
      else this.#take(past.stream, streams[past.stream].reader.decode(past.bytes), streams[past.stream].filter);
      this.#lastOutputMs = past.atMs;
    };
    const isCurrent = () => this.#session === session;
    try {
      if (session.survived) await this.#replay(session.survived, take, isCurrent);
      for await (const { stream, bytes } of session.output) {
        if (!isCurrent()) return;
        const atMs = Date.now();
        take(stream === 'gap' ? { what: 'gap', atMs } : { what: 'chunk', stream, bytes, atMs });
        // The next Receive is asked for when this loop comes round: a full screen holds it back.
        await this.screen.ready();
        if (!isCurrent()) return;
      }
      for (const stream of ['stdout', 'stderr'] as const) {
        this.#take(stream, streams[stream].reader.flush(), streams[stream].filter);
      }
      for (const event of prompts.flush()) {
        if (event.kind === 'text') this.#show('stdout', streams.stdout.filter.feed(event.text));
      }
    } catch (error) {
      // The session's own state tells what happened; here it only means that there is no more output.
      if (!isWinRmError(error)) throw error;
    }
  }

  /** Goes through what happened before this page came, as it happened. */
  async #replay(
    { past, draft, lateError }: Survived,
    take: (past: Extract<Past, { what: 'chunk' | 'gap' }>) => void,
    isCurrent: () => boolean,
  ): Promise<void> {
    try {
      for (const event of past) {
        this.#replayMs = event.atMs;
        if (event.what === 'chunk' || event.what === 'gap') take(event);
        else this.#redo(event);
        await this.screen.ready();
        if (!isCurrent()) return;
      }
    } finally {
      this.#replayMs = null;
    }
    this.#waiting.commands = [...draft.queue];
    const offered = draft.text === '' ? null : { text: draft.text };
    const isRunning = this.#view.isRunning && lateError?.code !== 'shell.fate-unknown';
    this.#set({ ...this.#view, inputError: lateError, offered, isRunning, queuedCount: this.#waiting.count });
    this.#sendNext();
  }

  /** What was done then is shown, and not done again. */
  #redo(note: Note): void {
    switch (note.what) {
      case 'line':
        this.#beginLine(note.prompt, note.text);
        if (!this.history.lines.includes(note.text)) this.history.add(note.text);
        return;
      case 'input':
        this.#showInput(note.text);
        return;
      case 'divider':
        this.screen.writeDivider(note.words);
        return;
      case 'clear':
        this.screen.clear();
        return;
      case 'doubt':
        this.#doubt();
        return;
      case 'interrupt':
        this.#set({ ...this.#view, stoppingSinceMs: this.#view.isRunning ? this.#now() : null });
    }
  }

  /** The session is over: what ran is cut or finished, and a line says so on the screen. */
  ended(words: string, isCut: boolean): void {
    this.#endBlock(isCut ? 'cut' : 'finished');
    this.#giveBack();
    this.#session = null;
    this.screen.writeDivider(words);
    this.#set({ ...this.#view, isRunning: false, stoppingSinceMs: null, queuedCount: 0, seemsSecret: false });
  }

  /** Draws a line across the output. */
  divide(words: string): void {
    this.screen.writeDivider(words);
    this.#session?.note?.({ what: 'divider', words });
  }

  /** Clears the page; what it showed stays in the scrollback. */
  clear(): void {
    this.screen.clear();
    this.#session?.note?.({ what: 'clear' });
  }

  /** Says whether the link to the relay stands: lines wait for it, and none is sent twice. */
  setLinked(isLinked: boolean): void {
    if (isLinked === this.#view.isLinked) return;
    if (isLinked && this.#view.isRunning) this.#tellProgram();
    else if (isLinked && this.#waiting.input.length > 0) this.#giveBack(); // the program that it was for has ended
    this.#set({ ...this.#view, isLinked, queuedCount: this.#waiting.count });
    this.#tellDraft();
    if (isLinked && this.#waiting.count > 0) this.#sendNext();
  }

  /** Takes lines back that were entered and not sent, into the editor. @returns whether there were any */
  takeBack(): boolean {
    if (this.#waiting.count === 0) return false;
    this.#giveBack();
    return true;
  }

  /** Keeps a line in the making for a page that comes back. Never called with hidden input. */
  keepDraft(text: string): void {
    if (text === this.#draftText) return;
    this.#draftText = text;
    this.#tellDraft();
  }

  /**
   * Sends what was typed at the prompt, line after line: each waits for the prompt after the one before, because a
   * program would read it as its input otherwise. One line that cmd.exe would not take as it is written, and nothing is
   * shown, kept or sent; `view.inputError` says why.
   * @returns whether the lines were taken
   */
  submit(text: string): boolean {
    const lines = linesOf(text);
    if (!this.#accepts(lines, 'prompt')) return false;
    for (const line of lines) this.history.add(line);
    this.#waiting.commands.push(...lines);
    this.#sendNext();
    return true;
  }

  /**
   * Sends lines to the program that runs, once the link stands. Hidden input is neither shown nor kept.
   * @returns whether the lines were taken, as for `submit`
   */
  answer(text: string, isHidden: boolean): boolean {
    if (!this.#accepts(linesOf(text), 'program')) return false;
    this.#waiting.input.push({ text, isHidden });
    if (this.#view.isLinked) this.#tellProgram();
    this.#set({ ...this.#view, inputError: null, queuedCount: this.#waiting.count });
    this.#tellDraft();
    return true;
  }

  #tellProgram(): void {
    for (const { text, isHidden } of this.#waiting.input.splice(0)) {
      const shown = isHidden ? null : text;
      this.#showInput(shown);
      this.#session?.note?.({ what: 'input', text: shown });
      void this.#send(`${linesOf(text).join('\r\n')}\r\n`);
    }
  }

  /** Asks the running program to stop. Lines that wait are dropped. */
  async interrupt(how: 'ctrl-c' | 'ctrl-break'): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    this.#waiting.clear();
    this.#tellDraft();
    session.note?.({ what: 'interrupt' });
    this.#set({ ...this.#view, queuedCount: 0, stoppingSinceMs: this.#view.stoppingSinceMs ?? this.#now() });
    await this.#guard(() => session.interrupt(how));
    if (!this.#hasPrompts) this.#set({ ...this.#view, stoppingSinceMs: null });
  }

  /** Tells the program that no more input comes. */
  async endInput(): Promise<void> {
    const session = this.#session;
    if (session !== null) await this.#guard(() => session.endInput());
  }

  /** The hint about unreadable text has been seen. */
  dismissMojibake(): void {
    this.#mojibakeSeen = true;
    this.#set({ ...this.#view, mojibake: null });
  }

  /** The message about a line that was not sent has been seen. */
  dismissInputError(): void {
    this.#set({ ...this.#view, inputError: null });
  }

  #take(stream: 'stdout' | 'stderr', text: string, filter: OutputFilter): void {
    if (stream === 'stderr' || this.#parts.kind === 'command') {
      this.#show(stream, filter.feed(text));
      return;
    }
    // Prompts are announced by a sequence the filter would take out, so they are looked for first.
    for (const event of this.#prompts?.feed(text) ?? []) {
      if (event.kind === 'text') this.#show('stdout', filter.feed(event.text));
      else this.#atPrompt(event.prompt);
    }
  }

  #show(stream: 'stdout' | 'stderr', text: string): void {
    if (text === '') return;
    this.screen.write(stream, text);
    const plain = plainText(text);
    this.blocks.append(stream, plain);
    this.#countLate();
    this.#tail = (this.#tail + plain).slice(-200);
    const seemsSecret = this.#view.isRunning && asksForSecret(this.#tail);
    const mojibake =
      this.#mojibakeSeen || this.#replayMs !== null
        ? null
        : (this.#view.mojibake ?? findMojibake(plain, this.#codePage, this.#parts.language));
    if (seemsSecret !== this.#view.seemsSecret || mojibake !== this.#view.mojibake) {
      this.#set({ ...this.#view, seemsSecret, mojibake });
    }
  }

  /** Error output travels beside the prompt and may be behind it; what is said of the command counts it all the same. */
  #countLate(): void {
    const last = this.blocks.blocks.at(-1);
    if (last === undefined || last === this.#view.lastEnded || last.id !== this.#view.lastEnded?.id) return;
    this.#set({ ...this.#view, lastEnded: last });
  }

  #atPrompt(announced: string): void {
    const prompt = promptText(announced);
    this.#hasPrompts = true;
    this.#tail = '';
    this.#endBlock(this.#view.stoppingSinceMs === null ? 'finished' : 'interrupted', true);
    this.#set({ ...this.#view, prompt, isRunning: false, stoppingSinceMs: null, seemsSecret: false });
    this.#sendNext();
  }

  #endBlock(status: 'finished' | 'interrupted' | 'cut', isAtPrompt = false): void {
    const ended = this.blocks.finish(status, isAtPrompt);
    if (ended?.kind === 'command' && this.#replayMs === null) this.#set({ ...this.#view, lastEnded: ended });
  }

  #accepts(lines: readonly string[], reader: 'prompt' | 'program'): boolean {
    const inputError = refusalOf(lines, reader, this.#codePage);
    if (inputError !== null) this.#set({ ...this.#view, inputError });
    return inputError === null;
  }

  #sendNext(): void {
    const { isLinked, isRunning, prompt } = this.#view;
    if (this.#session === null || !isLinked || (this.#hasPrompts && isRunning)) {
      this.#set({ ...this.#view, queuedCount: this.#waiting.count });
      this.#tellDraft();
      return;
    }
    const line = this.#waiting.commands.shift();
    if (line === undefined) return;
    this.#beginLine(prompt, line);
    // In one go with what sends it: a page that goes in between takes all of it along, or none.
    this.#session.note?.({ what: 'line', prompt, text: line });
    this.#tellDraft();
    this.#set({ ...this.#view, queuedCount: this.#waiting.count, inputError: null });
    void this.#send(`${line}\r\n`, true).then(() => {
      // Without prompts there is nothing to wait for between lines.
      if (!this.#hasPrompts) this.#sendNext();
    });
  }

  #beginLine(prompt: string, line: string): void {
    this.#prompts?.expectEcho(line);
    this.blocks.begin('command', prompt, line);
    this.screen.writeCommand(prompt, line);
    this.#tail = '';
    this.#set({ ...this.#view, isRunning: this.#hasPrompts });
  }

  /** @param text null for what is hidden */
  #showInput(text: string | null): void {
    this.screen.writeInput(text ?? '', text === null);
    this.blocks.append('input', text === null ? '•••\n' : `${text}\n`);
    this.#tail = '';
    this.#set({ ...this.#view, seemsSecret: false });
  }

  /** Lines that were entered and not sent go back into the editor. */
  #giveBack(): void {
    const text = this.#waiting.clear();
    this.#set({ ...this.#view, queuedCount: 0, ...(text === '' ? {} : { offered: { text } }) });
    this.#tellDraft();
  }

  #tellDraft(): void {
    if (this.#replayMs === null) this.#session?.keepDraft?.(draftOf(this.#draftText, this.#waiting));
  }

  /** On the page's clock. */
  #now(): number {
    const now = this.#parts.clock();
    return this.#replayMs === null ? now : now - (Date.now() - this.#replayMs);
  }

  async #send(text: string, isLine = false): Promise<void> {
    const session = this.#session;
    if (session !== null) await this.#guard(() => session.writeText(text), isLine);
  }

  /** Nobody knows whether the line runs: the prompt stays to be used by whoever has looked. */
  #doubt(): void {
    this.#endBlock('cut');
    this.#set({ ...this.#view, isRunning: false });
  }

  /** A line that was refused or whose fate nobody knows is told to the person; it is never sent again by itself. */
  async #guard(act: () => Promise<void>, isLine = false): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isWinRmError(error)) throw error;
      this.#giveBack();
      if (error.code === 'misuse.bad-argument' || (isLine && error.code === 'shell.fate-unknown')) {
        this.#doubt();
        this.#session?.note?.({ what: 'doubt' });
      }
      this.#set({ ...this.#view, inputError: error, stoppingSinceMs: null });
    }
  }

  #set(view: ShellView): void {
    this.#view = view;
    if (this.#replayMs !== null) return;
    for (const listener of this.#listeners) listener();
  }
}
