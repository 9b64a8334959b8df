import { describe, expect, test } from 'vitest';
import { ServerDouble, type ServerScript } from '../testing/tls-double.ts';
import { readClientHello, serverHello } from '../testing/tls-double-messages.ts';
import { baseScript, identityOf, makeEngine, talk } from '../testing/tls-rehearsal.ts';
import { EXTENSIONS, RETRY_RANDOM } from './_messages.ts';
import { SUITES } from './_suites.ts';
import peers from './vectors/peers.json' with { type: 'json' };

// What RFC 8446, sections 4.1.3 and 4.1.4, let a host say in a HelloRetryRequest and after it.

const p256 = identityOf(peers.p256);
const SUITE = SUITES.find(({ name }) => name === 'TLS_AES_128_GCM_SHA256')?.id ?? 0;
const TLS13: [number, Uint8Array] = [EXTENSIONS.supportedVersions, Uint8Array.of(3, 4)];
const wants = (group: number): [number, Uint8Array] => [EXTENSIONS.keyShare, Uint8Array.of(group >> 8, group & 255)];
const [X25519, SECP256R1, FFDHE2048] = [0x001d, 0x0017, 0x0100];

/** The session identifier that a ServerHello or HelloRetryRequest of the double echoes. */
const echoOf = (raw: Uint8Array): Uint8Array => raw.subarray(39, 39 + (raw[38] as number));

function meet(script: Partial<ServerScript>) {
  const engine = makeEngine();
  const server = new ServerDouble({ ...baseScript(p256), group: 'P-256', retry: true, ...script });
  return { server, ...talk(engine, server, { isServerConfused: true }) };
}

/** Puts another HelloRetryRequest, or something else, in the place of one message. */
function saying(name: string, make: (echo: Uint8Array) => Uint8Array): Partial<ServerScript> {
  return { alter: (at, raw) => (at === name ? make(echoOf(raw)) : raw) };
}

function retryFor(...extensions: [number, Uint8Array][]): (echo: Uint8Array) => Uint8Array {
  return (echo) => serverHello(RETRY_RANDOM, echo, SUITE, extensions);
}

describe('a HelloRetryRequest', () => {
  test('that asks for a group we offered without a key is followed', () => {
    const { error, events } = meet({});
    expect(error).toBeNull();
    expect(events).toContainEqual(expect.objectContaining({ kind: 'ready', group: 'P-256' }));
  });

  test.each([
    ['asks for a group that was not offered', retryFor(TLS13, wants(FFDHE2048)), 'the host wants a group that was not'],
    ['asks for the group it has a key of', retryFor(TLS13, wants(X25519)), 'the host wants the group it was given'],
    ['changes nothing', retryFor(TLS13), 'a HelloRetryRequest that changes nothing'],
    ['names no version', retryFor(wants(SECP256R1)), 'a HelloRetryRequest without TLS 1.3'],
    [
      'echoes another session identifier',
      (echo: Uint8Array) => retryFor(TLS13, wants(SECP256R1))(echo.map((byte) => byte ^ 1)),
      'the host did not echo the session identifier',
    ],
    [
      'echoes no session identifier',
      () => retryFor(TLS13, wants(SECP256R1))(new Uint8Array(0)),
      'the host did not echo the session identifier',
    ],
  ])('that %s ends in tls.bad-handshake', (_what, make, problem) => {
    const { error, server } = meet(saying('HelloRetryRequest', make));
    expect(error).toMatchObject({ code: 'tls.bad-handshake', details: { problem: expect.stringContaining(problem) } });
    expect(server.alerts).toEqual([[2, 47]]); // illegal_parameter
  });

  test('that comes a second time ends in tls.unexpected-message', () => {
    const { error, sent } = meet(saying('ServerHello', retryFor(TLS13, wants(X25519))));
    expect(error).toMatchObject({
      code: 'tls.unexpected-message',
      details: { expected: 'ServerHello', received: 'a second HelloRetryRequest' },
    });
    expect(sent.at(-1)?.slice(-2)).toEqual(Uint8Array.of(2, 10)); // fatal, unexpected_message
  });

  test('that is followed by TLS 1.2 ends in tls.bad-handshake', () => {
    const gcm12 = 0xc02b;
    const answer = () => serverHello(new Uint8Array(32).fill(7), new Uint8Array(0), gcm12, []);
    const { error } = meet(saying('ServerHello', answer));
    expect(error).toMatchObject({
      code: 'tls.bad-handshake',
      details: { problem: 'the host changed its mind about the version' },
    });
  });

  test('that is followed by another suite ends in tls.bad-handshake', () => {
    const change = (raw: Uint8Array): Uint8Array => {
      const changed = raw.slice();
      changed.set([0x13, 0x03], 39 + (raw[38] as number));
      return changed;
    };
    const { error } = meet({ alter: (at, raw) => (at === 'ServerHello' ? change(raw) : raw) });
    expect(error).toMatchObject({
      code: 'tls.bad-handshake',
      details: { problem: 'the host changed its mind about the cipher suite' },
    });
  });

  test('is answered with the same hello, but for its key: random, identifier and suites stay', () => {
    const { sent } = meet({});
    const hellos = sent
      .map((bytes) => bytes.subarray(5 + 4))
      .slice(0, 2)
      .map(readClientHello);
    const [first, second] = hellos;
    expect(second?.random).toEqual(first?.random);
    expect(second?.sessionId).toEqual(first?.sessionId);
    expect(second?.suites).toEqual(first?.suites);
    expect(second?.extensions.get(EXTENSIONS.keyShare)).not.toEqual(first?.extensions.get(EXTENSIONS.keyShare));
  });
});
