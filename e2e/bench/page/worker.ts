/** The protocol in a worker: opens when told to, hands chunks out, and waits when the page has not taken enough. */
import type { OneCommand } from '../thread-run.ts';
import { makeSession } from './one-command.ts';

/** Chunks on their way; more would only wait in the page. */
const MAX_UNTAKEN = 4;

/** What the page may say. */
export type ToWorker = { readonly open: OneCommand } | 'take' | 'taken';

/** What the worker says. */
export type FromWorker =
  | { readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | 'opened'
  | 'ended'
  | { readonly failed: string };

/** The page, from here. In a worker the options take the place of a window's target origin. */
const say = (message: FromWorker, transfer: Transferable[] = []): void => postMessage(message, { transfer });

let untaken = 0;
let wake: (() => void) | null = null;
let mayTake: () => void = () => undefined;
const taking = new Promise<void>((resolve) => {
  mayTake = resolve;
});

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data === 'take') mayTake();
  else if (data === 'taken') {
    untaken -= 1;
    wake?.();
  } else run(data.open).catch((error: unknown) => say({ failed: words(error) }));
});

async function run(what: OneCommand): Promise<void> {
  const session = makeSession(what);
  await session.open();
  say('opened');
  await taking;
  for await (const { stream, bytes } of session.output) {
    if (stream === 'gap') throw new Error('the connection was lost, the figure is worth nothing');
    // Handed over, not copied, where the bytes are the whole of their memory.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    untaken += 1;
    say({ stream, bytes: own }, [own.buffer as ArrayBuffer]);
    if (untaken < MAX_UNTAKEN) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    wake = null;
  }
  say('ended');
  await session.close();
}

function words(error: unknown): string {
  return error instanceof Error ? `${error.message} (${words(error.cause)})` : String(error);
}
