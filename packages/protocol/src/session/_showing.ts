import { isWinRmError } from '../errors.ts';

/** What one attempt at a road and a sign-in has shown of credentials. The lane tells as it happens. */
export class Showing {
  /** Lets the next lane sign in, where this attempt has the turn. */
  endTurn: () => void = () => undefined;
  #at: 'nothing' | 'road' | 'proof' | 'verdict' = 'nothing';
  #answersBefore = 0;
  #answers: () => number = () => 0;

  /** The road is walked from now on. @param answers how often proxies of this session have been answered so far */
  walks(answers: () => number): void {
    this.#at = 'road';
    this.#answers = answers;
    this.#answersBefore = answers();
  }

  /** The road stands: every proxy has taken what it was answered. */
  stands(): void {
    this.#at = 'nothing';
  }

  /** The leg that proves who we are leaves. */
  proves(): void {
    this.#at = 'proof';
  }

  /** A leg was answered. */
  heard(): void {
    if (this.#at === 'proof') this.#at = 'verdict';
  }

  /** Whether a credential is out and nobody has said what came of it. */
  get isOut(): boolean {
    return this.#at === 'proof' || this.#hasAnsweredProxy;
  }

  /** Whether the server was shown a credential. */
  get hasProved(): boolean {
    return this.#at === 'proof' || this.#at === 'verdict';
  }

  /** Whether the attempt, failed with this, left a credential without a verdict. */
  isUnheard(error: unknown): boolean {
    if (this.#at === 'proof') return true;
    return this.#hasAnsweredProxy && !isWordOfProxy(error);
  }

  /** Whether a proxy was signed in to and then said that it could not go on. */
  isForNothing(error: unknown): boolean {
    return this.#hasAnsweredProxy && isWordOfProxy(error);
  }

  get #hasAnsweredProxy(): boolean {
    return this.#at === 'road' && this.#answers() > this.#answersBefore;
  }
}

/** A proxy that just closes has not said anything. */
function isWordOfProxy(error: unknown): boolean {
  return isWinRmError(error) && error.code.startsWith('proxy.') && error.code !== 'proxy.drops-connection';
}
