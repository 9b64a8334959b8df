import type { RelayMessage, TabMessage } from '@fairlead/contract';
import { fail, type ProxyAnswerer, WinRmError } from '@fairlead/protocol/road';

/** Long enough for a person to type a password; a proxy that hangs up meanwhile is dialled once more. */
export const ANSWER_WAIT_MS = 90_000;

type Answer = Extract<TabMessage, { type: 'answer' }>;

/**
 * Passes what proxies ask up to the tab and what the tab answers down to them, one question at a time. The relay makes no
 * token and keeps none; of a password it sees what Basic and SOCKS show to everybody on the way.
 */
export class AskTab {
  readonly #say: (message: RelayMessage) => void;
  readonly #waitMs: number;
  #waiting: { readonly hop: number; readonly resolve: (authorization: string) => void } | null = null;
  #hasAnswered = false;

  constructor(say: (message: RelayMessage) => void, waitMs = ANSWER_WAIT_MS) {
    this.#say = say;
    this.#waitMs = waitMs;
  }

  /** Whether a proxy was told anything. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** For the walk. @throws session.timed-out when the tab says nothing, session.cancelled */
  readonly answer: ProxyAnswerer = (challenge, signal) =>
    new Promise((resolve, reject) => {
      if (this.#waiting !== null) fail('misuse.wrong-state', { action: 'ask', state: 'asking' });
      const settle = () => {
        this.#waiting = null;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      const stop = (error: unknown) => {
        settle();
        reject(error);
      };
      const onAbort = () => stop(new WinRmError('session.cancelled', { at: 'proxy sign-in' }, signal.reason));
      const seconds = Math.ceil(this.#waitMs / 1000);
      const timer = setTimeout(
        () => stop(new WinRmError('session.timed-out', { at: 'proxy sign-in', seconds })),
        this.#waitMs,
      );
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting = {
        hop: challenge.hop,
        resolve: (authorization) => {
          settle();
          this.#hasAnswered = true;
          resolve(authorization);
        },
      };
      if (signal.aborted) onAbort();
      else this.#say({ type: 'challenge', challenge: { ...challenge, offered: [...challenge.offered] } });
    });

  /** What the tab says; false when nobody asked it that. */
  take({ hop, authorization }: Answer): boolean {
    const waiting = this.#waiting;
    if (waiting === null || waiting.hop !== hop) return false;
    waiting.resolve(authorization);
    return true;
  }
}
