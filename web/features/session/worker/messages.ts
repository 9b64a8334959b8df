import {
  type AuthPolicy,
  type ErrorCode,
  type ErrorDetails,
  type Interrupt,
  isWinRmError,
  type JournalEntry,
  type PackedClientCertificate,
  type ProxyRoute,
  type SessionState,
  type ShellOptions,
  type Target,
  type TrafficCounts,
  type TrustAnswer,
  type TrustOptions,
  type TrustQuestion,
  WinRmError,
} from '@fairlead/protocol';
import type { KeptRequest } from '../live-entry.ts';
import type { Draft, LinkFacts, Note, SessionFacts, Standing, Survived } from '../survival.ts';

/**
 * How a proxy may be signed in to: the best it offers that hides the password, one of the two families that do, or
 * `basic`, with which the person has agreed that the password may be read on the way; SOCKS 5 knows nothing else.
 */
export type ProxyMeans = 'best' | 'windows' | 'digest' | 'basic';

/** Who signs in to one proxy of a road: nothing to do with who signs in to the server (the seed's rule R6). */
export interface ProxyAccount {
  readonly user: string;
  readonly password: string;
  readonly means: ProxyMeans;
}

/** All that a session is made of, as it crosses from a page into a worker. Sent once; holds the passwords. */
export interface SessionOrder {
  readonly target: Target;
  readonly policy: AuthPolicy;
  /** Both "" for the policy `certificate`. */
  readonly user: string;
  readonly password: string;
  readonly sealsAlways: boolean;
  readonly allowsLegacyTls: boolean;
  /** Whom to trust over https; null for http. */
  readonly trust: TrustOptions['policy'] | null;
  readonly route: ProxyRoute;
  /** One for each hop of the road; null for a proxy that gets no sign-in. */
  readonly proxyAccounts: readonly (ProxyAccount | null)[];
  /** The person chose to sign in to proxies although the target is http, against the seed's rule R5. */
  readonly isHttpDangerChosen: boolean;
  /** A last proxy that refuses a tunnel to an http target is handed the requests instead. False unless given. */
  readonly forwardsIfRefused?: boolean;
  readonly shell: ShellOptions;
  /** A shell that still stands at the server, in place of a new one. */
  readonly takeUp: Standing | null;
}

/** What a worker keeps for the page, and gives to one that comes back. Holds no secret. */
export interface SessionMemo {
  readonly request: KeptRequest;
  /** Milliseconds since 1970. */
  readonly beganAt: number;
}

/** What a page asks of a session and waits for. */
export type Call =
  | { readonly name: 'open' | 'endInput' | 'close' }
  | { readonly name: 'writeText'; readonly text: string }
  | { readonly name: 'interrupt'; readonly how: Interrupt };

/** What a page says to a worker. */
export type ToWorker =
  | {
      readonly say: 'make';
      readonly order: SessionOrder;
      readonly certificate: PackedClientCertificate | null;
      /** Null where nobody can come back. */
      readonly memo: SessionMemo | null;
    }
  /** This page takes the session over, from whichever page had it. */
  | { readonly say: 'attach' }
  | { readonly say: 'call'; readonly id: number; readonly call: Call }
  /** The opening is given up. */
  | { readonly say: 'abort'; readonly error: PackedError }
  /** So many more chunks may be sent. */
  | { readonly say: 'take'; readonly count: number }
  | { readonly say: 'answer'; readonly answer: TrustAnswer }
  /** For the record: after how many pieces of output it happened. */
  | { readonly say: 'note'; readonly note: Note; readonly after: number }
  | { readonly say: 'draft'; readonly draft: Draft }
  /** Tries now to find the relay, or the server, again. */
  | { readonly say: 'hurry' }
  /** The machine has a network again. */
  | { readonly say: 'online' }
  /** The page goes; another may come. */
  | { readonly say: 'leave' }
  /** Nobody needs the worker any more. */
  | { readonly say: 'end' };

/** What a worker says to its page. */
export type FromWorker =
  /** The worker runs, and whether it has a session. */
  | { readonly say: 'hello'; readonly hasSession: boolean }
  | { readonly say: 'attached'; readonly whole: SessionWhole }
  /** Another page has taken the session over. */
  | { readonly say: 'moved' }
  /** What happened to the worker is its own fault, and its end. */
  | { readonly say: 'fault' }
  | { readonly say: 'facts'; readonly facts: PackedFacts }
  | { readonly say: 'made'; readonly promptWord: string }
  | { readonly say: 'refused'; readonly error: PackedError }
  /** A line of the journal, and what changed with it. */
  | {
      readonly say: 'news';
      readonly entry: JournalEntry;
      readonly counts: TrafficCounts;
      readonly lastRoundTripMs: number | null;
      /** Null when it is the same as before. */
      readonly state: PackedState | null;
    }
  /** The bytes are handed over, not copied. */
  | { readonly say: 'chunk'; readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly say: 'gap' }
  /** There is no more output; with the error that cut it. */
  | { readonly say: 'dry'; readonly error: PackedError | null }
  | { readonly say: 'settled'; readonly id: number; readonly error: PackedError | null }
  | { readonly say: 'ask'; readonly question: TrustQuestion }
  /** Nobody waits for the answer any more. */
  | { readonly say: 'unask' }
  /** The session is over and has given everything back. */
  | { readonly say: 'done' };

/** All of a session, for a page that comes back to it. */
export interface SessionWhole {
  readonly memo: SessionMemo;
  readonly promptWord: string;
  readonly state: PackedState;
  readonly entries: readonly JournalEntry[];
  readonly counts: TrafficCounts;
  readonly lastRoundTripMs: number | null;
  readonly facts: PackedFacts;
  /** Pieces of output there have been, in the record or not. */
  readonly chunkCount: number;
  readonly survived: Omit<Survived, 'lateError'> & { readonly lateError: PackedError | null };
}

/** Facts with their error packed. */
export type PackedFacts = Omit<SessionFacts, 'link'> & {
  readonly link: Omit<LinkFacts, 'error'> & { readonly error: PackedError | null };
};

/** Facts with their error packed. */
export function packFacts(facts: SessionFacts): PackedFacts {
  return { ...facts, link: { ...facts.link, error: facts.link.error && packError(facts.link.error) } };
}

/** The facts again. */
export function unpackFacts(facts: PackedFacts): SessionFacts {
  return { ...facts, link: { ...facts.link, error: facts.link.error && unpackError(facts.link.error) } };
}

/** An error as it crosses: what makes it ours, and one error of ours beneath it. */
export interface PackedError {
  readonly code: ErrorCode;
  readonly details: ErrorDetails[ErrorCode];
  readonly cause: Pick<PackedError, 'code' | 'details'> | null;
}

/** A state as it crosses. */
export type PackedState =
  | Exclude<SessionState, { at: 'lost' | 'closed' }>
  | { readonly at: 'lost'; readonly error: PackedError; readonly canReconnect: boolean }
  | { readonly at: 'closed'; readonly error: PackedError | null };

/** What a fault of the worker's own is told as: our mistake, and nobody else's. */
export function workerFault(): WinRmError {
  return new WinRmError('misuse.wrong-state', { action: 'use the session', state: 'its worker had failed' });
}

/** Errors lose their class on the way, so only what makes them up is sent. One that is not ours is a fault. */
export function packError(error: unknown): PackedError {
  const { code, details, cause } = isWinRmError(error) ? error : workerFault();
  return { code, details, cause: isWinRmError(cause) ? { code: cause.code, details: cause.details } : null };
}

/** The error again. */
export function unpackError({ code, details, cause }: PackedError): WinRmError {
  return new WinRmError(code, details, cause === null ? undefined : new WinRmError(cause.code, cause.details));
}

/** A state with its error packed. */
export function packState(state: SessionState): PackedState {
  if (state.at === 'lost') return { ...state, error: packError(state.error) };
  if (state.at === 'closed') return { at: 'closed', error: state.error && packError(state.error) };
  return state;
}

/** The state again. */
export function unpackState(state: PackedState): SessionState {
  if (state.at === 'lost') return { ...state, error: unpackError(state.error) };
  if (state.at === 'closed') return { at: 'closed', error: state.error && unpackError(state.error) };
  return state;
}

/** Bytes that own their memory, so that it can be handed over; copied where they are a part of something larger. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength && bytes.byteLength > 0;
  return isWhole ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

/** One end of what connects a page and a worker: messages arrive whole and in order, or not at all. */
export interface Line<Out, In> {
  post(message: Out, transfer?: ArrayBuffer[]): void;
  /** Calls back for each message from now on; what came before is not lost. One listener. */
  listen(listener: (message: In) => void): void;
}
