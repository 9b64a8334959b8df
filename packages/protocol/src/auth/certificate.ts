import type { StandingAuthorization } from '../security.ts';
import type { TrustedPeer } from '../tls/trust.ts';
import type { Certificate } from '../tls/x509.ts';
import { requireJudged } from './basic.ts';

/** The scheme that says: who I am stands in my certificate. DMTF DSP0226, annex C.6, wsman:secprofile/https/mutual */
export const MUTUAL_PROFILE = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual';

/**
 * Signs in by the certificate that TLS has shown to the server; the requests only say so.
 *
 * @param certificate the client's own; the account it maps to is the server's affair
 * @param peer null without TLS
 * @throws misuse.bad-argument needs-https without a judged peer
 */
export function certificateAuthorization(certificate: Certificate, peer: TrustedPeer | null): StandingAuthorization {
  requireJudged(peer);
  return {
    party: 'server',
    scheme: MUTUAL_PROFILE,
    mechanism: 'Certificate',
    user: certificate.userPrincipalNames[0] ?? certificate.subject.text,
    token: () => null,
  };
}
