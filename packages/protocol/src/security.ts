/**
 * The words every mechanism, the 401/407 loop and sealing share. They live in the root room so that `road` and `http`
 * can drive a mechanism without knowing one.
 */

/** A conversation written as a synchronous generator: yields what it asks, resumes with the reply, returns its result. */
export type Exchange<Ask, Reply, Result> = Generator<Ask, Result, Reply>;

/** One `WWW-Authenticate` or `Proxy-Authenticate` challenge. RFC 9110, section 11.6.1. */
export interface Challenge {
  /** The scheme as the peer spelled it. */
  readonly scheme: string;
  /** The token68 that follows the scheme, still in base64, or null. */
  readonly token68: string | null;
  /** auth-params with lower-case names. */
  readonly params: ReadonlyMap<string, string>;
}

/** What the peer answered to a leg. `accepted` is the HTTP status's verdict: 2xx or, for a sealed body, anything but 401/407. */
export interface AuthReply {
  readonly from: 'peer';
  readonly verdict: 'challenged' | 'accepted' | 'rejected';
  /** The token that came with the reply, decoded; null when there was none. */
  readonly token: Uint8Array | null;
}

/** What a mechanism wants next. */
export type AuthStep =
  /** Send this token. `keyed` is the context as soon as keys exist, before the peer has confirmed. */
  | { readonly to: 'peer'; readonly stage: string; readonly token: Uint8Array; readonly keyed: SecurityContext | null }
  /** Finished; the context seals from now on. */
  | { readonly to: 'nobody'; readonly context: SecurityContext | null };

/** One mechanism on one connection; never reused. */
export interface AuthMechanism {
  /** The HTTP authentication scheme its tokens travel under. */
  readonly scheme: 'NTLM' | 'Negotiate';
  /** The name of the leg it is in, for progress, errors and the journal. */
  readonly stage: string;
  /** First call with null. Throws `auth.*`; after an error the mechanism is dead. */
  step(reply: AuthReply | null): AuthStep;
}

/** Keys of one authenticated connection. INVARIANT: wrap and unwrap are called in wire order; each advances a counter. */
export interface SecurityContext {
  /** Goes into the multipart header. [MS-WSMV] 2.2.9.1 */
  readonly sealProtocol: 'SPNEGO' | 'Kerberos' | 'CredSSP';
  /** Largest plaintext one wrap takes; Infinity for NTLM. */
  readonly maxSealBytes: number;
  wrap(plain: Uint8Array): { header: Uint8Array; body: Uint8Array; paddingBytes: number };
  /** @throws seal.bad-signature */
  unwrap(header: Uint8Array, body: Uint8Array): Uint8Array;
  /** Zeroes what can be zeroed. */
  destroy(): void;
}

/** Chooses a mechanism for a set of offers. One per connection. */
export interface Authenticator {
  readonly party: 'proxy' | 'server';
  /**
   * The mechanism whose first token may ride on the first request, before any challenge; null to wait for one. */
  beginOptimistic(): AuthMechanism | null;
  /** @throws auth.no-common-mechanism */
  begin(offered: readonly Challenge[]): AuthMechanism;
}

/**
 * A way to sign in without a conversation: the same Authorization goes with every request. It makes no keys and may be
 * readable, so it is for connections inside TLS whose peer was judged.
 */
export interface StandingAuthorization {
  readonly party: 'server';
  /** The HTTP authentication scheme. */
  readonly scheme: string;
  /** What people call it, for errors and the journal. */
  readonly mechanism: 'Basic' | 'Certificate';
  /** Who signs in. */
  readonly user: string;
  /** Made anew for each request; null where the scheme says it all. */
  token(): Uint8Array | null;
}

/**
 * Whether an authorization belongs to the one connection on which it is sent, so that its conversation cannot go on
 * elsewhere. Basic and Digest are good on any; every other scheme is taken to be bound, as NTLM and Negotiate are.
 * RFC 4559, section 6
 */
export function isConnectionBound(authorization: string): boolean {
  return !/^(?:basic|digest) /i.test(authorization);
}
