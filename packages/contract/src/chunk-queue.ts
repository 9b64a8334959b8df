/** Shorter pieces are copied together; longer ones are kept as they are, without a copy. */
const SMALL_BYTES = 4096;

/** A tail for small pieces begins this large and doubles, so that what is allocated is at most twice what is held. */
const FIRST_TAIL_BYTES = 256;

/** Largest tail. */
const LAST_TAIL_BYTES = 64 * 1024;

interface Chunk {
  buffer: Uint8Array;
  /** First byte that is still held. */
  start: number;
  end: number;
}

/**
 * Bytes in order, added at one end and taken at the other. Single bytes cost about as much as large pieces do, so a
 * bound on `length` is a bound on memory.
 *
 * INVARIANT: a piece of `SMALL_BYTES` or more belongs to the queue from `append` on; whoever gave it changes it no more.
 */
export class ChunkQueue {
  #chunks: Chunk[] = [];
  /** Index of the first chunk that is held; what is before it is cut off now and then. */
  #first = 0;
  #length = 0;
  #hasTail = false;

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes at the end. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    if (bytes.length >= SMALL_BYTES) {
      this.#chunks.push({ buffer: bytes, start: 0, end: bytes.length });
      this.#hasTail = false;
      return;
    }
    const tail = this.#tailFor(bytes.length);
    tail.buffer.set(bytes, tail.end);
    tail.end += bytes.length;
  }

  /** Takes the next piece off the front; null when nothing is held. */
  shift(): Uint8Array | null {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return null;
    const bytes = chunk.buffer.subarray(chunk.start, chunk.end);
    this.drop(bytes.length);
    return bytes;
  }

  /** Forgets so many bytes at the front; at most all of them. */
  drop(count: number): void {
    let left = Math.min(count, this.#length);
    this.#length -= left;
    while (left > 0) {
      const chunk = this.#chunks[this.#first];
      if (chunk === undefined) break;
      const held = chunk.end - chunk.start;
      if (left < held) {
        chunk.start += left;
        break;
      }
      left -= held;
      this.#first += 1;
    }
    if (this.#first === this.#chunks.length) {
      this.clear();
    } else if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }

  /** All pieces from so many bytes after the front on. They are views: read them before the next change. */
  piecesFrom(offset: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let skip = offset;
    for (let index = this.#first; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) break;
      const held = chunk.end - chunk.start;
      if (skip < held) pieces.push(chunk.buffer.subarray(chunk.start + skip, chunk.end));
      skip = Math.max(0, skip - held);
    }
    return pieces;
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#length = 0;
    this.#hasTail = false;
  }

  /** A chunk of our own with room at its end. */
  #tailFor(length: number): Chunk {
    const last = this.#hasTail ? this.#chunks.at(-1) : undefined;
    if (last !== undefined && last.end + length <= last.buffer.length) return last;
    if (last !== undefined && last.buffer.length < LAST_TAIL_BYTES) {
      // Grown, not changed: pieces that were handed out still look at the old one.
      const larger = new Uint8Array(Math.max(last.buffer.length * 2, last.end - last.start + length));
      larger.set(last.buffer.subarray(last.start, last.end));
      last.end -= last.start;
      last.start = 0;
      last.buffer = larger;
      return last;
    }
    const tail: Chunk = { buffer: new Uint8Array(Math.max(FIRST_TAIL_BYTES, length)), start: 0, end: 0 };
    this.#chunks.push(tail);
    this.#hasTail = true;
    return tail;
  }
}
