import { toHex } from '../bytes/bytes.ts';
import type { Platform } from '../platform.ts';

/**
 * The word by which one shell's prompts are told from everything else it prints: 64 random bits. Without it a file, a
 * log or a remote program could announce a prompt, and what is typed next would be taken for a command, shown and kept.
 */
export function makePromptWord(platform: Platform): string {
  return toHex(platform.random(8));
}

/**
 * The value of the PROMPT variable with which cmd.exe announces each prompt: an operating system command of our own,
 * number 5985, that carries the shell's word and the directory, then the prompt a person knows. `$E` is ESC, `$P` the
 * directory, `$G` ">".
 *
 * @param word of `makePromptWord`
 */
export function cmdPrompt(word: string): string {
  return `$E]5985;${word};$P$E\\$P$G`;
}

/** What the reader found in the output of an interactive cmd.exe. */
export type PromptEvent =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'prompt';
      /** The current directory. */
      readonly directory: string;
      /** The prompt as a person knows it, "C:\Users>"; it is not repeated as text. */
      readonly prompt: string;
    };

/**
 * Finds the prompts in the output of an interactive cmd.exe, and takes away the server's echo of lines that are already
 * on the screen: cmd.exe echoes what it reads from a pipe, other hosts may not. Where no announcement ever comes
 * (another program, another prompt), everything is text; so is an announcement that does not know the shell's word. A
 * program that reads the PROMPT variable does know it: such a one has the person's rights on the host anyway.
 *
 * INVARIANT: what is held back is bounded, is a proper beginning of an announcement or of an echo, and comes out with
 * the next piece that proves it neither, or with `flush`.
 */
export class CmdPromptReader {
  readonly #announce: string;
  #held = '';
  #mode: 'text' | 'after-announcement' | 'at-prompt' = 'text';
  #directory = '';
  readonly #expected: string[] = [];

  /** @param word of the shell whose output is read */
  constructor(word: string) {
    this.#announce = `\u001b]5985;${word};`;
  }

  /** Says that a line is on its way to cmd.exe and already shown here. */
  expectEcho(line: string): void {
    if (this.#expected.length === MAX_EXPECTED_LINES) this.#expected.shift();
    this.#expected.push(line);
  }

  /** Takes the next piece of decoded output, in any size. */
  feed(text: string): PromptEvent[] {
    this.#held += text;
    const events: PromptEvent[] = [];
    while (this.#step(events));
    return joined(events);
  }

  /** Gives out what is held back, when the output is over or has paused for long. */
  flush(): PromptEvent[] {
    const text = this.#held;
    this.#held = '';
    this.#mode = 'text';
    return text === '' ? [] : [{ kind: 'text', text }];
  }

  /** One step; false when more output is needed. */
  #step(events: PromptEvent[]): boolean {
    if (this.#held === '') return false;
    if (this.#mode === 'after-announcement') return this.#readPrompt(events);
    if (this.#mode === 'at-prompt') return this.#dropEcho();
    return this.#readText(events);
  }

  #readText(events: PromptEvent[]): boolean {
    const announce = this.#announce;
    const start = this.#held.indexOf(announce);
    if (start < 0) {
      const kept = partialStart(this.#held, announce);
      this.#emit(events, this.#held.length - kept);
      return false;
    }
    this.#emit(events, start);
    // No further than an announcement can reach, or what repeats its beginning would be read over and over.
    const rest = this.#held.slice(announce.length, announce.length + MAX_ANNOUNCEMENT);
    const end = rest.search(CONTROL);
    const isUndecided = end < 0 || rest.slice(end) === ESC;
    if (isUndecided && rest.length < MAX_ANNOUNCEMENT) return false;
    if (end < 0 || !rest.startsWith(TERMINATOR, end)) {
      this.#emit(events, announce.length); // somebody else's sequence: let the terminal judge it
      return true;
    }
    this.#directory = rest.slice(0, end);
    this.#held = this.#held.slice(announce.length + end + TERMINATOR.length);
    this.#mode = 'after-announcement';
    return true;
  }

  /** After the announcement cmd.exe writes the directory again and ">"; anything else is a prompt of its own making. */
  #readPrompt(events: PromptEvent[]): boolean {
    const prompt = `${this.#directory}>`;
    const isWhole = this.#held.startsWith(prompt);
    if (!isWhole && prompt.startsWith(this.#held)) return false;
    if (isWhole) this.#held = this.#held.slice(prompt.length);
    events.push({ kind: 'prompt', directory: this.#directory, prompt: isWhole ? prompt : '' });
    this.#mode = 'at-prompt';
    return true;
  }

  /**
   * cmd.exe reads a line only at a prompt, and echoes it there. Lines before the one echoed went to a program that
   * read them itself. A host that does not echo answers with something else: then the oldest line was the one it read.
   */
  #dropEcho(): boolean {
    let isPossible = false;
    for (const [index, line] of this.#expected.entries()) {
      for (const echo of [`${line}\r\n`, `${line}\n`]) {
        if (this.#held.startsWith(echo)) {
          this.#held = this.#held.slice(echo.length);
          this.#expected.splice(0, index + 1);
          this.#mode = 'text';
          return true;
        }
        isPossible ||= echo.startsWith(this.#held);
      }
    }
    if (isPossible) return false;
    this.#expected.shift();
    this.#mode = 'text';
    return true;
  }

  #emit(events: PromptEvent[], length: number): void {
    if (length > 0) events.push({ kind: 'text', text: this.#held.slice(0, length) });
    this.#held = this.#held.slice(length);
  }
}

/** How many of the last characters could be the beginning of `wanted`. */
function partialStart(text: string, wanted: string): number {
  for (let length = Math.min(wanted.length - 1, text.length); length > 0; length--) {
    if (wanted.startsWith(text.slice(-length))) return length;
  }
  return 0;
}

function joined(events: readonly PromptEvent[]): PromptEvent[] {
  const out: PromptEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.kind === 'text' && last?.kind === 'text') out[out.length - 1] = { ...last, text: last.text + event.text };
    else out.push(event);
  }
  return out;
}

const ESC = '\u001b';
const TERMINATOR = `${ESC}\\`;
const CONTROL = /[\u0000-\u001f]/;
/** Longer than the longest path of Windows that a directory can have while cmd.exe is in it. */
const MAX_ANNOUNCEMENT = 4096;
/** Lines typed or pasted ahead of the prompt; past this the oldest is forgotten and its echo shown. */
const MAX_EXPECTED_LINES = 256;
