import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { concatBytes, NO_BYTES, utf8Encode } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/cursor.ts';
import type { AeadName } from '../crypto/aead.ts';
import { type HashName, hashNamed } from '../crypto/digest.ts';
import type { GroupName } from '../crypto/key-agreement.ts';

/** The versions we speak. */
export type TlsVersion = '1.2' | '1.3';

/** One cipher suite. */
export interface Suite {
  readonly id: number;
  readonly name: string;
  readonly version: TlsVersion;
  /** The hash of the transcript and of HKDF or the PRF. */
  readonly hash: 'sha256' | 'sha384';
  readonly bulk: AeadName | 'aes-cbc';
  readonly keyBytes: 16 | 32;
  /** What is derived of the nonce; the rest, if any, travels with the record. */
  readonly fixedIvBytes: number;
  /** The MAC of a CBC suite. */
  readonly mac: HashName | null;
  /** The kind of key the certificate must hold; in TLS 1.3 the suite does not say. */
  readonly signer: 'rsa' | 'ecdsa' | null;
}

/**
 * In order of preference: GCM before ChaCha20, because here AES is the faster, and CBC last. RFC 8446, appendix B.4;
 * RFC 5289; RFC 7905; RFC 8422, section 6 for those with SHA-1.
 */
export const SUITES: readonly Suite[] = [
  tls13(0x1301, 'TLS_AES_128_GCM_SHA256', 'aes-gcm', 16, 'sha256'),
  tls13(0x1302, 'TLS_AES_256_GCM_SHA384', 'aes-gcm', 32, 'sha384'),
  tls13(0x1303, 'TLS_CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 32, 'sha256'),
  aead12(0xc02b, 'ecdsa', 'AES_128_GCM_SHA256', 'aes-gcm', 16, 'sha256'),
  aead12(0xc02f, 'rsa', 'AES_128_GCM_SHA256', 'aes-gcm', 16, 'sha256'),
  aead12(0xc02c, 'ecdsa', 'AES_256_GCM_SHA384', 'aes-gcm', 32, 'sha384'),
  aead12(0xc030, 'rsa', 'AES_256_GCM_SHA384', 'aes-gcm', 32, 'sha384'),
  aead12(0xcca9, 'ecdsa', 'CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 32, 'sha256'),
  aead12(0xcca8, 'rsa', 'CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 32, 'sha256'),
  cbc12(0xc023, 'ecdsa', 'AES_128_CBC_SHA256', 16, 'sha256'),
  cbc12(0xc027, 'rsa', 'AES_128_CBC_SHA256', 16, 'sha256'),
  cbc12(0xc024, 'ecdsa', 'AES_256_CBC_SHA384', 32, 'sha384'),
  cbc12(0xc028, 'rsa', 'AES_256_CBC_SHA384', 32, 'sha384'),
  cbc12(0xc009, 'ecdsa', 'AES_128_CBC_SHA', 16, 'sha1'),
  cbc12(0xc013, 'rsa', 'AES_128_CBC_SHA', 16, 'sha1'),
  cbc12(0xc00a, 'ecdsa', 'AES_256_CBC_SHA', 32, 'sha1'),
  cbc12(0xc014, 'rsa', 'AES_256_CBC_SHA', 32, 'sha1'),
];

function tls13(id: number, name: string, bulk: AeadName, keyBytes: 16 | 32, hash: 'sha256' | 'sha384'): Suite {
  return { id, name, version: '1.3', hash, bulk, keyBytes, fixedIvBytes: 12, mac: null, signer: null };
}

function aead12(
  id: number,
  signer: 'rsa' | 'ecdsa',
  name: string,
  bulk: AeadName,
  keyBytes: 16 | 32,
  hash: 'sha256' | 'sha384',
): Suite {
  const fixedIvBytes = bulk === 'aes-gcm' ? 4 : 12;
  return { id, name: fullName(signer, name), version: '1.2', hash, bulk, keyBytes, fixedIvBytes, mac: null, signer };
}

function cbc12(id: number, signer: 'rsa' | 'ecdsa', name: string, keyBytes: 16 | 32, mac: HashName): Suite {
  const hash = mac === 'sha384' ? 'sha384' : 'sha256'; // SPEC: RFC 5246, section 5: SHA-1 suites run the PRF on SHA-256
  const bulk = 'aes-cbc';
  return { id, name: fullName(signer, name), version: '1.2', hash, bulk, keyBytes, fixedIvBytes: 0, mac, signer };
}

function fullName(signer: 'rsa' | 'ecdsa', name: string): string {
  return `TLS_ECDHE_${signer.toUpperCase()}_WITH_${name}`;
}

/** The groups we offer, in order of preference, by their numbers. RFC 8446, section 4.2.7. */
export const GROUP_IDS: ReadonlyMap<GroupName, number> = new Map([
  ['x25519', 0x001d],
  ['P-256', 0x0017],
  ['P-384', 0x0018],
]);

/** A group by its number, or null when it is none of ours. */
export function groupOf(id: number): GroupName | null {
  for (const [name, number] of GROUP_IDS) if (number === id) return name;
  return null;
}

/** The digest of parts in a row. */
export function digestOf(hash: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = hashNamed(hash).create();
  for (const part of parts) state.update(part);
  return state.digest();
}

/** The pseudo-random function of TLS 1.2, P_hash. RFC 5246, section 5. */
export function prf(hash: HashName, secret: Uint8Array, label: string, seed: Uint8Array, length: number): Uint8Array {
  const labelled = concatBytes(utf8Encode(label), seed);
  const out = new Uint8Array(length);
  let a = labelled;
  for (let at = 0; at < length; ) {
    a = hmac(hashNamed(hash), secret, a);
    const piece = hmac(hashNamed(hash), secret, concatBytes(a, labelled)).subarray(0, length - at);
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** HKDF-Expand-Label. RFC 8446, section 7.1. */
export function expandLabel(
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const hkdfLabel = new ByteWriter()
    .u16be(length)
    .block(1, (w) => w.bytes(utf8Encode(`tls13 ${label}`)))
    .block(1, (w) => w.bytes(context))
    .finish();
  return expand(hashNamed(hash), secret, hkdfLabel, length);
}

/** The secrets of one direction pair. */
export interface SecretPair {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/**
 * The key schedule of TLS 1.3 without pre-shared keys. RFC 8446, section 7.1. Early Secret, then Handshake Secret, then
 * Master Secret: each step takes the place of the one before.
 */
export class KeySchedule {
  readonly #hash: 'sha256' | 'sha384';
  #secret: Uint8Array;

  constructor(hash: 'sha256' | 'sha384') {
    this.#hash = hash;
    const zeros = new Uint8Array(hashNamed(hash).outputLen);
    this.#secret = extract(hashNamed(hash), zeros, zeros);
  }

  /** Takes in the shared secret; returns the handshake traffic secrets. */
  toHandshake(shared: Uint8Array, transcriptHash: Uint8Array): SecretPair {
    this.#advance(shared);
    return this.#pair('hs', transcriptHash);
  }

  /** Returns the application traffic secrets and forgets everything. */
  toApplication(transcriptHash: Uint8Array): SecretPair {
    this.#advance(new Uint8Array(hashNamed(this.#hash).outputLen));
    const pair = this.#pair('ap', transcriptHash);
    this.#secret.fill(0);
    return pair;
  }

  #advance(input: Uint8Array): void {
    const hash = hashNamed(this.#hash);
    const derived = expandLabel(this.#hash, this.#secret, 'derived', digestOf(this.#hash, NO_BYTES), hash.outputLen);
    this.#secret = extract(hash, input, derived);
  }

  #pair(stage: 'hs' | 'ap', transcriptHash: Uint8Array): SecretPair {
    const derive = (side: 'c' | 's') =>
      expandLabel(this.#hash, this.#secret, `${side} ${stage} traffic`, transcriptHash, transcriptHash.length);
    return { client: derive('c'), server: derive('s') };
  }
}

/** What a Finished message of TLS 1.3 proves. RFC 8446, section 4.4.4. */
export function finished13(hash: HashName, baseKey: Uint8Array, transcriptHash: Uint8Array): Uint8Array {
  const key = expandLabel(hash, baseKey, 'finished', NO_BYTES, transcriptHash.length);
  return hmac(hashNamed(hash), key, transcriptHash);
}
