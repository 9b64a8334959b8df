import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../bytes/bytes.ts';
import { formatToken, parseChallenges, schemeNames } from './challenge.ts';

const plain = (values: string[]) =>
  parseChallenges(values).map(({ scheme, token68, params }) => [scheme, token68, Object.fromEntries(params)]);

describe('parseChallenges', () => {
  it('reads the four lines Windows sends', () => {
    expect(plain(['Negotiate', 'Kerberos', 'Basic realm="WSMAN"', 'CredSSP'])).toEqual([
      ['Negotiate', null, {}],
      ['Kerberos', null, {}],
      ['Basic', null, { realm: 'WSMAN' }],
      ['CredSSP', null, {}],
    ]);
  });

  it('reads the same from one merged line', () => {
    expect(plain(['Negotiate, Kerberos,Basic realm="WSMAN", CredSSP'])).toEqual(
      plain(['Negotiate', 'Kerberos', 'Basic realm="WSMAN"', 'CredSSP']),
    );
  });

  it('reads tokens, padded and not, among other challenges', () => {
    expect(plain(['Negotiate oYG2MIGz, NTLM TlRMTVNTUAACAAAA=', 'Basic realm="a, b\\" c"', 'Kerberos YQ=='])).toEqual([
      ['Negotiate', 'oYG2MIGz', {}],
      ['NTLM', 'TlRMTVNTUAACAAAA=', {}],
      ['Basic', null, { realm: 'a, b" c' }],
      ['Kerberos', 'YQ==', {}],
    ]);
  });

  // from: RFC 9110, section 11.6.1, the example of WWW-Authenticate
  it('reads the example of the specification', () => {
    expect(plain(['Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'])).toEqual([
      ['Basic', null, { realm: 'simple' }],
      ['Newauth', null, { realm: 'apps', type: '1', title: 'Login to "apps"' }],
    ]);
  });

  it('reads blanks around the equals sign and lower-cases names of parameters', () => {
    expect(plain(['Digest Realm = "x" , NONCE= abc,qop="auth,auth-int"'])).toEqual([
      ['Digest', null, { realm: 'x', nonce: 'abc', qop: 'auth,auth-int' }],
    ]);
  });

  it.each([
    [[''], []],
    [[', ,\t,'], []],
    [['realm="x", Negotiate'], [['Negotiate', null, {}]]],
    [['Négo, NTLM'], [['NTLM', null, {}]]],
    [
      ['Negotiate a b c, NTLM'],
      [
        ['Negotiate', null, {}],
        ['NTLM', null, {}],
      ],
    ],
    [['Basic realm="never closed, NTLM'], [['Basic', null, {}]]],
    [
      ['Basic realm="x', 'NTLM'],
      [
        ['Basic', null, {}],
        ['NTLM', null, {}],
      ],
    ],
    [['Basic', 'realm="other line"'], [['Basic', null, {}]]],
    [['Basic realm="a", realm="b"'], [['Basic', null, { realm: 'a' }]]],
    [['Negotiate ===='], [['Negotiate', null, {}]]],
  ])('passes over junk in %j', (values, wanted) => {
    expect(plain(values)).toEqual(wanted);
  });

  it('bounds what it keeps', () => {
    expect(parseChallenges(['a,'.repeat(30_000)]).length).toBeLessThanOrEqual(32);
    const params = Array.from({ length: 1000 }, (_, i) => `p${i}=1`).join(',');
    expect(parseChallenges([`Digest ${params}`])[0]?.params.size).toBe(32);
  });

  it('keeps a list of schemes short enough for any report', () => {
    const long = Array.from({ length: 30 }, (_, i) => `S${i}${'x'.repeat(200)} realm="a"`);
    expect(schemeNames([...long, 'Negotiate, NTLM', 'NTLM', 'Ba\u009bsic'])).toBe('Negotiate, NTLM');
    const many = Array.from({ length: 1000 }, (_, i) => `${'x'.repeat(28)}${i}`);
    expect(schemeNames(many).length).toBeLessThanOrEqual(32 * 34);
    expect(schemeNames([])).toBe('');
  });

  it('never throws and never hangs', () => {
    const odd = fc.string({
      unit: fc.constantFrom('"', '\\', ',', '=', ' ', 'a', 'Negotiate', '\t', '\u00ff'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.string()), { maxLength: 5 }), (values) => {
        for (const challenge of parseChallenges(values)) expect(challenge.scheme).not.toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('formatToken', () => {
  it('writes what parseChallenges reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (token) => {
        const [challenge] = parseChallenges([formatToken('Negotiate', token)]);
        expect(fromBase64(challenge?.token68 ?? '')).toEqual(token);
      }),
    );
  });
});
