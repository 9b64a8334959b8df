import { toHex } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';
import { contextTag, type DerReader } from '../codec/der.ts';
import { digest } from '../crypto/digest.ts';
import { type PublicKey, type SignatureScheme, verifySignature } from '../crypto/pubkey.ts';
import { fail } from '../errors.ts';
import { ASN1, onlyValue, takeBits, takeInteger, takeSmall, takeTime } from './_asn1.ts';
import { type CertificateExtensions, readExtensions } from './_extensions.ts';
import { readPublicKey, type SignatureAlgorithm, takeSignatureAlgorithm } from './_key-algorithms.ts';
import { type DistinguishedName, takeDistinguishedName } from './_names.ts';

/** One certificate, read and not yet judged. All arrays are views of `der`. RFC 5280, section 4.1 */
export interface Certificate extends CertificateExtensions {
  readonly der: Uint8Array;
  /** The part that is signed, with its tag. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Content octets. */
  readonly serial: Uint8Array;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly notBeforeMs: number;
  /** The last valid second. */
  readonly notAfterMs: number;
  readonly publicKey: PublicKey;
  /** SubjectPublicKeyInfo with its tag. */
  readonly spki: Uint8Array;
  /** Contents of the subjectPublicKey BIT STRING: what CredSSP binds to. [MS-CSSP] 2.2.1 */
  readonly subjectPublicKey: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** The largest certificate we read; Windows takes no client certificate above 16 KiB, and servers' are near 2. */
export const MAX_CERTIFICATE_BYTES = 64 * 1024;

/**
 * Reads a certificate. It is not judged: that is what `trust.ts` does.
 *
 * RFC 5280, section 4.1
 * @throws tls.bad-certificate for anything that is not one strict DER certificate with a key of a kind we know
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) badCertificate(`longer than ${MAX_CERTIFICATE_BYTES} bytes`);
  const outer = onlyValue(der, ASN1.sequence, badCertificate);
  const tbs = outer.takeEncoded(ASN1.sequence);
  const signatureAlgorithm = takeSignatureAlgorithm(outer, badCertificate);
  const signature = takeBits(outer, badCertificate);
  outer.end();
  const signed = readSigned(tbs);
  if (signed.innerAlgorithm !== signatureAlgorithm.fingerprint) badCertificate('it names two signature algorithms');
  return { der, tbs, ...signed.fields, signatureAlgorithm, signature };
}

/**
 * Reads a chain as a server presents it: the first certificate must be readable; others that are not are left out, since
 * a path need not go through them.
 *
 * @throws tls.bad-certificate when there is none or the first cannot be read
 */
export function parseChain(ders: readonly Uint8Array[]): Certificate[] {
  const [first, ...others] = ders;
  if (first === undefined) return badCertificate('the host sent none');
  const chain = [parseCertificate(first)];
  for (const der of others.slice(0, MAX_CHAIN_CERTIFICATES - 1)) {
    const certificate = readable(der);
    if (certificate !== null) chain.push(certificate);
  }
  return chain;
}

/** The most certificates of one chain we look at. */
export const MAX_CHAIN_CERTIFICATES = 16;

/** SHA-256 of the whole certificate, upper-case hexadecimal: what a pin holds. */
export function sha256Thumbprint(certificate: Certificate): string {
  return toHex(digest('sha256', certificate.der)).toUpperCase();
}

/** SHA-1 of the whole certificate, upper-case hexadecimal: what Windows calls the thumbprint. */
export function sha1Thumbprint(certificate: Certificate): string {
  return toHex(digest('sha1', certificate.der)).toUpperCase();
}

/** Whether `issuer`'s key signed `certificate`. Says nothing about whether it was allowed to. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { scheme } = certificate.signatureAlgorithm;
  const { publicKey } = issuer;
  if (scheme === null) return false;
  // A certificate says only "RSA-PSS"; TLS has a name of its own for it under a key that can do nothing else.
  const isPssOnly = publicKey.kind === 'rsa' && publicKey.isPssOnly === true;
  const own = isPssOnly ? (PSS_ONLY[scheme] ?? scheme) : scheme;
  return verifySignature(publicKey, own, certificate.tbs, certificate.signature, 'key');
}

/** Whether the certificate names itself as its issuer. RFC 5280, section 3.2, "self-issued" */
export function isSelfIssued(certificate: Certificate): boolean {
  return toHex(certificate.subject.der) === toHex(certificate.issuer.der);
}

function readable(der: Uint8Array): Certificate | null {
  try {
    return parseCertificate(der);
  } catch {
    return null; // only tls.bad-certificate comes from there
  }
}

/** TBSCertificate. */
function readSigned(tbs: Uint8Array): {
  innerAlgorithm: string;
  fields: Omit<Certificate, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'>;
} {
  const reader = onlyValue(tbs, ASN1.sequence, badCertificate);
  const version = takeVersion(reader);
  const serial = takeInteger(reader, badCertificate);
  const innerAlgorithm = takeSignatureAlgorithm(reader, badCertificate).fingerprint;
  const issuer = takeDistinguishedName(reader, badCertificate);
  const validity = reader.inside(ASN1.sequence);
  const notBeforeMs = takeTime(validity, badCertificate);
  const notAfterMs = takeTime(validity, badCertificate);
  validity.end();
  const subject = takeDistinguishedName(reader, badCertificate);
  const spki = reader.takeEncoded(ASN1.sequence);
  const { publicKey, subjectPublicKey } = readPublicKey(spki, badCertificate);
  reader.takeOptional(0x81); // issuerUniqueID, which nobody uses
  reader.takeOptional(0x82); // subjectUniqueID
  const extensions = reader.insideOptional(contextTag(3));
  reader.end();
  if (extensions !== null && version !== 3) badCertificate('it has extensions but is not of version 3');
  const fields = { version, serial, subject, issuer, notBeforeMs, notAfterMs, publicKey, spki, subjectPublicKey };
  return { innerAlgorithm, fields: { ...fields, ...readExtensions(extensions, badCertificate) } };
}

function takeVersion(reader: DerReader): 1 | 2 | 3 {
  const explicit = reader.insideOptional(contextTag(0));
  if (explicit === null) return 1;
  const version = takeSmall(explicit, badCertificate);
  explicit.end();
  return version === 1 ? 2 : version === 2 ? 3 : badCertificate(`version field ${version}`);
}

const PSS_ONLY: Readonly<Partial<Record<SignatureScheme, SignatureScheme>>> = {
  rsa_pss_rsae_sha256: 'rsa_pss_pss_sha256',
  rsa_pss_rsae_sha384: 'rsa_pss_pss_sha384',
  rsa_pss_rsae_sha512: 'rsa_pss_pss_sha512',
};

const badCertificate: OnUnderrun = (problem) => fail('tls.bad-certificate', { problem });
