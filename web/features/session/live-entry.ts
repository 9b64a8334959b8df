import {
  type AuthPolicy,
  type ClientCertificate,
  isWinRmError,
  type Journal,
  type JournalEntry,
  type ProxyRoute,
  type SessionState,
  type ShellOptions,
  type TrustAnswer,
  WinRmError,
} from '@fairlead/protocol';
import type { HopView } from '../../components/hop-view.ts';
import type { LiveShell, ShellSession } from './live-shell.ts';
import { progressOf, type StepView, type TlsFacts } from './progress.ts';
import type { ProxyAccount } from './worker/messages.ts';

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
}

/** What may differ in the next attempt of a tab. */
export type ShellChange = Partial<Pick<ShellOptions, 'codePage'>>;

/** A session made for one attempt, and where it goes. */
export interface Attempt {
  readonly session: ShellSession;
  /** Host and port, always with the port; an IPv6 address in brackets. */
  readonly address: string;
  readonly port: number;
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
  readonly openSession: (request: ConnectRequest) => Promise<Attempt>;
  /** Makes what holds output and input, once per tab. */
  readonly loadShell: (entry: SessionEntry) => Promise<LiveShell>;
  /** Words for the line drawn across the output: when a session ends, or 'ready' where output may be missing. */
  readonly dividerWords: (state: SessionState) => string;
}

const NO_COUNTS: ShellSession['counts'] = {
  exchanges: 0,
  requestBytes: 0,
  responseBytes: 0,
  connections: 0,
  handshakes: 0,
};

/** One tab's session through all its attempts. */
export class LiveEntry {
  readonly #parts: EntryParts;
  readonly #changed: () => void;
  #snapshot: SessionEntry;
  #session: ShellSession | null = null;
  #attempt: Attempt | null = null;
  #abort: AbortController | null = null;
  #entries: JournalEntry[] = [];
  #unwatch: (() => void)[] = [];
  #isAttemptReady = false;

  constructor(id: string, request: KeptRequest, parts: EntryParts, changed: () => void) {
    this.#parts = parts;
    this.#changed = changed;
    this.#snapshot = {
      id,
      request,
      address: request.target,
      port: 0,
      state: { at: 'idle' },
      steps: [],
      hops: [],
      tls: null,
      journal: null,
      counts: NO_COUNTS,
      lastRoundTripMs: null,
      shell: null,
      wasReady: false,
      isRunning: false,
      beganAt: 0,
    };
  }

  /** What the page shows now. */
  get snapshot(): SessionEntry {
    return this.#snapshot;
  }

  /** Begins an attempt; one under way is given up first. */
  start(secrets: Secrets, change: ShellChange = {}): void {
    const previous = this.#session;
    if (previous !== null && !isOver(previous.state) && this.#isAttemptReady) {
      this.#snapshot.shell?.ended(this.#parts.dividerWords({ at: 'closed', error: null }), true);
    }
    this.#leave();
    void previous?.close();
    const { request } = this.#snapshot;
    this.#snapshot = { ...this.#snapshot, request: { ...request, shell: { ...request.shell, ...change } } };
    this.#entries = [];
    this.#isAttemptReady = false;
    const abort = new AbortController();
    this.#abort = abort;
    this.#set({ state: { at: 'idle' }, beganAt: Date.now(), counts: NO_COUNTS, lastRoundTripMs: null, journal: null });
    void this.#drive(secrets, abort);
  }

  /** Gives up the attempt under way, within the second; the tab stays and says so. */
  cancel(): void {
    this.#abort?.abort(new WinRmError('session.cancelled', { at: this.#snapshot.state.at }));
  }

  /** Answers the question about a host that is met for the first time. */
  answer(answer: TrustAnswer): void {
    this.#attempt?.answer(answer);
  }

  /** Ends the session and deletes the shell at the far end, as far as that is still possible. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#leave();
    this.#snapshot.shell?.screen.dispose();
    this.#set({ state: { at: 'closed', error: null } });
    await session?.close();
  }

  async #drive(secrets: Secrets, abort: AbortController): Promise<void> {
    const isCurrent = () => this.#abort === abort;
    try {
      const attempt = await this.#parts.openSession({ ...this.#snapshot.request, ...secrets });
      const { session, address, port } = attempt;
      if (!isCurrent() || abort.signal.aborted) {
        // Never opened, but it may hold a worker.
        void session.close();
        if (isCurrent()) throw abort.signal.reason;
        return;
      }
      this.#session = session;
      this.#attempt = attempt;
      this.#unwatch = [
        session.watch(() => this.#follow(session)),
        session.journal.watch((entry) => this.#record(session, entry)),
      ];
      this.#set({ journal: session.journal, address, port });
      const [shell] = await Promise.all([this.#shell(), session.open(abort.signal)]);
      const gapWords = () => this.#parts.dividerWords({ at: 'ready', link: 'reopening' });
      if (isCurrent()) await shell.run(session, this.#snapshot.request.shell.codePage, gapWords);
    } catch (error) {
      // The session's state carries its own error; anything but ours is a fault and goes on to the page's boundary.
      if (!isWinRmError(error)) throw error;
      if (isCurrent() && !isOver(this.#snapshot.state)) this.#set({ state: { at: 'closed', error } });
    }
  }

  async #shell(): Promise<LiveShell> {
    const shell = this.#snapshot.shell ?? (await this.#parts.loadShell(this.#snapshot));
    if (this.#snapshot.shell === null) {
      this.#set({ shell });
      shell.watch(() => {
        const { isRunning } = shell.view;
        if (isRunning !== this.#snapshot.isRunning) this.#set({ isRunning });
      });
    }
    return this.#snapshot.shell ?? shell;
  }

  #follow(session: ShellSession): void {
    if (this.#session !== session) return;
    const state = session.state;
    const wasOver = isOver(this.#snapshot.state);
    this.#isAttemptReady ||= state.at === 'ready';
    this.#set({ state, wasReady: this.#snapshot.wasReady || this.#isAttemptReady });
    if (!isOver(state) || wasOver || !this.#isAttemptReady) return;
    this.#snapshot.shell?.ended(this.#parts.dividerWords(state), state.at !== 'ended');
  }

  #record(session: ShellSession, entry: JournalEntry): void {
    if (this.#session !== session) return;
    const isOpening = !this.#isAttemptReady || entry.what.event === 'state';
    // Once a shell is ready the steps are history: only the counts go on.
    if (isOpening && entry.what.event !== 'exchange') this.#entries.push(entry);
    this.#set({ counts: session.counts, lastRoundTripMs: session.lastRoundTripMs });
  }

  #leave(): void {
    for (const stop of this.#unwatch) stop();
    this.#unwatch = [];
    this.cancel();
    this.#abort = null;
    this.#session = null;
    this.#attempt = null;
  }

  #set(change: Partial<SessionEntry>): void {
    const next = { ...this.#snapshot, ...change };
    const progress = progressOf({
      relay: this.#parts.relay,
      server: next.address,
      scheme: next.request.scheme,
      route: next.request.route,
      shell: next.request.shell.kind,
      state: next.state,
      entries: this.#entries,
    });
    this.#snapshot = { ...next, ...progress };
    this.#changed();
  }
}

/** Whether a session has come to its end, one way or another. */
export function isOver(state: SessionState): state is Extract<SessionState, { at: 'ended' | 'lost' | 'closed' }> {
  return state.at === 'ended' || state.at === 'lost' || state.at === 'closed';
}
