import { fail, isWinRmError, WinRmError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { Platform } from '../platform.ts';
import type { Pin, TrustedPeer } from '../tls/trust.ts';
import type { Certificate } from '../tls/x509.ts';
import type { TrustAnswer, TrustOptions, TrustQuestion } from './first-contact.ts';

/** What a decision is made from. */
export interface TrustDecisionOptions {
  readonly host: string;
  readonly port: number;
  /** Without it nobody is trusted and nobody is asked. */
  readonly trust: TrustOptions | null;
  readonly platform: Platform;
  readonly journal: Journal | null;
  /** Called with the question while a person is asked, and with null when they have answered. */
  readonly onQuestion?: ((question: TrustQuestion | null) => void) | undefined;
}

/** What vouches for the peer of a session. */
export type TrustGround = 'pin' | 'root' | 'person';

/**
 * One judgement for all connections of a session: made on the first, kept, and held against every other.
 *
 * INVARIANT: a person is asked at most once, and every connection of the session ends at the same certificate.
 */
export class TrustDecision {
  readonly #options: TrustDecisionOptions;
  readonly #closing = new AbortController();
  #first: Promise<{ peer: TrustedPeer; pin: Pin; ground: TrustGround }> | null = null;
  #ground: TrustGround | null = null;
  #wasAsked = false;

  constructor(options: TrustDecisionOptions) {
    this.#options = options;
  }

  /** What the decision rests on; null before there is one. */
  get ground(): TrustGround | null {
    return this.#ground;
  }

  /** Whether a person was asked, who may have taken longer than a server waits. */
  get wasAsked(): boolean {
    return this.#wasAsked;
  }

  /**
   * Judges the chain of one connection; the first to come decides for all.
   *
   * @throws tls.untrusted when nothing vouches for it and the person does not either; tls.wrong-name, tls.expired,
   *   tls.weak-certificate, tls.pin-changed, tls.intercepted without asking anyone; tls.pin-changed or tls.intercepted
   *   when this connection shows another certificate than the first
   */
  async judge(chain: readonly Certificate[]): Promise<TrustedPeer> {
    if (this.#first === null) {
      this.#first = this.#decide(chain);
      return (await this.#first).peer;
    }
    const { pin } = await this.#first;
    return await this.#judgeBy(chain, { roots: [], pins: [pin] });
  }

  /** Nobody waits for an answer any more. Idempotent. */
  close(): void {
    this.#closing.abort(new WinRmError('session.cancelled', { at: 'judging' }));
  }

  async #decide(chain: readonly Certificate[]): Promise<{ peer: TrustedPeer; pin: Pin; ground: TrustGround }> {
    const { trust, platform } = this.#options;
    const [leaf] = chain;
    if (leaf === undefined) return fail('tls.bad-certificate', { problem: 'the host sent none' });
    const { pinOf } = await import('../tls/trust.ts');
    const pin = pinOf(leaf, platform.now());
    try {
      const peer = await this.#judgeBy(chain, trust?.policy ?? { roots: [], pins: [] });
      this.#ground = peer.by;
      return { peer, pin, ground: peer.by };
    } catch (error) {
      if (!isWinRmError(error, 'tls.untrusted')) throw error;
      const peer = await this.#judgeBy(chain, { roots: [], pins: [pin] });
      this.#requireInOrder(peer, error);
      const question = await this.#questionAbout(leaf, pin, peer, error);
      if ((await this.#ask(question)) === 'refuse') throw error;
      this.#ground = 'person';
      return { peer, pin, ground: 'person' };
    }
  }

  /** The judge comes with the TLS engine, which has been fetched by whoever has a chain in hand. */
  async #judgeBy(chain: readonly Certificate[], policy: TrustOptions['policy']): Promise<TrustedPeer> {
    const { judgePeer } = await import('../tls/trust.ts');
    const { host, platform } = this.#options;
    return judgePeer({ chain, host, nowMs: platform.now(), policy });
  }

  /** A wrong name or date is not a matter of taste: it ends here, with the same evidence. */
  #requireInOrder({ warnings }: TrustedPeer, { details }: WinRmError<'tls.untrusted'>): void {
    const { problem: _, ...evidence } = details;
    if (warnings.includes('wrong-name')) fail('tls.wrong-name', evidence);
    if (warnings.includes('expired') || warnings.includes('not-yet-valid')) fail('tls.expired', evidence);
  }

  async #questionAbout(
    certificate: Certificate,
    pin: Pin,
    { warnings }: TrustedPeer,
    error: WinRmError<'tls.untrusted'>,
  ): Promise<TrustQuestion> {
    const { pinTarget } = await import('../tls/pins.ts');
    const { host, port } = this.#options;
    return { target: pinTarget(host, port), host, port, evidence: error.details, certificate, pin, warnings };
  }

  async #ask(question: TrustQuestion): Promise<TrustAnswer> {
    const { trust, journal, onQuestion } = this.#options;
    if (trust === null) return 'refuse';
    const { sha256 } = question.pin;
    this.#wasAsked = true;
    journal?.record({ event: 'trust', what: 'asked', sha256 });
    onQuestion?.(question);
    const asking = async (): Promise<TrustAnswer> => trust.ask(question, this.#closing.signal);
    const given = await asking().catch(() => 'refuse' as const);
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason; // nobody answered
    const answer = given === 'pin' || given === 'trust-once' ? given : 'refuse'; // fails closed on anything else
    journal?.record({ event: 'trust', what: answer, sha256 });
    onQuestion?.(null);
    return answer;
  }
}
