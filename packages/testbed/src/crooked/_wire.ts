import type { ByteStream } from '../../../protocol/src/bytes/stream.ts';

/** The same stream; each piece is shown on its way. */
export function tapped(
  stream: ByteStream,
  onRead: (bytes: Uint8Array) => void,
  onWrite: (bytes: Uint8Array) => void,
): ByteStream {
  return {
    label: stream.label,
    async read(signal) {
      const bytes = await stream.read(signal);
      if (bytes !== null) onRead(bytes);
      return bytes;
    },
    write(bytes, signal) {
      onWrite(bytes);
      return stream.write(bytes, signal);
    },
    end: () => stream.end(),
    destroy: (reason) => stream.destroy(reason),
  };
}

/** The same stream; what is written leaves byte by byte, now and then with a pause. */
export function dribbling(stream: ByteStream): ByteStream {
  let state = 1;
  // Marsaglia, "Xorshift RNGs", 2003: the same pauses in every run.
  const random = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    label: stream.label,
    read: (signal) => stream.read(signal),
    async write(bytes, signal) {
      for (let at = 0; at < bytes.length; at += 1) {
        await stream.write(bytes.subarray(at, at + 1), signal);
        if (random() % PAUSE_EVERY === 0)
          await new Promise<void>((resolve) => setTimeout(resolve, random() % MAX_PAUSE_MS));
        else await new Promise<void>((resolve) => setImmediate(resolve));
      }
    },
    end: () => stream.end(),
    destroy: (reason) => stream.destroy(reason),
  };
}

const PAUSE_EVERY = 500;
const MAX_PAUSE_MS = 3;

/** Calls back once nothing has happened for a while. */
export class IdleClock {
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(idleMs: number, onIdle: () => void) {
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    this.touch();
  }

  /** Something happened. */
  touch(): void {
    this.stop();
    this.#timer = setTimeout(this.#onIdle, this.#idleMs).unref();
  }

  /** Nobody cares any more. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
