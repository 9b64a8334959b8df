import { concatBytes } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';

/**
 * DER, X.690: one encoding for every value. The reader is strict (definite, shortest lengths; one-byte tags); it does
 * not know what any value means. Like ByteReader it throws through `onProblem`, so the error is the caller's.
 */

/** Tags that name no field of a protocol. X.680, section 8.6. */
export const DER = {
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  generalString: 0x1b,
  sequence: 0x30,
} as const;

/** The tag of a constructed, context-specific field: `[number]`. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** Deepest nesting of `DerReader.inside`; the structures we read need six. */
export const MAX_DER_DEPTH = 32;

/** Reads the values of one DER string in order. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #onProblem: OnUnderrun;
  readonly #depth: number;
  #at = 0;

  constructor(bytes: Uint8Array, onProblem: OnUnderrun, depth = 0) {
    this.#bytes = bytes;
    this.#onProblem = onProblem;
    this.#depth = depth;
    if (depth > MAX_DER_DEPTH) onProblem('nested too deeply');
  }

  /** Whether every byte has been read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of the next value, or null at the end. */
  peekTag(): number | null {
    return this.#bytes[this.#at] ?? null;
  }

  /** The content of the next value, which must have this tag: a view. */
  take(tag: number): Uint8Array {
    const found = this.peekTag();
    if (found !== tag)
      this.#onProblem(`expected tag ${hexByte(tag)}, found ${found === null ? 'the end' : hexByte(found)}`);
    const lengthAt = this.#at + 1;
    const { length, contentAt } = this.#length(lengthAt);
    if (length > this.#bytes.length - contentAt) this.#onProblem(`a value of ${length} bytes runs past the end`);
    this.#at = contentAt + length;
    return this.#bytes.subarray(contentAt, this.#at);
  }

  /** The content of the next value if it has this tag, else null and nothing is read. */
  takeOptional(tag: number): Uint8Array | null {
    return this.peekTag() === tag ? this.take(tag) : null;
  }

  /** The next value with tag and length, which must have this tag: a view. */
  takeEncoded(tag: number): Uint8Array {
    const start = this.#at;
    this.take(tag);
    return this.#bytes.subarray(start, this.#at);
  }

  /** A reader of the next value's content. */
  inside(tag: number): DerReader {
    return new DerReader(this.take(tag), this.#onProblem, this.#depth + 1);
  }

  /** A reader of the next value's content if it has this tag, else null and nothing is read. */
  insideOptional(tag: number): DerReader | null {
    return this.peekTag() === tag ? this.inside(tag) : null;
  }

  /** Refuses bytes left over. */
  end(): void {
    if (!this.isAtEnd) this.#onProblem(`${this.#bytes.length - this.#at} bytes left over`);
  }

  #length(at: number): { length: number; contentAt: number } {
    const first = this.#bytes[at];
    if (first === undefined) return this.#onProblem('no length');
    if (first < 0x80) return { length: first, contentAt: at + 1 };
    const count = first & 0x7f;
    if (count === 0 || count > 4) return this.#onProblem(`length form ${hexByte(first)}`);
    let length = 0;
    for (let i = 1; i <= count; i++) {
      const byte = this.#bytes[at + i];
      if (byte === undefined) return this.#onProblem('the length is cut off');
      length = length * 256 + byte;
    }
    // X.690, section 10.1: the length is in the definite form with the fewest octets
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) this.#onProblem('a length longer than need be');
    return { length, contentAt: at + 1 + count };
  }
}

/** One value: tag, length and the contents in a row. */
export function derValue(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const content of contents) length += content.length;
  const head = [tag];
  if (length < 0x80) head.push(length);
  else {
    const digits: number[] = [];
    for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left & 255);
    head.push(0x80 | digits.length, ...digits);
  }
  return concatBytes(Uint8Array.from(head), ...contents);
}

/** The dotted text of an object identifier's content octets, or null when it is ill-formed. X.690, section 8.19. */
export function oidText(content: Uint8Array): string | null {
  const arcs: number[] = [];
  let arc = 0;
  let isFresh = true;
  for (const byte of content) {
    if (isFresh && byte === 0x80) return null; // a leading zero digit
    arc = arc * 128 + (byte & 0x7f);
    if (arc > MAX_OID_ARC) return null;
    isFresh = byte < 0x80;
    if (!isFresh) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - 40 * root);
    } else arcs.push(arc);
    arc = 0;
  }
  return isFresh && arcs.length > 0 ? arcs.join('.') : null;
}

/** An arc beyond this is no identifier of ours: numbers stay exact, and texts short. */
const MAX_OID_ARC = 2 ** 32;

function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
