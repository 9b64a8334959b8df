import { cbc } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { concatBytes, equalBytesConstantTime, NO_BYTES, utf8Encode, utf16leEncode } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';
import type { DerReader } from '../codec/der.ts';
import { digest, type HashName, hashNamed } from '../crypto/digest.ts';
import { decryptRc2Cbc, decryptTripleDesCbc } from '../crypto/old-ciphers.ts';
import { fail } from '../errors.ts';
import { ASN1, takeOid, takeSmall } from './_asn1.ts';

/** The rounds of key derivation one file may cost us in all; files by today's tools need a few thousand to a million. */
export const MAX_ROUNDS = 4_000_000;

/** A password that opens the parts of one file. Keys made of it are zeroed after use; `wipe` zeroes its own bytes. */
export class FilePassword {
  readonly #isGiven: boolean;
  readonly #utf8: Uint8Array;
  /** What PKCS#12 makes keys of: UTF-16BE with a zero behind; without a password some tools leave out the zero too. */
  #bmp: Uint8Array;
  #roundsLeft = MAX_ROUNDS;
  readonly #onProblem: OnUnderrun;

  constructor(password: string | null, onProblem: OnUnderrun) {
    this.#isGiven = password !== null && password !== '';
    this.#utf8 = utf8Encode(password ?? '');
    this.#bmp = bmpOf(password ?? '');
    this.#onProblem = onProblem;
  }

  /**
   * Decrypts what an AlgorithmIdentifier describes: PBES2 with PBKDF2 and AES or triple DES, or the old PKCS#12 ways.
   *
   * RFC 8018, section 6.2; RFC 7292, appendix C
   * @throws tls.client-certificate-password when the password is missing or wrong
   */
  decrypt(algorithm: DerReader, sealed: Uint8Array): Uint8Array {
    const oid = takeOid(algorithm, this.#onProblem);
    const parameters = algorithm.inside(ASN1.sequence);
    const plain = oid === PBES2 ? this.#openPbes2(parameters, sealed) : this.#openPkcs12(oid, parameters, sealed);
    return plain ?? this.refuse();
  }

  /** Checks the MAC over a PKCS#12 file's contents. RFC 7292, section 4 and appendix B */
  checkMac(macFields: DerReader, content: Uint8Array): void {
    const digestInfo = macFields.inside(ASN1.sequence);
    const algorithm = digestInfo.inside(ASN1.sequence);
    const hash = MAC_HASHES[takeOid(algorithm, this.#onProblem)];
    const expected = digestInfo.take(ASN1.octetString);
    const salt = macFields.take(ASN1.octetString);
    const rounds = macFields.isAtEnd ? 1 : takeSmall(macFields, this.#onProblem);
    if (hash === undefined || expected.length !== hashNamed(hash).outputLen) {
      this.#onProblem('its integrity check is of a kind we do not know');
    }
    for (const bmp of this.#isGiven ? [this.#bmp] : [this.#bmp, NO_BYTES]) {
      this.#spend(rounds);
      const key = pkcs12Key({ hash, id: ID_MAC, password: bmp, salt, rounds, lengthBytes: expected.length });
      const mac = hmac(hashNamed(hash), key, content);
      key.fill(0);
      if (!equalBytesConstantTime(mac, expected)) continue;
      this.#bmp = bmp;
      return;
    }
    this.refuse();
  }

  /** Says that this password does not open the file, or that one is needed. */
  refuse(): never {
    return fail('tls.client-certificate-password', { problem: this.#isGiven ? 'wrong' : 'missing' });
  }

  /** Zeroes the password's bytes. The string it came from is beyond reach. */
  wipe(): void {
    this.#utf8.fill(0);
    this.#bmp.fill(0);
  }

  #openPbes2(parameters: DerReader, sealed: Uint8Array): Uint8Array | null {
    const derivation = parameters.inside(ASN1.sequence);
    const cipher = parameters.inside(ASN1.sequence);
    if (takeOid(derivation, this.#onProblem) !== PBKDF2) this.#onProblem('its key derivation is not PBKDF2');
    const fields = derivation.inside(ASN1.sequence);
    const salt = fields.take(ASN1.octetString);
    const rounds = takeSmall(fields, this.#onProblem);
    if (fields.peekTag() === ASN1.integer) takeSmall(fields, this.#onProblem); // keyLength: the cipher says it
    const prf = fields.insideOptional(ASN1.sequence);
    const hash = prf === null ? 'sha1' : PRF_HASHES[takeOid(prf, this.#onProblem)];
    const scheme = PBES2_CIPHERS[takeOid(cipher, this.#onProblem)];
    const iv = cipher.take(ASN1.octetString);
    if (hash === undefined || scheme === undefined) return this.#onProblem('it is encrypted in a way we do not know');
    this.#spend(2 * rounds);
    const key = pbkdf2(hashNamed(hash), this.#utf8, salt, { c: rounds, dkLen: scheme.keyBytes });
    const decrypt = scheme.cipher === 'aes' ? decryptAesCbc : decryptTripleDesCbc;
    const plain = decrypt(key, iv, sealed);
    key.fill(0);
    return plain;
  }

  #openPkcs12(oid: string, parameters: DerReader, sealed: Uint8Array): Uint8Array | null {
    const scheme = PKCS12_SCHEMES[oid] ?? this.#onProblem('it is encrypted in a way we do not know');
    const salt = parameters.take(ASN1.octetString);
    const rounds = takeSmall(parameters, this.#onProblem);
    this.#spend(3 * rounds);
    const derive = (id: number, lengthBytes: number): Uint8Array =>
      pkcs12Key({ hash: 'sha1', id, password: this.#bmp, salt, rounds, lengthBytes });
    const key = derive(ID_KEY, scheme.keyBytes);
    const iv = derive(ID_IV, 8);
    const plain =
      scheme.cipher === 'rc2'
        ? decryptRc2Cbc(key, 8 * scheme.keyBytes, iv, sealed)
        : decryptTripleDesCbc(key, iv, sealed);
    key.fill(0);
    return plain;
  }

  #spend(rounds: number): void {
    if (rounds < 1) this.#onProblem('its key derivation has no rounds');
    this.#roundsLeft -= rounds;
    if (this.#roundsLeft < 0) this.#onProblem('its key derivation has too many rounds');
  }
}

/**
 * Makes key, IV or MAC key of a password. RFC 7292, appendix B.2
 *
 * @param options.id 1 for a key, 2 for an IV, 3 for a MAC
 * @param options.password in the form the file's maker used: see `FilePassword`
 */
export function pkcs12Key(options: {
  readonly hash: HashName;
  readonly id: number;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly rounds: number;
  readonly lengthBytes: number;
}): Uint8Array {
  const { hash, id, password, salt, rounds, lengthBytes } = options;
  const blockBytes = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  const diversifier = new Uint8Array(blockBytes).fill(id);
  const input = concatBytes(filled(salt, blockBytes), filled(password, blockBytes));
  const out = new Uint8Array(lengthBytes);
  for (let at = 0; at < lengthBytes; ) {
    let block = digest(hash, concatBytes(diversifier, input));
    for (let round = 1; round < rounds; round++) block = digest(hash, block);
    out.set(block.subarray(0, lengthBytes - at), at);
    at += block.length;
    const addend = repeated(block, blockBytes);
    for (let start = 0; start < input.length; start += blockBytes) addInto(input, start, addend);
  }
  input.fill(0);
  return out;
}

/** Repeats bytes up to a multiple of the block. */
function filled(bytes: Uint8Array, blockBytes: number): Uint8Array {
  return repeated(bytes, blockBytes * Math.ceil(bytes.length / blockBytes));
}

function repeated(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length] as number);
}

/** target[start…] += addend + 1, big-endian, modulo its size. */
function addInto(target: Uint8Array, start: number, addend: Uint8Array): void {
  let carry = 1;
  for (let i = addend.length - 1; i >= 0; i--) {
    carry += (target[start + i] as number) + (addend[i] as number);
    target[start + i] = carry & 255;
    carry >>= 8;
  }
}

function bmpOf(password: string): Uint8Array {
  const units = concatBytes(utf16leEncode(password), Uint8Array.of(0, 0));
  for (let i = 0; i < units.length; i += 2) units.subarray(i, i + 2).reverse();
  return units;
}

function decryptAesCbc(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  try {
    return cbc(key, iv).decrypt(sealed);
  } catch {
    return null; // a wrong length or a wrong padding
  }
}

const ID_KEY = 1;
const ID_IV = 2;
const ID_MAC = 3;
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';

interface CipherChoice {
  readonly cipher: 'aes' | 'triple-des' | 'rc2';
  readonly keyBytes: number;
}

/** RFC 8018, appendix B.2; NIST's AES identifiers */
const PBES2_CIPHERS: Readonly<Partial<Record<string, CipherChoice>>> = {
  '2.16.840.1.101.3.4.1.2': { cipher: 'aes', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { cipher: 'aes', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { cipher: 'aes', keyBytes: 32 },
  '1.2.840.113549.3.7': { cipher: 'triple-des', keyBytes: 24 },
};

/** RFC 7292, appendix C; the key's length is also RC2's effective length */
const PKCS12_SCHEMES: Readonly<Partial<Record<string, CipherChoice>>> = {
  '1.2.840.113549.1.12.1.3': { cipher: 'triple-des', keyBytes: 24 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', keyBytes: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', keyBytes: 5 },
};

/** RFC 8018, appendix B.1.2 */
const PRF_HASHES: Readonly<Partial<Record<string, HashName>>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const MAC_HASHES: Readonly<Partial<Record<string, HashName>>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
