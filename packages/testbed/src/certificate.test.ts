import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { channelBindingHash } from '../../protocol/src/auth/binding.ts';
import { serverEndPoint } from '../../protocol/src/tls/end-point.ts';
import { parseCertificate, sha1Thumbprint, sha256Thumbprint } from '../../protocol/src/tls/x509.ts';
import { makeCertificate, type TlsIdentity, thumbprintsOf } from './certificate.ts';
import { serverEndPointHash } from './channel-binding.ts';
import { keptCertificate } from './kept-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-certificate-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What Debian's openssl makes of a certificate: it knows nothing of us. */
function openssl(identity: TlsIdentity, ...words: string[]): string {
  return execFileSync('openssl', ['x509', '-noout', ...words], { input: identity.certificate, encoding: 'utf8' });
}

describe('makeCertificate', () => {
  test.each([
    ['P-256', 'sha256', 'ecdsa-with-SHA256'],
    ['P-256', 'sha384', 'ecdsa-with-SHA384'],
    ['P-256', 'sha512', 'ecdsa-with-SHA512'],
    ['P-256', 'sha1', 'ecdsa-with-SHA1'],
    ['RSA-2048', 'sha256', 'sha256WithRSAEncryption'],
    ['RSA-2048', 'sha384', 'sha384WithRSAEncryption'],
    ['RSA-2048', 'sha512', 'sha512WithRSAEncryption'],
    ['RSA-2048', 'sha1', 'sha1WithRSAEncryption'],
  ] as const)('%s with %s: openssl, Node and the protocol read the same', (keyType, hash, algorithm) => {
    const made = makeCertificate({ commonName: 'häst', names: ['a.lab', '10.0.0.1', 'fe80::1:2'], keyType, hash });
    const node = new X509Certificate(made.certificate);
    expect(node.verify(node.publicKey)).toBe(true);
    expect(node.subjectAltName).toBe('DNS:a.lab, IP Address:10.0.0.1, IP Address:FE80:0:0:0:0:0:1:2');
    const text = openssl(made, '-text');
    expect(text).toContain(`Signature Algorithm: ${algorithm}`);
    expect(text).toContain('TLS Web Server Authentication');
    expect(text).toContain('CA:FALSE');
    const ours = parseCertificate(new Uint8Array(node.raw));
    expect(ours).toMatchObject({ dnsNames: ['a.lab'], isCa: false, notAfterMs: node.validToDate.getTime() });
    expect(ours.ipAddresses).toHaveLength(2);
    expect(thumbprintsOf(made.certificate)).toEqual({ sha256: sha256Thumbprint(ours), sha1: sha1Thumbprint(ours) });
    expect(serverEndPointHash(node)).toEqual(channelBindingHash(serverEndPoint(ours)));
  });

  test('is for clients, with a principal name, when asked', () => {
    const made = makeCertificate({ commonName: 'alice', usage: 'client', userPrincipalName: 'alice@localhost' });
    const text = openssl(made, '-text');
    expect(text).toContain('TLS Web Client Authentication');
    expect(text).toContain('othername: UPN::alice@localhost');
  });

  test('knows years after 2049, and years that are past', () => {
    const [validFromMs, validUntilMs] = [Date.UTC(1999, 0, 2, 3, 4, 5), Date.UTC(2050, 0, 1)];
    const made = makeCertificate({ commonName: 'x', validFromMs, validUntilMs });
    expect(openssl(made, '-dates')).toBe('notBefore=Jan  2 03:04:05 1999 GMT\nnotAfter=Jan  1 00:00:00 2050 GMT\n');
  });
});

test('the end point of a PSS signature takes the hash its parameters name, and SHA-256 when they name none', () => {
  const make = (...options: string[]): X509Certificate => {
    const words =
      'req -x509 -newkey rsa:2048 -nodes -subj /CN=pss -days 2 -keyout /dev/null -sigopt rsa_padding_mode:pss';
    const pem = execFileSync('openssl', [...words.split(' '), ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
    return new X509Certificate(pem);
  };
  for (const hash of ['-sha256', '-sha384', '-sha512', '-sha1']) {
    const certificate = make(hash);
    const ours = parseCertificate(new Uint8Array(certificate.raw));
    expect(serverEndPointHash(certificate), hash).toEqual(channelBindingHash(serverEndPoint(ours)));
  }
});

describe('keptCertificate', () => {
  test('makes one, keeps it to its owner, and finds it again', () => {
    const file = join(folder, 'new', 'demo-cert.pem');
    const made = keptCertificate(file, 'demo');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'new'))).toEqual(['demo-cert.pem']);
    chmodSync(file, 0o644);
    const again = keptCertificate(file, 'demo');
    expect(thumbprintsOf(again.certificate)).toEqual(thumbprintsOf(made.certificate));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['damaged', () => 'no PEM'],
    ['a certificate with somebody else’s key', () => pem({ ...makeCertificate(NAME), key: makeCertificate(NAME).key })],
    ['about to end', () => pem(makeCertificate({ ...NAME, validUntilMs: Date.now() + 86_400_000 }))],
  ])('a file that is %s is replaced', (_what, text) => {
    const file = join(folder, 'bad.pem');
    writeFileSync(file, text());
    const fresh = keptCertificate(file, 'demo');
    expect(readFileSync(file, 'latin1')).toBe(pem(fresh));
  });

  test('a folder in its place is an error, not a new certificate', () => {
    expect(() => keptCertificate(folder, 'demo')).toThrow('EISDIR');
  });
});

const NAME = { commonName: 'old' };

function pem({ certificate, key }: TlsIdentity): string {
  return certificate + key;
}
