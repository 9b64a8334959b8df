import type { Socket } from 'node:net';
import { type DialedStream, WinRmError } from '@fairlead/protocol/road';

/** Bytes taken from the socket before somebody asks for them; past it the socket is paused. */
const READ_AHEAD_BYTES = 256 * 1024;

/** A TCP connection as a stream that can be half-closed and holds a bounded number of bytes. */
export class TcpStream implements DialedStream {
  readonly label: string;
  /** The address connected to. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #reader: { resolve: (bytes: Uint8Array | null) => void; reject: (reason: unknown) => void } | null = null;
  #writers: (() => void)[] = [];
  #hasEndedThere = false;
  #failure: WinRmError | null = null;

  /** @param socket connected, made with `allowHalfOpen` */
  constructor(socket: Socket, label: string, address = socket.remoteAddress ?? '') {
    this.label = label;
    this.address = address;
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('end', () => {
      this.#hasEndedThere = true;
      this.#settle();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? 'unknown'));
    socket.on('close', () => {
      if (!this.#hasEndedThere) this.#fail('closed');
      this.#wakeWriters();
    });
    socket.on('drain', () => this.#wakeWriters());
  }

  read(signal?: AbortSignal): Promise<Uint8Array | null> {
    const bytes = this.#unread.shift();
    if (bytes !== undefined) {
      this.#unreadBytes -= bytes.length;
      if (this.#unreadBytes <= READ_AHEAD_BYTES / 2 && this.#socket.isPaused()) this.#socket.resume();
      return Promise.resolve(bytes);
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#hasEndedThere) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#reader = null;
        reject(abortReason(signal));
      };
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      if (signal === undefined) {
        this.#reader = { resolve, reject };
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      const quiet = () => signal.removeEventListener('abort', onAbort);
      this.#reader = {
        resolve: (value) => {
          quiet();
          resolve(value);
        },
        reject: (reason) => {
          quiet();
          reject(reason);
        },
      };
    });
  }

  /** INVARIANT: the bytes are handed to the socket before the first wait, so calls keep their order. */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (signal?.aborted) throw abortReason(signal);
    if (!this.#socket.write(bytes)) {
      await new Promise<void>((resolve) => {
        this.#writers.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (this.#failure !== null) throw this.#failure;
    if (signal?.aborted) throw abortReason(signal);
  }

  end(): Promise<void> {
    this.#socket.end();
    return Promise.resolve();
  }

  destroy(reason?: WinRmError): void {
    this.#failure ??= reason ?? new WinRmError('relay.lost', { reason: 'closed here' });
    this.#unread.length = 0;
    this.#socket.destroy();
    this.#settle();
    this.#wakeWriters();
  }

  #take(bytes: Uint8Array): void {
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      reader.resolve(bytes);
      return;
    }
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes > READ_AHEAD_BYTES) this.#socket.pause();
  }

  #fail(code: string): void {
    this.#failure ??= new WinRmError('relay.lost', { reason: code });
    this.#settle();
    this.#wakeWriters();
  }

  #settle(): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) return;
    if (this.#failure !== null) reader.reject(this.#failure);
    else reader.resolve(null);
  }

  #wakeWriters(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const wake of writers) wake();
  }
}

function abortReason(signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason;
  return reason instanceof WinRmError ? reason : new WinRmError('session.cancelled', { at: 'road' }, reason);
}
