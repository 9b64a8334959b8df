import { cbc } from '@noble/ciphers/aes.js';
import { fail } from '../errors.ts';

/**
 * AES for TLS. GCM is written out here because noble builds its tables anew for every record: a keyed object that keeps
 * them is several times faster (docs/decisions/0016-tls-records.md has the figures). `aes.test.ts` holds the two equal.
 * CBC, for old servers, is noble's.
 *
 * Like every AES in software that is not bit-sliced, this looks up tables by secret bytes; so does noble.
 */

/** Bytes of a GCM nonce. NIST SP 800-38D, section 8.2.1. */
export const GCM_NONCE_BYTES = 12;
/** Bytes of a GCM tag; TLS uses no shorter one. */
export const GCM_TAG_BYTES = 16;

/** AES-GCM under one key of 16 or 32 bytes, tags of 16 bytes. NIST SP 800-38D. */
export class AesGcm {
  readonly #roundKeys: Int32Array;
  readonly #product: Int32Array;
  readonly #hash = new Int32Array(4);

  constructor(key: Uint8Array) {
    this.#roundKeys = expandKey(key);
    const h = new Int32Array(4);
    encryptBlock(this.#roundKeys, 0, 0, 0, 0, h);
    this.#product = productTable(h);
  }

  /** The ciphertext with its tag behind. A nonce serves once. */
  seal(nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plain.length + GCM_TAG_BYTES);
    this.#begin(additional);
    this.#crypt(nonce, plain, sealed, 'seal');
    sealed.set(this.#tag(nonce, additional.length, plain.length), plain.length);
    return sealed;
  }

  /**
   * The plaintext, or null when the tag is wrong. It takes the place of the ciphertext: `sealed` is gone either way, and a
   * stream of records costs no second copy of each.
   */
  open(nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const length = sealed.length - GCM_TAG_BYTES;
    if (length < 0) return null;
    const plain = sealed.subarray(0, length);
    this.#begin(additional);
    this.#crypt(nonce, plain, plain, 'open');
    const tag = this.#tag(nonce, additional.length, length);
    let difference = 0;
    for (let i = 0; i < GCM_TAG_BYTES; i++) difference |= (tag[i] as number) ^ (sealed[length + i] as number);
    if (difference === 0) return plain;
    plain.fill(0);
    return null;
  }

  /** Zeroes the keys. */
  destroy(): void {
    this.#roundKeys.fill(0);
    this.#product.fill(0);
    this.#hash.fill(0);
  }

  #begin(additional: Uint8Array): void {
    this.#hash.fill(0);
    for (let at = 0; at < additional.length; at += 16) this.#absorbPadded(additional.subarray(at, at + 16));
  }

  /** Counter mode from counter 2 on, the ciphertext going into GHASH on the way. Sections 6.5 and 7.1. */
  #crypt(nonce: Uint8Array, from: Uint8Array, to: Uint8Array, direction: 'seal' | 'open'): void {
    const keys = this.#roundKeys;
    const source = new DataView(from.buffer, from.byteOffset, from.length);
    const target = new DataView(to.buffer, to.byteOffset, to.length);
    const [n0, n1, n2] = nonceWords(nonce);
    const block = new Int32Array(4);
    const isSealing = direction === 'seal';
    const wholeBytes = from.length & ~15;
    let counter = 2;
    for (let at = 0; at < wholeBytes; at += 16) {
      encryptBlock(keys, n0, n1, n2, counter++, block);
      const s0 = source.getInt32(at);
      const s1 = source.getInt32(at + 4);
      const s2 = source.getInt32(at + 8);
      const s3 = source.getInt32(at + 12);
      const t0 = s0 ^ (block[0] as number);
      const t1 = s1 ^ (block[1] as number);
      const t2 = s2 ^ (block[2] as number);
      const t3 = s3 ^ (block[3] as number);
      target.setInt32(at, t0);
      target.setInt32(at + 4, t1);
      target.setInt32(at + 8, t2);
      target.setInt32(at + 12, t3);
      if (isSealing) absorb(this.#hash, this.#product, t0, t1, t2, t3);
      else absorb(this.#hash, this.#product, s0, s1, s2, s3);
    }
    if (wholeBytes === from.length) return;
    if (!isSealing) this.#absorbPadded(from.subarray(wholeBytes)); // before it is overwritten
    encryptBlock(keys, n0, n1, n2, counter, block);
    for (let at = wholeBytes; at < from.length; at++) {
      const word = block[(at & 15) >> 2] as number;
      to[at] = (from[at] as number) ^ (word >>> (24 - 8 * (at & 3)));
    }
    if (isSealing) this.#absorbPadded(to.subarray(wholeBytes, from.length));
  }

  #absorbPadded(piece: Uint8Array): void {
    const padded = new Uint8Array(16);
    padded.set(piece);
    const view = new DataView(padded.buffer);
    absorb(this.#hash, this.#product, view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12));
  }

  #tag(nonce: Uint8Array, additionalBytes: number, cipherBytes: number): Uint8Array {
    const hash = this.#hash;
    absorb(hash, this.#product, 0, additionalBytes * 8, Math.floor(cipherBytes / 2 ** 29), cipherBytes << 3);
    const block = new Int32Array(4);
    encryptBlock(this.#roundKeys, ...nonceWords(nonce), 1, block);
    const tag = new Uint8Array(GCM_TAG_BYTES);
    const view = new DataView(tag.buffer);
    for (let i = 0; i < 4; i++) view.setInt32(4 * i, (hash[i] as number) ^ (block[i] as number));
    return tag;
  }
}

/** AES-CBC without padding rules of its own; the length must be a multiple of 16. NIST SP 800-38A, section 6.2. */
export function cbcEncrypt(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Uint8Array {
  return cbc(key, iv, { disablePadding: true }).encrypt(plain);
}

/** The reverse of `cbcEncrypt`. */
export function cbcDecrypt(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array {
  return cbc(key, iv, { disablePadding: true }).decrypt(sealed);
}

function nonceWords(nonce: Uint8Array): [number, number, number] {
  if (nonce.length !== GCM_NONCE_BYTES) fail('misuse.bad-argument', { argument: 'nonce', reason: 'malformed' });
  const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.length);
  return [view.getInt32(0), view.getInt32(4), view.getInt32(8)];
}

/** FIPS 197, section 5.1.1, computed: inverses by walking the powers of 3 both ways, then the affine map. */
const SBOX = /* @__PURE__ */ substitutionBox();
/** Substitution and MixColumns of one byte in each of the four rows. FIPS 197, sections 5.1.1 to 5.1.3. */
const [T0, T1, T2, T3] = /* @__PURE__ */ roundTables();

function substitutionBox(): Uint8Array {
  const box = new Uint8Array(256);
  for (let p = 1, q = 1, turn = 0; turn < 255; turn++) {
    p = (p ^ (p << 1) ^ (p & 0x80 ? 0x11b : 0)) & 0xff;
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q = (q ^ (q & 0x80 ? 0x09 : 0)) & 0xff;
    const spread = q ^ rotate8(q, 1) ^ rotate8(q, 2) ^ rotate8(q, 3) ^ rotate8(q, 4);
    box[p] = spread ^ 0x63;
  }
  box[0] = 0x63;
  return box;
}

function rotate8(byte: number, by: number): number {
  return ((byte << by) | (byte >> (8 - by))) & 0xff;
}

function roundTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const tables = [0, 1, 2, 3].map(() => new Int32Array(256)) as [Int32Array, Int32Array, Int32Array, Int32Array];
  for (let i = 0; i < 256; i++) {
    const s = SBOX[i] as number;
    const doubled = (s << 1) ^ (s & 0x80 ? 0x11b : 0);
    let word = (doubled << 24) | (s << 16) | (s << 8) | (doubled ^ s);
    for (const table of tables) {
      table[i] = word;
      word = (word >>> 8) | (word << 24);
    }
  }
  return tables;
}

/** FIPS 197, section 5.2. */
function expandKey(key: Uint8Array): Int32Array {
  if (key.length !== 16 && key.length !== 32) fail('misuse.bad-argument', { argument: 'key', reason: 'malformed' });
  const keyWords = key.length / 4;
  const words = new Int32Array(4 * (keyWords + 7));
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  for (let i = 0; i < keyWords; i++) words[i] = view.getInt32(4 * i);
  for (let i = keyWords, roundConstant = 1; i < words.length; i++) {
    let word = words[i - 1] as number;
    if (i % keyWords === 0) {
      word = substituteWord((word << 8) | (word >>> 24)) ^ (roundConstant << 24);
      roundConstant = (roundConstant << 1) ^ (roundConstant & 0x80 ? 0x11b : 0);
    } else if (keyWords === 8 && i % 8 === 4) word = substituteWord(word);
    words[i] = (words[i - keyWords] as number) ^ word;
  }
  return words;
}

function substituteWord(word: number): number {
  return lastRound(word, word, word, word);
}

function lastRound(a: number, b: number, c: number, d: number): number {
  const box = SBOX;
  return (
    ((box[a >>> 24] as number) << 24) |
    ((box[(b >>> 16) & 255] as number) << 16) |
    ((box[(c >>> 8) & 255] as number) << 8) |
    (box[d & 255] as number)
  );
}

function middleRound(a: number, b: number, c: number, d: number): number {
  return (
    (T0[a >>> 24] as number) ^
    (T1[(b >>> 16) & 255] as number) ^
    (T2[(c >>> 8) & 255] as number) ^
    (T3[d & 255] as number)
  );
}

/** FIPS 197, section 5.1: one block, as four big-endian words. */
function encryptBlock(keys: Int32Array, w0: number, w1: number, w2: number, w3: number, out: Int32Array): void {
  let a = w0 ^ (keys[0] as number);
  let b = w1 ^ (keys[1] as number);
  let c = w2 ^ (keys[2] as number);
  let d = w3 ^ (keys[3] as number);
  const last = keys.length - 4;
  for (let k = 4; k < last; k += 4) {
    const e = middleRound(a, b, c, d) ^ (keys[k] as number);
    const f = middleRound(b, c, d, a) ^ (keys[k + 1] as number);
    const g = middleRound(c, d, a, b) ^ (keys[k + 2] as number);
    d = middleRound(d, a, b, c) ^ (keys[k + 3] as number);
    a = e;
    b = f;
    c = g;
  }
  out[0] = lastRound(a, b, c, d) ^ (keys[last] as number);
  out[1] = lastRound(b, c, d, a) ^ (keys[last + 1] as number);
  out[2] = lastRound(c, d, a, b) ^ (keys[last + 2] as number);
  out[3] = lastRound(d, a, b, c) ^ (keys[last + 3] as number);
}

/** H times every byte in every one of the sixteen places, four words each. NIST SP 800-38D, section 6.3. */
function productTable(h: Int32Array): Int32Array {
  const table = new Int32Array(16 * 256 * 4);
  let [v0, v1, v2, v3] = h as Iterable<number> as [number, number, number, number];
  for (let place = 0; place < 16; place++) {
    const base = place * 1024;
    for (let bit = 0x80; bit > 0; bit >>= 1) {
      table.set([v0, v1, v2, v3], base + 4 * bit);
      const carry = -(v3 & 1);
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 = (v0 >>> 1) ^ (carry & 0xe1000000);
    }
    for (let bit = 2; bit < 256; bit <<= 1) {
      for (let low = 1; low < bit; low++) {
        for (let word = 0; word < 4; word++) {
          const sum = (table[base + 4 * bit + word] as number) ^ (table[base + 4 * low + word] as number);
          table[base + 4 * (bit + low) + word] = sum;
        }
      }
    }
  }
  return table;
}

/** One step of GHASH: adds a block and multiplies by H. NIST SP 800-38D, section 6.4. */
function absorb(hash: Int32Array, product: Int32Array, w0: number, w1: number, w2: number, w3: number): void {
  let z0 = 0;
  let z1 = 0;
  let z2 = 0;
  let z3 = 0;
  let word = w0 ^ (hash[0] as number);
  for (let place = 0; place < 4; place++) {
    if (place === 1) word = w1 ^ (hash[1] as number);
    else if (place === 2) word = w2 ^ (hash[2] as number);
    else if (place === 3) word = w3 ^ (hash[3] as number);
    const base = place << 12;
    const a = base + ((word >>> 22) & 1020);
    const b = base + 1024 + ((word >>> 14) & 1020);
    const c = base + 2048 + ((word >>> 6) & 1020);
    const d = base + 3072 + ((word << 2) & 1020);
    z0 ^= (product[a] as number) ^ (product[b] as number) ^ (product[c] as number) ^ (product[d] as number);
    z1 ^=
      (product[a + 1] as number) ^ (product[b + 1] as number) ^ (product[c + 1] as number) ^ (product[d + 1] as number);
    z2 ^=
      (product[a + 2] as number) ^ (product[b + 2] as number) ^ (product[c + 2] as number) ^ (product[d + 2] as number);
    z3 ^=
      (product[a + 3] as number) ^ (product[b + 3] as number) ^ (product[c + 3] as number) ^ (product[d + 3] as number);
  }
  hash[0] = z0;
  hash[1] = z1;
  hash[2] = z2;
  hash[3] = z3;
}
