import { hmac } from '@noble/hashes/hmac.js';
import { concatBytes, equalBytesConstantTime, NO_BYTES } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/cursor.ts';
import { AEAD_TAG_BYTES, type Aead, makeAead } from '../crypto/aead.ts';
import { cbcDecrypt, cbcEncrypt } from '../crypto/aes.ts';
import { type HashName, hashNamed } from '../crypto/digest.ts';
import { failWith } from './_alerts.ts';
import { CONTENT, MAX_EXPANSION_BYTES, type Opener, type RawRecord, type Sealer } from './_record.ts';
import { expandLabel, type Suite } from './_suites.ts';

/** Protection of records under one key, for both versions. */

/**
 * Records under one AES-GCM key before its guarantees thin out: 2^24.5 full ones. RFC 8446, section 5.5; the same number
 * serves TLS 1.2 and the other ciphers.
 */
export const MAX_RECORDS_PER_KEY = 23_726_566;

const VERSION_TLS12 = 0x0303;
const GCM_EXPLICIT_BYTES = 8;
const CBC_BLOCK_BYTES = 16;

/** A wrong tag, MAC or padding: one error, whatever it was. RFC 5246, section 7.2.2. */
function badMac(): never {
  failWith('bad_record_mac', 'tls.bad-record', { problem: 'its checksum is wrong' });
}

/** Counts records of one key; nothing may pass the limit. */
class Sequence {
  readonly #limit: number;
  count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(): number {
    if (this.count >= this.#limit) {
      failWith('internal_error', 'tls.bad-record', { problem: 'too many records under one key' });
    }
    return this.count++;
  }
}

/** The nonce of record `sequence`: its number added to the static part. RFC 8446, section 5.3; RFC 7905, section 2. */
function xorNonce(iv: Uint8Array, sequence: number): Uint8Array {
  const nonce = iv.slice();
  let left = sequence;
  for (let i = nonce.length - 1; left > 0; i--, left = Math.floor(left / 256)) {
    nonce[i] = (nonce[i] as number) ^ (left & 255);
  }
  return nonce;
}

/** Keys of one direction of TLS 1.3, from its traffic secret. RFC 8446, section 7.3. */
export function protect13(suite: Suite, secret: Uint8Array, limit = MAX_RECORDS_PER_KEY): Opener & Sealer {
  const key = expandLabel(suite.hash, secret, 'key', NO_BYTES, suite.keyBytes);
  const iv = expandLabel(suite.hash, secret, 'iv', NO_BYTES, suite.fixedIvBytes);
  const protection = new Protection13(makeAead(suite.bulk === 'aes-cbc' ? 'aes-gcm' : suite.bulk, key), iv, limit);
  key.fill(0);
  return protection;
}

/** The traffic secret after this one. RFC 8446, section 7.2. */
export function nextSecret(suite: Suite, secret: Uint8Array): Uint8Array {
  return expandLabel(suite.hash, secret, 'traffic upd', NO_BYTES, secret.length);
}

class Protection13 implements Opener, Sealer {
  readonly maxExpansionBytes = 256; // RFC 8446, section 5.2
  readonly #aead: Aead;
  readonly #iv: Uint8Array;
  readonly #sequence: Sequence;

  constructor(aead: Aead, iv: Uint8Array, limit: number) {
    this.#aead = aead;
    this.#iv = iv;
    this.#sequence = new Sequence(limit);
  }

  get count(): number {
    return this.#sequence.count;
  }

  seal(type: number, plain: Uint8Array): Uint8Array {
    const inner = new Uint8Array(plain.length + 1);
    inner.set(plain);
    inner[plain.length] = type;
    const head = recordHead(CONTENT.applicationData, inner.length + AEAD_TAG_BYTES);
    return concatBytes(head, this.#aead.seal(xorNonce(this.#iv, this.#sequence.take()), head, inner));
  }

  open(record: RawRecord): { type: number; bytes: Uint8Array } {
    if (record.type !== CONTENT.applicationData) {
      failWith('unexpected_message', 'tls.bad-record', { problem: 'it is not encrypted' });
    }
    const inner = this.#aead.open(xorNonce(this.#iv, this.#sequence.take()), record.head, record.body) ?? badMac();
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    if (end === 0) failWith('unexpected_message', 'tls.bad-record', { problem: 'it is all padding' });
    return { type: inner[end - 1] as number, bytes: inner.subarray(0, end - 1) };
  }

  destroy(): void {
    this.#aead.destroy();
    this.#iv.fill(0);
  }
}

/** Keys of one direction of TLS 1.2. */
export interface Keys12 {
  readonly macKey: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** How much of the key block a direction takes: MAC key, key, IV. RFC 5246, section 6.3. */
export function keySizes12(suite: Suite): { macBytes: number; keyBytes: number; ivBytes: number } {
  const macBytes = suite.mac === null ? 0 : hashNamed(suite.mac).outputLen;
  return { macBytes, keyBytes: suite.keyBytes, ivBytes: suite.fixedIvBytes };
}

/** Protection of one direction of TLS 1.2. @param isMacLast encrypt-then-MAC, RFC 7366; only CBC suites care */
export function protect12(
  suite: Suite,
  keys: Keys12,
  options: { isMacLast: boolean; random: (length: number) => Uint8Array; limit?: number },
): Opener & Sealer {
  const limit = options.limit ?? MAX_RECORDS_PER_KEY;
  if (suite.bulk === 'aes-cbc') return new Cbc12(suite.mac ?? 'sha256', keys, { ...options, limit });
  return new Aead12(makeAead(suite.bulk, keys.key), keys.iv, limit);
}

/** RFC 5288 for AES-GCM, whose nonces are half explicit; RFC 7905 for ChaCha20-Poly1305. */
class Aead12 implements Opener, Sealer {
  readonly maxExpansionBytes: number;
  readonly #aead: Aead;
  readonly #iv: Uint8Array;
  readonly #explicitBytes: number;
  readonly #sequence: Sequence;

  constructor(aead: Aead, iv: Uint8Array, limit: number) {
    this.#aead = aead;
    this.#iv = iv;
    this.#explicitBytes = iv.length === 4 ? GCM_EXPLICIT_BYTES : 0;
    this.maxExpansionBytes = this.#explicitBytes + AEAD_TAG_BYTES;
    this.#sequence = new Sequence(limit);
  }

  get count(): number {
    return this.#sequence.count;
  }

  seal(type: number, plain: Uint8Array): Uint8Array {
    const sequence = this.#sequence.take();
    const explicit = this.#explicitBytes === 0 ? NO_BYTES : sequenceBytes(sequence);
    const nonce = this.#explicitBytes === 0 ? xorNonce(this.#iv, sequence) : concatBytes(this.#iv, explicit);
    const sealed = this.#aead.seal(nonce, additional12(sequence, type, plain.length), plain);
    return concatBytes(recordHead(type, explicit.length + sealed.length), explicit, sealed);
  }

  open(record: RawRecord): { type: number; bytes: Uint8Array } {
    const sequence = this.#sequence.take();
    const length = record.body.length - this.maxExpansionBytes;
    if (length < 0) badMac();
    const explicit = record.body.subarray(0, this.#explicitBytes);
    const nonce = this.#explicitBytes === 0 ? xorNonce(this.#iv, sequence) : concatBytes(this.#iv, explicit);
    const sealed = record.body.subarray(this.#explicitBytes);
    const bytes = this.#aead.open(nonce, additional12(sequence, record.type, length), sealed) ?? badMac();
    return { type: record.type, bytes };
  }

  destroy(): void {
    this.#aead.destroy();
    this.#iv.fill(0);
  }
}

/** AES-CBC with HMAC, RFC 5246, section 6.2.3.2, either order of the two. */
class Cbc12 implements Opener, Sealer {
  readonly maxExpansionBytes = MAX_EXPANSION_BYTES;
  readonly #mac: HashName;
  readonly #macBytes: number;
  readonly #keys: Keys12;
  readonly #isMacLast: boolean;
  readonly #random: (length: number) => Uint8Array;
  readonly #sequence: Sequence;

  constructor(
    mac: HashName,
    keys: Keys12,
    options: { isMacLast: boolean; random: (length: number) => Uint8Array; limit: number },
  ) {
    this.#mac = mac;
    this.#macBytes = hashNamed(mac).outputLen;
    this.#keys = keys;
    this.#isMacLast = options.isMacLast;
    this.#random = options.random;
    this.#sequence = new Sequence(options.limit);
  }

  get count(): number {
    return this.#sequence.count;
  }

  seal(type: number, plain: Uint8Array): Uint8Array {
    const sequence = this.#sequence.take();
    const iv = this.#random(CBC_BLOCK_BYTES);
    if (this.#isMacLast) {
      const sealed = concatBytes(iv, cbcEncrypt(this.#keys.key, iv, padded(plain)));
      const mac = this.#sign(additional12(sequence, type, sealed.length), sealed);
      return concatBytes(recordHead(type, sealed.length + mac.length), sealed, mac);
    }
    const mac = this.#sign(additional12(sequence, type, plain.length), plain);
    const sealed = cbcEncrypt(this.#keys.key, iv, padded(concatBytes(plain, mac)));
    return concatBytes(recordHead(type, iv.length + sealed.length), iv, sealed);
  }

  open({ type, body }: RawRecord): { type: number; bytes: Uint8Array } {
    const sequence = this.#sequence.take();
    return {
      type,
      bytes: this.#isMacLast ? this.#openMacLast(sequence, type, body) : this.#open(sequence, type, body),
    };
  }

  destroy(): void {
    this.#keys.key.fill(0);
    this.#keys.macKey.fill(0);
  }

  /** RFC 7366, section 3: the MAC is over what travels, so nothing is decrypted before it holds. */
  #openMacLast(sequence: number, type: number, body: Uint8Array): Uint8Array {
    const sealed = body.subarray(0, Math.max(0, body.length - this.#macBytes));
    const isWhole = sealed.length >= 2 * CBC_BLOCK_BYTES && sealed.length % CBC_BLOCK_BYTES === 0;
    if (!isWhole) badMac();
    const mac = this.#sign(additional12(sequence, type, sealed.length), sealed);
    if (!equalBytesConstantTime(mac, body.subarray(sealed.length))) badMac();
    const plain = this.#decrypt(sealed);
    const { contentBytes, isGood } = paddingOf(plain, 0);
    if (isGood === 0) badMac();
    return plain.subarray(0, contentBytes);
  }

  /**
   * The MAC lies under the padding, so a wrong padding must look and last like a wrong MAC (Lucky Thirteen). The padding
   * is checked without branches; the MAC is computed over what the padding claims, and as many more blocks are hashed as
   * the shortest padding would have needed; it is picked out by masks; there is one verdict at the end.
   */
  #open(sequence: number, type: number, body: Uint8Array): Uint8Array {
    const smallest = CBC_BLOCK_BYTES + Math.ceil((this.#macBytes + 1) / CBC_BLOCK_BYTES) * CBC_BLOCK_BYTES;
    if (body.length < smallest || body.length % CBC_BLOCK_BYTES !== 0) badMac();
    const plain = this.#decrypt(body);
    const { contentBytes, isGood } = paddingOf(plain, this.#macBytes);
    const length = contentBytes - this.#macBytes;
    const longest = plain.length - 1 - this.#macBytes;
    const expected = this.#sign(additional12(sequence, type, length), plain.subarray(0, length));
    this.#idle(hashBlocks(this.#mac, longest) - hashBlocks(this.#mac, length));
    const found = pick(plain, length, this.#macBytes);
    const isMacGood = equalBytesConstantTime(expected, found) ? 1 : 0;
    if ((isMacGood & isGood) === 0) badMac();
    return plain.subarray(0, length);
  }

  #decrypt(sealed: Uint8Array): Uint8Array {
    return cbcDecrypt(this.#keys.key, sealed.subarray(0, CBC_BLOCK_BYTES), sealed.subarray(CBC_BLOCK_BYTES));
  }

  #sign(head: Uint8Array, bytes: Uint8Array): Uint8Array {
    return hmac.create(hashNamed(this.#mac), this.#keys.macKey).update(head).update(bytes).digest();
  }

  #idle(blocks: number): void {
    const hash = hashNamed(this.#mac);
    hash.create().update(new Uint8Array(blocks * hash.blockLen));
  }
}

/** Blocks the inner hash of HMAC compresses for so much content, its key block left out. */
function hashBlocks(mac: HashName, contentBytes: number): number {
  const { blockLen } = hashNamed(mac);
  const lengthBytes = blockLen / 8; // the length field at the end: 8 bytes, 16 for SHA-384
  return Math.ceil((13 /* the record's head, signed too */ + contentBytes + 1 + lengthBytes) / blockLen);
}

/**
 * How much content lies before the padding, and 1 when the padding is right, else 0; then the content is as if there
 * were no padding. No branch depends on the bytes. RFC 5246, section 6.2.3.2
 */
function paddingOf(plain: Uint8Array, reservedBytes: number): { contentBytes: number; isGood: 0 | 1 } {
  const last = plain.length - 1;
  const paddingBytes = plain[last] as number;
  const room = last - reservedBytes;
  let wrong = ((room - paddingBytes) >> 31) & 1; // more padding than there is room
  const checked = Math.min(255, last);
  for (let i = 1; i <= checked; i++) {
    const isInside = ~((paddingBytes - i) >> 31);
    wrong |= isInside & ((plain[last - i] as number) ^ paddingBytes);
  }
  const isWrong = -wrong >> 31; // all ones when anything differed
  return { contentBytes: last - (paddingBytes & ~isWrong), isGood: isWrong === 0 ? 1 : 0 };
}

/** Bytes at a secret offset, read by looking at every place they may be. */
function pick(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  const first = Math.max(0, bytes.length - 256 - length);
  for (let at = first; at + length <= bytes.length; at++) {
    const difference = at - offset;
    const isHere = ~((difference | -difference) >> 31);
    for (let i = 0; i < length; i++) out[i] = (out[i] as number) | ((bytes[at + i] as number) & isHere);
  }
  return out;
}

function padded(plain: Uint8Array): Uint8Array {
  const paddingBytes = CBC_BLOCK_BYTES - 1 - (plain.length % CBC_BLOCK_BYTES);
  const out = new Uint8Array(plain.length + paddingBytes + 1).fill(paddingBytes, plain.length);
  out.set(plain);
  return out;
}

function recordHead(type: number, length: number): Uint8Array {
  return Uint8Array.of(type, VERSION_TLS12 >> 8, VERSION_TLS12 & 255, length >> 8, length & 255);
}

function sequenceBytes(sequence: number): Uint8Array {
  return new ByteWriter(8).u64be(BigInt(sequence)).finish();
}

/** Sequence number, type, version and length of the plaintext. RFC 5246, section 6.2.3.3. */
function additional12(sequence: number, type: number, length: number): Uint8Array {
  return new ByteWriter(13).u64be(BigInt(sequence)).u8(type).u16be(VERSION_TLS12).u16be(length).finish();
}
