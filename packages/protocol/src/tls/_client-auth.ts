import { concatBytes, latin1Encode } from '../bytes/bytes.ts';
import { type PublicKey, SIGNATURE_SCHEMES, type SignatureScheme, schemeFitsKey } from '../crypto/pubkey.ts';
import { failWith } from './_alerts.ts';
import type { ClientCertificate, Setting, Transcript } from './_handshake.ts';
import {
  type CertificateRequest,
  encodeCertificate,
  encodeCertificateVerify,
  encodeMessage,
  SCHEME_IDS,
} from './_messages.ts';
import { isSha1 } from './_offer.ts';
import { finished13, type Suite, type TlsVersion } from './_suites.ts';

/** Signatures of handshakes, and how a client certificate is shown. */

/**
 * Whether a scheme may sign a handshake with this key: TLS 1.3 knows neither PKCS #1 v1.5 nor SHA-1 there, and ties ECDSA
 * to its curve. RFC 8446, section 4.4.3
 */
export function maySign(scheme: SignatureScheme, key: PublicKey, version: TlsVersion): boolean {
  if (version === '1.2') return schemeFitsKey(scheme, key, 'key');
  return SIGNATURE_SCHEMES[scheme].family !== 'pkcs1' && !isSha1(scheme) && schemeFitsKey(scheme, key, 'scheme');
}

/**
 * The CertificateVerify of a client certificate over `signed`, by the first of our schemes the server takes too; by SHA-1
 * only where old servers are let in, since collisions of it would let a signature serve another handshake. RFC 9155
 * @throws tls.client-certificate when there is none
 */
export function proveOurs(
  certificate: ClientCertificate,
  request: CertificateRequest,
  version: TlsVersion,
  signed: Uint8Array,
  { random, allowLegacy }: Pick<Setting, 'random' | 'allowLegacy'>,
): Uint8Array {
  const { key } = certificate;
  for (const [scheme, id] of SCHEME_IDS) {
    if (isSha1(scheme) && !allowLegacy) continue;
    if (!request.schemes.includes(id) || !maySign(scheme, key.publicKey, version)) continue;
    return encodeCertificateVerify(id, key.sign(scheme, signed, random));
  }
  const problem = 'the host takes no signature that its key can make';
  return failWith('handshake_failure', 'tls.client-certificate', { problem });
}

/** What the client's last flight of TLS 1.3 is made from. */
export interface SignOff {
  readonly suite: Suite;
  /** Everything before the flight, the CertificateRequest included. */
  readonly transcript: Transcript;
  /** The traffic secret Finished is keyed with. RFC 8446, section 4.4. */
  readonly baseKey: Uint8Array;
  /** Null when no certificate was asked for. */
  readonly request: CertificateRequest | null;
}

/**
 * Sends Certificate and CertificateVerify where they were asked for (an empty Certificate where we have none), then
 * Finished. RFC 8446, section 4.4
 */
export function signOff13(setting: Setting, { suite, transcript, baseKey, request }: SignOff): void {
  const { clientCertificate, wire } = setting;
  const send = (raw: Uint8Array): void => {
    transcript.add(raw);
    wire.sendMessage(raw);
  };
  if (request !== null) {
    send(encodeCertificate(clientCertificate?.chain ?? [], request.context));
    if (clientCertificate !== null) {
      const signed = signedContent('client', transcript.hash(suite.hash));
      send(proveOurs(clientCertificate, request, '1.3', signed, setting));
    }
  }
  const verifyData = finished13(suite.hash, baseKey, transcript.hash(suite.hash));
  send(encodeMessage('Finished', (w) => w.bytes(verifyData)));
}

/** Sixty-four blanks, a word, a zero, and the transcript. RFC 8446, section 4.4.3. */
export function signedContent(side: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
  return concatBytes(latin1Encode(`${' '.repeat(64)}TLS 1.3, ${side} CertificateVerify\0`), transcriptHash);
}
