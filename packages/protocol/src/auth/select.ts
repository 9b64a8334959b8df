import { fail } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { Authenticator, AuthMechanism, Challenge } from '../security.ts';
import { mechanismOf } from './_mechanism.ts';
import type { Credential } from './credential.ts';
import type { NtlmOptions } from './ntlm/ntlm.ts';
import { ntlmExchange } from './ntlm/ntlm.ts';
import { spnegoExchange } from './spnego/spnego.ts';

/**
 * How to sign in: `negotiate` is SPNEGO over NTLM under the scheme Negotiate; `negotiate-raw` is NTLM without SPNEGO
 * under the same scheme, for servers that want it so; `ntlm` is the scheme NTLM, which only endpoints in IIS offer.
 */
export type AuthPolicy = 'negotiate' | 'negotiate-raw' | 'ntlm';

/** What an authenticator needs. */
export interface AuthenticatorOptions extends NtlmOptions {
  readonly policy: AuthPolicy;
  readonly platform: Platform;
  readonly credential: Credential;
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

function schemeOf(policy: AuthPolicy): AuthMechanism['scheme'] {
  return policy === 'ntlm' ? 'NTLM' : 'Negotiate';
}
