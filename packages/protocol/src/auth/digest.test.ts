import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../http/challenge.ts';
import { fixedPlatform } from '../testing/index.ts';
import { parseCredential } from './credential.ts';
import { chooseDigest, digestAnswer } from './digest.ts';

/** A platform whose random bytes make the cnonce of a vector. */
const withCnonce = (hex: string) => ({
  ...fixedPlatform(),
  random: () => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
});

const answer = (challenge: string, user = 'puser', password = 'P r0xy:pw', count = 1, cnonce = '00112233'): string => {
  const chosen = chooseDigest(parseChallenges([challenge]));
  if (chosen === null) throw new Error('none chosen');
  const request = { method: 'CONNECT', uri: 'win1.corp:5986' };
  return digestAnswer(chosen, parseCredential(user, password), request, { count, platform: withCnonce(cnonce) });
};

/** Of a list of fields, one. */
const field = (text: string, name: string): string | undefined =>
  new RegExp(`(?:^|, )${name}=("(?:[^"\\\\]|\\\\.)*"|[^,]*)`).exec(text)?.[1];

describe('digestAnswer', () => {
  // from: computed with Python 3.11 hashlib by the formulas of RFC 7616, section 3.4.1 to 3.4.3
  it.each([
    ['MD5', 'Digest realm="rig", nonce="n1", qop="auth", algorithm=MD5', '005c86f2db041986695837fdaf17ce21'],
    ['no algorithm named', 'Digest realm="rig", nonce="n1", qop="auth"', '005c86f2db041986695837fdaf17ce21'],
    [
      'SHA-256',
      'Digest realm="rig", nonce="n1", qop="auth,auth-int", algorithm=SHA-256',
      '7003a086cf81911c81320d85ee621d396603a1a4d899056e27cfe67361ffbf2b',
    ],
    ['MD5-sess', 'Digest realm="rig", nonce="n1", qop=auth, algorithm=MD5-sess', '3eee89899e9b187f29916e10ca68662f'],
    ['no qop', 'Digest realm="rig", nonce="n1"', '0c4460a8c87c079240bd46a23feeabd0'],
  ])('signs CONNECT with %s', (_name, challenge, response) => {
    expect(field(answer(challenge), 'response')).toBe(`"${response}"`);
  });

  it('names the algorithm as it was named, and not where it was not', () => {
    expect(field(answer('Digest realm="r", nonce="n", qop="auth", algorithm=md5'), 'algorithm')).toBe('md5');
    expect(field(answer('Digest realm="r", nonce="n", qop="auth"'), 'algorithm')).toBeUndefined();
  });

  it('counts the uses of a nonce in eight hexadecimal digits, unquoted, and quotes what RFC 7616 quotes', () => {
    const text = answer('Digest realm="r", nonce="n", qop="auth", opaque="o"', 'puser', 'x', 26);
    expect(text).toMatch(
      /^username="puser", realm="r", nonce="n", uri="win1.corp:5986", response="[0-9a-f]{32}", opaque="o", qop=auth, nc=0000001a, cnonce="00112233"$/,
    );
  });

  it('escapes quotes and backslashes in what it repeats', () => {
    const text = answer(String.raw`Digest realm="a \"b\" \\c", nonce="n", qop="auth"`, 'DOM\\puser');
    expect(field(text, 'realm')).toBe(String.raw`"a \"b\" \\c"`);
    expect(field(text, 'username')).toBe(String.raw`"DOM\\puser"`);
  });

  it('writes a name beyond ASCII as RFC 8187 has it, and hashes the name where that is asked for', () => {
    expect(answer('Digest realm="r", nonce="n", qop="auth"', 'jürgen')).toMatch(/^username\*=UTF-8''j%C3%BCrgen, /);
    const hashed = answer('Digest realm="r", nonce="n", qop="auth", userhash=true');
    expect(field(hashed, 'username')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(hashed.endsWith('userhash=true')).toBe(true);
  });

  it('never contains the password', () => {
    expect(answer('Digest realm="r", nonce="n", qop="auth"')).not.toContain('r0xy');
  });
});

describe('chooseDigest', () => {
  it('prefers SHA-256 and passes over what it cannot answer', () => {
    const offers = [
      'Digest realm="r", nonce="1", algorithm=SHA-512-256',
      'Digest realm="r", nonce="2", algorithm=MD5',
      'Digest realm="r", nonce="3", algorithm=SHA-256',
    ];
    expect(chooseDigest(parseChallenges(offers))?.params.get('nonce')).toBe('3');
    expect(chooseDigest(parseChallenges(offers.slice(0, 2)))?.params.get('nonce')).toBe('2');
  });

  it.each([
    'Basic realm="r"',
    'Digest realm="r"',
    'Digest nonce="n"',
    'Digest realm="r", nonce="n", qop="auth-int"',
    'Digest realm="r", nonce="n", algorithm=SHA-512-256',
    `Digest realm="r", nonce="${'n'.repeat(2000)}"`,
  ])('finds nothing to answer in %.60s', (challenge) => {
    expect(chooseDigest(parseChallenges([challenge]))).toBeNull();
  });
});
