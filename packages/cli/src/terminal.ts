import type { Readable, Writable } from 'node:stream';
import { OutputFilter } from '@fairlead/protocol';

/** The process as the commands see it, so that a test can stand in for it. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks for a secret without showing it; null when there is nobody to ask. */
  readonly askSecret: (question: string) => Promise<string | null>;
  /** Calls back on Ctrl+C, and when the process is asked to stop, until the returned function is called. */
  readonly onInterrupt: (listener: (how: 'interrupt' | 'stop') => void) => () => void;
}

/**
 * What of a remote program's text, given in any pieces, goes to a stream. On a terminal nothing that acts beyond the
 * screen: a sequence could set the clipboard or the title, or ask a question whose answer arrives as if it were typed.
 */
export function screened(stream: { readonly isTTY?: boolean }): (text: string) => string {
  if (stream.isTTY !== true) return (text) => text;
  const filter = new OutputFilter();
  return (text) => filter.feed(text);
}

/**
 * Foreign words, made safe for one line of a terminal: whatever moves the cursor, changes colours, turns the direction of
 * writing or begins a line becomes a blank.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ');
}

/** Says something on standard error, in one line that is known as ours. The way out for all that is not an error. */
export function tell(terminal: Pick<Terminal, 'stderr'>, text: string): Promise<void> {
  return writeAll(terminal.stderr, `fairlead: ${printable(text)}\n`);
}

/** One JSON line on standard output. It may be looked at in a terminal, so nothing in it stands there as it is. */
export function writeLine(terminal: Pick<Terminal, 'stdout'>, value: unknown): Promise<void> {
  const text = JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  return writeAll(terminal.stdout, `${text}\n`);
}

/** Writes and waits until the reader has taken it, so that output cannot pile up here. */
export function writeAll(stream: Writable, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
