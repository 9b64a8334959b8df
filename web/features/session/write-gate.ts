/**
 * Water marks between the network and the terminal. The terminal parses in slices and would buffer without end; past the
 * high mark nothing more is pulled until it has drained to the low one. WinRM's Receive is a pull, so not pulling is all
 * the flow control there is.
 */

/** Units written and not yet drained at which pulling stops: some 0.1 s of the terminal's work. */
const HIGH_MARK_CHARS = 512 * 1024;

/** Units at which pulling goes on, early enough that the terminal never runs dry. */
const LOW_MARK_CHARS = 128 * 1024;

/** Counts what is written and drained. */
export class WriteGate {
  readonly #high: number;
  readonly #low: number;
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(high = HIGH_MARK_CHARS, low = LOW_MARK_CHARS) {
    this.#high = high;
    this.#low = low;
  }

  /** Written and not yet drained. */
  get pending(): number {
    return this.#pending;
  }

  /** Something was handed to the terminal. */
  wrote(chars: number): void {
    this.#pending += chars;
  }

  /** The terminal has dealt with it. */
  drained(chars: number): void {
    this.#pending = Math.max(0, this.#pending - chars);
    if (this.#pending > this.#low) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Resolves at once below the high mark, else when the terminal has drained to the low mark. */
  ready(): Promise<void> {
    if (this.#pending < this.#high) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
