import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, NO_BYTES } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { feedEveryWay } from '../testing/index.ts';
import {
  checkNewSessionTicket13,
  decodeCertificate12,
  decodeCertificate13,
  decodeCertificateRequest12,
  decodeCertificateRequest13,
  decodeCertificateVerify,
  decodeEncryptedExtensions,
  decodeKeyShare,
  decodeKeyUpdate,
  decodeServerHello,
  decodeServerKeyExchange,
  encodeCertificate,
  encodeCertificateVerify,
  MAX_CHAIN_LENGTH,
} from './_messages.ts';
import { HandshakeJoiner, type RawRecord, RecordReader } from './_record.ts';
import trace from './vectors/rfc8448.json' with { type: 'json' };

const body = (hex: string): Uint8Array => (fromHex(hex) ?? expect.fail()).subarray(4);
const certificate = Uint8Array.of(1, 2, 3);
const request13 = Uint8Array.of(0, 0, 10, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4);

const samples: [string, (bytes: Uint8Array) => unknown, Uint8Array][] = [
  ['ServerHello', decodeServerHello, body(trace.serverHello)],
  ['EncryptedExtensions', decodeEncryptedExtensions, body(trace.encryptedExtensions)],
  ['Certificate of TLS 1.3', decodeCertificate13, body(trace.certificate)],
  ['Certificate of TLS 1.2', decodeCertificate12, encodeCertificate([certificate, certificate], null).subarray(4)],
  ['CertificateVerify', decodeCertificateVerify, body(trace.certificateVerify)],
  ['CertificateRequest of TLS 1.3', decodeCertificateRequest13, request13],
  ['CertificateRequest of TLS 1.2', decodeCertificateRequest12, Uint8Array.of(1, 64, 0, 2, 4, 3, 0, 3, 0, 1, 48)],
  ['ServerKeyExchange', decodeServerKeyExchange, Uint8Array.of(3, 0, 29, 2, 7, 7, 4, 3, 0, 1, 9)],
  ['NewSessionTicket', checkNewSessionTicket13, body(trace.newSessionTicket)],
  ['KeyUpdate', decodeKeyUpdate, Uint8Array.of(1)],
  ['key_share', decodeKeyShare, Uint8Array.of(0, 29, 0, 1, 5)],
];

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'fine';
  } catch (error) {
    if (!isWinRmError(error)) throw error;
    return error.code;
  }
}

describe.each(samples)('%s', (name, decode, sample) => {
  test('is read whole, and refused when cut anywhere or with a byte left over', () => {
    decode(sample);
    const shortest = name === 'ServerHello' ? 2 + 32 + 1 + 2 + 1 : -1; // extensions may be missing altogether
    for (let length = 0; length < sample.length; length++) {
      if (length !== shortest) expect(codeOf(() => decode(sample.subarray(0, length)))).toBe('tls.bad-handshake');
    }
    expect(codeOf(() => decode(concatBytes(sample, Uint8Array.of(0))))).toBe('tls.bad-handshake');
  });

  test('of any bytes is a value or tls.bad-handshake', () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.tuple(fc.nat(sample.length - 1), fc.nat(255)).map(([at, byte]) => sample.map((b, i) => (i === at ? byte : b))),
    );
    fc.assert(
      fc.property(garbage, (bytes) => {
        expect(['fine', 'tls.bad-handshake']).toContain(codeOf(() => decode(bytes)));
      }),
    );
  });
});

describe('Certificate', () => {
  test.each([null, Uint8Array.of(4)])('encodeCertificate is read back (context %j)', (context) => {
    const encoded = encodeCertificate([certificate, Uint8Array.of(9)], context).subarray(4);
    const decoded = context === null ? decodeCertificate12(encoded) : decodeCertificate13(encoded);
    expect(decoded).toEqual({ context: context ?? NO_BYTES, chain: [certificate, Uint8Array.of(9)] });
  });

  test('a chain without end and an empty certificate are refused', () => {
    const many = encodeCertificate(
      Array.from({ length: MAX_CHAIN_LENGTH + 1 }, () => certificate),
      null,
    ).subarray(4);
    expect(codeOf(() => decodeCertificate12(many))).toBe('tls.bad-handshake');
    expect(codeOf(() => decodeCertificate12(encodeCertificate([NO_BYTES], null).subarray(4)))).toBe(
      'tls.bad-handshake',
    );
  });

  test('attachments of a certificate are passed over', () => {
    const stapled = Uint8Array.of(0, 0, 0, 11, 0, 0, 1, 7, 0, 5, 0, 18, 0, 1, 3);
    expect(decodeCertificate13(stapled).chain).toEqual([Uint8Array.of(7)]);
  });
});

test('CertificateVerify is read back', () => {
  const encoded = encodeCertificateVerify(0x0403, Uint8Array.of(1, 2)).subarray(4);
  expect(decodeCertificateVerify(encoded)).toEqual({ scheme: 0x0403, signature: Uint8Array.of(1, 2) });
});

describe('RecordReader', () => {
  const make = () => {
    const reader = new RecordReader();
    return {
      feed: (bytes: Uint8Array) => reader.feed(bytes),
      feedEnd: () => undefined,
      next: (): RawRecord | 'need-bytes' => reader.next(),
      takeLeftover: () => reader.takeLeftover(),
    };
  };
  const record = (type: number, ...bytes: number[]): Uint8Array => Uint8Array.of(type, 3, 3, 0, bytes.length, ...bytes);

  test('RecordReader cuts records alike however they come, and keeps a part of one', () => {
    const bytes = concatBytes(record(22, 1, 2), record(23), record(21, 2, 40), Uint8Array.of(23, 3));
    const { events, error, leftover } = feedEveryWay(make, bytes);
    expect(events.map(({ type, body: content }) => [type, content.length])).toEqual([
      [22, 2],
      [23, 0],
      [21, 2],
    ]);
    expect(error).toBeNull();
    expect(leftover).toEqual(Uint8Array.of(23, 3));
  });

  test('RecordReader ends in the same error however the bytes come', () => {
    expect(feedEveryWay(make, Uint8Array.of(0x48, 0x54)).error).toBe('tls.not-tls');
    const later = (...bytes: number[]) => feedEveryWay(make, concatBytes(record(22, 1), Uint8Array.from(bytes))).error;
    expect(later(19, 3)).toBe('tls.bad-record');
    expect(later(23, 2)).toBe('tls.bad-record');
    expect(later(23, 3, 3, 0xff, 0xff)).toBe('tls.bad-record');
  });

  test('RecordReader gives records or an error of ours for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void feedEveryWay(make, concatBytes(record(22), bytes))),
    );
  });
});

describe('HandshakeJoiner', () => {
  test('HandshakeJoiner joins what was cut and cuts what was joined', () => {
    const joiner = new HandshakeJoiner();
    const two = Uint8Array.of(2, 0, 0, 3, 7, 8, 9, 14, 0, 0, 0);
    const types: number[] = [];
    for (const byte of two) {
      joiner.feed(Uint8Array.of(byte));
      const message = joiner.next();
      if (message !== null) types.push(message.type, message.body.length, message.raw.length);
    }
    expect(types).toEqual([2, 3, 7, 14, 0, 4]);
    expect(joiner.isEmpty).toBe(true);
  });
});
