import { NO_BYTES } from './bytes.ts';

const FIRST_CAPACITY_BYTES = 1024;
const LINE_FEED = 10;

/**
 * Bytes that have come in and were not yet taken. Appending and taking are amortised constant per byte, also when bytes
 * come one at a time, and a search for the end of a line never looks at a byte twice.
 *
 * INVARIANT: 0 ≤ start ≤ searched ≤ end ≤ store.length. What is handed out is a copy; the store is reused.
 */
export class ReceiveBuffer {
  #store = NO_BYTES;
  #start = 0;
  #end = 0;
  #searched = 0;

  /** How many bytes wait to be taken. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds bytes at the end; they are copied. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#end + bytes.length > this.#store.length) this.#makeRoom(bytes.length);
    this.#store.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The byte at a distance from the front, or -1 where there is none. Takes nothing. */
  byteAt(offset: number): number {
    return offset >= 0 && offset < this.length ? (this.#store[this.#start + offset] as number) : -1;
  }

  /** A copy of at most `limitBytes` from the front. Takes nothing. */
  peek(limitBytes: number): Uint8Array {
    return this.#store.slice(this.#start, Math.min(this.#end, this.#start + limitBytes));
  }

  /** Exactly `count` bytes from the front, or null while there are fewer. */
  take(count: number): Uint8Array | null {
    if (count > this.length) return null;
    const taken = this.#store.slice(this.#start, this.#start + count);
    this.#start += count;
    if (this.#searched < this.#start) this.#searched = this.#start;
    if (this.#start === this.#end) this.#reset();
    return taken;
  }

  /** Everything there is, possibly nothing. */
  takeAll(): Uint8Array {
    return this.take(this.length) ?? NO_BYTES;
  }

  /** The bytes up to a line feed, without it, or null while there is none. The line feed is taken too. */
  takeLine(): Uint8Array | null {
    const at = this.#store.subarray(0, this.#end).indexOf(LINE_FEED, this.#searched);
    if (at < 0) {
      this.#searched = this.#end;
      return null;
    }
    const line = this.#store.slice(this.#start, at);
    this.take(at + 1 - this.#start);
    return line;
  }

  #makeRoom(moreBytes: number): void {
    const length = this.length;
    const needed = length + moreBytes;
    const isWorthMoving = this.#start >= this.#store.length / 2;
    const capacity = isWorthMoving
      ? Math.max(this.#store.length, needed)
      : Math.max(2 * this.#store.length, needed, FIRST_CAPACITY_BYTES);
    const store = new Uint8Array(capacity);
    store.set(this.#store.subarray(this.#start, this.#end));
    this.#searched -= this.#start;
    this.#store = store;
    this.#start = 0;
    this.#end = length;
  }

  /** An empty buffer keeps no large store behind, so an idle connection is small. */
  #reset(): void {
    if (this.#store.length > FIRST_CAPACITY_BYTES) this.#store = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
    this.#searched = 0;
  }
}
