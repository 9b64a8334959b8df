import { isWinRmError, type JournalEntry, type SessionState, type TrustAnswer, WinRmError } from '@fairlead/protocol';
import type { LiveShell } from './live-shell.ts';
import { progressOf } from './progress.ts';
import {
  type Attempt,
  type EntryParts,
  isOver,
  type KeptRequest,
  type LinkView,
  NO_COUNTS,
  type Secrets,
  type SessionEntry,
  type ShellChange,
} from './session-entry.ts';
import type { StoredSession } from './session-store.ts';
import type { GapWords, ShellSession } from './shell-session.ts';

export type {
  Attempt,
  ConnectRequest,
  Divider,
  EntryParts,
  KeptRequest,
  SessionEntry,
  ShellChange,
} from './session-entry.ts';
export { isOver } from './session-entry.ts';

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
  /** Links taken up again before the one that is held now. */
  #heldAt: number | null = null;
  /** When an earlier page was last here, milliseconds since 1970. */
  #seenAt: number | null = null;

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
      link: null,
      advice: [],
      standing: null,
      worker: null,
      isElsewhere: false,
      cameBack: null,
      returning: null,
    };
  }

  /** What the page shows now. */
  get snapshot(): SessionEntry {
    return this.#snapshot;
  }

  /** Begins an attempt; one under way is given up first. */
  start(secrets: Secrets, change: ShellChange = {}): void {
    const previous = this.#session;
    const isLive = previous !== null && !isOver(previous.state);
    // Another code page is another shell; otherwise one that still stands is taken up.
    const takeUp = isLive || Object.keys(change).length > 0 ? null : this.#snapshot.standing;
    if (isLive && this.#isAttemptReady) {
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
    const beganAt = Date.now();
    this.#set({ ...FRESH, beganAt, standing: takeUp, worker: null, cameBack: takeUp && 'anew' });
    const { request: kept } = this.#snapshot;
    const options = { takeUp, memo: { request: kept, beganAt } };
    void this.#drive(abort, () => this.#parts.openSession({ ...kept, ...secrets }, options));
  }

  /** Looks for the session that an earlier page of this tab left behind, or that another tab has taken over. */
  comeBack(stored: StoredSession): void {
    this.#leave();
    const abort = new AbortController();
    this.#abort = abort;
    const { worker } = stored;
    this.#seenAt = stored.seenAt;
    this.#set({ ...FRESH, worker, standing: stored.standing, beganAt: stored.beganAt, returning: { step: 'looking' } });
    void this.#drive(abort, async () => {
      const found = worker === null ? null : await this.#parts.findSession(worker);
      if (found !== null) this.#set({ ...found.memo, cameBack: 'same', returning: null });
      else this.#set({ worker: null, returning: { step: 'sign-in', why: stored.why, seenAt: stored.seenAt } });
      return found;
    });
  }

  /** Brings a session back that another tab has taken over. */
  bringBack(): void {
    const { worker, standing, beganAt, shell } = this.#snapshot;
    shell?.screen.dispose();
    this.#set({ shell: null });
    this.comeBack({ worker, standing, beganAt, why: 'reload', seenAt: Date.now() });
  }

  /** The page goes. A session that outlives it is let go, any other is left to the server or ended. */
  depart(): void {
    const { standing, state } = this.#snapshot;
    const { leave = null } = this.#session ?? {};
    if (leave !== null) leave();
    // Without a worker that stays, a page that comes back finds the shell by its id.
    else if (standing === null && !isOver(state)) void this.close();
  }

  /** What is opened next is a new shell. */
  forgetStanding(): void {
    this.#set({ standing: null });
  }

  /** Tries now what is tried again in a while. */
  hurry(): void {
    this.#session?.hurry?.();
  }

  /** The machine has a network again. */
  online(): void {
    this.#session?.online?.();
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

  async #drive(abort: AbortController, make: () => Promise<Attempt | null>): Promise<void> {
    const isCurrent = () => this.#abort === abort;
    try {
      const attempt = await make();
      if (attempt === null) return;
      const { session, address, port, worker = null } = attempt;
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
        session.watchFacts?.(() => this.#learn(session)) ?? (() => undefined),
      ];
      this.#set({ journal: session.journal, address, port, worker });
      if (session.survived) this.#recall(session);
      else this.#learn(session);
      const [shell] = await Promise.all([this.#shell(), session.open(abort.signal)]);
      if (!isCurrent()) return;
      this.#tellLink(shell);
      const gapWords: GapWords = (sinceMs, atMs) =>
        this.#parts.dividerWords({ at: 'gap', sinceMs: sinceMs ?? this.#seenAt, atMs });
      if (session.survived?.isTrimmed) shell.divide(this.#parts.dividerWords({ at: 'trimmed' }));
      await shell.run(session, this.#snapshot.request.shell.codePage, gapWords);
      // It ended before this page came, so nobody has told the shell.
      if (isCurrent() && session.survived && isOver(session.state)) this.#endShell(session.state);
    } catch (error) {
      // The session's state carries its own error; anything but ours is a fault and goes on to the page's boundary.
      if (!isWinRmError(error)) throw error;
      if (isCurrent() && !isOver(this.#snapshot.state)) this.#set({ state: { at: 'closed', error } });
      // The server has it no more: the next attempt opens a new one.
      if (isCurrent() && error.code === 'shell.gone') this.#set({ standing: null });
    }
  }

  /** What happened before this page came. */
  #recall(session: ShellSession): void {
    for (const entry of session.journal.entries) {
      this.#isAttemptReady ||= entry.what.event === 'state' && entry.what.state === 'ready';
      this.#record(session, entry);
    }
    const { state } = session;
    this.#isAttemptReady ||= state.at === 'ready';
    this.#set({ state, wasReady: this.#isAttemptReady });
    this.#learn(session);
  }

  /** What the session tells beside its state. */
  #learn(session: ShellSession): void {
    const { facts = null } = session;
    if (this.#session !== session) return;
    if (session.isMoved === true) {
      this.#leave();
      this.#set({ isElsewhere: true });
      return;
    }
    if (facts === null) return;
    const link: LinkView = { ...facts.link, toldAtMs: performance.now() };
    // On its way up a session has nothing that stands; what it is to take up may still do.
    const standing = facts.standing ?? (this.#isAttemptReady ? null : this.#snapshot.standing);
    this.#set({ link, advice: facts.advice, standing });
    this.#tellLink(this.#snapshot.shell);
  }

  /** Lines wait while the link is broken. When it has been taken up again, and nothing else happened, that is said. */
  #tellLink(shell: LiveShell | null): void {
    const { state, link } = this.#snapshot;
    if (shell === null || state.at !== 'ready') return;
    const isLost = link !== null && link.attempt > 0;
    shell.setLinked(state.link === 'live' || (state.link === 'reopening' && !isLost));
    const resumedCount = link?.resumedCount ?? 0;
    if (state.link === 'held') this.#heldAt ??= resumedCount;
    else if (state.link === 'reopening') this.#heldAt = null;
    else if (this.#heldAt !== null && resumedCount > this.#heldAt && link?.state === 'live') {
      this.#heldAt = null;
      shell.divide(this.#parts.dividerWords({ at: 'resumed' }));
    }
  }

  #endShell(state: SessionState): void {
    this.#snapshot.shell?.ended(this.#parts.dividerWords(state), state.at !== 'ended');
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
    this.#tellLink(this.#snapshot.shell);
    if (isOver(state) && !wasOver && this.#isAttemptReady) this.#endShell(state);
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
    this.#heldAt = null;
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

/** What an attempt begins with. */
const FRESH = {
  state: { at: 'idle' },
  counts: NO_COUNTS,
  lastRoundTripMs: null,
  journal: null,
  link: null,
  advice: [],
  isElsewhere: false,
  cameBack: null,
  returning: null,
} satisfies Partial<SessionEntry>;
