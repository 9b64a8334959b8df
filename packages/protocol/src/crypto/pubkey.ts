import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { digest, type HashName } from './digest.ts';
import { type RsaNumbers, verifyPkcs1, verifyPss } from './rsa.ts';

/** The curves certificates may use. RFC 8422, section 5.1.1 */
export type CurveName = 'P-256' | 'P-384' | 'P-521';

/** An RSA public key; `isPssOnly` when the certificate names id-RSASSA-PSS as the key's only use. RFC 4055, section 1.2 */
export interface RsaPublicKey extends RsaNumbers {
  readonly kind: 'rsa';
  readonly isPssOnly?: boolean;
}

/** A point of a curve in the uncompressed form of SEC 1, section 2.3.3. */
export interface EcPublicKey {
  readonly kind: 'ec';
  readonly curve: CurveName;
  readonly point: Uint8Array;
}

/** An Ed25519 public key, 32 bytes. RFC 8410 */
export interface EdPublicKey {
  readonly kind: 'ed25519';
  readonly key: Uint8Array;
}

/** The keys whose signatures we can check. */
export type PublicKey = RsaPublicKey | EcPublicKey | EdPublicKey;

/** Ways of signing, by their names in TLS. RFC 8446, section 4.2.3 */
export type SignatureScheme =
  | 'rsa_pkcs1_sha1'
  | 'rsa_pkcs1_sha256'
  | 'rsa_pkcs1_sha384'
  | 'rsa_pkcs1_sha512'
  | 'rsa_pss_rsae_sha256'
  | 'rsa_pss_rsae_sha384'
  | 'rsa_pss_rsae_sha512'
  | 'rsa_pss_pss_sha256'
  | 'rsa_pss_pss_sha384'
  | 'rsa_pss_pss_sha512'
  | 'ecdsa_sha1'
  | 'ecdsa_secp256r1_sha256'
  | 'ecdsa_secp384r1_sha384'
  | 'ecdsa_secp521r1_sha512'
  | 'ed25519';

/** What a scheme is made of. `curve` is the one TLS 1.3 ties it to. */
export interface SchemeParts {
  readonly family: 'pkcs1' | 'pss' | 'ecdsa' | 'ed25519';
  readonly hash: HashName | null;
  readonly curve: CurveName | null;
}

/** The parts of every scheme. */
export const SIGNATURE_SCHEMES: Readonly<Record<SignatureScheme, SchemeParts>> = {
  rsa_pkcs1_sha1: { family: 'pkcs1', hash: 'sha1', curve: null },
  rsa_pkcs1_sha256: { family: 'pkcs1', hash: 'sha256', curve: null },
  rsa_pkcs1_sha384: { family: 'pkcs1', hash: 'sha384', curve: null },
  rsa_pkcs1_sha512: { family: 'pkcs1', hash: 'sha512', curve: null },
  rsa_pss_rsae_sha256: { family: 'pss', hash: 'sha256', curve: null },
  rsa_pss_rsae_sha384: { family: 'pss', hash: 'sha384', curve: null },
  rsa_pss_rsae_sha512: { family: 'pss', hash: 'sha512', curve: null },
  rsa_pss_pss_sha256: { family: 'pss', hash: 'sha256', curve: null },
  rsa_pss_pss_sha384: { family: 'pss', hash: 'sha384', curve: null },
  rsa_pss_pss_sha512: { family: 'pss', hash: 'sha512', curve: null },
  ecdsa_sha1: { family: 'ecdsa', hash: 'sha1', curve: null },
  ecdsa_secp256r1_sha256: { family: 'ecdsa', hash: 'sha256', curve: 'P-256' },
  ecdsa_secp384r1_sha384: { family: 'ecdsa', hash: 'sha384', curve: 'P-384' },
  ecdsa_secp521r1_sha512: { family: 'ecdsa', hash: 'sha512', curve: 'P-521' },
  ed25519: { family: 'ed25519', hash: null, curve: null },
};

/**
 * A private key that can sign. It keeps its numbers as bytes so that `wipe` can zero them; after that `sign` throws
 * misuse.wrong-state.
 */
export interface PrivateKey {
  readonly publicKey: PublicKey;
  /**
   * @param random strong random bytes: salt, blinding and hedging come from it
   * @throws misuse.wrong-state after `wipe`
   * @throws tls.client-certificate when the scheme is not one of this key's
   */
  sign(scheme: SignatureScheme, message: Uint8Array, random: (length: number) => Uint8Array): Uint8Array;
  /** A copy of what makes the key, for a thread that shares no memory. Whoever takes it wipes it. @throws as `sign` */
  copyNumbers(): PrivateKeyNumbers;
  wipe(): void;
}

/** The numbers of an RSA private key as big-endian bytes. RFC 8017, section 3.2, second representation */
export interface RsaPrivateNumbers<Bytes extends Uint8Array = Uint8Array> {
  readonly modulus: Bytes;
  readonly exponent: Bytes;
  readonly prime1: Bytes;
  readonly prime2: Bytes;
  readonly exponent1: Bytes;
  readonly exponent2: Bytes;
  readonly coefficient: Bytes;
}

/** What makes a private key. Each array owns its memory, so that it can be handed over. */
export type PrivateKeyNumbers =
  | { readonly kind: 'rsa'; readonly numbers: RsaPrivateNumbers<Uint8Array<ArrayBuffer>> }
  | { readonly kind: 'ec'; readonly curve: CurveName; readonly scalar: Uint8Array<ArrayBuffer> };

/** The curves of noble by our names. */
export const CURVES = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const;

/**
 * Whether a key may sign by a scheme. TLS 1.3 ties ECDSA's hash to the curve (RFC 8446, section 4.2.3, `'scheme'`); in
 * TLS 1.2 and in certificates the name says only the hash and any of our curves goes with it (RFC 8446, section
 * 4.4.2.2 and RFC 5246, section 7.4.1.4.1, `'key'`).
 */
export function schemeFitsKey(
  scheme: SignatureScheme,
  key: PublicKey,
  curveFrom: 'scheme' | 'key' = 'scheme',
): boolean {
  const { family, curve } = SIGNATURE_SCHEMES[scheme];
  if (key.kind === 'ed25519') return family === 'ed25519';
  if (key.kind === 'ec') return family === 'ecdsa' && (curveFrom === 'key' || curve === null || curve === key.curve);
  if (key.isPssOnly === true) return scheme.startsWith('rsa_pss_pss_');
  return family === 'pkcs1' || scheme.startsWith('rsa_pss_rsae_');
}

/**
 * Whether the signature over `signed` was made by the key's owner. False, never an exception, for everything else:
 * a scheme that is not the key's, a malformed signature, a point off the curve.
 *
 * @param signature RSA: as long as the modulus; ECDSA: DER of r and s (RFC 8422, section 5.4); Ed25519: 64 bytes
 * @param curveFrom see `schemeFitsKey`; TLS 1.2 and certificates pass `'key'`
 */
export function verifySignature(
  key: PublicKey,
  scheme: SignatureScheme,
  signed: Uint8Array,
  signature: Uint8Array,
  curveFrom: 'scheme' | 'key' = 'scheme',
): boolean {
  if (!schemeFitsKey(scheme, key, curveFrom)) return false;
  const { family, hash } = SIGNATURE_SCHEMES[scheme];
  try {
    if (key.kind === 'ed25519') return ed25519.verify(signature, signed, key.key, { zip215: false });
    if (hash === null) return false;
    if (key.kind === 'rsa')
      return family === 'pss' ? verifyPss(key, hash, signed, signature) : verifyPkcs1(key, hash, signed, signature);
    const options = { prehash: false, lowS: false, format: 'der' } as const;
    return CURVES[key.curve].verify(signature, digest(hash, signed), key.point, options);
  } catch {
    return false; // noble throws on signatures and points it cannot read
  }
}
