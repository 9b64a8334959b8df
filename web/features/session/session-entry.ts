import type {
  Advice,
  AuthPolicy,
  ClientCertificate,
  Journal,
  ProxyRoute,
  SessionState,
  ShellOptions,
  TrustAnswer,
} from '@fairlead/protocol';
import type { HopView } from '../../components/hop-view.ts';
import type { LiveShell } from './live-shell.ts';
import type { StepView, TlsFacts } from './progress.ts';
import type { ShellSession } from './shell-session.ts';
import type { LinkFacts, Standing } from './survival.ts';
import type { ProxyAccount, SessionMemo } from './worker/messages.ts';

/** What a person asks for. Passwords and certificate are handed on and not kept here. */
export interface ConnectRequest {
  /** What the tab is called. */
  readonly label: string;
  /** Host or host:port, as `parseTarget` reads it. */
  readonly target: string;
  /** What `parseTarget` reads out of the target, known before the protocol is loaded. */
  readonly scheme: 'http' | 'https';
  readonly policy: AuthPolicy;
  /** "" for the policy `certificate`. */
  readonly user: string;
  readonly password: string;
  /** For the policy `certificate`. */
  readonly certificate: ClientCertificate | null;
  /** Seal messages inside TLS as well. */
  readonly sealsAlways: boolean;
  readonly allowsLegacyTls: boolean;
  readonly route: ProxyRoute;
  /** Who signs in to each proxy of the route; null, or nothing at its place, for nobody. */
  readonly proxies: readonly (Omit<ProxyAccount, 'password'> | null)[];
  /** Those accounts', each at its place; "" without one. */
  readonly proxyPasswords: readonly string[];
  /** The person chose to sign in to proxies although the target is http. */
  readonly isHttpDangerChosen: boolean;
  /** A last proxy that refuses a tunnel to an http target is handed the requests instead. False unless given. */
  readonly forwardsIfRefused?: boolean;
  readonly shell: ShellOptions;
  readonly isDemo: boolean;
  readonly isProduction: boolean;
}

/** What is left of a request when its secrets are taken out. */
export type KeptRequest = Omit<ConnectRequest, 'password' | 'certificate' | 'proxyPasswords'>;

/** A session as the page shows it. A new object for each change; `shell` is the same as long as the tab is. */
export interface SessionEntry {
  readonly id: string;
  readonly request: KeptRequest;
  /** Host and port, always with the port. */
  readonly address: string;
  readonly port: number;
  readonly state: SessionState;
  readonly steps: readonly StepView[];
  readonly hops: readonly HopView[];
  /** What TLS settled; null before it did, and without TLS. */
  readonly tls: TlsFacts | null;
  /** The record of the attempt under way; null before the first. */
  readonly journal: Journal | null;
  readonly counts: ShellSession['counts'];
  readonly lastRoundTripMs: number | null;
  /** The live output and input; null until the parts for it are loaded. */
  readonly shell: LiveShell | null;
  /** Whether a shell was ever ready in this tab: failures before show the stepper, failures after keep the output. */
  readonly wasReady: boolean;
  /** Whether a command runs in it. */
  readonly isRunning: boolean;
  /** When this attempt began, milliseconds since 1970. */
  readonly beganAt: number;
  /** How the session is carried; null before it told. */
  readonly link: LinkView | null;
  /** What the road gave reason to remark on. */
  readonly advice: readonly Advice[];
  /** What a later attempt needs to take the same shell up; null when there is none to take up. */
  readonly standing: Standing | null;
  /** The worker that outlives this page; null where the session does not. */
  readonly worker: string | null;
  /** Another tab of this browser has taken the session over. */
  readonly isElsewhere: boolean;
  /** Which way it came from an earlier attempt: the same connection, or the same shell on a new one. */
  readonly cameBack: 'same' | 'anew' | null;
  /** A page that was here before left this; null when all is as it should be. */
  readonly returning: Returning | null;
}

/** How a session is carried, and when the page was told, on the page's clock. */
export interface LinkView extends LinkFacts {
  readonly toldAtMs: number;
}

/** A session of an earlier page, on its way back to this one. */
export type Returning =
  | { readonly step: 'looking' }
  /** What held it has gone. Its shell may stand, and is taken up by whoever signs in as its owner. */
  | {
      readonly step: 'sign-in';
      readonly why: 'reload' | 'away' | 'update';
      /** When the earlier page was last seen, milliseconds since 1970. */
      readonly seenAt: number;
    };

/** What may differ in the next attempt of a tab. */
export type ShellChange = Partial<Pick<ShellOptions, 'codePage'>>;

/** A session made for one attempt, and where it goes. */
export interface Attempt {
  readonly session: ShellSession;
  /** Host and port, always with the port; an IPv6 address in brackets. */
  readonly address: string;
  readonly port: number;
  /** The worker it lives in, if that outlives this page. */
  readonly worker?: string | null;
  /** Answers the question about a host that is met for the first time; ignored when nothing is asked. */
  answer(answer: TrustAnswer): void;
}

/** The secrets of one attempt. */
export type Secrets = Pick<ConnectRequest, 'password' | 'certificate' | 'proxyPasswords'>;

/** What an entry needs from around it. */
export interface EntryParts {
  /** Host and port of the relay. */
  readonly relay: string;
  /** Makes a session for one attempt. @throws misuse.bad-argument */
  readonly openSession: (request: ConnectRequest, more: AttemptOptions) => Promise<Attempt>;
  /** Takes over a session that an earlier page began; null when its worker has gone. */
  readonly findSession: (worker: string) => Promise<FoundAttempt | null>;
  /** Makes what holds output and input, once per tab. */
  readonly loadShell: (entry: SessionEntry) => Promise<LiveShell>;
  /** Words for the line drawn across the output: when a session ends, or 'ready' where output may be missing. */
  readonly dividerWords: (divider: Divider) => string;
}

/** What an attempt is made of beside its request. */
export interface AttemptOptions {
  /** A shell that stands, in place of a new one. */
  readonly takeUp: Standing | null;
  readonly memo: SessionMemo;
}

/** An attempt that an earlier page made. */
export interface FoundAttempt extends Attempt {
  readonly memo: SessionMemo;
}

/** What a line across the output is drawn for. Times in milliseconds since 1970. */
export type Divider =
  | SessionState
  | { readonly at: 'gap'; readonly sinceMs: number | null; readonly atMs: number }
  | { readonly at: 'resumed' }
  | { readonly at: 'trimmed' };

/** Before anything has crossed the wire. */
export const NO_COUNTS: ShellSession['counts'] = {
  exchanges: 0,
  requestBytes: 0,
  responseBytes: 0,
  connections: 0,
  handshakes: 0,
};

/** Whether a session has come to its end, one way or another. */
export function isOver(state: SessionState): state is Extract<SessionState, { at: 'ended' | 'lost' | 'closed' }> {
  return state.at === 'ended' || state.at === 'lost' || state.at === 'closed';
}
