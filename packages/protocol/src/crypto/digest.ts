import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { CHash } from '@noble/hashes/utils.js';

/** The hashes that certificates, their keys and their files name. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const HASHES: Readonly<Record<HashName, CHash>> = { sha1, sha256, sha384, sha512 };

/** noble's hash of a name, for the constructions over it (HMAC, PBKDF2). */
export function hashNamed(name: HashName): CHash {
  return HASHES[name];
}

/** The digest of the bytes: 20, 32, 48 or 64 of them. FIPS 180-4. */
export function digest(name: HashName, bytes: Uint8Array): Uint8Array {
  return HASHES[name](bytes);
}
