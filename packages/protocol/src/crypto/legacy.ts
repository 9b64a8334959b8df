import { HashMD } from '@noble/hashes/_md.js';
import { fail } from '../errors.ts';

/**
 * MD4 and RC4: broken, forgotten by WebCrypto and by every library worth using, and still what NTLM is made of.
 * Nothing but NTLM may use them.
 */

/** The MD4 digest, 16 bytes. RFC 1320. NTLM hashes the password with it: [MS-NLMP] 3.3.2 NTOWFv2. */
export function md4(message: Uint8Array): Uint8Array {
  return new Md4().update(message).digest();
}

/**
 * One RC4 key stream, [MS-NLMP] 3.4.3 and 3.4.4; every call of `apply` goes on where the last one stopped.
 *
 * INVARIANT: never two streams from one key on different messages; NTLM's own restart after mechListMIC is the sole
 * exception, and there the bytes already spent are only the eight of a checksum.
 */
export class Rc4 {
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  /**
   * @param key 1 to 256 bytes
   * @throws misuse.bad-argument for a key of another length
   */
  constructor(key: Uint8Array) {
    if (key.length < 1 || key.length > 256)
      fail('misuse.bad-argument', { argument: 'RC4 key', reason: 'out-of-range' });
    const state = this.#state;
    for (let i = 0; i < 256; i++) state[i] = i;
    let j = 0;
    for (let i = 0; i < 256; i++) {
      const held = state[i] as number;
      j = (j + held + (key[i % key.length] as number)) & 255;
      state[i] = state[j] as number;
      state[j] = held;
    }
  }

  /** Encrypts or decrypts, which is the same; the input is left alone. */
  apply(bytes: Uint8Array): Uint8Array {
    const state = this.#state;
    const length = bytes.length;
    const out = new Uint8Array(length);
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < length; at++) {
      i = (i + 1) & 255;
      const a = state[i] as number;
      j = (j + a) & 255;
      const b = state[j] as number;
      state[i] = b;
      state[j] = a;
      out[at] = (bytes[at] as number) ^ (state[(a + b) & 255] as number);
    }
    this.#i = i;
    this.#j = j;
    return out;
  }

  /** Zeroes the state. The stream is worthless afterwards. */
  destroy(): void {
    this.#state.fill(0);
    this.#i = 0;
    this.#j = 0;
  }
}

/** Shifts of the three rounds, four steps each. RFC 1320, section 3.4. */
const SHIFTS = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const;
/** The order in which the rounds read the sixteen words. */
const ORDERS = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
] as const;
const CONSTANTS = [0, 0x5a827999, 0x6ed9eba1] as const;

/** MD4's compression over noble's Merkle-Damgård frame, which pads and counts. */
class Md4 extends HashMD<Md4> {
  #a = 0x67452301;
  #b = 0xefcdab89;
  #c = 0x98badcfe;
  #d = 0x10325476;

  constructor() {
    super(64, 16, 8, true);
  }

  protected get(): number[] {
    return [this.#a, this.#b, this.#c, this.#d];
  }

  protected set(a: number, b: number, c: number, d: number): void {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
  }

  protected process(view: DataView, offset: number): void {
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let step = 0; step < 48; step++) {
      const round = (step >> 4) as 0 | 1 | 2;
      const word = view.getUint32(offset + 4 * (ORDERS[round][step & 15] as number), true);
      const mixed = (a + choose(round, b, c, d) + word + CONSTANTS[round]) | 0;
      const shift = SHIFTS[round][step & 3] as number;
      a = d;
      d = c;
      c = b;
      b = (mixed << shift) | (mixed >>> (32 - shift));
    }
    this.set(this.#a + a, this.#b + b, this.#c + c, this.#d + d);
  }

  protected roundClean(): void {}

  _cloneInto(to: Md4 = new Md4()): Md4 {
    to.set(this.#a, this.#b, this.#c, this.#d);
    return this._cloneIntoMeta(to);
  }

  destroy(): void {
    this.destroyed = true;
    this.set(0, 0, 0, 0);
    this.buffer.fill(0);
  }
}

function choose(round: 0 | 1 | 2, x: number, y: number, z: number): number {
  if (round === 0) return (x & y) | (~x & z);
  if (round === 1) return (x & y) | (x & z) | (y & z);
  return x ^ y ^ z;
}
