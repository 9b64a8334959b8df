import type { ErrorDetails } from '../errors.ts';
import type { PeerWarning, Pin, TrustPolicy } from '../tls/trust.ts';
import type { Certificate } from '../tls/x509.ts';

/**
 * A host is met for the first time: nothing that is trusted vouches for its certificate, which is otherwise in order.
 * Nothing but the handshake has left, and nothing will before the answer.
 */
export interface TrustQuestion {
  /** Host and port, as `pinTarget` writes them. */
  readonly target: string;
  readonly host: string;
  readonly port: number;
  /** Subject, issuer, names, dates and both thumbprints, ready to be shown; and why nothing vouches for it. */
  readonly evidence: ErrorDetails['tls.untrusted'];
  /** The certificate itself, for `hasThumbprint`. */
  readonly certificate: Certificate;
  /** What is to be kept if the answer is 'pin'. The session does not keep it: whoever asks does. */
  readonly pin: Pin;
  /** To be shown with it; never about name or dates, which end the matter without a question. */
  readonly warnings: readonly PeerWarning[];
}

/** 'trust-once' is for this session and its connections; 'pin' says that the pin will be kept; 'refuse' ends it. */
export type TrustAnswer = 'trust-once' | 'pin' | 'refuse';

/** Whom a session may talk to over https, and who is asked about a stranger. */
export interface TrustOptions {
  readonly policy: TrustPolicy;
  /**
   * Asks a person; called at most once in a session. The signal is aborted when nobody waits for the answer any more.
   * What it throws counts as 'refuse'.
   */
  readonly ask: (question: TrustQuestion, signal: AbortSignal) => Promise<TrustAnswer>;
}
