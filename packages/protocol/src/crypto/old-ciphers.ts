import { fromHex, NO_BYTES } from '../bytes/bytes.ts';

/**
 * Triple DES and RC2, decryption only: Windows and older tools still write PKCS#12 files with them, and a person must be
 * able to open such a file. Nothing is ever encrypted with either. Plain rather than fast: a file has a few kilobytes.
 */

/** Turns one block of 8 bytes back, in place at `at` of `from`, into a new block. */
type BlockDecryption = (block: Uint8Array) => Uint8Array;

const BLOCK_BYTES = 8;

/**
 * Triple DES in CBC mode. NIST SP 800-67; RFC 1851
 *
 * @param key 24 bytes; parity bits are ignored
 * @param iv 8 bytes
 * @returns the text without its padding, or null when length or padding are wrong
 */
export function decryptTripleDesCbc(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  const [first, second, third] = [0, 8, 16].map((at) => desSchedule(key.subarray(at, at + 8)));
  if (key.length !== 24 || first === undefined || second === undefined || third === undefined) return null;
  const reversed = (schedule: DesSchedule): DesSchedule => [...schedule].reverse();
  const decrypt: BlockDecryption = (block) => {
    const bits = bitsOf(block);
    return bytesOfBits(desRounds(desRounds(desRounds(bits, reversed(third)), second), reversed(first)));
  };
  return decryptCbc(decrypt, iv, sealed);
}

/**
 * RC2 in CBC mode. RFC 2268
 *
 * @param effectiveBits how many bits of the key count
 * @param iv 8 bytes
 * @returns the text without its padding, or null when length or padding are wrong
 */
export function decryptRc2Cbc(
  key: Uint8Array,
  effectiveBits: number,
  iv: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  const schedule = rc2Schedule(key, effectiveBits);
  return decryptCbc((block) => rc2Decrypt(schedule, block), iv, sealed);
}

function decryptCbc(decrypt: BlockDecryption, iv: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (iv.length !== BLOCK_BYTES || sealed.length === 0 || sealed.length % BLOCK_BYTES !== 0) return null;
  const plain = new Uint8Array(sealed.length);
  let previous = iv;
  for (let at = 0; at < sealed.length; at += BLOCK_BYTES) {
    const block = sealed.subarray(at, at + BLOCK_BYTES);
    const opened = decrypt(block);
    for (let i = 0; i < BLOCK_BYTES; i++) plain[at + i] = (opened[i] as number) ^ (previous[i] as number);
    previous = block;
  }
  return withoutPadding(plain, BLOCK_BYTES);
}

/** Takes PKCS#7 padding off, or null when it is wrong. RFC 5652, section 6.3. No oracle: nobody remote sees the outcome. */
function withoutPadding(plain: Uint8Array, blockBytes: number): Uint8Array | null {
  const count = plain.at(-1) ?? 0;
  const isRight = count >= 1 && count <= blockBytes && plain.subarray(-count).every((byte) => byte === count);
  return isRight ? plain.subarray(0, plain.length - count) : null;
}

type DesSchedule = readonly Uint8Array[];

/** Sixteen round keys of 48 bits, one bit to a byte. FIPS 46-3, appendix 1 */
function desSchedule(key: Uint8Array): DesSchedule {
  if (key.length !== BLOCK_BYTES) return [];
  const chosen = permuted(bitsOf(key), PC1);
  let c = rotated(chosen.subarray(0, 28), 0);
  let d = rotated(chosen.subarray(28), 0);
  return SHIFTS.map((shift) => {
    c = rotated(c, shift);
    d = rotated(d, shift);
    return permuted(Uint8Array.from([...c, ...d]), PC2);
  });
}

/** One pass of DES over 64 bits; with the schedule reversed it decrypts. FIPS 46-3 */
function desRounds(bits: Uint8Array, schedule: DesSchedule): Uint8Array {
  const start = permuted(bits, IP);
  let [left, right] = [start.slice(0, 32), start.slice(32)];
  for (const roundKey of schedule) {
    const mixed = substituted(right, roundKey);
    const next = left.map((bit, i) => bit ^ (mixed[i] as number));
    left = right;
    right = next;
  }
  const out = new Uint8Array(64);
  const last = Uint8Array.from([...right, ...left]);
  IP.forEach((from, to) => {
    out[from - 1] = last[to] as number; // the final permutation is the inverse of the first
  });
  return out;
}

/** Expansion, key, S-boxes and permutation P: the function f of FIPS 46-3. */
function substituted(half: Uint8Array, roundKey: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  for (let box = 0; box < 8; box++) {
    let index = 0;
    for (let i = 0; i < 6; i++) {
      const bit = (half[(4 * box + i + 31) % 32] as number) ^ (roundKey[6 * box + i] as number);
      index = (index << 1) | bit;
    }
    const row = ((index >> 4) & 2) | (index & 1);
    const value = Number.parseInt((S_BOXES[box] as string).charAt(16 * row + ((index >> 1) & 15)), 16);
    for (let i = 0; i < 4; i++) out[4 * box + i] = (value >> (3 - i)) & 1;
  }
  return permuted(out, P);
}

function permuted(bits: Uint8Array, order: readonly number[]): Uint8Array {
  return Uint8Array.from(order, (from) => bits[from - 1] as number);
}

function rotated(bits: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bits, (_, i) => bits[(i + count) % bits.length] as number);
}

function bitsOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 8 * bytes.length }, (_, i) => ((bytes[i >> 3] as number) >> (7 - (i & 7))) & 1);
}

function bytesOfBits(bits: Uint8Array): Uint8Array {
  const out = new Uint8Array(bits.length / 8);
  bits.forEach((bit, i) => {
    out[i >> 3] = (out[i >> 3] as number) | (bit << (7 - (i & 7)));
  });
  return out;
}

/** 64 words of 16 bits. RFC 2268, section 2 */
function rc2Schedule(key: Uint8Array, effectiveBits: number): Uint16Array {
  const bytes = new Uint8Array(128);
  bytes.set(key);
  const table = (index: number): number => RC2_TABLE[index & 255] as number;
  const at = (index: number): number => bytes[index] as number;
  for (let i = key.length; i < 128; i++) bytes[i] = table(at(i - 1) + at(i - key.length));
  const effectiveBytes = Math.ceil(effectiveBits / 8);
  const edge = 128 - effectiveBytes;
  bytes[edge] = table(at(edge) & (0xff >> (8 * effectiveBytes - effectiveBits)));
  for (let i = edge - 1; i >= 0; i--) bytes[i] = table(at(i + 1) ^ at(i + effectiveBytes));
  return Uint16Array.from({ length: 64 }, (_, i) => at(2 * i) | (at(2 * i + 1) << 8));
}

/** RFC 2268, section 4 */
function rc2Decrypt(schedule: Uint16Array, block: Uint8Array): Uint8Array {
  const r = Uint16Array.from({ length: 4 }, (_, i) => (block[2 * i] as number) | ((block[2 * i + 1] as number) << 8));
  const word = (i: number): number => r[(i + 4) % 4] as number;
  let next = 63;
  const unmix = (): void => {
    for (let i = 3; i >= 0; i--) {
      const turn = RC2_TURNS[i] as number;
      const turned = (word(i) >>> turn) | (word(i) << (16 - turn));
      const mixed = (schedule[next] as number) + (word(i - 1) & word(i - 2)) + (~word(i - 1) & word(i - 3));
      r[i] = turned - mixed;
      next -= 1;
    }
  };
  const unmash = (): void => {
    for (let i = 3; i >= 0; i--) r[i] = word(i) - (schedule[word(i - 1) & 63] as number);
  };
  for (const rounds of [5, 6, 5]) {
    for (let round = 0; round < rounds; round++) unmix();
    if (next >= 0) unmash();
  }
  return Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => (word(i >> 1) >> (8 * (i & 1))) & 255);
}

const RC2_TURNS = [1, 2, 3, 5];

/** RFC 2268, section 2: digits of pi */
const RC2_TABLE =
  fromHex(
    `d978f9c419ddb5ed28e9fd794aa0d89d c67e37832b76538e624c6488448bfba2 179a59f587b34f1361456d8d09817d32
     bd8f40eb86b77b0bf09521225c6b4e82 54d66593ce60b21c7356c014a78cf1dc 1275ca1f3bbee4d1423dd430a33cb626
     6fbf0eda4669075727f21d9bbc944303 f811c7f690ef3ee706c3d52fc8661ed7 08e8eade8052eef784aa72ac354d6a2a
     961ad2715a1549744b9fd05e0418a4ec c2e0416e0f51cbcc2491af50a1f47039 997c3a8523b8b47afc02365b25559731
     2d5dfa98e38a92ae05df2910676cbac9 d300e6cfe19ea82c6316013f58e289a9 0d38341bab33ffb0bb480c5fb9b1cd2e
     c5f3db47e5a59c770aa62068fe7fc1ad`,
  ) ?? NO_BYTES;

/** FIPS 46-3: initial permutation, permutation P, permuted choices 1 and 2, and the eight S-boxes row by row */
const IP = [58, 60, 62, 64, 57, 59, 61, 63].flatMap((top) => Array.from({ length: 8 }, (_, i) => top - 8 * i));
const P = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];
const PC1 = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, 63, 55,
  47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
const PC2 = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30,
  40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
const S_BOXES = [
  'e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d',
  'f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9',
  'a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c',
  '7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e',
  '2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453',
  'c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d',
  '4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c',
  'd2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b',
];
