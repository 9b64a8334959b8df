import { withDeadline } from '../bytes/deadline.ts';
import { type ByteStream, throwIfAborted } from '../bytes/stream.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { serverEndPoint } from './end-point.ts';
import { TlsEngine, type TlsEngineOptions, type TlsEvent, type TlsVersion } from './engine.ts';
import type { TrustedPeer } from './trust.ts';
import { type Certificate, parseChain } from './x509.ts';

/** How long a handshake may take, a person's judgement not counted. */
export const HANDSHAKE_TIMEOUT_MS = 30_000;

/** How long an alert may take to leave before the connection is dropped all the same. */
const LAST_WORDS_MS = 500;

/** Plaintext sealed in one go; what is written waits below before more is sealed. Four full records. */
const SEAL_PIECE_BYTES = 64 * 1024;

/** Answers to the peer's records that may wait to be written before no more is read. */
const MAX_WAITING_ANSWERS = 16;

/** How a stream is to be secured. */
export interface SecureOptions extends Omit<TlsEngineOptions, 'random'> {
  /** Judges the certificates the peer showed and proved; may ask a person. What it throws ends the connection. */
  readonly judge: (chain: readonly Certificate[]) => TrustedPeer | Promise<TrustedPeer>;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; `HANDSHAKE_TIMEOUT_MS` unless given. */
  readonly handshakeWithinMs?: number;
}

/** A stream that is encrypted below. */
export interface SecureStream extends ByteStream {
  /** Whether the peer's side ended without its close_notify: then what was read may have been cut short. */
  readonly isTruncated: boolean;
}

/** A secured stream and what is known of the far end. */
export interface Secured {
  readonly stream: SecureStream;
  readonly peer: TrustedPeer;
  /** Application data of the channel binding `tls-server-end-point`. RFC 5929, section 4. */
  readonly endPoint: Uint8Array;
  readonly version: TlsVersion;
  readonly suite: string;
  readonly group: string;
  /** Duration of the handshake, the judgement not counted. */
  readonly handshakeMs: number;
}

/**
 * Speaks TLS over a stream. After any failure the stream below is destroyed; the peer is told why where it can be.
 *
 * @throws tls.*, http.closed-early, session.timed-out, session.cancelled, and what `judge` throws
 */
export async function secure(stream: ByteStream, options: SecureOptions): Promise<Secured> {
  const { platform, host, signal } = options;
  const engine = new TlsEngine({ ...options, random: (length) => platform.random(length) });
  const began = platform.monotonicMs();
  const withinMs = options.handshakeWithinMs ?? HANDSHAKE_TIMEOUT_MS;
  let judgedMs = 0;
  const step = <Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> => {
    const leftMs = Math.max(0, withinMs - (platform.monotonicMs() - began - judgedMs));
    return withDeadline({ platform, withinMs: leftMs, at: 'TLS handshake', signal }, work);
  };
  try {
    for (;;) {
      throwIfAborted(signal, 'TLS handshake');
      const event = engine.next();
      if (event.kind === 'send') await step((inner) => stream.write(event.bytes, inner));
      else if (event.kind === 'need-bytes') await feedFrom(stream, engine, step);
      else if (event.kind === 'judge') {
        const asked = platform.monotonicMs();
        engine.accept(await judged(event.chain, options));
        judgedMs += platform.monotonicMs() - asked;
      } else if (event.kind === 'ready') {
        const handshakeMs = platform.monotonicMs() - began - judgedMs;
        return ready(new TlsStream(stream, engine, platform, host), engine, event, handshakeMs);
      } else fail('http.closed-early', { where: 'TLS handshake' });
    }
  } catch (error) {
    if (engine.state === 'judgement') engine.refuse(isWinRmError(error) ? error : undefined);
    else engine.close();
    if (signal?.aborted !== true) await sendLast(stream, engine, platform);
    engine.destroy();
    stream.destroy(isWinRmError(error) ? error : undefined);
    throw error;
  }
}

async function feedFrom(
  stream: ByteStream,
  engine: TlsEngine,
  step: <Result>(work: (signal: AbortSignal) => Promise<Result>) => Promise<Result>,
): Promise<void> {
  const bytes = await step((signal) => stream.read(signal));
  if (bytes === null) engine.feedEnd();
  else engine.feed(bytes);
}

/** Waits for the judgement, or for the person to give up. */
async function judged(ders: readonly Uint8Array[], options: SecureOptions): Promise<TrustedPeer> {
  const { platform, signal, judge } = options;
  const work = async (): Promise<TrustedPeer> => judge(parseChain(ders));
  return withDeadline({ platform, withinMs: Infinity, at: 'certificate', signal }, work);
}

function ready(
  stream: TlsStream,
  engine: TlsEngine,
  event: TlsEvent & { kind: 'ready' },
  handshakeMs: number,
): Secured {
  const { peer } = engine;
  if (peer === null) return fail('misuse.wrong-state', { action: 'secure', state: 'not judged' });
  const { version, suite, group } = event;
  return { stream, peer, endPoint: serverEndPoint(peer.certificate), version, suite, group, handshakeMs };
}

/** Lets an alert out, if one waits and the road still takes it. */
async function sendLast(stream: ByteStream, engine: TlsEngine, platform: Platform): Promise<void> {
  const bytes = engine.takeOutput();
  if (bytes === null) return;
  const work = async (signal: AbortSignal): Promise<void> => {
    await stream.write(bytes, signal);
    await stream.end();
  };
  await withDeadline({ platform, withinMs: LAST_WORDS_MS, at: 'alert', signal: undefined }, work).catch(
    () => undefined,
  );
}

/** A connection after its handshake. Reading drives the engine; writing seals and writes below, in turn. */
class TlsStream implements SecureStream {
  readonly label: string;
  isTruncated = false;
  readonly #below: ByteStream;
  readonly #engine: TlsEngine;
  readonly #platform: Platform;
  #isReading = false;
  #isEnded = false;
  #failure: unknown = null;
  /** The last write below, after which the next one goes. */
  #sending: Promise<void> = Promise.resolve();
  #waitingCount = 0;
  readonly #wakers = new Set<() => void>();

  constructor(below: ByteStream, engine: TlsEngine, platform: Platform, host: string) {
    this.label = `TLS with ${host} over ${below.label}`;
    this.#below = below;
    this.#engine = engine;
    this.#platform = platform;
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | null> {
    if (this.#isReading) fail('misuse.wrong-state', { action: 'read', state: 'reading' });
    this.#isReading = true;
    try {
      return await this.#read(signal);
    } finally {
      this.#isReading = false;
      this.#wake();
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      throwIfAborted(signal, 'read');
      const event = this.#next();
      if (event.kind === 'data') return event.bytes;
      if (event.kind === 'send') {
        const sent = this.#send(event.bytes);
        if (this.#waitingCount > MAX_WAITING_ANSWERS) await sent;
      } else if (event.kind === 'closed') {
        this.isTruncated ||= !event.isClean;
        return null;
      } else if (event.kind === 'need-bytes') {
        this.#wake();
        const bytes = await this.#below.read(signal);
        if (bytes === null) this.#engine.feedEnd();
        else this.#engine.feed(bytes);
      }
    }
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.length; at += SEAL_PIECE_BYTES) {
      await this.#untilOpen(signal);
      this.#engine.seal(bytes.subarray(at, at + SEAL_PIECE_BYTES));
      // No signal goes below: half a record would end the connection, and what is sealed must be sent.
      await this.#unlessAborted(this.#flush(), signal);
    }
  }

  async end(): Promise<void> {
    if (this.#isEnded || this.#failure !== null) return;
    this.#isEnded = true;
    this.#engine.close();
    await this.#flush();
    await this.#below.end();
  }

  destroy(reason?: WinRmError): void {
    this.#failure ??= reason ?? closedEarly();
    this.#engine.destroy();
    this.#below.destroy(reason);
    this.#wake();
  }

  /** What the engine has next. When it fails, its alert is let out and the stream below dropped. */
  #next(): TlsEvent {
    try {
      return this.#engine.next();
    } catch (error) {
      this.#failure ??= error;
      const drop = (): void => this.destroy(isWinRmError(error) ? error : undefined);
      const inTime = { platform: this.#platform, withinMs: LAST_WORDS_MS, at: 'alert' };
      void withDeadline(inTime, () => this.#sending.then(() => this.#below.end())).then(drop, drop);
      throw error;
    }
  }

  #flush(): Promise<void> {
    const bytes = this.#engine.takeOutput();
    return bytes === null ? this.#sending : this.#send(bytes);
  }

  #send(bytes: Uint8Array): Promise<void> {
    this.#waitingCount++;
    this.#sending = this.#sending.then(() => this.#below.write(bytes)).finally(() => this.#waitingCount--);
    this.#sending.catch((error) => {
      this.#failure ??= error;
      this.#wake();
    });
    return this.#sending;
  }

  /** Waits while a renegotiation runs; a read must be under way for it to come to an end. */
  async #untilOpen(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      throwIfAborted(signal, 'write');
      if (this.#isEnded) fail('misuse.wrong-state', { action: 'write', state: 'ended' });
      const { state } = this.#engine;
      if (state === 'open') return;
      if (state !== 'handshake') throw closedEarly();
      await this.#unlessAborted(new Promise<void>((resolve) => this.#wakers.add(resolve)), signal);
    }
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
    this.#wakers.clear();
  }

  #unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return promise;
    return withDeadline({ platform: this.#platform, withinMs: Infinity, at: 'write', signal }, () => promise);
  }
}

function closedEarly(): WinRmError {
  return new WinRmError('http.closed-early', { where: 'connection' });
}
