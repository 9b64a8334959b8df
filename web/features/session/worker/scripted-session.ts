/** For tests: a session whose every move the test makes. */
import {
  isWinRmError,
  Journal,
  type OutputChunk,
  type OutputGap,
  type SessionState,
  type WinRmError,
} from '@fairlead/protocol';
import type { ShellSession } from '../shell-session.ts';
import type { SessionOrder } from './messages.ts';

/** What a session is asked for where it does not matter. */
export const order: SessionOrder = {
  target: { scheme: 'http', host: 'web01', port: 5985, path: '/wsman' },
  policy: 'negotiate',
  user: 'CORP\\ana',
  password: 'Secret 1',
  sealsAlways: false,
  allowsLegacyTls: false,
  proxyAccounts: [],
  isHttpDangerChosen: false,
  takeUp: null,
  trust: null,
  route: { name: '', hops: [] },
  shell: { kind: 'interactive', codePage: 65_001 },
};

/** Long enough for messages to arrive. */
export const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Output. */
export const chunk = (text: string): OutputChunk => ({ stream: 'stdout', bytes: new TextEncoder().encode(text) });

/** A session whose every move the test makes. */
export class Scripted implements ShellSession {
  readonly journal = new Journal(() => 7);
  readonly counts = { exchanges: 3, requestBytes: 1, responseBytes: 2, connections: 1, handshakes: 1 };
  readonly lastRoundTripMs = 12;
  readonly promptWord = 'word';
  readonly sent: string[] = [];
  readonly chunks: (OutputChunk | OutputGap | 'end' | WinRmError)[] = [];
  state: SessionState = { at: 'idle' };
  asked = 0;
  isClosed = false;
  refusal: unknown = null;
  readonly #listeners = new Set<(state: SessionState) => void>();
  #wake: (() => void) | null = null;

  readonly output = {
    [Symbol.asyncIterator]: () => ({
      next: async (): Promise<IteratorResult<OutputChunk | OutputGap, undefined>> => {
        this.asked += 1;
        for (;;) {
          const next = this.chunks.shift();
          if (next === 'end') return { done: true, value: undefined };
          if (isWinRmError(next)) throw next;
          if (next !== undefined) return { done: false, value: next };
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      },
    }),
  };

  give(...chunks: (OutputChunk | OutputGap | 'end' | WinRmError)[]) {
    this.chunks.push(...chunks);
    this.#wake?.();
  }
  move(state: SessionState) {
    this.state = state;
    this.journal.record({ event: 'state', state: state.at });
    for (const listener of this.#listeners) listener(state);
  }
  watch(listener: (state: SessionState) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  open(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = this.watch(({ at }) => {
        if (at === 'ready') resolve();
      });
      signal?.addEventListener('abort', () => {
        stop();
        this.move({ at: 'closed', error: signal.reason as WinRmError });
        reject(signal.reason);
      });
    });
  }
  async #take(what: string) {
    if (this.refusal !== null) throw this.refusal;
    this.sent.push(what);
  }
  writeText = (text: string) => this.#take(text);
  endInput = () => this.#take('<end>');
  interrupt = (how = 'ctrl-c') => this.#take(`<${how}>`);
  async close() {
    this.isClosed = true;
    if (this.state.at === 'ready') this.move({ at: 'closed', error: null });
  }
}
