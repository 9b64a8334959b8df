import { equalBytes } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';
import { digest, type HashName } from './digest.ts';
import {
  CURVES,
  type CurveName,
  type EcPublicKey,
  type PrivateKey,
  type PrivateKeyNumbers,
  type RsaPrivateNumbers,
  type RsaPublicKey,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  schemeFitsKey,
} from './pubkey.ts';
import { bigintOf, bitLength, bytesOf, encodePkcs1, encodePss, isBearableRsaKey, modPow } from './rsa.ts';

export type { RsaPrivateNumbers } from './pubkey.ts';

/**
 * An RSA key that signs: by the Chinese remainder theorem, with the message blinded and the exponents masked by random
 * numbers, since native integers take a time that depends on what they hold, and with every signature checked before it
 * leaves, since one wrong half would give the primes away. RFC 8017, section 5.2.1
 *
 * @param numbers copied; the caller may zero them
 * @throws tls.client-certificate when the numbers do not make a key
 */
export function rsaPrivateKey(numbers: RsaPrivateNumbers): PrivateKey {
  return new RsaPrivateKey(numbers);
}

/**
 * An ECDSA key that signs, its nonces made of key and message and hedged by random bytes. RFC 6979, section 3.6
 *
 * @param scalar big-endian, copied; shorter ones are padded
 * @throws tls.client-certificate when the scalar is not one of the curve
 */
export function ecPrivateKey(curve: CurveName, scalar: Uint8Array): PrivateKey {
  return new EcPrivateKey(curve, scalar);
}

/** The key again, from what `copyNumbers` gave. @throws tls.client-certificate when the numbers do not make a key */
export function privateKeyOf(from: PrivateKeyNumbers): PrivateKey {
  return from.kind === 'rsa' ? rsaPrivateKey(from.numbers) : ecPrivateKey(from.curve, from.scalar);
}

class RsaPrivateKey implements PrivateKey {
  readonly publicKey: RsaPublicKey;
  readonly #numbers: RsaPrivateNumbers;
  #isWiped = false;

  constructor(numbers: RsaPrivateNumbers) {
    if (!areNumbersOfOneKey(numbers)) unusable('the numbers of the RSA key do not belong together');
    this.#numbers = mapNumbers(numbers, (bytes) => bytes.slice());
    const { modulus, exponent } = numbers;
    const modulusBits = bitLength(bigintOf(modulus));
    this.publicKey = {
      kind: 'rsa',
      modulus: bigintOf(modulus),
      exponent: bigintOf(exponent),
      modulusBytes: Math.ceil(modulusBits / 8),
    };
  }

  sign(scheme: SignatureScheme, message: Uint8Array, random: (length: number) => Uint8Array): Uint8Array {
    refuseWiped(this.#isWiped);
    if (SIGNATURE_SCHEMES[scheme].family === 'ecdsa') unusable(`an RSA key cannot sign ${scheme}`);
    const hash = hashOf(scheme);
    const { modulus, modulusBytes } = this.publicKey;
    const isPss = SIGNATURE_SCHEMES[scheme].family === 'pss';
    const encoded = isPss
      ? encodePss(hash, message, random(digest(hash, message).length), bitLength(modulus))
      : encodePkcs1(hash, message, modulusBytes);
    if (encoded === null) return unusable(`the RSA key is too short for ${scheme}`);
    return bytesOf(this.#power(bigintOf(encoded), random), modulusBytes);
  }

  copyNumbers(): PrivateKeyNumbers {
    refuseWiped(this.#isWiped);
    return { kind: 'rsa', numbers: mapNumbers(this.#numbers, (bytes) => new Uint8Array(bytes)) };
  }

  wipe(): void {
    this.#isWiped = true;
    mapNumbers(this.#numbers, (bytes) => bytes.fill(0));
  }

  /** message^d mod n. */
  #power(message: bigint, random: (length: number) => Uint8Array): bigint {
    const { modulus: n, exponent: e, modulusBytes } = this.publicKey;
    const [p, q] = [bigintOf(this.#numbers.prime1), bigintOf(this.#numbers.prime2)];
    const { blind, unblind } = blinding(n, modulusBytes, random);
    const blinded = (message * modPow(blind, e, n)) % n;
    const half = (exponent: Uint8Array, prime: bigint): bigint =>
      modPow(blinded, bigintOf(exponent) + bigintOf(random(8)) * (prime - 1n), prime);
    const [m1, m2] = [half(this.#numbers.exponent1, p), half(this.#numbers.exponent2, q)];
    const difference = (((m1 - m2) % p) + p) % p;
    const signature = ((m2 + q * ((bigintOf(this.#numbers.coefficient) * difference) % p)) * unblind) % n;
    if (modPow(signature, e, n) !== message) unusable('the RSA key made a wrong signature');
    return signature;
  }
}

class EcPrivateKey implements PrivateKey {
  readonly publicKey: EcPublicKey;
  readonly #scalar: Uint8Array;
  #isWiped = false;

  constructor(curve: CurveName, scalar: Uint8Array) {
    const { lengths, utils } = CURVES[curve];
    const lengthBytes = lengths.secretKey ?? 0;
    const excess = scalar.length - lengthBytes;
    if (excess > 0 && scalar.subarray(0, excess).some((byte) => byte !== 0)) unusable('the EC key is out of range');
    this.#scalar = new Uint8Array(lengthBytes);
    this.#scalar.set(scalar.subarray(Math.max(0, excess)), Math.max(0, -excess));
    if (!utils.isValidSecretKey(this.#scalar)) unusable('the EC key is out of range');
    this.publicKey = { kind: 'ec', curve, point: CURVES[curve].getPublicKey(this.#scalar, false) };
  }

  sign(scheme: SignatureScheme, message: Uint8Array, random: (length: number) => Uint8Array): Uint8Array {
    refuseWiped(this.#isWiped);
    // In TLS 1.2 the scheme names only the hash. RFC 8446, section 4.4.2.2
    if (!schemeFitsKey(scheme, this.publicKey, 'key')) unusable(`an EC key cannot sign ${scheme}`);
    const options = { prehash: false, lowS: false, format: 'der', extraEntropy: random(32) } as const;
    return CURVES[this.publicKey.curve].sign(digest(hashOf(scheme), message), this.#scalar, options);
  }

  copyNumbers(): PrivateKeyNumbers {
    refuseWiped(this.#isWiped);
    return { kind: 'ec', curve: this.publicKey.curve, scalar: new Uint8Array(this.#scalar) };
  }

  wipe(): void {
    this.#isWiped = true;
    this.#scalar.fill(0);
  }
}

/** A random number and its inverse: what the private operation sees is unrelated to the message. */
function blinding(
  modulus: bigint,
  modulusBytes: number,
  random: (length: number) => Uint8Array,
): { blind: bigint; unblind: bigint } {
  for (let tries = 0; tries < MAX_BLINDING_TRIES; tries++) {
    const blind = bigintOf(random(modulusBytes)) % modulus;
    const unblind = inverse(blind, modulus);
    if (unblind !== null) return { blind, unblind };
  }
  return unusable('no random number has an inverse');
}

/** A number without an inverse shares a prime with the modulus: more than one try means the random source is broken. */
const MAX_BLINDING_TRIES = 8;

/** The inverse by Euclid's extended algorithm, or null. */
function inverse(value: bigint, modulus: bigint): bigint | null {
  let [rest, nextRest] = [modulus, value % modulus];
  let [factor, nextFactor] = [0n, 1n];
  while (nextRest !== 0n) {
    const quotient = rest / nextRest;
    [rest, nextRest] = [nextRest, rest - quotient * nextRest];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return rest === 1n ? ((factor % modulus) + modulus) % modulus : null;
}

/**
 * n = pq, e inverts both exponents, and the coefficient inverts q: without this a signature could betray p. Each is less
 * than its prime: an exponent may be right and yet so long that one signature takes minutes. RFC 8017, section 3.2
 */
function areNumbersOfOneKey(numbers: RsaPrivateNumbers): boolean {
  const [n, e] = [bigintOf(numbers.modulus), bigintOf(numbers.exponent)];
  const [p, q] = [bigintOf(numbers.prime1), bigintOf(numbers.prime2)];
  if (!isBearableRsaKey(n, e) || p <= 2n || q <= 2n || p * q !== n) return false;
  const isInverse = (a: bigint, b: bigint, modulus: bigint): boolean => a <= modulus && (a * b) % modulus === 1n;
  return (
    isInverse(bigintOf(numbers.exponent1), e, p - 1n) &&
    isInverse(bigintOf(numbers.exponent2), e, q - 1n) &&
    isInverse(bigintOf(numbers.coefficient), q, p)
  );
}

function mapNumbers<Bytes extends Uint8Array>(
  numbers: RsaPrivateNumbers,
  change: (bytes: Uint8Array) => Bytes,
): RsaPrivateNumbers<Bytes> {
  return {
    modulus: change(numbers.modulus),
    exponent: change(numbers.exponent),
    prime1: change(numbers.prime1),
    prime2: change(numbers.prime2),
    exponent1: change(numbers.exponent1),
    exponent2: change(numbers.exponent2),
    coefficient: change(numbers.coefficient),
  };
}

function hashOf(scheme: SignatureScheme): HashName {
  return SIGNATURE_SCHEMES[scheme].hash ?? unusable(`nothing here signs ${scheme}`);
}

/** Whether two public keys are the same. */
export function isSameKey(a: PrivateKey['publicKey'], b: PrivateKey['publicKey']): boolean {
  if (a.kind === 'rsa') return b.kind === 'rsa' && a.modulus === b.modulus && a.exponent === b.exponent;
  if (a.kind === 'ec') return b.kind === 'ec' && a.curve === b.curve && equalBytes(a.point, b.point);
  return b.kind === 'ed25519' && equalBytes(a.key, b.key);
}

function refuseWiped(isWiped: boolean): void {
  if (isWiped) fail('misuse.wrong-state', { action: 'sign', state: 'wiped' });
}

function unusable(problem: string): never {
  return fail('tls.client-certificate', { problem });
}
