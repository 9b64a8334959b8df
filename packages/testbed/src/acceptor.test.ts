import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeNegotiate, isNtlmMessage, NTLM_FLAG } from '../../protocol/src/auth/ntlm/_messages.ts';
import { createNtlmSealing } from '../../protocol/src/auth/ntlm/_seal.ts';
import {
  decodeSpnegoToken,
  encodeMechTypeList,
  encodeNegTokenInit,
  encodeNegTokenResp,
  MECHANISM_OID,
} from '../../protocol/src/auth/spnego/_tokens.ts';
import { isWinRmError } from '../../protocol/src/errors.ts';
import { sealEnvelope } from '../../protocol/src/seal/seal.ts';
import { AccountBook } from './accounts.ts';
import { NegotiateAcceptor } from './negotiate-acceptor.ts';
import { Refusal } from './refusal.ts';
import { openBody, sealBody } from './sealed-body.ts';
import { durationMs, readRequest } from './soap.ts';
import { SoapFault } from './soap-fault.ts';

const NEGOTIATE = encodeNegotiate({
  flags: (NTLM_FLAG.unicode | NTLM_FLAG.seal | NTLM_FLAG.key128) >>> 0,
  domain: new Uint8Array(0),
  workstation: new Uint8Array(0),
  version: null,
});

function acceptor(): NegotiateAcceptor {
  return new NegotiateAcceptor(new AccountBook(), 'TEST', 'Negotiate');
}

function isExpected(error: unknown): boolean {
  return error instanceof Refusal || error instanceof SoapFault || isWinRmError(error);
}

function survives(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

describe('NegotiateAcceptor', () => {
  test('answers raw NTLM with raw NTLM, and SPNEGO with SPNEGO', () => {
    const raw = acceptor().step(NEGOTIATE);
    expect(raw.token && isNtlmMessage(raw.token)).toBe(true);
    const init = encodeNegTokenInit(encodeMechTypeList([MECHANISM_OID.ntlm]), NEGOTIATE);
    const reply = decodeSpnegoToken(acceptor().step(init).token ?? NEGOTIATE, 'test');
    expect(reply).toMatchObject({ kind: 'resp', negState: 'accept-incomplete', supportedMech: MECHANISM_OID.ntlm });
  });

  test('asks for a MIC when NTLM was not the first choice, and then takes the NEGOTIATE', () => {
    const server = acceptor();
    const list = encodeMechTypeList([MECHANISM_OID.kerberos, MECHANISM_OID.ntlm]);
    const first = decodeSpnegoToken(server.step(encodeNegTokenInit(list, Uint8Array.of(1))).token ?? NEGOTIATE, 'test');
    expect(first).toMatchObject({ negState: 'request-mic', responseToken: null });
    const second = encodeNegTokenResp({
      negState: 'accept-incomplete',
      supportedMech: null,
      responseToken: NEGOTIATE,
      mechListMic: null,
    });
    expect(decodeSpnegoToken(server.step(second).token ?? NEGOTIATE, 'test')).toMatchObject({ supportedMech: null });
  });

  test('refuses Kerberos alone', () => {
    const init = encodeNegTokenInit(encodeMechTypeList([MECHANISM_OID.kerberos]), NEGOTIATE);
    expect(() => acceptor().step(init)).toThrow(Refusal);
  });

  test('meets any bytes, at any stage, with a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.boolean(), (bytes, isLate, isNtlm) => {
        const server = acceptor();
        if (isLate) server.step(NEGOTIATE);
        const token = isNtlm ? Uint8Array.of(...NEGOTIATE.subarray(0, 8), 3, 0, 0, 0, ...bytes) : bytes;
        survives(() => server.step(token));
      }),
    );
  });

  test('meets damaged tokens with a refusal', () => {
    const init = encodeNegTokenInit(encodeMechTypeList([MECHANISM_OID.ntlm]), NEGOTIATE);
    fc.assert(
      fc.property(fc.nat(init.length - 1), fc.nat(255), (at, value) => {
        const damaged = init.slice();
        damaged[at] = value;
        survives(() => acceptor().step(damaged));
      }),
    );
  });
});

describe('sealed bodies', () => {
  const key = new Uint8Array(16).fill(7);
  const flags = (NTLM_FLAG.key128 | NTLM_FLAG.keyExchange) >>> 0;
  const plain = new TextEncoder().encode('<s:Envelope/>');

  test('openBody opens what the protocol seals, and the protocol’s framing survives a TAB', () => {
    const client = createNtlmSealing(key, flags, 'client');
    const server = createNtlmSealing(key, flags, 'server');
    for (let i = 0; i < 3; i++) {
      const { contentType, body } = sealEnvelope(client, plain);
      expect(openBody(server, contentType, Buffer.from(body))).toEqual(plain);
    }
    const tabbed = sealBody(client, plain);
    expect(openBody(server, tabbed.contentType, tabbed.body)).toEqual(plain);
  });

  test('openBody meets any bytes and any boundary with a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.string(), fc.boolean(), (bytes, boundary, isFramed) => {
        const context = createNtlmSealing(key, flags, 'server');
        const frame = sealBody(createNtlmSealing(key, flags, 'client'), plain);
        const body = isFramed ? Buffer.concat([frame.body.subarray(0, 180), bytes]) : Buffer.from(bytes);
        const type = isFramed ? frame.contentType : `multipart/encrypted;boundary="${boundary}"`;
        survives(() => openBody(context, type, body));
      }),
    );
  });
});

describe('SOAP', () => {
  test('readRequest meets any text with a fault', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '/', 'a', ':', '"', '=', ' ', '&', '\0', 'é') }),
        (text) => survives(() => readRequest(text)),
      ),
    );
  });

  test.each([
    ['PT20S', 20_000],
    ['PT1.5S', 1500],
    ['PT7200.000S', 7_200_000],
    ['P1DT1H1M1S', 90_061_000],
    ['P', null],
    ['PT', null],
    ['20', null],
    ['PT-1S', null],
  ])('durationMs reads %s as %s', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});
