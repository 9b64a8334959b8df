import { withDeadline } from '../bytes/deadline.ts';
import { type ErrorCode, isWinRmError, WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { Showing } from './_showing.ts';

/** Why a session that has lost its road does not go on yet, for a countdown. */
export interface Reopening {
  /** How many attempts have failed since the road was lost. */
  readonly attempt: number;
  /** Until the next attempt, in ms; 0 while one is under way. */
  readonly nextInMs: number;
  /** Until no further attempt is made, in ms. */
  readonly givenUpInMs: number;
  /** What the last attempt failed with. */
  readonly error: WinRmError;
}

/** What patience is made of. */
export interface PatienceOptions {
  readonly platform: Platform;
  /** For how long a lost road is looked for; 0 for not at all. */
  readonly patienceMs: number;
  /** Called when an attempt has failed and another will follow, when that is brought forward, and when all is over. */
  readonly onChange: () => void;
}

/** How a lane opens its connection. */
export interface Knock<Result> {
  /** Walks the road and signs in, once. Carries nothing along whose fate would matter once the session is ready. */
  open(signal: AbortSignal, showing: Showing): Promise<Result>;
  readonly signal: AbortSignal;
}

/** How long a ready session looks for a lost road unless it is told otherwise: as long as a relay holds one. */
export const DEFAULT_PATIENCE_MS = 5 * 60_000;

/** No session looks for its road longer than this: a server keeps an idle shell for less. */
export const MAX_PATIENCE_MS = 60 * 60_000;

/** Pauses between attempts; the last is repeated. Each is shortened by up to a quarter, so that tabs do not march. */
const PAUSES_MS: readonly number[] = [1000, 2000, 4000, 8000, 15_000];

/** An attempt older than this may hang; a person who does not want to wait gets another. */
const STUCK_MS = 1000;

/** Sign-ins whose verdict did not come through, one after the other, before a session stops: locks begin at three. */
export const MAX_UNHEARD = 2;

/**
 * In one outage a proxy that could not go on is signed in to so often; the first times as the pauses say, then at long
 * ones, so that they last while a host behind it starts anew.
 */
export const MAX_PROXY_SIGN_INS = 8;
const QUICK_PROXY_SIGN_INS = 2;
const PROXY_PAUSE_MS = 60_000;

interface Attempt {
  showing: Showing;
  /** Gives it up; null while nobody tries. */
  stop: ((error: WinRmError) => void) | null;
  triedAtMs: number;
}

/** Its attempt is the one that a lane makes for both. */
interface Outage extends Attempt {
  readonly sinceMs: number;
  attempt: number;
  pauseIndex: number;
  nextAtMs: number;
  error: WinRmError;
  /** Attempts that signed in to a proxy which then could not go on. */
  proxySignIns: number;
  /** Whether the attempt under way was given up for somebody in a hurry, so that the next follows at once. */
  isBegunAnew: boolean;
  /** Whether nobody tries any more. */
  isGivenUp: boolean;
}

/**
 * Stands between the lanes of one session and its road: while the road is broken, one lane at a time knocks, after
 * growing pauses, and the other learns from it.
 *
 * INVARIANT: only what is the road's own failing is tried again. A credential that was refused is never shown again by
 * this session, on no lane, not even to say farewell: each showing counts against the account. Nor is one whose verdict
 * did not come through twice running, since somebody may be swallowing refusals; and the lanes of a session that has
 * begun sign in one after the other, so that the second hears the first one's verdict.
 */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #waiting = new Set<() => void>();
  readonly #running = new Set<Attempt>();
  #hasBegun = false;
  #isOn = false;
  #hasEnded = false;
  #outage: Outage | null = null;
  #refusal: WinRmError | null = null;
  #givenUpWith: WinRmError | null = null;
  /** Showings in a row whose verdict did not come through. */
  #unheard = 0;
  #signingIn: Promise<void> = Promise.resolve();

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** What is being waited for; null while the road stands. */
  get reopening(): Reopening | null {
    const outage = this.#outage;
    if (outage === null) return null;
    const { attempt, error, stop, nextAtMs, sinceMs } = outage;
    const { platform, patienceMs } = this.#options;
    const now = platform.monotonicMs();
    return {
      attempt,
      error,
      nextInMs: stop !== null ? 0 : Math.max(0, nextAtMs - now),
      givenUpInMs: Math.max(0, sinceMs + patienceMs - now),
    };
  }

  /** Whether the session has been ready. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The session is ready: from now on there is something to be patient for. */
  begin(): void {
    this.#hasBegun = true;
    this.#isOn = this.#options.patienceMs > 0 && !this.#hasEnded;
  }

  /** Nobody waits any more; whoever does is sent away with session.cancelled. Single attempts are still let through. */
  end(): void {
    this.#hasEnded = true;
    this.#isOn = false;
    this.#outage = null;
    this.#wake();
  }

  /** Whether it is known that nobody would get through who came to say farewell after this error. */
  isFinal(error: WinRmError): boolean {
    return error === this.#refusal || error === this.#givenUpWith;
  }

  /**
   * Tries now in place of later, and counts the pauses from the shortest again. An attempt that has just begun is left
   * alone, and so is one that waits for the verdict on a credential; any other that hangs is begun anew.
   */
  hurry(): void {
    if (!this.#isOn) return;
    const outage = this.#outage;
    const now = this.#options.platform.monotonicMs();
    const isStuck = ({ showing, triedAtMs }: Attempt): boolean => now - triedAtMs >= STUCK_MS && !showing.isOut;
    if (outage !== null && (outage.stop === null || isStuck(outage))) {
      outage.pauseIndex = -1;
      outage.nextAtMs = now;
      outage.isBegunAnew = outage.stop !== null;
    }
    for (const attempt of [...this.#running].filter(isStuck)) {
      const seconds = Math.round((now - attempt.triedAtMs) / 1000);
      attempt.stop?.(new WinRmError('session.timed-out', { at: 'road', seconds }));
    }
    this.#wake();
  }

  /**
   * Knocks until the door opens, or until it is known that it will not.
   * @throws what the last attempt threw; auth.no-verdict when that was the last one that may show a credential unheard;
   *   session.cancelled when the session ends meanwhile
   */
  async open<Result>(knock: Knock<Result>): Promise<Result> {
    for (;;) {
      const outage = await this.#turn(knock.signal);
      const showing = new Showing();
      try {
        const result = await this.#attempt(knock, outage, showing);
        if (showing.hasProved) this.#unheard = 0;
        this.#settle(this.#outage);
        return result;
      } catch (thrown) {
        const error = this.#judged(thrown, showing);
        const isWaitedOut = this.#isOn && !knock.signal.aborted && isOfTheRoad(error);
        if (!isWaitedOut) {
          if (this.#isOn && isWinRmError(error)) this.#givenUpWith = error;
          this.#settle(outage);
          throw error;
        }
        this.#failed(outage, error, showing);
      } finally {
        showing.endTurn();
      }
    }
  }

  /**
   * Waits until no other lane of this session signs in, and keeps the turn until the attempt is over and its verdict known;
   * before the session has begun, at once.
   * @throws what a lane before was refused with, session.cancelled
   */
  async turnToSignIn(signal: AbortSignal, showing: Showing): Promise<void> {
    if (!this.#hasBegun) return;
    const before = this.#signingIn;
    const mine = new Promise<void>((resolve) => {
      showing.endTurn = resolve;
    });
    this.#signingIn = before.then(() => mine);
    await withDeadline({ platform: this.#options.platform, withinMs: Infinity, at: 'sign-in', signal }, () => before);
    this.requireUnrefused();
  }

  /**
   * Before a credential that goes with every request is shown once more.
   * @throws what it was refused with, also on the other lane; auth.no-verdict
   */
  requireUnrefused(): void {
    if (this.#refusal !== null) throw this.#refusal;
  }

  /**
   * What came of showing a credential that goes with every request: null when it was granted.
   * @param isNew whether nothing had been answered on that connection before
   */
  shown(error: unknown, isNew: boolean): void {
    if (error === null) this.#unheard = 0;
    else if (isWinRmError(error) && error.code.startsWith('auth.')) this.#refusal ??= error;
    else if (isNew) this.#unheardOnce(error);
  }

  #judged(error: unknown, showing: Showing): unknown {
    if (isRefusal(error)) this.#refusal = error;
    else if (showing.isUnheard(error)) return this.#unheardOnce(error);
    return error;
  }

  #unheardOnce(error: unknown): unknown {
    this.#unheard += 1;
    if (this.#unheard < MAX_UNHEARD) return error;
    this.#refusal ??= new WinRmError('auth.no-verdict', { count: this.#unheard }, error);
    return this.#refusal;
  }

  #attempt<Result>(knock: Knock<Result>, outage: Outage | null, showing: Showing): Promise<Result> {
    const { signal } = knock;
    const attempt = new AbortController();
    const stop = (): void => attempt.abort(signal.reason);
    const running: Attempt = outage ?? { stop: null, showing, triedAtMs: this.#options.platform.monotonicMs() };
    running.showing = showing;
    running.stop = (error) => attempt.abort(error);
    this.#running.add(running);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    return knock.open(attempt.signal, showing).finally(() => {
      this.#running.delete(running);
      signal.removeEventListener('abort', stop);
    });
  }

  /** Waits until this lane may knock. @returns the outage on whose behalf it does; null when there is none */
  async #turn(signal: AbortSignal): Promise<Outage | null> {
    let waitedFor: Outage | null = null;
    for (;;) {
      this.requireUnrefused();
      if (waitedFor?.isGivenUp) throw waitedFor.error;
      if (waitedFor !== null && this.#hasEnded) throw new WinRmError('session.cancelled', { at: 'close' });
      const outage = this.#outage;
      if (outage === null) return null;
      const leftMs = outage.stop !== null ? Infinity : outage.nextAtMs - this.#options.platform.monotonicMs();
      if (leftMs <= 0) {
        outage.showing = new Showing();
        outage.stop = () => undefined; // at once, so that no two lanes begin
        outage.triedAtMs = this.#options.platform.monotonicMs();
        this.#options.onChange();
        return outage;
      }
      waitedFor = outage;
      await this.#pause(leftMs, signal);
    }
  }

  #failed(mine: Outage | null, error: WinRmError, showing: Showing): void {
    const { platform, patienceMs } = this.#options;
    const now = platform.monotonicMs();
    const outage = this.#outage;
    const proxySignIns = (outage?.proxySignIns ?? 0) + (showing.isForNothing(error) ? 1 : 0);
    if (outage === null) {
      const begin = { sinceMs: now, attempt: 1, error, stop: null, triedAtMs: 0, isBegunAnew: false, isGivenUp: false };
      this.#outage = { ...begin, showing, proxySignIns, pauseIndex: 0, nextAtMs: now + this.#pauseMs(0) };
    } else if (outage === mine) {
      const { isBegunAnew } = outage;
      if (!isBegunAnew) outage.pauseIndex += 1;
      Object.assign(outage, { attempt: outage.attempt + 1, error, stop: null, isBegunAnew: false, proxySignIns });
      // Judged by an attempt, not by the clock alone: a machine that slept all the while gets one.
      if (now - outage.sinceMs >= patienceMs || proxySignIns >= MAX_PROXY_SIGN_INS) {
        outage.isGivenUp = true;
        this.#givenUpWith = error;
        this.#settle(outage);
        throw error;
      }
      const endMs = outage.sinceMs + patienceMs;
      const isSlow = proxySignIns >= QUICK_PROXY_SIGN_INS && showing.isForNothing(error);
      const pauseMs = isSlow ? PROXY_PAUSE_MS : this.#pauseMs(outage.pauseIndex);
      outage.nextAtMs = isBegunAnew ? now : Math.min(endMs, now + pauseMs);
    }
    // Else the other lane found out first, and this one waits with it.
    this.#wake();
    this.#options.onChange();
  }

  /** The outage is over, one way or another. */
  #settle(outage: Outage | null): void {
    if (outage === null || outage !== this.#outage) return;
    this.#outage = null;
    this.#wake();
    this.#options.onChange();
  }

  #pauseMs(index: number): number {
    const [draw = 0] = this.#options.platform.random(1);
    const longest = PAUSES_MS[Math.min(index, PAUSES_MS.length - 1)] ?? 0;
    return Math.round(longest * (1 - draw / 1024));
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves after a time, or when there is news; rejects when the signal is aborted. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleep = new AbortController();
      const settle = (): void => {
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(wake);
        sleep.abort();
      };
      const wake = (): void => {
        settle();
        resolve();
      };
      const onAbort = (): void => {
        settle();
        reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(wake);
      if (ms !== Infinity) {
        this.#options.platform.sleep(ms, sleep.signal).then(wake, () => undefined); // called off by `settle`
      }
    });
  }
}

/**
 * Whether an error says that the road is broken, and nothing about who may use it. A ticket that is refused was a
 * relay's that has been started anew since. What breaks a sign-in is the road's only when the link broke or nobody
 * answered; a proxy that closes between legs is not waited for, because each sign-in is one more that somebody counts.
 */
function isOfTheRoad(error: unknown): error is WinRmError {
  if (!isWinRmError(error)) return false;
  if (isWinRmError(error, 'proxy.socks-refused')) return UNREACHABLE_REPLIES.has(error.details.reply);
  if (error.code !== 'auth.incomplete' && error.code !== 'proxy.drops-connection') return OUTAGES.has(error.code);
  return isWinRmError(error.cause, 'relay.lost') || isWinRmError(error.cause, 'session.timed-out');
}

/** Whether a credential was refused, whoever refused it and whatever else that may mean. */
function isRefusal(error: unknown): error is WinRmError {
  return isWinRmError(error) && (REFUSALS.has(error.code) || isRefusal(error.cause));
}

const OUTAGES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'relay.unreachable',
  'relay.ticket-refused',
  'relay.lost',
  'relay.name-not-found',
  'relay.connection-refused',
  'relay.connect-timeout',
  'http.closed-early',
  'proxy.target-unreachable',
  'session.timed-out',
]);

/** RFC 1928, section 6: network, host and port that cannot be reached, and a time to live that ran out. */
const UNREACHABLE_REPLIES: ReadonlySet<number> = new Set([3, 4, 5, 6]);

const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'auth.rejected',
  'auth.binding-refused',
  'proxy.auth-rejected',
  'proxy.auth-loops',
]);
