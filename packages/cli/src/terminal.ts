import type { Readable, Writable } from 'node:stream';

/** The process as the commands see it, so that a test can stand in for it. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks for a secret without showing it; null when there is nobody to ask. */
  readonly askSecret: (question: string) => Promise<string | null>;
  /** Calls back on Ctrl+C, and when the process is asked to stop, until the returned function is called. */
  readonly onInterrupt: (listener: (how: 'interrupt' | 'stop') => void) => () => void;
}

/** Writes and waits until the reader has taken it, so that output cannot pile up here. */
export function writeAll(stream: Writable, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
