import { latin1Decode, NO_BYTES } from '../bytes/bytes.ts';
import { ReceiveBuffer } from '../bytes/receive-buffer.ts';
import { fail } from '../errors.ts';
import { type Headers, trimBlanks } from './headers.ts';
import type { HttpLimits } from './limits.ts';

/** How the end of a body is found. RFC 9112, section 6.3. */
export type Framing = { readonly by: 'length'; readonly bytes: number } | { readonly by: 'chunks' | 'close' };

/** A body as it came. */
export interface Body {
  readonly bytes: Uint8Array;
  /** It was longer than the limit, or ended early, and the rest is lost. Only where the limits say 'cut'. */
  readonly isCut: boolean;
}

const MAX_LENGTH_DIGITS = 15; // keeps every length a safe integer
const MAX_CHUNK_DIGITS = 8;

/**
 * The framing a message declares, or null when it declares none. Content-Length beside Transfer-Encoding, differing
 * lengths and every coding but a plain "chunked" are refused: guessing between them is request smuggling.
 *
 * RFC 9112, sections 6.1 to 6.3
 * @throws http.malformed
 */
export function declaredFraming(headers: Headers, version: '1.0' | '1.1'): Framing | null {
  const codings = headers.getAll('Transfer-Encoding');
  const lengths = headers.getAll('Content-Length');
  if (codings.length > 0) {
    if (lengths.length > 0) malformed('framing', 'Content-Length beside Transfer-Encoding');
    if (version === '1.0') malformed('framing', 'Transfer-Encoding in HTTP/1.0');
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') malformed('framing', 'transfer coding');
    return { by: 'chunks' };
  }
  if (lengths.length === 0) return null;
  const values = lengths.flatMap((value) => value.split(',')).map(trimBlanks);
  const first = values[0] as string;
  if (values.some((value) => value !== first)) malformed('framing', 'differing Content-Length');
  if (!/^[0-9]+$/.test(first) || first.length > MAX_LENGTH_DIGITS) malformed('framing', 'Content-Length');
  return { by: 'length', bytes: Number(first) };
}

/** Reads one body out of a buffer, as much as the limits allow. */
export class BodyReader {
  readonly #framing: Framing;
  readonly #limits: HttpLimits;
  readonly #body = new ReceiveBuffer();
  #chunk: 'size' | 'bytes' | 'end' | 'trailer' = 'size';
  #chunkBytesLeft = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;

  constructor(framing: Framing, limits: HttpLimits) {
    this.#framing = framing;
    this.#limits = limits;
  }

  /**
   * @param isEnded no more bytes will come
   * @param isTruncated they were cut off, so a body that ends with the connection has no end. RFC 9112, section 9.8
   * @throws http.malformed, http.too-large, http.closed-early
   */
  next(buffer: ReceiveBuffer, isEnded: boolean, isTruncated = false): Body | 'need-bytes' {
    const body =
      this.#framing.by === 'length'
        ? this.#nextByLength(buffer, this.#framing.bytes)
        : this.#framing.by === 'close'
          ? this.#nextByClose(buffer, isEnded && !isTruncated)
          : this.#nextByChunks(buffer);
    if (body !== 'need-bytes' || !isEnded) return body;
    if (this.#limits.whenBodyTooLarge === 'fail') fail('http.closed-early', { where: 'body' });
    return { bytes: this.#framing.by === 'length' ? buffer.takeAll() : this.#body.takeAll(), isCut: true };
  }

  #nextByLength(buffer: ReceiveBuffer, bytes: number): Body | 'need-bytes' {
    const isCut = bytes > this.#limits.bodyBytes;
    if (isCut) this.#refuseTooLarge();
    const taken = buffer.take(Math.min(bytes, this.#limits.bodyBytes));
    return taken === null ? 'need-bytes' : { bytes: taken, isCut };
  }

  #nextByClose(buffer: ReceiveBuffer, isEnded: boolean): Body | 'need-bytes' {
    if (!this.#store(buffer, buffer.length)) return { bytes: this.#body.takeAll(), isCut: true };
    return isEnded ? { bytes: this.#body.takeAll(), isCut: false } : 'need-bytes';
  }

  #nextByChunks(buffer: ReceiveBuffer): Body | 'need-bytes' {
    for (;;) {
      if (this.#chunk === 'bytes') {
        const count = Math.min(this.#chunkBytesLeft, buffer.length);
        this.#chunkBytesLeft -= count;
        if (!this.#store(buffer, count)) return { bytes: this.#body.takeAll(), isCut: true };
        if (this.#chunkBytesLeft > 0) return 'need-bytes';
        this.#chunk = 'end';
      }
      const line = this.#nextLine(buffer);
      if (line === null) return 'need-bytes';
      if (this.#chunk === 'end') {
        if (line !== '') malformed('chunk', 'bytes after the chunk');
        this.#chunk = 'size';
      } else if (this.#chunk === 'size') {
        this.#chunkBytesLeft = this.#parseSize(line);
        this.#chunk = this.#chunkBytesLeft === 0 ? 'trailer' : 'bytes';
      } else if (line === '') {
        return { bytes: this.#body.takeAll(), isCut: false };
      } else {
        this.#trailerBytes += line.length + 2;
        if (this.#trailerBytes > this.#limits.trailerBytes) {
          fail('http.too-large', { where: 'trailer', limitBytes: this.#limits.trailerBytes });
        }
      }
    }
  }

  /** Moves bytes into the body; false when the limit was met and the message is to be cut. */
  #store(buffer: ReceiveBuffer, count: number): boolean {
    const roomBytes = this.#limits.bodyBytes - this.#body.length;
    if (count > roomBytes) this.#refuseTooLarge();
    this.#body.append(buffer.take(Math.min(count, roomBytes)) ?? NO_BYTES);
    return count <= roomBytes;
  }

  #refuseTooLarge(): void {
    if (this.#limits.whenBodyTooLarge === 'cut') return;
    fail('http.too-large', { where: 'body', limitBytes: this.#limits.bodyBytes });
  }

  #nextLine(buffer: ReceiveBuffer): string | null {
    const line = buffer.takeLine();
    if ((line?.length ?? buffer.length) > this.#limits.chunkLineBytes) {
      fail('http.too-large', { where: 'chunk size', limitBytes: this.#limits.chunkLineBytes });
    }
    if (line === null) return null;
    const text = latin1Decode(line);
    if (!text.endsWith('\r') || /[\r\0]/.test(text.slice(0, -1))) malformed('chunk', 'end of line');
    return text.slice(0, -1);
  }

  /** RFC 9112, section 7.1: hexadecimal digits, then perhaps extensions, which mean nothing to us. */
  #parseSize(line: string): number {
    const size = /^([0-9A-Fa-f]+)[ \t]*(;|$)/.exec(line)?.[1];
    if (size === undefined || size.length > MAX_CHUNK_DIGITS) malformed('chunk', 'size');
    this.#extensionBytes += line.length - size.length;
    if (this.#extensionBytes > this.#limits.chunkExtensionBytes) {
      fail('http.too-large', { where: 'chunk extensions', limitBytes: this.#limits.chunkExtensionBytes });
    }
    return Number.parseInt(size, 16);
  }
}

function malformed(where: string, problem: string): never {
  fail('http.malformed', { where, problem });
}
