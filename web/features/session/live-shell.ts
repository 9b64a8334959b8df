import {
  CmdPromptReader,
  checkLine,
  isWinRmError,
  OutputFilter,
  plainText,
  type Session,
  TextReader,
  type WinRmError,
} from '@fairlead/protocol';
import { type Block, BlockLog } from './block-log.ts';
import type { LineHistory } from './history.ts';
import { linesOf } from './line-editor.ts';
import { asksForSecret } from './masked-prompt.ts';
import { findMojibake, type MojibakeHint } from './mojibake.ts';
import type { Screen } from './screen/screen.ts';

/** What is needed of a session; a test hands in its own. */
export type ShellSession = Pick<
  Session,
  | 'state'
  | 'journal'
  | 'watch'
  | 'open'
  | 'output'
  | 'promptWord'
  | 'writeText'
  | 'endInput'
  | 'interrupt'
  | 'close'
  | 'counts'
  | 'lastRoundTripMs'
>;

/** What a person sees of a shell beside its output. A new object for each change. */
export interface ShellView {
  /** The prompt to type at, or "" while none was seen. */
  readonly prompt: string;
  /** Whether a command runs, as far as anyone can know: without prompts from the far end nobody can. */
  readonly isRunning: boolean;
  /** Lines that wait for the running command to end. */
  readonly queuedCount: number;
  /** When an interrupt was sent that has not been answered, on the page's clock. */
  readonly stoppingSinceMs: number | null;
  /** The program that runs seems to ask for a password. */
  readonly seemsSecret: boolean;
  readonly mojibake: MojibakeHint | null;
  /** The last thing that went wrong with typing: the line was not sent, or nobody knows. */
  readonly inputError: WinRmError | null;
  /** The block that ended last, for an announcement. */
  readonly lastEnded: Block | null;
}

/** What a shell is made of. */
export interface LiveShellParts {
  readonly screen: Screen;
  readonly history: LineHistory;
  readonly clock: () => number;
  readonly kind: 'interactive' | 'command';
  readonly language: string;
  /** Command of a `command` shell: its block begins at once. */
  readonly command: string;
}

/** A prompt is a directory; a longer one is not shown whole. */
const MAX_PROMPT_CHARS = 300;

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
  #queue: string[] = [];
  #tail = '';
  #hasPrompts = false;
  #mojibakeSeen = false;
  #codePage = 65_001;

  constructor(parts: LiveShellParts) {
    this.#parts = parts;
    this.blocks = new BlockLog(parts.clock);
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
   * Takes a session's output until it ends. Old text stays; a new session in the same tab writes on beneath it.
   * @param gapWords for the line drawn where output may be missing
   */
  async run(session: ShellSession, codePage: number, gapWords: () => string = () => 'gap'): Promise<void> {
    this.#session = session;
    this.#codePage = codePage;
    const prompts = new CmdPromptReader(session.promptWord);
    this.#prompts = prompts;
    this.#hasPrompts = false;
    this.#queue = [];
    this.#set({ ...FRESH, lastEnded: this.#view.lastEnded, isRunning: this.#parts.kind === 'command' });
    if (this.#parts.kind === 'command') {
      this.blocks.begin('command', '', this.#parts.command);
      this.screen.writeCommand('', this.#parts.command);
    }
    const streams = { stdout: this.#stream(), stderr: this.#stream() };
    try {
      for await (const { stream, bytes } of session.output) {
        if (stream === 'gap') this.screen.writeDivider(gapWords());
        else this.#take(stream, streams[stream].reader.decode(bytes), streams[stream].filter);
        // The next Receive is asked for when this loop comes round: a full screen holds it back.
        await this.screen.ready();
        if (this.#session !== session) return;
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

  /** The session is over: what ran is cut or finished, and a line says so on the screen. */
  ended(words: string, isCut: boolean): void {
    this.#endBlock(isCut ? 'cut' : 'finished');
    this.#queue = [];
    this.#session = null;
    this.screen.writeDivider(words);
    this.#set({ ...this.#view, isRunning: false, stoppingSinceMs: null, queuedCount: 0, seemsSecret: false });
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
    this.#queue.push(...lines);
    this.#sendNext();
    return true;
  }

  /**
   * Sends lines to the program that runs. Hidden input is neither shown nor kept.
   * @returns whether the lines were taken, as for `submit`
   */
  answer(text: string, isHidden: boolean): boolean {
    const lines = linesOf(text);
    if (!this.#accepts(lines, 'program')) return false;
    this.screen.writeInput(text, isHidden);
    this.blocks.append('input', isHidden ? '•••\n' : `${text}\n`);
    this.#tail = '';
    this.#set({ ...this.#view, seemsSecret: false, inputError: null });
    void this.#send(`${lines.join('\r\n')}\r\n`);
    return true;
  }

  /** Asks the running program to stop. Lines that wait are dropped. */
  async interrupt(how: 'ctrl-c' | 'ctrl-break'): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    this.#queue = [];
    this.#set({ ...this.#view, queuedCount: 0, stoppingSinceMs: this.#view.stoppingSinceMs ?? this.#parts.clock() });
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

  #stream(): Stream {
    return { reader: new TextReader(this.#codePage), filter: new OutputFilter() };
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
    const mojibake = this.#mojibakeSeen
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
    const prompt = plainText(new OutputFilter().feed(announced)).replace(/\s+/g, ' ').slice(0, MAX_PROMPT_CHARS);
    this.#hasPrompts = true;
    this.#tail = '';
    this.#endBlock(this.#view.stoppingSinceMs === null ? 'finished' : 'interrupted', true);
    this.#set({ ...this.#view, prompt, isRunning: false, stoppingSinceMs: null, seemsSecret: false });
    this.#sendNext();
  }

  #endBlock(status: 'finished' | 'interrupted' | 'cut', isAtPrompt = false): void {
    const ended = this.blocks.finish(status, isAtPrompt);
    if (ended?.kind === 'command') this.#set({ ...this.#view, lastEnded: ended });
  }

  #accepts(lines: readonly string[], reader: 'prompt' | 'program'): boolean {
    try {
      for (const line of lines) checkLine(line, reader, this.#codePage);
      return true;
    } catch (error) {
      if (!isWinRmError(error)) throw error;
      this.#set({ ...this.#view, inputError: error });
      return false;
    }
  }

  #sendNext(): void {
    if (this.#session === null || (this.#hasPrompts && this.#view.isRunning)) {
      this.#set({ ...this.#view, queuedCount: this.#queue.length });
      return;
    }
    const line = this.#queue.shift();
    if (line === undefined) return;
    this.#prompts?.expectEcho(line);
    this.blocks.begin('command', this.#view.prompt, line);
    this.screen.writeCommand(this.#view.prompt, line);
    this.#tail = '';
    this.#set({ ...this.#view, isRunning: this.#hasPrompts, queuedCount: this.#queue.length, inputError: null });
    void this.#send(`${line}\r\n`).then(() => {
      // Without prompts there is nothing to wait for between lines.
      if (!this.#hasPrompts) this.#sendNext();
    });
  }

  async #send(text: string): Promise<void> {
    const session = this.#session;
    if (session !== null) await this.#guard(() => session.writeText(text));
  }

  /** A line that was refused or whose fate nobody knows is told to the person; it is never sent again by itself. */
  async #guard(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isWinRmError(error)) throw error;
      this.#queue = [];
      const wasRefused = error.code === 'misuse.bad-argument';
      if (wasRefused) this.#endBlock('cut');
      this.#set({
        ...this.#view,
        inputError: error,
        queuedCount: 0,
        isRunning: wasRefused ? false : this.#view.isRunning,
        stoppingSinceMs: null,
      });
    }
  }

  #set(view: ShellView): void {
    this.#view = view;
    for (const listener of this.#listeners) listener();
  }
}

interface Stream {
  readonly reader: TextReader;
  readonly filter: OutputFilter;
}

const FRESH: ShellView = {
  prompt: '',
  isRunning: false,
  queuedCount: 0,
  stoppingSinceMs: null,
  seemsSecret: false,
  mojibake: null,
  inputError: null,
  lastEnded: null,
};
