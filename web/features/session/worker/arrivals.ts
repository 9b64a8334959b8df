import type { OutputChunk, OutputGap, WinRmError } from '@fairlead/protocol';

/** Chunks that may be on their way to the terminal; more would only wait in the page. */
export const MAX_UNDER_WAY = 4;

/** Chunks that have arrived and not been taken. */
export class Arrivals {
  readonly #allow: (count: number) => void;
  readonly #chunks: (OutputChunk | OutputGap)[] = [];
  #end: { readonly error: WinRmError | null } | null = null;
  #hasBegun = false;
  #isInHand = false;
  #taker: (() => void) | null = null;
  #held: (() => void)[] = [];
  #takenCount: number;

  /** @param takenBefore pieces that an earlier page took */
  constructor(allow: (count: number) => void, takenBefore = 0) {
    this.#allow = allow;
    this.#takenCount = takenBefore;
  }

  /** How many have been taken, the one in hand among them. */
  get takenCount(): number {
    return this.#takenCount;
  }

  add(chunk: OutputChunk | OutputGap): void {
    this.#chunks.push(chunk);
    this.#taker?.();
  }

  /** No more will come. The first end counts. */
  finish(error: WinRmError | null): void {
    this.#end ??= { error };
    this.#taker?.();
  }

  /** Calls back when all that has arrived was taken and dealt with: now, or when the taker comes for more. */
  whenTaken(then: () => void): void {
    if (this.#chunks.length > 0 || this.#isInHand) this.#held.push(then);
    else then();
  }

  /** Nobody takes any more. */
  stopHolding(): void {
    this.#isInHand = false;
    for (const then of this.#held.splice(0)) then();
  }

  async next(): Promise<IteratorResult<OutputChunk | OutputGap, undefined>> {
    if (!this.#hasBegun) this.#allow(MAX_UNDER_WAY);
    this.#hasBegun = true;
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#isInHand = true;
        this.#takenCount += 1;
        this.#allow(1);
        return { done: false, value: chunk };
      }
      this.stopHolding();
      if (this.#end?.error) throw this.#end.error;
      if (this.#end !== null) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#taker = resolve;
      });
    }
  }
}
