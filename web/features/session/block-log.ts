/**
 * What was run and what it wrote, as a list: one block per command. The terminal shows the same text; this list is what
 * is read aloud, copied, saved and moved through.
 */

/** Where a block stands. `cut`: the session ended before the command did. */
export type BlockStatus = 'running' | 'finished' | 'interrupted' | 'cut';

/** A run of text from one stream. */
export interface BlockPiece {
  readonly stream: 'stdout' | 'stderr' | 'input';
  readonly text: string;
}

/** One command and its output. A new object for each change. */
export interface Block {
  readonly id: number;
  /** `banner`: what the shell wrote before the first prompt. */
  readonly kind: 'command' | 'banner';
  readonly prompt: string;
  readonly command: string;
  readonly status: BlockStatus;
  /** On the clock handed to the log. */
  readonly startedMs: number;
  readonly durationMs: number | null;
  readonly lineCount: number;
  readonly errorLineCount: number;
  /** Characters of output, all of them, kept or not. */
  readonly charCount: number;
  /** False once text had to be let go to stay within `MAX_KEPT_CHARS`. */
  readonly isWhole: boolean;
}

/** Text kept over all blocks of a session, in UTF-16 units (two bytes each): oldest output is let go past it. */
const MAX_KEPT_CHARS = 24 * 1024 * 1024;

/** Blocks kept; older ones are let go whole. */
export const MAX_BLOCKS = 1_000;

/** The list of one session. Changes are told to `watch`ers at once; `blocks` is a new array after each. */
export class BlockLog {
  readonly #clock: () => number;
  readonly #limit: number;
  readonly #texts = new Map<number, string[]>();
  readonly #streams = new Map<number, BlockPiece['stream'][]>();
  readonly #listeners = new Set<() => void>();
  #blocks: readonly Block[] = [];
  #kept = 0;
  #nextId = 1;

  /** @param monotonicMs a clock that never jumps */
  constructor(monotonicMs: () => number, limitChars = MAX_KEPT_CHARS) {
    this.#clock = monotonicMs;
    this.#limit = limitChars;
  }

  /** Oldest first. */
  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** The block output goes to now, or null. */
  get running(): Block | null {
    const last = this.#blocks.at(-1);
    return last?.status === 'running' ? last : null;
  }

  /** Begins a block; one still running is finished first. */
  begin(kind: Block['kind'], prompt: string, command: string): Block {
    this.finish('finished');
    const block: Block = {
      id: this.#nextId,
      kind,
      prompt,
      command,
      status: 'running',
      startedMs: this.#clock(),
      durationMs: null,
      lineCount: 0,
      errorLineCount: 0,
      charCount: 0,
      isWhole: true,
    };
    this.#nextId += 1;
    this.#texts.set(block.id, []);
    this.#streams.set(block.id, []);
    this.#blocks = [...this.#blocks, block];
    while (this.#blocks.length > MAX_BLOCKS) this.#forgetOldest();
    this.#tell();
    return block;
  }

  /**
   * Output of the running block. Text must be filtered and plain. What comes after a prompt belongs to the command before
   * it: stderr travels beside stdout and may be late. Before the first block a banner begins.
   */
  append(stream: BlockPiece['stream'], text: string): void {
    if (text === '') return;
    const block = this.running ?? this.#blocks.at(-1) ?? this.begin('banner', '', '');
    const texts = this.#texts.get(block.id) ?? [];
    const streams = this.#streams.get(block.id) ?? [];
    texts.push(text);
    streams.push(stream);
    this.#kept += text.length;
    const lineCount = stream === 'input' ? 0 : countLines(text);
    this.#replace({
      ...block,
      charCount: block.charCount + text.length,
      lineCount: block.lineCount + lineCount,
      errorLineCount: block.errorLineCount + (stream === 'stderr' ? lineCount : 0),
    });
    if (this.#kept > this.#limit) this.#letGo();
    this.#tell();
  }

  /**
   * Ends the running block, if there is one. Returns it as it ended.
   * @param isAtPrompt whether a prompt ends it: the line end cmd.exe writes before each prompt is not the program's
   */
  finish(status: Exclude<BlockStatus, 'running'>, isAtPrompt = false): Block | null {
    const running = this.running;
    if (running === null) return null;
    const block = isAtPrompt ? this.#withoutLastLineEnd(running) : running;
    const ended = { ...block, status, durationMs: this.#clock() - block.startedMs };
    this.#replace(ended);
    this.#tell();
    return ended;
  }

  /**
   * The output of a block in pieces, neighbours of one stream joined.
   * @param lineLimit how many lines at most, from the first one kept
   */
  pieces(id: number, lineLimit = Infinity): readonly BlockPiece[] {
    const texts = this.#texts.get(id) ?? [];
    const streams = this.#streams.get(id) ?? [];
    const joined: { stream: BlockPiece['stream']; text: string[] }[] = [];
    let left = lineLimit;
    for (const [at, whole] of texts.entries()) {
      if (left <= 0) break;
      const text = left === Infinity ? whole : firstLines(whole, left);
      left -= left === Infinity ? 0 : countLines(text);
      const stream = streams[at] ?? 'stdout';
      const last = joined.at(-1);
      if (last?.stream === stream) last.text.push(text);
      else joined.push({ stream, text: [text] });
    }
    return joined.map((piece) => ({ stream: piece.stream, text: piece.text.join('') }));
  }

  /** The output of a block as one text; what was typed at the program is left out. */
  output(id: number): string {
    return this.pieces(id)
      .filter((piece) => piece.stream !== 'input')
      .map((piece) => piece.text)
      .join('');
  }

  /** Calls back after each change until the returned function is called. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #withoutLastLineEnd(block: Block): Block {
    const texts = this.#texts.get(block.id) ?? [];
    const last = texts.length - 1;
    const text = texts[last] ?? '';
    if (!text.endsWith('\n') || this.#streams.get(block.id)?.[last] !== 'stdout') return block;
    texts[last] = text.slice(0, -1);
    this.#kept -= 1;
    const isOpenLine = texts[last] !== '' && !texts[last].endsWith('\n');
    return { ...block, charCount: block.charCount - 1, lineCount: isOpenLine ? block.lineCount : block.lineCount - 1 };
  }

  #replace(block: Block): void {
    this.#blocks = this.#blocks.map((one) => (one.id === block.id ? block : one));
  }

  /** Lets the oldest text go until nine tenths of the limit are left, so that it happens seldom. */
  #letGo(): void {
    for (const block of this.#blocks) {
      if (this.#kept <= this.#limit * 0.9) return;
      const texts = this.#texts.get(block.id) ?? [];
      const streams = this.#streams.get(block.id) ?? [];
      let count = 0;
      while (count < texts.length && this.#kept > this.#limit * 0.9) {
        this.#kept -= texts[count]?.length ?? 0;
        count += 1;
      }
      if (count === 0) continue;
      texts.splice(0, count);
      streams.splice(0, count);
      this.#replace({ ...(this.#blocks.find((one) => one.id === block.id) ?? block), isWhole: false });
    }
  }

  #forgetOldest(): void {
    const [oldest, ...rest] = this.#blocks;
    if (oldest === undefined) return;
    for (const text of this.#texts.get(oldest.id) ?? []) this.#kept -= text.length;
    this.#texts.delete(oldest.id);
    this.#streams.delete(oldest.id);
    this.#blocks = rest;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function firstLines(text: string, limit: number): string {
  let end = -1;
  for (let count = 0; count < limit; count += 1) {
    end = text.indexOf('\n', end + 1);
    if (end === -1) return text;
  }
  return text.slice(0, end + 1);
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
