import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/cursor.ts';
import { cbcEncrypt } from '../crypto/aes.ts';
import { WinRmError } from '../errors.ts';
import { seededRandom } from '../testing/tls-rehearsal.ts';
import { alertOf } from './_alerts.ts';
import { keySizes12, nextSecret, protect12, protect13 } from './_protection.ts';
import type { RawRecord } from './_record.ts';
import { SUITES, type Suite } from './_suites.ts';

const random = seededRandom(5);

function protections(suite: Suite, options: { isMacLast?: boolean; limit?: number } = {}) {
  if (suite.version === '1.3') {
    const secret = new Uint8Array(suite.hash === 'sha256' ? 32 : 48).fill(6);
    return { sealer: protect13(suite, secret, options.limit), opener: protect13(suite, secret, options.limit) };
  }
  const { macBytes, keyBytes, ivBytes } = keySizes12(suite);
  const keys = () => ({
    macKey: new Uint8Array(macBytes).fill(1),
    key: new Uint8Array(keyBytes).fill(2),
    iv: new Uint8Array(ivBytes).fill(3),
  });
  const given = { isMacLast: false, random, ...options };
  return { sealer: protect12(suite, keys(), given), opener: protect12(suite, keys(), given) };
}

/** A record of its own memory, as a reader gives it out: opening may use that up. */
function asRecord(sealed: Uint8Array): RawRecord {
  const bytes = sealed.slice();
  return { type: bytes[0] as number, head: bytes.subarray(0, 5), body: bytes.subarray(5) };
}

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const variants = SUITES.flatMap((suite) => [
  { name: suite.name, suite, isMacLast: false },
  ...(suite.mac === null ? [] : [{ name: `${suite.name}, encrypt-then-MAC`, suite, isMacLast: true }]),
]);

describe.each(variants)('protection of $name', ({ suite, isMacLast }) => {
  test('what is sealed in order opens in order, and a bit flipped opens nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (texts, at) => {
          const { sealer, opener } = protections(suite, { isMacLast });
          const sealed = texts.map((text) => sealer.seal(23, text));
          for (const [i, text] of texts.entries()) {
            expect(opener.open(asRecord(sealed[i] as Uint8Array))).toEqual({ type: 23, bytes: text });
          }
          const next = sealer.seal(23, Uint8Array.of(1, 2, 3));
          const place = 5 + (at % (next.length - 5));
          const changed = next.map((byte, i) => (i === place ? byte ^ 16 : byte));
          const error = caught(() => opener.open(asRecord(changed)));
          expect(error).toMatchObject({ code: 'tls.bad-record' });
          expect(alertOf(error)).toBe('bad_record_mac');
        },
      ),
      { numRuns: 15 },
    );
  });

  test('records out of order, of another type, empty or of any bytes open nothing', () => {
    const { sealer, opener } = protections(suite, { isMacLast });
    sealer.seal(23, Uint8Array.of(1));
    const second = sealer.seal(23, Uint8Array.of(2));
    expect(caught(() => opener.open(asRecord(second)))).toMatchObject({ code: 'tls.bad-record' });
    const fresh = protections(suite, { isMacLast });
    const first = fresh.sealer.seal(23, Uint8Array.of(1));
    const asAlert = { ...asRecord(first), type: 21 };
    expect(caught(() => fresh.opener.open(asAlert))).toMatchObject({ code: 'tls.bad-record' });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
        const garbage = { type: 23, head: Uint8Array.of(23, 3, 3, body.length >> 8, body.length & 255), body };
        const error = caught(() => protections(suite, { isMacLast }).opener.open(garbage));
        expect(error).toBeInstanceOf(WinRmError);
      }),
      { numRuns: 25 },
    );
  });

  test('a key seals and opens no more than its limit', () => {
    const { sealer, opener } = protections(suite, { isMacLast, limit: 2 });
    const sealed = [1, 2].map((byte) => sealer.seal(23, Uint8Array.of(byte)));
    expect(caught(() => sealer.seal(23, Uint8Array.of(3)))).toMatchObject({ code: 'tls.bad-record' });
    for (const record of sealed) opener.open(asRecord(record));
    expect(caught(() => opener.open(asRecord(sealed[0] as Uint8Array)))).toMatchObject({
      details: { problem: 'too many records under one key' },
    });
  });
});

describe('CBC padding', () => {
  const suite = SUITES.find(({ id }) => id === 0xc027) as Suite; // AES-128, HMAC-SHA-256
  const key = new Uint8Array(16).fill(2);
  const macKey = new Uint8Array(32).fill(1);

  /** A record whose insides are ours: content, MAC and any padding; `isMacRight` is about the MAC. */
  function forged(content: Uint8Array, padding: Uint8Array, isMacRight = true): RawRecord {
    const head = new ByteWriter().u64be(0n).u8(23).u16be(0x0303).u16be(content.length).finish();
    const mac = new Uint8Array(createHmac('sha256', macKey).update(head).update(content).digest());
    if (!isMacRight) mac[7] = (mac[7] as number) ^ 1;
    const iv = new Uint8Array(16).fill(9);
    const body = concatBytes(iv, cbcEncrypt(key, iv, concatBytes(content, mac, padding)));
    return { type: 23, head: new Uint8Array(5), body };
  }
  const opened = (record: RawRecord): unknown =>
    caught(() =>
      protect12(
        suite,
        { macKey: macKey.slice(), key: key.slice(), iv: new Uint8Array(0) },
        { isMacLast: false, random },
      ).open(record),
    );

  test('every length of right padding is taken, the longest too', () => {
    for (let last = 15; last < 256; last += 16) {
      expect(opened(forged(new Uint8Array(16).fill(7), new Uint8Array(last + 1).fill(last)))).toMatchObject({
        bytes: new Uint8Array(16).fill(7),
      });
    }
    expect(opened(forged(new Uint8Array(0), new Uint8Array(16).fill(15)))).toMatchObject({ bytes: new Uint8Array(0) });
  });

  test('a wrong byte anywhere in the padding, a wrong MAC, and both give one and the same error', () => {
    const outcomes: unknown[] = [opened(forged(new Uint8Array(16), new Uint8Array(32).fill(31), false))];
    for (let at = 0; at < 32; at++) {
      const padding = new Uint8Array(32).fill(31).map((byte, i) => (i === at ? byte ^ 1 : byte));
      outcomes.push(opened(forged(new Uint8Array(16), padding)), opened(forged(new Uint8Array(16), padding, false)));
    }
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ code: 'tls.bad-record', details: { problem: 'its checksum is wrong' } });
    }
  });

  test('padding that claims more than the record holds is refused', () => {
    const outcome = opened(forged(new Uint8Array(0), new Uint8Array(16).fill(255)));
    expect(outcome).toMatchObject({ code: 'tls.bad-record', details: { problem: 'its checksum is wrong' } });
  });
});

describe('TLS 1.3 records', () => {
  const suite = SUITES[0] as Suite;
  const secret = new Uint8Array(32).fill(6);
  const sealInner = (inner: Uint8Array): RawRecord => {
    // the type is the last byte: zeros behind it are padding
    const { length } = inner;
    return asRecord(protect13(suite, secret).seal(inner[length - 1] as number, inner.subarray(0, length - 1)));
  };

  test('padding behind the type is taken off, and a record of nothing else is refused', () => {
    const opener = protect13(suite, secret);
    expect(opener.open(sealInner(Uint8Array.of(5, 6, 22, 0, 0, 0)))).toEqual({ type: 22, bytes: Uint8Array.of(5, 6) });
    expect(caught(() => protect13(suite, secret).open(sealInner(new Uint8Array(9))))).toMatchObject({
      code: 'tls.bad-record',
      details: { problem: 'it is all padding' },
    });
  });

  test('a record that is not encrypted is refused once keys are there', () => {
    const bare = { type: 22, head: new Uint8Array(5), body: new Uint8Array(40) };
    expect(caught(() => protect13(suite, secret).open(bare))).toMatchObject({ code: 'tls.bad-record' });
  });

  test('the next secret opens nothing of the one before', () => {
    const sealed = protect13(suite, secret).seal(23, Uint8Array.of(1));
    const opener = protect13(suite, nextSecret(suite, secret));
    expect(caught(() => opener.open(asRecord(sealed)))).toMatchObject({ code: 'tls.bad-record' });
  });
});
