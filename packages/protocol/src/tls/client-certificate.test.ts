import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromBase64, fromHex, latin1Encode, toBase64, toHex, utf8Encode } from '../bytes/bytes.ts';
import { derValue } from '../codec/der.ts';
import { verifySignature } from '../crypto/pubkey.ts';
import { isWinRmError } from '../errors.ts';
import { derOfBer } from './_ber.ts';
import { pkcs12Key } from './_password.ts';
import {
  type ClientCertificate,
  clientCertificateWarnings,
  MAX_KEY_FILE_BYTES,
  openClientCertificate,
  readCertificates,
} from './client-certificate.ts';
import certificates from './vectors/certificates.json' with { type: 'json' };
import vectors from './vectors/key-files.json' with { type: 'json' };
import { parseCertificate } from './x509.ts';

type Label = keyof typeof vectors.files;
const { password } = vectors;
const fileOf = (label: Label): Uint8Array => fromBase64(vectors.files[label]) ?? expect.fail('not base64');
const open = (labels: Label[], word: string | null = null): ClientCertificate =>
  openClientCertificate(labels.map(fileOf), word);
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const message = utf8Encode('signed by the client');

/** The key signs, and the certificate's own key finds it right. */
function expectPair({ certificate, key }: ClientCertificate): void {
  const scheme =
    key.publicKey.kind === 'rsa'
      ? 'rsa_pss_rsae_sha256'
      : (
          {
            'P-256': 'ecdsa_secp256r1_sha256',
            'P-384': 'ecdsa_secp384r1_sha384',
            'P-521': 'ecdsa_secp521r1_sha512',
          } as const
        )[key.publicKey.kind === 'ec' ? key.publicKey.curve : expect.fail('no such key')];
  expect(verifySignature(certificate.publicKey, scheme, message, key.sign(scheme, message, random))).toBe(true);
}

function refusal(act: () => unknown): { code: string; details: Record<string, unknown> } {
  try {
    act();
  } catch (error) {
    if (isWinRmError(error)) return { code: error.code, details: { ...error.details } };
    throw error;
  }
  return expect.fail('it was opened');
}

const protectedFiles: Label[] = [
  'PKCS#12, AES and SHA-256',
  'PKCS#12, AES, MAC by SHA-512',
  'PKCS#12, AES, with the root beside',
  'PKCS#12, AES-128, P-256',
  'PKCS#12, triple DES and RC2-40, as OpenSSL 1 wrote it',
  'PKCS#12, triple DES throughout, as Windows writes it',
  'PKCS#12, RC2-128',
  'PKCS#12 without MAC',
  'PKCS#12 with certificates in the clear',
];
const encryptedKeys: Label[] = [
  'encrypted PKCS#8 P-256, AES-256 and SHA-256',
  'encrypted PKCS#8 P-256, AES-128 and SHA-1',
  'encrypted PKCS#8 P-256, AES-192 and SHA-512',
  'encrypted PKCS#8 P-256, triple DES',
  'encrypted PKCS#8 P-256, the PKCS#12 way',
];

describe('openClientCertificate with PKCS#12', () => {
  test.each(protectedFiles)('openClientCertificate opens "%s"', (label) => {
    const opened = open([label], password);
    expect(opened.certificate.subject.text).toMatch(/^CN=test key/);
    expect(opened.chain).toEqual([opened.certificate.der]);
    expectPair(opened);
  });

  test.each(protectedFiles)('openClientCertificate says what is wrong with the password of "%s"', (label) => {
    const code = 'tls.client-certificate-password';
    expect(refusal(() => open([label], `${password}x`))).toEqual({ code, details: { problem: 'wrong' } });
    expect(refusal(() => open([label]))).toEqual({ code, details: { problem: 'missing' } });
    expect(refusal(() => open([label], ''))).toEqual({ code, details: { problem: 'missing' } });
  });

  test('openClientCertificate opens a file without password, with an empty one or none', () => {
    expectPair(open(['PKCS#12 without password']));
    expectPair(open(['PKCS#12 without password'], ''));
    expect(refusal(() => open(['PKCS#12 without password'], 'x')).code).toBe('tls.client-certificate-password');
  });

  test('openClientCertificate opens the same file in BER, with indefinite lengths and strings in pieces', () => {
    const der = fileOf('PKCS#12, AES-128, P-256');
    expectPair(openClientCertificate([toBer(der)], password));
  });

  test('openClientCertificate refuses RC4: tls.client-certificate', () => {
    expect(refusal(() => open(['PKCS#12 of RC4'], password)).code).toBe('tls.client-certificate');
  });

  test('openClientCertificate notices a changed file before it reads what is inside', () => {
    const file = fileOf('PKCS#12, AES and SHA-256').slice();
    file[200] = (file[200] as number) ^ 1;
    expect(refusal(() => openClientCertificate([file], password)).code).toBe('tls.client-certificate-password');
  });

  test.each([
    ['no rounds', '020100'],
    ['two thousand million rounds', '02047fffffff'],
  ])('openClientCertificate refuses a key derivation of %s: tls.client-certificate', (_, rounds) => {
    const hex = (text: string): Uint8Array => fromHex(text) ?? expect.fail('not hexadecimal');
    const derivation = derValue(0x30, hex('06092a864886f70d01050c'), derValue(0x30, hex('040101'), hex(rounds)));
    const cipher = derValue(0x30, hex('060960864801650304012a'), derValue(0x04, new Uint8Array(16)));
    const pbes2 = derValue(0x30, hex('06092a864886f70d01050d'), derValue(0x30, derivation, cipher));
    const file = pem('ENCRYPTED PRIVATE KEY', derValue(0x30, pbes2, derValue(0x04, new Uint8Array(16))));
    const { code, details } = refusal(() => openClientCertificate([file], password));
    expect([code, details['problem']]).toEqual(['tls.client-certificate', expect.stringMatching(/rounds$/)]);
  });
});

describe('openClientCertificate with PEM and DER', () => {
  test.each<[Label, Label]>([
    ['certificate rsa', 'PKCS#8 rsa'],
    ['certificate rsa', 'PKCS#1 rsa'],
    ['certificate P-256', 'PKCS#8 P-256'],
    ['certificate P-256', 'SEC 1 P-256'],
    ['certificate P-384', 'PKCS#8 P-384'],
    ['certificate P-384', 'SEC 1 P-384'],
    ['certificate P-521', 'PKCS#8 P-521'],
    ['certificate P-521', 'SEC 1 P-521'],
    ['certificate rsa in DER', 'PKCS#8 rsa in DER'],
  ])('openClientCertificate joins "%s" and "%s", in both orders and in one file', (certificate, key) => {
    expectPair(open([certificate, key]));
    expectPair(open([key, certificate]));
    if (!key.endsWith('DER')) {
      expectPair(
        openClientCertificate([concatBytes(fileOf(key), latin1Encode('a note\r\n'), fileOf(certificate))], null),
      );
    }
  });

  test.each(encryptedKeys)('openClientCertificate opens "%s" and knows a wrong password', (label) => {
    expectPair(open(['certificate P-256', label], password));
    const code = 'tls.client-certificate-password';
    expect(refusal(() => open(['certificate P-256', label], 'x'))).toEqual({ code, details: { problem: 'wrong' } });
    expect(refusal(() => open(['certificate P-256', label]))).toEqual({ code, details: { problem: 'missing' } });
  });

  test.each<[Label[], string]>([
    [['certificate P-256'], 'the files hold no private key'],
    [['PKCS#8 P-256'], 'the files hold no certificate'],
    [['certificate rsa', 'PKCS#8 P-256'], 'the private key does not belong to the certificate'],
    [['certificate P-256', 'PKCS#8 Ed25519'], 'a key of kind 1.3.101.112, which we cannot use'],
    [['certificate P-256', 'encrypted PKCS#8 P-256, scrypt'], 'its key derivation is not PBKDF2'],
    [
      ['certificate P-256', 'encrypted SEC 1 P-256, the old PEM form'],
      'the key is encrypted in the old PEM form; convert it with "openssl pkcs8 -topk8"',
    ],
    [[], 'the files hold no private key'],
  ])('openClientCertificate refuses %j: tls.client-certificate', (labels, problem) => {
    expect(refusal(() => open(labels, password))).toEqual({ code: 'tls.client-certificate', details: { problem } });
  });

  test('openClientCertificate refuses PEM that does not end, nests, or is no base64: tls.client-certificate', () => {
    const begin = '-----BEGIN CERTIFICATE-----\n';
    for (const text of [
      begin,
      begin + begin,
      `${begin}*\n-----END CERTIFICATE-----\n`,
      `${begin}AA==\n-----END X-----`,
    ]) {
      expect(refusal(() => openClientCertificate([utf8Encode(text)], null)).code).toBe('tls.client-certificate');
    }
    const huge = new Uint8Array(MAX_KEY_FILE_BYTES + 1);
    expect(refusal(() => openClientCertificate([huge], null)).code).toBe('tls.client-certificate');
  });

  test('openClientCertificate gives a certificate or a tls.client-certificate error for any changed file', () => {
    const labels = fc.constantFrom(...(Object.keys(vectors.files) as Label[]));
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(labels, edits, (label, changes) => {
        const file = fileOf(label).slice();
        for (const [at, value] of changes) file[at % file.length] = value;
        expectOpenedOrRefused([file, fileOf('certificate P-256')]);
      }),
      { numRuns: 150 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (file) => expectOpenedOrRefused([file])));
    fc.assert(fc.property(fc.string(), (text) => expectOpenedOrRefused([utf8Encode(`-----BEGIN ${text}`)])));
  });
});

describe('clientCertificateWarnings', () => {
  const client = parseCertificate(fromBase64(certificates.certificates.client) ?? expect.fail('not base64'));
  const server = parseCertificate(fromBase64(certificates.certificates.leaf) ?? expect.fail('not base64'));
  const now = Date.UTC(2030, 0, 1);

  test('clientCertificateWarnings says what Windows would not like', () => {
    expect(clientCertificateWarnings(client, now)).toEqual([]);
    expect(clientCertificateWarnings(client, Date.UTC(2050, 0, 1))).toEqual(['expired']);
    expect(clientCertificateWarnings(client, 0)).toEqual(['not-yet-valid']);
    expect(clientCertificateWarnings(server, now)).toEqual(['no-client-authentication', 'no-user-name']);
  });
});

describe('readCertificates', () => {
  test('readCertificates reads PEM with several and DER with one', () => {
    const both = concatBytes(fileOf('certificate rsa'), fileOf('PKCS#8 rsa'), fileOf('certificate P-256'));
    expect(readCertificates(both).map(({ subject }) => subject.text)).toEqual(['CN=test key RSA', 'CN=test key P-256']);
    expect(readCertificates(fileOf('certificate rsa in DER'))).toHaveLength(1);
  });

  test('readCertificates refuses a file without any, and one it cannot read: tls.bad-certificate', () => {
    const bent = utf8Encode('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n');
    for (const file of [fileOf('PKCS#8 rsa'), bent, new Uint8Array(0), new Uint8Array(2_000_000)]) {
      expect(refusal(() => readCertificates(file)).code).toBe('tls.bad-certificate');
    }
  });
});

describe('pkcs12Key', () => {
  test('pkcs12Key makes one round as the specification spells it', () => {
    // RFC 7292, appendix B.2, by hand for one block of output: SHA-1 of D, S and P, each repeated to 64 bytes
    const [salt, word] = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), Uint8Array.of(0, 97, 0, 0)];
    const repeat = (bytes: Uint8Array): Uint8Array =>
      Uint8Array.from({ length: 64 }, (_, i) => bytes[i % bytes.length] ?? 0);
    const input = concatBytes(new Uint8Array(64).fill(3), repeat(salt), repeat(word));
    const once = createHash('sha1').update(input).digest();
    const key = { hash: 'sha1', id: 3, password: word, salt, lengthBytes: 20 } as const;
    expect(toHex(pkcs12Key({ ...key, rounds: 1 }))).toBe(once.toString('hex'));
    expect(toHex(pkcs12Key({ ...key, rounds: 2 }))).toBe(createHash('sha1').update(once).digest('hex'));
  });
});

describe('derOfBer', () => {
  const refuse = (problem: string): never => {
    throw new RangeError(problem);
  };

  test('derOfBer leaves DER as it is and undoes BER', () => {
    const tree = fc.letrec<{ value: Uint8Array }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.uint8Array({ maxLength: 200 }).map((content) => derValue(0x04, content)),
        fc.uint8Array({ maxLength: 5 }).map((content) => derValue(0x02, content)),
        fc
          .tuple(fc.constantFrom(0x30, 0x31, 0xa0), fc.array(tie('value'), { maxLength: 4 }))
          .map(([tag, parts]) => derValue(tag, ...parts)),
      ),
    })).value;
    fc.assert(
      fc.property(tree, (der) => {
        expect(derOfBer(der, refuse)).toEqual(der);
        expect(derOfBer(toBer(der), refuse)).toEqual(der);
      }),
    );
  });

  test('derOfBer refuses a value of more parts than a call can take', () => {
    const parts = new Uint8Array(2 * 130_000).map((_, i) => (i % 2 === 0 ? 5 : 0));
    expect(() => derOfBer(derValue(0x30, parts), refuse)).toThrow('a value of too many parts');
  });

  test('derOfBer calls onProblem, and nothing else, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
        try {
          derOfBer(input, refuse);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 500 },
    );
    const nested = Uint8Array.from({ length: 5000 }, (_, i) => (i % 2 === 0 ? 0x30 : 0x80));
    expect(() => derOfBer(nested, refuse)).toThrow('nested too deeply');
  });
});

function pem(label: string, bytes: Uint8Array): Uint8Array {
  return latin1Encode(`-----BEGIN ${label}-----\n${toBase64(bytes)}\n-----END ${label}-----\n`);
}

/** Rewrites DER as the loosest BER: indefinite lengths wherever allowed, octet strings in pieces of 100 bytes. */
function toBer(der: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < der.length; ) {
    const [tag, first] = [der[at] as number, der[at + 1] as number];
    const count = first < 0x80 ? 0 : first & 0x7f;
    let length = first < 0x80 ? first : 0;
    for (let i = 0; i < count; i++) length = length * 256 + (der[at + 2 + i] as number);
    const contentAt = at + 2 + count;
    const content = der.subarray(contentAt, contentAt + length);
    at = contentAt + length;
    const end = Uint8Array.of(0, 0);
    if ((tag & 0x20) !== 0) parts.push(Uint8Array.of(tag, 0x80), toBer(content), end);
    else if (tag !== 0x04) parts.push(derValue(tag, content));
    else {
      const pieces: Uint8Array[] = [];
      for (let start = 0; start < length; start += 100)
        pieces.push(derValue(0x04, content.subarray(start, start + 100)));
      parts.push(Uint8Array.of(0x24, 0x80), ...pieces, end);
    }
  }
  return concatBytes(...parts);
}

function expectOpenedOrRefused(files: Uint8Array[]): void {
  try {
    openClientCertificate(files, password).key.wipe();
  } catch (error) {
    const isOurs =
      isWinRmError(error, 'tls.client-certificate') || isWinRmError(error, 'tls.client-certificate-password');
    expect(isOurs ? '' : error).toBe('');
  }
}
