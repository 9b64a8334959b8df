import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, latin1Encode } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { TlsGuard } from './tls-guard.ts';

const record = (type: number, body: Uint8Array, minor = 3): Uint8Array =>
  concatBytes(Uint8Array.of(type, 3, minor, body.length >> 8, body.length & 255), body);

const hello = record(22, Uint8Array.of(1, 0, 0, 1, 0), 1);
const POST = latin1Encode('POST /wsman HTTP/1.1\r\nHost: win1\r\nContent-Length: 0\r\n\r\n');

/** What has passed, and whether it ended in a refusal. */
function feed(guard: TlsGuard, bytes: Uint8Array, size = Infinity): { passed: number; isRefused: boolean } {
  let passed = 0;
  try {
    for (let at = 0; at < bytes.length; at += size) passed += guard.feed(bytes.subarray(at, at + size)).length;
  } catch (error) {
    expect(isWinRmError(error, 'proxy.forward-refused')).toBe(true);
    return { passed, isRefused: true };
  }
  return { passed, isRefused: false };
}

describe('TlsGuard', () => {
  it('lets a ClientHello and the records after it pass, unchanged, in pieces of any size', () => {
    const bytes = concatBytes(
      hello,
      record(20, Uint8Array.of(1)),
      record(23, new Uint8Array(2 ** 14 + 2048)),
      record(22, POST),
      record(21, Uint8Array.of(1, 0)),
    );
    for (const size of [Infinity, 1, 3, 700]) {
      const guard = new TlsGuard();
      expect([...guard.feed(new Uint8Array(0))]).toEqual([]);
      expect(feed(guard, bytes, size)).toEqual({ passed: bytes.length, isRefused: false });
    }
    expect([...new TlsGuard().feed(hello)]).toEqual([...hello]);
  });

  it.each<[string, Uint8Array]>([
    ['HTTP', POST],
    ['an alert', record(21, Uint8Array.of(1, 0))],
    ['data', record(23, POST)],
    ['SSL 2', Uint8Array.of(0x80, 0x2e, 1, 3, 1)],
    ['SOCKS', Uint8Array.of(5, 1, 0)],
    ['a ServerHello', record(22, Uint8Array.of(2, 0, 0, 0))],
    ['HTTP after one byte of a handshake', concatBytes(Uint8Array.of(22), POST)],
    ['HTTP after a version', concatBytes(Uint8Array.of(22, 3, 1), POST)],
    ['a record of nothing', record(22, new Uint8Array(0))],
    ['a record of no version', record(22, Uint8Array.of(1), 4)],
    ['SSL 3', record(22, Uint8Array.of(1), 0)],
    ['version 2 of something', Uint8Array.of(22, 2, 1, 0, 1, 1)],
  ])('refuses a road that begins with %s: proxy.forward-refused (R5)', (_what, bytes) => {
    for (const size of [Infinity, 1]) {
      const guard = new TlsGuard();
      expect(feed(guard, bytes, size).isRefused).toBe(true);
      expect(feed(guard, hello)).toEqual({ passed: 0, isRefused: true });
    }
  });

  it.each<[string, Uint8Array]>([
    ['HTTP', POST],
    ['a heartbeat', record(24, Uint8Array.of(1, 0, 0))],
    ['a record that is too long', Uint8Array.of(23, 3, 3, 0x48, 1)],
    ['another protocol', latin1Encode('SSH-2.0-x\r\n')],
  ])('refuses %s after a handshake: proxy.forward-refused (R5)', (_what, bytes) => {
    for (const size of [Infinity, 1])
      expect(feed(new TlsGuard(), concatBytes(hello, bytes), size).isRefused).toBe(true);
  });

  it('judges any bytes alike, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(hello, POST), fc.uint8Array({ maxLength: 30 })), { maxLength: 6 }),
        (parts) => {
          const bytes = concatBytes(...parts);
          const whole = feed(new TlsGuard(), bytes).isRefused;
          expect(feed(new TlsGuard(), bytes, 1).isRefused).toBe(whole);
        },
      ),
    );
  });
});
