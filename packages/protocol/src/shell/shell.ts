import type { OutputChunk, OutputGap } from '../wsman/operations.ts';

/** How a command ended, both ways of reading the same 32 bits. */
export interface ExitCode {
  /** -2147483648 to 2147483647, as a batch file's ERRORLEVEL shows it. */
  readonly signed: number;
  /** 0 to 4294967295, as Windows documents its status codes. */
  readonly unsigned: number;
}

/** What interrupts a command: Ctrl+C can be caught and ignored, Ctrl+Break rarely is. */
export type Interrupt = 'ctrl-c' | 'ctrl-break';

/** What a later session needs to take a shell up again, besides the right to. Nothing of it is secret. */
export interface Standing {
  readonly shellId: string;
  readonly commandId: string;
  /** What an interactive shell's prompts are known by. */
  readonly promptWord: string;
}

/** A running command in a shell on a server. */
export interface Shell {
  readonly kind: 'winrs';
  /** What whoever takes it up again has to know. */
  readonly standing: Pick<Standing, 'shellId' | 'commandId'>;
  /** What the command writes. Pulled: the server is asked for more when the last chunk has been taken. */
  readonly output: AsyncIterable<OutputChunk | OutputGap>;
  /** Settles when the output has been taken to its end; rejects when it cannot be. */
  readonly exit: Promise<ExitCode>;
  /** Resolves when the server has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the command's stdin, after what has been written. */
  endInput(): Promise<void>;
  interrupt(how: Interrupt): Promise<void>;
  /** Ends the command and deletes the shell on the server, as far as that can be done in a few seconds. Never rejects. */
  close(): Promise<void>;
  /** Ends our part in it and leaves it as it is on the server, where it may be taken up again. */
  leave(): void;
}

/** Both readings of an exit code as a server wrote it: -1 and 4294967295 are the same. */
export function exitCodeOf(code: number): ExitCode {
  return { signed: code | 0, unsigned: code >>> 0 };
}
