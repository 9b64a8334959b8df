import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serverBinding } from '../auth/binding.ts';
import { fromBase64, latin1Encode, toHex } from '../bytes/bytes.ts';
import { digest } from '../crypto/digest.ts';
import { isWinRmError } from '../errors.ts';
import { serverEndPoint } from './end-point.ts';
import { judgePeer, type Pin, pinOf, TrustedPeer } from './trust.ts';
import vectors from './vectors/certificates.json' with { type: 'json' };
import { type Certificate, parseCertificate, sha1Thumbprint, sha256Thumbprint } from './x509.ts';

type Label = keyof typeof vectors.certificates;
const cache = new Map<Label, Certificate>();
const HOST = 'srv1.corp.example';
const NOW = Date.UTC(2030, 0, 1);

function read(label: Label): Certificate {
  const der = fromBase64(vectors.certificates[label]) ?? expect.fail('not base64');
  const certificate = cache.get(label) ?? parseCertificate(der);
  cache.set(label, certificate);
  return certificate;
}

/** Judges at NOW for HOST with the test roots, unless told otherwise. */
function judge(
  chain: Label[],
  o: { host?: string; nowMs?: number; roots?: Label[]; pins?: readonly Pin[] } = {},
): TrustedPeer {
  const roots = (o.roots ?? ['root', 'root RSA', 'root Ed25519']).map(read);
  const policy = { roots, pins: o.pins ?? [] };
  return judgePeer({ chain: chain.map(read), host: o.host ?? HOST, nowMs: o.nowMs ?? NOW, policy });
}

function refusal(...wanted: Parameters<typeof judge>): { code: string; details: Record<string, unknown> } {
  try {
    judge(...wanted);
  } catch (error) {
    if (isWinRmError(error)) return { code: error.code, details: { ...error.details } };
    throw error;
  }
  return expect.fail('it was trusted');
}

describe('judgePeer with roots', () => {
  test.each<[Label, Label[]]>([
    ['leaf', []],
    ['leaf without purposes', []],
    ['leaf by RSA', []],
    ['leaf by RSA-PSS', []],
    ['leaf by SHA-384', []],
    ['leaf by SHA-512', []],
    ['leaf by Ed25519', []],
    ['leaf with an RSA key', []],
    ['leaf with a P-384 key', []],
    ['leaf with a P-521 key', []],
    ['leaf with a critical policy', []],
    ['leaf of the intermediate', ['intermediate']],
    ['constrained: allowed', ['intermediate with name constraints']],
    ['constrained: allowed in other letters', ['intermediate with name constraints']],
  ])('judgePeer trusts "%s"', (leaf, others) => {
    const peer = judge([leaf, ...others]);
    expect(peer).toMatchObject({ by: 'root', host: HOST, warnings: [], certificate: read(leaf) });
    expect(peer.path[0]).toBe(read(leaf));
    expect(peer.path).toHaveLength(others.length + 2);
  });

  test('judgePeer finds the path in any order, with strangers and doubles among it', () => {
    const inter: Label = 'intermediate';
    const leaf: Label = 'leaf of the intermediate';
    expect(judge([leaf, 'root', inter]).path).toHaveLength(3);
    expect(judge([leaf, 'root RSA', 'leaf', inter, inter, leaf, 'loop A by B']).path).toHaveLength(3);
    expect(judge([leaf], { roots: [inter] }).path).toHaveLength(2);
    expect(judge([leaf], { roots: [leaf] }).path).toHaveLength(1);
  });

  test('judgePeer trusts no root because it was presented', () => {
    expect(refusal(['leaf', 'root'], { roots: [] }).code).toBe('tls.untrusted');
    expect(refusal(['leaf', 'root of the same name with another key'], { roots: [] }).code).toBe('tls.untrusted');
  });

  test('judgePeer picks the right key among roots of one name', () => {
    const roots: Label[] = ['root of the same name with another key', 'root'];
    expect(judge(['leaf of the root of the same name'], { roots }).path).toHaveLength(2);
    expect(judge(['leaf'], { roots }).path).toHaveLength(2);
    expect(refusal(['leaf of the root of the same name'], { roots: ['root'] })).toMatchObject({
      code: 'tls.untrusted',
      details: { problem: 'CN=Test Root, O=Test did not sign it' },
    });
  });

  test.each<[Label, Label[], string]>([
    ['leaf for clients only', [], 'its extended key usage does not include server authentication'],
    ['leaf for any purpose', [], 'its extended key usage does not include server authentication'],
    ['leaf that may not sign', [], 'its key usage does not allow signatures'],
    ['leaf with an unknown critical extension', [], 'it has the critical extension 1.2.3.4, which we do not know'],
    ['leaf of no CA', ['intermediate that is no CA'], 'CN=No CA is not a CA'],
    ['leaf of a CA that may not sign', ['intermediate that may not sign'], 'CN=No Sign may not sign certificates'],
    ['leaf of a CA for mail', ['intermediate for mail'], 'CN=Mail CA may not issue certificates for servers'],
    [
      'leaf below policy constraints',
      ['intermediate with policy constraints'],
      'it has the critical extension 2.5.29.36, which we do not know',
    ],
    [
      'leaf below a path length of 0',
      ['intermediate', 'intermediate below a path length of 0'],
      'the chain below CN=Test Intermediate is too long',
    ],
    ['leaf of the intermediate', [], 'its issuer CN=Test Intermediate leads to no root that you trust'],
    ['self-signed', [], 'it vouches for itself'],
    ['leaf of the loop', ['loop A by B', 'loop B by A'], 'its issuer CN=Loop A leads to no root that you trust'],
  ])('judgePeer refuses "%s": tls.untrusted', (leaf, others, problem) => {
    expect(refusal([leaf, ...others])).toMatchObject({ code: 'tls.untrusted', details: { problem } });
  });

  test.each<Label>([
    'constrained: another domain',
    'constrained: a name that only ends alike',
    'constrained: an excluded domain',
    'constrained: a wildcard over an excluded domain',
    'constrained: another address',
    'constrained: an excluded address',
    'constrained: an address of the other family',
    'constrained: another organization',
  ])('judgePeer keeps name constraints: "%s" is tls.untrusted', (leaf) => {
    expect(refusal([leaf, 'intermediate with name constraints'])).toMatchObject({
      code: 'tls.untrusted',
      details: { problem: 'CN=Narrow CA may not issue certificates for these names' },
    });
  });

  test('judgePeer follows eight certificates and not nine', () => {
    const upTo = (depth: number): Label[] =>
      Array.from({ length: depth }, (_, i): Label => `deep ${(depth - i) as 1}` satisfies Label);
    expect(judge(['leaf below 6', ...upTo(6)]).path).toHaveLength(8);
    expect(refusal(['leaf below 7', ...upTo(7)]).code).toBe('tls.untrusted');
    expect(refusal(['leaf below 8', ...upTo(8)]).code).toBe('tls.untrusted');
  });

  test.each<[Label, Label[], string]>([
    ['leaf by SHA-1', [], 'it is signed with sha1WithRSAEncryption'],
    ['leaf by MD5', [], 'it is signed with md5WithRSAEncryption'],
    ['self-signed with RSA-1024', [], 'its RSA key has only 1024 bits'],
  ])('judgePeer refuses "%s": tls.weak-certificate', (leaf, others, problem) => {
    expect(refusal([leaf, ...others])).toMatchObject({ code: 'tls.weak-certificate', details: { problem } });
  });

  test('judgePeer takes a root by SHA-1: nobody relies on the signature of a root', () => {
    expect(judge(['self-signed by SHA-1'], { roots: ['self-signed by SHA-1'] }).by).toBe('root');
  });

  test.each<[Label, Label[], string]>([
    ['leaf expired', [], 'CN=srv1.corp.example'],
    ['leaf not yet valid', [], 'CN=srv1.corp.example'],
    ['leaf of an expired CA', ['intermediate expired'], 'CN=Old CA'],
  ])('judgePeer refuses "%s": tls.expired', (leaf, others, subject) => {
    expect(refusal([leaf, ...others])).toMatchObject({ code: 'tls.expired', details: { subject } });
  });

  test('judgePeer counts the last second and not the one after', () => {
    const { notBeforeMs, notAfterMs } = read('leaf');
    expect(judge(['leaf'], { nowMs: notBeforeMs }).by).toBe('root');
    expect(judge(['leaf'], { nowMs: notAfterMs + 999 }).by).toBe('root');
    expect(refusal(['leaf'], { nowMs: notBeforeMs - 1 }).code).toBe('tls.expired');
    expect(refusal(['leaf'], { nowMs: notAfterMs + 1000 }).code).toBe('tls.expired');
  });

  test.each([
    'srv1.corp.example',
    'SRV1.CORP.EXAMPLE',
    'srv2.corp.example',
    'srv1.corp.example.',
    'a.wild.corp.example',
    '10.1.2.3',
    'fd00::1',
    '[fd00:0:0::1]',
  ])('judgePeer finds %s in the certificate', (host) => {
    expect(judge(['leaf'], { host }).host).toBe(host);
  });

  test.each([
    'srv3.corp.example',
    'wild.corp.example',
    'a.b.wild.corp.example',
    '.wild.corp.example',
    '*.wild.corp.example',
    'any.example',
    'srv1.corp.example.evil',
    '10.1.2.4',
    '010.1.2.3',
    'fd00::2',
    '::10.1.2.3',
    '',
  ])('judgePeer does not find "%s" in the certificate: tls.wrong-name', (host) => {
    expect(refusal(['leaf'], { host })).toMatchObject({ code: 'tls.wrong-name', details: { host } });
  });

  test('judgePeer never takes a common name for a name: tls.wrong-name', () => {
    expect(refusal(['leaf with only a common name'])).toMatchObject({
      code: 'tls.wrong-name',
      details: { names: 'CN=srv1.corp.example' },
    });
  });

  test('judgePeer shows what a person needs to judge', () => {
    const leaf = read('leaf of the intermediate');
    expect(refusal(['leaf of the intermediate']).details).toEqual({
      host: HOST,
      subject: 'CN=srv1.corp.example',
      issuer: 'CN=Test Intermediate',
      names: HOST,
      notBefore: '2026-01-01T00:00:00.000Z',
      notAfter: '2040-01-01T00:00:00.000Z',
      sha256: sha256Thumbprint(leaf),
      sha1: sha1Thumbprint(leaf),
      problem: 'its issuer CN=Test Intermediate leads to no root that you trust',
    });
    expect(refusal(['leaf'], { host: 'x' }).details['names']).toBe(
      'srv1.corp.example, *.wild.corp.example, SRV2.Corp.Example, *.example, 10.1.2.3, fd00::1',
    );
  });

  test('judgePeer refuses an empty chain: tls.bad-certificate', () => {
    expect(refusal([]).code).toBe('tls.bad-certificate');
  });

  test('judgePeer ends in a judgement however the certificates are mixed', () => {
    const labels = fc.constantFrom(...(Object.keys(vectors.certificates) as Label[]));
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 12 }), fc.array(labels, { maxLength: 6 }), (chain, roots) => {
        try {
          const peer = judge(chain, { roots });
          expect(roots.map((root) => read(root))).toContain(peer.path.at(-1));
        } catch (error) {
          if (!isWinRmError(error)) throw error;
          expect(error.code).toMatch(/^tls\./);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('judgePeer with pins', () => {
  const pin = (label: Label): Pin => pinOf(read(label), NOW);

  test('judgePeer trusts a pinned certificate though nobody vouches for it', () => {
    const peer = judge(['self-signed'], { pins: [pin('self-signed')], roots: [] });
    expect(peer).toMatchObject({ by: 'pin', warnings: [], path: [read('self-signed')] });
    const lower = { ...pin('self-signed'), sha256: pin('self-signed').sha256.toLowerCase() };
    expect(judge(['self-signed'], { pins: [pin('leaf'), lower] }).by).toBe('pin');
  });

  test('judgePeer warns of a pinned certificate’s dates, name and signature', () => {
    const warnings = (label: Label) => judge([label], { pins: [pin(label)] }).warnings;
    expect(warnings('self-signed, expired')).toEqual(['expired']);
    expect(warnings('leaf not yet valid')).toEqual(['not-yet-valid']);
    expect(warnings('self-signed for another name')).toEqual(['wrong-name']);
    expect(warnings('self-signed by SHA-1')).toEqual(['weak-signature']);
    expect(warnings('leaf for clients only')).toEqual(['wrong-purpose']);
  });

  test('judgePeer does not let a pin make up for a short key: tls.weak-certificate', () => {
    const label: Label = 'self-signed with RSA-1024';
    expect(refusal([label], { pins: [pin(label)] }).code).toBe('tls.weak-certificate');
  });

  test('judgePeer stops at another certificate than the pinned one: tls.pin-changed', () => {
    const refused = refusal(['self-signed, renewed'], { pins: [pin('self-signed')] });
    expect(refused).toMatchObject({
      code: 'tls.pin-changed',
      details: {
        expected: sha256Thumbprint(read('self-signed')),
        sha256: sha256Thumbprint(read('self-signed, renewed')),
        pinnedIssuer: 'CN=srv1.corp.example',
      },
    });
    expect(refusal(['leaf renewed by the root'], { pins: [pin('leaf')] }).code).toBe('tls.pin-changed');
    expect(refusal(['self-signed'], { pins: [pin('leaf')] }).code).toBe('tls.pin-changed');
  });

  test('judgePeer reads no interception from a pin whose issuer nobody knows: tls.pin-changed', () => {
    const chain: Label[] = ['leaf of the inspecting proxy', 'root of an inspecting proxy'];
    const typed = { ...pin('leaf'), issuer: '' };
    expect(refusal(chain, { pins: [typed] })).toMatchObject({ code: 'tls.pin-changed', details: { pinnedIssuer: '' } });
    const mixed = refusal(chain, { pins: [typed, pin('self-signed')] });
    expect(mixed).toMatchObject({ code: 'tls.pin-changed', details: { pinnedIssuer: 'CN=srv1.corp.example' } });
  });

  test('judgePeer names an issuer unlike the pinned one as interception: tls.intercepted', () => {
    const chain: Label[] = ['leaf of the inspecting proxy', 'root of an inspecting proxy'];
    const expected = { issuer: 'CN=Inspecting Proxy CA', pinnedIssuer: 'CN=Test Root, O=Test' };
    const refused = { code: 'tls.intercepted', details: expected };
    expect(refusal(chain, { pins: [pin('leaf')] })).toMatchObject(refused);
    // Not even a root that was imported, as a company does with its proxy's, makes up for it.
    expect(refusal(chain, { pins: [pin('leaf')], roots: ['root of an inspecting proxy'] })).toMatchObject(refused);
    expect(judge(chain, { roots: ['root of an inspecting proxy'] }).by).toBe('root');
  });
});

describe('TrustedPeer', () => {
  test('TrustedPeer is made by judgePeer and by nobody else', () => {
    const forge = (): unknown => Reflect.construct(TrustedPeer, [Symbol('minted by judgePeer'), {}]);
    expect(forge).toThrow('misuse.wrong-state');
  });
});

describe('serverEndPoint', () => {
  test.each<[Label, 'sha256' | 'sha384' | 'sha512']>([
    ['leaf', 'sha256'],
    ['leaf by SHA-384', 'sha384'],
    ['leaf by SHA-512', 'sha512'],
    ['leaf by SHA-1', 'sha256'],
    ['leaf by MD5', 'sha256'],
    ['leaf by RSA-PSS', 'sha256'],
    ['leaf by Ed25519', 'sha256'],
  ])('serverEndPoint of "%s" is taken with %s', (label, hash) => {
    const { der } = read(label);
    expect(toHex(serverEndPoint(read(label)))).toBe(
      toHex(latin1Encode('tls-server-end-point:')) + toHex(digest(hash, der)),
    );
  });

  test('serverBinding is that of the judged certificate', () => {
    expect(serverBinding(judge(['leaf']))).toEqual(serverEndPoint(read('leaf')));
  });
});
