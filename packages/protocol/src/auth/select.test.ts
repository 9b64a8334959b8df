import { describe, expect, test } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import type { Challenge } from '../security.ts';
import { fixedPlatform } from '../testing/fixed-platform.ts';
import { openClientCertificate } from '../tls/client-certificate.ts';
import { judgePeer, pinOf } from '../tls/trust.ts';
import peers from '../tls/vectors/peers.json' with { type: 'json' };
import { parseCredential } from './credential.ts';
import { isNtlmToken } from './ntlm/ntlm.ts';
import type { KeyedPolicy } from './select.ts';
import { createAuthenticator } from './select.ts';
import { createSignIn } from './sign-in.ts';

function authenticator(policy: KeyedPolicy) {
  return createAuthenticator({
    policy,
    credential: parseCredential('CORP\\ada', 'pw'),
    spn: 'http/host',
    workstation: 'BROWSER',
    binding: null,
    platform: fixedPlatform(),
  });
}

function offers(...schemes: string[]): Challenge[] {
  return schemes.map((scheme) => ({ scheme, token68: null, params: new Map() }));
}

describe('createAuthenticator', () => {
  test.each([
    ['negotiate', 'Negotiate', false],
    ['negotiate-raw', 'Negotiate', true],
    ['ntlm', 'NTLM', true],
  ] as const)('policy %s speaks under %s, raw NTLM: %s', (policy, scheme, isRaw) => {
    const step = authenticator(policy).beginOptimistic()?.step(null);
    const mechanism = authenticator(policy).begin(offers('Basic', scheme.toLowerCase()));
    expect(mechanism.scheme).toBe(scheme);
    expect(step?.to === 'peer' && isNtlmToken(step.token)).toBe(isRaw);
    expect(mechanism.step(null)).toEqual(step);
  });

  test('each mechanism is a new one', () => {
    const chosen = authenticator('negotiate');
    expect(chosen.beginOptimistic()).not.toBe(chosen.beginOptimistic());
    expect(chosen.party).toBe('server');
  });

  test.each([
    ['negotiate', ['Basic', 'Kerberos', 'Basic'], 'Basic, Kerberos', 'Negotiate'],
    ['ntlm', ['Negotiate'], 'Negotiate', 'NTLM'],
    ['negotiate-raw', [], 'none', 'Negotiate'],
  ] as const)(
    'policy %s without its scheme is auth.no-common-mechanism naming the offers %j',
    (policy, schemes, offered, wanted) => {
      expect(() => authenticator(policy).begin(offers(...schemes))).toThrow(
        expect.objectContaining({ code: 'auth.no-common-mechanism', details: { offered, wanted } }),
      );
    },
  );
});

describe('createSignIn', () => {
  const { certificate, key } = peers.p256;
  const own = openClientCertificate([utf8Encode(certificate + key)], null).certificate;
  const peer = judgePeer({
    chain: [own],
    host: 'peer',
    nowMs: Date.UTC(2030, 0, 1),
    policy: { roots: [], pins: [pinOf(own, 0)] },
  });
  const rest = { spn: 'http/peer', workstation: 'W', platform: fixedPlatform(), certificate: own };
  const credential = parseCredential('CORP\\ada', 'pässword:1');

  test.each(['basic', 'certificate'] as const)('%s without a judged peer is misuse.bad-argument', (policy) => {
    for (const forged of [
      null,
      { ...peer },
      { certificate: own, host: 'peer', by: 'pin', path: [own], warnings: [] },
    ]) {
      expect(() => createSignIn({ ...rest, policy, credential, peer: forged as typeof peer | null })).toThrow(
        expect.objectContaining({
          code: 'misuse.bad-argument',
          details: { argument: 'policy', reason: 'needs-https' },
        }),
      );
    }
  });

  test('basic is name and password in UTF-8, the name as Windows writes it', () => {
    const standing = createSignIn({ ...rest, policy: 'basic', credential, peer });
    expect(standing).toMatchObject({ scheme: 'Basic', user: 'ada' });
    expect('token' in standing && standing.token()).toEqual(utf8Encode('CORP\\ada:pässword:1'));
  });

  test('basic with a colon in the name, and a policy without what it needs, are misuse.bad-argument', () => {
    for (const changes of [
      { policy: 'basic', credential: parseCredential('a:b', 'pw') },
      { policy: 'basic', credential: null },
      { policy: 'negotiate', credential: null },
      { policy: 'certificate', credential, certificate: null },
    ] as const) {
      expect(() => createSignIn({ ...rest, peer, ...changes })).toThrow(
        expect.objectContaining({ code: 'misuse.bad-argument' }),
      );
    }
  });

  test('a certificate goes by its user principal name or its subject, with the mutual profile for a scheme', () => {
    const standing = createSignIn({ ...rest, policy: 'certificate', credential: null, peer });
    expect(standing).toMatchObject({ mechanism: 'Certificate', user: own.userPrincipalNames[0] ?? 'CN=peer' });
    expect('token' in standing && [standing.token(), standing.scheme]).toEqual([
      null,
      'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual',
    ]);
  });
});
