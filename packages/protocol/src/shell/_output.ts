import { NO_BYTES } from '../bytes/bytes.ts';
import { isWinRmError, WinRmError } from '../errors.ts';
import { isFarewell } from '../wsman/fault.ts';
import type { OutputChunk, OutputGap, ReceiveReply } from '../wsman/operations.ts';

/** What an output is made of. */
export interface OutputOptions {
  /**
   * Waits for news; rejects with wsman.timed-out when there is none yet. Calls back when it had to ask again although
   * the server may have answered.
   */
  readonly receive: (onRepeat: () => void) => Promise<ReceiveReply>;
  /** The command has ended and everything it wrote has been taken. */
  readonly onExit: (code: number) => void;
  /** The output cannot be read to its end. */
  readonly onFailure: (error: unknown) => void;
  /** Whether we ended the command ourselves; then its last words are not errors. */
  readonly isClosing: () => boolean;
  /** Whether somebody else has read it before, so that nobody knows what is missing. */
  readonly beginsWithGap: boolean;
}

/**
 * The Receive loop as an async iterator. The next Receive is asked when the last chunk has been taken, which is all the
 * flow control there is: WS-Man is pulled.
 *
 * INVARIANT: where an answer may have been lost a gap stands, before what came after it; one, however often the same
 * place was lost.
 *
 * Leaving a `for await` loop stops nothing; the next loop goes on where it left.
 */
export class Output implements AsyncIterable<OutputChunk | OutputGap> {
  readonly #chunks: AsyncGenerator<OutputChunk | OutputGap, undefined>;
  #isWaiting = false;
  #gap: 'none' | 'to-tell' | 'told' = 'none';

  constructor(options: OutputOptions) {
    this.#chunks = this.#read(options);
  }

  /** Whether a Receive is on its way. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  [Symbol.asyncIterator](): AsyncIterator<OutputChunk | OutputGap, undefined> {
    return { next: () => this.#chunks.next() };
  }

  async *#read(options: OutputOptions): AsyncGenerator<OutputChunk | OutputGap, undefined> {
    if (options.beginsWithGap) {
      this.#gap = 'told';
      yield { stream: 'gap', bytes: NO_BYTES };
    }
    for (;;) {
      const reply = await this.#receive(options);
      if (this.#gap === 'to-tell') {
        this.#gap = 'told';
        yield { stream: 'gap', bytes: NO_BYTES };
      }
      if (reply === 'ended') return;
      if (reply === 'nothing-yet') continue;
      if (reply.chunks.length > 0) this.#gap = 'none';
      yield* reply.chunks;
      if (reply.exitCode !== null) {
        options.onExit(reply.exitCode);
        return;
      }
    }
  }

  async #receive({ receive, isClosing, onFailure }: OutputOptions): Promise<ReceiveReply | 'nothing-yet' | 'ended'> {
    if (isClosing()) return 'ended';
    this.#isWaiting = true;
    try {
      return await receive(() => {
        if (this.#gap === 'none') this.#gap = 'to-tell';
      });
    } catch (error) {
      if (isWinRmError(error, 'wsman.timed-out')) return 'nothing-yet';
      if (isClosing() && isLastWord(error)) return 'ended';
      const failure = failureOf(error);
      onFailure(failure);
      throw failure;
    } finally {
      this.#isWaiting = false;
    }
  }
}

/** A Receive that is aborted although nobody here ended the command: the server closed the shell under it. */
function failureOf(error: unknown): unknown {
  const isAborted = isWinRmError(error, 'wsman.fault') && isFarewell(error.details.code);
  return isAborted ? new WinRmError('shell.closed', { reason: 'aborted' }, error) : error;
}

/** After we ended a command, its Receive ends with one of these, or with the lane that we closed. */
function isLastWord(error: unknown): boolean {
  if (isWinRmError(error, 'wsman.fault')) return isFarewell(error.details.code);
  return isWinRmError(error, 'wsman.shell-gone') || isWinRmError(error, 'session.cancelled');
}
