import { ChunkQueue } from './chunk-queue.ts';

/** So many bytes may be under way on a live link before an acknowledgement is waited for: 40 MB/s at 100 ms. */
export const WINDOW_BYTES = 4 << 20;

/** Taken bytes are acknowledged at once when they are this many; fewer wait for `ACK_DELAY_MS`. */
export const ACK_BYTES = 256 * 1024;

/** Longest wait of an acknowledgement that nobody is held up by. */
export const ACK_DELAY_MS = 200;

/**
 * One end of a pipe that outlives its links: what has been sent and not acknowledged, and how much has come. Both ends
 * run this same machine. Offsets are running counts, so bytes need no header; the end of a direction counts as one more,
 * so that it, too, is acknowledged and repeated.
 *
 * INVARIANT: a byte is kept until the other end has it; it is handed to a link again only from the count that the other
 * end has named. That is why nothing is lost and nothing doubled, wherever a link breaks.
 */
export class ResumeLog {
  readonly #kept = new ChunkQueue();
  /** Offset of the first byte in `#kept`. */
  #keptFrom = 0;
  #sent = 0;
  #hasEnded = false;
  #acknowledged = 0;
  #received = 0;
  #hasEndedThere = false;
  #taken = 0;
  #told = 0;

  /** Counted: bytes sent so far, and one for the end. */
  get sent(): number {
    return this.#sent;
  }

  /** Sent, and not yet taken by whoever reads at the other end: what a window bounds. */
  get underWay(): number {
    return this.#sent - this.#acknowledged;
  }

  /** Bytes kept here because the other end may not have them. */
  get keptBytes(): number {
    return this.#kept.length;
  }

  /** Whether this direction has ended and the other end has all of it. */
  get isSettled(): boolean {
    return this.#hasEnded && this.#acknowledged === this.#sent;
  }

  /** Counted: bytes received so far, and one for the end. */
  get received(): number {
    return this.#received;
  }

  /** Whether the other end has said that nothing more comes. */
  get hasEndedThere(): boolean {
    return this.#hasEndedThere;
  }

  /** Received, and not yet taken by whoever reads here. */
  get untaken(): number {
    return this.#received - this.#taken;
  }

  /** Keeps bytes that go out. They belong to the log from here on. */
  send(bytes: Uint8Array): void {
    this.#kept.append(bytes);
    this.#sent += bytes.length;
  }

  /** Nothing more goes out. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sent += 1;
  }

  /** The other end has taken so much. False when that cannot be: more than was sent, or less than it has said before. */
  acknowledge(count: number): boolean {
    if (count > this.#sent || count < this.#acknowledged) return false;
    this.#acknowledged = count;
    this.#forgetBefore(count);
    return true;
  }

  /**
   * What a new link carries first, given how much the other end has received. Null when that cannot be: then these two
   * were never one pipe, and nothing has changed here.
   */
  replay(received: number): { readonly pieces: readonly Uint8Array[]; readonly hasEnded: boolean } | null {
    if (received > this.#sent || received < Math.max(this.#keptFrom, this.#acknowledged)) return null;
    this.#forgetBefore(received);
    this.#told = -1;
    const isEndMissing = this.#hasEnded && received < this.#sent;
    return { pieces: this.#kept.piecesFrom(0), hasEnded: isEndMissing };
  }

  /** Bytes have come in. */
  receive(length: number): void {
    this.#received += length;
  }

  /** The end has come in. */
  receiveEnd(): void {
    if (this.#hasEndedThere) return;
    this.#hasEndedThere = true;
    this.#received += 1;
  }

  /** Whoever reads here has taken so much; the end counts one. */
  take(length: number): void {
    this.#taken += length;
  }

  /** The count to tell the other end now, or null when it can wait, or when there is nothing new. */
  acknowledgement(isPatient: boolean): number | null {
    if (this.#taken === 0) this.#told = 0;
    const news = this.#taken - this.#told;
    if (news === 0 || (isPatient && news < ACK_BYTES && this.#told >= 0)) return null;
    this.#told = this.#taken;
    return this.#taken;
  }

  #forgetBefore(count: number): void {
    const bytes = Math.min(count, this.#keptFrom + this.#kept.length) - this.#keptFrom;
    if (bytes <= 0) return;
    this.#kept.drop(bytes);
    this.#keptFrom += bytes;
  }
}
