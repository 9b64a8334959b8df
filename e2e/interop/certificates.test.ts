import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWinRmError } from '../../packages/protocol/src/errors.ts';
import { openClientCertificate } from '../../packages/protocol/src/tls/client-certificate.ts';
import { judgePeer } from '../../packages/protocol/src/tls/trust.ts';
import vectors from '../../packages/protocol/src/tls/vectors/certificates.json' with { type: 'json' };
import { type Certificate, parseCertificate } from '../../packages/protocol/src/tls/x509.ts';

/** Our judgement beside that of the openssl command, and files that openssl writes while the test runs. */

const HOST = 'srv1.corp.example';
const NOW = Date.UTC(2030, 0, 1);
/** Where we refuse what openssl lets pass, and why. The other way round there is nothing. */
const STRICTER: Readonly<Record<string, string>> = {
  'leaf with only a common name': 'a common name is no name: RFC 9525, section 6.3',
  'leaf that may not sign': 'its key signs the handshake: RFC 8446, section 4.4.2.2',
  'leaf by SHA-1': 'SHA-1 is broken for signatures',
  'leaf by MD5': 'so is MD5',
  'constrained: a wildcard over an excluded domain': 'it would stand for the excluded name too',
  'leaf below 7': 'a path of nine certificates',
  'leaf below 8': 'a path of ten',
  'leaf below policy constraints': 'we do not follow policies, and these are critical',
};

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-certificates-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: 'pipe' });
}

function pem(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64.replace(/(.{64})/g, '$1\n').trim()}\n-----END ${label}-----\n`;
}

const all = Object.entries(vectors.certificates).map(([label, base64]) => ({
  label,
  text: pem('CERTIFICATE', base64),
  certificate: parseCertificate(new Uint8Array(Buffer.from(base64, 'base64'))),
}));
const roots = all.filter(({ label }) => ['root', 'root RSA', 'root Ed25519'].includes(label));
const others = all.filter(({ label }) => /^(intermediate|deep|loop)/.test(label));
const leaves = all.filter((one) => !roots.includes(one) && !others.includes(one));

/** Whether openssl believes the certificate, with every intermediate of the collection at hand. */
function opensslTrusts(text: string): boolean {
  writeFileSync(at('leaf.pem'), text);
  writeFileSync(at('roots.pem'), roots.map((root) => root.text).join(''));
  writeFileSync(at('others.pem'), others.map((other) => other.text).join(''));
  const words = ['verify', '-purpose', 'sslserver', '-verify_hostname', HOST, '-attime', String(NOW / 1000)];
  const files = [
    '-no-CApath',
    '-no-CAstore',
    '-CAfile',
    at('roots.pem'),
    '-untrusted',
    at('others.pem'),
    at('leaf.pem'),
  ];
  return spawnSync('openssl', [...words, ...files]).status === 0;
}

function weTrust(certificate: Certificate): boolean {
  const chain = [certificate, ...others.map((other) => other.certificate)];
  const policy = { roots: roots.map((root) => root.certificate), pins: [] };
  try {
    judgePeer({ chain, host: HOST, nowMs: NOW, policy });
    return true;
  } catch (error) {
    expect(isWinRmError(error)).toBe(true);
    return false;
  }
}

describe('judgePeer beside openssl verify', () => {
  it.each(leaves.map((leaf) => [leaf.label, leaf] as const))(
    'judges "%s" as openssl does, or is stricter',
    (label, leaf) => {
      const isTrusted = opensslTrusts(leaf.text);
      const wanted = label in STRICTER ? { openssl: true, we: false } : { openssl: isTrusted, we: isTrusted };
      expect({ openssl: isTrusted, we: weTrust(leaf.certificate) }).toEqual(wanted);
    },
  );
});

describe('openClientCertificate and files that openssl writes now', () => {
  const keys = { RSA: ['rsa:3072'], 'P-256': ['ec', 'P-256'], 'P-384': ['ec', 'P-384'], 'P-521': ['ec', 'P-521'] };
  const forms = { today: [], 'the old way': ['-legacy'], 'many rounds': ['-iter', '100000', '-macalg', 'sha384'] };
  const cases = Object.keys(keys).flatMap((key) => Object.keys(forms).map((form) => [key, form] as const));

  it.each(cases)('opens %s written %s, and openssl verifies what its key signs', (key, form) => {
    const [kind, curve] = keys[key as keyof typeof keys] as [string, string?];
    const options = curve === undefined ? [] : ['-pkeyopt', `ec_paramgen_curve:${curve}`];
    const made = ['-keyout', at('key.pem'), '-out', at('cert.pem'), '-days', '9', '-subj', `/CN=${key}`];
    openssl('req', '-x509', '-nodes', '-newkey', kind, ...options, ...made);
    const pass = ['-passout', 'pass:Pa55 wört'];
    const more = forms[form as keyof typeof forms];
    openssl('pkcs12', '-export', '-in', at('cert.pem'), '-inkey', at('key.pem'), '-out', at('pfx'), ...pass, ...more);
    const opened = openClientCertificate([new Uint8Array(readFileSync(at('pfx')))], 'Pa55 wört');
    expect(opened.certificate.subject.text).toBe(`CN=${key}`);
    const message = new Uint8Array(Buffer.from('signed in the tab'));
    const scheme = key === 'RSA' ? 'rsa_pkcs1_sha256' : 'ecdsa_secp256r1_sha256';
    const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
    writeFileSync(at('message'), message);
    writeFileSync(at('signature'), opened.key.sign(scheme, message, random));
    openssl('x509', '-in', at('cert.pem'), '-pubkey', '-noout', '-out', at('public.pem'));
    openssl('dgst', '-sha256', '-verify', at('public.pem'), '-signature', at('signature'), at('message'));
  });
});
