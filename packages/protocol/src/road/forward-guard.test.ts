import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, latin1Decode, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { Headers } from '../http/headers.ts';
import { DEFAULT_HTTP_LIMITS } from '../http/limits.ts';
import { encodeRequest } from '../http/request.ts';
import { ForwardGuard } from './forward-guard.ts';

const SEALED_TYPE =
  'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"';

/** As a request leaves the tab: the sealed body without leading tabs. */
const sealedBody = (cipherBytes = 600): Uint8Array =>
  concatBytes(
    latin1Encode(
      '--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n' +
        `OriginalContent: type=application/soap+xml;charset=UTF-8;Length=${cipherBytes}\r\n` +
        '--Encrypted Boundary\r\nContent-Type: application/octet-stream\r\n\x10\0\0\0',
    ),
    Uint8Array.from({ length: 16 + cipherBytes }, (_, i) => (i * 37) & 255),
    latin1Encode('--Encrypted Boundary--\r\n'),
  );

const GOOD_FIELDS: readonly (readonly [string, string])[] = [
  ['Host', 'win1.corp:5985'],
  ['User-Agent', 'Fairlead'],
  ['Accept-Encoding', 'identity'],
  ['Connection', 'keep-alive'],
];

const request = (
  body: Uint8Array,
  type: string | null = SEALED_TYPE,
  more: readonly (readonly [string, string])[] = [],
  target = 'http://win1.corp:5985/wsman',
): Uint8Array => {
  const entries = [...GOOD_FIELDS, ...more, ...(type === null ? [] : ([['Content-Type', type]] as const))];
  return encodeRequest({ method: 'POST', target, headers: new Headers(entries), body });
};

const guard = (): ForwardGuard => new ForwardGuard({ host: 'Win1.corp', port: 5985 });

/** Feeds pieces and returns what went on. */
const feed = (target: ForwardGuard, bytes: Uint8Array, size = Infinity): Uint8Array => {
  const passed: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) passed.push(target.feed(bytes.subarray(at, at + size)));
  return concatBytes(...passed);
};

describe('ForwardGuard lets pass, unchanged', () => {
  it.each([
    [
      'an empty leg with a token',
      request(NO_BYTES, 'application/soap+xml;charset=UTF-8', [['Authorization', 'Negotiate YIIB']]),
    ],
    ['an empty leg of NTLM', request(NO_BYTES, null, [['authorization', 'NTLM TlRMTVNTUAA=']])],
    ['an empty request without a token', request(NO_BYTES, null)],
    ['a sealed request', request(sealedBody())],
    [
      'a sealed request that rides on a token',
      request(sealedBody(), SEALED_TYPE, [['Authorization', 'Negotiate YIIB']]),
    ],
    ['a short sealed request', request(sealedBody(1))],
    ['a large sealed request', request(sealedBody(400_000))],
    ['a query', request(sealedBody(), SEALED_TYPE, [], 'http://win1.corp:5985/wsman?PSVersion=7.4.1')],
    ['another spelling of the name', request(sealedBody(), SEALED_TYPE, [], 'http://WIN1.CORP:5985/wsman')],
    [
      'CredSSP in several parts',
      request(
        latin1Encode(latin1Decode(sealedBody()).replace('SPNEGO', 'CredSSP')),
        'multipart/x-multi-encrypted;protocol="application/HTTP-CredSSP-session-encrypted";boundary="Encrypted Boundary"',
      ),
    ],
    ['the form with tabs', request(latin1Encode(latin1Decode(sealedBody()).replace(/^(Content|Original)/gm, '\t$1')))],
    ['a farewell', request(sealedBody(), SEALED_TYPE, [['Proxy-Connection', 'close']])],
  ])('%s, whole, byte by byte and in uneven pieces', (_what, bytes) => {
    for (const size of [Infinity, 1, 13, 700]) {
      if (size === 1 && bytes.length > 10_000) continue;
      const passed = feed(guard(), bytes, size);
      expect(passed.length).toBe(bytes.length);
      expect(Buffer.from(passed).equals(Buffer.from(bytes))).toBe(true);
    }
  });

  it('one request after the other on one connection', () => {
    const all = guard();
    for (const bytes of [
      request(NO_BYTES, null),
      request(sealedBody()),
      request(NO_BYTES, null),
      request(sealedBody(2)),
    ]) {
      expect(latin1Decode(feed(all, bytes, 301))).toBe(latin1Decode(bytes));
    }
  });

  it('targets on port 80 with and without the port, and IPv6', () => {
    const plain = new ForwardGuard({ host: 'win1', port: 80 });
    for (const authority of ['win1', 'win1:80']) {
      const bytes = latin1Encode(
        `POST http://${authority}/wsman HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 0\r\n\r\n`,
      );
      expect(feed(plain, bytes)).toHaveLength(bytes.length);
    }
    const six = new ForwardGuard({ host: '2001:db8::1', port: 5985 });
    const bytes = latin1Encode(
      'POST http://[2001:DB8::1]:5985/wsman HTTP/1.1\r\nHost: [2001:db8::1]:5985\r\nContent-Length: 0\r\n\r\n',
    );
    expect(feed(six, bytes)).toHaveLength(bytes.length);
  });
});

const GOOD_HEAD = 'POST http://win1.corp:5985/wsman HTTP/1.1\r\nHost: win1.corp:5985\r\n';
const SOAP = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>';
const SEALED = latin1Decode(sealedBody());
const sealedHead = (fields = ''): string => `${GOOD_HEAD}${fields}Content-Type: ${SEALED_TYPE}\r\n`;

const EVIL: [string, string][] = [
  // other machines
  ['another authority', GOOD_HEAD.replaceAll('win1.corp', 'evil.corp')],
  ['another authority in the target only', GOOD_HEAD.replace('win1.corp', 'evil.corp')],
  ['another authority in Host only', GOOD_HEAD.replace('Host: win1.corp', 'Host: evil.corp')],
  ['another port', GOOD_HEAD.replaceAll('5985', '5986')],
  ['another port in Host only', GOOD_HEAD.replace('Host: win1.corp:5985', 'Host: win1.corp:80')],
  ['no port', GOOD_HEAD.replaceAll(':5985', '')],
  ['a port with a leading zero', GOOD_HEAD.replaceAll(':5985', ':05985')],
  ['an empty port', GOOD_HEAD.replaceAll(':5985', ':')],
  ['a trailing dot', GOOD_HEAD.replaceAll('win1.corp', 'win1.corp.')],
  ['the allowed name as user', GOOD_HEAD.replace('//win1.corp:5985', '//win1.corp:5985@evil.corp')],
  ['a user in front', GOOD_HEAD.replace('//win1', '//user@win1')],
  ['a backslash', GOOD_HEAD.replace('5985/', '5985\\@evil.corp/')],
  ['a fragment', GOOD_HEAD.replace('5985/', '5985#@evil.corp/')],
  ['an encoded dot', GOOD_HEAD.replaceAll('win1.corp', 'win1%2ecorp')],
  ['a name that only starts right', GOOD_HEAD.replaceAll('win1.corp', 'win1.corp.evil')],
  ['brackets around the name', GOOD_HEAD.replaceAll('win1.corp', '[win1.corp]')],
  ['https', GOOD_HEAD.replace('http:', 'https:')],
  ['ftp', GOOD_HEAD.replace('http:', 'ftp:')],
  // other targets and methods
  ['origin form', GOOD_HEAD.replace('http://win1.corp:5985', '')],
  ['another path', GOOD_HEAD.replace('/wsman', '/admin')],
  ['a path that only starts right', GOOD_HEAD.replace('/wsman', '/wsmanx')],
  ['a path upwards', GOOD_HEAD.replace('/wsman', '/wsman/../admin')],
  ['an encoded path upwards', GOOD_HEAD.replace('/wsman', '/wsman/%2e%2e/admin')],
  ['a double slash', GOOD_HEAD.replace('/wsman', '//wsman')],
  ['GET', GOOD_HEAD.replace('POST', 'GET')],
  ['CONNECT', 'CONNECT win1.corp:5985 HTTP/1.1\r\nHost: win1.corp:5985\r\n'],
  ['PUT', GOOD_HEAD.replace('POST', 'PUT')],
  ['TRACE', GOOD_HEAD.replace('POST', 'TRACE')],
  ['a lower-case method', GOOD_HEAD.replace('POST', 'post')],
  ['HTTP/1.0', GOOD_HEAD.replace('1.1', '1.0')],
  ['HTTP/2.0', GOOD_HEAD.replace('1.1', '2.0')],
  ['HTTP/0.9', 'POST http://win1.corp:5985/wsman\r\n'],
  ['two blanks', GOOD_HEAD.replace('POST ', 'POST  ')],
  ['a tab for a blank', GOOD_HEAD.replace('POST ', 'POST\t')],
  ['an empty line in front', `\r\n${GOOD_HEAD}`],
  // smuggling
  ['length and chunks', `${GOOD_HEAD}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n`],
  ['chunks alone', `${GOOD_HEAD}Transfer-Encoding: chunked\r\n`],
  ['chunks after a tab', `${GOOD_HEAD}Transfer-Encoding:\tchunked\r\n`],
  ['hidden chunks', `${GOOD_HEAD}Content-Length: 0\r\nTransfer-Encoding : chunked\r\n`],
  ['chunks in a folded line', `${GOOD_HEAD}Content-Length: 0\r\nTransfer-Encoding:\r\n chunked\r\n`],
  ['differing lengths', `${GOOD_HEAD}Content-Length: 0\r\nContent-Length: 5\r\n`],
  ['the same length twice', `${GOOD_HEAD}Content-Length: 0\r\nContent-Length: 0\r\n`],
  ['two lengths in a line', `${GOOD_HEAD}Content-Length: 0, 0\r\n`],
  ['a signed length', `${GOOD_HEAD}Content-Length: +0\r\n`],
  ['a length with a leading zero', `${GOOD_HEAD}Content-Length: 00\r\n`],
  ['a hexadecimal length', `${GOOD_HEAD}Content-Length: 0x0\r\n`],
  ['a negative length', `${GOOD_HEAD}Content-Length: -1\r\n`],
  ['a huge length', `${sealedHead()}Content-Length: 99999999\r\n`],
  ['a length past every integer', `${GOOD_HEAD}Content-Length: 99999999999999999999\r\n`],
  ['no length', GOOD_HEAD],
  ['a folded line', `${GOOD_HEAD}User-Agent: a\r\n b\r\nContent-Length: 0\r\n`],
  ['bare LF', `${GOOD_HEAD.replaceAll('\r\n', '\n')}Content-Length: 0\n`],
  ['bare LF inside', `${GOOD_HEAD}User-Agent: a\nX: y\r\nContent-Length: 0\r\n`],
  ['bare CR inside', `${GOOD_HEAD}User-Agent: a\rX: y\r\nContent-Length: 0\r\n`],
  ['NUL inside', `${GOOD_HEAD}User-Agent: a\0\r\nContent-Length: 0\r\n`],
  ['two Hosts', `${GOOD_HEAD}Host: evil.corp\r\nContent-Length: 0\r\n`],
  ['two equal Hosts', `${GOOD_HEAD}Host: win1.corp:5985\r\nContent-Length: 0\r\n`],
  ['no Host', GOOD_HEAD.replace(/Host.*\r\n/, 'Content-Length: 0\r\n')],
  ['two Hosts in a line', GOOD_HEAD.replace('Host: win1.corp:5985', 'Host: win1.corp:5985, evil.corp')],
  // fields that change what others mean
  ['Connection naming a field', `${GOOD_HEAD}Connection: Host\r\nContent-Length: 0\r\n`],
  ['Connection: upgrade', `${GOOD_HEAD}Connection: upgrade\r\nContent-Length: 0\r\n`],
  ['Upgrade', `${GOOD_HEAD}Upgrade: h2c\r\nContent-Length: 0\r\n`],
  ['Expect', `${GOOD_HEAD}Expect: 100-continue\r\nContent-Length: 0\r\n`],
  ['TE', `${GOOD_HEAD}TE: trailers\r\nContent-Length: 0\r\n`],
  ['X-Forwarded-Host', `${GOOD_HEAD}X-Forwarded-Host: evil\r\nContent-Length: 0\r\n`],
  ['X-HTTP-Method-Override', `${GOOD_HEAD}X-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n`],
  ['Cookie', `${GOOD_HEAD}Cookie: a=b\r\nContent-Length: 0\r\n`],
  ['proxy credentials', `${GOOD_HEAD}Proxy-Authorization: Basic YTpi\r\nContent-Length: 0\r\n`],
  // credentials a proxy would see, or not pin
  ['Basic', `${GOOD_HEAD}Authorization: Basic YTpi\r\nContent-Length: 0\r\n`],
  ['CredSSP', `${GOOD_HEAD}Authorization: CredSSP YTpi\r\nContent-Length: 0\r\n`],
  ['Bearer', `${GOOD_HEAD}Authorization: Bearer YTpi\r\nContent-Length: 0\r\n`],
  ['a scheme without a token', `${GOOD_HEAD}Authorization: Negotiate\r\nContent-Length: 0\r\n`],
  ['Authorization twice', `${GOOD_HEAD}Authorization: NTLM YQ==\r\nAuthorization: NTLM YQ==\r\nContent-Length: 0\r\n`],
];

const EVIL_BODIES: [string, string][] = [
  [
    'plain SOAP',
    `${GOOD_HEAD}Content-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: ${SOAP.length}\r\n\r\n${SOAP}`,
  ],
  ['plain SOAP without a type', `${GOOD_HEAD}Content-Length: ${SOAP.length}\r\n\r\n${SOAP}`],
  ['plain SOAP that calls itself sealed', `${sealedHead()}Content-Length: ${SOAP.length}\r\n\r\n${SOAP}`],
  [
    'plain SOAP after a boundary',
    `${sealedHead()}Content-Length: ${SOAP.length + 22}\r\n\r\n--Encrypted Boundary\r\n${SOAP}`,
  ],
  [
    'a part that says it is plain',
    `${sealedHead()}Content-Length: ${SEALED.length - 15}\r\n\r\n${SEALED.replace('octet-stream', 'soap+xml').replace(/.{11}$/s, '')}`,
  ],
  [
    'another boundary',
    `${sealedHead().replace('Encrypted Boundary', 'x')}Content-Length: ${SEALED.length}\r\n\r\n${SEALED}`,
  ],
  ['another protocol', `${sealedHead().replace('SPNEGO', 'Plain')}Content-Length: ${SEALED.length}\r\n\r\n${SEALED}`],
  [
    'multipart/mixed',
    `${sealedHead().replace('multipart/encrypted', 'multipart/mixed')}Content-Length: ${SEALED.length}\r\n\r\n${SEALED}`,
  ],
  ['two types', `${sealedHead('Content-Type: text/plain\r\n')}Content-Length: ${SEALED.length}\r\n\r\n${SEALED}`],
  ['a body longer than its length', `${sealedHead()}Content-Length: ${SEALED.length - 1}\r\n\r\n${SEALED}`],
  ['a body where none is announced', `${GOOD_HEAD}Content-Length: 0\r\n\r\nx`],
  ['a pipelined request', `${GOOD_HEAD}Content-Length: 0\r\n\r\n${GOOD_HEAD}Content-Length: 0\r\n\r\n`],
  [
    'a request pipelined behind a sealed one',
    `${sealedHead()}Content-Length: ${SEALED.length}\r\n\r\n${SEALED}GET http://evil/ HTTP/1.1\r\n\r\n`,
  ],
];

/** Each evil head is good but for the one thing its name says, so a length is given where none is at issue. */
const wholeHead = ([what, head]: [string, string]): Uint8Array => {
  const hasLength = /Content-Length|Transfer-Encoding/.test(head) || what === 'no length';
  return latin1Encode(`${head}${hasLength ? '' : `Content-Length: 0${head.endsWith('\r\n') ? '\r\n' : '\n'}`}\r\n`);
};

describe('ForwardGuard refuses with proxy.forward-refused, and passes no byte of', () => {
  it('nothing of the head the evil ones are made of', () => {
    expect(guard().feed(wholeHead(['good', GOOD_HEAD]))).not.toHaveLength(0);
    const sealed = latin1Encode(`${sealedHead()}Content-Length: ${SEALED.length}\r\n\r\n${SEALED}`);
    expect(guard().feed(sealed)).not.toHaveLength(0);
  });

  it.each(EVIL)('%s', (what, head) => {
    const bytes = wholeHead([what, head]);
    for (const size of [Infinity, 1, 50]) {
      const watched = guard();
      const passed: Uint8Array[] = [];
      expect(() => {
        for (let at = 0; at < bytes.length; at += size) passed.push(watched.feed(bytes.subarray(at, at + size)));
      }).toThrow(expect.objectContaining({ code: 'proxy.forward-refused' }));
      expect(concatBytes(...passed)).toHaveLength(0);
    }
  });

  it.each(EVIL_BODIES)('%s', (_what, text) => {
    expect(() => guard().feed(latin1Encode(text))).toThrow(expect.objectContaining({ code: 'proxy.forward-refused' }));
  });

  it.each(EVIL_BODIES.filter(([what]) => /plain/.test(what)))('%s, byte by byte', (_what, text) => {
    const watched = guard();
    const passed: Uint8Array[] = [];
    expect(() => {
      for (const byte of latin1Encode(text)) passed.push(watched.feed(Uint8Array.of(byte)));
    }).toThrow(expect.objectContaining({ code: 'proxy.forward-refused' }));
    expect(concatBytes(...passed)).toHaveLength(0);
  });

  it('anything after a refusal', () => {
    const watched = guard();
    expect(() => watched.feed(latin1Encode('junk\r\n\r\n'))).toThrow();
    expect(() => watched.feed(request(NO_BYTES, null))).toThrow(
      expect.objectContaining({ code: 'proxy.forward-refused', details: { problem: 'after a refusal' } }),
    );
  });

  it('a head without end, in bounded memory', () => {
    const watched = guard();
    let fed = 0;
    expect(() => {
      for (; fed < 10_000_000; fed += 1000) watched.feed(latin1Encode('a'.repeat(1000)));
    }).toThrow(expect.objectContaining({ code: 'proxy.forward-refused', details: { problem: 'head too large' } }));
    expect(fed).toBeLessThan(DEFAULT_HTTP_LIMITS.headBytes + 2000);
  });

  it('the evil second request after a good first', () => {
    for (const evil of EVIL) {
      const watched = guard();
      watched.feed(request(sealedBody()));
      expect(() => watched.feed(wholeHead(evil))).toThrow(expect.objectContaining({ code: 'proxy.forward-refused' }));
    }
  });

  it('every change of one byte that makes another request line, Host or length of it', () => {
    const good = request(NO_BYTES, null);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = good.slice();
        changed[at] = (changed[at] as number) ^ flip;
        let passed = '';
        try {
          passed = latin1Decode(guard().feed(changed));
        } catch (error) {
          expect(isWinRmError(error, 'proxy.forward-refused')).toBe(true);
        }
        if (passed === '') return;
        expect(passed).toMatch(/^POST http:\/\/win1\.corp:5985\/wsman HTTP\/1\.1\r\n/i);
        expect(passed).toMatch(/\r\nHost:[ \t]*win1\.corp:5985\r\n/i);
        expect(passed).toMatch(/\r\nContent-Length:[ \t]*0\r\n\r\n$/i);
      }),
      { numRuns: 2000 },
    );
  });

  it('all bytes that are not requests', () => {
    const words = [
      'POST ',
      'http://win1.corp:5985/wsman',
      ' HTTP/1.1',
      '\r\n',
      '\n',
      'Host: win1.corp:5985\r\n',
      'Content-Length: 0\r\n',
      '\r\n\r\n',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...words.map(latin1Encode)), fc.uint8Array({ maxLength: 20 })), {
          maxLength: 12,
        }),
        (pieces) => {
          const watched = guard();
          const passed: Uint8Array[] = [];
          try {
            for (const piece of pieces) passed.push(watched.feed(piece));
          } catch (error) {
            expect(isWinRmError(error, 'proxy.forward-refused')).toBe(true);
          }
          const text = latin1Decode(concatBytes(...passed));
          expect(text === '' || text.startsWith('POST http://win1.corp:5985/wsman HTTP/1.1\r\n')).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
