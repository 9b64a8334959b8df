import { checkLine, isWinRmError, OutputFilter, plainText, TextReader, type WinRmError } from '@fairlead/protocol';
import type { Draft } from './survival.ts';
import type { WaitingLines } from './waiting-lines.ts';

/** A prompt is a directory; a longer one is not shown whole. */
const MAX_PROMPT_CHARS = 300;

/** One stream of a shell, on its way from bytes to what may be shown. */
export interface ShellStream {
  readonly reader: TextReader;
  readonly filter: OutputFilter;
}

/** Both streams of a shell in a code page. */
export function shellStreams(codePage: number): Readonly<Record<'stdout' | 'stderr', ShellStream>> {
  const stream = (): ShellStream => ({ reader: new TextReader(codePage), filter: new OutputFilter() });
  return { stdout: stream(), stderr: stream() };
}

/** A prompt as it may be shown. */
export function promptText(announced: string): string {
  return plainText(new OutputFilter().feed(announced)).replace(/\s+/g, ' ').slice(0, MAX_PROMPT_CHARS);
}

/** Why the first of some lines that its reader would not take as it is written is not sent; null when all may go. */
export function refusalOf(lines: readonly string[], reader: 'prompt' | 'program', codePage: number): WinRmError | null {
  try {
    for (const line of lines) checkLine(line, reader, codePage);
    return null;
  } catch (error) {
    if (!isWinRmError(error)) throw error;
    return error;
  }
}

/** What a later page may have back. What a program was to be told is no line for the prompt of that page. */
export function draftOf(written: string, waiting: WaitingLines): Draft {
  const text = [waiting.inputText, written].filter((one) => one !== '').join('\n');
  return { text, queue: [...waiting.commands] };
}
