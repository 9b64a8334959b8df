import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1Decode, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import { Headers } from './headers.ts';
import { encodeRequest } from './request.ts';
import { RequestDecoder } from './request-decoder.ts';

const encode = (method: string, target: string, headers: Headers, body = ''): string =>
  latin1Decode(encodeRequest({ method, target, headers, body: latin1Encode(body) }));

describe('encodeRequest', () => {
  it('writes origin form with a length where there is a body', () => {
    const headers = new Headers([['Host', 'win1:5985']]);
    expect(encode('POST', '/wsman', headers, 'abc')).toBe(
      'POST /wsman HTTP/1.1\r\nHost: win1:5985\r\nContent-Length: 3\r\n\r\nabc',
    );
  });

  it('writes a length of 0 for an empty POST and none for CONNECT', () => {
    const headers = new Headers([['Host', 'win1:5985']]);
    expect(encode('POST', 'http://win1:5985/wsman', headers)).toContain('\r\nContent-Length: 0\r\n\r\n');
    expect(encode('CONNECT', 'win1:5985', headers)).toBe('CONNECT win1:5985 HTTP/1.1\r\nHost: win1:5985\r\n\r\n');
  });

  it('does not repeat a correct Content-Length', () => {
    expect(encode('POST', '/', new Headers([['content-length', '1']]), 'x').match(/content-length/gi)).toHaveLength(1);
  });

  it.each([
    ['a method with a blank', 'PO ST', '/', []],
    ['an empty method', '', '/', []],
    ['a target with a blank', 'POST', '/ws man', []],
    ['a target with CRLF', 'POST', '/\r\nX: y', []],
    ['an empty target', 'POST', '', []],
    ['a target that is not ASCII', 'POST', '/ü', []],
    ['a target without end', 'POST', `/${'a'.repeat(8000)}`, []],
    ['a wrong Content-Length', 'POST', '/', [['Content-Length', '5']]],
    [
      'two lengths',
      'POST',
      '/',
      [
        ['Content-Length', '1'],
        ['Content-Length', '1'],
      ],
    ],
    ['Transfer-Encoding', 'POST', '/', [['Transfer-Encoding', 'chunked']]],
  ] as [string, string, string, [string, string][]][])(
    'refuses %s with misuse.bad-argument',
    (_what, method, target, entries) => {
      expect(() => encode(method, target, new Headers(entries), 'x')).toThrow(
        expect.objectContaining({ code: 'misuse.bad-argument' }),
      );
    },
  );

  it('is undone by RequestDecoder, whatever the fields and the body', () => {
    const token = fc
      .stringMatching(/^[A-Za-z-]{1,20}$/)
      .filter((name) => !/^(content-length|transfer-encoding)$/i.test(name));
    const value = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(token, value), { maxLength: 8 }),
        fc.uint8Array({ maxLength: 500 }),
        (entries, body) => {
          const decoder = new RequestDecoder();
          decoder.feed(encodeRequest({ method: 'POST', target: '/wsman', headers: new Headers(entries), body }));
          const request = decoder.next();
          if (request === 'need-bytes') throw new Error('not whole');
          expect(request.headers.entries().slice(0, entries.length)).toEqual(entries);
          expect(request.body).toEqual(body);
          expect(decoder.takeLeftover()).toEqual(NO_BYTES);
        },
      ),
    );
  });
});
