import { ACK_DELAY_MS, BEAT_MS, ChunkQueue, ResumeLog, WINDOW_BYTES } from '@fairlead/contract';
import type { ByteStream } from '../bytes/stream.ts';
import { throwIfAborted } from '../bytes/stream.ts';
import { fail, WinRmError } from '../errors.ts';

/** Longest binary message sent; well under what the relay takes, and small enough to be cancelled in between. */
const SLICE_BYTES = 256 * 1024;

/** What a relay may send beyond what it said it would hold: the chunk it had read already. */
const SLACK_BYTES = 1 << 20;

/** A relay that has said nothing in so many ticks is behind a link that carries nothing. */
const SILENT_TICKS = 3;

interface Reader {
  readonly resolve: (bytes: Uint8Array | null) => void;
  readonly reject: (reason: unknown) => void;
}

/** What carries the stream for the time being. */
export interface StreamLink {
  send(content: string | Uint8Array<ArrayBuffer>): void;
}

/**
 * The tab's end of one pipe: what `relay-socket.ts` hands out once the relay has said `opened`. Links come and go below
 * it; whoever reads and writes here notices nothing but the time it takes. Keeps at most `WINDOW_BYTES` that the relay
 * has not acknowledged; then writes wait.
 */
export class RelayStream implements ByteStream {
  readonly label: string;
  readonly #onDestroy: () => void;
  readonly #log = new ResumeLog();
  readonly #unread = new ChunkQueue();
  #maxUnread = WINDOW_BYTES + SLACK_BYTES;
  #link: StreamLink | null = null;
  #reader: Reader | null = null;
  #wakeWriters: (() => void)[] = [];
  #ackTimer: ReturnType<typeof setTimeout> | null = null;
  #hasEndedHere = false;
  #failure: WinRmError | null = null;
  #isDestroyed = false;

  /** @param onDestroy told once when the stream is given up from above */
  constructor(label: string, onDestroy: () => void) {
    this.label = label;
    this.#onDestroy = onDestroy;
  }

  /** What the relay is to be told when a link is resumed: how much has come, counted. */
  get received(): number {
    return this.#log.received;
  }

  /** Bytes kept here because the relay may not have them. */
  get keptBytes(): number {
    return this.#log.keptBytes;
  }

  /** Whether both ends have finished, so that there is nothing left to lose. */
  get isFinished(): boolean {
    return this.#log.hasEndedThere && this.#hasEndedHere;
  }

  read(signal?: AbortSignal): Promise<Uint8Array | null> {
    const bytes = this.#unread.shift();
    if (bytes !== null) {
      this.#taken(bytes.length);
      return Promise.resolve(bytes);
    }
    if (this.#log.hasEndedThere) return Promise.resolve(null);
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
    throwIfAborted(signal, 'road');
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      this.#checkWritable();
      // A copy: it is kept until it is acknowledged, and what was handed in is its owner's again.
      const slice = new Uint8Array(bytes.subarray(at, at + SLICE_BYTES));
      while (this.#log.underWay + slice.length > WINDOW_BYTES) {
        await this.#untilAcknowledged(signal);
        throwIfAborted(signal, 'road');
        this.#checkWritable();
      }
      this.#log.send(slice);
      this.#link?.send(slice);
    }
    this.#checkWritable();
  }

  end(): Promise<void> {
    if (this.#hasEndedHere || this.#isDestroyed || this.#failure !== null) return Promise.resolve();
    this.#hasEndedHere = true;
    this.#log.end();
    this.#link?.send(END);
    return Promise.resolve();
  }

  destroy(reason?: WinRmError): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#failure ??= reason ?? null;
    this.#unread.clear();
    this.detach();
    this.#onDestroy();
    this.#settle();
  }

  /** @param holdBytes what the relay may have to repeat at once */
  promise(holdBytes: number): void {
    this.#maxUnread = Math.max(WINDOW_BYTES, holdBytes) + SLACK_BYTES;
  }

  /**
   * Goes on over a link, first repeating what the relay has not received. False when the relay's count cannot be: then
   * this is not the pipe it has.
   */
  attach(link: StreamLink, received: number): boolean {
    const replay = this.#log.replay(received);
    if (replay === null) return false;
    this.#link = link;
    for (const piece of replay.pieces) {
      for (let at = 0; at < piece.length; at += SLICE_BYTES) link.send(piece.slice(at, at + SLICE_BYTES));
    }
    if (replay.hasEnded) link.send(END);
    this.#acknowledge(false);
    return true;
  }

  /** The link is gone. */
  detach(): void {
    this.#link = null;
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
    this.#ackTimer = null;
  }

  /** Bytes from the relay. False when it sends more than was agreed, or after its end. */
  receive(bytes: Uint8Array): boolean {
    if (this.#isDestroyed || bytes.length === 0) return true;
    if (this.#log.hasEndedThere || this.#log.untaken + bytes.length > this.#maxUnread) return false;
    this.#log.receive(bytes.length);
    const reader = this.#reader;
    if (reader === null) {
      this.#unread.append(bytes);
      return true;
    }
    this.#reader = null;
    this.#taken(bytes.length);
    reader.resolve(bytes);
    return true;
  }

  /** The far end will send nothing more. */
  receiveEnd(): void {
    if (this.#isDestroyed || this.#log.hasEndedThere) return;
    this.#log.receiveEnd();
    this.#log.take(1); // nobody has to keep an end
    this.#acknowledge(this.#unread.length > 0);
    if (this.#unread.length === 0) this.#settle();
  }

  /** The relay has taken so much. False when that cannot be. */
  acknowledge(count: number): boolean {
    if (!this.#log.acknowledge(count)) return false;
    this.#wake();
    return true;
  }

  /** The road broke, or nothing can be resumed; what has arrived may still be read. */
  receiveFailure(error: WinRmError): void {
    this.detach();
    if (this.#isDestroyed || this.isFinished) return;
    this.#failure ??= error;
    this.#settle();
  }

  #checkWritable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isDestroyed || this.#hasEndedHere) fail('misuse.wrong-state', { action: 'write', state: 'ended' });
  }

  #untilAcknowledged(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      signal?.addEventListener('abort', wake, { once: true });
      this.#wakeWriters.push(wake);
    });
  }

  #taken(length: number): void {
    this.#log.take(length);
    this.#acknowledge(!this.#log.hasEndedThere || this.#log.untaken > 0);
  }

  #acknowledge(isPatient: boolean): void {
    const link = this.#link;
    if (link === null) return;
    const count = this.#log.acknowledgement(isPatient);
    if (count !== null) link.send(`{"type":"ack","count":${count}}`);
    else if (isPatient && this.#ackTimer === null) {
      this.#ackTimer = setTimeout(() => {
        this.#ackTimer = null;
        this.#acknowledge(false);
      }, ACK_DELAY_MS);
      unref(this.#ackTimer);
    }
  }

  #settle(): void {
    this.#wake();
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) return;
    if (this.#failure !== null && !this.#log.hasEndedThere) reader.reject(this.#failure);
    else reader.resolve(null);
  }

  #wake(): void {
    const waiting = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of waiting) wake();
  }
}

/**
 * Says something every `BEAT_MS` and notices when the relay, which does the same, has said nothing for several of them.
 * Silence is counted in ticks and not by the clock: after a laptop's sleep one late tick is one tick.
 */
export class Heartbeat {
  readonly #timer: ReturnType<typeof setInterval>;
  #silentTicks = 0;

  constructor(beat: () => void, onSilence: () => void) {
    this.#timer = setInterval(() => {
      this.#silentTicks += 1;
      if (this.#silentTicks > SILENT_TICKS) onSilence();
      else beat();
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
export function unref(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') {
    timer.unref();
  }
}

const END = '{"type":"end"}';
