import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8Encode } from '../../bytes/bytes.ts';
import type { AuthMechanism, AuthReply, AuthStep, SecurityContext } from '../../security.ts';
import { fixedPlatform } from '../../testing/fixed-platform.ts';
import { acceptorSealing, changedChallenge, withoutTimestamp } from '../../testing/ntlm-acceptor.ts';
import { mechanismOf } from '../_mechanism.ts';
import { parseCredential } from '../credential.ts';
import type { NtlmAnswer } from '../ntlm/ntlm.ts';
import type { NegTokenResp } from './_tokens.ts';
import { decodeSpnegoToken, encodeMechTypeList, encodeNegTokenResp, MECHANISM_OID } from './_tokens.ts';
import { spnegoExchange } from './spnego.ts';
import exchange from './vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const windows = bytes(exchange.challenge);
type Sealing = NtlmAnswer['sealing'];

const mechTypeList = encodeMechTypeList([MECHANISM_OID.ntlm]);
const NOTHING = { negState: null, supportedMech: null, responseToken: null, mechListMic: null };

function reply(verdict: AuthReply['verdict'], token: Uint8Array | null = null): AuthReply {
  return { from: 'peer', verdict, token };
}

function resp(fields: Partial<NegTokenResp>): Uint8Array {
  return encodeNegTokenResp({ ...NOTHING, ...fields });
}

function begin(): AuthMechanism {
  const mechanism = mechanismOf(
    'Negotiate',
    spnegoExchange({
      credential: parseCredential(exchange.user, exchange.password),
      spn: exchange.spn,
      workstation: exchange.workstation,
      binding: bytes(exchange.bindingApplicationData),
      platform: fixedPlatform({ random: bytes(exchange.random.join('')) }),
      version: exchange.version,
    }),
  );
  mechanism.step(null);
  return mechanism;
}

/** A challenge in SPNEGO, as a server sends it on the first leg. */
function offer(fields: Partial<NegTokenResp> = {}, challenge: Uint8Array = windows): AuthReply {
  const usual = { negState: 'accept-incomplete', supportedMech: MECHANISM_OID.ntlm, responseToken: challenge } as const;
  return reply('challenged', resp({ ...usual, ...fields }));
}

/** The client after its AUTHENTICATE, and the server's half of the keys. */
function authenticated(first: AuthReply = offer()): Conversation {
  const mechanism = begin();
  const leg = peerLeg(mechanism.step(first));
  const token = decodeSpnegoToken(leg.token, 'authenticate');
  if (token.kind !== 'resp' || token.responseToken === null) return expect.fail('no AUTHENTICATE');
  const server = acceptorSealing(token.responseToken, bytes(exchange.ntowfV2));
  return { mechanism, leg, token, server };
}

interface Conversation {
  readonly mechanism: AuthMechanism;
  readonly leg: Extract<AuthStep, { to: 'peer' }>;
  readonly token: NegTokenResp;
  readonly server: Sealing;
}

/** What the server does with the client's mechListMIC, and the verdict it then sends. */
function accept({ token, server }: Conversation): Uint8Array {
  expect(server.verify(mechTypeList, token.mechListMic ?? expect.fail('no mechListMIC'))).toBe(true);
  server.restartIncoming();
  return resp({ negState: 'accept-completed', mechListMic: sign(server) });
}

function sign(server: Sealing): Uint8Array {
  const mic = server.sign(mechTypeList);
  server.restartOutgoing();
  return mic;
}

function peerLeg(step: AuthStep): Extract<AuthStep, { to: 'peer' }> {
  return step.to === 'peer' ? step : expect.fail('no leg');
}

function contextOf(step: AuthStep): SecurityContext {
  return (step.to === 'nobody' ? step.context : null) ?? expect.fail('no context');
}

/** Both ways, as the first sealed messages of a lane. */
function expectSealing(client: SecurityContext, server: SecurityContext, sequence: number): void {
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    const sealed = from.wrap(utf8Encode('<s:Envelope/>'));
    expect(sealed.header[12]).toBe(sequence);
    expect(to.unwrap(sealed.header, sealed.body)).toEqual(utf8Encode('<s:Envelope/>'));
  }
}

describe('spnegoExchange', () => {
  test('spnegoExchange reproduces the recorded exchange of pyspnego and its sealed messages, byte for byte', () => {
    const mechanism = begin();
    const step = mechanism.step(reply('challenged', bytes(exchange.challengeToken)));
    expect(toHex(peerLeg(step).token)).toBe(exchange.negTokenResp);
    const context = contextOf(mechanism.step(reply('accepted', bytes(exchange.serverFinal))));
    for (const seal of exchange.seals) {
      if (seal.by === 'server') {
        expect(context.unwrap(bytes(seal.signature), bytes(seal.data))).toEqual(utf8Encode(seal.plain));
      } else {
        const sealed = context.wrap(utf8Encode(seal.plain));
        expect([toHex(sealed.header), toHex(sealed.body)]).toEqual([seal.signature, seal.data]);
      }
    }
  });

  test('spnegoExchange opens with NTLM already in the first token', () => {
    const mechanism = mechanismOf('Negotiate', spnegoExchangeOf());
    expect(toHex(peerLeg(mechanism.step(null)).token)).toBe(exchange.negTokenInit);
    expect(mechanism.stage).toBe('negotiate');
  });

  test('spnegoExchange has keys before the server has confirmed, so that a body may ride along', () => {
    const conversation = authenticated();
    const client = conversation.leg.keyed ?? expect.fail('no keys');
    const verdict = accept(conversation);
    const body = client.wrap(utf8Encode('first'));
    expect(conversation.server.unwrap(body.header, body.body)).toEqual(utf8Encode('first'));
    const answer = conversation.server.wrap(utf8Encode('answer'));
    const context = contextOf(conversation.mechanism.step(reply('accepted', verdict)));
    expect(context.unwrap(answer.header, answer.body)).toEqual(utf8Encode('answer'));
  });

  test('spnegoExchange signs the list because AUTHENTICATE has a MIC; sealing begins at number 1', () => {
    const conversation = authenticated();
    const verdict = accept(conversation);
    expectSealing(contextOf(conversation.mechanism.step(reply('accepted', verdict))), conversation.server, 1);
  });

  test('spnegoExchange signs the list all the same when the server asks for it', () => {
    const conversation = authenticated(offer({ negState: 'request-mic' }));
    const verdict = accept(conversation);
    expectSealing(contextOf(conversation.mechanism.step(reply('accepted', verdict))), conversation.server, 1);
  });

  test('spnegoExchange ignores a copy of the challenge where a MIC belongs', () => {
    const conversation = authenticated(offer({ mechListMic: windows }));
    const verdict = accept(conversation);
    expectSealing(contextOf(conversation.mechanism.step(reply('accepted', verdict))), conversation.server, 1);
  });

  test('spnegoExchange takes a first answer without negState and mechanism for what we offered', () => {
    expect(authenticated(offer({ negState: null, supportedMech: null })).leg.stage).toBe('authenticate');
  });
});

describe('the first answer', () => {
  test.each([
    ['no token', reply('rejected')],
    ['reject', offer({ negState: 'reject', supportedMech: null, responseToken: null })],
    ['Kerberos', offer({ supportedMech: MECHANISM_OID.kerberos })],
    ['a mechanism unheard of', offer({ supportedMech: bytes('06032a0304') })],
  ])('%s is auth.no-common-mechanism', (_, first) => {
    expect(() => begin().step(first)).toThrow(
      expect.objectContaining({
        code: 'auth.no-common-mechanism',
        details: { offered: expect.stringMatching(/^(none|Kerberos|1\.2\.3\.4)$/), wanted: 'NTLM' },
      }),
    );
  });

  test.each([
    ['success', reply('accepted')],
    ['success with a token', reply('accepted', bytes(exchange.serverFinal))],
  ])('%s before we have authenticated is auth.incomplete', (_, first) => {
    expect(() => begin().step(first)).toThrow('auth.incomplete');
  });

  test.each([
    ['raw NTLM', reply('challenged', windows)],
    ['NegTokenInit', reply('challenged', bytes(exchange.negTokenInit))],
    ['junk', reply('challenged', utf8Encode('junk'))],
    ['nothing inside', offer({ responseToken: null })],
    ['accept-completed', offer({ negState: 'accept-completed' })],
    ['a MIC before there are keys', offer({ mechListMic: new Uint8Array(16) })],
    ['junk for a CHALLENGE', offer({ responseToken: utf8Encode('NTLMSSP?') })],
  ])('%s is auth.malformed-token', (_, first) => {
    expect(() => begin().step(first)).toThrow('auth.malformed-token');
  });

  test('a weak challenge is auth.too-weak, and so is one that asks for no MIC', () => {
    for (const weak of [changedChallenge(windows, { flags: 0x1 }), withoutTimestamp(windows)]) {
      expect(() => begin().step(offer({}, weak))).toThrow('auth.too-weak');
    }
  });
});

describe('the verdict', () => {
  test.each([
    ['401 without a token', reply('rejected')],
    ['401 with negState reject', reply('challenged', resp({ negState: 'reject' }))],
    ['200 with negState reject', reply('accepted', resp({ negState: 'reject' }))],
  ])('%s is auth.rejected, and the keys are gone', (_, verdict) => {
    const { mechanism, leg } = authenticated();
    expect(() => mechanism.step(verdict)).toThrow(
      expect.objectContaining({
        code: 'auth.rejected',
        details: { mechanism: 'Negotiate', stage: 'authenticate', user: 'vagrant-domain' },
      }),
    );
    expect(() => leg.keyed?.wrap(utf8Encode('x'))).toThrow('misuse.wrong-state');
  });

  test.each([
    ['200 without a token, though we have signed', reply('accepted')],
    ['200 with accept-incomplete', reply('accepted', resp({ negState: 'accept-incomplete' }))],
    ['200 with request-mic', reply('accepted', resp({ negState: 'request-mic' }))],
    ['401 asking for more', reply('challenged', resp({ negState: 'accept-incomplete' }))],
    [
      '401 with a signature',
      reply('challenged', resp({ negState: 'accept-incomplete', mechListMic: new Uint8Array(16) })),
    ],
    ['401 with accept-completed', reply('challenged', resp({ negState: 'accept-completed' }))],
  ])('%s is auth.incomplete', (_, verdict) => {
    expect(() => authenticated().mechanism.step(verdict)).toThrow('auth.incomplete');
  });

  test('a second CHALLENGE is auth.malformed-token', () => {
    expect(() => authenticated().mechanism.step(offer())).toThrow('auth.malformed-token');
  });

  test.each([
    ['no mechListMIC, though we have signed', () => resp({ negState: 'accept-completed' })],
    [
      'a copy of responseToken for a mechListMIC',
      () => resp({ responseToken: Uint8Array.of(1), mechListMic: Uint8Array.of(1) }),
    ],
    ['our own mechListMIC sent back', ({ token }: Conversation) => resp({ mechListMic: token.mechListMic })],
    [
      'a mechListMIC over another list',
      ({ server }: Conversation) => resp({ mechListMic: server.sign(new Uint8Array(2)) }),
    ],
    ['half a mechListMIC', ({ server }: Conversation) => resp({ mechListMic: sign(server).subarray(0, 8) })],
  ])('%s is auth.mutual-failed, and the keys are gone', (_, verdict) => {
    const conversation = authenticated();
    expect(() => conversation.mechanism.step(reply('accepted', verdict(conversation)))).toThrow(
      expect.objectContaining({ code: 'auth.mutual-failed', details: { mechanism: 'Negotiate', stage: 'mic' } }),
    );
    expect(() => conversation.leg.keyed?.wrap(utf8Encode('x'))).toThrow('misuse.wrong-state');
  });
});

function spnegoExchangeOf(): ReturnType<typeof spnegoExchange> {
  return spnegoExchange({
    credential: parseCredential(exchange.user, exchange.password),
    spn: exchange.spn,
    workstation: exchange.workstation,
    binding: null,
    platform: fixedPlatform(),
    version: exchange.version,
  });
}
