import type { WinRmError } from '@fairlead/protocol';
import type { WorkerLine } from './far-session.ts';
import { type FromWorker, workerFault } from './messages.ts';

/** A worker that has not said hello by then will not; the page does without. */
const HELLO_WITHIN_MS = 10_000;

/** Starts a worker for one session. Null where the browser cannot. */
export function startWorker(): Promise<WorkerLine | null> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      worker = new Worker(new URL('./session-worker.ts', import.meta.url), { type: 'module', name: 'session' });
    } catch {
      resolve(null);
      return;
    }
    let onMessage: (message: FromWorker) => void = () => undefined;
    let onFault: (error: WinRmError) => void = () => undefined;
    const giveUp = () => {
      worker.terminate();
      resolve(null);
    };
    const late = setTimeout(giveUp, HELLO_WITHIN_MS);
    const line: WorkerLine = {
      post: (message, transfer = []) => worker.postMessage(message, transfer),
      listen: (listener) => {
        onMessage = listener;
      },
      onFault: (listener) => {
        onFault = listener;
      },
      cut: () => worker.terminate(),
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.say !== 'hello') return onMessage(data);
      clearTimeout(late);
      worker.onerror = () => onFault(workerFault());
      worker.onmessageerror = () => onFault(workerFault());
      resolve(line);
    };
    worker.onerror = () => {
      clearTimeout(late);
      giveUp();
    };
  });
}
