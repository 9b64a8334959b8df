import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, utf8Decode } from '../bytes/bytes.ts';
import { decryptRc2Cbc, decryptTripleDesCbc } from './old-ciphers.ts';

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const fill = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const iv = bytes('1122334455667788');

describe('decryptTripleDesCbc', () => {
  test('decryptTripleDesCbc undoes what Node encrypts', () => {
    fc.assert(
      fc.property(fill(24), fill(8), fc.uint8Array({ maxLength: 50 }), (key, start, plain) => {
        const cipher = createCipheriv('des-ede3-cbc', key, start);
        const sealed = Uint8Array.from([...cipher.update(plain), ...cipher.final()]);
        expect(decryptTripleDesCbc(key, start, sealed)).toEqual(plain);
      }),
      { numRuns: 40 },
    );
  });

  test('decryptTripleDesCbc gives null for wrong lengths and paddings', () => {
    const key = new Uint8Array(24).fill(1);
    for (const length of [0, 7, 9]) expect(decryptTripleDesCbc(key, iv, new Uint8Array(length))).toBeNull();
    expect(decryptTripleDesCbc(key, iv, new Uint8Array(16))).toBeNull();
    expect(decryptTripleDesCbc(key, iv.subarray(1), new Uint8Array(16))).toBeNull();
    expect(decryptTripleDesCbc(key.subarray(1), iv, new Uint8Array(16))).toBeNull();
    expect(decryptTripleDesCbc(new Uint8Array(32), iv, new Uint8Array(16))).toBeNull();
  });
});

describe('decryptRc2Cbc', () => {
  // openssl enc -rc2-40-cbc and -rc2-cbc -K … -iv 1122334455667788 of OpenSSL 3.0.22
  test.each([
    [40, '0123456789', 'd8490d8a6bf1e365d91c9a9effaa891d01af401fb874bf214678b9dfc8b1f729'],
    [128, '0123456789abcdef0123456789abcdef', 'bbe91383a4d6df0cf17ee53ed7ea390f8effce7f09c3b47de1d3ec1ae69fc5c0'],
  ])('decryptRc2Cbc with %i bits opens what OpenSSL sealed', (bits, key, sealed) => {
    const plain = decryptRc2Cbc(bytes(key), bits, iv, bytes(sealed)) ?? expect.fail('not opened');
    expect(utf8Decode(plain)).toBe('Hello three worlds, hello!');
    expect(decryptRc2Cbc(bytes(key), bits / 2, iv, bytes(sealed))).toBeNull();
  });

  // RFC 2268, section 5: one block without padding or chaining; a second block makes the padding right or not
  test.each([
    ['0000000000000000', 63, '0000000000000000', 'ebb773f993278eff'],
    ['ffffffffffffffff', 64, 'ffffffffffffffff', '278b27e42e2f0d49'],
    ['3000000000000000', 64, '1000000000000001', '30649edf9be7d2c2'],
    ['88bca90e90875a7f0f79c384627bafb2', 128, '0000000000000000', '2269552ab0f85ca6'],
  ])('decryptRc2Cbc opens the published block of key %s', (key, bits, plain, sealed) => {
    // The IV turns the block's text into eight bytes of padding and so into nothing at all.
    const start = bytes(plain).map((byte) => byte ^ 8);
    expect(decryptRc2Cbc(bytes(key), bits, start, bytes(sealed))).toEqual(new Uint8Array(0));
  });
});
