/** What runs in a session's worker: the protocol, from the relay's socket to the shell's bytes. */
import { isWinRmError } from '@fairlead/protocol';
import { makeSession } from './make-session.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { serveSession } from './serve-session.ts';

// A page hears of what a worker throws, but not of promises that nobody waited for.
addEventListener('unhandledrejection', ({ reason }) => {
  if (isWinRmError(reason)) return;
  setTimeout(() => {
    throw reason;
  });
});

serveSession(
  {
    // In a worker the options take the place of a window's target origin.
    post: (message: FromWorker, transfer = []) => postMessage(message, { transfer }),
    listen: (listener) => addEventListener('message', ({ data }: MessageEvent<ToWorker>) => listener(data)),
  },
  {
    makeSession,
    unpack: async (packed) => (await import('./unpack.ts')).unpackClientCertificate(packed),
  },
);
