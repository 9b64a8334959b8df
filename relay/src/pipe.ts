import type { ByteStream } from '@fairlead/protocol/road';
import type { WebSocket } from 'ws';

/** Above this in the WebSocket's buffer the TCP connection is no longer read. */
const HIGH_WATER_BYTES = 1 << 20;

/** Below this it is read again. */
const LOW_WATER_BYTES = 256 * 1024;

/** Bytes from the tab that the TCP connection has not taken; above it the WebSocket is no longer read. */
const HIGH_INFLIGHT_BYTES = 256 * 1024;

/**
 * What a message costs while it waits, beside its bytes: a view, a write request, a promise. Counted, or a tab that sends
 * single bytes to a far end that reads nothing would hold a quarter of a million of them.
 */
const MESSAGE_COST_BYTES = 2048;

/** What a pipe needs of a WebSocket. */
export type PipeSocket = Pick<WebSocket, 'isPaused' | 'pause' | 'resume' | 'bufferedAmount'> & {
  send(message: Uint8Array | string, options: { binary: boolean }, onSent?: () => void): void;
};

/** Reads what goes up and gives back what may go on; throws at what may not. */
export interface PipeGuard {
  feed(bytes: Uint8Array): Uint8Array;
}

/**
 * One WebSocket joined to one TCP connection, for as long as both live. Holds at most `HIGH_WATER_BYTES` and one chunk
 * on the way down, `HIGH_INFLIGHT_BYTES` and one message on the way up.
 */
export class Pipe {
  bytesUp = 0;
  bytesDown = 0;
  readonly #socket: PipeSocket;
  readonly #stream: ByteStream;
  readonly #guard: PipeGuard | null;
  readonly #onOver: (error: unknown) => void;
  #inflightBytes = 0;
  #hasEndedUp = false;
  #hasEndedDown = false;
  #isOver = false;
  #wakeDown: (() => void) | null = null;

  /**
   * @param guard refuses what the ticket is not for
   * @param onOver told once: null when both directions have ended, else what broke
   */
  constructor(socket: PipeSocket, stream: ByteStream, guard: PipeGuard | null, onOver: (error: unknown) => void) {
    this.#socket = socket;
    this.#stream = stream;
    this.#guard = guard;
    this.#onOver = onOver;
    void this.#pumpDown();
  }

  /** Whether the far end takes no bytes, so that the tab is not listened to. */
  get isHeldUp(): boolean {
    return this.#socket.isPaused;
  }

  /** Bytes from the tab. */
  receive(bytes: Uint8Array): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#up(bytes).catch((error: unknown) => this.#over(error));
  }

  /** The tab will send nothing more. */
  receiveEnd(): void {
    if (this.#hasEndedUp || this.#isOver) return;
    this.#hasEndedUp = true;
    this.#stream.end().then(
      () => this.#finishWhenBothEnded(),
      (error: unknown) => this.#over(error),
    );
  }

  /** Drops the TCP connection. */
  destroy(): void {
    this.#isOver = true;
    this.#stream.destroy();
    this.#wakeDown?.();
    if (this.#socket.isPaused) this.#socket.resume();
  }

  async #up(bytes: Uint8Array): Promise<void> {
    if (this.#hasEndedUp) return;
    const allowed = this.#guard === null ? bytes : this.#guard.feed(bytes);
    if (allowed.length === 0) return;
    this.bytesUp += allowed.length;
    this.#inflightBytes += allowed.length + MESSAGE_COST_BYTES;
    const written = this.#stream.write(allowed);
    if (this.#inflightBytes > HIGH_INFLIGHT_BYTES) this.#socket.pause();
    await written;
    this.#inflightBytes -= allowed.length + MESSAGE_COST_BYTES;
    if (this.#socket.isPaused && this.#inflightBytes <= HIGH_INFLIGHT_BYTES / 2) this.#socket.resume();
  }

  async #pumpDown(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#stream.read();
        if (this.#isOver) return;
        if (bytes === null) break;
        this.bytesDown += bytes.length;
        this.#socket.send(bytes, { binary: true }, this.#onSent);
        if (this.#socket.bufferedAmount > HIGH_WATER_BYTES) {
          await new Promise<void>((resolve) => {
            this.#wakeDown = resolve;
          });
          this.#wakeDown = null;
        }
      }
      this.#hasEndedDown = true;
      this.#socket.send('{"type":"end"}', { binary: false });
      this.#finishWhenBothEnded();
    } catch (error) {
      this.#over(error);
    }
  }

  readonly #onSent = (): void => {
    if (this.#wakeDown !== null && this.#socket.bufferedAmount <= LOW_WATER_BYTES) this.#wakeDown();
  };

  #finishWhenBothEnded(): void {
    if (this.#hasEndedUp && this.#hasEndedDown) this.#over(null);
  }

  #over(error: unknown): void {
    if (this.#isOver) return;
    this.destroy();
    this.#onOver(error);
  }
}
