import { NO_BYTES } from '../bytes/bytes.ts';
import { ReceiveBuffer } from '../bytes/receive-buffer.ts';
import { fail } from '../errors.ts';
import { BodyReader, declaredFraming } from './body-reader.ts';
import { type Head, HeadReader } from './head.ts';
import { type Headers, TOKEN } from './headers.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
import type { HttpRequest } from './request.ts';

/** A request as a server reads it. */
export interface DecodedRequest extends HttpRequest {
  readonly version: '1.0' | '1.1';
}

/** A request's head. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly headers: Headers;
}

/** Decodes the requests of one connection: the server's side of the conversation. RFC 9112, sections 3 to 7. */
export class RequestDecoder {
  readonly #limits: HttpLimits;
  readonly #buffer = new ReceiveBuffer();
  #isEnded = false;
  #failure: unknown = null;
  #headReader: HeadReader;
  #open: { head: RequestHead; body: BodyReader } | null = null;

  constructor(limits: Partial<HttpLimits> = {}) {
    this.#limits = { ...DEFAULT_HTTP_LIMITS, ...limits };
    this.#headReader = new HeadReader(this.#limits, 'refuse');
  }

  /** Stores bytes. Never throws; after an error they are dropped. */
  feed(bytes: Uint8Array): void {
    if (this.#failure === null) this.#buffer.append(bytes);
  }

  /** No more bytes will come. */
  feedEnd(): void {
    this.#isEnded = true;
  }

  /** Whether part of a request is here already; an end of stream is then one in the middle. */
  get isInRequest(): boolean {
    return this.#open !== null || this.#headReader.hasBegun || this.#buffer.length > 0;
  }

  /**
   * The next request, once it is whole. After the end between two requests: 'need-bytes', for ever.
   * @throws http.malformed, http.too-large, http.closed-early; from then on always the same
   */
  next(): DecodedRequest | 'need-bytes' {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#next();
    } catch (error) {
      this.#failure = error;
      this.#buffer.takeAll();
      throw error;
    }
  }

  /** The bytes no request has used. */
  takeLeftover(): Uint8Array {
    return this.#buffer.takeAll();
  }

  #next(): DecodedRequest | 'need-bytes' {
    if (this.#open === null) {
      const whole = this.#headReader.next(this.#buffer);
      if (whole === 'need-bytes') {
        if (this.#isEnded && this.isInRequest) fail('http.closed-early', { where: 'head' });
        return whole;
      }
      this.#headReader = new HeadReader(this.#limits, 'refuse');
      const head = parseRequestHead(whole);
      const framing = declaredFraming(head.headers, head.version) ?? { by: 'length', bytes: 0 };
      this.#open = { head, body: new BodyReader(framing, this.#limits) };
    }
    const { head, body } = this.#open;
    const read = body.next(this.#buffer, this.#isEnded);
    if (read === 'need-bytes') return read;
    this.#open = null;
    return { ...head, body: read.bytes.length === 0 ? NO_BYTES : read.bytes };
  }
}

/**
 * Takes a request line apart: one blank between its parts, no other.
 *
 * RFC 9112, section 3
 * @throws http.malformed
 */
export function parseRequestHead(head: Head): RequestHead {
  const parts = /^([^ ]+) ([\x21-\x7e]+) HTTP\/1\.([01])$/.exec(head.startLine);
  const method = parts?.[1] ?? '';
  const target = parts?.[2];
  if (target === undefined || !TOKEN.test(method)) {
    fail('http.malformed', { where: 'request line', problem: 'not a request line' });
  }
  return { method, target, version: parts?.[3] === '0' ? '1.0' : '1.1', headers: head.headers };
}
