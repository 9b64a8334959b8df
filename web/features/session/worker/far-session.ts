import {
  type ClientCertificate,
  fail,
  type Interrupt,
  isWinRmError,
  Journal,
  type OutputChunk,
  type OutputGap,
  type PackedClientCertificate,
  packClientCertificate,
  type SessionState,
  type TrafficCounts,
  type TrustOptions,
  WinRmError,
} from '@fairlead/protocol';
import { isOver } from '../live-entry.ts';
import type { ShellSession } from '../live-shell.ts';
import {
  type Call,
  type FromWorker,
  type Line,
  packError,
  type SessionOrder,
  type ToWorker,
  unpackError,
  unpackState,
} from './messages.ts';

/** Chunks that may be on their way to the terminal; more would only wait in the page. */
export const MAX_UNDER_WAY = 4;

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
}

/**
 * Has a session made in a worker that has said hello.
 * @throws misuse.bad-argument, and misuse.wrong-state when the worker fails; the worker has ended then
 */
export async function makeFarSession(
  line: WorkerLine,
  order: SessionOrder,
  certificate: ClientCertificate | null,
  ask: TrustOptions['ask'] | null,
): Promise<ShellSession> {
  try {
    const packed = certificate && packClientCertificate(certificate);
    const promptWord = await new Promise<string>((resolve, reject) => {
      line.onFault(reject);
      line.listen((message) => {
        if (message.say === 'made') resolve(message.promptWord);
        else if (message.say === 'refused') reject(unpackError(message.error));
      });
      line.post({ say: 'make', order, certificate: packed }, packed === null ? [] : secretsOf(packed));
    });
    return new FarSession(line, promptWord, ask);
  } catch (error) {
    line.cut();
    throw error;
  }
}

/** The memory that holds a key: handed over, it is gone from the page. */
function secretsOf({ key }: PackedClientCertificate): ArrayBuffer[] {
  return (key.kind === 'rsa' ? Object.values(key.numbers) : [key.scalar]).map(({ buffer }) => buffer);
}

/** A session that lives in a worker, with the shape of one that lives here. */
class FarSession implements ShellSession {
  readonly promptWord: string;
  readonly journal: Journal;
  readonly output: AsyncIterable<OutputChunk | OutputGap>;
  readonly #line: WorkerLine;
  readonly #ask: TrustOptions['ask'] | null;
  readonly #output = new Arrivals((count) => this.#post({ say: 'take', count }));
  readonly #calls = new Map<number, Waiting>();
  readonly #listeners = new Set<(state: SessionState) => void>();
  #lastId = 0;
  #entryMs = 0;
  #state: SessionState = { at: 'idle' };
  #counts: TrafficCounts = { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 };
  #lastRoundTripMs: number | null = null;
  #asking: AbortController | null = null;
  #closing: Promise<void> | null = null;
  #isCut = false;

  constructor(line: WorkerLine, promptWord: string, ask: TrustOptions['ask'] | null) {
    this.#line = line;
    this.promptWord = promptWord;
    this.#ask = ask;
    // Entries keep the times at which the worker wrote them.
    this.journal = new Journal(() => this.#entryMs);
    this.output = { [Symbol.asyncIterator]: () => ({ next: () => this.#output.next() }) };
    line.listen((message) => this.#hear(message));
    line.onFault((error) => this.#break(error));
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

  async open(signal?: AbortSignal): Promise<void> {
    const opened = this.#call({ name: 'open' });
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

  #hear(message: FromWorker): void {
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
      case 'done':
        this.#cut(new WinRmError('session.cancelled', { at: 'close' }));
        this.#output.finish(null);
    }
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

/** Chunks that have arrived and not been taken. */
class Arrivals {
  readonly #allow: (count: number) => void;
  readonly #chunks: (OutputChunk | OutputGap)[] = [];
  #end: { readonly error: WinRmError | null } | null = null;
  #hasBegun = false;
  #isInHand = false;
  #taker: (() => void) | null = null;
  #held: (() => void)[] = [];

  constructor(allow: (count: number) => void) {
    this.#allow = allow;
  }

  add(chunk: OutputChunk | OutputGap): void {
    this.#chunks.push(chunk);
    this.#taker?.();
  }

  /** No more will come. The first end counts. */
  finish(error: WinRmError | null): void {
    this.#end ??= { error };
    this.#taker?.();
  }

  /** Calls back when all that has arrived was taken and dealt with: now, or when the taker comes for more. */
  whenTaken(then: () => void): void {
    if (this.#chunks.length > 0 || this.#isInHand) this.#held.push(then);
    else then();
  }

  /** Nobody takes any more. */
  stopHolding(): void {
    this.#isInHand = false;
    for (const then of this.#held.splice(0)) then();
  }

  async next(): Promise<IteratorResult<OutputChunk | OutputGap, undefined>> {
    if (!this.#hasBegun) this.#allow(MAX_UNDER_WAY);
    this.#hasBegun = true;
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#isInHand = true;
        this.#allow(1);
        return { done: false, value: chunk };
      }
      this.stopHolding();
      if (this.#end?.error) throw this.#end.error;
      if (this.#end !== null) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#taker = resolve;
      });
    }
  }
}
