import { createECDH } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { defaultPlatform } from '../adapters/default-platform.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { type GroupName, makeKeyShare } from './key-agreement.ts';

const random = (length: number): Uint8Array => defaultPlatform.random(length);

describe('makeKeyShare', () => {
  test.each(['x25519', 'P-256', 'P-384'] as GroupName[])('makeKeyShare of %s: two of them agree', (group) => {
    const [a, b] = [makeKeyShare(group, random), makeKeyShare(group, random)];
    const shared = a.agree(b.publicKey);
    expect(shared).not.toBeNull();
    expect(b.agree(a.publicKey)).toEqual(shared);
    expect(makeKeyShare(group, random).agree(a.publicKey)).not.toEqual(shared);
  });

  test.each([
    ['P-256', 'prime256v1'],
    ['P-384', 'secp384r1'],
  ] as const)('makeKeyShare of %s agrees with OpenSSL', (group, name) => {
    const theirs = createECDH(name);
    const theirPublic = new Uint8Array(theirs.generateKeys());
    const ours = makeKeyShare(group, random);
    expect(ours.agree(theirPublic)).toEqual(new Uint8Array(theirs.computeSecret(ours.publicKey)));
  });

  test('makeKeyShare agrees with no key that is none: points off the curve, compressed, infinite, too short', () => {
    for (const group of ['P-256', 'P-384'] as const) {
      const ours = makeKeyShare(group, random);
      const good = makeKeyShare(group, random).publicKey;
      const off = good.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
      const half = (good.length - 1) / 2;
      const compressed = concatBytes(Uint8Array.of(2), good.subarray(1, 1 + half));
      for (const wrong of [off, compressed, Uint8Array.of(0), good.subarray(1), new Uint8Array(good.length)]) {
        expect(ours.agree(wrong)).toBeNull();
      }
    }
  });

  // from: RFC 7748, section 6.1, and the points of small order it warns of
  test('makeKeyShare of x25519 agrees on no secret of zero', () => {
    const ours = makeKeyShare('x25519', random);
    const one = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
    for (const wrong of [new Uint8Array(32), one, new Uint8Array(31)]) expect(ours.agree(wrong)).toBeNull();
  });

  test('makeKeyShare zeroes its key when destroyed', () => {
    const ours = makeKeyShare('P-256', random);
    const theirs = makeKeyShare('P-256', random).publicKey;
    ours.destroy();
    expect(ours.agree(theirs)).toBeNull();
  });
});
