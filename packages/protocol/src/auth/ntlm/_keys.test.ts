import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../bytes/bytes.ts';
import { Rc4 } from '../../crypto/legacy.ts';
import exchange from '../spnego/vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };
import {
  encodeClientChallenge,
  fileTime,
  messageIntegrityCode,
  ntHash,
  ntowfV2,
  ntProof,
  sealKey,
  sessionBaseKey,
  signKey,
  upcase,
} from './_keys.ts';
import { decodeAuthenticate, decodeChallenge, NTLM_FLAG, withMic } from './_messages.ts';
import published from './vectors/ms-nlmp-4-2-4.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');

describe('[MS-NLMP] 4.2.4', () => {
  const key = ntowfV2(ntHash(published.password), published.user, published.domain);
  const serverChallenge = bytes(published.serverChallenge);
  const clientChallenge = bytes(published.clientChallenge);
  const avPairs = decodeChallenge(bytes(published.challenge)).targetInfo ?? [];
  const temp = encodeClientChallenge(0n, clientChallenge, avPairs);
  const proof = ntProof(key, serverChallenge, temp);

  test('ntHash and ntowfV2 give NTOWFv1 and NTOWFv2', () => {
    expect(toHex(ntHash(published.password))).toBe(published.ntowfV1);
    expect(toHex(key)).toBe(published.ntowfV2);
  });

  test('encodeClientChallenge gives temp, ntProof NTProofStr', () => {
    expect(toHex(temp)).toBe(published.temp);
    expect(toHex(proof)).toBe(published.ntProof);
  });

  test('sessionBaseKey encrypts the random session key', () => {
    const base = sessionBaseKey(key, proof);
    expect(toHex(base)).toBe(published.sessionBaseKey);
    expect(toHex(new Rc4(base).apply(bytes(published.randomSessionKey)))).toBe(published.encryptedSessionKey);
  });

  test('signKey and sealKey give the keys of both directions at every strength', () => {
    const session = bytes(published.randomSessionKey);
    expect(toHex(signKey(session, 'client-to-server'))).toBe(published.signKeyToServer);
    expect(toHex(signKey(session, 'server-to-client'))).toBe(published.signKeyToClient);
    const of128 = NTLM_FLAG.key128 | NTLM_FLAG.key56;
    expect(toHex(sealKey(session, of128, 'client-to-server'))).toBe(published.sealKeyToServer128);
    expect(toHex(sealKey(session, of128, 'server-to-client'))).toBe(published.sealKeyToClient128);
    expect(toHex(sealKey(session, NTLM_FLAG.key56, 'client-to-server'))).toBe(published.sealKeyToServer56);
    expect(toHex(sealKey(session, NTLM_FLAG.key56, 'server-to-client'))).toBe(published.sealKeyToClient56);
    expect(toHex(sealKey(session, 0, 'client-to-server'))).toBe(published.sealKeyToServer40);
    expect(toHex(sealKey(session, 0, 'server-to-client'))).toBe(published.sealKeyToClient40);
  });
});

describe('a recorded exchange with MIC', () => {
  test('the keys of pyspnego come out', () => {
    const hash = ntHash(exchange.password);
    expect(toHex(hash)).toBe(exchange.ntowfV1);
    expect(toHex(ntowfV2(hash, 'vagrant-domain', 'DOMAIN'))).toBe(exchange.ntowfV2);
  });

  test('messageIntegrityCode is computed over the three messages with the MIC zeroed', () => {
    const authenticate = bytes(exchange.authenticate);
    const session = sessionBaseKey(
      bytes(exchange.ntowfV2),
      decodeAuthenticate(authenticate).ntResponse.subarray(0, 16),
    );
    const exported = new Rc4(session).apply(decodeAuthenticate(authenticate).encryptedSessionKey);
    expect(toHex(exported)).toBe(exchange.random[1]);
    const mic = messageIntegrityCode(
      exported,
      bytes(exchange.negotiate),
      bytes(exchange.challenge),
      withMic(authenticate, new Uint8Array(16)),
    );
    expect(toHex(mic)).toBe(exchange.mic);
  });
});

describe('upcase', () => {
  test.each([
    ['vagrant-domain', 'VAGRANT-DOMAIN'],
    ['müller.é@corp', 'MÜLLER.É@CORP'],
    ['straße', 'STRAßE'],
    ['ısı', 'ıSı'],
    ['ÿ', 'Ÿ'],
    ['νίκος', 'ΝΊΚΟΣ'],
    ['иван', 'ИВАН'],
    ['გიორგი', 'გიორგი'],
    ['ﬁ\ud835\udc1a', 'ﬁ\ud835\udc1a'],
  ])('upcase writes %s as Windows does: %s', (text, expected) => {
    expect(upcase(text)).toBe(expected);
  });

  test('ntowfV2 upper-cases the user and leaves the domain as it is written', () => {
    const hash = ntHash('Password');
    expect(ntowfV2(hash, 'user', 'Domain')).toEqual(ntowfV2(hash, 'USER', 'Domain'));
    expect(ntowfV2(hash, 'user', 'Domain')).not.toEqual(ntowfV2(hash, 'user', 'DOMAIN'));
  });
});

test('fileTime counts 100 ns since 1601', () => {
  expect(fileTime(0)).toBe(116_444_736_000_000_000n);
  expect(fileTime(Date.UTC(2020, 4, 7, 12, 34, 56, 789))).toBe(132_333_284_967_890_000n);
});
