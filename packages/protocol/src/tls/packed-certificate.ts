import type { PrivateKeyNumbers } from '../crypto/pubkey.ts';
import type { ClientCertificate } from './client-certificate.ts';

/** A certificate to log on with as plain values, for a thread that shares no memory. The key is in it as it is. */
export interface PackedClientCertificate {
  /** DER, the certificate itself. */
  readonly certificate: Uint8Array;
  /** DER, as `ClientCertificate.chain`. */
  readonly chain: readonly Uint8Array[];
  readonly key: PrivateKeyNumbers;
}

/**
 * Copies a certificate and its key out. Whoever takes it hands its memory over, or wipes it.
 * @throws misuse.wrong-state when the key has been wiped
 */
export function packClientCertificate({ certificate, chain, key }: ClientCertificate): PackedClientCertificate {
  return { certificate: certificate.der.slice(), chain: chain.map((der) => der.slice()), key: key.copyNumbers() };
}
