import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8Encode, utf16leDecode, utf16leEncode } from '../../bytes/bytes.ts';
import { isWinRmError } from '../../errors.ts';
import type { AuthMechanism, AuthReply } from '../../security.ts';
import { fixedPlatform } from '../../testing/fixed-platform.ts';
import { mechanismOf } from '../_mechanism.ts';
import { parseCredential } from '../credential.ts';
import exchange from '../spnego/vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };
import { messageIntegrityCode, ntHash, ntowfV2, ntProof } from './_keys.ts';
import type { AvPair, NtlmChallenge } from './_messages.ts';
import {
  AV_FLAG_MIC,
  AV_ID,
  decodeAuthenticate,
  decodeChallenge,
  decodeNegotiate,
  decodeNtlmv2Response,
  encodeChallenge,
  NTLM_FLAG,
  withMic,
} from './_messages.ts';
import { createNtlmSealing } from './_seal.ts';
import type { NtlmOptions } from './ntlm.ts';
import { NtlmClient, ntlmExchange } from './ntlm.ts';
import published from './vectors/ms-nlmp-4-2-4.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const windows = bytes(exchange.challenge);
const NO_TOKEN = null;

function options(changes: Partial<NtlmOptions> = {}): NtlmOptions {
  return {
    credential: parseCredential(exchange.user, exchange.password),
    spn: exchange.spn,
    workstation: exchange.workstation,
    binding: bytes(exchange.bindingApplicationData),
    platform: fixedPlatform({ random: bytes(exchange.random.join('')) }),
    version: exchange.version,
    ...changes,
  };
}

function reply(verdict: AuthReply['verdict'], token: Uint8Array | null = NO_TOKEN): AuthReply {
  return { from: 'peer', verdict, token };
}

/** The Windows challenge with something else about it. */
function challengeWith(changes: Partial<NtlmChallenge>): Uint8Array {
  return encodeChallenge({ ...decodeChallenge(windows), ...changes });
}

function pairsWithout(...ids: number[]): AvPair[] {
  return (decodeChallenge(windows).targetInfo ?? []).filter(({ id }) => !ids.includes(id));
}

function answerTo(challenge: Uint8Array, changes: Partial<NtlmOptions> = {}) {
  const client = new NtlmClient(options(changes));
  client.negotiate();
  const answer = client.answer(challenge);
  const message = decodeAuthenticate(answer.token);
  return { ...answer, message, response: decodeNtlmv2Response(message.ntResponse) };
}

function begin(changes: Partial<NtlmOptions> = {}): AuthMechanism {
  const mechanism = mechanismOf('NTLM', ntlmExchange(options(changes)));
  mechanism.step(null);
  return mechanism;
}

describe('NtlmClient', () => {
  test('NtlmClient reproduces the recorded exchange of pyspnego, byte for byte', () => {
    const client = new NtlmClient(options());
    expect(toHex(client.negotiate())).toBe(exchange.negotiate);
    const answer = client.answer(windows);
    expect(toHex(answer.token)).toBe(exchange.authenticate);
    const sealed = answer.sealing.wrap(utf8Encode('x'));
    const acceptor = createNtlmSealing(bytes(exchange.random[1] ?? ''), 0xe2898235, 'server');
    expect(acceptor.unwrap(sealed.header, sealed.body)).toEqual(utf8Encode('x'));
  });

  test('NtlmClient offers Version, sealing and 128 bits, and never LM_KEY or names', () => {
    const message = decodeNegotiate(new NtlmClient(options()).negotiate());
    const { sign, seal, extendedSessionSecurity, keyExchange, key128, version } = NTLM_FLAG;
    for (const flag of [sign, seal, extendedSessionSecurity, keyExchange, key128, version])
      expect(message.flags & flag).not.toBe(0);
    expect(message.flags & (NTLM_FLAG.lmKey | 0x3000)).toBe(0);
    expect([message.domain.length, message.workstation.length]).toEqual([0, 0]);
  });

  test('NtlmClient says who it is unless it is told', () => {
    const { platform, credential, spn, workstation } = options();
    const negotiate = new NtlmClient({ platform, credential, spn, workstation, binding: null }).negotiate();
    expect(negotiate.length).toBe(40);
    expect(decodeNegotiate(negotiate).version).toEqual({ major: 0, minor: 1, build: 0 });
  });

  test('NtlmClient puts a MIC over all three messages in AUTHENTICATE', () => {
    const client = new NtlmClient(options());
    const negotiate = client.negotiate();
    const { token } = client.answer(windows);
    const message = decodeAuthenticate(token);
    const mic = messageIntegrityCode(
      bytes(exchange.random[1] ?? ''),
      negotiate,
      windows,
      withMic(token, new Uint8Array(16)),
    );
    expect(message.mic).toEqual(mic);
    expect(message.lmResponse).toEqual(new Uint8Array(24));
    expect(flagsOf(decodeNtlmv2Response(message.ntResponse).avPairs)).toBe(AV_FLAG_MIC);
  });

  test('NtlmClient begins the payload at byte 88, behind Version and MIC', () => {
    expect(answerTo(windows).token[16]).toBe(88);
  });

  test('NtlmClient sends channel bindings only when there is a binding', () => {
    const ids = (binding: Uint8Array | null) => answerTo(windows, { binding }).response.avPairs.map(({ id }) => id);
    expect(ids(bytes(exchange.bindingApplicationData))).toEqual([2, 1, 4, 3, 5, 7, 10, 9, 6]);
    expect(ids(null)).toEqual([2, 1, 4, 3, 5, 7, 9, 6]);
  });

  test('NtlmClient lets no server write the pairs that are ours', () => {
    const forged = [
      ...pairsWithout(),
      { id: AV_ID.channelBindings, value: new Uint8Array(16) },
      { id: AV_ID.targetName, value: utf16leEncode('http/elsewhere') },
      { id: AV_ID.flags, value: Uint8Array.of(1, 0, 0, 0) },
    ];
    const { avPairs } = answerTo(challengeWith({ targetInfo: forged }), { binding: null }).response;
    expect(avPairs.filter(({ id }) => id === AV_ID.channelBindings)).toEqual([]);
    const names = avPairs.filter(({ id }) => id === AV_ID.targetName).map(({ value }) => utf16leDecode(value));
    expect(names).toEqual([exchange.spn]);
    expect(flagsOf(avPairs)).toBe(AV_FLAG_MIC | 1);
  });

  test('NtlmClient sends a user principal name whole, with no domain, and hashes what it sends', () => {
    const credential = parseCredential('ada@Corp.Example', 'pw');
    const { message, response } = answerTo(windows, { credential });
    expect([message.user, message.domain]).toEqual(['ada@Corp.Example', '']);
    const key = ntowfV2(ntHash('pw'), message.user, message.domain);
    expect(response.proof).toEqual(ntProof(key, decodeChallenge(windows).serverChallenge, response.clientChallenge));
  });

  test('NtlmClient echoes no weaker key, other framing or character set', () => {
    const flags = (decodeChallenge(windows).flags | 0x8c2) >>> 0;
    const { message } = answerTo(challengeWith({ flags }));
    expect(message.flags & 0x8c2).toBe(0);
  });

  test('NtlmClient answers one challenge: misuse.wrong-state', () => {
    const client = new NtlmClient(options());
    expect(() => client.answer(windows)).toThrow('misuse.wrong-state');
    client.negotiate();
    client.answer(windows);
    expect(() => client.answer(windows)).toThrow('misuse.wrong-state');
  });
});

describe('what the client refuses', () => {
  const flags = decodeChallenge(windows).flags;
  const timestamp = { id: AV_ID.timestamp, value: new Uint8Array(8) };

  test.each([
    ['UNICODE', NTLM_FLAG.unicode],
    ['TARGET_INFO', NTLM_FLAG.targetInfo],
    ['EXTENDED_SESSIONSECURITY', NTLM_FLAG.extendedSessionSecurity],
    ['SIGN', NTLM_FLAG.sign],
    ['SEAL', NTLM_FLAG.seal],
    ['KEY_EXCH', NTLM_FLAG.keyExchange],
    ['128', NTLM_FLAG.key128],
  ])('a challenge without %s is auth.too-weak', (name, flag) => {
    const challenge = challengeWith({ flags: (flags & ~flag) >>> 0 });
    const details = { mechanism: 'NTLM', missing: expect.stringContaining(name) };
    expect(() => answerTo(challenge)).toThrow(expect.objectContaining({ code: 'auth.too-weak', details }));
  });

  test.each([
    ['MsvAvNbComputerName', AV_ID.nbComputerName],
    ['MsvAvNbDomainName', AV_ID.nbDomainName],
    ['MsvAvTimestamp', AV_ID.timestamp], // without it no MIC would be due: [MS-NLMP] 3.1.5.1.2
  ])('a challenge without %s is auth.too-weak', (missing, id) => {
    const challenge = challengeWith({ targetInfo: pairsWithout(id) });
    const details = { mechanism: 'NTLM', missing };
    expect(() => answerTo(challenge)).toThrow(expect.objectContaining({ code: 'auth.too-weak', details }));
  });

  test('the challenge of [MS-NLMP] 4.2.4, which has no timestamp, is auth.too-weak', () => {
    const details = { mechanism: 'NTLM', missing: 'MsvAvTimestamp' };
    const refused = expect.objectContaining({ code: 'auth.too-weak', details });
    expect(() => answerTo(bytes(published.challenge))).toThrow(refused);
  });

  test('a challenge whose target information is empty is auth.too-weak', () => {
    const challenge = windows.slice();
    challenge.set([0, 0], 40);
    expect(() => answerTo(challenge)).toThrow('auth.too-weak');
  });

  test.each([
    ['a timestamp of 7 bytes', [{ id: AV_ID.timestamp, value: new Uint8Array(7) }]],
    ['flags of 3 bytes', [timestamp, { id: AV_ID.flags, value: new Uint8Array(3) }]],
    ['more than can be answered', [timestamp, { id: 100, value: new Uint8Array(65_300) }]],
  ])('a challenge with %s is auth.malformed-token', (_, pairs) => {
    const challenge = challengeWith({ targetInfo: [...pairsWithout(AV_ID.timestamp), ...pairs] });
    expect(() => answerTo(challenge)).toThrow('auth.malformed-token');
  });

  test('any challenge is answered or refused with auth.*', () => {
    const changes = fc.array(fc.tuple(fc.nat(windows.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(changes, (list) => {
        const challenge = windows.slice();
        for (const [at, value] of list) challenge[at] = value;
        try {
          expect(answerTo(challenge).message.mic).not.toBeNull();
        } catch (error) {
          if (!isWinRmError(error, 'auth.malformed-token')) expect(isWinRmError(error, 'auth.too-weak')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('ntlmExchange', () => {
  test('ntlmExchange earns a context whose first sealed message is number 0', () => {
    const mechanism = begin();
    const step = mechanism.step(reply('challenged', windows));
    if (step.to !== 'peer' || step.keyed === null) return expect.fail('no keys');
    expect([mechanism.stage, step.stage, toHex(step.token)]).toEqual([
      'authenticate',
      'authenticate',
      exchange.authenticate,
    ]);
    const end = mechanism.step(reply('accepted'));
    if (end.to !== 'nobody' || end.context === null) return expect.fail('not finished');
    expect(end.context).toBe(step.keyed);
    expect(end.context.wrap(utf8Encode('x')).header.subarray(12)).toEqual(new Uint8Array(4));
  });

  test('ntlmExchange names its legs', () => {
    const mechanism = mechanismOf('NTLM', ntlmExchange(options()));
    expect(mechanism.stage).toBe('start');
    expect(mechanism.step(null)).toMatchObject({ to: 'peer', stage: 'negotiate', keyed: null });
    expect(mechanism.stage).toBe('negotiate');
  });

  test('a server that takes no NTLM at all is auth.no-common-mechanism', () => {
    expect(() => begin().step(reply('rejected'))).toThrow('auth.no-common-mechanism');
  });

  test.each([
    ['without a challenge', reply('accepted')],
    ['with a challenge', reply('accepted', windows)],
  ])('success before we have authenticated is auth.incomplete, %s', (_, success) => {
    expect(() => begin().step(success)).toThrow(
      expect.objectContaining({ code: 'auth.incomplete', details: { mechanism: 'NTLM', stage: 'negotiate' } }),
    );
  });

  test('a refused password is auth.rejected, and the keys are gone', () => {
    const mechanism = begin();
    const step = mechanism.step(reply('challenged', windows));
    expect(() => mechanism.step(reply('rejected'))).toThrow(
      expect.objectContaining({
        code: 'auth.rejected',
        details: { mechanism: 'NTLM', stage: 'authenticate', user: 'vagrant-domain' },
      }),
    );
    expect(() => step.to === 'peer' && step.keyed?.wrap(utf8Encode('x'))).toThrow('misuse.wrong-state');
    expect(() => mechanism.step(reply('accepted'))).toThrow('misuse.wrong-state');
  });

  test('a second CHALLENGE is auth.malformed-token', () => {
    const mechanism = begin();
    mechanism.step(reply('challenged', windows));
    expect(() => mechanism.step(reply('challenged', windows))).toThrow('auth.malformed-token');
  });

  test('a mechanism is stepped in turn: misuse.wrong-state', () => {
    const mechanism = mechanismOf('NTLM', ntlmExchange(options()));
    expect(() => mechanism.step(reply('accepted'))).toThrow('misuse.wrong-state');
    mechanism.step(null);
    expect(() => mechanism.step(null)).toThrow('misuse.wrong-state');
    mechanism.step(reply('challenged', windows));
    mechanism.step(reply('accepted'));
    expect(() => mechanism.step(reply('accepted'))).toThrow('misuse.wrong-state');
  });
});

function flagsOf(pairs: readonly AvPair[]): number | null {
  return pairs.find(({ id }) => id === AV_ID.flags)?.value[0] ?? null;
}
