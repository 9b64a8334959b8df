import { fail } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { Authenticator, AuthMechanism, Challenge, StandingAuthorization } from '../security.ts';
import type { TrustedPeer } from '../tls/trust.ts';
import type { Certificate } from '../tls/x509.ts';
import { mechanismOf } from './_mechanism.ts';
import { basicAuthorization } from './basic.ts';
import { serverBinding } from './binding.ts';
import { certificateAuthorization } from './certificate.ts';
import type { Credential } from './credential.ts';
import type { NtlmOptions } from './ntlm/ntlm.ts';
import { ntlmExchange } from './ntlm/ntlm.ts';
import { spnegoExchange } from './spnego/spnego.ts';

/**
 * Ways to sign in by a conversation that makes keys: `negotiate` is SPNEGO over NTLM under the scheme Negotiate;
 * `negotiate-raw` is NTLM without SPNEGO under the same scheme, for servers that want it so; `ntlm` is the scheme NTLM,
 * which only endpoints in IIS offer.
 */
export type KeyedPolicy = 'negotiate' | 'negotiate-raw' | 'ntlm';

/**
 * How to sign in. `basic` shows the password to whoever ends TLS, `certificate` shows a certificate to log on with; both
 * are for https targets only.
 */
export type AuthPolicy = KeyedPolicy | 'basic' | 'certificate';

/** What an authenticator needs. */
export interface AuthenticatorOptions extends NtlmOptions {
  readonly policy: KeyedPolicy;
  readonly platform: Platform;
  readonly credential: Credential;
}

/** What signing in on one connection needs. */
export interface SignInOptions extends Omit<AuthenticatorOptions, 'policy' | 'credential' | 'binding'> {
  readonly policy: AuthPolicy;
  /** For every policy but `certificate`. */
  readonly credential: Credential | null;
  /** For `certificate` alone. */
  readonly certificate: Certificate | null;
  /** Whoever TLS ends at, judged; null without TLS. A conversation is bound to its certificate. */
  readonly peer: TrustedPeer | null;
}

/** Whether a policy makes keys that messages can be sealed with. */
export function isKeyed(policy: AuthPolicy): policy is KeyedPolicy {
  return policy !== 'basic' && policy !== 'certificate';
}

/**
 * What one connection signs in with.
 * @throws misuse.bad-argument needs-https for `basic` and `certificate` without a judged peer; empty when what the policy
 *   needs is missing
 */
export function createSignIn(options: SignInOptions): Authenticator | StandingAuthorization {
  const { policy, credential, certificate, peer } = options;
  if (policy === 'certificate') {
    if (certificate === null) return fail('misuse.bad-argument', { argument: 'certificate', reason: 'empty' });
    return certificateAuthorization(certificate, peer);
  }
  if (credential === null) return fail('misuse.bad-argument', { argument: 'credential', reason: 'empty' });
  if (policy === 'basic') return basicAuthorization(credential, peer);
  const binding = peer === null ? null : serverBinding(peer);
  return createAuthenticator({ ...options, policy, credential, binding });
}

/** Makes the authenticator of one connection to the server. A mechanism it begins is never reused. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  return new PolicyAuthenticator(options);
}

class PolicyAuthenticator implements Authenticator {
  readonly party = 'server';
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** Some servers never answer a request that has no token, so every policy begins with one. */
  beginOptimistic(): AuthMechanism {
    const { policy } = this.#options;
    const exchange = policy === 'negotiate' ? spnegoExchange(this.#options) : ntlmExchange(this.#options);
    return mechanismOf(schemeOf(policy), exchange);
  }

  /** @throws auth.no-common-mechanism naming what was offered */
  begin(offered: readonly Challenge[]): AuthMechanism {
    const wanted = schemeOf(this.#options.policy);
    if (!offered.some(({ scheme }) => scheme.toLowerCase() === wanted.toLowerCase())) {
      const schemes = new Set(offered.slice(0, MAX_NAMED_OFFERS).map(({ scheme }) => scheme));
      fail('auth.no-common-mechanism', { offered: [...schemes].join(', ') || 'none', wanted });
    }
    return this.beginOptimistic();
  }
}

/** More schemes than any server offers; keeps an error readable. */
const MAX_NAMED_OFFERS = 10;

function schemeOf(policy: KeyedPolicy): AuthMechanism['scheme'] {
  return policy === 'ntlm' ? 'NTLM' : 'Negotiate';
}
