import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { makeAead } from './aead.ts';

describe('makeAead', () => {
  // from: RFC 8439, section 2.8.2
  test('makeAead of chacha20-poly1305 gives the bytes of RFC 8439', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
    const nonce = fromHex('070000004041424344454647') ?? expect.fail();
    const additional = fromHex('50515253c0c1c2c3c4c5c6c7') ?? expect.fail();
    const plain = utf8Encode(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const aead = makeAead('chacha20-poly1305', key);
    const sealed = aead.seal(nonce, additional, plain);
    expect(toHex(sealed.subarray(0, 16))).toBe('d31a8d34648e60db7b86afbc53ef7ec2');
    expect(toHex(sealed.subarray(-16))).toBe('1ae10b594f09e26a7e902ecbd0600691');
    expect(aead.open(nonce, additional, sealed)).toEqual(plain);
  });

  test.each(['aes-gcm', 'chacha20-poly1305'] as const)('%s opens nothing that is wrong or too short', (name) => {
    const aead = makeAead(name, new Uint8Array(32).fill(1));
    const nonce = new Uint8Array(12);
    const sealed = aead.seal(nonce, nonce, utf8Encode('text'));
    const changed = sealed.map((byte, i) => (i === 2 ? byte ^ 1 : byte));
    expect(aead.open(nonce, nonce, changed)).toBeNull();
    expect(aead.open(nonce, nonce, sealed.slice(0, 15))).toBeNull();
    expect(aead.open(nonce, nonce, new Uint8Array(0))).toBeNull();
    aead.destroy();
    expect(aead.open(nonce, nonce, sealed)).toBeNull();
  });
});
