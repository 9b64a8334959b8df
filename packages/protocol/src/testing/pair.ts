import type { ByteStream } from '../bytes/stream.ts';
import { isWinRmError, WinRmError } from '../errors.ts';

/** Two streams, each the other's far side, and what can happen between them. */
export interface StreamPair {
  readonly near: ByteStream;
  readonly far: ByteStream;
  /** The connection breaks: reads and writes on both sides fail, what was under way is lost. */
  cut(): void;
  /** Nothing arrives until `release`: what is written meanwhile waits. */
  hold(): void;
  release(): void;
  /** Every byte written on the near side, and on the far side, so far. */
  readonly written: { readonly near: () => Uint8Array; readonly far: () => Uint8Array };
  /** Whether a side was destroyed by its owner, and why. */
  readonly destroyed: { readonly near: () => WinRmError | null; readonly far: () => WinRmError | null };
}

/**
 * Connects two streams in memory.
 * @param options.splitBytes delivers at most so many bytes per read; 1 for byte by byte
 */
export function streamPair(options: { splitBytes?: number; label?: string } = {}): StreamPair {
  const splitBytes = options.splitBytes ?? Infinity;
  const toFar = new Way(splitBytes);
  const toNear = new Way(splitBytes);
  const label = options.label ?? 'pair';
  const near = new Side(`${label}, near`, toNear, toFar);
  const far = new Side(`${label}, far`, toFar, toNear);
  return {
    near,
    far,
    cut() {
      toFar.breakWith(lost());
      toNear.breakWith(lost());
    },
    hold() {
      toFar.hold();
      toNear.hold();
    },
    release() {
      toFar.release();
      toNear.release();
    },
    written: { near: () => toFar.everything(), far: () => toNear.everything() },
    destroyed: { near: () => near.destroyedBy, far: () => far.destroyedBy },
  };
}

function lost(): WinRmError {
  return new WinRmError('http.closed-early', { where: 'connection' });
}

interface Waiting {
  resolve(bytes: Uint8Array | null): void;
  reject(error: unknown): void;
}

/** One direction. */
class Way {
  readonly #splitBytes: number;
  readonly #record: Uint8Array[] = [];
  #queue: Uint8Array[] = [];
  #isEnded = false;
  #isHeld = false;
  #broken: WinRmError | null = null;
  #waiting: Waiting | null = null;

  constructor(splitBytes: number) {
    this.#splitBytes = splitBytes;
  }

  put(bytes: Uint8Array): void {
    if (this.#broken !== null) throw this.#broken;
    if (this.#isEnded) throw new WinRmError('misuse.wrong-state', { action: 'write', state: 'ended' });
    if (bytes.length === 0) return;
    const copy = bytes.slice();
    this.#record.push(copy);
    this.#queue.push(copy);
    this.#deliver();
  }

  end(): void {
    this.#isEnded = true;
    this.#deliver();
  }

  breakWith(error: WinRmError): void {
    this.#broken ??= error;
    this.#queue = [];
    this.#deliver();
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#deliver();
  }

  everything(): Uint8Array {
    return Uint8Array.from(this.#record.flatMap((bytes) => [...bytes]));
  }

  read(signal: AbortSignal | undefined): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      if (this.#waiting !== null) throw new WinRmError('misuse.wrong-state', { action: 'read', state: 'reading' });
      if (signal?.aborted) return reject(reasonOf(signal));
      const onAbort = (): void => {
        this.#waiting = null;
        reject(reasonOf(signal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      this.#waiting = {
        resolve: (bytes) => {
          settle();
          resolve(bytes);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#deliver();
    });
  }

  #deliver(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    if (this.#broken !== null) {
      this.#waiting = null;
      waiting.reject(this.#broken);
      return;
    }
    if (this.#isHeld) return;
    const first = this.#queue.shift();
    if (first === undefined && !this.#isEnded) return;
    this.#waiting = null;
    if (first !== undefined && first.length > this.#splitBytes) this.#queue.unshift(first.slice(this.#splitBytes));
    waiting.resolve(first?.slice(0, this.#splitBytes) ?? null);
  }
}

class Side implements ByteStream {
  readonly label: string;
  readonly #incoming: Way;
  readonly #outgoing: Way;
  destroyedBy: WinRmError | null = null;

  constructor(label: string, incoming: Way, outgoing: Way) {
    this.label = label;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  read(signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.#incoming.read(signal);
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw reasonOf(signal);
    this.#outgoing.put(bytes);
  }

  async end(): Promise<void> {
    this.#outgoing.end();
  }

  destroy(reason?: WinRmError): void {
    if (this.destroyedBy !== null) return;
    this.destroyedBy = reason ?? lost();
    this.#incoming.breakWith(this.destroyedBy);
    this.#outgoing.end();
  }
}

function reasonOf(signal: AbortSignal | undefined): unknown {
  return isWinRmError(signal?.reason) ? signal?.reason : new WinRmError('session.cancelled', { at: 'read' });
}
