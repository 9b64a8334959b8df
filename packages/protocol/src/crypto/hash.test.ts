import { hmac } from '@noble/hashes/hmac.js';
import { md5 as nobleMd5 } from '@noble/hashes/legacy.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { HmacMd5Key, hmacMd5, md5 } from './hash.ts';

const message = fc.uint8Array({ maxLength: 400 });

describe('md5', () => {
  // from: RFC 1321, section A.5
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['1234567890'.repeat(8), '57edf4a22be3c955ac49da2e2107b67a'],
  ])('md5 of "%s" is that of RFC 1321', (text, digest) => {
    expect(toHex(md5(utf8Encode(text)))).toBe(digest);
  });

  test('md5 of any message, in any number of parts, is that of noble', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (parts) => {
        expect(md5(...parts)).toEqual(nobleMd5(Uint8Array.from(parts.flatMap((part) => [...part]))));
      }),
    );
  });

  test('md5 of a message of 150 KiB is that of noble', () => {
    const long = new Uint8Array(150 * 1024).map((_, i) => i * 31);
    expect(md5(long.subarray(1))).toEqual(nobleMd5(long.subarray(1)));
  });
});

describe('hmacMd5', () => {
  // from: RFC 2202, section 2
  test.each([
    ['0b'.repeat(16), 'Hi There', '9294727a3638bb1c13f48ef8158bfc9d'],
    ['4a656665', 'what do ya want for nothing?', '750c783e6ab0b503eaa86e310a5db738'],
    ['aa'.repeat(80), 'Test Using Larger Than Block-Size Key - Hash Key First', '6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd'],
  ])('hmacMd5 with key %s of "%s" is that of RFC 2202', (key, text, mac) => {
    expect(toHex(hmacMd5(Buffer.from(key, 'hex'), utf8Encode(text)))).toBe(mac);
  });

  test('HmacMd5Key signs many messages as hmacMd5 and noble sign each', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.array(message, { maxLength: 4 }), (key, messages) => {
        const keyed = new HmacMd5Key(key);
        for (const text of messages) {
          expect(keyed.sign(text.subarray(0, 3), text.subarray(3))).toEqual(hmac(nobleMd5, key, text));
          expect(hmacMd5(key, text)).toEqual(hmac(nobleMd5, key, text));
        }
        keyed.destroy();
        expect(() => keyed.sign(key)).toThrow();
      }),
    );
  });
});
