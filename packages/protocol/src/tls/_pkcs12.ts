import { concatBytes } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';
import { contextTag, type DerReader } from '../codec/der.ts';
import type { PrivateKey } from '../crypto/pubkey.ts';
import { ASN1, implicitTag, onlyValue, takeOid, takeSmall } from './_asn1.ts';
import { derOfBer } from './_ber.ts';
import type { FilePassword } from './_password.ts';
import { readPrivateKeyInfo } from './_private-key.ts';

/** What a file of keys and certificates holds. */
export interface KeyFileContents {
  readonly keys: PrivateKey[];
  /** DER, in the order of the file. */
  readonly certificates: Uint8Array[];
}

const MAX_BAGS = 200;

/** Whether the bytes begin as a PKCS#12 file does: a sequence whose first value is the version 3. RFC 7292, section 4 */
export function isPkcs12(bytes: Uint8Array): boolean {
  const lengthByte = bytes[1] ?? 0;
  const at = lengthByte > 0x80 ? 2 + (lengthByte & 0x7f) : 2;
  return bytes[0] === ASN1.sequence && bytes[at] === ASN1.integer && bytes[at + 1] === 1 && bytes[at + 2] === 3;
}

/**
 * Opens a PKCS#12 file into `found`. The MAC, where there is one, is checked before anything inside is read.
 *
 * RFC 7292
 * @throws tls.client-certificate-password when the password is missing or wrong
 */
export function readPkcs12(
  bytes: Uint8Array,
  password: FilePassword,
  found: KeyFileContents,
  onProblem: OnUnderrun,
): void {
  const reader = onlyValue(derOfBer(bytes, onProblem), ASN1.sequence, onProblem);
  if (takeSmall(reader, onProblem) !== 3) onProblem('a PKCS#12 file of an unknown version');
  const { type, content } = takeContentInfo(reader, onProblem);
  if (type !== DATA) onProblem('a PKCS#12 file that is not protected by a password');
  const safe = content.take(ASN1.octetString);
  const mac = reader.insideOptional(ASN1.sequence);
  reader.end();
  if (mac !== null) password.checkMac(mac, safe);
  const parts = onlyValue(derOfBer(safe, onProblem), ASN1.sequence, onProblem);
  while (!parts.isAtEnd) readPart(takeContentInfo(parts, onProblem), password, found, onProblem);
}

function takeContentInfo(reader: DerReader, onProblem: OnUnderrun): { type: string; content: DerReader } {
  const info = reader.inside(ASN1.sequence);
  return { type: takeOid(info, onProblem), content: info.inside(contextTag(0)) };
}

/** SafeContents in the clear or encrypted. RFC 7292, section 4.1 */
function readPart(
  part: { type: string; content: DerReader },
  password: FilePassword,
  found: KeyFileContents,
  onProblem: OnUnderrun,
): void {
  if (part.type === DATA) {
    readBags(part.content.take(ASN1.octetString), password, found, onProblem);
    return;
  }
  if (part.type !== ENCRYPTED_DATA) onProblem('a part that is not protected by a password');
  const encrypted = part.content.inside(ASN1.sequence);
  takeSmall(encrypted, onProblem); // version
  const inner = encrypted.inside(ASN1.sequence);
  takeOid(inner, onProblem); // always DATA
  const algorithm = inner.inside(ASN1.sequence);
  const bags = password.decrypt(algorithm, takePieces(inner, onProblem));
  try {
    refuseNoise(bags, password);
    readBags(bags, password, found, onProblem);
  } finally {
    bags.fill(0);
  }
}

/** [0] IMPLICIT OCTET STRING, whole or, in BER, in pieces. */
function takePieces(reader: DerReader, onProblem: OnUnderrun): Uint8Array {
  const pieces = reader.insideOptional(contextTag(0));
  if (pieces === null) return reader.take(implicitTag(0));
  const parts: Uint8Array[] = [];
  while (!pieces.isAtEnd) parts.push(pieces.take(ASN1.octetString));
  return parts.length === 0 ? onProblem('an encrypted part without contents') : concatBytes(...parts);
}

/** SafeContents: bags of keys and certificates; other bags are passed over. RFC 7292, section 4.2 */
function readBags(bytes: Uint8Array, password: FilePassword, found: KeyFileContents, onProblem: OnUnderrun): void {
  const bags = onlyValue(derOfBer(bytes, onProblem), ASN1.sequence, onProblem);
  for (let count = 0; !bags.isAtEnd; count++) {
    if (count >= MAX_BAGS) onProblem('a PKCS#12 file of too many parts');
    const bag = bags.inside(ASN1.sequence);
    const type = takeOid(bag, onProblem);
    const value = bag.inside(contextTag(0));
    if (type === KEY_BAG) found.keys.push(readPrivateKeyInfo(value.takeEncoded(ASN1.sequence), onProblem));
    else if (type === SHROUDED_KEY_BAG) found.keys.push(takeEncryptedKey(value, password, onProblem));
    else if (type === CERTIFICATE_BAG) {
      const certificate = value.inside(ASN1.sequence);
      if (takeOid(certificate, onProblem) !== X509_CERTIFICATE) continue;
      found.certificates.push(certificate.inside(contextTag(0)).take(ASN1.octetString).slice());
    }
  }
}

/** EncryptedPrivateKeyInfo. RFC 5958, section 3 */
export function takeEncryptedKey(reader: DerReader, password: FilePassword, onProblem: OnUnderrun): PrivateKey {
  const encrypted = reader.inside(ASN1.sequence);
  const algorithm = encrypted.inside(ASN1.sequence);
  const plain = password.decrypt(algorithm, encrypted.take(ASN1.octetString));
  try {
    refuseNoise(plain, password);
    return readPrivateKeyInfo(plain, onProblem);
  } finally {
    plain.fill(0);
  }
}

/** A wrong password leaves a right padding one time in 256: what opens then is noise. */
function refuseNoise(plain: Uint8Array, password: FilePassword): void {
  if (plain[0] !== ASN1.sequence) password.refuse();
}

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
