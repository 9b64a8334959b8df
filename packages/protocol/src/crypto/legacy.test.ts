import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { md4, Rc4 } from './legacy.ts';

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');

describe('md4', () => {
  // from: RFC 1320, section A.5
  test.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ])('md4 of "%s" is that of RFC 1320', (text, digest) => {
    expect(toHex(md4(utf8Encode(text)))).toBe(digest);
  });
});

describe('Rc4', () => {
  // from: RFC 6229, section 2: the first sixteen bytes of the stream, and those at offset 4096
  test.each([
    ['0102030405', 'b2396305f03dc027ccc3524a0a1118a8', 'ff25b58995996707e51fbdf08b34d875'],
    ['0102030405060708090a0b0c0d0e0f10', '9ac7cc9a609d1ef7b2932899cde41b97', 'a36a4c301ae8ac13610ccbc12256cacc'],
  ])('Rc4 with key %s gives the stream of RFC 6229', (key, first, at4096) => {
    const stream = new Rc4(bytes(key)).apply(new Uint8Array(4112));
    expect(toHex(stream.subarray(0, 16))).toBe(first);
    expect(toHex(stream.subarray(4096))).toBe(at4096);
  });

  test('apply goes on where the last call stopped, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 256 }),
        fc.array(fc.uint8Array({ maxLength: 50 })),
        (key, parts) => {
          const inPieces = new Rc4(key);
          const pieces = parts.map((part) => inPieces.apply(part));
          expect(concatBytes(...pieces)).toEqual(new Rc4(key).apply(concatBytes(...parts)));
        },
      ),
    );
  });

  test.each([0, 257])('Rc4 refuses a key of %i bytes: misuse.bad-argument', (length) => {
    expect(() => new Rc4(new Uint8Array(length))).toThrow('misuse.bad-argument');
  });

  test('destroy leaves nothing of the stream', () => {
    const stream = new Rc4(bytes('0102030405'));
    stream.destroy();
    expect(stream.apply(new Uint8Array(16))).not.toEqual(new Rc4(bytes('0102030405')).apply(new Uint8Array(16)));
  });
});
