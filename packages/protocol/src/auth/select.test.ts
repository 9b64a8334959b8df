import { describe, expect, test } from 'vitest';
import type { Challenge } from '../security.ts';
import { fixedPlatform } from '../testing/fixed-platform.ts';
import { parseCredential } from './credential.ts';
import { isNtlmToken } from './ntlm/ntlm.ts';
import type { KeyedPolicy } from './select.ts';
import { createAuthenticator } from './select.ts';

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
