import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromBase64, utf8Encode } from '../bytes/bytes.ts';
import { digest } from './digest.ts';
import { type PublicKey, SIGNATURE_SCHEMES, type SignatureScheme, schemeFitsKey, verifySignature } from './pubkey.ts';
import { bigintOf, bytesOf, isBearableRsaKey, modPow } from './rsa.ts';
import vectors from './vectors/signatures.json' with { type: 'json' };

const bytes = (base64: string): Uint8Array => fromBase64(base64) ?? expect.fail('not base64');
/** Node reads the keys; our own reader is tested with certificates. */
function keyOf(spki: string): PublicKey {
  const options = { key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' } as const;
  const jwk = createPublicKey(options).export({ format: 'jwk' });
  const field = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  if (jwk.kty === 'RSA') {
    const modulus = field(jwk.n);
    return { kind: 'rsa', modulus: bigintOf(modulus), exponent: bigintOf(field(jwk.e)), modulusBytes: modulus.length };
  }
  if (jwk.kty === 'OKP') return { kind: 'ed25519', key: field(jwk.x) };
  const curve = (['P-256', 'P-384', 'P-521'] as const).find((name) => name === jwk.crv) ?? expect.fail('no such curve');
  return { kind: 'ec', curve, point: concatBytes(Uint8Array.of(4), field(jwk.x), field(jwk.y)) };
}

const message = utf8Encode(vectors.message);
const isScheme = (text: string): text is SignatureScheme => text in SIGNATURE_SCHEMES;
const cases = vectors.signatures.map(({ scheme, spki, signature }) => {
  if (!isScheme(scheme)) return expect.fail(scheme);
  const key = keyOf(spki);
  const size = key.kind === 'rsa' ? ` of ${key.modulus.toString(2).length} bits` : '';
  return { label: `${scheme}${size}`, scheme, key, signature: bytes(signature) };
});

describe('verifySignature', () => {
  test.each(cases)('verifySignature accepts OpenSSL’s $label', ({ scheme, key, signature }) => {
    expect(verifySignature(key, scheme, message, signature)).toBe(true);
  });

  test.each(cases)('verifySignature refuses another message and another $label', ({ scheme, key, signature }) => {
    expect(verifySignature(key, scheme, concatBytes(message, message), signature)).toBe(false);
    for (const at of [0, signature.length >> 1, signature.length - 1]) {
      const bent = signature.slice();
      bent[at] = (bent[at] as number) ^ 1;
      expect(verifySignature(key, scheme, message, bent)).toBe(false);
    }
    expect(verifySignature(key, scheme, message, concatBytes(signature, Uint8Array.of(0)))).toBe(false);
    expect(verifySignature(key, scheme, message, concatBytes(Uint8Array.of(0), signature))).toBe(false);
    expect(verifySignature(key, scheme, message, signature.subarray(1))).toBe(false);
    expect(verifySignature(key, scheme, message, new Uint8Array(signature.length))).toBe(false);
    expect(verifySignature(key, scheme, message, new Uint8Array(0))).toBe(false);
  });

  test('verifySignature takes a signature for no other scheme', () => {
    for (const { key, scheme, signature } of cases) {
      for (const other of Object.keys(SIGNATURE_SCHEMES).filter(isScheme)) {
        if (other === scheme || key.kind === 'rsa') continue;
        expect(verifySignature(key, other, message, signature)).toBe(false);
      }
    }
  });

  test('verifySignature ties the hash to the curve unless told otherwise', () => {
    const p256 = cases.find(({ scheme }) => scheme === 'ecdsa_secp256r1_sha256')?.key ?? expect.fail('no key');
    expect(schemeFitsKey('ecdsa_secp384r1_sha384', p256)).toBe(false);
    expect(schemeFitsKey('ecdsa_secp384r1_sha384', p256, 'key')).toBe(true);
    expect(schemeFitsKey('rsa_pkcs1_sha256', p256, 'key')).toBe(false);
  });

  test('verifySignature lets a key for RSA-PSS alone sign by nothing else', () => {
    const found = cases.find(({ scheme }) => scheme === 'rsa_pss_rsae_sha256') ?? expect.fail('no key');
    if (found.key.kind !== 'rsa') return expect.fail('no RSA key');
    const pssOnly = { ...found.key, isPssOnly: true };
    expect(verifySignature(pssOnly, 'rsa_pss_rsae_sha256', message, found.signature)).toBe(false);
    expect(verifySignature(pssOnly, 'rsa_pkcs1_sha256', message, found.signature)).toBe(false);
    expect(verifySignature(pssOnly, 'rsa_pss_pss_sha256', message, found.signature)).toBe(true);
    expect(verifySignature(found.key, 'rsa_pss_pss_sha256', message, found.signature)).toBe(false);
  });

  test('verifySignature refuses a PKCS#1 signature with room for a forged rest', () => {
    // With exponent 3 and a lenient reader, a cube whose first bytes look right is a forgery (Bleichenbacher, 2006).
    const modulus = (1n << 2048n) - 1n;
    const info = Uint8Array.from([0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, ...SHA256_INFO]);
    const head = concatBytes(info, digest('sha256', message));
    const wanted = bigintOf(concatBytes(head, new Uint8Array(256 - head.length).fill(0xff)));
    const root = cubeRoot(wanted);
    const opened = bytesOf(modPow(root, 3n, modulus), 256);
    expect(opened.subarray(0, head.length)).toEqual(head);
    const key: PublicKey = { kind: 'rsa', modulus, exponent: 3n, modulusBytes: 256 };
    expect(verifySignature(key, 'rsa_pkcs1_sha256', message, bytesOf(root, 256))).toBe(false);
  });

  test('verifySignature says false to any bytes, under any key', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.uint8Array({ maxLength: 400 }), ({ key, scheme }, signature) => {
        expect(verifySignature(key, scheme, message, signature)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('verifySignature says false under a point off its curve', () => {
    const key: PublicKey = { kind: 'ec', curve: 'P-256', point: new Uint8Array(65).fill(4) };
    const { signature } = cases.find(({ scheme }) => scheme === 'ecdsa_secp256r1_sha256') ?? expect.fail('no key');
    expect(verifySignature(key, 'ecdsa_secp256r1_sha256', message, signature)).toBe(false);
  });

  test('isBearableRsaKey refuses even numbers, exponent 1 and giants', () => {
    const modulus = (1n << 2047n) + 1n;
    expect(isBearableRsaKey(modulus, 65537n)).toBe(true);
    for (const [n, e] of [
      [modulus + 1n, 65537n],
      [modulus, 1n],
      [modulus, 4n],
      [modulus, (1n << 33n) + 1n],
      [3n, 3n],
      [(1n << 20_000n) + 1n, 3n],
    ] as const) {
      expect(isBearableRsaKey(n, e)).toBe(false);
    }
  });
});

const SHA256_INFO = [
  0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];

/** The greatest number whose cube is not above the value. */
function cubeRoot(value: bigint): bigint {
  let [low, high] = [0n, 1n << 700n];
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** 3n <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}
