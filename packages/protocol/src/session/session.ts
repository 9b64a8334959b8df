import type { Advice } from '../advice.ts';
import { withDeadline } from '../bytes/deadline.ts';
import { encodeText } from '../codec/code-page.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import { Journal, type JournalEvent, type LaneName } from '../journal.ts';
import { makePromptWord } from '../shell/cmd-prompt.ts';
import type { ExitCode, Interrupt, Shell, Standing } from '../shell/shell.ts';
import { checkShellOptions } from '../shell/shell-options.ts';
import type { TrafficCounts } from '../wsman/lane.ts';
import type { OutputChunk, OutputGap } from '../wsman/operations.ts';
import { AdviceBook } from './_advice.ts';
import {
  type Binding,
  bind,
  checkSignIn,
  leadingLane,
  openShell,
  type SessionOptions,
  type SessionParts,
} from './_open.ts';
import { DEFAULT_PATIENCE_MS, MAX_PATIENCE_MS, Patience, type Reopening } from './_patience.ts';
import { nextState, type SessionEvent, type SessionLink, type SessionState } from './state.ts';
import { checkTarget } from './target.ts';

export type { SessionOptions } from './_open.ts';
export type { Reopening } from './_patience.ts';

/**
 * One shell on one server, from the first hop to the deletion. Used once: `open`, take the output, `close`. The shell
 * may be one that an earlier session has left behind (`takeUp`), and may be left behind for a later one (`standing`).
 *
 * INVARIANT: what cannot be known to be harmless is not repeated; a connection that is lost between requests is opened
 * anew without a word, one that takes a Command or a Send with it is an error that says so.
 */
export class Session {
  readonly journal: Journal;
  /**
   * What the command writes, pulled: the server is asked for more when the last chunk has been taken. A gap stands where
   * output may be missing.
   */
  readonly output: AsyncIterable<OutputChunk | OutputGap>;
  /** Settles when the output has been taken to its end; rejects when that is impossible. */
  readonly exit: Promise<ExitCode>;
  /** What an interactive shell's prompts are known by; for the `CmdPromptReader` of its output. Not for the eye. */
  readonly promptWord: string;
  readonly #options: SessionOptions;
  readonly #counts: TrafficCounts = { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 };
  readonly #listeners = new Set<(state: SessionState) => void>();
  readonly #stopOpening = new AbortController();
  readonly #opened: Promise<Shell>;
  #settleOpened: { resolve(shell: Shell): void; reject(error: WinRmError): void } | null = null;
  readonly #links = new Map<LaneName, SessionLink>();
  #state: SessionState = { at: 'idle' };
  #shell: Shell | null = null;
  #binding: Binding | null = null;
  #orphan: Promise<void> | null = null;
  #releasing: Promise<void> | null = null;
  #lastRoundTripMs: number | null = null;
  #standing: Standing | null = null;
  readonly #patience: Patience;
  readonly #advice: AdviceBook;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.promptWord = options.takeUp?.promptWord ?? makePromptWord(options.platform);
    this.#patience = new Patience({
      platform: options.platform,
      patienceMs: options.patienceMs ?? DEFAULT_PATIENCE_MS,
      onChange: () => this.#reopeningChanged(),
    });
    this.journal = new Journal(() => options.platform.monotonicMs());
    this.journal.watch(({ what }) => this.#observe(what));
    this.#advice = new AdviceBook(this.journal, this.#counts);
    this.#opened = new Promise((resolve, reject) => {
      this.#settleOpened = { resolve, reject };
    });
    this.exit = this.#opened.then((shell) => shell.exit);
    this.exit.catch(() => undefined); // not everybody waits for it
    this.output = outputOf(this.#opened);
  }

  /** Where the session is now. */
  get state(): SessionState {
    return this.#state;
  }

  /** What a person should know about the road although it works; each new piece is in the journal as well. */
  get advice(): readonly Advice[] {
    return this.#advice.list;
  }

  /** What has crossed the wire so far. */
  get counts(): Readonly<TrafficCounts> {
    return this.#counts;
  }

  /** How long the last short exchange took; a Receive waits by design and does not count. Null before the first. */
  get lastRoundTripMs(): number | null {
    return this.#lastRoundTripMs;
  }

  /**
   * What a later session needs to go on with this shell, from the moment its command runs until it has ended, was
   * deleted or is known to be gone. It outlives a session that lost its road. Nothing of it is secret: who takes a shell
   * up must sign in as its owner.
   */
  get standing(): Standing | null {
    return this.#standing;
  }

  /**
   * What a ready session that has lost its road waits for; null while it has not, or while the relay still holds the
   * road. Every change of it is in the journal ('reopening', and the state when it is over).
   */
  get reopening(): Reopening | null {
    return this.#patience.reopening;
  }

  /** Looks for the lost road, or for the links of roads that are held, at once; for a button beside the countdown. */
  hurry(): void {
    this.#options.openRoad.now?.();
    this.#patience.hurry();
  }

  /** Calls back with each new state until the returned function is called. */
  watch(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Walks the road, speaks TLS with an https target, signs in, opens the shell and starts the command. A host that
   * nothing vouches for is asked about in the state 'judging'; nothing but the TLS handshake leaves before the answer.
   *
   * @throws misuse.bad-argument before anything is sent, shell.gone when the shell to take up is not there (any more, or
   *   for this person), and every error on the way; the session is closed then
   */
  async open(signal?: AbortSignal): Promise<void> {
    if (this.#state.at !== 'idle') fail('misuse.wrong-state', { action: 'open', state: this.#state.at });
    this.#advance({ event: 'hop', hop: 0 });
    try {
      checkTarget(this.#options.target);
      checkSignIn(this.#options);
      checkShellOptions(this.#options.shell);
      checkPatience(this.#options.patienceMs);
      const shell = await this.#openShell(signal);
      this.#shell = shell;
      this.#standing = { ...shell.standing, promptWord: this.promptWord };
      this.#patience.begin();
      this.#advance({ event: 'command-started' });
      shell.exit.then(
        (exit) => this.#finish({ event: 'exit', exit }),
        (error: unknown) => this.#finish({ event: 'failed', error: known(error) }),
      );
      this.#settleOpened?.resolve(shell);
    } catch (error) {
      const failure = known(error);
      this.#finish({ event: 'failed', error: failure });
      this.#settleOpened?.reject(failure);
      throw failure;
    }
  }

  /**
   * Writes to the command's stdin; resolves when the server has taken it.
   * @throws misuse.wrong-state before the session is ready, shell.closed after the end, shell.fate-unknown when nobody
   *   knows whether the server took it: then it is not repeated
   */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#ready('write').write(bytes);
  }

  /**
   * Writes text in the shell's code page. @throws misuse.bad-argument when the page has no place for it, and as `write`
   */
  async writeText(text: string): Promise<void> {
    await this.write(encodeText(this.#options.shell.codePage, text));
  }

  /** Closes the command's stdin. @throws as `write` */
  async endInput(): Promise<void> {
    await this.#ready('end input').endInput();
  }

  /** Interrupts what runs. @throws misuse.wrong-state, shell.closed, shell.fate-unknown */
  async interrupt(how: Interrupt = 'ctrl-c'): Promise<void> {
    await this.#ready('interrupt').interrupt(how);
  }

  /**
   * Ends the command, deletes the shell and closes both lanes, within a few seconds whatever the server does. Also stops
   * an opening that is under way. Never rejects. A shell that was left before, also by a session that lost its road, is
   * not looked for again.
   */
  async close(): Promise<void> {
    this.#stop();
    await this.#release('delete');
  }

  /** Closes both lanes and leaves the shell as it is on the server, for a session that takes it up. Never rejects. */
  async leave(): Promise<void> {
    this.#stop();
    await this.#release('leave');
  }

  #stop(): void {
    this.#stopOpening.abort(new WinRmError('session.cancelled', { at: this.#state.at }));
    this.#advance({ event: 'closed' });
    this.#settleOpened?.reject(new WinRmError('session.cancelled', { at: 'close' }));
  }

  async #openShell(signal: AbortSignal | undefined): Promise<Shell> {
    const parts: SessionParts = {
      journal: this.journal,
      promptWord: this.promptWord,
      counts: this.#counts,
      patience: this.#patience,
      advice: this.#advice,
      onLink: (lane, link) => this.#linked(lane, link),
      onShell: () => this.#advance({ event: 'shell-made' }),
      onQuestion: (question) => this.#advance(question === null ? { event: 'answered' } : { event: 'asked', question }),
      onOrphan: (deletion) => {
        this.#orphan = deletion;
      },
    };
    const binding = bind(this.#options, parts);
    this.#binding = binding;
    const { platform } = this.#options;
    const limits = { platform, withinMs: Infinity, at: 'open' };
    return await withDeadline({ ...limits, signal: this.#stopOpening.signal }, (closing) =>
      withDeadline({ ...limits, signal }, (cancelled) => {
        const either = new AbortController();
        const stop = (from: AbortSignal) => () => either.abort(from.reason);
        closing.addEventListener('abort', stop(closing), { once: true });
        cancelled.addEventListener('abort', stop(cancelled), { once: true });
        return openShell(binding, this.#options, parts, either.signal);
      }),
    );
  }

  /** Two lanes have one link to show: the worse of theirs. */
  #linked(lane: LaneName, link: SessionLink): void {
    this.#links.set(lane, link);
    this.#showLink();
  }

  #showLink(): void {
    const links = [...this.#links.values(), ...(this.reopening === null ? [] : ['reopening' as const])];
    const shown = (['reopening', 'held'] as const).find((one) => links.includes(one)) ?? 'live';
    this.#advance({ event: 'link', link: shown });
  }

  #reopeningChanged(): void {
    const { reopening } = this;
    this.#showLink();
    if (reopening === null) return;
    const { attempt, nextInMs, error } = reopening;
    this.journal.record({ event: 'reopening', attempt, nextInMs, code: error.code });
  }

  #ready(action: string): Shell {
    const { at } = this.#state;
    if (at === 'ended') fail('shell.closed', { reason: 'ended' });
    if (this.#shell === null || at !== 'ready') fail('misuse.wrong-state', { action, state: at });
    return this.#shell;
  }

  /** The journal already tells everything that moves a session on its way up; the lane that starts the shell leads. */
  #observe(what: JournalEvent): void {
    if (what.event === 'exchange' && what.operation !== 'Receive') this.#lastRoundTripMs = what.ms;
    if (!('lane' in what) || what.lane !== leadingLane(this.#options)) return;
    if (what.event === 'hop') this.#advance({ event: 'hop', hop: what.report.hop });
    else if (what.event === 'leg') this.#advance({ event: 'leg', mechanism: what.mechanism, stage: what.stage });
    else if (what.event === 'connection' && what.what === 'opened') {
      this.#advance(this.#options.target.scheme === 'https' ? { event: 'securing' } : this.#firstLeg());
    } else if (what.event === 'tls') this.#advance(this.#firstLeg());
    else if (what.event === 'connection' && what.what === 'authenticated') this.#advance({ event: 'signed-in' });
  }

  #firstLeg(): SessionEvent {
    return { event: 'leg', mechanism: MECHANISMS[this.#options.policy], stage: 'begin' };
  }

  #finish(event: SessionEvent): void {
    if (event.event === 'failed') this.journal.record({ event: 'error', code: event.error.code });
    const error = event.event === 'failed' ? event.error : null;
    const isGone = error !== null && isEndOfShell(error);
    if ((isGone || event.event === 'exit') && this.#releasing === null) this.#standing = null;
    this.#advance(event);
    // Where no farewell gets through, the shell is left to whoever can reach it, and to the server's own clock. One that is
    // gone needs none; and one that ended only for us may have been taken up by another session.
    void this.#release(isGone || (error !== null && this.#patience.isFinal(error)) ? 'leave' : 'delete');
  }

  /** Gives everything back, once. */
  #release(what: 'delete' | 'leave'): Promise<void> {
    this.#binding?.decision?.close();
    this.#releasing ??= (async () => {
      await this.#orphan;
      if (what === 'leave') this.#shell?.leave();
      else this.#standing = null;
      const closing = this.#shell?.close();
      this.#patience.end(); // after the shell knows that it is closed: what waits has nothing to report any more
      await closing;
      await Promise.all([this.#binding?.control.close(), this.#binding?.output.close()]);
    })();
    return this.#releasing;
  }

  #advance(event: SessionEvent): void {
    const next = nextState(this.#state, event);
    if (next === this.#state) return;
    this.#state = next;
    this.journal.record({ event: 'state', state: next.at });
    for (const listener of this.#listeners) listener(next);
  }
}

/** The server's word that there is nothing to go on with. */
function isEndOfShell(error: WinRmError): boolean {
  return error.code === 'shell.gone' || error.code === 'shell.closed' || error.code === 'wsman.shell-gone';
}

function checkPatience(patienceMs = 0): void {
  if (patienceMs >= 0 && patienceMs <= MAX_PATIENCE_MS) return;
  fail('misuse.bad-argument', { argument: 'patienceMs', reason: 'out-of-range', limit: MAX_PATIENCE_MS });
}

/** What each policy is called while its first leg is on the way. */
const MECHANISMS = {
  negotiate: 'Negotiate',
  'negotiate-raw': 'Negotiate',
  ntlm: 'NTLM',
  basic: 'Basic',
  certificate: 'Certificate',
} as const;

/**
 * Everything below throws errors of ours; what does not comes from the platform under the road. Nobody cancelled then, and
 * the cause may quote what no error may carry, so it stays out of the words.
 */
function known(error: unknown): WinRmError {
  return isWinRmError(error) ? error : new WinRmError('relay.lost', { reason: 'an unexpected fault' }, error);
}

/** One iterator for everybody, so that leaving one loop and entering another goes on where it left. */
function outputOf(opened: Promise<Shell>): AsyncIterable<OutputChunk | OutputGap> {
  let chunks: AsyncIterator<OutputChunk | OutputGap> | null = null;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        chunks ??= (await opened).output[Symbol.asyncIterator]();
        return await chunks.next();
      },
    }),
  };
}
