import { privateKeyOf } from '../crypto/private-key.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { PackedClientCertificate } from './packed-certificate.ts';
import { parseCertificate } from './x509.ts';

/**
 * The certificate again; the numbers it was packed with are zeroed, whatever happens.
 * @throws tls.bad-certificate, tls.client-certificate when it is not what was packed
 */
export function unpackClientCertificate({ certificate, chain, key }: PackedClientCertificate): ClientCertificate {
  try {
    return { certificate: parseCertificate(certificate), chain, key: privateKeyOf(key) };
  } finally {
    for (const bytes of key.kind === 'rsa' ? Object.values(key.numbers) : [key.scalar]) bytes.fill(0);
  }
}
