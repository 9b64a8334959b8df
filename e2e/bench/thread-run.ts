/** What a page of `thread.ts` is asked for, and what it tells. */

/** What is run, and where. */
export interface OneCommand {
  readonly origin: string;
  readonly target: string;
  readonly user: string;
  readonly password: string;
  readonly command: string;
}

/** What one run came to. */
export interface ThreadRun {
  readonly ms: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Tasks over 50 ms on the main thread. */
  readonly longTaskMs: readonly number[];
  /** Times between frames. */
  readonly frameMs: readonly number[];
}

declare global {
  interface Window {
    runOutput(where: 'main' | 'worker', what: OneCommand): Promise<ThreadRun>;
  }
}
