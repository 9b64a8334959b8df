import { constants, createPublicKey, generateKeyPairSync, type JsonWebKey, randomBytes, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ecPrivateKey, isSameKey, type RsaPrivateNumbers, rsaPrivateKey } from './private-key.ts';
import {
  CURVES,
  type CurveName,
  type PrivateKey,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  verifySignature,
} from './pubkey.ts';
import { bytesOf } from './rsa.ts';

/** Keys are Node's, and Node checks the signatures. */
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const message = new Uint8Array(randomBytes(100));
const field = (jwk: JsonWebKey, name: keyof JsonWebKey): Uint8Array =>
  new Uint8Array(Buffer.from(String(jwk[name]), 'base64url'));

function rsaNumbers(bits: number): { jwk: JsonWebKey; numbers: RsaPrivateNumbers } {
  const jwk = generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ format: 'jwk' });
  const numbers = {
    modulus: field(jwk, 'n'),
    exponent: field(jwk, 'e'),
    prime1: field(jwk, 'p'),
    prime2: field(jwk, 'q'),
    exponent1: field(jwk, 'dp'),
    exponent2: field(jwk, 'dq'),
    coefficient: field(jwk, 'qi'),
  };
  return { jwk, numbers };
}

const { jwk: rsaJwk, numbers } = rsaNumbers(2048);
const rsaPublic = createPublicKey({ key: { kty: 'RSA', n: rsaJwk.n ?? '', e: rsaJwk.e ?? '' }, format: 'jwk' });
const schemes = (prefix: string): SignatureScheme[] =>
  (Object.keys(SIGNATURE_SCHEMES) as SignatureScheme[]).filter((scheme) => scheme.startsWith(prefix));

describe('rsaPrivateKey', () => {
  test.each(schemes('rsa_'))('rsaPrivateKey signs %s as Node verifies', (scheme) => {
    const signature = rsaPrivateKey(numbers).sign(scheme, message, random);
    const { family, hash } = SIGNATURE_SCHEMES[scheme];
    const padding = family === 'pss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
    const options = { key: rsaPublic, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    expect(verify(hash, message, options, signature)).toBe(true);
  });

  test('rsaPrivateKey signs with moduli that are not whole bytes', () => {
    const key = rsaPrivateKey(rsaNumbers(1027).numbers);
    for (const scheme of ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'] as const) {
      expect(verifySignature(key.publicKey, scheme, message, key.sign(scheme, message, random))).toBe(true);
    }
  });

  test('rsaPrivateKey refuses numbers that are not one key: tls.client-certificate', () => {
    for (const name of Object.keys(numbers) as (keyof RsaPrivateNumbers)[]) {
      const bent = numbers[name].slice();
      bent[bent.length - 1] = (bent.at(-1) as number) ^ 2;
      expect(() => rsaPrivateKey({ ...numbers, [name]: bent })).toThrow('tls.client-certificate');
      expect(() => rsaPrivateKey({ ...numbers, [name]: new Uint8Array(0) })).toThrow('tls.client-certificate');
    }
  });

  test('rsaPrivateKey refuses ECDSA, a key too short for the scheme, and random numbers that are none', () => {
    const sign =
      (key: PrivateKey, scheme: SignatureScheme, from = random) =>
      () =>
        key.sign(scheme, message, from);
    expect(sign(rsaPrivateKey(numbers), 'ecdsa_secp256r1_sha256')).toThrow('tls.client-certificate');
    const short = rsaPrivateKey(rsaNumbers(520).numbers);
    expect(sign(short, 'rsa_pss_rsae_sha256')).toThrow('tls.client-certificate');
    expect(sign(short, 'rsa_pkcs1_sha512')).toThrow('tls.client-certificate');
    const zeros = (length: number): Uint8Array => new Uint8Array(length);
    expect(sign(rsaPrivateKey(numbers), 'rsa_pkcs1_sha256', zeros)).toThrow('tls.client-certificate');
  });

  test('rsaPrivateKey refuses exponents longer than their primes, which would keep a signature busy', () => {
    const value = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
    const longer = value(numbers.exponent1) + (1n << 8000n) * (value(numbers.prime1) - 1n);
    const exponent1 = bytesOf(longer, Math.ceil(longer.toString(16).length / 2));
    expect(() => rsaPrivateKey({ ...numbers, exponent1 })).toThrow('tls.client-certificate');
  });

  test('wipe ends the key', () => {
    const key = rsaPrivateKey(numbers);
    key.wipe();
    expect(() => key.sign('rsa_pkcs1_sha256', message, random)).toThrow('misuse.wrong-state');
    expect(rsaPrivateKey(numbers).sign('rsa_pkcs1_sha256', message, random)).toHaveLength(256);
  });
});

describe('ecPrivateKey', () => {
  const curves: [CurveName, SignatureScheme][] = [
    ['P-256', 'ecdsa_secp256r1_sha256'],
    ['P-384', 'ecdsa_secp384r1_sha384'],
    ['P-521', 'ecdsa_secp521r1_sha512'],
    ['P-384', 'ecdsa_secp256r1_sha256'],
  ];

  test.each(curves)('ecPrivateKey on %s signs %s as Node verifies', (curve, scheme) => {
    const pair = generateKeyPairSync('ec', { namedCurve: curve });
    const key = ecPrivateKey(curve, field(pair.privateKey.export({ format: 'jwk' }), 'd'));
    const signature = key.sign(scheme, message, random);
    expect(verify(SIGNATURE_SCHEMES[scheme].hash, message, pair.publicKey, signature)).toBe(true);
    expect(key.sign(scheme, message, random)).not.toEqual(signature);
    expect(verifySignature(key.publicKey, scheme, message, signature, 'key')).toBe(true);
  });

  test('ecPrivateKey takes scalars with and without their zeros in front', () => {
    const [short, long] = [Uint8Array.of(5), new Uint8Array(40)];
    long[39] = 5;
    const [a, b] = [ecPrivateKey('P-256', short), ecPrivateKey('P-256', long)];
    expect(isSameKey(a.publicKey, b.publicKey)).toBe(true);
    expect(isSameKey(a.publicKey, ecPrivateKey('P-384', short).publicKey)).toBe(false);
    expect(isSameKey(a.publicKey, rsaPrivateKey(numbers).publicKey)).toBe(false);
  });

  test('ecPrivateKey refuses zero, the order and more: tls.client-certificate', () => {
    const order = CURVES['P-256'].Point.CURVE().n;
    for (const scalar of [new Uint8Array(0), new Uint8Array(32), bytesOf(order, 32), new Uint8Array(33).fill(1)]) {
      expect(() => ecPrivateKey('P-256', scalar)).toThrow('tls.client-certificate');
    }
  });

  test('ecPrivateKey refuses RSA schemes, and everything after wipe', () => {
    const key = ecPrivateKey('P-256', Uint8Array.of(5));
    expect(() => key.sign('rsa_pkcs1_sha256', message, random)).toThrow('tls.client-certificate');
    key.wipe();
    expect(() => key.sign('ecdsa_secp256r1_sha256', message, random)).toThrow('misuse.wrong-state');
  });
});
