import { concatBytes, latin1Encode } from '../bytes/bytes.ts';
import { digest } from '../crypto/digest.ts';
import type { Certificate } from './x509.ts';

/**
 * The application data of the channel binding `tls-server-end-point`: its name and the hash of the server's certificate,
 * taken with the hash the certificate is signed with, or SHA-256 where that is MD5, SHA-1 or none (EdDSA).
 *
 * RFC 5929, section 4.1
 */
export function serverEndPoint(certificate: Certificate): Uint8Array {
  const { hash } = certificate.signatureAlgorithm;
  const own = hash === 'sha384' || hash === 'sha512' ? hash : 'sha256';
  return concatBytes(latin1Encode('tls-server-end-point:'), digest(own, certificate.der));
}
