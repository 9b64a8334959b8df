import type { WinRmError } from '@fairlead/protocol';
import type { WorkerLine } from './far-session.ts';
import { type FromWorker, type ToWorker, workerFault } from './messages.ts';

/** A worker that has not said hello by then will not; the page does without. */
const HELLO_WITHIN_MS = 10_000;

declare global {
  interface WorkerOptions {
    /** Lets a shared worker live on for a while when its last page has gone. HTML, "SharedWorkerOptions" */
    extendedLifetime?: boolean;
  }
}

/** A worker that has said hello. */
export interface StartedWorker {
  readonly line: WorkerLine;
  /** Whether it has a session already: an earlier page began it. */
  readonly hasSession: boolean;
}

/** Starts a worker for one session that ends with this page. Null where the browser cannot. */
export function startWorker(): Promise<StartedWorker | null> {
  let worker: Worker;
  try {
    worker = new Worker(new URL('./session-worker.ts', import.meta.url), { type: 'module', name: 'session' });
  } catch {
    return Promise.resolve(null);
  }
  return greeted(worker, {
    post: (message, transfer) => worker.postMessage(message, transfer),
    cut: () => worker.terminate(),
    leave: null,
  });
}

/**
 * Starts the worker of that name, or finds the one that an earlier page of this tab started. It outlives the page.
 * @param name random: whoever knows it, on this origin, may have the session
 */
export function findWorker(name: string): Promise<StartedWorker | null> {
  if (!canOutlive()) return Promise.resolve(null);
  let worker: SharedWorker;
  try {
    worker = new SharedWorker(new URL('./session-worker.ts', import.meta.url), {
      type: 'module',
      name,
      extendedLifetime: true,
    });
  } catch {
    return Promise.resolve(null);
  }
  const { port } = worker;
  const say = (message: ToWorker) => port.postMessage(message);
  const started = greeted(port, {
    post: (message, transfer) => port.postMessage(message, transfer),
    cut: () => {
      say({ say: 'end' });
      port.close();
    },
    leave: () => {
      say({ say: 'leave' });
      port.close();
    },
  });
  worker.addEventListener('error', () => port.dispatchEvent(new Event('error')));
  port.start();
  return started;
}

/** Asks a worker that this build of the page cannot speak to for an end that leaves its shell alive. */
export function releaseWorker(name: string): void {
  const channel = new BroadcastChannel(name);
  channel.postMessage('release');
  channel.close();
}

/** A browser that knows the option looks at it, and refuses the address afterwards. */
function canOutlive(): boolean {
  let isKnown = false;
  try {
    const options = {
      get extendedLifetime() {
        isKnown = true;
        return true;
      },
    };
    Reflect.construct(SharedWorker, ['http://[', options]);
  } catch {
    // It always refuses.
  }
  return isKnown;
}

function greeted(
  from: EventTarget,
  ways: {
    post(message: ToWorker, transfer: ArrayBuffer[]): void;
    cut(): void;
    readonly leave: (() => void) | null;
  },
): Promise<StartedWorker | null> {
  return new Promise((resolve) => {
    let onMessage: (message: FromWorker) => void = () => undefined;
    let onFault: (error: WinRmError) => void = () => undefined;
    const line: WorkerLine = {
      ...ways,
      post: (message, transfer = []) => ways.post(message, transfer),
      listen: (listener) => {
        onMessage = listener;
      },
      onFault: (listener) => {
        onFault = listener;
      },
    };
    const giveUp = () => {
      clearTimeout(late);
      ways.cut();
      resolve(null);
    };
    const late = setTimeout(giveUp, HELLO_WITHIN_MS);
    let fail = giveUp;
    const failed = () => fail();
    from.addEventListener('error', failed);
    from.addEventListener('messageerror', failed);
    // The other end of a port is gone: its worker has crashed, or was ended by the browser.
    from.addEventListener('close', failed);
    from.addEventListener('message', (event) => {
      if (!(event instanceof MessageEvent)) return;
      const data: FromWorker = event.data;
      if (data.say === 'hello') {
        clearTimeout(late);
        fail = () => onFault(workerFault());
        resolve({ line, hasSession: data.hasSession });
      } else if (data.say === 'fault') fail();
      else onMessage(data);
    });
  });
}
