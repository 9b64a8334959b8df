import {
  fail,
  type Interrupt,
  isWinRmError,
  Journal,
  type OutputChunk,
  type OutputGap,
  type SessionState,
  type TrafficCounts,
  type TrustOptions,
  WinRmError,
} from '@fairlead/protocol';
import { isOver } from '../session-entry.ts';
import type { ShellSession } from '../shell-session.ts';
import type { Draft, Note, SessionFacts, Survived } from '../survival.ts';
import { Arrivals } from './arrivals.ts';
import {
  type Call,
  type FromWorker,
  type Line,
  packError,
  type SessionWhole,
  type ToWorker,
  unpackError,
  unpackFacts,
  unpackState,
} from './messages.ts';

/** Longer than a session takes to close whatever the server does. */
const FAREWELL_MS = 7000;

/** A worker that is alive gives up an opening at once. */
const GIVE_UP_MS = 1000;

/** The page's end of a worker. */
export interface WorkerLine extends Line<ToWorker, FromWorker> {
  /** Calls back once if the worker fails. */
  onFault(listener: (error: WinRmError) => void): void;
  /** Ends the worker, whatever it does. Idempotent. */
  cut(): void;
  /** Lets go of a worker that goes on without this page; null for one that cannot. Idempotent. */
  readonly leave: (() => void) | null;
}

/** A session that lives in a worker, with the shape of one that lives here. */
export class FarSession implements ShellSession {
  readonly promptWord: string;
  /** What an earlier page left; null for a session that this page began. */
  readonly survived: Survived | null;
  readonly journal: Journal;
  readonly output: AsyncIterable<OutputChunk | OutputGap>;
  readonly #line: WorkerLine;
  readonly #ask: TrustOptions['ask'] | null;
  readonly #output: Arrivals;
  readonly #calls = new Map<number, Waiting>();
  readonly #listeners = new Set<(state: SessionState) => void>();
  readonly #factListeners = new Set<() => void>();
  #facts: SessionFacts | null = null;
  #isMoved = false;
  #lastId = 0;
  #entryMs = 0;
  #state: SessionState = { at: 'idle' };
  #counts: TrafficCounts = { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 };
  #lastRoundTripMs: number | null = null;
  #asking: AbortController | null = null;
  #closing: Promise<void> | null = null;
  #isCut = false;

  /** @param whole what a page that comes back is given */
  constructor(line: WorkerLine, promptWord: string, ask: TrustOptions['ask'] | null, whole: SessionWhole | null) {
    this.#line = line;
    this.#output = new Arrivals((count) => this.#post({ say: 'take', count }), whole?.chunkCount);
    this.promptWord = promptWord;
    this.#ask = ask;
    // Entries keep the times at which the worker wrote them.
    this.journal = new Journal(() => this.#entryMs);
    this.output = { [Symbol.asyncIterator]: () => ({ next: () => this.#output.next() }) };
    this.survived = whole && {
      ...whole.survived,
      lateError: whole.survived.lateError && unpackError(whole.survived.lateError),
    };
    if (whole !== null) this.#begin(whole);
    line.listen((message) => this.hear(message));
    line.onFault((error) => this.#break(error));
  }

  #begin(whole: SessionWhole): void {
    for (const { ms, what } of whole.entries) {
      this.#entryMs = ms;
      this.journal.record(what);
    }
    this.#state = unpackState(whole.state);
    this.#counts = whole.counts;
    this.#lastRoundTripMs = whole.lastRoundTripMs;
    this.#facts = unpackFacts(whole.facts);
  }

  /** Whether another page of this browser has taken the session over. */
  get isMoved(): boolean {
    return this.#isMoved;
  }

  /** What it told last beside its state. */
  get facts(): SessionFacts | null {
    return this.#facts;
  }

  get state(): SessionState {
    return this.#state;
  }

  get counts(): Readonly<TrafficCounts> {
    return this.#counts;
  }

  get lastRoundTripMs(): number | null {
    return this.#lastRoundTripMs;
  }

  watch(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  watchFacts(listener: () => void): () => void {
    this.#factListeners.add(listener);
    return () => this.#factListeners.delete(listener);
  }

  note(note: Note): void {
    this.#post({ say: 'note', note, after: this.#output.takenCount });
  }

  keepDraft(draft: Draft): void {
    this.#post({ say: 'draft', draft });
  }

  hurry(): void {
    this.#post({ say: 'hurry' });
  }

  /** The machine has a network again. */
  online(): void {
    this.#post({ say: 'online' });
  }

  /** The page goes, and the session stays for the next one. Null where it cannot. */
  get leave(): (() => void) | null {
    const { leave } = this.#line;
    if (leave === null) return null;
    return () => {
      if (!this.#isCut) leave();
      this.#isCut = true;
    };
  }

  async open(signal?: AbortSignal): Promise<void> {
    const opened = this.survived === null ? this.#call({ name: 'open' }) : this.#whenOpen();
    let late: ReturnType<typeof setTimeout> | undefined;
    const onAbort = () => {
      this.#post({ say: 'abort', error: packError(signal?.reason) });
      late = setTimeout(() => this.#break(unpackError(packError(signal?.reason))), GIVE_UP_MS);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      await opened;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(late);
    }
  }

  /** An earlier page has asked for it to be opened. */
  #whenOpen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (state: SessionState) => {
        if (state.at === 'ready' || state.at === 'ended') resolve();
        else if (isOver(state)) reject(state.error ?? new WinRmError('session.cancelled', { at: 'open' }));
        else return;
        stop();
      };
      const stop = this.watch(look);
      look(this.#state);
    });
  }

  async writeText(text: string): Promise<void> {
    await this.#call({ name: 'writeText', text });
  }

  async endInput(): Promise<void> {
    await this.#call({ name: 'endInput' });
  }

  async interrupt(how: Interrupt = 'ctrl-c'): Promise<void> {
    await this.#call({ name: 'interrupt', how });
  }

  close(): Promise<void> {
    this.#closing ??= this.#farewell();
    return this.#closing;
  }

  async #farewell(): Promise<void> {
    if (this.#isCut) return;
    // What it said last must reach the server: the worker is asked at once and given its time.
    const closed = this.#call({ name: 'close' }).catch(() => undefined);
    this.#output.stopHolding();
    let late: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      closed,
      new Promise((resolve) => {
        late = setTimeout(resolve, FAREWELL_MS);
      }),
    ]);
    clearTimeout(late);
    this.#end(new WinRmError('session.cancelled', { at: 'close' }), { at: 'closed', error: null });
  }

  #call(call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isCut) this.#refuse(call.name);
      this.#lastId += 1;
      this.#calls.set(this.#lastId, { name: call.name, resolve, reject });
      this.#post({ say: 'call', id: this.#lastId, call });
    });
  }

  /** As a session that is over. */
  #refuse(action: string): never {
    if (this.#state.at === 'ended') fail('shell.closed', { reason: 'ended' });
    fail('misuse.wrong-state', { action, state: this.#state.at });
  }

  /** Takes what the worker says. */
  hear(message: FromWorker): void {
    switch (message.say) {
      case 'news': {
        this.#counts = message.counts;
        this.#lastRoundTripMs = message.lastRoundTripMs;
        const state = message.state && unpackState(message.state);
        this.#entryMs = message.entry.ms;
        // The end of a session is told when the output before it has been taken.
        if (state !== null && isOver(state)) this.#output.whenTaken(() => this.#advance(state));
        else if (state !== null) this.#state = state;
        this.journal.record(message.entry.what);
        if (state !== null && !isOver(state)) this.#advance(state);
        return;
      }
      case 'chunk':
        this.#output.add({ stream: message.stream, bytes: message.bytes });
        return;
      case 'gap':
        this.#output.add({ stream: 'gap', bytes: NO_BYTES });
        return;
      case 'dry':
        this.#output.finish(message.error && unpackError(message.error));
        return;
      case 'settled':
        this.#settle(message.id, message.error && unpackError(message.error));
        return;
      case 'ask':
        void this.#judge(message.question);
        return;
      case 'unask':
        this.#asking?.abort(new WinRmError('session.cancelled', { at: 'judging' }));
        return;
      case 'facts':
        this.#facts = unpackFacts(message.facts);
        for (const listener of this.#factListeners) listener();
        return;
      case 'moved':
        this.#move();
        return;
      case 'done':
        this.#cut(new WinRmError('session.cancelled', { at: 'close' }));
        this.#output.finish(null);
    }
  }

  /** Another page has it now. Nothing is over, but not for this page to tell. */
  #move(): void {
    if (this.#isCut) return;
    this.#isMoved = true;
    this.#isCut = true;
    this.#line.leave?.();
    const error = new WinRmError('session.cancelled', { at: 'moved' });
    this.#asking?.abort(error);
    for (const id of [...this.#calls.keys()]) this.#settle(id, error);
    this.#output.finish(null);
    for (const listener of this.#factListeners) listener();
  }

  #settle(id: number, error: WinRmError | null): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === null) call?.resolve();
    else call?.reject(error);
  }

  async #judge(question: Parameters<TrustOptions['ask']>[0]): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    // What it throws counts as a refusal, as it does in a session.
    const answer = await (this.#ask?.(question, asking.signal) ?? Promise.resolve('refuse' as const)).catch(
      () => 'refuse' as const,
    );
    this.#post({ say: 'answer', answer });
  }

  #post(message: ToWorker): void {
    if (!this.#isCut) this.#line.post(message);
  }

  #advance(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  /** The worker is of no use any more. */
  #break(error: WinRmError): void {
    if (this.#isCut) return;
    this.journal.record({ event: 'error', code: error.code });
    const wasReady = this.#state.at === 'ready';
    // A new worker has nothing of this one's fault.
    this.#end(error, wasReady ? { at: 'lost', error, canReconnect: true } : { at: 'closed', error });
  }

  /** Nothing will come any more; whoever waits is told. A farewell has then been said. */
  #cut(error: WinRmError): void {
    this.#isCut = true;
    this.#line.cut();
    this.#asking?.abort(error);
    for (const [id, { name }] of [...this.#calls]) this.#settle(id, name === 'close' ? null : error);
  }

  #end(error: WinRmError, state: SessionState): void {
    this.#cut(error);
    this.#output.stopHolding();
    this.#output.finish(isWinRmError(error, 'session.cancelled') ? null : error);
    if (!isOver(this.#state)) this.#advance(state);
  }
}

interface Waiting {
  readonly name: Call['name'];
  resolve(): void;
  reject(error: WinRmError): void;
}

const NO_BYTES = new Uint8Array();
