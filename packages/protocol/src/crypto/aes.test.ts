import { cbc, gcm } from '@noble/ciphers/aes.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../bytes/bytes.ts';
import { AesGcm, cbcDecrypt, cbcEncrypt } from './aes.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const key = fc.oneof(bytes(16), bytes(32));
const text = fc.uint8Array({ maxLength: 200 });

function hex(digits: string): Uint8Array {
  return fromHex(digits) ?? expect.fail('not hexadecimal');
}

describe('AesGcm', () => {
  const plain = hex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  const nonce = hex('cafebabefacedbaddecaf888');
  const additional = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');

  // from: McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test cases 4 and 16
  test.each([
    [
      'feffe9928665731c6d6a8f9467308308',
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47',
    ],
    [
      'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
    ],
  ])('AesGcm under %s gives the published bytes', (keyHex, sealed) => {
    const cipher = new AesGcm(hex(keyHex));
    expect(toHex(cipher.seal(nonce, additional, plain))).toBe(sealed);
    expect(cipher.open(nonce, additional, hex(sealed))).toEqual(plain);
  });

  test('AesGcm is noble for every length, key and additional data', () => {
    fc.assert(
      fc.property(key, bytes(12), text, text, (k, n, a, p) => {
        const cipher = new AesGcm(k);
        const sealed = cipher.seal(n, a, p);
        expect(sealed).toEqual(gcm(k, n, a).encrypt(p));
        expect(cipher.open(n, a, sealed.slice())).toEqual(p);
      }),
    );
  });

  test('AesGcm opens nothing with a bit flipped, in text, tag, nonce or additional data, and nothing cut short', () => {
    const change = (it: Uint8Array, at: number): Uint8Array =>
      it.map((byte, i) => (i === at % it.length ? byte ^ 1 : byte));
    fc.assert(
      fc.property(key, text, fc.nat(), (k, p, at) => {
        const cipher = new AesGcm(k);
        const sealed = cipher.seal(nonce, additional, p);
        expect(cipher.open(nonce, additional, change(sealed, at))).toBeNull();
        expect(cipher.open(change(nonce, at), additional, sealed.slice())).toBeNull();
        expect(cipher.open(nonce, change(additional, at), sealed.slice())).toBeNull();
        expect(cipher.open(nonce, additional, sealed.slice(0, at % sealed.length))).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  test('AesGcm leaves nothing readable of what it did not open, and opens in place what it did', () => {
    const cipher = new AesGcm(new Uint8Array(16));
    const sealed = cipher.seal(nonce, additional, plain);
    const wrong = sealed.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    expect(cipher.open(nonce, additional, wrong)).toBeNull();
    expect(wrong.subarray(0, plain.length)).toEqual(new Uint8Array(plain.length));
    expect(cipher.open(nonce, additional, sealed)?.buffer).toBe(sealed.buffer);
  });

  test('AesGcm reads and writes views that do not begin at a multiple of four', () => {
    const shifted = new Uint8Array(plain.length + 3).subarray(3);
    shifted.set(plain);
    const cipher = new AesGcm(new Uint8Array(16));
    expect(cipher.seal(nonce, additional, shifted)).toEqual(cipher.seal(nonce, additional, plain));
  });

  test('AesGcm refuses keys and nonces of other lengths with misuse.bad-argument', () => {
    const bad = expect.objectContaining({ code: 'misuse.bad-argument' });
    expect(() => new AesGcm(new Uint8Array(24))).toThrow(bad);
    expect(() => new AesGcm(new Uint8Array(16)).seal(new Uint8Array(8), plain, plain)).toThrow(bad);
  });

  test('AesGcm seals nothing like before once destroyed', () => {
    const cipher = new AesGcm(new Uint8Array(16).fill(1));
    const before = cipher.seal(nonce, additional, plain);
    cipher.destroy();
    expect(cipher.seal(nonce, additional, plain)).not.toEqual(before);
  });
});

test('cbcEncrypt and cbcDecrypt are noble without padding', () => {
  const k = new Uint8Array(32).fill(3);
  const iv = new Uint8Array(16).fill(4);
  const plain = new Uint8Array(48).map((_, i) => i);
  const sealed = cbcEncrypt(k, iv, plain);
  expect(sealed).toEqual(cbc(k, iv, { disablePadding: true }).encrypt(plain));
  expect(cbcDecrypt(k, iv, sealed)).toEqual(plain);
});
