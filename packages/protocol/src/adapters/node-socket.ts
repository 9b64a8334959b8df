import { connect, type Socket } from 'node:net';
import type { Address, DialedStream, Dialer } from '../bytes/stream.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';

export { defaultPlatform } from './default-platform.ts';

/** Longer than any handshake in a working network, shorter than the two minutes a kernel waits. */
export const CONNECT_TIMEOUT_MS = 20_000;

/** Between two empty segments on an idle connection; stateful firewalls forget at five minutes or later. */
const KEEPALIVE_MS = 60_000;

/**
 * Opens a TCP connection with Node's own resolver. The hop's number is for whoever walks the road to fill in.
 *
 * @throws relay.name-not-found, relay.connection-refused, relay.connect-timeout, session.cancelled
 */
export const nodeDialer: Dialer = (address, signal) => dialNode(address, CONNECT_TIMEOUT_MS, signal);

/** The same with a time limit of the caller's. */
export function dialNode(address: Address, connectTimeoutMs: number, signal?: AbortSignal): Promise<DialedStream> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal, 'connect'));
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect);
      socket.removeListener('error', onError);
    };
    const stop = (error: unknown): void => {
      settle();
      socket.on('error', () => undefined); // a socket given up may still complain
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => stop(reasonOf(signal, 'connect'));
    const onError = (error: unknown): void => stop(dialError(error, address));
    const onConnect = (): void => {
      settle();
      socket.setKeepAlive(true, KEEPALIVE_MS);
      resolve(socketStream(socket, `${host}:${port}`));
    };
    const seconds = Math.round(connectTimeoutMs / 100) / 10;
    const timer = setTimeout(
      () => stop(new WinRmError('relay.connect-timeout', { hop: 0, host, port, seconds })),
      connectTimeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', onConnect);
  });
}

/** A connected socket as a ByteStream. The stream owns the socket from now on and nobody else may read it. */
export function socketStream(socket: Socket, label: string): DialedStream {
  return new SocketStream(socket, label);
}

class SocketStream implements DialedStream {
  readonly label: string;
  readonly address: string;
  readonly #socket: Socket;
  #failure: unknown = null;
  #isReading = false;
  /** Called on everything that may let a waiting read or write go on. */
  readonly #wakers = new Set<() => void>();

  constructor(socket: Socket, label: string) {
    this.label = label;
    this.address = socket.remoteAddress ?? '';
    this.#socket = socket;
    const wake = (): void => {
      for (const waker of [...this.#wakers]) waker();
    };
    socket.on('error', (error) => {
      this.#failure ??= closedEarly(error);
    });
    socket.on('close', () => {
      this.#failure ??= closedEarly();
      wake();
    });
    for (const event of ['readable', 'end', 'drain', 'error'] as const) socket.on(event, wake);
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | null> {
    if (this.#isReading) fail('misuse.wrong-state', { action: 'read', state: 'reading' });
    this.#isReading = true;
    try {
      for (;;) {
        const chunk: Buffer | null = this.#socket.read();
        if (chunk !== null) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length); // a plain array, no Buffer
        if (this.#socket.readableEnded) return null;
        if (this.#failure !== null) throw this.#failure;
        await this.#change(signal, 'read');
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** Accepted below means: Node's buffer is under its mark again, so a slow peer slows the writer. */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw reasonOf(signal, 'write');
    if (this.#failure !== null) throw this.#failure;
    if (this.#socket.writableEnded) fail('misuse.wrong-state', { action: 'write', state: 'ended' });
    if (bytes.length === 0) return;
    this.#socket.write(bytes);
    while (this.#socket.writableNeedDrain) {
      if (this.#failure !== null) throw this.#failure;
      await this.#change(signal, 'write');
    }
    if (this.#failure !== null) throw this.#failure;
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.writableEnded || this.#socket.destroyed) return resolve();
      this.#socket.once('close', resolve);
      this.#socket.end(() => {
        this.#socket.removeListener('close', resolve);
        resolve();
      });
    });
  }

  destroy(reason?: WinRmError): void {
    this.#failure ??= reason ?? closedEarly();
    this.#socket.destroy();
    for (const waker of [...this.#wakers]) waker();
  }

  /** Waits for the next event on the socket. */
  #change(signal: AbortSignal | undefined, at: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#wakers.delete(onChange);
        signal?.removeEventListener('abort', onAbort);
      };
      const onChange = (): void => {
        settle();
        resolve();
      };
      const onAbort = (): void => {
        settle();
        reject(reasonOf(signal, at));
      };
      if (signal?.aborted) return onAbort();
      this.#wakers.add(onChange);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** Names what the operating system said, in the words of the error table. */
export function dialError(error: unknown, { host, port }: Address): WinRmError {
  const cause = systemCode(error);
  if (cause === 'ENOTFOUND' || cause === 'EAI_AGAIN' || cause === 'EAI_NODATA') {
    return new WinRmError('relay.name-not-found', { hop: 0, host }, error);
  }
  if (cause === 'ETIMEDOUT') {
    const seconds = CONNECT_TIMEOUT_MS / 1000;
    return new WinRmError('relay.connect-timeout', { hop: 0, host, port, seconds }, error);
  }
  return new WinRmError('relay.connection-refused', { hop: 0, host, port, cause }, error);
}

/** The errno name; of several addresses tried, the first one's. */
function systemCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return systemCode(error.errors[0]);
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return hasCode && typeof error.code === 'string' ? error.code : 'unknown';
}

function closedEarly(cause?: unknown): WinRmError {
  return new WinRmError('http.closed-early', { where: 'connection' }, cause);
}

function reasonOf(signal: AbortSignal | undefined, at: string): unknown {
  return isWinRmError(signal?.reason) ? signal?.reason : new WinRmError('session.cancelled', { at });
}
