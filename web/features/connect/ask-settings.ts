import { type RouteTarget, WinRmError } from '@fairlead/protocol';
import { type PackedError, unpackError, workerFault } from '../session/worker/messages.ts';
import type { SettingsQuestion, SettingsReading } from './settings-reading.ts';

/** What the worker says. */
export type SettingsReply = { readonly reading: SettingsReading } | { readonly error: PackedError };

/** A script is bounded in its steps; this is for a worker that hangs, or never comes. */
const ANSWER_WITHIN_MS = 10_000;

/**
 * Has settings read in a worker of their own, which ends with its answer.
 *
 * @throws settings.unreadable, pac.*; session.cancelled when the signal is aborted
 */
export async function askSettings(
  text: string,
  target: RouteTarget | null,
  signal: AbortSignal,
): Promise<SettingsReading> {
  const question: SettingsQuestion = { text, target, nowMs: Date.now() };
  const worker = startReader();
  if (worker === null) return (await import('./settings-reading.ts')).readSettings(question);
  const late = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<SettingsReply>) =>
        'reading' in data ? resolve(data.reading) : reject(unpackError(data.error));
      worker.onerror = () => reject(workerFault());
      signal.addEventListener('abort', () => reject(new WinRmError('session.cancelled', { at: 'settings' })));
      late.addEventListener('abort', () => reject(new WinRmError('pac.too-long', { limit: 'steps' })));
      worker.postMessage(question);
    });
  } finally {
    worker.terminate();
  }
}

function startReader(): Worker | null {
  try {
    return new Worker(new URL('./settings-worker.ts', import.meta.url), { type: 'module', name: 'settings' });
  } catch {
    return null;
  }
}
