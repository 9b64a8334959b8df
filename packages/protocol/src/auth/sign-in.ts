import { fail } from '../errors.ts';
import type { Authenticator, StandingAuthorization } from '../security.ts';
import type { TrustedPeer } from '../tls/trust.ts';
import type { Certificate } from '../tls/x509.ts';
import { basicAuthorization } from './basic.ts';
import { serverBinding } from './binding.ts';
import { certificateAuthorization } from './certificate.ts';
import type { Credential } from './credential.ts';
import { type AuthenticatorOptions, type AuthPolicy, createAuthenticator } from './select.ts';

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
