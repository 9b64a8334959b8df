import type { OnUnderrun } from '../bytes/cursor.ts';
import { DerReader } from '../codec/der.ts';
import { isSameKey } from '../crypto/private-key.ts';
import type { PrivateKey } from '../crypto/pubkey.ts';
import { fail, isWinRmError } from '../errors.ts';
import { isInDate } from './_chain.ts';
import { FilePassword } from './_password.ts';
import { isPem, type PemBlock, readPem } from './_pem.ts';
import { isPkcs12, type KeyFileContents, readPkcs12, takeEncryptedKey } from './_pkcs12.ts';
import { readEcPrivateKey, readPrivateKeyInfo, readRsaPrivateKey } from './_private-key.ts';
import { type Certificate, isSelfIssued, isSignedBy, parseCertificate } from './x509.ts';

/** A certificate to log on with, and its key. `key.wipe()` ends it. */
export interface ClientCertificate {
  readonly certificate: Certificate;
  /** DER: the certificate and then its issuers as far as the files go, without the root. RFC 8446, section 4.4.2 */
  readonly chain: readonly Uint8Array[];
  readonly key: PrivateKey;
}

/** What may keep Windows from accepting the certificate: to be shown, not obeyed. */
export type ClientCertificateWarning = 'expired' | 'not-yet-valid' | 'no-client-authentication' | 'no-user-name';

/** The largest file; one with a whole company's chain has twenty kilobytes. */
export const MAX_KEY_FILE_BYTES = 256 * 1024;

/**
 * Opens what a person chose as certificate to log on with: a PKCS#12 file, or PEM or DER files that hold the certificate
 * and its key, in any order. Key forms: PKCS#8, plain or encrypted, PKCS#1, SEC 1; RSA and the NIST curves.
 *
 * RFC 7292, RFC 7468, RFC 5958, RFC 8017, RFC 5915
 * @param password null when none was given
 * @throws tls.client-certificate-password when the password is missing or wrong
 * @throws tls.client-certificate when the files do not hold one usable certificate with its key
 */
export function openClientCertificate(files: readonly Uint8Array[], password: string | null): ClientCertificate {
  const opener = new FilePassword(password, unusable);
  const found: KeyFileContents = { keys: [], certificates: [] };
  try {
    for (const file of files) readFile(file, opener, found);
    return choose(found);
  } catch (error) {
    for (const key of found.keys) key.wipe();
    throw error;
  } finally {
    opener.wipe();
  }
}

/**
 * What Windows would hold against the certificate: it wants the purpose clientAuth, and a user principal name to map.
 * [MS-WSMV] 2.2.9.1 certificate mapping; RFC 5280, section 4.2.1.12
 *
 * @param nowMs milliseconds since 1970
 */
export function clientCertificateWarnings(certificate: Certificate, nowMs: number): ClientCertificateWarning[] {
  const warnings: ClientCertificateWarning[] = [];
  if (!isInDate(certificate, nowMs)) warnings.push(nowMs < certificate.notBeforeMs ? 'not-yet-valid' : 'expired');
  if (certificate.extendedKeyUsage?.includes(CLIENT_AUTH) !== true) warnings.push('no-client-authentication');
  if (certificate.userPrincipalNames.length === 0) warnings.push('no-user-name');
  return warnings;
}

/**
 * Reads the certificates of a PEM text, or the one of a DER file: roots to be trusted.
 *
 * @throws tls.bad-certificate when there is none, or one of them cannot be read
 */
export function readCertificates(file: Uint8Array): Certificate[] {
  const onProblem: OnUnderrun = (problem) => fail('tls.bad-certificate', { problem });
  if (file.length > MAX_ROOTS_BYTES) onProblem(`the file is longer than ${MAX_ROOTS_BYTES} bytes`);
  if (!isPem(file)) return [parseCertificate(file)];
  const blocks = readPem(file, onProblem).filter(({ label }) => label === 'CERTIFICATE');
  if (blocks.length === 0) onProblem('the file holds no certificate');
  return blocks.map(({ bytes }) => parseCertificate(bytes));
}

/** The largest file of roots: room for a whole public list. */
const MAX_ROOTS_BYTES = 1024 * 1024;

function readFile(file: Uint8Array, password: FilePassword, found: KeyFileContents): void {
  if (file.length > MAX_KEY_FILE_BYTES) unusable(`the file is longer than ${MAX_KEY_FILE_BYTES} bytes`);
  if (isPem(file)) {
    for (const block of readPem(file, unusable)) readBlock(block, password, found);
  } else if (isPkcs12(file)) {
    readPkcs12(file, password, found, unusable);
  } else if (isCertificate(file)) found.certificates.push(file);
  else found.keys.push(readPrivateKeyInfo(file, unusable));
}

function readBlock({ label, bytes, hasHeaders }: PemBlock, password: FilePassword, found: KeyFileContents): void {
  if (hasHeaders) unusable('the key is encrypted in the old PEM form; convert it with "openssl pkcs8 -topk8"');
  const keep = (key: PrivateKey): void => {
    found.keys.push(key);
    bytes.fill(0);
  };
  if (label === 'CERTIFICATE' || label === 'X509 CERTIFICATE') found.certificates.push(bytes);
  else if (label === 'PRIVATE KEY') keep(readPrivateKeyInfo(bytes, unusable));
  else if (label === 'RSA PRIVATE KEY') keep(readRsaPrivateKey(bytes, unusable));
  else if (label === 'EC PRIVATE KEY') keep(readEcPrivateKey(bytes, null, unusable));
  else if (label === 'ENCRYPTED PRIVATE KEY') {
    found.keys.push(takeEncryptedKey(new DerReader(bytes, unusable), password, unusable));
  }
}

/** The one key that has a certificate, and what leads from that towards a root. */
function choose(found: KeyFileContents): ClientCertificate {
  if (found.keys.length === 0) unusable('the files hold no private key');
  if (found.certificates.length === 0) unusable('the files hold no certificate');
  const certificates = found.certificates.map(readable);
  for (const key of found.keys) {
    const certificate = certificates.find((one) => isSameKey(one.publicKey, key.publicKey));
    if (certificate === undefined) continue;
    for (const other of found.keys) if (other !== key) other.wipe();
    return { certificate, chain: chainOf(certificate, certificates), key };
  }
  return unusable('the private key does not belong to the certificate');
}

/** Issuer by issuer, each certificate once. */
function chainOf(certificate: Certificate, others: readonly Certificate[]): Uint8Array[] {
  const chain = [certificate];
  for (let last = certificate; chain.length < MAX_SENT_CERTIFICATES; ) {
    const issuer = others.find((one) => !chain.includes(one) && !isSelfIssued(one) && isSignedBy(last, one));
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain.map(({ der }) => der);
}

const MAX_SENT_CERTIFICATES = 8;

function readable(der: Uint8Array): Certificate {
  try {
    return parseCertificate(der);
  } catch (error) {
    return unusable(isWinRmError(error, 'tls.bad-certificate') ? error.details.problem : 'it cannot be read', error);
  }
}

/** A certificate's first value is a sequence, a PKCS#8 key's an integer. */
function isCertificate(file: Uint8Array): boolean {
  const lengthByte = file[1] ?? 0;
  return file[lengthByte > 0x80 ? 2 + (lengthByte & 0x7f) : 2] === 0x30;
}

function unusable(problem: string, cause?: unknown): never {
  return fail('tls.client-certificate', { problem }, cause);
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
