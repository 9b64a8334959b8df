import { CLOSE_CODES, PIPE_PATH, readRelayError, readRelayMessage } from '@fairlead/contract';
import type { ErrorCode, ErrorDetails } from '../errors.ts';
import { WinRmError } from '../errors.ts';
import type { HopReport, OpenedRoad, ProxyAnswerer, ProxyChallenge, RoadOpener } from '../opened-road.ts';
import { abortError, Heartbeat, RelayStream } from './_relay-stream.ts';

export { defaultPlatform } from './default-platform.ts';

/** How a tab reaches its relay. */
export interface RelayRoadOptions {
  /** Scheme, host and port of the relay, as `location.origin`. */
  readonly origin: string;
  /** Fetches a ticket for one connection; errors of ours are passed on, any other means that the relay was not reached. */
  readonly ticket: (lane: 'control' | 'output', signal: AbortSignal) => Promise<string>;
  /**
   * Makes what answers the proxies of one road that want credentials (`proxySignIn`); without it none gets any. What it
   * throws ends the road.
   */
  readonly answerProxy?: (() => ProxyAnswerer) | undefined;
  /** The platform's WebSocket when absent. */
  readonly WebSocket?: typeof WebSocket;
}

/**
 * Opens roads through a relay: one WebSocket, one ticket and one TCP connection each. The opened stream keeps its link
 * alive with a beat every 20 s and can be half-closed.
 *
 * @throws relay.unreachable when no WebSocket comes about, relay.lost when it breaks, and whatever the relay reports:
 * relay.sign-in-required, relay.ticket-refused, relay.policy-denied, relay.limit-reached, relay.name-not-found,
 * relay.connection-refused, relay.connect-timeout, proxy.*; session.cancelled at once when the signal is aborted
 */
export function relayRoad(options: RelayRoadOptions): RoadOpener {
  return async (lane, onHop, signal) => {
    const ticket = await untilAborted(askForTicket(options, lane, signal), signal);
    return openPipe(options, ticket, lane, onHop, signal);
  };
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

/** More questions than four proxies with ten legs each could have, re-dials included. */
const MAX_CHALLENGES = 50;

/** `WebSocket.CONNECTING`, without reaching for a global that a test may have replaced. */
const CONNECTING = 0;

/** What a closing code means when the relay had no time, or no reason, to say more. */
const LOST_REASONS: Readonly<Record<number, string>> = {
  [CLOSE_CODES.finished]: 'closed by the relay',
  [CLOSE_CODES.draining]: 'the relay is shutting down',
  [CLOSE_CODES.tooLarge]: 'a message was too large',
  [CLOSE_CODES.malformed]: 'the relay did not understand',
  [CLOSE_CODES.silent]: 'the relay heard nothing for too long',
  [CLOSE_CODES.fault]: 'the relay had a fault',
  [CLOSE_CODES.cut]: 'the far connection broke',
  1006: 'the connection broke',
};

function openPipe(
  options: RelayRoadOptions,
  ticket: string,
  lane: string,
  onHop: (report: HopReport) => void,
  signal: AbortSignal,
): Promise<OpenedRoad> {
  const url = `${options.origin.replace(/^http/, 'ws').replace(/\/$/, '')}${PIPE_PATH}`;
  return new Promise((resolve, reject) => {
    const socket = makeSocket(options, url); // what it throws rejects
    const stream = new RelayStream(socket, `${lane} through the relay`);
    let stage: 'connecting' | 'dialling' | 'open' | 'over' = 'connecting';

    const giveUp = (error: unknown) => {
      const wasOpen = stage === 'open';
      stage = 'over';
      heartbeat.stop();
      signal.removeEventListener('abort', onAbort);
      // A page that closes a socket which is not open yet gets a warning of the browser; `open` closes it then.
      if (socket.readyState !== CONNECTING) socket.close(1000);
      if (wasOpen && error instanceof WinRmError) stream.receiveFailure(error);
      else if (!wasOpen) reject(error);
    };
    const onAbort = () => giveUp(abortError(signal));
    const heartbeat = new Heartbeat(socket, () => giveUp(new WinRmError('relay.lost', { reason: 'silence' })));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();

    const answer = proxyAnswers(options, signal);
    const onChallenge = async (challenge: ProxyChallenge) => {
      const message = await answer(challenge);
      if (stage === 'dialling') socket.send(message);
    };
    const onText = (text: string) => {
      const message = readRelayMessage(text);
      if (message === null) giveUp(new WinRmError('relay.lost', { reason: 'an unknown message' }));
      else if (message.type === 'hop') {
        if (stage === 'dialling') onHop(message.report);
      } else if (message.type === 'challenge') {
        if (stage === 'dialling') onChallenge(message.challenge).catch(giveUp);
      } else if (message.type === 'failed') giveUp(toError(message));
      else if (message.type === 'end') stream.receiveEnd();
      else if (message.type === 'opened' && stage === 'dialling') {
        stage = 'open';
        // From here on the stream has its own way to be given up: `destroy`.
        signal.removeEventListener('abort', onAbort);
        resolve({ stream, form: message.form, hasProxy: message.hasProxy });
      }
    };

    socket.addEventListener('open', () => {
      if (stage !== 'connecting') {
        socket.close(1000);
        return;
      }
      stage = 'dialling';
      socket.send(JSON.stringify({ type: 'dial', ticket }));
    });
    socket.addEventListener('message', (event: MessageEvent) => {
      heartbeat.heard();
      if (stage === 'over') return;
      const content: unknown = event.data;
      if (typeof content === 'string') onText(content);
      else if (content instanceof ArrayBuffer && stage === 'open') stream.receive(new Uint8Array(content));
    });
    socket.addEventListener('error', () => {
      // A `close` always follows, and says more.
    });
    socket.addEventListener('close', (event: CloseEvent) => {
      heartbeat.stop();
      if (stage === 'over') return;
      if (stage === 'connecting') giveUp(new WinRmError('relay.unreachable', { url }));
      else giveUp(closeError(event.code));
    });
  });
}

/** Makes the `answer` message for each challenge of one road. @throws what the answerer throws, relay.lost */
function proxyAnswers(options: RelayRoadOptions, signal: AbortSignal): (challenge: ProxyChallenge) => Promise<string> {
  const answerProxy = options.answerProxy?.() ?? refuseToAnswer;
  let count = 0;
  return async (challenge) => {
    count += 1;
    if (count > MAX_CHALLENGES) throw new WinRmError('relay.lost', { reason: 'too many questions' });
    const authorization = await answerProxy(challenge, signal);
    return JSON.stringify({ type: 'answer', hop: challenge.hop, authorization });
  };
}

/** For a road without credentials. */
const refuseToAnswer: ProxyAnswerer = ({ hop, host, port, offered }) => {
  throw new WinRmError('proxy.auth-required', { hop, host, port, offered: schemesOf(offered) });
};

/** The schemes of Proxy-Authenticate, one per value as nearly every proxy writes them. */
function schemesOf(offered: readonly string[]): string {
  return [...new Set(offered.map((value) => /^[A-Za-z0-9-]{1,32}/.exec(value.trim())?.[0] ?? ''))]
    .filter((name) => name !== '')
    .join(', ');
}

function makeSocket(options: RelayRoadOptions, url: string): WebSocket {
  try {
    const socket = new (options.WebSocket ?? WebSocket)(url);
    socket.binaryType = 'arraybuffer';
    return socket;
  } catch (cause) {
    throw new WinRmError('relay.unreachable', { url }, cause);
  }
}

function closeError(code: number): WinRmError {
  if (code === CLOSE_CODES.signInRequired) return new WinRmError('relay.sign-in-required', {});
  return new WinRmError('relay.lost', { reason: LOST_REASONS[code] ?? `closed with ${code}` });
}

/** Errors are taken over only when their details have the shape their code promises. */
function toError(message: unknown): WinRmError {
  const read = readRelayError(message);
  if (read === null) return new WinRmError('relay.lost', { reason: 'an unknown error' });
  const details: ErrorDetails[typeof read.code] = read.details;
  return new WinRmError<ErrorCode>(read.code, details);
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
