import { Worker } from 'node:worker_threads';
import { type ErrorCode, type ErrorDetails, type RouteTarget, WinRmError } from '@fairlead/protocol';
import type { PacVerdict } from '@fairlead/protocol/proxy-settings';

/** What the thread is asked. */
export interface PacQuestion {
  readonly script: string;
  readonly target: RouteTarget;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** What it says. */
export type PacReply =
  | { readonly verdict: PacVerdict }
  | { readonly error: { readonly code: ErrorCode; readonly details: ErrorDetails[ErrorCode] } };

/** A script's steps are counted; this is for what they do not count. As the page has it. */
const ANSWER_WITHIN_MS = 10_000;
/** A script's memory is counted too; this is many times what that allows. */
const MAX_HEAP_MIB = 256;

/**
 * Asks a PAC script about a target in a thread of its own, which is ended with its answer or without. The thread has no
 * environment, and so no password.
 *
 * @throws pac.unreadable, pac.not-allowed, pac.too-long, pac.gave-no-answer
 */
export async function askPac(
  script: string,
  target: RouteTarget,
  stop: AbortSignal = AbortSignal.timeout(ANSWER_WITHIN_MS),
): Promise<PacVerdict> {
  const question: PacQuestion = { script, target, nowMs: Date.now() };
  const worker = new Worker(new URL('./pac-worker.ts', import.meta.url), {
    ...{ workerData: question, env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } },
  });
  try {
    return await new Promise((resolve, reject) => {
      const late = (): void => reject(new WinRmError('pac.too-long', { limit: 'steps' }));
      if (stop.aborted) late();
      stop.addEventListener('abort', late);
      worker.on('message', (reply: PacReply) => {
        if ('verdict' in reply) resolve(reply.verdict);
        else reject(new WinRmError(reply.error.code, reply.error.details));
      });
      worker.on('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? new WinRmError('pac.too-long', { limit: 'memory' }, error)
            : error,
        ),
      );
    });
  } finally {
    await worker.terminate();
  }
}
