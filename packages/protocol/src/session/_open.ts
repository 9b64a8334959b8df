import type { Credential } from '../auth/credential.ts';
import { type AuthPolicy, createAuthenticator } from '../auth/select.ts';
import type { Journal } from '../journal.ts';
import type { RoadOpener } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import type { Shell } from '../shell/shell.ts';
import type { ShellOptions } from '../shell/shell-options.ts';
import { openWinRs } from '../shell/winrs.ts';
import { WsmanClient } from '../wsman/client.ts';
import type { TrafficCounts } from '../wsman/lane.ts';
import { LastingLane } from './_lasting-lane.ts';
import { type Target, targetAuthority, targetUrl } from './target.ts';

/** What a session is made of. */
export interface SessionOptions {
  readonly target: Target;
  readonly policy: AuthPolicy;
  readonly credential: Credential;
  /** Opens the road anew for each connection. */
  readonly openRoad: RoadOpener;
  readonly platform: Platform;
  readonly shell: ShellOptions;
  /**
   * 'auto' lets the first sealed envelope ride on the last leg of authentication where no proxy stands between, which
   * saves an exchange; 'never' leaves that leg empty everywhere.
   */
  readonly bodyOnLastLeg?: 'auto' | 'never';
}

/** What the parts of a session report to. */
export interface SessionParts {
  readonly journal: Journal;
  readonly counts: TrafficCounts;
  readonly onLink: (link: 'reopening' | 'live') => void;
  readonly onShell: () => void;
  readonly onOrphan: (deletion: Promise<void>) => void;
}

/** Two lanes to one server and a client for them: the only place that knows how a credential reaches a connection. */
export interface Binding {
  readonly client: WsmanClient;
  readonly control: LastingLane;
  readonly output: LastingLane;
}

/** The name the server's log shows for our machine; the real one is nobody's business. */
const WORKSTATION = 'FAIRLEAD';

/** Joins target, credential and road. Opens nothing yet. */
export function bind(options: SessionOptions, parts: SessionParts): Binding {
  const { target, policy, credential, openRoad, platform, bodyOnLastLeg = 'auto' } = options;
  const { journal, counts, onLink } = parts;
  const url = targetUrl(target);
  const createOne = () =>
    createAuthenticator({
      policy,
      credential,
      spn: `http/${target.host}`,
      workstation: WORKSTATION,
      binding: null, // channel bindings belong to TLS
      platform,
    });
  const lane = (name: 'control' | 'output') =>
    new LastingLane({
      name,
      place: { authority: targetAuthority(target), path: target.path, url },
      openRoad,
      createAuthenticator: createOne,
      platform,
      journal,
      counts,
      bodyOnLastLeg,
      onLink,
    });
  return { client: new WsmanClient({ url, platform, journal }), control: lane('control'), output: lane('output') };
}

/**
 * Opens the shell and starts its command.
 *
 * A single command needs one lane: Create, Command and Receive take turns on `output`, so its first output comes after
 * four exchanges on a direct road (leg, leg with Create, Command, Receive) and five behind a proxy, where the last leg
 * is empty. `control` is opened when stdin or an interrupt is first wanted.
 *
 * An interactive shell needs both at once. Both roads are walked at the same time, but `output` signs in only when
 * `control` has: a mistyped password must count as one failed logon, not two.
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
  const { onShell, onOrphan } = parts;
  const hasSignedIn = signedIn(parts.journal);
  const opening = openWinRs({ client, control, output, shell, platform, signal: stop.signal, onShell, onOrphan });
  if (shell.kind === 'interactive') {
    // Until the shell is open a failure here stops the opening; later the first Receive tries again and reports.
    output.open(stop.signal, hasSignedIn).catch((error: unknown) => stop.abort(error));
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

/** Resolves when the control lane has signed in. */
function signedIn(journal: Journal): Promise<void> {
  return new Promise((resolve) => {
    const unwatch = journal.watch(({ what }) => {
      if (what.event !== 'connection' || what.lane !== 'control' || what.what !== 'authenticated') return;
      unwatch();
      resolve();
    });
  });
}
