import { utf8Encode } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';
import type { StandingAuthorization } from '../security.ts';
import { TrustedPeer } from '../tls/trust.ts';
import type { Credential } from './credential.ts';

/**
 * Signs in with name and password on every request, as anybody on the connection could read them.
 *
 * RFC 7617, section 2; the text is UTF-8 (section 2.1)
 * INVARIANT: made only for a peer that was judged, whose certificate TLS has proved.
 * @param peer null without TLS
 * @throws misuse.bad-argument needs-https without such a peer; malformed for a user with a colon, which would end the
 *   name there
 */
export function basicAuthorization(credential: Credential, peer: TrustedPeer | null): StandingAuthorization {
  requireJudged(peer);
  const { user, domain, secret } = credential;
  const name = domain === '' ? user : `${domain}\\${user}`;
  if (name.includes(':')) fail('misuse.bad-argument', { argument: 'user', reason: 'malformed' });
  return {
    party: 'server',
    scheme: 'Basic',
    mechanism: 'Basic',
    user,
    token: () => utf8Encode(`${name}:${secret.reveal()}`),
  };
}

/** A way to sign in that TLS alone protects has no business outside it. @throws misuse.bad-argument needs-https */
export function requireJudged(peer: TrustedPeer | null): void {
  if (!(peer instanceof TrustedPeer)) fail('misuse.bad-argument', { argument: 'policy', reason: 'needs-https' });
}
