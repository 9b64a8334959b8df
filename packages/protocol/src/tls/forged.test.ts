import { describe, expect, test } from 'vitest';
import { concatBytes } from '../bytes/bytes.ts';
import { ServerDouble, type ServerScript } from '../testing/tls-double.ts';
import { baseScript, identityOf, makeEngine, talk } from '../testing/tls-rehearsal.ts';
import { ALERTS, type AlertName } from './_alerts.ts';
import { encodeCertificate } from './_messages.ts';
import peers from './vectors/peers.json' with { type: 'json' };

const p256 = identityOf(peers.p256);
const rsa = identityOf(peers.rsa);
const other = identityOf(peers.other);
const GCM = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const CERTIFICATE_ONLY = { ...p256, key: other.key }; // the victim's certificate, the forger's key

/** Runs a forged server and insists that the engine ends with an alert, without having been ready or having sent more. */
function forge(script: Partial<ServerScript>, options = {}) {
  const engine = makeEngine(options);
  const server = new ServerDouble({ ...baseScript(p256), ...script });
  const outcome = talk(engine, server, { isServerConfused: true });
  expect(outcome.events.some(({ kind }) => kind === 'ready')).toBe(false);
  expect(outcome.data).toHaveLength(0);

  expect(() => engine.seal(Uint8Array.of(1))).toThrow();
  return { engine, server, ...outcome };
}

function flipLast(raw: Uint8Array): Uint8Array {
  const changed = raw.slice();
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
  return changed;
}

/** Changes one message; the others stay. */
function altering(name: string, change: (raw: Uint8Array) => Uint8Array | null): NonNullable<ServerScript['alter']> {
  return (at, raw) => (at === name ? change(raw) : raw);
}

/** A message with other content behind its type and length. */
function withBody(raw: Uint8Array, body: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(raw[0] as number, 0, body.length >> 8, body.length & 255), body);
}

/** A ServerHello with other extensions. */
function withExtension(id: number, content: Uint8Array): (raw: Uint8Array) => Uint8Array {
  return (raw) => {
    const body = raw.subarray(4);
    const at = 2 + 32 + 1 + (body[34] as number) + 2 + 1;
    const length = ((body[at] as number) << 8) + (body[at + 1] as number) + 4 + content.length;
    const added = Uint8Array.of(id >> 8, id & 255, content.length >> 8, content.length & 255);
    const changed = [
      body.subarray(0, at),
      Uint8Array.of(length >> 8, length & 255),
      body.subarray(at + 2),
      added,
      content,
    ];
    return withBody(raw, concatBytes(...changed));
  };
}

const at =
  (offset: number, ...bytes: number[]) =>
  (raw: Uint8Array): Uint8Array => {
    const changed = raw.slice();
    changed.set(bytes, offset);
    return changed;
  };

const SUITE_AT = 4 + 2 + 32 + 1 + 32; // of a ServerHello of TLS 1.3, whose session identifier has 32 bytes
const drop = (): null => null;
const junk = (raw: Uint8Array): Uint8Array => withBody(raw, Uint8Array.of(1, 2, 3, 4, 5));

type Forgery = [string, Partial<ServerScript>, string, AlertName];

const FORGERIES_13: Forgery[] = [
  [
    'leaves out CertificateVerify',
    { alter: altering('CertificateVerify', drop) },
    'tls.unexpected-message',
    'unexpected_message',
  ],
  ['leaves out Certificate', { alter: altering('Certificate', drop) }, 'tls.unexpected-message', 'unexpected_message'],
  [
    'leaves out EncryptedExtensions',
    { alter: altering('EncryptedExtensions', drop) },
    'tls.unexpected-message',
    'unexpected_message',
  ],
  [
    'sends junk as CertificateVerify',
    { alter: altering('CertificateVerify', junk) },
    'tls.bad-handshake',
    'decode_error',
  ],
  ['sends junk as Certificate', { alter: altering('Certificate', junk) }, 'tls.bad-handshake', 'decode_error'],
  [
    'sends junk as EncryptedExtensions',
    { alter: altering('EncryptedExtensions', junk) },
    'tls.bad-handshake',
    'decode_error',
  ],
  [
    'sends a signature with a flipped bit',
    { alter: altering('CertificateVerify', flipLast) },
    'tls.bad-proof',
    'decrypt_error',
  ],
  ['signs with another key', { identity: CERTIFICATE_ONLY }, 'tls.bad-proof', 'decrypt_error'],
  ['signs another transcript', { signs: (content) => flipLast(content) }, 'tls.bad-proof', 'decrypt_error'],
  [
    'signs as a client does',
    { signs: (c) => concatBytes(c.subarray(0, 73), new TextEncoder().encode('client'), c.subarray(79)) },
    'tls.bad-proof',
    'decrypt_error',
  ],
  ['sends a Finished with a flipped bit', { alter: altering('Finished', flipLast) }, 'tls.bad-proof', 'decrypt_error'],
  ['sends a Finished that is too short', { alter: altering('Finished', junk) }, 'tls.bad-handshake', 'decode_error'],
  ['sends a chain without certificates', { identity: { ...p256, chain: [] } }, 'tls.bad-handshake', 'decode_error'],
  [
    'sends a certificate that is none',
    { identity: { ...p256, chain: [Uint8Array.of(48, 1, 0)] } },
    'tls.bad-certificate',
    'bad_certificate',
  ],
  [
    'sends a certificate with a context',
    { alter: altering('Certificate', () => encodeCertificate(p256.chain, Uint8Array.of(1))) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'names a scheme of another curve',
    { alter: altering('CertificateVerify', at(4, 0x05, 0x03)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'names a scheme of another kind of key',
    { alter: altering('CertificateVerify', at(4, 0x08, 0x04)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'names a scheme nobody knows',
    { alter: altering('CertificateVerify', at(4, 0x77, 0x77)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  ['signs with PKCS #1 v1.5', { identity: rsa, scheme: 'rsa_pkcs1_sha256' }, 'tls.bad-handshake', 'illegal_parameter'],
  ['signs with SHA-1', { identity: rsa, scheme: 'rsa_pkcs1_sha1' }, 'tls.bad-handshake', 'illegal_parameter'],
  [
    'chooses a suite of TLS 1.2',
    { alter: altering('ServerHello', at(SUITE_AT, 0xc0, 0x2b)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'chooses a suite nobody offered',
    { alter: altering('ServerHello', at(SUITE_AT, 0x13, 0x04)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  ['compresses', { alter: altering('ServerHello', at(SUITE_AT + 2, 1)) }, 'tls.bad-handshake', 'illegal_parameter'],
  [
    'does not echo the session identifier',
    { alter: altering('ServerHello', at(SUITE_AT - 1, 0, 0)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'adds an extension to ServerHello',
    { alter: altering('ServerHello', withExtension(0xaaaa, Uint8Array.of(1))) },
    'tls.bad-handshake',
    'unsupported_extension',
  ],
  [
    'sends an extension twice',
    { alter: altering('ServerHello', withExtension(43, Uint8Array.of(3, 4))) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'answers with a pre-shared key',
    { alter: altering('ServerHello', withExtension(41, Uint8Array.of(0, 0))) },
    'tls.bad-handshake',
    'unsupported_extension',
  ],
  [
    'answers ALPN',
    { alter: altering('EncryptedExtensions', (raw) => withBody(raw, Uint8Array.of(0, 4, 0, 16, 0, 0))) },
    'tls.bad-handshake',
    'unsupported_extension',
  ],
  [
    'puts a key share where none belongs',
    { alter: altering('EncryptedExtensions', (raw) => withBody(raw, Uint8Array.of(0, 4, 0, 51, 0, 0))) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'asks for a certificate without naming schemes',
    { asksCertificate: true, alter: altering('CertificateRequest', (raw) => withBody(raw, Uint8Array.of(0, 0, 0))) },
    'tls.bad-handshake',
    'missing_extension',
  ],
  [
    'sends a key that is zero',
    { alter: altering('ServerHello', (raw) => concatBytes(raw.subarray(0, raw.length - 32), new Uint8Array(32))) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'answers in another group',
    { alter: altering('ServerHello', at(SUITE_AT + 3 + 2 + 6 + 4, 0, 23)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  ['wants the group it was given', { retry: true, group: 'x25519' }, 'tls.bad-handshake', 'illegal_parameter'],
  [
    'retries without wanting anything',
    {
      retry: true,
      group: 'P-256',
      alter: altering('HelloRetryRequest', (raw) => {
        const b = raw.subarray(4, raw.length - 6);
        const c = b.slice();
        c[c.length - 7] = 6;
        return withBody(raw, c);
      }),
    },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  ['retries with an empty cookie', { cookie: Uint8Array.of(0, 0) }, 'tls.bad-handshake', 'decode_error'],
  [
    'retries with a cookie that no ClientHello can hold',
    { cookie: new Uint8Array(65_402).fill(1).fill(0xff, 0, 1).fill(0x78, 1, 2) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'changes its mind about the suite',
    { retry: true, group: 'P-256', alter: altering('HelloRetryRequest', at(SUITE_AT, 0x13, 0x03)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
];

const FORGERIES_12: Forgery[] = [
  ['signs with another key', { identity: CERTIFICATE_ONLY }, 'tls.bad-proof', 'decrypt_error'],
  ['signs other parameters', { signs: (content) => flipLast(content) }, 'tls.bad-proof', 'decrypt_error'],
  [
    'replays parameters of another connection',
    { signs: (content) => at(0, 1, 2, 3)(content) },
    'tls.bad-proof',
    'decrypt_error',
  ],
  [
    'leaves out ServerKeyExchange',
    { alter: altering('ServerKeyExchange', drop) },
    'tls.unexpected-message',
    'unexpected_message',
  ],
  ['leaves out Certificate', { alter: altering('Certificate', drop) }, 'tls.unexpected-message', 'unexpected_message'],
  [
    'sends junk as ServerKeyExchange',
    { alter: altering('ServerKeyExchange', junk) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'sends content in ServerHelloDone',
    { alter: altering('ServerHelloDone', junk) },
    'tls.bad-handshake',
    'decode_error',
  ],
  [
    'sends a point off the curve',
    { group: 'P-256', alter: altering('ServerKeyExchange', at(4 + 4 + 10, 9)), signs: (c) => at(64 + 4 + 10, 9)(c) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  ['uses a certificate the suite does not go with', { identity: rsa }, 'tls.bad-handshake', 'illegal_parameter'],
  [
    'says that it was talked down',
    { serverRandom: at(24, 0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 1)(new Uint8Array(32)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  [
    'says that it was talked down further',
    { serverRandom: at(24, 0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0)(new Uint8Array(32)) },
    'tls.bad-handshake',
    'illegal_parameter',
  ],
  ['chooses TLS 1.1', { alter: altering('ServerHello', at(4, 3, 2)) }, 'tls.no-common-suite', 'protocol_version'],
  ['chooses SSL 3.0', { alter: altering('ServerHello', at(4, 3, 0)) }, 'tls.no-common-suite', 'protocol_version'],
  [
    'adds a session ticket',
    { alter: altering('ServerHello', withExtension(35, new Uint8Array(0))) },
    'tls.bad-handshake',
    'unsupported_extension',
  ],
  ['encrypts then MACs without a MAC', { isMacLast: true }, 'tls.bad-handshake', 'illegal_parameter'],
];

/** The one alert the engine sent: as the server read it, or as it stands there when the server has other keys by now. */
function alertOf(server: ServerDouble, last: Uint8Array | undefined): string {
  const number = server.alerts[0]?.[1] ?? (last?.[0] === 21 && last.length === 7 ? last[6] : undefined);
  return Object.entries(ALERTS).find(([, known]) => known === number)?.[0] ?? 'none';
}

describe.each([
  ['TLS 1.3', FORGERIES_13, {}],
  ['TLS 1.2', FORGERIES_12, { suite: GCM }],
] as const)('a forged server of %s', (_version, forgeries, base) => {
  test.each(forgeries)(
    'a server that %s is refused, and nothing follows but an alert',
    (_what, script, code, alert) => {
      const { error, server, events, sent } = forge({ ...base, ...script });
      expect(error).toMatchObject({ code });
      expect(events.some(({ kind }) => kind === 'judge')).toBe(false);
      const isRetried = sent.length === 3 && sent[1]?.[0] === 22;
      expect(sent).toHaveLength(isRetried ? 3 : 2);
      expect(sent.at(-1)).toHaveLength(sent.at(-1)?.[0] === 21 ? 7 : 5 + 2 + 1 + 16);
      expect(alertOf(server, sent.at(-1))).toBe(alert);
    },
  );
});

describe('a server of TLS 1.2 that knows no key', () => {
  test('a Finished with a flipped bit is refused after the judgement, and no data goes', () => {
    const { error, server } = forge({ suite: GCM, alter: altering('Finished', flipLast) });
    expect(error).toMatchObject({ code: 'tls.bad-proof' });
    expect(server.received).toHaveLength(0);
  });

  test('ChangeCipherSpec before its time is refused', () => {
    const engine = makeEngine();
    engine.next();
    engine.feed(Uint8Array.of(22, 3, 3, 0, 0));
    expect(engine.next()).toMatchObject({ kind: 'send' });
    expect(() => engine.next()).toThrow(expect.objectContaining({ code: 'tls.bad-record' }));
    const early = makeEngine();
    const server = new ServerDouble(baseScript(p256, GCM));
    const first = early.next();
    if (first.kind === 'send') server.feed(first.bytes);
    early.feed(server.takeOutput());
    expect(early.next().kind).toBe('judge');
  });
});
