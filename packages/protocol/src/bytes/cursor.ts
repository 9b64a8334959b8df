import { NO_BYTES } from './bytes.ts';

/** Throws the error of whoever reads, naming what went past the end; see `ByteReader`. */
export type OnUnderrun = (problem: string) => never;

/**
 * Reads a byte array front to back, bounds-checked. It knows no protocol, so it throws nothing of its own: when bytes
 * are missing it calls `onUnderrun`, which throws the error the protocol has for that.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #onUnderrun: OnUnderrun;
  #at = 0;

  constructor(bytes: Uint8Array, onUnderrun: OnUnderrun) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#onUnderrun = onUnderrun;
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#at;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** One byte. */
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** Unsigned, 2 bytes, little-endian. */
  u16le(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  /** Unsigned, 2 bytes, big-endian. */
  u16be(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  /** Unsigned, 4 bytes, little-endian. */
  u32le(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Unsigned, 4 bytes, big-endian. */
  u32be(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** Unsigned, 8 bytes, little-endian. */
  u64le(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** Unsigned, 8 bytes, big-endian. */
  u64be(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  /** The next `length` bytes: a view, not a copy. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Everything that is left: a view, not a copy. */
  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  /** Bytes somewhere else in the array, as offset and length fields name them; the position stays. */
  slice(offset: number, length: number): Uint8Array {
    if (length === 0) return NO_BYTES;
    if (offset + length > this.#bytes.length) this.#onUnderrun(`${length} bytes at ${offset} of ${this.#bytes.length}`);
    return this.#bytes.subarray(offset, offset + length);
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.remaining) this.#onUnderrun(`${length} bytes at ${start} of ${this.#bytes.length}`);
    this.#at += length;
    return start;
  }
}

/** Writes a byte array front to back; grows as it goes. Integers are taken modulo their size. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** @param capacity bytes to set aside at first */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** One byte. */
  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  /** 2 bytes, little-endian. */
  u16le(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** 2 bytes, big-endian. */
  u16be(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  /** 4 bytes, little-endian. */
  u32le(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** 4 bytes, big-endian. */
  u32be(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  /** 8 bytes, little-endian. */
  u64le(value: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  /** 8 bytes, big-endian. */
  u64be(value: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  /** Bytes as they are. */
  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** A block led by its own length in 1, 2 or 4 big-endian bytes, known only when the block is written. */
  block(lengthBytes: 1 | 2 | 4, write: (writer: this) => void): this {
    const at = this.#grow(lengthBytes);
    write(this);
    const length = this.#length - at - lengthBytes;
    if (lengthBytes === 1) this.#view.setUint8(at, length);
    else if (lengthBytes === 2) this.#view.setUint16(at, length);
    else this.#view.setUint32(at, length);
    return this;
  }

  /** What was written: a copy, so that writing may go on. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}
