/**
 * What runs in a session's worker: the protocol, from the relay's socket to the shell's bytes. Dedicated, it ends with
 * its page; shared, it outlives it for a while and serves the page that comes back.
 */
import { isWinRmError } from '@fairlead/protocol';
import { makeSession } from './make-session.ts';
import type { FromWorker, Line, ToWorker } from './messages.ts';
import { SessionService } from './serve-session.ts';

/** What a shared worker has beside a dedicated one; the types of the page know neither. */
interface SharedScope {
  readonly name: string;
  close(): void;
  onconnect: ((event: MessageEvent) => void) | null;
}

function isShared(scope: object): scope is SharedScope {
  return 'onconnect' in scope;
}

const scope: object = globalThis;
const service = new SessionService({
  makeSession,
  unpack: async (packed) => (await import('./unpack.ts')).unpackClientCertificate(packed),
  end: () => close(),
});

addEventListener('unhandledrejection', ({ reason }) => {
  if (isWinRmError(reason)) return;
  // A page hears of what its own worker throws, but not of promises that nobody waited for.
  setTimeout(() => {
    throw reason;
  });
});

if (isShared(scope)) {
  // Of what a shared worker throws no page hears anything.
  addEventListener('error', () => service.fail());
  scope.onconnect = ({ ports: [port] }) => {
    if (port === undefined) return;
    const line = lineOf(port, (message, transfer) => port.postMessage(message, transfer));
    // A page that crashes says no farewell.
    port.addEventListener('close', () => service.lose(line));
    service.connect(line);
    port.start();
  };
  // Another build of the page cannot speak to this worker. It asks it to let go: the shell stays at the server.
  new BroadcastChannel(scope.name).addEventListener('message', () => close());
} else {
  // In a worker the options take the place of a window's target origin.
  service.connect(lineOf(globalThis, (message, transfer) => postMessage(message, { transfer })));
}

function lineOf(
  from: EventTarget,
  post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
): Line<FromWorker, ToWorker> {
  return {
    post: (message, transfer = []) => post(message, transfer),
    listen: (listener) => {
      from.addEventListener('message', (event) => {
        if (event instanceof MessageEvent) listener(event.data);
      });
    },
  };
}
