import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fromBase64, fromHex, toBase64, toHex } from '../../bytes/bytes.ts';
import { ByteWriter } from '../../bytes/cursor.ts';
import { md4 } from '../../crypto/legacy.ts';
import { fixedPlatform } from '../../testing/fixed-platform.ts';
import { parseCredential } from '../credential.ts';
import exchange from '../spnego/vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };
import { fileTime, ntHash, ntowfV2, ntProof } from './_keys.ts';
import type { NtlmChallenge } from './_messages.ts';
import {
  AV_ID,
  decodeAuthenticate,
  decodeChallenge,
  decodeNegotiate,
  decodeNtlmv2Response,
  encodeChallenge,
  NTLM_FLAG,
} from './_messages.ts';
import { NtlmClient } from './ntlm.ts';

/**
 * ntlm-client 0.1.1, a stranger that writes and reads the same messages. It knows no MIC, no channel binding and no
 * sealing, and makes MD4 with OpenSSL, which has put that away; so MD4 is ours here.
 */
interface Type2 {
  readonly flags: number;
  readonly encoding: string;
  readonly version: number;
  readonly challenge: Uint8Array;
  readonly targetName: string;
  readonly targetInfo: { readonly parsed: Readonly<Record<string, string>>; readonly buffer: Uint8Array };
}
interface NtlmClientPackage {
  createType1Message(workstation: string, target?: string): string;
  decodeType2Message(header: string): Type2;
  createType3Message(type2: Type2, user: string, password: string, workstation: string, target?: string): string;
}

const require = createRequire(import.meta.url);
const stranger: NtlmClientPackage = require('ntlm-client/lib/ntlm');
const hashes: {
  createNTLMHash(password: string): Uint8Array;
  createNTLMv2Response(type2: Type2, user: string, hash: Uint8Array, nonce: string): Uint8Array;
} = require('ntlm-client/lib/hash');
const nodeCrypto: { createHash: (name: string) => unknown } = require('node:crypto');
const original = nodeCrypto.createHash;

beforeAll(() => {
  nodeCrypto.createHash = (name) => {
    if (name !== 'md4') return original(name);
    const parts: Uint8Array[] = [];
    return {
      update: (bytes: Uint8Array) => parts.push(bytes),
      digest: () => Buffer.from(md4(Buffer.concat(parts))),
    };
  };
});

afterAll(() => {
  nodeCrypto.createHash = original;
});

const challenge: NtlmChallenge = decodeChallenge(fromHex(exchange.challenge) ?? expect.fail());
const header = `NTLM ${toBase64(encodeChallenge(challenge))}`;

function messageIn(text: string): Uint8Array {
  expect(text).toMatch(/^NTLM /);
  return fromBase64(text.slice(5)) ?? expect.fail('not base64');
}

describe('ntlm-client', () => {
  test('its type 1 is read by decodeNegotiate', () => {
    const message = decodeNegotiate(messageIn(stranger.createType1Message('DESK', 'CORP')));
    expect(Buffer.from(message.workstation).toString()).toBe('DESK');
    expect(Buffer.from(message.domain).toString()).toBe('CORP');
    expect(message.version).toBeNull();
    expect(message.flags & NTLM_FLAG.extendedSessionSecurity).not.toBe(0);
  });

  test('it reads the type 2 of encodeChallenge', () => {
    const type2 = stranger.decodeType2Message(header);
    expect(type2).toMatchObject({ encoding: 'ucs2', version: 2, targetName: 'DOMAIN' });
    expect(toHex(type2.challenge)).toBe(toHex(challenge.serverChallenge));
    expect(type2.targetInfo.parsed).toEqual({
      SERVER: 'DC01',
      DOMAIN: 'DOMAIN',
      FQDN: 'DC01.domain.local',
      DNS: 'domain.local',
      PARENT_DNS: 'domain.local',
    });
  });

  test('its NT hash is ours', () => {
    expect(toHex(new Uint8Array(hashes.createNTLMHash('Password')))).toBe(toHex(ntHash('Password')));
  });

  test.each([
    ['ada', 'Password', 'DOMAIN'],
    ['Jürgen', 'pässwörd ключ', 'DOMAIN'],
  ])('its type 3 for %s verifies with our keys', (user, password, domain) => {
    const type2 = stranger.decodeType2Message(header);
    const message = decodeAuthenticate(messageIn(stranger.createType3Message(type2, user, password, 'DESK')));
    expect(message).toMatchObject({ user, domain, workstation: 'DESK', version: null, mic: null });
    const key = ntowfV2(ntHash(password), message.user, message.domain);
    const response = decodeNtlmv2Response(message.ntResponse);
    expect(toHex(response.proof)).toBe(toHex(ntProof(key, challenge.serverChallenge, response.clientChallenge)));
    expect(response.avPairs).toEqual(challenge.targetInfo);
  });

  test('our type 3 has the proof it would compute over the same clock and AV pairs', () => {
    const nowMs = Date.UTC(2020, 4, 7, 12, 34, 56, 789);
    const timestamp = new ByteWriter(8).u64le(fileTime(nowMs)).finish();
    const targetInfo = (challenge.targetInfo ?? []).map((pair) =>
      pair.id === AV_ID.timestamp ? { id: pair.id, value: timestamp } : pair,
    );
    const client = new NtlmClient({
      credential: parseCredential('DOMAIN\\ada', 'Password'),
      spn: 'http/dc01',
      workstation: 'DESK',
      binding: null,
      platform: fixedPlatform(),
    });
    client.negotiate();
    const message = decodeAuthenticate(client.answer(encodeChallenge({ ...challenge, targetInfo })).token);
    const { proof, clientChallenge: temp } = decodeNtlmv2Response(message.ntResponse);
    const type2 = stranger.decodeType2Message(header);
    const withOurPairs = { ...type2, targetInfo: { ...type2.targetInfo, buffer: Buffer.from(temp.subarray(28, -4)) } };
    const clock = vi.spyOn(Date, 'now').mockReturnValue(nowMs);
    const theirs = hashes.createNTLMv2Response(
      withOurPairs,
      'ada',
      hashes.createNTLMHash('Password'),
      toHex(temp.subarray(16, 24)),
    );
    clock.mockRestore();
    expect(toHex(new Uint8Array(theirs))).toBe(toHex(proof) + toHex(temp));
  });
});
