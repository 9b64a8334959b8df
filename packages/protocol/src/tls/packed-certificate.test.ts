import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromBase64, utf8Encode } from '../bytes/bytes.ts';
import { type SignatureScheme, verifySignature } from '../crypto/pubkey.ts';
import { isWinRmError } from '../errors.ts';
import { openClientCertificate } from './client-certificate.ts';
import { packClientCertificate } from './packed-certificate.ts';
import { unpackClientCertificate } from './unpacked-certificate.ts';
import vectors from './vectors/key-files.json' with { type: 'json' };

const open = (label: keyof typeof vectors.files) =>
  openClientCertificate([fromBase64(vectors.files[label]) ?? expect.fail('not base64')], vectors.password);
const random = (length: number) => new Uint8Array(randomBytes(length));
const message = utf8Encode('signed by the client');

const FILES: readonly [label: keyof typeof vectors.files, scheme: SignatureScheme][] = [
  ['PKCS#12, AES and SHA-256', 'rsa_pss_rsae_sha256'],
  ['PKCS#12, AES-128, P-256', 'ecdsa_secp256r1_sha256'],
];

describe('a packed client certificate', () => {
  test.each(FILES)('signs elsewhere as it signs here: "%s"', (label, scheme) => {
    const opened = open(label);
    const crossed = unpackClientCertificate(structuredClone(packClientCertificate(opened)));
    expect(crossed.certificate).toEqual(opened.certificate);
    expect(crossed.chain).toEqual(opened.chain);
    const signature = crossed.key.sign(scheme, message, random);
    expect(verifySignature(opened.certificate.publicKey, scheme, message, signature)).toBe(true);
    crossed.key.wipe();
    expect(opened.key.sign(scheme, message, random).length).toBeGreaterThan(0);
  });

  test.each(FILES)('is zeroed when it is unpacked, and each number owns its memory: "%s"', (label) => {
    const packed = packClientCertificate(open(label));
    const { key } = packed;
    const numbers: Uint8Array[] = key.kind === 'rsa' ? Object.values(key.numbers) : [key.scalar];
    expect(
      numbers.every((bytes) => bytes.byteLength === bytes.buffer.byteLength && bytes.some((byte) => byte > 0)),
    ).toBe(true);
    unpackClientCertificate(packed);
    expect(numbers.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test('cannot be made of a wiped key: misuse.wrong-state', () => {
    for (const [label] of FILES) {
      const opened = open(label);
      opened.key.wipe();
      let thrown: unknown = null;
      try {
        packClientCertificate(opened);
      } catch (error) {
        thrown = error;
      }
      expect(isWinRmError(thrown, 'misuse.wrong-state')).toBe(true);
    }
  });
});
