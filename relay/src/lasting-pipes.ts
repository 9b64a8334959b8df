import { randomBytes, timingSafeEqual } from 'node:crypto';
import { base64url, type Lasting, type ResumeRound, resumeKey, resumeMac } from '@fairlead/contract';
import { makeToken } from './access.ts';
import { LastingPipe, type LastingPipeOptions, type PipeEnd, type PipeLink } from './lasting-pipe.ts';
import type { Metrics } from './metrics.ts';
import type { SignIn } from './store.ts';

/** How much and how long pipes are held, and where that is counted. */
export interface HoldOptions {
  readonly holdBytes: number;
  readonly holdSeconds: number;
  readonly metrics: Metrics;
}

interface Kept {
  readonly pipe: LastingPipe;
  /** Made of the token; the token itself is with the tab only. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** Whoever took it up last. */
  signIn: SignIn;
}

/** A pipe that somebody wants to take up, before they have proved that they may. */
export interface ResumeAttempt {
  readonly relayNonce: string;
  /**
   * Takes the pipe from whatever link it has. Null when there is no such pipe, when it is another person's or when the
   * proof is wrong: nobody is told which, and nothing has changed then.
   */
  prove(link: PipeLink, signIn: SignIn, received: number, mac: string): Promise<Claim | null>;
}

/** A pipe that has been taken from its earlier link. */
export interface Claim {
  readonly pipe: LastingPipe;
  /** What the relay has received, counted, and the relay's own proof. */
  readonly received: number;
  readonly mac: string;
}

/** All pipes of a relay that can be taken up again, by name. They live in memory: a relay that ends takes them along. */
export class LastingPipes {
  readonly #o: HoldOptions;
  readonly #kept = new Map<string, Kept>();
  #isClosed = false;

  constructor(options: HoldOptions) {
    this.#o = options;
  }

  /** How many a person has, with a link and without. */
  countOf(person: string | undefined): number {
    let count = 0;
    for (const { signIn } of this.#kept.values()) if (signIn.person === person) count += 1;
    return count;
  }

  /** A name and a token for a pipe to come, and what goes with the token. */
  async invite(): Promise<{ readonly lasting: Lasting; readonly key: Uint8Array<ArrayBuffer> }> {
    const { holdBytes, holdSeconds } = this.#o;
    const token = makeToken();
    return { lasting: { pipe: makeToken(), token, holdBytes, holdSeconds }, key: await resumeKey(token) };
  }

  /** Begins a pipe. */
  open(
    invited: { readonly lasting: Lasting; readonly key: Uint8Array<ArrayBuffer> },
    signIn: SignIn,
    link: PipeLink,
    parts: Pick<LastingPipeOptions, 'number' | 'stream' | 'guard'> & { onOver(end: PipeEnd, pipe: LastingPipe): void },
  ): LastingPipe {
    const { holdBytes, holdSeconds, metrics } = this.#o;
    const name = invited.lasting.pipe;
    const options = {
      number: parts.number,
      stream: parts.stream,
      guard: parts.guard,
      holdBytes,
      holdMs: holdSeconds * 1000,
      onHeld: (isHeld: boolean) => (isHeld ? metrics.pipesHeld.inc() : metrics.pipesHeld.dec()),
      onOver: (end: PipeEnd) => {
        this.#kept.delete(name);
        this.count(pipe);
        if (end === 'expired') metrics.resumes.inc({ result: 'expired' });
        parts.onOver(end, pipe);
      },
    };
    const pipe = new LastingPipe(options, link);
    this.#kept.set(name, { pipe, key: invited.key, signIn });
    return pipe;
  }

  /** Somebody names a pipe. Whether there is one is not said before they have proved that they know its token. */
  attempt(name: string, tabNonce: string): ResumeAttempt {
    const relayNonce = base64url(randomBytes(32));
    const round: ResumeRound = { pipe: name, tabNonce, relayNonce };
    return {
      relayNonce,
      prove: async (link, signIn, received, mac) => {
        const claim = this.#isClosed ? null : await this.#claim(round, link, signIn, received, mac);
        if (claim === null) this.#o.metrics.resumes.inc({ result: 'refused' });
        return claim;
      },
    };
  }

  /** Counts the bytes that have gone through a pipe since the last time. Whether there were any. */
  count(pipe: LastingPipe): boolean {
    const { up, down } = pipe.takeCounts();
    const { bytes } = this.#o.metrics;
    if (up > 0) bytes.inc({ direction: 'up' }, up);
    if (down > 0) bytes.inc({ direction: 'down' }, down);
    return up + down > 0;
  }

  /** Counts a pipe that has been taken up. */
  resumed(): void {
    this.#o.metrics.resumes.inc({ result: 'resumed' });
  }

  /** Which sign-ins have pipes that nobody is linked to. */
  heldSignIns(): Set<string> {
    return new Set([...this.#kept.values()].filter(({ pipe }) => pipe.isHeld).map(({ signIn }) => signIn.id));
  }

  /** Ends what a sign-in has. */
  closeSignIn(id: string): void {
    for (const { signIn, pipe } of [...this.#kept.values()]) if (signIn.id === id) pipe.close('signInRequired');
  }

  /** Ends what nobody is linked to, and lets nobody take a pipe up any more. */
  drain(): void {
    this.#isClosed = true;
    for (const { pipe } of [...this.#kept.values()]) if (pipe.isHeld) pipe.close('draining');
  }

  /** Whether a link that is lost now can be found again. */
  get isDraining(): boolean {
    return this.#isClosed;
  }

  async #claim(
    round: ResumeRound,
    link: PipeLink,
    signIn: SignIn,
    received: number,
    mac: string,
  ): Promise<Claim | null> {
    const kept = this.#kept.get(round.pipe);
    if (kept === undefined || kept.signIn.person !== signIn.person) return null;
    const expected = await resumeMac(kept.key, 'tab', round, received);
    // Both are 43 characters; the contract has seen to it.
    if (!timingSafeEqual(Buffer.from(expected), Buffer.from(mac))) return null;
    if (this.#kept.get(round.pipe) !== kept || this.#isClosed) return null;
    kept.signIn = signIn;
    const receivedHere = kept.pipe.claim(link);
    return {
      pipe: kept.pipe,
      received: receivedHere,
      mac: await resumeMac(kept.key, 'relay', round, receivedHere),
    };
  }
}
