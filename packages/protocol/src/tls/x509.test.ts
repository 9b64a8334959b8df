import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, fromHex, toHex } from '../bytes/bytes.ts';
import { contextTag, DerReader, derValue } from '../codec/der.ts';
import { isWinRmError } from '../errors.ts';
import { ASN1, takeTime } from './_asn1.ts';
import vectors from './vectors/certificates.json' with { type: 'json' };
import {
  type Certificate,
  isSelfIssued,
  isSignedBy,
  MAX_CERTIFICATE_BYTES,
  parseCertificate,
  parseChain,
  sha1Thumbprint,
  sha256Thumbprint,
} from './x509.ts';

type Label = keyof typeof vectors.certificates;
const derOf = (label: Label): Uint8Array => fromBase64(vectors.certificates[label]) ?? expect.fail('not base64');
const read = (label: Label): Certificate => parseCertificate(derOf(label));
const labels = Object.keys(vectors.certificates) as Label[];

describe('parseCertificate', () => {
  test.each(labels)('parseCertificate agrees with Node about "%s"', (label) => {
    const certificate = read(label);
    const node = new X509Certificate(derOf(label));
    expect(sha1Thumbprint(certificate)).toBe(node.fingerprint.replaceAll(':', ''));
    expect(sha256Thumbprint(certificate)).toBe(node.fingerprint256.replaceAll(':', ''));
    expect(certificate.notBeforeMs).toBe(node.validFromDate.getTime());
    expect(certificate.notAfterMs).toBe(node.validToDate.getTime());
    expect(certificate.isCa && certificate.keyUsage?.keyCertSign !== false).toBe(node.ca);
    expect(certificate.spki).toEqual(new Uint8Array(node.publicKey.export({ format: 'der', type: 'spki' })));
    expect(toHex(certificate.serial).replace(/^00/, '')).toBe(node.serialNumber.toLowerCase());
    const names = (node.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('DNS:'));
    expect(certificate.dnsNames).toEqual(names.map((name) => name.slice(4)));
    expect(isSelfIssued(certificate)).toBe(node.subject === node.issuer);
  });

  test('parseCertificate reads names, addresses, key identifiers and purposes', () => {
    const leaf = read('leaf');
    expect(leaf.subject.text).toBe('CN=srv1.corp.example');
    expect(leaf.issuer.text).toBe('CN=Test Root, O=Test');
    expect(leaf.ipAddresses.map(toHex)).toEqual(['0a010203', 'fd000000000000000000000000000001']);
    expect(leaf.keyUsage).toMatchObject({ digitalSignature: true, keyCertSign: false });
    expect(leaf.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(leaf.authorityKeyId).toBe(read('root').subjectKeyId);
    expect(read('intermediate').pathLength).toBe(0);
    expect(read('client').userPrincipalNames).toEqual(['deploy@localhost']);
    expect(read('leaf with an unknown critical extension').unknownCritical).toEqual(['1.2.3.4']);
    const { nameConstraints } = read('intermediate with name constraints');
    expect(nameConstraints?.permitted.dnsNames).toEqual(['corp.example']);
    expect(nameConstraints?.permitted.directoryNames.map(({ text }) => text)).toEqual(['O=Corp']);
    expect(nameConstraints?.excluded.ipAddresses.map(toHex)).toEqual(['0a090000ffff0000']);
  });

  test('parseCertificate names the signature algorithms', () => {
    const algorithm = (label: Label) => read(label).signatureAlgorithm;
    expect(algorithm('leaf by RSA-PSS')).toMatchObject({ scheme: 'rsa_pss_rsae_sha256', hash: 'sha256' });
    expect(algorithm('leaf by MD5')).toMatchObject({ scheme: null, hash: 'md5', name: 'md5WithRSAEncryption' });
    expect(algorithm('leaf by SHA-1')).toMatchObject({ scheme: 'rsa_pkcs1_sha1', hash: 'sha1' });
    expect(algorithm('leaf by Ed25519')).toMatchObject({ scheme: 'ed25519', hash: null });
  });

  test('parseCertificate names no identifier of any length: tls.bad-certificate', () => {
    const algorithm = derValue(0x30, derValue(6, new Uint8Array(20_000).fill(1)));
    const certificate = derValue(0x30, derValue(0x30), algorithm);
    const problem = 'an OBJECT IDENTIFIER that is too long';
    const refusal = expect.objectContaining({ code: 'tls.bad-certificate', details: { problem } });
    expect(() => parseCertificate(certificate)).toThrow(refusal);
  });

  test('parseCertificate shows no character that hides or reorders others', () => {
    expect(read('strange subject').subject.text).toBe('CN=tab\\u0009here, O=Zoë \\u202Egro.live, C=DE');
  });

  test('parseCertificate refuses leftovers, every truncation and an overlong one: tls.bad-certificate', () => {
    const der = derOf('leaf');
    for (let length = 0; length < der.length; length++) {
      expect(() => parseCertificate(der.subarray(0, length))).toThrow('tls.bad-certificate');
    }
    expect(() => parseCertificate(Uint8Array.from([...der, 0]))).toThrow('tls.bad-certificate');
    expect(() => parseCertificate(new Uint8Array(MAX_CERTIFICATE_BYTES + 1))).toThrow('tls.bad-certificate');
  });

  test('parseCertificate refuses two algorithms, two extensions alike and extensions before version 3', () => {
    const der = derOf('leaf');
    const sha256 = '2a8648ce3d040302';
    const renamed = toHex(der).replace(sha256, '2a8648ce3d040303');
    expect(() => parseCertificate(fromHex(renamed) ?? der)).toThrow('tls.bad-certificate');
    const doubled = toHex(derOf('root')).replace('0603551d0e', '0603551d23');
    expect(() => parseCertificate(fromHex(doubled) ?? der)).toThrow('tls.bad-certificate');
    const aged = toHex(der).replace('a003020102', 'a003020101');
    expect(() => parseCertificate(fromHex(aged) ?? der)).toThrow('tls.bad-certificate');
  });

  test('parseCertificate gives a certificate or tls.bad-certificate for any changed bytes', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...labels), edits, (label, changes) => {
        const der = derOf(label).slice();
        for (const [at, value] of changes) der[at % der.length] = value;
        expectCertificateOrRefusal(der);
      }),
      { numRuns: 500 },
    );
  });

  test('parseCertificate refuses garbage with tls.bad-certificate', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectCertificateOrRefusal));
  });
});

describe('parseChain', () => {
  test('parseChain leaves out what it cannot read behind the first', () => {
    const chain = parseChain([derOf('leaf'), new Uint8Array(3), derOf('root')]);
    expect(chain.map(({ subject }) => subject.text)).toEqual(['CN=srv1.corp.example', 'CN=Test Root, O=Test']);
    expect(parseChain(Array.from({ length: 40 }, () => derOf('leaf')))).toHaveLength(16);
    expect(() => parseChain([])).toThrow('tls.bad-certificate');
    expect(() => parseChain([new Uint8Array(3), derOf('leaf')])).toThrow('tls.bad-certificate');
  });
});

describe('isSignedBy', () => {
  test.each<[Label, Label]>([
    ['leaf', 'root'],
    ['leaf by RSA', 'root RSA'],
    ['leaf by RSA-PSS', 'root RSA'],
    ['leaf by SHA-384', 'root RSA'],
    ['leaf by SHA-512', 'root RSA'],
    ['leaf by SHA-1', 'root RSA'],
    ['leaf by Ed25519', 'root Ed25519'],
    ['root', 'root'],
    ['self-signed for RSA-PSS alone', 'self-signed for RSA-PSS alone'],
  ])('isSignedBy sees that "%s" was signed by "%s"', (leaf, issuer) => {
    expect(isSignedBy(read(leaf), read(issuer))).toBe(true);
    expect(isSignedBy(read(leaf), read('root of the same name with another key'))).toBe(false);
  });

  test('isSignedBy does not check MD5 at all', () => {
    expect(isSignedBy(read('leaf by MD5'), read('root RSA'))).toBe(false);
  });
});

describe('takeTime', () => {
  const time = (tag: number, text: string): number =>
    takeTime(new DerReader(derValue(tag, new TextEncoder().encode(text)), refuse), refuse);
  const refuse = (problem: string): never => {
    throw new RangeError(problem);
  };

  test.each([
    [ASN1.utcTime, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [ASN1.utcTime, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [ASN1.generalizedTime, '20500228010203Z', '2050-02-28T01:02:03.000Z'],
    [ASN1.generalizedTime, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
    [ASN1.generalizedTime, '00010101000000Z', '0001-01-01T00:00:00.000Z'],
  ])('takeTime reads tag %i, %s', (tag, text, iso) => {
    expect(new Date(time(tag, text)).toISOString()).toBe(iso);
  });

  test.each([
    [ASN1.utcTime, '4912312359Z'],
    [ASN1.utcTime, '491231235959+0100'],
    [ASN1.utcTime, '490230000000Z'],
    [ASN1.utcTime, '491301000000Z'],
    [ASN1.utcTime, '491200000000Z'],
    [ASN1.utcTime, '491231240000Z'],
    [ASN1.utcTime, '491231235960Z'],
    [ASN1.generalizedTime, '20500228010203.5Z'],
    [ASN1.generalizedTime, '20500228010203Z and more'],
    [contextTag(0), '491231235959Z'],
  ])('takeTime refuses tag %i, %s', (tag, text) => {
    expect(() => time(tag, text)).toThrow(RangeError);
  });
});

function expectCertificateOrRefusal(der: Uint8Array): void {
  try {
    expect(parseCertificate(der).der).toBe(der);
  } catch (error) {
    expect(isWinRmError(error, 'tls.bad-certificate') ? '' : error).toBe('');
  }
}
