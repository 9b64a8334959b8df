import { concatBytes, equalBytes, equalBytesConstantTime, fromHex, NO_BYTES } from '../bytes/bytes.ts';
import { digest, type HashName } from './digest.ts';

/** RSA over native integers. RFC 8017. The public operation works on public numbers; the private one is in `rsa-private-key.ts`. */

/** The public half of an RSA key. */
export interface RsaNumbers {
  readonly modulus: bigint;
  readonly exponent: bigint;
  /** Length of the modulus, and so of every signature. */
  readonly modulusBytes: number;
}

/** The longest modulus we compute with: a stranger's key may not keep us busy. */
export const MAX_RSA_BITS = 16_384;

/** Whether the numbers can be a key: an odd modulus of a bearable size and an odd exponent of at most 32 bits. */
export function isBearableRsaKey(modulus: bigint, exponent: bigint): boolean {
  const bits = bitLength(modulus);
  return (
    bits >= 512 &&
    bits <= MAX_RSA_BITS &&
    (modulus & 1n) === 1n &&
    exponent >= 3n &&
    (exponent & 1n) === 1n &&
    exponent < 1n << 32n
  );
}

/** RSASSA-PKCS1-v1_5 verification by building the one right encoding and comparing. RFC 8017, section 8.2.2 */
export function verifyPkcs1(key: RsaNumbers, hash: HashName, message: Uint8Array, signature: Uint8Array): boolean {
  const encoded = openSignature(key, signature);
  const expected = encodePkcs1(hash, message, key.modulusBytes);
  return encoded !== null && expected !== null && equalBytes(encoded, expected);
}

/** RSASSA-PSS verification with MGF1 of the same hash and a salt as long as the hash. RFC 8017, section 8.1.2 */
export function verifyPss(key: RsaNumbers, hash: HashName, message: Uint8Array, signature: Uint8Array): boolean {
  const opened = openSignature(key, signature);
  return opened !== null && isPssEncoding(opened, hash, digest(hash, message), bitLength(key.modulus) - 1);
}

/** EMSA-PKCS1-v1_5; null when the modulus is too short for the hash. RFC 8017, section 9.2 */
export function encodePkcs1(hash: HashName, message: Uint8Array, lengthBytes: number): Uint8Array | null {
  const named = concatBytes(DIGEST_INFO[hash], digest(hash, message));
  const paddingBytes = lengthBytes - named.length - 3;
  if (paddingBytes < 8) return null;
  return concatBytes(Uint8Array.of(0, 1), new Uint8Array(paddingBytes).fill(0xff), Uint8Array.of(0), named);
}

/** EMSA-PSS; null when the modulus is too short for hash and salt. RFC 8017, section 9.1.1 */
export function encodePss(
  hash: HashName,
  message: Uint8Array,
  salt: Uint8Array,
  modulusBits: number,
): Uint8Array | null {
  const encodedBits = modulusBits - 1;
  const encodedBytes = Math.ceil(encodedBits / 8);
  const hashed = pssHash(hash, digest(hash, message), salt);
  const paddingBytes = encodedBytes - salt.length - hashed.length - 2;
  if (paddingBytes < 0) return null;
  const block = concatBytes(new Uint8Array(paddingBytes), Uint8Array.of(1), salt);
  xorInto(block, mgf1(hash, hashed, block.length));
  block[0] = (block[0] as number) & topMask(encodedBits);
  const encoded = concatBytes(block, hashed, Uint8Array.of(0xbc));
  return concatBytes(new Uint8Array(Math.ceil(modulusBits / 8) - encodedBytes), encoded);
}

/** How many bits the number has; 0 for 0. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** The number that big-endian bytes spell. */
export function bigintOf(bytes: Uint8Array): bigint {
  let hex = '0x0';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return BigInt(hex);
}

/** Big-endian bytes, `lengthBytes` of them; the number must fit. */
export function bytesOf(value: bigint, lengthBytes: number): Uint8Array {
  return fromHex(value.toString(16).padStart(2 * lengthBytes, '0')) ?? NO_BYTES;
}

/** base^exponent mod modulus, square and multiply. Its time depends on the numbers. */
export function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** RSAVP1: what a signature holds, or null when it has the wrong length or size. RFC 8017, section 5.2.2 */
function openSignature(key: RsaNumbers, signature: Uint8Array): Uint8Array | null {
  if (signature.length !== key.modulusBytes) return null;
  const value = bigintOf(signature);
  if (value >= key.modulus) return null;
  return bytesOf(modPow(value, key.exponent, key.modulus), key.modulusBytes);
}

/** EMSA-PSS-VERIFY over the whole modulus length. RFC 8017, section 9.1.2 */
function isPssEncoding(opened: Uint8Array, hash: HashName, messageHash: Uint8Array, encodedBits: number): boolean {
  const encodedBytes = Math.ceil(encodedBits / 8);
  const leading = opened.subarray(0, opened.length - encodedBytes);
  const encoded = opened.subarray(opened.length - encodedBytes);
  const hashBytes = messageHash.length;
  const blockBytes = encodedBytes - hashBytes - 1;
  const paddingBytes = blockBytes - hashBytes - 1;
  if (paddingBytes < 0 || leading.some((byte) => byte !== 0) || encoded.at(-1) !== 0xbc) return false;
  const hashed = encoded.subarray(blockBytes, blockBytes + hashBytes);
  const block = encoded.slice(0, blockBytes);
  if (((block[0] as number) & ~topMask(encodedBits)) !== 0) return false;
  xorInto(block, mgf1(hash, hashed, blockBytes));
  block[0] = (block[0] as number) & topMask(encodedBits);
  if (block.subarray(0, paddingBytes).some((byte) => byte !== 0) || block[paddingBytes] !== 1) return false;
  return equalBytesConstantTime(hashed, pssHash(hash, messageHash, block.subarray(paddingBytes + 1)));
}

function pssHash(hash: HashName, messageHash: Uint8Array, salt: Uint8Array): Uint8Array {
  return digest(hash, concatBytes(new Uint8Array(8), messageHash, salt));
}

/** RFC 8017, appendix B.2.1 */
function mgf1(hash: HashName, seed: Uint8Array, lengthBytes: number): Uint8Array {
  const out = new Uint8Array(lengthBytes);
  for (let at = 0, counter = 0; at < lengthBytes; counter++) {
    const block = digest(hash, concatBytes(seed, bytesOf(BigInt(counter), 4)));
    out.set(block.subarray(0, lengthBytes - at), at);
    at += block.length;
  }
  return out;
}

function xorInto(target: Uint8Array, mask: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) ^ (mask[i] as number);
}

/** The bits of the first byte that belong to the encoding. */
function topMask(encodedBits: number): number {
  return 0xff >> (8 * Math.ceil(encodedBits / 8) - encodedBits);
}

/** DER of DigestInfo up to the digest. RFC 8017, section 9.2, note 1 */
const DIGEST_INFO: Readonly<Record<HashName, Uint8Array>> = {
  sha1: fromHex('3021300906052b0e03021a05000414') ?? NO_BYTES,
  sha256: fromHex('3031300d060960864801650304020105000420') ?? NO_BYTES,
  sha384: fromHex('3041300d060960864801650304020205000430') ?? NO_BYTES,
  sha512: fromHex('3051300d060960864801650304020305000440') ?? NO_BYTES,
};
