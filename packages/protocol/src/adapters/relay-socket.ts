import { WinRmError } from '../errors.ts';
import type { ProxyAnswerer, RoadLink, RoadOpener } from '../opened-road.ts';
import { KeptPipe } from './_kept-pipe.ts';
import { proxyAnswers } from './_proxy-answers.ts';
import { abortError } from './_relay-stream.ts';
import { SocketMaker } from './_tab-socket.ts';

export { defaultPlatform } from './default-platform.ts';

/** How a tab reaches its relay. */
export interface RelayRoadOptions {
  /** Scheme, host and port of the relay, as `location.origin`. */
  readonly origin: string;
  /** Fetches a ticket for one connection; its errors are passed on. */
  readonly ticket: (lane: 'control' | 'output', signal: AbortSignal) => Promise<string>;
  /**
   * Makes what answers the proxies of one road that want credentials (`proxySignIn`); without it none gets any. What it
   * throws ends the road.
   */
  readonly answerProxy?: (() => ProxyAnswerer) | undefined;
  /** The platform's WebSocket when absent. */
  readonly WebSocket?: typeof WebSocket;
  /** The platform's fetch when absent; used where no WebSocket comes about although the relay answers. */
  readonly fetch?: typeof fetch;
  /** Told of every change of a link: opened, lost, an attempt begun, an attempt failed, taken up again, given up. */
  readonly onLink?: (lane: 'control' | 'output', link: RoadLink) => void;
  /** Calls back when the machine has a network again; the page's `online` event when absent. */
  readonly onOnline?: (listener: () => void) => () => void;
}

/** Opens roads through one relay. */
export interface RelayRoad extends RoadOpener {
  /** Looks for the relay at once, for every road that is held; for a button beside the countdown. */
  readonly now: () => void;
  /** How every road that was opened and is not over is carried at this moment, for a countdown. */
  readonly links: () => readonly { readonly lane: 'control' | 'output'; readonly link: RoadLink }[];
}

/**
 * Opens roads through a relay: one ticket, one pipe and one TCP connection each. The opened stream keeps its link alive
 * with a beat every 20 s and can be half-closed. When the link is lost, the road is held: another link is looked for
 * after 0.2 s, later every 10 s, at once when the network is back; both ends then repeat what the other lacks, and the
 * stream has lost and doubled nothing. Where something on the way strips the WebSocket's Upgrade, links are HTTP requests.
 *
 * @throws relay.unreachable when no link comes about, relay.lost when a pipe is over or the relay no longer holds it, and
 * whatever the relay reports: relay.sign-in-required, relay.ticket-refused, relay.policy-denied, relay.limit-reached,
 * relay.name-not-found, relay.connection-refused, relay.connect-timeout, proxy.*; session.cancelled at once when the
 * signal is aborted
 */
export function relayRoad(options: RelayRoadOptions): RelayRoad {
  const sockets = new SocketMaker(options);
  const pipes = new Map<KeptPipe, 'control' | 'output'>();
  const onOnline = options.onOnline ?? onPageOnline;
  let answerCount = 0;
  const countAnswer = () => {
    answerCount += 1;
  };
  let quiet: (() => void) | null = null;
  const opener: RoadOpener = async (lane, onHop, signal) => {
    const ticket = await untilAborted(askForTicket(options, lane, signal), signal);
    return new Promise((resolve, reject) => {
      const onAbort = () => pipe.cancel(abortError(signal));
      const settled = () => signal.removeEventListener('abort', onAbort);
      const pipe = new KeptPipe({
        sockets,
        ticket,
        label: `${lane} through the relay`,
        onHop,
        answer: proxyAnswers(options.answerProxy?.(), signal, countAnswer),
        onOpened: (road) => {
          pipes.set(pipe, lane);
          // Back on a network, perhaps another one: the old link may look fine for minutes and carry nothing.
          quiet ??= onOnline(() => {
            for (const one of pipes.keys()) one.now(true);
          });
          settled(); // from here on the stream has its own way to be given up: `destroy`
          resolve(road);
        },
        onFailed: (error) => {
          settled();
          reject(error);
        },
        onLink: (link) => options.onLink?.(lane, link),
        onOver: () => {
          pipes.delete(pipe);
          if (pipes.size > 0) return;
          quiet?.();
          quiet = null;
        },
      });
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  };
  const now = () => {
    for (const pipe of pipes.keys()) pipe.now();
  };
  const links = () => [...pipes].map(([pipe, lane]) => ({ lane, link: pipe.link }));
  return Object.assign(opener, { now, links, answered: () => answerCount });
}

/** A page has `online` events; a Node program has none, and its socket tells soon enough. */
function onPageOnline(listener: () => void): () => void {
  const page: object = globalThis;
  if (!(page instanceof EventTarget)) return () => {};
  page.addEventListener('online', listener);
  return () => page.removeEventListener('online', listener);
}

/** Whatever a platform calls a request that found nobody, a person reads that the relay was not reached. */
async function askForTicket(
  options: RelayRoadOptions,
  lane: 'control' | 'output',
  signal: AbortSignal,
): Promise<string> {
  try {
    return await options.ticket(lane, signal);
  } catch (error) {
    if (error instanceof WinRmError) throw error;
    if (signal.aborted) throw abortError(signal);
    throw new WinRmError('relay.unreachable', { url: options.origin }, error);
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined);
    throw abortError(signal);
  }
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
