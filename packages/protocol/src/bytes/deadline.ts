import { WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { throwIfAborted } from './stream.ts';

/** How long something may take and who may stop it. */
export interface Deadline {
  readonly platform: Platform;
  /** Milliseconds; Infinity for no limit. */
  readonly withinMs: number;
  /** The name of the step, for `session.cancelled` and `session.timed-out`. */
  readonly at: string;
  readonly signal?: AbortSignal | undefined;
  /** The error of a step that took too long, where `session.timed-out` says too little. */
  readonly whenOver?: ((seconds: number) => WinRmError) | undefined;
}

/**
 * Runs some work under a deadline. When the time is over or the signal is aborted this rejects at once, whatever the
 * work below is waiting for; the work's own signal is aborted with the same error so that it can let go.
 *
 * @throws session.timed-out, session.cancelled, and what the work throws
 */
export function withDeadline<Result>(
  deadline: Deadline,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const inner = new AbortController();
  const finished = new AbortController();
  const { platform, withinMs, at, signal } = deadline;
  return new Promise<Result>((resolve, reject) => {
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      finished.abort();
    };
    const stop = (error: unknown): void => {
      settle();
      reject(error);
      inner.abort(error);
    };
    const onAbort = (): void => stop(abortError(signal, at));
    if (signal?.aborted) return stop(abortError(signal, at));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (withinMs !== Infinity) {
      platform.sleep(withinMs, finished.signal).then(
        () => finished.signal.aborted || stop(overdue(deadline)),
        () => undefined, // the sleep was called off
      );
    }
    work(inner.signal).then(resolve, reject).finally(settle);
  });
}

function overdue(deadline: Deadline): WinRmError {
  const seconds = Math.round(deadline.withinMs / 100) / 10;
  return deadline.whenOver?.(seconds) ?? new WinRmError('session.timed-out', { at: deadline.at, seconds });
}

/** The error an aborted signal stands for, as a value. */
function abortError(signal: AbortSignal | undefined, at: string): unknown {
  try {
    throwIfAborted(signal, at);
  } catch (error) {
    return error;
  }
  return new WinRmError('session.cancelled', { at });
}
