import { concatBytes, NO_BYTES } from '../bytes/bytes.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import { faultMeaning } from '../wsman/fault.ts';

/** Sends one piece of stdin; `isEnd` closes it. */
export type SendInput = (bytes: Uint8Array, isEnd: boolean) => Promise<void>;

/** What an input is made of. */
export interface InputOptions {
  readonly send: SendInput;
  /** The most bytes one Send takes; asked before each, because the server's limit may be learned meanwhile. */
  readonly maxSendBytes: () => number;
  /** Called once, when more is written than one Send takes. */
  readonly beforeBulk: () => Promise<void>;
}

/** Typing and pasting stay far below; a program that writes more must wait for its writes. */
export const MAX_PENDING_INPUT_BYTES = 16 * 1024 * 1024;

/**
 * A command's stdin. At most one Send is in flight, so that order is the order of writing; what is typed meanwhile is
 * joined into the next.
 *
 * INVARIANT: no byte is sent twice. When a Send fails, everything that waited behind it is dropped with the same error,
 * because input with a hole in it is worse than none.
 */
export class Input {
  readonly #options: InputOptions;
  #next: Batch | null = null;
  #isPumping = false;
  #isEnded = false;
  #hasAskedForBulk = false;
  #closedBy: WinRmError | null = null;

  constructor(options: InputOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the server has taken the bytes.
   * @throws shell.closed, shell.fate-unknown, misuse.wrong-state after the end, misuse.bad-argument when too much waits
   */
  write(bytes: Uint8Array): Promise<void> {
    return this.#add(bytes, false);
  }

  /** Closes stdin once everything before has been taken. */
  end(): Promise<void> {
    return this.#add(NO_BYTES, true);
  }

  /** Nothing more is sent. */
  close(error: WinRmError): void {
    this.#closedBy ??= error;
    this.#take()?.settle(error);
  }

  async #add(bytes: Uint8Array, isEnd: boolean): Promise<void> {
    if (this.#closedBy !== null) throw this.#closedBy;
    if (this.#isEnded) fail('misuse.wrong-state', { action: isEnd ? 'end' : 'write', state: 'input ended' });
    const waiting = (this.#next?.size ?? 0) + bytes.length;
    if (waiting > MAX_PENDING_INPUT_BYTES) {
      fail('misuse.bad-argument', { argument: 'input', reason: 'too-long', limit: MAX_PENDING_INPUT_BYTES });
    }
    if (bytes.length === 0 && !isEnd) return;
    this.#isEnded = isEnd;
    this.#next ??= new Batch();
    this.#next.add(bytes, isEnd);
    const { settled } = this.#next;
    if (!this.#isPumping) void this.#pump();
    return await settled;
  }

  /** Never rejects: each batch carries its own outcome to those who wrote it. */
  async #pump(): Promise<void> {
    this.#isPumping = true;
    for (let batch = this.#take(); batch !== null; batch = this.#take()) {
      try {
        await this.#sendBatch(batch);
        batch.settle(null);
      } catch (error) {
        const known = inputError(error);
        batch.settle(known);
        this.#take()?.settle(known);
      }
    }
    this.#isPumping = false;
  }

  #take(): Batch | null {
    const batch = this.#next;
    this.#next = null;
    return batch;
  }

  async #sendBatch(batch: Batch): Promise<void> {
    const { send, maxSendBytes, beforeBulk } = this.#options;
    const bytes = batch.bytes();
    if (bytes.length > maxSendBytes() && !this.#hasAskedForBulk) {
      this.#hasAskedForBulk = true;
      await beforeBulk();
    }
    let start = 0;
    do {
      if (this.#closedBy !== null) throw this.#closedBy;
      const end = Math.min(bytes.length, start + maxSendBytes());
      await send(bytes.subarray(start, end), batch.isEnd && end === bytes.length);
      start = end;
    } while (start < bytes.length);
  }
}

/** What was written while one Send was in flight, and who waits for it. */
class Batch {
  readonly settled: Promise<void>;
  readonly #parts: Uint8Array[] = [];
  #settle: (error: WinRmError | null) => void = () => undefined;
  size = 0;
  isEnd = false;

  constructor() {
    this.settled = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === null ? resolve() : reject(error));
    });
    this.settled.catch(() => undefined); // whoever wrote has a promise of their own
  }

  add(bytes: Uint8Array, isEnd: boolean): void {
    this.#parts.push(bytes.slice()); // the writer may reuse its buffer
    this.size += bytes.length;
    this.isEnd = isEnd;
  }

  bytes(): Uint8Array {
    return concatBytes(...this.#parts);
  }

  settle(error: WinRmError | null): void {
    this.#settle(error);
  }
}

/**
 * A Send that fails does not mean that the command did: it may have closed its stdin, or just ended. One that the server
 * gave up on may have been taken in part.
 */
function inputError(error: unknown): WinRmError {
  if (isWinRmError(error, 'wsman.fault') && faultMeaning(error.details.code) === 'pipe-ended') {
    return new WinRmError('shell.closed', { reason: 'stdin' }, error);
  }
  if (isWinRmError(error, 'wsman.timed-out')) return new WinRmError('shell.fate-unknown', { operation: 'Send' }, error);
  return isWinRmError(error) ? error : new WinRmError('shell.fate-unknown', { operation: 'Send' }, error);
}
