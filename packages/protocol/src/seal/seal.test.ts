import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, equalBytes, fromHex, latin1Encode, toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import type { SecurityContext } from '../security.ts';
import { sealingPair } from '../testing/ntlm-acceptor.ts';
import { encodeSealedBody } from './_multipart.ts';
import { isSealedType, sealEnvelope, unsealReply } from './seal.ts';
import published from './vectors/pypsrp-bodies.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const client = (): SecurityContext => sealingPair().client;
const server = (): SecurityContext => sealingPair().server;
const SPNEGO_TYPE =
  'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"';

type Vector = (typeof published.bodies)[number];

/** A context that knows one message, as a mechanism we do not have would seal it. */
function scripted(vector: Vector): SecurityContext {
  const plain = utf8Encode(vector.plain);
  const paddingBytes = vector.declared - plain.length;
  return {
    sealProtocol: vector.protocol === 'Kerberos' ? 'Kerberos' : 'SPNEGO',
    maxSealBytes: Number.POSITIVE_INFINITY,
    wrap: () => ({ header: bytes(vector.header), body: bytes(vector.data), paddingBytes }),
    unwrap: (header, body) => {
      expect([toHex(header), toHex(body)]).toEqual([vector.header, vector.data]);
      return concatBytes(plain, new Uint8Array(paddingBytes));
    },
    destroy: () => undefined,
  };
}

/** Cuts plaintext at five bytes and writes as many zeros for a signature, as a mechanism with records would. */
function inPieces(): SecurityContext {
  return {
    sealProtocol: 'CredSSP',
    maxSealBytes: 5,
    wrap: (plain) => ({ header: new Uint8Array(3), body: plain, paddingBytes: 0 }),
    unwrap: (_, body) => body,
    destroy: () => undefined,
  };
}

describe('published bodies', () => {
  test.each(published.bodies)('encodeSealedBody writes: $name', (vector) => {
    const { header, body, paddingBytes } = scripted(vector).wrap(utf8Encode(vector.plain));
    const part = { declaredBytes: vector.plain.length + paddingBytes, header, body };
    const written = encodeSealedBody(
      vector.protocol === 'Kerberos' ? 'Kerberos' : 'SPNEGO',
      [part],
      vector.lead === '' ? '' : '\t',
    );
    expect(written.length).toBe(vector.bytes);
    expect(createHash('sha256').update(written).digest('hex')).toBe(vector.sha256);
    if (vector.body !== undefined) expect(toHex(written)).toBe(vector.body);
  });

  test.each(published.bodies)('unsealReply reads: $name', (vector) => {
    const context = scripted(vector);
    const part = { declaredBytes: vector.declared, header: bytes(vector.header), body: bytes(vector.data) };
    const body = encodeSealedBody(context.sealProtocol, [part], vector.lead === '' ? '' : '\t');
    const type = `multipart/encrypted;protocol="application/HTTP-${vector.protocol}-session-encrypted"`;
    expect(utf8Decode(unsealReply(context, type, body))).toBe(vector.plain);
  });

  test('sealEnvelope writes the form without tabs', () => {
    const vector = published.bodies.find(({ name }) => name === 'NTLM request without tabs') ?? expect.fail();
    const sealed = sealEnvelope(scripted(vector), utf8Encode(vector.plain));
    expect(sealed.contentType).toBe(SPNEGO_TYPE);
    expect(createHash('sha256').update(sealed.body).digest('hex')).toBe(vector.sha256);
  });
});

describe('sealEnvelope and unsealReply', () => {
  test('unsealReply undoes sealEnvelope, envelope after envelope', () => {
    const envelopes = fc.array(fc.uint8Array({ maxLength: 2000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(envelopes, (list) => {
        const [from, to] = [client(), server()];
        for (const envelope of list) {
          const plain = concatBytes(envelope, Uint8Array.of(0x3e));
          const { contentType, body } = sealEnvelope(from, plain);
          expect(unsealReply(to, contentType, body)).toEqual(plain);
        }
      }),
    );
  });

  test('unsealReply reads by length, so a boundary inside the ciphertext is no end', () => {
    const context: SecurityContext = { ...scripted(published.bodies[0] as Vector), unwrap: (_, body) => body };
    const plain = utf8Encode('a--Encrypted Boundary--\r\nb');
    const body = encodeSealedBody('SPNEGO', [{ declaredBytes: plain.length, header: new Uint8Array(16), body: plain }]);
    expect(unsealReply(context, SPNEGO_TYPE, body)).toEqual(plain);
  });

  test('sealEnvelope cuts an envelope where the mechanism must, and unsealReply joins it', () => {
    const { contentType, body } = sealEnvelope(inPieces(), utf8Encode('hello, world'));
    expect(contentType).toBe(
      'multipart/x-multi-encrypted;protocol="application/HTTP-CredSSP-session-encrypted";boundary="Encrypted Boundary"',
    );
    const text = utf8Decode(body);
    expect(text.match(/Length=\d+/g)).toEqual(['Length=5', 'Length=5', 'Length=2']);
    expect(text.match(/--Encrypted Boundary--\r\n/g)).toHaveLength(1);
    expect(utf8Decode(unsealReply(inPieces(), contentType, body))).toBe('hello, world');
  });

  test('sealEnvelope seals an empty envelope as one part', () => {
    const { contentType, body } = sealEnvelope(client(), new Uint8Array(0));
    expect(unsealReply(server(), contentType, body)).toEqual(new Uint8Array(0));
  });

  test('sealEnvelope on a dead context is misuse.wrong-state', () => {
    const context = client();
    context.destroy();
    expect(() => sealEnvelope(context, utf8Encode('x'))).toThrow('misuse.wrong-state');
  });
});

describe('peers differ', () => {
  const sealed = utf8Encode('<s:Envelope/>');
  const reply = (edit: (text: string) => string): Uint8Array => {
    const { header, body, paddingBytes } = server().wrap(sealed);
    const part = { declaredBytes: sealed.length + paddingBytes, header, body };
    const whole = encodeSealedBody('SPNEGO', [part], '\t');
    let text = '';
    for (const byte of whole) text += String.fromCharCode(byte);
    return latin1Encode(edit(text));
  };

  test.each([
    ['tabs, as Windows', (text: string) => text],
    ['no tabs, as OMI', (text: string) => text.replaceAll('\t', '')],
    ['a blank behind the dashes, as Exchange', (text: string) => text.replaceAll('--Enc', '-- Enc')],
    ['a blank in the opening boundaries only', (text: string) => text.replace(/--Enc(?!.*--)/g, '-- Enc')],
    ['another boundary than the header says', (text: string) => text.replaceAll('Encrypted Boundary', 'XYZ')],
    ['one CRLF too many, as OMI', (text: string) => `${text}\r\n`],
    ['NUL behind the end', (text: string) => `${text}\0\0`],
    ['no CRLF at the end', (text: string) => text.slice(0, -2)],
    ['a line break before the closing boundary, as winrm-rs', (text: string) => text.replace(/--E[^\n]*--/, '\r\n$&')],
    [
      'lower-case headers',
      (text: string) => text.replaceAll('Content-Type', 'content-type').replace('Length', 'length'),
    ],
    ['an empty line between the parts', (text: string) => text.replace('=13\r\n', '=13\r\n\r\n')],
  ])('unsealReply reads %s', (_, edit) => {
    expect(unsealReply(client(), SPNEGO_TYPE, reply(edit))).toEqual(sealed);
  });

  test('unsealReply reads a closing boundary behind every part, as PSWSMan writes', () => {
    const parts = ['hello', ', wor', 'ld'].map((text) =>
      encodeSealedBody('CredSSP', [{ declaredBytes: text.length, header: new Uint8Array(3), body: utf8Encode(text) }]),
    );
    const type = 'multipart/x-multi-encrypted;protocol="application/HTTP-CredSSP-session-encrypted"';
    expect(utf8Decode(unsealReply(inPieces(), type, concatBytes(...parts)))).toBe('hello, world');
  });

  test.each([
    ['counts', 0],
    ['does not count', 2],
  ])('unsealReply drops the NULs that OMI seals and %s', (_, uncounted) => {
    const plain = utf8Encode('<s:Envelope/>\0\0');
    const { header, body } = server().wrap(plain);
    const whole = encodeSealedBody('SPNEGO', [{ declaredBytes: plain.length - uncounted, header, body }]);
    expect(unsealReply(client(), SPNEGO_TYPE, whole)).toEqual(sealed);
  });
});

describe('refusals', () => {
  const plain = utf8Encode('<s:Envelope/>');
  const sealed = (declaredBytes: number): Uint8Array => {
    const { header, body } = server().wrap(plain);
    return encodeSealedBody('SPNEGO', [{ declaredBytes, header, body }]);
  };

  test.each([12, 14, 0, 9_999_999_999])(
    'unsealReply refuses Length=%i for 13 bytes: seal.length-mismatch',
    (declared) => {
      const context = client();
      expect(() => unsealReply(context, SPNEGO_TYPE, sealed(declared))).toThrow(
        expect.objectContaining({ code: 'seal.length-mismatch', details: { declared, received: 13 } }),
      );
      expect(() => sealEnvelope(context, plain)).toThrow('misuse.wrong-state');
    },
  );

  test('unsealReply refuses one changed bit, and the context is dead: seal.bad-signature', () => {
    const body = sealed(13);
    const at = body.length - 30;
    body[at] = (body[at] as number) ^ 0x10;
    const context = client();
    expect(() => unsealReply(context, SPNEGO_TYPE, body)).toThrow('seal.bad-signature');
    expect(() => unsealReply(context, SPNEGO_TYPE, sealed(13))).toThrow('misuse.wrong-state');
  });

  test('unsealReply refuses a reply it has already read: seal.bad-signature', () => {
    const context = client();
    const body = sealed(13);
    unsealReply(context, SPNEGO_TYPE, body);
    expect(() => unsealReply(context, SPNEGO_TYPE, body)).toThrow('seal.bad-signature');
  });

  test.each([
    'application/soap+xml;charset=UTF-8',
    'multipart/encrypted;protocol="application/HTTP-CredSSP-session-encrypted";boundary="Encrypted Boundary"',
    'multipart/encrypted;protocol=application/HTTP-Kerberos-session-encrypted',
  ])('unsealReply refuses the type %s: seal.unsupported', (type) => {
    expect(() => unsealReply(client(), type, sealed(13))).toThrow('seal.unsupported');
  });

  test('unsealReply refuses a part of another protocol than the type says: seal.unsupported', () => {
    const other = encodeSealedBody('Kerberos', [{ declaredBytes: 1, header: new Uint8Array(16), body: plain }]);
    expect(() => unsealReply(client(), SPNEGO_TYPE, other)).toThrow(
      expect.objectContaining({
        code: 'seal.unsupported',
        details: { protocol: 'application/HTTP-Kerberos-session-encrypted' },
      }),
    );
  });

  test.each([
    ['nothing', () => new Uint8Array(0)],
    ['no boundary', () => utf8Encode('<s:Envelope/>\r\n')],
    ['an endless first line', () => utf8Encode(`--${'x'.repeat(5000)}\r\n`)],
    ['a long boundary', () => utf8Encode(`--${'x'.repeat(71)}\r\n`)],
    ['an empty boundary', () => utf8Encode('--\r\n--\r\n')],
    ['lines without CR', () => utf8Encode('--B\nLength=1\n')],
    ['no Length', () => edited((text) => text.replace('Length=', 'Lenght='))],
    ['too many lines', () => edited((text) => text.replace('Content', `${'x: y\r\n'.repeat(20)}Content`))],
    ['another second part', () => edited((text) => text.replace('octet-stream', 'xml'))],
    ['a signature of no bytes', () => edited((text) => text.replace('\x10\0\0\0', '\0\0\0\0'))],
    ['a signature of 257 bytes', () => edited((text) => text.replace('\x10\0\0\0', '\x01\x01\0\0'))],
    ['no closing boundary', () => edited((text) => text.replace(/--Encrypted Boundary--\r\n$/, ''))],
    ['something behind the end', () => edited((text) => `${text}x`)],
    ['something behind the second boundary', () => edited((text) => text.replace(/(\r\n--[^\r]*)\r/, '$1 x\r'))],
    ['something behind the first boundary', () => edited((text) => text.replace('Boundary\r\n', 'Boundary x\r\n'))],
  ])('unsealReply refuses %s: seal.malformed', (_, body) => {
    expect(() => unsealReply(client(), SPNEGO_TYPE, body())).toThrow('seal.malformed');
  });

  function edited(edit: (text: string) => string): Uint8Array {
    return latin1Encode(edit(String.fromCharCode(...sealed(13))));
  }

  test('unsealReply refuses every body cut short', () => {
    const body = sealed(13);
    for (let length = 0; length < body.length - 2; length++) {
      const cut = body.subarray(0, length);
      expect(() => unsealReply(client(), SPNEGO_TYPE, cut)).toThrow('seal.malformed');
    }
  });

  test('unsealReply answers any bytes with the envelope or a WinRmError', () => {
    const genuine = sealed(13);
    const spoiled = fc.array(fc.tuple(fc.nat(genuine.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
      const copy = genuine.slice();
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      spoiled,
      fc.uint8Array({ maxLength: 50 }).map((junk) => concatBytes(utf8Encode('--B\r\nLength=5\r\n--B\r\n'), junk)),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        try {
          expect(equalBytes(unsealReply(client(), SPNEGO_TYPE, input), plain)).toBe(true);
        } catch (error) {
          if (!isWinRmError(error)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['multipart/encrypted;protocol="x"', true],
  [' Multipart/Encrypted', true],
  ['multipart/x-multi-encrypted; boundary=b', true],
  ['multipart/encryptedx', false],
  ['application/soap+xml', false],
  ['', false],
])('isSealedType says of %s: %s', (type, expected) => {
  expect(isSealedType(type)).toBe(expected);
});
