import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, latin1Decode, latin1Encode } from '../bytes/bytes.ts';
import { decodePieces, feedEveryWay } from '../testing/index.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits, type HttpResponse, ResponseDecoder } from './response.ts';

const make =
  (method = 'POST', limits: Partial<HttpLimits> = {}) =>
  (): ResponseDecoder => {
    const decoder = new ResponseDecoder(limits);
    decoder.expect(method);
    return decoder;
  };

const decode = (text: string, options: { isEnded?: boolean; method?: string; limits?: Partial<HttpLimits> } = {}) =>
  feedEveryWay(make(options.method, options.limits), latin1Encode(text), { isEnded: options.isEnded ?? false });

const only = (text: string, options: Parameters<typeof decode>[1] = {}): HttpResponse & { text: string } => {
  const { events, error } = decode(text, options);
  expect([events.length, error]).toEqual([1, null]);
  const response = events[0] as HttpResponse;
  return { ...response, text: latin1Decode(response.body) };
};

describe('ResponseDecoder', () => {
  it('reads a body by its length and leaves what follows', () => {
    const { events, leftover } = decode('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTT');
    expect(events[0]).toMatchObject({ version: '1.1', status: 200, reason: 'OK', keepsConnection: true });
    expect(latin1Decode(events[0]?.body ?? leftover)).toBe('abc');
    expect(latin1Decode(leftover)).toBe('HTT');
  });

  it('reads a chunked body with extensions and a trailer', () => {
    const response = only(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA;x="y"\r\n0123456789\r\n1\r\nX\r\n0\r\nDigest: z\r\n\r\n',
    );
    expect(response).toMatchObject({ text: '0123456789X', keepsConnection: true });
    expect(response.headers.has('Digest')).toBe(false);
  });

  it('reads a body that ends with the connection, and only then', () => {
    expect(decode('HTTP/1.1 200 OK\r\n\r\nabc').events).toEqual([]);
    expect(only('HTTP/1.1 200 OK\r\n\r\nabc', { isEnded: true })).toMatchObject({
      text: 'abc',
      keepsConnection: false,
    });
  });

  it('reads responses one after the other', () => {
    const { events } = decode(
      'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    );
    expect(events.map((event) => event.status)).toEqual([401, 200]);
  });

  it('accepts one length said twice', () => {
    expect(only('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1, 1\r\n\r\nx').text).toBe('x');
  });

  it('skips up to eight interim replies', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n';
    expect(only(`${interim.repeat(4)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`).status).toBe(200);
    expect(decode(`${interim.repeat(4)}HTTP/1.1 100 Again\r\n\r\n`)).toMatchObject({ error: 'http.malformed' });
  });

  it('gives no body to HEAD, 204 and 304, whatever their fields say', () => {
    expect(only('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', { method: 'HEAD' }).text).toBe('');
    expect(only('HTTP/1.1 204 No\r\n\r\n').text).toBe('');
    expect(only('HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n').text).toBe('');
  });

  it('leaves everything after a 2xx head to the tunnel of CONNECT', () => {
    for (const fields of ['', 'Content-Length: 4\r\n', 'Transfer-Encoding: chunked\r\n']) {
      const { events, leftover } = decode(`HTTP/1.0 200 Connection established\r\n${fields}\r\nSSH-`, {
        method: 'CONNECT',
      });
      expect(events).toHaveLength(1);
      expect(latin1Decode(leftover)).toBe('SSH-');
    }
  });

  it('reads the page of a refused CONNECT', () => {
    expect(only('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', { method: 'CONNECT' }).text).toBe('no');
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nConnection: Close\r\n', false],
    ['HTTP/1.1 200 OK\r\nConnection: Proxy-support, close\r\n', false],
    ['HTTP/1.1 200 OK\r\nProxy-Connection: close\r\n', false],
    ['HTTP/1.1 200 OK\r\nConnection: Proxy-support\r\n', true],
    ['HTTP/1.0 200 OK\r\n', false],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n', true],
    ['HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\n', true],
    ['HTTP/1.9 200 OK\r\n', true],
  ])('tells from %j whether the connection is kept: %j', (head, keeps) => {
    expect(only(`${head}Content-Length: 0\r\n\r\n`).keepsConnection).toBe(keeps);
  });

  it('reads a status line without a reason and shows no control characters of one', () => {
    expect(only('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n').reason).toBe('');
    expect(only('HTTP/1.1 200 a\x1b[31mb\r\nContent-Length: 0\r\n\r\n').reason).toBe('a.[31mb');
  });

  it('joins a folded line with a blank', () => {
    expect(only('HTTP/1.1 200 OK\r\nVia: a\r\n\t b\r\nContent-Length: 0\r\n\r\n').headers.get('Via')).toBe('a b');
  });

  it.each([
    ['a folded first field', 'HTTP/1.1 200 OK\r\n Via: a\r\n\r\n'],
    ['another major version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of zero', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['a status with letters', 'HTTP/1.1 2OO OK\r\n\r\n'],
    ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['NUL in the head', 'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['length beside chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['differing lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n'],
    ['a coding that is not chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n'],
    ['a bad chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['bytes after a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
    ['a switch of protocols nobody asked for', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ])('refuses %s with http.malformed', (_what, text) => {
    expect(decode(text)).toMatchObject({ events: [], error: 'http.malformed' });
  });

  it.each(
    [
      'SSH-2.0-OpenSSH_9.6\r\n',
      '\x15\x03\x01\x00\x02',
      'H',
      'HTTq',
      '220 mail ready\r\n',
      '\r\nHTTP/1.1 200 OK',
    ].filter((text) => text !== 'H'),
  )('calls %j http.not-http at the first wrong byte', (text) => {
    expect(decode(text)).toMatchObject({ events: [], error: 'http.not-http' });
  });

  it('says how bytes that are not HTTP start', () => {
    const decoder = make()();
    decoder.feed(latin1Encode('SSH-2.0\x01'));
    expect(() => decoder.next()).toThrow(
      expect.objectContaining({ code: 'http.not-http', details: { startsWith: 'SSH-2.0.' } }),
    );
  });

  it('calls them http.malformed behind a reply, which only HTTP can have given', () => {
    const decoder = make()();
    decoder.feed(latin1Encode('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n<script src="x">'));
    expect(decoder.next()).toMatchObject({ status: 200 });
    expect(() => decoder.next()).toThrow(
      expect.objectContaining({
        code: 'http.malformed',
        details: { where: 'status line', problem: '<script src="x">' },
      }),
    );
  });

  it.each([
    ['before anything', '', 'reply'],
    ['in the status line', 'HTTP/1.1 2', 'head'],
    ['between fields', 'HTTP/1.1 200 OK\r\nA: b\r\n', 'head'],
    ['in a body', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc', 'body'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc', 'body'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'body'],
    ['in the trailer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n', 'body'],
  ])('reports http.closed-early for an end %s', (_where, text, where) => {
    const decoder = make()();
    decoder.feed(latin1Encode(text));
    decoder.feedEnd();
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'http.closed-early', details: { where } }));
    expect(decode(text, { isEnded: true }).error).toBe('http.closed-early');
  });

  it.each([
    ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(70_000)}`],
    ['a status line without end', `HTTP/1.1 200 ${'a'.repeat(70_000)}`],
    ['a declared body', `HTTP/1.1 200 OK\r\nContent-Length: ${DEFAULT_HTTP_LIMITS.bodyBytes + 1}\r\n\r\n`],
    ['a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n'.concat('a'.repeat(2_000_000))],
    ['an endless body', `HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(DEFAULT_HTTP_LIMITS.bodyBytes + 1)}`],
    ['a chunk-size line', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(1100)}`],
    [
      'all extensions together',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`1;${'e'.repeat(1000)}\r\nx\r\n`.repeat(20)}`,
    ],
    [
      'a trailer',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${`A: ${'a'.repeat(900)}\r\n`.repeat(10)}`,
    ],
  ])('stops at the limit of %s with http.too-large', (_what, text) => {
    expect(decodePieces(make()(), [latin1Encode(text)])).toMatchObject({ events: [], error: 'http.too-large' });
  });

  it('cuts a body that is too long or too short where the limits say so', () => {
    const limits = { bodyBytes: 4, whenBodyTooLarge: 'cut' } as const;
    for (const text of [
      'HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nabcdef',
      'HTTP/1.1 403 No\r\n\r\nabcdef',
      'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n',
    ]) {
      const decoded = decodePieces(make('CONNECT', limits)(), [latin1Encode(text)]);
      expect(decoded.events).toMatchObject([{ status: 403, keepsConnection: false }]);
      expect(latin1Decode(decoded.events[0]?.body ?? new Uint8Array())).toBe('abcd');
    }
    for (const text of [
      'HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nab',
      'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab',
    ]) {
      expect(only(text, { limits, isEnded: true })).toMatchObject({ text: 'ab', keepsConnection: false });
    }
  });

  it('joins chunks of any sizes to the body they were cut from', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { maxLength: 8 }), (chunks) => {
        const wire = concatBytes(
          latin1Encode('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
          ...chunks.flatMap((chunk) => [latin1Encode(`${chunk.length.toString(16)}\r\n`), chunk, latin1Encode('\r\n')]),
          latin1Encode('0\r\n\r\n'),
        );
        const { events } = feedEveryWay(make(), wire);
        expect(events[0]?.body).toEqual(concatBytes(...chunks));
      }),
    );
  });

  it('gives responses or one of our errors for any bytes, the same however they are cut', () => {
    const words = [
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.0 ',
      '\r\n',
      '\n',
      'Content-Length: 3\r\n',
      'abc',
      'Transfer-Encoding: chunked\r\n',
      '3\r\n',
      '0\r\n',
      '\0',
      ' x\r\n',
      'Connection: close\r\n',
    ];
    const piece = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...words.map(latin1Encode)));
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.boolean(),
        fc.constantFrom('POST', 'HEAD', 'CONNECT'),
        (input, isEnded, method) => {
          const bytes = concatBytes(...input);
          feedEveryWay(make(method), bytes, { isEnded });
          feedEveryWay(make(method), concatBytes(latin1Encode('HTTP/1.1 200 OK\r\n'), bytes), { isEnded });
        },
      ),
      { numRuns: 500 },
    );
  });
});
