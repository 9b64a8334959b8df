import { fail } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { Authenticator, AuthMechanism, Challenge } from '../security.ts';
import { mechanismOf } from './_mechanism.ts';
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

/** Whether a policy makes keys that messages can be sealed with. */
export function isKeyed(policy: AuthPolicy): policy is KeyedPolicy {
  return policy !== 'basic' && policy !== 'certificate';
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
