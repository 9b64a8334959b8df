import { toHex } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';
import { contextTag, type DerReader } from '../codec/der.ts';
import { CURVES, type CurveName, type PublicKey, type SignatureScheme } from '../crypto/pubkey.ts';
import { bigintOf, isBearableRsaKey } from '../crypto/rsa.ts';
import { ASN1, onlyValue, takeBits, takeMagnitude, takeOid, takeSmall } from './_asn1.ts';

/** Identifiers of keys. RFC 3279, RFC 5480, RFC 8410 */
export const KEY_OIDS = {
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  ec: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
} as const;

/** How a certificate is signed. */
export interface SignatureAlgorithm {
  /** Dotted object identifier. */
  readonly oid: string;
  /** For people: "sha256WithRSAEncryption", or the identifier when we do not know it. */
  readonly name: string;
  /** The scheme to check it with; null for MD5, MD2, DSA and everything else we do not check. */
  readonly scheme: SignatureScheme | null;
  /** The hash the signature is over; null when the algorithm names none or one we do not know. */
  readonly hash: 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | null;
  /** Identifier and parameters, to compare the two places of a certificate. RFC 5280, section 4.1.1.2 */
  readonly fingerprint: string;
}

/** Reads the AlgorithmIdentifier of a signature. */
export function takeSignatureAlgorithm(reader: DerReader, onProblem: OnUnderrun): SignatureAlgorithm {
  const encoded = reader.takeEncoded(ASN1.sequence);
  const inner = onlyValue(encoded, ASN1.sequence, onProblem);
  const oid = takeOid(inner, onProblem);
  const fingerprint = toHex(encoded);
  if (oid === KEY_OIDS.rsaPss) return { oid, fingerprint, ...readPssParameters(inner, onProblem) };
  const known = SIGNATURE_OIDS[oid];
  return { oid, fingerprint, ...(known ?? { name: oid, scheme: null, hash: null }) };
}

/** Reads a SubjectPublicKeyInfo. RFC 5280, section 4.1.2.7 */
export function readPublicKey(
  spki: Uint8Array,
  onProblem: OnUnderrun,
): { publicKey: PublicKey; subjectPublicKey: Uint8Array } {
  const reader = onlyValue(spki, ASN1.sequence, onProblem);
  const algorithm = reader.inside(ASN1.sequence);
  const subjectPublicKey = takeBits(reader, onProblem);
  reader.end();
  const oid = takeOid(algorithm, onProblem);
  if (oid === KEY_OIDS.rsa || oid === KEY_OIDS.rsaPss) {
    return { publicKey: readRsaPublicKey(subjectPublicKey, oid === KEY_OIDS.rsaPss, onProblem), subjectPublicKey };
  }
  if (oid === KEY_OIDS.ec) {
    return { publicKey: ecPublicKey(takeCurve(algorithm, onProblem), subjectPublicKey, onProblem), subjectPublicKey };
  }
  if (oid !== KEY_OIDS.ed25519) return onProblem(`a key of kind ${oid}, which we cannot use`);
  if (subjectPublicKey.length !== 32) onProblem(`an Ed25519 key of ${subjectPublicKey.length} bytes`);
  return { publicKey: { kind: 'ed25519', key: subjectPublicKey }, subjectPublicKey };
}

/** The curve that namedCurve parameters name. RFC 5480, section 2.1.1 */
export function takeCurve(reader: DerReader, onProblem: OnUnderrun): CurveName {
  if (reader.peekTag() !== ASN1.objectIdentifier) return onProblem('a curve without a name');
  const oid = takeOid(reader, onProblem);
  return CURVE_OIDS[oid] ?? onProblem(`the curve ${oid}, which we cannot use`);
}

/** A public key from its point, which must lie on the curve; a compressed one is expanded. */
export function ecPublicKey(curve: CurveName, point: Uint8Array, onProblem: OnUnderrun): PublicKey {
  return { kind: 'ec', curve, point: expandPoint(curve, point) ?? onProblem('a point that is not on its curve') };
}

function expandPoint(curve: CurveName, point: Uint8Array): Uint8Array | null {
  try {
    return CURVES[curve].Point.fromBytes(point).toBytes(false);
  } catch {
    return null; // noble's word for a point off the curve
  }
}

function readRsaPublicKey(bits: Uint8Array, isPssOnly: boolean, onProblem: OnUnderrun): PublicKey {
  const reader = onlyValue(bits, ASN1.sequence, onProblem);
  const modulusDigits = takeMagnitude(reader, onProblem);
  const exponentDigits = takeMagnitude(reader, onProblem);
  reader.end();
  if (modulusDigits.length > MAX_RSA_BYTES || exponentDigits.length > 4) return onProblem('an RSA key out of range');
  const modulus = bigintOf(modulusDigits);
  const exponent = bigintOf(exponentDigits);
  if (!isBearableRsaKey(modulus, exponent)) return onProblem('an RSA key out of range');
  const key = { kind: 'rsa', modulus, exponent, modulusBytes: modulusDigits.length } as const;
  return isPssOnly ? { ...key, isPssOnly } : key;
}

/**
 * RSASSA-PSS-params. Only the combinations TLS knows have a scheme: one hash for message and mask, a salt as long as
 * the hash. RFC 4055, section 3.1; RFC 8446, section 4.2.3
 */
function readPssParameters(reader: DerReader, onProblem: OnUnderrun): Omit<SignatureAlgorithm, 'oid' | 'fingerprint'> {
  const parameters = reader.insideOptional(ASN1.sequence);
  const hashField = parameters?.insideOptional(contextTag(0)) ?? null;
  const hash = hashField === null ? 'sha1' : takeHash(hashField, onProblem);
  const maskField = parameters?.insideOptional(contextTag(1)) ?? null;
  const maskHash = maskField === null ? 'sha1' : takeMaskHash(maskField, onProblem);
  const saltField = parameters?.insideOptional(contextTag(2)) ?? null;
  const saltBytes = saltField === null ? 20 : takeSmall(saltField, onProblem);
  const trailerField = parameters?.insideOptional(contextTag(3)) ?? null;
  const trailer = trailerField === null ? 1 : takeSmall(trailerField, onProblem);
  parameters?.end();
  const name = `RSASSA-PSS (${hash ?? 'unknown hash'})`;
  const pair = hash === null ? undefined : PSS_SCHEMES[hash];
  const isTlsForm = pair !== undefined && maskHash === hash && saltBytes === pair.saltBytes && trailer === 1;
  return { name, scheme: isTlsForm ? pair.scheme : null, hash };
}

function takeHash(reader: DerReader, onProblem: OnUnderrun): SignatureAlgorithm['hash'] {
  return HASH_OIDS[takeOid(reader.inside(ASN1.sequence), onProblem)] ?? null;
}

function takeMaskHash(reader: DerReader, onProblem: OnUnderrun): SignatureAlgorithm['hash'] {
  const algorithm = reader.inside(ASN1.sequence);
  return takeOid(algorithm, onProblem) === MGF1 ? takeHash(algorithm, onProblem) : null;
}

const MAX_RSA_BYTES = 2048; // MAX_RSA_BITS, said before the digits are made a number
const MGF1 = '1.2.840.113549.1.1.8';

const PSS_SCHEMES: Readonly<Partial<Record<string, { scheme: SignatureScheme; saltBytes: number }>>> = {
  sha256: { scheme: 'rsa_pss_rsae_sha256', saltBytes: 32 },
  sha384: { scheme: 'rsa_pss_rsae_sha384', saltBytes: 48 },
  sha512: { scheme: 'rsa_pss_rsae_sha512', saltBytes: 64 },
};

/** Identifiers of hashes. RFC 3279, RFC 5754 */
export const HASH_OIDS: Readonly<Partial<Record<string, 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512'>>> = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

const CURVE_OIDS: Readonly<Partial<Record<string, CurveName>>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
};

/** RFC 3279, section 2.2; RFC 4055, section 5; RFC 5758, section 3.2; RFC 8410 */
const SIGNATURE_OIDS: Readonly<Partial<Record<string, Pick<SignatureAlgorithm, 'name' | 'scheme' | 'hash'>>>> = {
  '1.2.840.113549.1.1.4': { name: 'md5WithRSAEncryption', scheme: null, hash: 'md5' },
  '1.2.840.113549.1.1.5': { name: 'sha1WithRSAEncryption', scheme: 'rsa_pkcs1_sha1', hash: 'sha1' },
  '1.3.14.3.2.29': { name: 'sha1WithRSA (OIW)', scheme: 'rsa_pkcs1_sha1', hash: 'sha1' },
  '1.2.840.113549.1.1.11': { name: 'sha256WithRSAEncryption', scheme: 'rsa_pkcs1_sha256', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { name: 'sha384WithRSAEncryption', scheme: 'rsa_pkcs1_sha384', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { name: 'sha512WithRSAEncryption', scheme: 'rsa_pkcs1_sha512', hash: 'sha512' },
  '1.2.840.10045.4.1': { name: 'ecdsa-with-SHA1', scheme: 'ecdsa_sha1', hash: 'sha1' },
  '1.2.840.10045.4.3.2': { name: 'ecdsa-with-SHA256', scheme: 'ecdsa_secp256r1_sha256', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { name: 'ecdsa-with-SHA384', scheme: 'ecdsa_secp384r1_sha384', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { name: 'ecdsa-with-SHA512', scheme: 'ecdsa_secp521r1_sha512', hash: 'sha512' },
  '1.3.101.112': { name: 'Ed25519', scheme: 'ed25519', hash: null },
};
