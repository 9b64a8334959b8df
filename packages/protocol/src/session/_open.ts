import type { Credential } from '../auth/credential.ts';
import { type AuthPolicy, createAuthenticator, isKeyed } from '../auth/select.ts';
import { type BadArgumentReason, fail } from '../errors.ts';
import type { Journal, LaneName } from '../journal.ts';
import type { RoadOpener } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import type { Shell, Standing } from '../shell/shell.ts';
import type { ShellOptions } from '../shell/shell-options.ts';
import { openWinRs, takeUpWinRs } from '../shell/winrs.ts';
import type { ClientCertificate } from '../tls/client-certificate.ts';
import { WsmanClient } from '../wsman/client.ts';
import type { TrafficCounts } from '../wsman/lane.ts';
import type { AdviceBook } from './_advice.ts';
import { LastingLane } from './_lasting-lane.ts';
import type { Patience } from './_patience.ts';
import { TrustDecision } from './_trust-decision.ts';
import { VersionChoice } from './_version-choice.ts';
import type { TrustOptions, TrustQuestion } from './first-contact.ts';
import { type Target, targetAuthority, targetUrl } from './target.ts';

/** What a session is made of. */
export interface SessionOptions {
  readonly target: Target;
  readonly policy: AuthPolicy;
  /** Null for the policy `certificate`, which needs none. */
  readonly credential: Credential | null;
  /** For the policy `certificate`; shown to no server otherwise. Whoever opened it wipes its key. */
  readonly clientCertificate?: ClientCertificate | null;
  /** For https targets. Without it no host is trusted and nobody is asked. */
  readonly trust?: TrustOptions;
  /**
   * 'auto' seals messages on http targets and leaves it to TLS on https targets; 'always' seals them inside TLS too, and
   * believes no other reply. What is sent to an http target is always sealed.
   */
  readonly seal?: 'auto' | 'always';
  /** Lets suites of TLS 1.2 with SHA-1 in, for servers as old as Windows Server 2012 R2. */
  readonly allowLegacyTls?: boolean;
  /** Opens the road anew for each connection. */
  readonly openRoad: RoadOpener;
  readonly platform: Platform;
  readonly shell: ShellOptions;
  /**
   * 'auto' lets the first sealed envelope ride on the last leg of authentication where no proxy stands between, which
   * saves an exchange; 'never' leaves that leg empty everywhere.
   */
  readonly bodyOnLastLeg?: 'auto' | 'never';
  /**
   * A shell that stands already, made by an earlier session of the same person: it is taken up again in place of opening
   * one. Output may be missing since then, so a gap comes first.
   */
  readonly takeUp?: Standing | null;
  /**
   * For how long, in ms, a session that has been ready looks for a road it has lost, with growing pauses; 0 for one
   * attempt. Five minutes unless given, an hour at most.
   */
  readonly patienceMs?: number;
}

/** What the parts of a session report to. */
export interface SessionParts {
  readonly journal: Journal;
  readonly promptWord: string;
  readonly counts: TrafficCounts;
  readonly patience: Patience;
  readonly advice: AdviceBook;
  readonly onLink: (lane: LaneName, link: 'reopening' | 'held' | 'live') => void;
  readonly onShell: () => void;
  readonly onOrphan: (deletion: Promise<void>) => void;
  /** With the question while a person is asked about the host, and with null when they have answered. */
  readonly onQuestion: (question: TrustQuestion | null) => void;
}

/** Two lanes to one server and a client for them: the only place that knows how a credential reaches a connection. */
export interface Binding {
  readonly client: WsmanClient;
  readonly control: LastingLane;
  readonly output: LastingLane;
  /** Who the lanes may talk to; null for an http target. */
  readonly decision: TrustDecision | null;
}

/** The name the server's log shows for our machine; the real one is nobody's business. */
const WORKSTATION = 'FAIRLEAD';

/**
 * Refuses options that do not go together, before anything is sent.
 * @throws misuse.bad-argument needs-https, cannot-seal, empty
 */
export function checkSignIn({ target, policy, credential, clientCertificate, seal }: SessionOptions): void {
  if (policy !== 'certificate' && credential === null) refuse('credential', 'empty');
  if (isKeyed(policy)) return;
  if (target.scheme !== 'https') refuse('policy', 'needs-https');
  if (seal === 'always') refuse('seal', 'cannot-seal');
  if (policy === 'certificate' && (clientCertificate ?? null) === null) refuse('certificate', 'empty');
}

/**
 * Joins target, credential and road. Opens nothing yet.
 * @param lives whether lost connections are opened anew
 */
export function bind(options: SessionOptions, parts: SessionParts, lives: 'on' | 'once' = 'on'): Binding {
  const {
    target,
    policy,
    credential,
    openRoad,
    platform,
    trust = null,
    bodyOnLastLeg = 'auto',
    seal = 'auto',
  } = options;
  const { journal, counts, patience, advice, onLink, onQuestion } = parts;
  const url = targetUrl(target);
  const isSecured = target.scheme === 'https';
  const clientCertificate = (policy === 'certificate' && options.clientCertificate) || null;
  const { host, port } = target;
  const decision = isSecured ? new TrustDecision({ host, port, trust, platform, journal, onQuestion }) : null;
  const tls = decision && {
    ...{ host, decision, clientCertificate, platform, journal },
    versions: new VersionChoice(clientCertificate !== null),
    allowLegacy: options.allowLegacyTls ?? false,
  };
  const lane = (name: 'control' | 'output') =>
    new LastingLane({
      name,
      place: { authority: targetAuthority(target), path: target.path, url },
      openRoad,
      tls,
      createSignIn: async (peer) => {
        const common = { platform, spn: `http/${host}`, workstation: WORKSTATION };
        if (peer === null && credential !== null && isKeyed(policy)) {
          return createAuthenticator({ ...common, policy, credential, binding: null });
        }
        // Judged peers come with the TLS engine, and so do the ways of signing in that need one.
        const { createSignIn } = await import('../auth/sign-in.ts');
        return createSignIn({
          ...{ ...common, policy, credential, peer },
          certificate: clientCertificate?.certificate ?? null,
        });
      },
      sealing: isSecured && seal === 'auto' ? 'optional' : 'always',
      platform,
      journal,
      counts,
      bodyOnLastLeg,
      ...{ patience, advice, lives },
      onLink: (link) => onLink(name, link),
    });
  const client = new WsmanClient({ url, platform, journal });
  return { client, control: lane('control'), output: lane('output'), decision };
}

/**
 * Opens the shell and starts its command.
 *
 * A single command needs one lane: Create, Command and Receive take turns on `output`, so its first output comes after
 * four exchanges on a direct road (leg, leg with Create, Command, Receive) and five behind a proxy, where the last leg
 * is empty. `control` is opened when stdin or an interrupt is first wanted.
 *
 * An interactive shell needs both at once. Both roads are walked at the same time, but the second lane signs in only
 * when the first has: a mistyped password must count as one failed logon, not two.
 *
 * A shell that is taken up again is asked for its output first, so there `output` leads.
 */
export async function openShell(
  { client, control, output }: Binding,
  options: SessionOptions,
  parts: SessionParts,
  signal: AbortSignal,
): Promise<Shell> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const { shell, platform } = options;
  const { promptWord, onShell, onOrphan } = parts;
  const leader = leadingLane(options);
  const hasSignedIn = signedIn(parts.journal, leader);
  const setting = { client, control, output, shell, promptWord, platform, signal: stop.signal };
  const { takeUp } = options;
  const opening = takeUp
    ? takeUpWinRs({ ...setting, onShell, onOrphan }, takeUp)
    : openWinRs({ ...setting, onShell, onOrphan });
  if (shell.kind === 'interactive') {
    const second = leader === 'control' ? output : control;
    // Until the shell is open a failure here stops the opening; later the lane's first request tries again and reports.
    second.open(stop.signal, hasSignedIn).catch((error: unknown) => stop.abort(error));
  }
  try {
    return await opening;
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The lane whose way up is the session's. */
export function leadingLane({ shell, takeUp }: Pick<SessionOptions, 'shell' | 'takeUp'>): LaneName {
  return shell.kind === 'interactive' && !takeUp ? 'control' : 'output';
}

/** Resolves when the leading lane has signed in. */
function signedIn(journal: Journal, leader: LaneName): Promise<void> {
  return new Promise((resolve) => {
    const unwatch = journal.watch(({ what }) => {
      if (what.event !== 'connection' || what.lane !== leader || what.what !== 'authenticated') return;
      unwatch();
      resolve();
    });
  });
}

function refuse(argument: string, reason: BadArgumentReason): never {
  return fail('misuse.bad-argument', { argument, reason });
}
