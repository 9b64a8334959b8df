import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes, fromHex, toHex, utf16leDecode, utf16leEncode } from '../../bytes/bytes.ts';
import { isWinRmError } from '../../errors.ts';
import exchange from '../spnego/vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };
import type { NtlmAuthenticate, NtlmChallenge } from './_messages.ts';
import {
  AV_ID,
  decodeAuthenticate,
  decodeAvPairs,
  decodeChallenge,
  decodeNegotiate,
  decodeNtlmv2Response,
  encodeAuthenticate,
  encodeAvPairs,
  encodeChallenge,
  encodeNegotiate,
  isNtlmMessage,
  MIC_OFFSET,
  NTLM_FLAG,
  withMic,
} from './_messages.ts';
import published from './vectors/ms-nlmp-4-2-4.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const windows2016 = { major: 10, minor: 0, build: 14393 };

describe('NEGOTIATE', () => {
  test('encodeNegotiate writes what pyspnego writes, 40 bytes with Version', () => {
    const message = {
      flags: 0xe2088237,
      domain: new Uint8Array(0),
      workstation: new Uint8Array(0),
      version: exchange.version,
    };
    expect(toHex(encodeNegotiate(message))).toBe(exchange.negotiate);
    expect(decodeNegotiate(bytes(exchange.negotiate))).toEqual(message);
  });

  test('decodeNegotiate reads the sixteen bytes an old client sends', () => {
    const message = decodeNegotiate(bytes('4e544c4d5353500001000000b7820800'));
    expect(message).toMatchObject({ flags: 0x000882b7, version: null });
  });

  test('decodeNegotiate returns the names a client supplied', () => {
    const message = {
      flags: NTLM_FLAG.unicode,
      domain: utf16leEncode('A').slice(0, 1),
      workstation: bytes('424344'),
      version: null,
    };
    expect(decodeNegotiate(encodeNegotiate(message))).toEqual(message);
  });
});

describe('CHALLENGE', () => {
  test('decodeChallenge and encodeChallenge agree with [MS-NLMP] 4.2.4.3', () => {
    const message = decodeChallenge(bytes(published.challenge));
    expect(message).toEqual({
      flags: 0xe28a8233,
      targetName: 'Server',
      serverChallenge: bytes(published.serverChallenge),
      targetInfo: [
        { id: AV_ID.nbDomainName, value: utf16leEncode('Domain') },
        { id: AV_ID.nbComputerName, value: utf16leEncode('Server') },
      ],
      version: { major: 6, minor: 0, build: 6000 },
    });
    expect(toHex(encodeChallenge(message))).toBe(published.challenge);
  });

  test('decodeChallenge and encodeChallenge agree with a Windows 2016 server', () => {
    const message = decodeChallenge(bytes(exchange.challenge));
    expect(message.targetName).toBe('DOMAIN');
    expect(message.version).toEqual(windows2016);
    expect(message.targetInfo?.map((pair) => pair.id)).toEqual([2, 1, 4, 3, 5, 7]);
    expect(toHex(encodeChallenge(message))).toBe(exchange.challenge);
  });

  test('decodeChallenge reads a message without Version', () => {
    const message: NtlmChallenge = {
      flags: NTLM_FLAG.unicode | NTLM_FLAG.targetInfo,
      targetName: 'X',
      serverChallenge: new Uint8Array(8),
      targetInfo: [],
      version: null,
    };
    expect(decodeChallenge(encodeChallenge(message))).toEqual(message);
  });

  test('decodeChallenge ignores bytes behind the payload', () => {
    const message = decodeChallenge(bytes(`${exchange.challenge}00ff`));
    expect(message).toEqual(decodeChallenge(bytes(exchange.challenge)));
  });

  test.each([
    ['another signature', (b: Uint8Array) => b.set([0x4f], 0)],
    ['another type', (b: Uint8Array) => b.set([3], 8)],
    ['a name past the end', (b: Uint8Array) => b.set([0xff, 0xff], 12)],
    ['a name of half a character', (b: Uint8Array) => b.set([11], 12)],
    ['target information past the end', (b: Uint8Array) => b.set([0xff, 0xff, 0xff, 0x7f], 44)],
    ['target information without its end', (b: Uint8Array) => b.set([0x86], 40)],
    ['target information cut inside a pair', (b: Uint8Array) => b.set([0x03], 40)],
  ])('decodeChallenge refuses %s: auth.malformed-token', (_, spoil) => {
    const message = bytes(exchange.challenge);
    spoil(message);
    expect(() => decodeChallenge(message)).toThrow(
      expect.objectContaining({
        code: 'auth.malformed-token',
        details: expect.objectContaining({ stage: 'challenge' }),
      }),
    );
  });

  test('decodeChallenge refuses every message cut short: auth.malformed-token', () => {
    const message = bytes(exchange.challenge);
    for (let length = 0; length < message.length; length++)
      expect(() => decodeChallenge(message.subarray(0, length))).toThrow('auth.malformed-token');
  });
});

describe('AUTHENTICATE', () => {
  test('decodeAuthenticate reads [MS-NLMP] 4.2.4.3, which has a Version and no MIC', () => {
    const message = decodeAuthenticate(bytes(published.authenticate));
    expect(message).toMatchObject({
      flags: 0xe2888235,
      domain: 'Domain',
      user: 'User',
      workstation: 'COMPUTER',
      version: { major: 5, minor: 1, build: 2600 },
      mic: null,
    });
    expect(toHex(message.lmResponse)).toBe(published.lmV2Response);
    expect(toHex(message.ntResponse)).toBe(published.ntProof + published.temp);
    expect(toHex(message.encryptedSessionKey)).toBe(published.encryptedSessionKey);
    expect(decodeAuthenticate(encodeAuthenticate(message))).toEqual(message);
  });

  test('decodeAuthenticate and encodeAuthenticate agree with pyspnego, MIC at byte 72', () => {
    const message = decodeAuthenticate(bytes(exchange.authenticate));
    expect(message).toMatchObject({ domain: 'DOMAIN', user: 'vagrant-domain', workstation: 'BROWSER' });
    expect(toHex(message.mic ?? new Uint8Array(0))).toBe(exchange.mic);
    expect(toHex(encodeAuthenticate(message))).toBe(exchange.authenticate);
    const bare = withMic(bytes(exchange.authenticate), new Uint8Array(16));
    expect(toHex(bare.subarray(MIC_OFFSET, MIC_OFFSET + 16))).toBe('0'.repeat(32));
    expect(toHex(withMic(bare, bytes(exchange.mic)))).toBe(exchange.authenticate);
    const buffer = Buffer.from(exchange.authenticate, 'hex');
    withMic(buffer, new Uint8Array(16));
    expect(buffer.toString('hex')).toBe(exchange.authenticate);
  });

  test.each([
    ['neither Version nor MIC', 64, null, null],
    ['a Version alone', 72, windows2016, null],
    ['a MIC alone', 80, null, new Uint8Array(16).fill(7)],
    ['both', 88, windows2016, new Uint8Array(16).fill(7)],
  ])('decodeAuthenticate sees %s when the payload begins at %i', (_, payloadAt, version, mic) => {
    const message: NtlmAuthenticate = { ...decodeAuthenticate(bytes(exchange.authenticate)), version, mic };
    const encoded = encodeAuthenticate(message);
    expect(encoded[16]).toBe(payloadAt);
    expect(decodeAuthenticate(encoded)).toEqual(message);
    if (mic !== null) {
      const other = new Uint8Array(16).fill(9);
      expect(decodeAuthenticate(withMic(encoded, other)).mic).toEqual(other);
    }
  });

  test('decodeAuthenticate reads OEM text when UNICODE was not chosen', () => {
    const message = { ...decodeAuthenticate(bytes(published.authenticate)), domain: '', user: '', workstation: '' };
    const encoded = encodeAuthenticate({ ...message, flags: message.flags & ~NTLM_FLAG.unicode, user: '\u4142' });
    expect(decodeAuthenticate(encoded).user).toBe('BA');
  });

  test('decodeAuthenticate refuses every message cut short: auth.malformed-token', () => {
    const message = bytes(exchange.authenticate);
    for (let length = 0; length < message.length; length++)
      expect(() => decodeAuthenticate(message.subarray(0, length))).toThrow('auth.malformed-token');
  });

  test('encodeAuthenticate refuses a field that its length cannot say: misuse.bad-argument', () => {
    const message = decodeAuthenticate(bytes(exchange.authenticate));
    expect(() => encodeAuthenticate({ ...message, user: 'x'.repeat(40_000) })).toThrow('misuse.bad-argument');
  });
});

describe('NTLMv2 response', () => {
  test('decodeNtlmv2Response takes the response of [MS-NLMP] 4.2.4 apart', () => {
    const response = decodeNtlmv2Response(bytes(published.ntProof + published.temp));
    expect(toHex(response.proof)).toBe(published.ntProof);
    expect(toHex(response.clientChallenge)).toBe(published.temp);
    expect(response.time).toBe(0n);
    expect(response.avPairs.map((pair) => utf16leDecode(pair.value))).toEqual(['Domain', 'Server']);
  });

  test('decodeNtlmv2Response refuses a response of NTLMv1: auth.malformed-token', () => {
    expect(() => decodeNtlmv2Response(new Uint8Array(24))).toThrow('auth.malformed-token');
  });
});

describe('properties', () => {
  const block = fc.uint8Array({ maxLength: 40 });
  const text = fc.string({ unit: 'binary-ascii', maxLength: 20 });
  const version = fc.option(
    fc.record({
      major: fc.nat(255),
      minor: fc.nat(255),
      build: fc.nat(65535),
    }),
  );

  test('decodeAuthenticate undoes encodeAuthenticate', () => {
    const messages = fc.record({
      flags: fc.nat(0xffffffff).map((flags) => (flags | NTLM_FLAG.unicode) >>> 0),
      lmResponse: block,
      ntResponse: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      domain: text,
      user: text,
      workstation: text,
      encryptedSessionKey: block,
      version,
      mic: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 })),
    });
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeAuthenticate(encodeAuthenticate(message))).toEqual(message);
      }),
    );
  });

  test('decodeAvPairs undoes encodeAvPairs, whatever follows', () => {
    const pairs = fc.array(fc.record({ id: fc.integer({ min: 1, max: 65535 }), value: block }), { maxLength: 12 });
    fc.assert(
      fc.property(pairs, block, (list, junk) => {
        const encoded = encodeAvPairs(list);
        const padded = new Uint8Array([...encoded, ...junk]);
        expect(decodeAvPairs(encoded, 'challenge')).toEqual(list);
        expect(decodeAvPairs(padded, 'challenge')).toEqual(list);
      }),
    );
  });

  test('every decoder answers any bytes with a value or auth.malformed-token', () => {
    const seeds = [exchange.negotiate, exchange.challenge, exchange.authenticate, published.authenticate].map(bytes);
    const mutated = fc.tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { maxLength: 8 }));
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      mutated.map(([seed, changes]) => {
        const copy = seed.slice();
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return copy;
      }),
    );
    const decoders = [decodeNegotiate, decodeChallenge, decodeAuthenticate, decodeNtlmv2Response];
    fc.assert(
      fc.property(inputs, (input) => {
        const before = input.slice();
        for (const decode of decoders) {
          try {
            decode(input);
          } catch (error) {
            expect(isWinRmError(error, 'auth.malformed-token')).toBe(true);
          }
        }
        expect(equalBytes(input, before)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('isNtlmMessage knows NTLM by its signature', () => {
    expect(isNtlmMessage(bytes(exchange.negotiate))).toBe(true);
    expect(isNtlmMessage(bytes(exchange.negTokenInit))).toBe(false);
    expect(isNtlmMessage(new Uint8Array(3))).toBe(false);
  });
});
