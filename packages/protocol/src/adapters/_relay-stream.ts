import { BEAT_MS, MAX_SILENCE_MS } from '@fairlead/contract';
import type { ByteStream } from '../bytes/stream.ts';
import { throwIfAborted } from '../bytes/stream.ts';
import { fail, WinRmError } from '../errors.ts';

/**
 * Bytes a tab keeps that nobody has read yet. A page cannot tell its WebSocket to wait, and WinRM answers only what was
 * asked, so more than this is a peer that floods.
 */
export const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** Above this much in the WebSocket's own buffer a write waits. */
const HIGH_WATER_BYTES = 1 << 20;

/** A page is not told when the buffer has drained, so a waiting write looks again after this long. */
const DRAIN_POLL_MS = 4;

/** Longest binary message sent; well under what the relay takes, and small enough to be cancelled in between. */
const SLICE_BYTES = 256 * 1024;

interface Reader {
  readonly resolve: (bytes: Uint8Array | null) => void;
  readonly reject: (reason: unknown) => void;
}

/** The tab's end of one pipe: what `relay-socket.ts` hands out once the relay has said `opened`. */
export class RelayStream implements ByteStream {
  readonly label: string;
  readonly #socket: WebSocket;
  readonly #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #reader: Reader | null = null;
  #hasEndedHere = false;
  #hasEndedThere = false;
  #failure: WinRmError | null = null;
  #isDestroyed = false;

  constructor(socket: WebSocket, label: string) {
    this.#socket = socket;
    this.label = label;
  }

  read(signal?: AbortSignal): Promise<Uint8Array | null> {
    const bytes = this.#unread.shift();
    if (bytes !== undefined) {
      this.#unreadBytes -= bytes.length;
      return Promise.resolve(bytes);
    }
    if (this.#hasEndedThere) return Promise.resolve(null);
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#isDestroyed) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#reader = null;
        reject(abortError(signal));
      };
      if (this.#reader !== null) {
        reject(new WinRmError('misuse.wrong-state', { action: 'read', state: 'reading' }));
        return;
      }
      if (signal?.aborted) {
        reject(abortError(signal));
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle = () => signal?.removeEventListener('abort', onAbort);
      this.#reader = {
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: (reason) => {
          settle();
          reject(reason);
        },
      };
    });
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      throwIfAborted(signal, 'road');
      this.#checkWritable();
      this.#socket.send(bytes.slice(at, at + SLICE_BYTES));
      while (this.#socket.bufferedAmount > HIGH_WATER_BYTES && this.#socket.readyState === OPEN) {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
        throwIfAborted(signal, 'road');
      }
    }
    this.#checkWritable();
  }

  end(): Promise<void> {
    if (this.#hasEndedHere || this.#isDestroyed || this.#failure !== null) return Promise.resolve();
    this.#hasEndedHere = true;
    if (this.#socket.readyState === OPEN) this.#socket.send('{"type":"end"}');
    return Promise.resolve();
  }

  destroy(reason?: WinRmError): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#failure ??= reason ?? null;
    this.#drop();
    this.#socket.close(1000);
    this.#settleReader();
  }

  /** Bytes from the relay. */
  receive(bytes: Uint8Array): void {
    if (this.#isDestroyed || this.#hasEndedThere || bytes.length === 0) return;
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      reader.resolve(bytes);
      return;
    }
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes <= MAX_UNREAD_BYTES) return;
    this.#drop();
    this.destroy(new WinRmError('relay.lost', { reason: 'more bytes than anyone reads' }));
  }

  /** The far end will send nothing more. */
  receiveEnd(): void {
    this.#hasEndedThere = true;
    this.#settleReader();
  }

  /** The link or the road broke; what has arrived may still be read. */
  receiveFailure(error: WinRmError): void {
    if (this.#isDestroyed) return;
    // After both ends have finished, the relay closes the socket and there is nothing left to lose.
    if (this.#hasEndedThere && this.#hasEndedHere) return;
    this.#failure ??= error;
    this.#settleReader();
  }

  #checkWritable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isDestroyed || this.#hasEndedHere) fail('misuse.wrong-state', { action: 'write', state: 'ended' });
    if (this.#socket.readyState !== OPEN) fail('relay.lost', { reason: 'the connection is closed' });
  }

  #drop(): void {
    this.#unread.length = 0;
    this.#unreadBytes = 0;
  }

  #settleReader(): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) return;
    if (this.#failure !== null && !this.#hasEndedThere) reader.reject(this.#failure);
    else reader.resolve(null);
  }
}

/**
 * Says something every `BEAT_MS` and notices when the relay has said nothing for `MAX_SILENCE_MS`. Silence is counted in
 * ticks and not by the clock: after a laptop's sleep one late tick is one tick.
 */
export class Heartbeat {
  readonly #timer: ReturnType<typeof setInterval>;
  #silentTicks = 0;

  constructor(socket: WebSocket, onSilence: () => void) {
    this.#timer = setInterval(() => {
      this.#silentTicks += 1;
      if (this.#silentTicks * BEAT_MS > MAX_SILENCE_MS) onSilence();
      else if (socket.readyState === OPEN) socket.send('{"type":"beat"}');
    }, BEAT_MS);
    unref(this.#timer);
  }

  /** The relay was heard. */
  heard(): void {
    this.#silentTicks = 0;
  }

  /** No more beats. */
  stop(): void {
    clearInterval(this.#timer);
  }
}

/** The error an aborted signal stands for. */
export function abortError(signal: AbortSignal | undefined): unknown {
  try {
    throwIfAborted(signal, 'road');
  } catch (error) {
    return error;
  }
  return new WinRmError('session.cancelled', { at: 'road' });
}

/** A timer must not keep a Node program alive; in a page it is a number and has nothing to release. */
function unref(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') {
    timer.unref();
  }
}

/** `WebSocket.OPEN`, without reaching for a global that a test may have replaced. */
const OPEN = 1;
