import type { Advice } from '../advice.ts';
import { type DropReason, fail, isWinRmError, type WinRmError } from '../errors.ts';
import { Journal } from '../journal.ts';
import type { OpenedRoad, RoadOpener } from '../opened-road.ts';
import type { TrafficCounts } from '../wsman/lane.ts';
import { getConfig } from '../wsman/operations.ts';
import { AdviceBook } from './_advice.ts';
import { type Binding, bind, checkSignIn, type SessionOptions } from './_open.ts';
import { Patience } from './_patience.ts';
import { checkTarget } from './target.ts';

/** What a road is checked with: what a session is made of, without a shell. */
export interface AffinityOptions
  extends Pick<
    SessionOptions,
    | 'target'
    | 'policy'
    | 'credential'
    | 'clientCertificate'
    | 'trust'
    | 'seal'
    | 'allowLegacyTls'
    | 'openRoad'
    | 'platform'
  > {
  /** How many requests are sent after the one sign-in, 1 to MAX_AFFINITY_REQUESTS; DEFAULT_AFFINITY_REQUESTS unless given. */
  readonly count?: number;
  readonly journal?: Journal;
  readonly signal?: AbortSignal;
}

/** What a check of a road found. */
export interface AffinityFindings {
  /**
   * kept: every request reached the connection that was signed in on; moved: one did not, `error` has the evidence;
   * closed: the connection ended under way; unbound: this sign-in goes with each request, so there is nothing to keep.
   */
  readonly verdict: 'kept' | 'moved' | 'closed' | 'unbound';
  readonly road: 'direct' | 'tunnel' | 'forward';
  /** Whether TLS runs from here to the host. */
  readonly isSecured: boolean;
  /** As the journal names it; "" before one was begun. */
  readonly mechanism: string;
  readonly sent: number;
  /** How many were answered under the keys of the one sign-in. */
  readonly answered: number;
  readonly connections: number;
  readonly handshakes: number;
  /** Legs included. */
  readonly exchanges: number;
  /** The server's setting AllowUnencrypted; null where it could not be read. The seed's rule R27 */
  readonly allowsUnencrypted: boolean | null;
  /** What showed that the road does not keep connections; null if it does. */
  readonly error: WinRmError | null;
  readonly advice: readonly Advice[];
}

/** Enough for a proxy with a handful of connections to its upstream to give itself away. */
export const DEFAULT_AFFINITY_REQUESTS = 10;
/** More would be a load test. */
export const MAX_AFFINITY_REQUESTS = 100;

/**
 * Finds out whether a road keeps our connection and the server's together: signs in once, then sends so many sealed
 * requests that ask for nothing but an answer, all on one connection. Nothing is asked twice and nothing is opened anew.
 * The seed's rules R10 and R24.
 *
 * @throws misuse.bad-argument; what a session throws while it opens, but for what shows a moved or closed connection
 */
export async function checkAffinity(options: AffinityOptions): Promise<AffinityFindings> {
  const { count = DEFAULT_AFFINITY_REQUESTS, platform } = options;
  if (!Number.isInteger(count) || count < 1 || count > MAX_AFFINITY_REQUESTS) {
    fail('misuse.bad-argument', { argument: 'count', reason: 'out-of-range', limit: MAX_AFFINITY_REQUESTS });
  }
  checkTarget(options.target);
  const check = new Check(options, options.journal ?? new Journal(() => platform.monotonicMs()));
  return await check.run(count);
}

class Check {
  readonly #signal: AbortSignal;
  readonly #binding: Binding;
  readonly #isSecured: boolean;
  readonly #counts: TrafficCounts = { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 };
  readonly #advice: AdviceBook;
  readonly #unwatch: () => void;
  readonly #isBound: boolean;
  #road: AffinityFindings['road'] = 'direct';
  #mechanism = '';
  #allowsUnencrypted: boolean | null = null;
  #sent = 0;
  #answered = 0;

  constructor(options: AffinityOptions, journal: Journal) {
    const { target, policy, platform, signal } = options;
    const openRoad: RoadOpener = async (...words) => this.#note(await options.openRoad(...words));
    const session: SessionOptions = {
      ...{ ...options, openRoad, bodyOnLastLeg: 'never' },
      shell: { kind: 'command', command: 'none', codePage: 65001 },
    };
    checkSignIn(session);
    this.#signal = signal ?? new AbortController().signal;
    this.#isSecured = target.scheme === 'https';
    this.#isBound = policy !== 'basic' && policy !== 'certificate';
    this.#advice = new AdviceBook(journal, this.#counts);
    this.#unwatch = journal.watch(({ what }) => {
      if (what.event === 'leg') this.#mechanism = what.mechanism;
      if (what.event === 'connection' && what.what === 'authenticated') this.#mechanism = what.reason;
    });
    const ignore = (): void => undefined;
    const parts = { journal, promptWord: '', counts: this.#counts, advice: this.#advice };
    const calls = { onLink: ignore, onShell: ignore, onOrphan: ignore, onQuestion: ignore };
    const patience = new Patience({ platform, patienceMs: 0, onChange: ignore });
    this.#binding = bind(session, { ...parts, ...calls, patience }, 'once');
  }

  async run(count: number): Promise<AffinityFindings> {
    const { control, decision } = this.#binding;
    try {
      await control.open(this.#signal);
      while (this.#sent < count) await this.#ask();
      return this.#findings(this.#isBound ? 'kept' : 'unbound', null);
    } catch (error) {
      const verdict = verdictOf(error, this.#sent > 0);
      if (verdict === null) throw error;
      return this.#findings(verdict, error as WinRmError);
    } finally {
      this.#unwatch();
      await control.close();
      decision?.close();
    }
  }

  async #ask(): Promise<void> {
    const { client, control } = this.#binding;
    this.#sent++;
    try {
      const { allowUnencrypted } = await client.post(getConfig(), control, this.#signal);
      this.#allowsUnencrypted = allowUnencrypted;
    } catch (error) {
      // A fault is an answer as good as any: it came under our keys, and is about what was asked.
      if (!FAULTS.some((code) => isWinRmError(error, code))) throw error;
    }
    this.#answered++;
  }

  #note(road: OpenedRoad): OpenedRoad {
    this.#road = road.form === 'absolute' ? 'forward' : road.hasProxy ? 'tunnel' : 'direct';
    return road;
  }

  #findings(verdict: AffinityFindings['verdict'], error: WinRmError | null): AffinityFindings {
    const { connections, handshakes, exchanges } = this.#counts;
    return {
      ...{ verdict, road: this.#road, isSecured: this.#isSecured, mechanism: this.#mechanism },
      ...{ sent: this.#sent, answered: this.#answered, connections, handshakes, exchanges },
      ...{ allowsUnencrypted: this.#allowsUnencrypted, error, advice: this.#advice.list },
    };
  }
}

/** What an error says about affinity; null if it is about something else. */
function verdictOf(error: unknown, isSignedIn: boolean): 'moved' | 'closed' | null {
  if (isWinRmError(error, 'proxy.no-affinity')) return 'moved';
  // How a proxy ends before there is a way through it says nothing about one that there is.
  if (isWinRmError(error, 'proxy.drops-connection')) return THROUGH.has(error.details.why) ? 'closed' : null;
  if (!isSignedIn || !isWinRmError(error)) return null;
  if (error.code === 'auth.incomplete' || error.code === 'seal.plain-reply') return 'moved';
  // Records that the host's keys did not make, or an alert of somebody who has none of ours.
  if (error.code.startsWith('tls.')) return 'moved';
  return error.code === 'http.closed-early' ? 'closed' : null;
}

const THROUGH: ReadonlySet<DropReason> = new Set<DropReason>(['closed', 'announced', 'outdated']);

/** Of a server to someone who may not read its configuration, or that has none. */
const FAULTS = ['wsman.access-denied', 'wsman.fault', 'wsman.shell-gone'] as const;
