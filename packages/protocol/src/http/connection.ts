import { printableStart } from '../bytes/bytes.ts';
import { withDeadline } from '../bytes/deadline.ts';
import { type ByteStream, withLeftover } from '../bytes/stream.ts';
import { type Fate, fail, isWinRmError, WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { encodeRequest, type HttpRequest } from './request.ts';
import { type HttpLimits, type HttpResponse, ResponseDecoder } from './response.ts';

/** How long a reply may still come in after a write has failed, or a write go on after the reply is in. */
const LAST_WORDS_MS = 500;

/** What one exchange may take, and who may stop it. */
export interface ExchangeOptions {
  /** From the first request byte to the last response byte. */
  readonly replyWithinMs: number;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
  /** The name of the step, for `session.cancelled` and `session.timed-out`; "reply" unless given. */
  readonly at?: string | undefined;
}

/**
 * One HTTP conversation over one stream: requests and replies strictly in turn, nothing pooled, nothing repeated. After
 * any failure the stream is destroyed, because nobody can know any more where the next reply would begin.
 *
 * INVARIANT: at most one read is pending on the stream, and while idle exactly one is, so that the peer's end of stream
 * is known before the connection is used again.
 */
export class HttpConnection {
  readonly #stream: ByteStream;
  readonly #decoder: ResponseDecoder;
  readonly #closing = new AbortController();
  /** 'starting' is the moment between being asked to send and sending, in which an end may still be noticed. */
  #state: 'idle' | 'starting' | 'in-exchange' | 'tunnel' | 'closed' = 'idle';
  #reading: Promise<Uint8Array | null> | null = null;
  #closedBy: WinRmError | null = null;
  #fate: Fate = 'not-sent';

  constructor(stream: ByteStream, options: { limits?: Partial<HttpLimits> } = {}) {
    this.#stream = stream;
    this.#decoder = new ResponseDecoder(options.limits);
    this.#watchIdle();
  }

  /** Where the stream leads, for the journal. */
  get label(): string {
    return this.#stream.label;
  }

  /** 'idle' between exchanges; 'closed' after an end, a failure, `Connection: close`, a tunnel, detach or close. */
  get state(): 'idle' | 'in-exchange' | 'closed' {
    if (this.#state === 'starting') return 'in-exchange';
    return this.#state === 'tunnel' ? 'closed' : this.#state;
  }

  /** Whether another exchange may begin now. */
  get isUsable(): boolean {
    return this.#state === 'idle';
  }

  /** After a failed exchange: 'not-sent' when no byte of its request had been handed to the stream, else 'unknown'. */
  get fate(): Fate {
    return this.#fate;
  }

  /**
   * Sends a request and waits for its whole response.
   * @throws http.closed-early, http.malformed, http.too-large, http.not-http, session.timed-out, session.cancelled,
   *   misuse.wrong-state while another exchange runs; afterwards `fate` tells how far the request got
   */
  async exchange(request: HttpRequest, options: ExchangeOptions): Promise<HttpResponse> {
    const bytes = encodeRequest(request);
    if (this.#state === 'starting' || this.#state === 'in-exchange') {
      fail('misuse.wrong-state', { action: 'exchange', state: 'in-exchange' });
    }
    this.#fate = 'not-sent';
    await this.#start();
    try {
      this.#decoder.expect(request.method);
      const response = await this.#withinTime(options, (signal) =>
        this.#sendAndReceive(bytes, options.platform, signal),
      );
      this.#settle(request, response);
      return response;
    } catch (error) {
      const known = isWinRmError(error) ? error : new WinRmError('http.closed-early', { where: 'reply' }, error);
      this.#closeWith(known);
      throw known;
    }
  }

  /** What came behind the last response and nobody has asked for, up to a limit. */
  peekUnread(limitBytes: number): Uint8Array {
    return this.#decoder.peekLeftover(limitBytes);
  }

  /**
   * Hands over the stream, unread bytes put back in front: after a CONNECT this is the tunnel.
   * @throws misuse.wrong-state unless idle or just turned into a tunnel
   */
  detach(): ByteStream {
    if (this.#state !== 'idle' && this.#state !== 'tunnel') {
      fail('misuse.wrong-state', { action: 'detach', state: this.#state });
    }
    this.#state = 'closed';
    const pending = this.#reading;
    this.#reading = null;
    const rest = pending === null ? this.#stream : withPendingRead(this.#stream, pending);
    return withLeftover(rest, this.#decoder.takeLeftover());
  }

  /** Destroys the stream; an exchange under way rejects. Idempotent. Does nothing to a stream that was detached. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#closeWith(new WinRmError('session.cancelled', { at: 'close' }));
  }

  async #start(): Promise<void> {
    if (this.#state === 'idle') this.#state = 'starting';
    await Promise.resolve(); // an end that has already arrived is noticed now, before anything is sent
    if (this.#state !== 'starting') throw this.#closedBy ?? endedIdle();
    this.#state = 'in-exchange';
  }

  #withinTime<Result>(options: ExchangeOptions, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { platform, signal, replyWithinMs: withinMs, at = 'reply' } = options;
    return withDeadline({ platform, withinMs, at, signal }, (inner) =>
      // close() is a second way to stop, with no time limit of its own
      withDeadline({ platform, withinMs: Infinity, at, signal: this.#closing.signal }, () => work(inner)),
    );
  }

  async #sendAndReceive(bytes: Uint8Array, platform: Platform, signal: AbortSignal): Promise<HttpResponse> {
    this.#fate = 'unknown';
    const sending = { isOver: false };
    const sent = this.#stream.write(bytes, signal).then(() => {
      sending.isOver = true;
    });
    const response = await Promise.race([this.#receive(signal), failureOf(sent, platform, signal)]);
    if (!sending.isOver) await Promise.race([sent, platform.sleep(LAST_WORDS_MS, signal)]).catch(() => undefined);
    if (sending.isOver) return response;
    // The peer answered before it had everything. What it does with the rest nobody knows, so this was the last reply.
    return { ...response, keepsConnection: false };
  }

  async #receive(signal: AbortSignal): Promise<HttpResponse> {
    for (;;) {
      const response = this.#decoder.next();
      if (response !== 'need-bytes') return response;
      const bytes = await this.#read();
      if (signal.aborted) throw signal.reason; // nobody waits any more
      if (bytes === null) this.#decoder.feedEnd(this.#stream.isTruncated === true);
      else this.#decoder.feed(bytes);
    }
  }

  async #read(): Promise<Uint8Array | null> {
    this.#reading ??= this.#stream.read();
    const bytes = await this.#reading;
    this.#reading = null;
    return bytes;
  }

  #settle(request: HttpRequest, response: HttpResponse): void {
    if (request.method === 'CONNECT' && response.status >= 200 && response.status < 300) {
      this.#state = 'tunnel';
    } else if (response.keepsConnection) {
      this.#state = 'idle';
      this.#watchIdle();
    } else {
      this.#closeWith(endedIdle());
    }
  }

  /** Keeps one read pending. Whatever it brings while nothing was asked ends the conversation. */
  #watchIdle(): void {
    const leftover = this.#decoder.takeLeftover();
    if (leftover.length > 0) {
      this.#closeWith(unasked(leftover));
      return;
    }
    const reading = this.#stream.read();
    this.#reading = reading;
    const isIdle = (): boolean => (this.#state === 'idle' || this.#state === 'starting') && this.#reading === reading;
    reading.then(
      (bytes) => isIdle() && this.#closeWith(bytes === null ? endedIdle() : unasked(bytes)),
      (error) => isIdle() && this.#closeWith(isWinRmError(error) ? error : endedIdle(error)),
    );
  }

  #closeWith(error: WinRmError): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closedBy = error;
    this.#closing.abort(error);
    this.#stream.destroy(error);
  }
}

function endedIdle(cause?: unknown): WinRmError {
  return new WinRmError('http.closed-early', { where: 'idle' }, cause);
}

/** RFC 9112, section 9.2: what comes without a request is no reply. A server that says 408 and leaves is one that left. */
function unasked(bytes: Uint8Array): WinRmError {
  const startsWith = printableStart(bytes);
  return startsWith.startsWith('HTTP/') ? endedIdle() : new WinRmError('http.not-http', { startsWith });
}

/**
 * Never resolves; rejects a moment after the other does. The moment is for a peer that answers 4xx and hangs up before it
 * has read the whole request: its reply may be in already, and says more than a broken pipe.
 */
function failureOf(sent: Promise<void>, platform: Platform, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    sent.catch((error) => platform.sleep(LAST_WORDS_MS, signal).then(() => reject(error), reject));
  });
}

/** A stream of which one read is already under way; the first reader gets its bytes. */
function withPendingRead(stream: ByteStream, pending: Promise<Uint8Array | null>): ByteStream {
  let front: Promise<Uint8Array | null> | null = pending;
  return {
    label: stream.label,
    async read(signal) {
      if (front === null) return stream.read(signal);
      const bytes = await unlessAborted(front, signal);
      front = null;
      return bytes;
    },
    write: (bytes, signal) => stream.write(bytes, signal),
    end: () => stream.end(),
    destroy: (reason) => stream.destroy(reason),
  };
}

function unlessAborted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void =>
      reject(isWinRmError(signal.reason) ? signal.reason : new WinRmError('session.cancelled', { at: 'read' }));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
