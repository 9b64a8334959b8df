import {
  type ClientCertificate,
  isWinRmError,
  type JournalEntry,
  type PackedClientCertificate,
  type TrustAnswer,
  type TrustOptions,
  type TrustQuestion,
} from '@fairlead/protocol';
import { isOver } from '../session-entry.ts';
import { type Draft, NO_DRAFT } from '../survival.ts';
import { factsOf, type NearSession, type RoadWires } from './link-facts.ts';
import {
  type Call,
  type FromWorker,
  type Line,
  ownBytes,
  type PackedError,
  packError,
  packFacts,
  packState,
  type SessionMemo,
  type ToWorker,
  unpackError,
} from './messages.ts';
import { SessionRecord } from './record.ts';

/** Makes the session that is ordered. @throws misuse.bad-argument */
export type MakeSession = (
  order: Extract<ToWorker, { say: 'make' }>['order'],
  certificate: ClientCertificate | null,
  ask: TrustOptions['ask'],
  wires: RoadWires,
) => Promise<NearSession>;

/** What a worker's end is made of. */
export interface ServiceParts {
  readonly makeSession: MakeSession;
  /** Opens what a page has packed, and wipes the package. */
  readonly unpack: (packed: PackedClientCertificate) => Promise<ClientCertificate>;
  /** Ends the worker. */
  readonly end?: () => void;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/**
 * How long a session goes on when its page has gone: time enough for a reload, and well within what a browser leaves a
 * worker that nobody looks at.
 */
export const GRACE_MS = 20_000;

/** How often a page is told how the link is while it is not well. */
const TELL_MS = 500;

/** Makes one session when its page orders it, and answers for it until it is over. */
export function serveSession(line: Line<FromWorker, ToWorker>, parts: ServiceParts): void {
  new SessionService(parts).connect(line);
}

/** One session, and the page that looks at it: one at a time, and for a while none. */
export class SessionService {
  readonly #parts: ServiceParts;
  readonly #clock: () => number;
  readonly #giveUp = new AbortController();
  readonly #onlineListeners = new Set<() => void>();
  #line: Line<FromWorker, ToWorker> | null = null;
  #session: NearSession | null = null;
  #record: SessionRecord | null = null;
  #memo: SessionMemo | null = null;
  #draft: Draft = NO_DRAFT;
  #lateError: PackedError | null = null;
  #question: TrustQuestion | null = null;
  #answer: ((answer: TrustAnswer) => void) | null = null;
  #allowance = 0;
  #wake: (() => void) | null = null;
  #pumping: Promise<void> | null = null;
  #dry: { readonly error: PackedError | null } | null = null;
  #isOver = false;
  #isDone = false;
  #linkSince = { state: 'live', ms: 0 };
  #telling: ReturnType<typeof setInterval> | null = null;
  #grace: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
  }

  /** A page has come. It says what it wants. */
  connect(line: Line<FromWorker, ToWorker>): void {
    line.listen((message) => this.#hear(line, message));
    line.post({ say: 'hello', hasSession: this.#session !== null });
  }

  /** A page has gone without a word. */
  lose(line: Line<FromWorker, ToWorker>): void {
    if (this.#line === line) this.#left();
  }

  /** What no code here was ready for has happened. */
  fail(): void {
    this.#post({ say: 'fault' });
    this.#parts.end?.();
  }

  #hear(line: Line<FromWorker, ToWorker>, message: ToWorker): void {
    if (message.say === 'make' || message.say === 'attach') this.#adopt(line, message);
    else if (line === this.#line) this.#obey(line, message);
  }

  #obey(line: Line<FromWorker, ToWorker>, message: Exclude<ToWorker, { say: 'make' | 'attach' }>): void {
    switch (message.say) {
      case 'call':
        void this.#call(line, message.id, message.call);
        return;
      case 'abort':
        this.#giveUp.abort(unpackError(message.error));
        return;
      case 'take':
        this.#allowance += message.count;
        this.#wake?.();
        this.#pumping ??= this.#pump();
        return;
      case 'answer':
        this.#question = null;
        this.#answer?.(message.answer);
        return;
      case 'note':
        this.#record?.addNote({ ...message.note, atMs: this.#clock() }, message.after);
        return;
      case 'draft':
        this.#draft = message.draft;
        return;
      case 'hurry':
        this.#hurry();
        return;
      case 'online':
        for (const listener of this.#onlineListeners) listener();
        this.#hurry();
        return;
      case 'leave':
        this.#left();
        return;
      case 'end':
        this.#parts.end?.();
    }
  }

  /** The newest page has the session: what is typed must come from one place. */
  #adopt(line: Line<FromWorker, ToWorker>, message: Extract<ToWorker, { say: 'make' | 'attach' }>): void {
    if (this.#line !== null && this.#line !== line) this.#post({ say: 'moved' });
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#grace = null;
    this.#line = line;
    if (message.say === 'make') void this.#make(message);
    else this.#tellAll();
  }

  #tellAll(): void {
    const session = this.#session;
    const memo = this.#memo;
    const record = this.#record;
    if (session === null || memo === null || record === null) return;
    // What the page before had asked for and not taken is in the record.
    this.#allowance = 0;
    this.#post({
      say: 'attached',
      whole: {
        memo,
        promptWord: session.promptWord,
        state: packState(session.state),
        entries: [...session.journal.entries],
        counts: { ...session.counts },
        lastRoundTripMs: session.lastRoundTripMs,
        facts: packFacts(this.#facts(session)),
        chunkCount: record.chunkCount,
        survived: {
          past: record.past,
          isTrimmed: record.isTrimmed,
          draft: this.#draft,
          lateError: this.#lateError,
        },
      },
    });
    this.#lateError = null;
    if (this.#question !== null) this.#post({ say: 'ask', question: this.#question });
    if (this.#dry !== null) this.#post({ say: 'dry', error: this.#dry.error });
    if (this.#isDone) this.#post({ say: 'done' });
  }

  #left(): void {
    this.#line = null;
    this.#allowance = 0;
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#grace = setTimeout(() => void this.#closeAlone(), GRACE_MS);
  }

  /** Nobody came back. The shell is deleted, not left to the server's patience. */
  async #closeAlone(): Promise<void> {
    this.#giveUp.abort();
    await this.#session?.close();
    this.#parts.end?.();
  }

  async #make({ order, certificate: packed, memo }: Extract<ToWorker, { say: 'make' }>): Promise<void> {
    try {
      const certificate = packed && (await this.#parts.unpack(packed));
      const wires: RoadWires = {
        onLink: () => this.#tellFacts(),
        onOnline: (listener) => {
          this.#onlineListeners.add(listener);
          return () => this.#onlineListeners.delete(listener);
        },
      };
      const ask: TrustOptions['ask'] = (...asked) => this.#ask(...asked);
      const session = await this.#parts.makeSession(order, certificate, ask, wires);
      this.#session = session;
      this.#memo = memo;
      this.#record = memo && new SessionRecord();
      let told = session.state;
      session.journal.watch((entry: JournalEntry) => {
        const { state, counts, lastRoundTripMs } = session;
        const changed = state === told ? null : packState(state);
        told = state;
        this.#post({ say: 'news', entry, counts: { ...counts }, lastRoundTripMs, state: changed });
        const { event } = entry.what;
        if (event === 'advice' || event === 'reopening') this.#tellFacts();
      });
      session.watch((state) => {
        this.#tellFacts();
        if (isOver(state)) void this.#finish(session);
      });
      this.#post({ say: 'made', promptWord: session.promptWord });
    } catch (error) {
      this.#post({ say: 'refused', error: packError(error) });
    }
  }

  async #call(line: Line<FromWorker, ToWorker>, id: number, call: Call): Promise<void> {
    const settle = (error: PackedError | null) => {
      if (line === this.#line) this.#post({ say: 'settled', id, error });
      // The page that asked has gone; the next one is told what became of the line.
      else if (error !== null && call.name === 'writeText') this.#lateError = error;
    };
    try {
      await this.#act(call);
      settle(null);
    } catch (error) {
      settle(packError(error));
    }
  }

  async #act(call: Call): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    if (call.name === 'open') await session.open(this.#giveUp.signal);
    else if (call.name === 'writeText') await session.writeText(call.text);
    else if (call.name === 'endInput') await session.endInput();
    else if (call.name === 'interrupt') await session.interrupt(call.how);
    else await session.close();
  }

  /** The next chunk is asked for only when the page has room for it: that is what holds a Receive back. */
  async #pump(): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    try {
      const chunks = session.output[Symbol.asyncIterator]();
      for (;;) {
        while (this.#allowance <= 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        const next = await chunks.next();
        if (next.done === true) break;
        this.#allowance -= 1;
        const { stream, bytes } = next.value;
        const atMs = this.#clock();
        if (stream === 'gap') {
          this.#record?.addOutput({ what: 'gap', atMs });
          this.#post({ say: 'gap' });
        } else {
          const own = ownBytes(bytes);
          this.#record?.addOutput({ what: 'chunk', stream, bytes: own.slice(), atMs });
          this.#post({ say: 'chunk', stream, bytes: own }, [own.buffer]);
        }
      }
      this.#dry = { error: null };
    } catch (error) {
      this.#dry = { error: packError(error) };
      if (!isWinRmError(error)) throw error;
    } finally {
      if (this.#dry !== null) this.#post({ say: 'dry', error: this.#dry.error });
    }
  }

  /** The page closes the worker when it hears this: nothing may be on its way any more. */
  async #finish(session: NearSession): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await session.close();
    await this.#pumping;
    this.#isDone = true;
    this.#post({ say: 'done' });
  }

  #ask(...[question, signal]: Parameters<TrustOptions['ask']>): Promise<TrustAnswer> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#question = question;
      const unask = () => {
        this.#question = null;
        this.#post({ say: 'unask' });
      };
      signal.addEventListener('abort', unask, { once: true });
      this.#post({ say: 'ask', question });
    });
  }

  #hurry(): void {
    const session = this.#session;
    if (session?.hurry === undefined) session?.road?.now();
    else session.hurry();
  }

  #facts(session: NearSession) {
    const { state } = session;
    const link = state.at === 'ready' ? state.link : 'live';
    if (link !== this.#linkSince.state) this.#linkSince = { state: link, ms: performance.now() };
    return factsOf(session, performance.now() - this.#linkSince.ms);
  }

  /** Tells how the link is, and goes on telling while it is not well: the page counts down by it. */
  #tellFacts(): void {
    const session = this.#session;
    if (session === null) return;
    const facts = this.#facts(session);
    this.#post({ say: 'facts', facts: packFacts(facts) });
    const isWell = facts.link.state === 'live' || isOver(session.state);
    if (isWell && this.#telling !== null) {
      clearInterval(this.#telling);
      this.#telling = null;
    } else if (!isWell) this.#telling ??= setInterval(() => this.#tellFacts(), TELL_MS);
  }

  #post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
    this.#line?.post(message, transfer);
  }
}
