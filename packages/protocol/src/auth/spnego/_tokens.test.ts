import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8Encode } from '../../bytes/bytes.ts';
import { isWinRmError } from '../../errors.ts';
import type { NegState, NegTokenResp } from './_tokens.ts';
import {
  decodeSpnegoToken,
  encodeMechTypeList,
  encodeNegTokenInit,
  encodeNegTokenResp,
  MECHANISM_OID,
  mechanismName,
} from './_tokens.ts';
import exchange from './vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const { ntlm, kerberos, microsoftKerberos, spnego } = MECHANISM_OID;

describe('NegTokenInit', () => {
  test('encodeNegTokenInit and decodeSpnegoToken agree with pyspnego', () => {
    const mechTypeList = encodeMechTypeList([ntlm]);
    expect(toHex(mechTypeList)).toBe('300c060a2b06010401823702020a');
    expect(toHex(encodeNegTokenInit(mechTypeList, bytes(exchange.negotiate)))).toBe(exchange.negTokenInit);
    expect(decodeSpnegoToken(bytes(exchange.negTokenInit), 'negotiate')).toEqual({
      kind: 'init',
      mechTypes: [ntlm],
      mechTypeList,
      mechToken: bytes(exchange.negotiate),
      mechListMic: null,
    });
  });

  test('decodeSpnegoToken reads the four mechanisms of a Windows client, in order', () => {
    const negoEx = bytes('060a2b06010401823702021e');
    const token = decodeSpnegoToken(
      encodeNegTokenInit(encodeMechTypeList([microsoftKerberos, kerberos, negoEx, ntlm]), null),
      'negotiate',
    );
    if (token.kind !== 'init') return expect.fail('not NegTokenInit');
    expect(token.mechTypes.map(mechanismName)).toEqual(['Kerberos', 'Kerberos', '1.3.6.1.4.1.311.2.2.30', 'NTLM']);
    expect(token.mechToken).toBeNull();
  });

  test.each([
    ['without its frame', 'a010300ea00c300a06082b06010401823702', null],
    ['with reqFlags', `6020${toHex(spnego)}a0163014a00c300a06082b06010401823702a104030205a0`, null],
    ['with a MIC', `6020${toHex(spnego)}a0163014a00c300a06082b06010401823702a3040402abcd`, 'abcd'],
    [
      'of the server, with hints and a MIC',
      `602b${toHex(spnego)}a021301fa00c300a06082b06010401823702a309 3007a0051b036e6f74a4040402abcd`,
      'abcd',
    ],
  ])('decodeSpnegoToken reads NegTokenInit %s', (_, hex, mic) => {
    const token = decodeSpnegoToken(bytes(hex), 'negotiate');
    expect(token.mechListMic === null ? null : toHex(token.mechListMic)).toBe(mic);
  });
});

describe('NegTokenResp', () => {
  test.each([
    ['the CHALLENGE', exchange.challengeToken, 'accept-incomplete', exchange.challenge, null],
    ['the AUTHENTICATE', exchange.negTokenResp, 'accept-incomplete', exchange.authenticate, exchange.mechListMic],
    ['the verdict', exchange.serverFinal, 'accept-completed', null, exchange.serverFinal.slice(-32)],
  ])('decodeSpnegoToken and encodeNegTokenResp agree with pyspnego on %s', (_, hex, negState, token, mic) => {
    const decoded = decodeSpnegoToken(bytes(hex), 'authenticate');
    expect(decoded).toMatchObject({ kind: 'resp', negState });
    if (decoded.kind !== 'resp') return;
    expect(decoded.responseToken === null ? null : toHex(decoded.responseToken)).toBe(token);
    expect(decoded.mechListMic === null ? null : toHex(decoded.mechListMic)).toBe(mic);
    expect(toHex(encodeNegTokenResp(decoded))).toBe(hex);
  });

  test('decodeSpnegoToken undoes encodeNegTokenResp', () => {
    const octets = fc.option(fc.uint8Array({ maxLength: 300 }));
    const tokens = fc.record<NegTokenResp>({
      kind: fc.constant('resp'),
      negState: fc.option(fc.constantFrom<NegState>('accept-completed', 'accept-incomplete', 'reject', 'request-mic')),
      supportedMech: fc.option(fc.constantFrom<Uint8Array>(ntlm, kerberos)),
      responseToken: octets,
      mechListMic: octets,
    });
    fc.assert(
      fc.property(tokens, (token) => {
        expect(decodeSpnegoToken(encodeNegTokenResp(token), 'authenticate')).toEqual(token);
      }),
    );
  });
});

describe('refusals', () => {
  test.each([
    ['nothing', ''],
    ['raw NTLM', exchange.challenge],
    ['Kerberos in a GSS frame', `600b${toHex(kerberos)}`],
    ['no mechanism', 'a0063004a0023000'],
    ['an unknown negState', 'a1073005a0030a0104'],
    ['a negState of two bytes', 'a1083006a0040a020000'],
    ['a field out of order', 'a1113 00fa2050403010203a0030a0101a1010a'],
    ['leftovers', `${exchange.serverFinal}00`],
    ['leftovers inside', 'a109 3005a0030a0101 0500'],
  ])('decodeSpnegoToken refuses %s: auth.malformed-token', (_, hex) => {
    const details = { mechanism: 'Negotiate', stage: 'negotiate', problem: expect.any(String) };
    expect(() => decodeSpnegoToken(bytes(hex), 'negotiate')).toThrow(
      expect.objectContaining({ code: 'auth.malformed-token', details }),
    );
  });

  test('decodeSpnegoToken refuses more mechanisms than anybody lists: auth.malformed-token', () => {
    const many = encodeNegTokenInit(encodeMechTypeList(Array.from({ length: 65 }, () => ntlm)), null);
    expect(() => decodeSpnegoToken(many, 'negotiate')).toThrow('auth.malformed-token');
  });

  test('decodeSpnegoToken refuses every token cut short: auth.malformed-token', () => {
    for (const hex of [exchange.negTokenInit, exchange.challengeToken, exchange.negTokenResp]) {
      const whole = bytes(hex);
      for (let length = 0; length < whole.length; length++)
        expect(() => decodeSpnegoToken(whole.subarray(0, length), 'x')).toThrow('auth.malformed-token');
    }
  });

  test('decodeSpnegoToken answers any bytes with a token or auth.malformed-token', () => {
    const seeds = [exchange.negTokenInit, exchange.challengeToken, exchange.serverFinal].map(bytes);
    const changes = fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { maxLength: 5 });
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.tuple(fc.constantFrom(...seeds), changes).map(([seed, list]) => {
        const copy = seed.slice();
        for (const [at, value] of list) copy[at % copy.length] = value;
        return copy;
      }),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        try {
          decodeSpnegoToken(input, 'x');
        } catch (error) {
          expect(isWinRmError(error, 'auth.malformed-token')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('mechanismName has words for anything', () => {
    expect(mechanismName(utf8Encode(''))).toBe('an unknown mechanism');
  });
});
