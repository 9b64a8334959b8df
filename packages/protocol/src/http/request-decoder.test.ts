import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1Decode, latin1Encode } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { decodePieces, feedEveryWay } from '../testing/index.ts';
import type { HttpLimits } from './limits.ts';
import { RequestDecoder } from './request-decoder.ts';

const decode = (text: string, isEnded = false, limits: Partial<HttpLimits> = {}) =>
  feedEveryWay(() => new RequestDecoder(limits), latin1Encode(text), { isEnded });

describe('RequestDecoder', () => {
  it('reads requests one after the other', () => {
    const { events, error, leftover } = decode(
      'POST /wsman HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\nPOS',
    );
    expect(error).toBeNull();
    expect(events.map((event) => [event.method, event.target, event.version, latin1Decode(event.body)])).toEqual([
      ['POST', '/wsman', '1.1', 'abc'],
      ['GET', '/', '1.0', ''],
    ]);
    expect(latin1Decode(leftover)).toBe('POS');
  });

  it('reads a chunked body and passes over extensions and the trailer', () => {
    const { events } = decode(
      'POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n002 ;x\r\nde\r\n0\r\nX: y\r\n\r\n',
    );
    expect(events.map((event) => latin1Decode(event.body))).toEqual(['abcde']);
  });

  it('takes the end between two requests as the end', () => {
    expect(decode('POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n', true)).toMatchObject({ error: null });
  });

  it.each([
    ['in the head', 'POST / HT'],
    ['in the body', 'POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc'],
    ['in a chunk', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc'],
  ])('reports http.closed-early for an end %s', (_where, text) => {
    expect(decode(text, true).error).toBe('http.closed-early');
  });

  it.each([
    ['two blanks in the request line', 'POST  / HTTP/1.1\r\n\r\n'],
    ['a third version', 'POST / HTTP/2.0\r\n\r\n'],
    ['a lower-case version', 'POST / http/1.1\r\n\r\n'],
    ['no version', 'POST /\r\n\r\n'],
    ['bare LF', 'POST / HTTP/1.1\nHost: a\n\n'],
    ['bare CR in a value', 'POST / HTTP/1.1\r\nA: b\rC: d\r\n\r\n'],
    ['NUL in the head', 'POST / HTTP/1.1\r\nA: \0\r\n\r\n'],
    ['a folded line', 'POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n'],
    ['a folded request line', 'POST /\r\n HTTP/1.1\r\n\r\n'],
    ['a blank before the colon', 'POST / HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a line without a colon', 'POST / HTTP/1.1\r\nHost\r\n\r\n'],
    ['an empty line in front', '\r\nPOST / HTTP/1.1\r\n\r\n'],
    ['length beside chunks', 'POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['chunks beside length', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n'],
    ['differing lengths', 'POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n'],
    ['differing lengths in a line', 'POST / HTTP/1.1\r\nContent-Length: 3, 4\r\n\r\n'],
    ['a negative length', 'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n'],
    ['a signed length', 'POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n'],
    ['a hexadecimal length', 'POST / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\n'],
    ['an empty length', 'POST / HTTP/1.1\r\nContent-Length:\r\n\r\n'],
    ['a length past every integer', `POST / HTTP/1.1\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\n`],
    ['another coding', 'POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['a coding twice', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['an empty chunk size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n'],
    ['a chunk size that is no number', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n'],
    ['a chunk size too long', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n000000003\r\nabc\r\n'],
    ['a signed chunk size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n'],
    [
      'a chunk that is longer than its size',
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n',
    ],
    ['a chunk line with bare LF', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n'],
  ])('refuses %s with http.malformed', (_what, text) => {
    expect(decode(text)).toMatchObject({ events: [], error: 'http.malformed' });
  });

  it.each([
    ['a head without end', `POST / HTTP/1.1\r\nA: ${'a'.repeat(70_000)}`],
    ['a head just too long', `POST / HTTP/1.1\r\n${'A: 1234567890\r\n'.repeat(190)}B: ${'b'.repeat(63_000)}\r\n\r\n`],
    ['a declared body past the limit', 'POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n'],
  ])('refuses %s with http.too-large', (_what, text) => {
    const decoded = decodePieces(new RequestDecoder(), [latin1Encode(text)]);
    expect(decoded).toMatchObject({ events: [], error: 'http.too-large' });
  });

  it('refuses too many fields with http.malformed', () => {
    const text = `POST / HTTP/1.1\r\n${'A: 1\r\n'.repeat(201)}\r\n`;
    expect(decodePieces(new RequestDecoder(), [latin1Encode(text)]).error).toBe('http.malformed');
  });

  it('throws the same error again and drops what is fed after it', () => {
    const decoder = new RequestDecoder();
    decoder.feed(latin1Encode('junk\r\n\r\n'));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'http.malformed' }));
    decoder.feed(latin1Encode('POST / HTTP/1.1\r\n\r\n'));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'http.malformed' }));
    expect(decoder.takeLeftover()).toHaveLength(0);
  });

  it('gives requests or one of our errors for any bytes', () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(
        ...[
          'POST ',
          '/ ',
          'HTTP/1.1',
          '\r\n',
          '\n',
          'Host: a\r\n',
          'Content-Length: 3\r\n',
          'abc',
          '\r\n\r\n',
          'Transfer-Encoding: chunked\r\n',
          '3\r\n',
          '0\r\n',
        ].map(latin1Encode),
      ),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), fc.boolean(), (input, isEnded) => {
        const bytes = Uint8Array.from(input.flatMap((piece) => [...piece]));
        try {
          feedEveryWay(() => new RequestDecoder(), bytes, { isEnded });
        } catch (error) {
          expect(isWinRmError(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
