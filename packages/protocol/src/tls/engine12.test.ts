import { describe, expect, test } from 'vitest';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { ServerDouble } from '../testing/tls-double.ts';
import { baseScript, identityOf, makeEngine, talk } from '../testing/tls-rehearsal.ts';
import { MAX_RENEGOTIATIONS } from './_connection12.ts';
import { encodeMessage } from './_messages.ts';
import { SUITES } from './_suites.ts';
import peers from './vectors/peers.json' with { type: 'json' };

const rsa = identityOf(peers.rsa);
const p256 = identityOf(peers.p256);
const GCM = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const CBC = 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384';

function connect(script: Partial<ConstructorParameters<typeof ServerDouble>[0]> = {}, options = {}) {
  const engine = makeEngine({ allowLegacy: true, ...options });
  const suite = script.suite ?? GCM;
  const identity = suite.includes('RSA') ? rsa : p256;
  const server = new ServerDouble({ ...baseScript(identity, suite), ...script });
  return { engine, server, outcome: talk(engine, server) };
}

/** Data of awkward lengths both ways. */
function exchange(engine: ReturnType<typeof makeEngine>, server: ServerDouble): void {
  const before = server.received.length;
  let total = 0;
  for (const length of [1, 15, 16, 17, 31, 255, 256, 257, 16_384, 40_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    total += length;
    engine.seal(bytes);
    server.wire.sendData(bytes);
    const { data, error } = talk(engine, server);
    expect(error).toBeNull();
    expect(data).toEqual(bytes);
  }
  expect(server.received.length - before).toBe(total);
}

describe('TlsEngine in TLS 1.2', () => {
  const suites = SUITES.filter(({ version }) => version === '1.2').map(({ name }) => name);
  test.each(suites)('TlsEngine speaks %s and carries data both ways', (suite) => {
    const { engine, server, outcome } = connect({ suite });
    expect(outcome.error).toBeNull();
    expect(outcome.events.at(-1)).toEqual({ kind: 'ready', version: '1.2', suite, group: 'x25519' });
    exchange(engine, server);
  });

  test.each(suites.filter((name) => name.includes('CBC')))('TlsEngine speaks %s with encrypt-then-MAC', (suite) => {
    const { engine, server, outcome } = connect({ suite, isMacLast: true });
    expect(outcome.error).toBeNull();
    exchange(engine, server);
  });

  test('TlsEngine offers suites with SHA-1 only where old servers are let in', () => {
    const { server } = connect({ suite: GCM }, { allowLegacy: false });
    expect(server.hello?.suites.some((id) => [0xc009, 0xc00a, 0xc013, 0xc014].includes(id))).toBe(false);
    const suite = 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA';
    expect(connect({ suite }, { allowLegacy: false }).outcome.error).toMatchObject({ code: 'tls.bad-handshake' });
  });

  test.each([
    ['rsa', 'rsa_pkcs1_sha1'],
    ['rsa', 'rsa_pkcs1_sha256'],
    ['rsa', 'rsa_pss_rsae_sha384'],
    ['p256', 'ecdsa_secp384r1_sha384'],
    ['p384', 'ecdsa_secp256r1_sha256'],
    ['p521', 'ecdsa_sha1'],
  ] as const)('TlsEngine takes the proof of a %s key by %s', (key, scheme) => {
    const suite = key === 'rsa' ? CBC : GCM;
    const { outcome } = connect({ suite, identity: identityOf(peers[key]), scheme });
    expect(outcome.error).toBeNull();
  });

  test('TlsEngine takes a proof by SHA-1 only where old servers are let in', () => {
    const { outcome } = connect({ suite: CBC, scheme: 'rsa_pkcs1_sha1' }, { allowLegacy: false });
    expect(outcome.error).toMatchObject({ code: 'tls.bad-handshake' });
  });

  test.each(['P-256', 'P-384'] as const)('TlsEngine agrees on keys in %s', (group) => {
    const { engine, server, outcome } = connect({ group });
    expect(outcome.events.at(-1)).toMatchObject({ group });
    exchange(engine, server);
  });

  test('TlsEngine makes do without the extended master secret and without RFC 5746', () => {
    const { engine, server, outcome } = connect({ hasExtendedMasterSecret: false, knowsRenegotiation: false });
    expect(outcome.error).toBeNull();
    exchange(engine, server);
  });

  test('TlsEngine takes a handshake byte by byte', () => {
    const engine = makeEngine();
    const server = new ServerDouble({ ...baseScript(p256, GCM), asksCertificate: true });
    expect(talk(engine, server, { splitBytes: 1 }).error).toBeNull();
    expect(server.isOpen).toBe(true);
  });

  test.each(['rsa', 'p256', 'p384', 'p521'] as const)('TlsEngine proves a client certificate with a %s key', (key) => {
    const clientCertificate = identityOf(peers[key]);
    const { server, outcome } = connect({ asksCertificate: true }, { clientCertificate });
    expect(outcome.error).toBeNull();
    expect(server.clientChain).toEqual(clientCertificate.chain);
  });

  test('TlsEngine proves its certificate by SHA-1 only where old servers are let in: tls.client-certificate', () => {
    const sha1Only = encodeMessage('CertificateRequest', (w) =>
      w
        .block(1, () => w.u8(1).u8(64))
        .block(2, () => w.u16be(0x0201).u16be(0x0203))
        .u16be(0),
    );
    const alter = (name: string, raw: Uint8Array) => (name === 'CertificateRequest' ? sha1Only : raw);
    const options = { clientCertificate: rsa };
    const strict = makeEngine(options);
    const server = new ServerDouble({ ...baseScript(p256, GCM), asksCertificate: true, alter });
    expect(talk(strict, server, { isServerConfused: true }).error).toMatchObject({ code: 'tls.client-certificate' });
    expect(server.isOpen).toBe(false);
    expect(connect({ asksCertificate: true, alter }, options).server.clientChain).toEqual(rsa.chain);
  });

  test('TlsEngine answers a request for a certificate it does not have with an empty one', () => {
    const { engine, server } = connect({ asksCertificate: true });
    expect(server.clientChain).toEqual([]);
    exchange(engine, server);
  });

  test('TlsEngine with only TLS 1.2 offered sends no key and no session identifier', () => {
    const { server, outcome } = connect({}, { maxVersion: '1.2' });
    expect(outcome.error).toBeNull();
    expect(server.hello?.sessionId).toHaveLength(0);
    expect(server.hello?.extensions.has(51)).toBe(false);
    expect(server.hello?.suites.every((id) => id > 0x13ff)).toBe(true);
  });

  test('TlsEngine answers close_notify in kind', () => {
    const { engine, server } = connect();
    server.wire.sendAlert('close_notify', 'warning');
    talk(engine, server);
    expect(server.alerts).toEqual([[1, 0]]);
  });
});

describe('TlsEngine asked to renegotiate', () => {
  test.each([GCM, CBC])('TlsEngine shows its certificate in a renegotiation, as Windows asks for it (%s)', (suite) => {
    const clientCertificate = identityOf(peers.p256);
    const { engine, server } = connect({ suite }, { clientCertificate });
    expect(server.clientChain).toBeNull();
    engine.seal(utf8Encode('GET /wsman'));
    server.renegotiate({ asksCertificate: true });
    const { events, error } = talk(engine, server);
    expect(error).toBeNull();
    expect(events.some(({ kind }) => kind === 'judge' || kind === 'ready')).toBe(false);
    expect(server.clientChain).toEqual(clientCertificate.chain);
    exchange(engine, server);
  });

  test('TlsEngine keeps what is sealed during a renegotiation for its end', () => {
    const { engine, server } = connect();
    server.renegotiate({ asksCertificate: false });
    engine.feed(server.takeOutput()); // HelloRequest
    const hello = engine.next();
    expect(hello.kind).toBe('send');
    expect(engine.state).toBe('handshake');
    engine.seal(utf8Encode('later'));
    expect(engine.takeOutput()).toBeNull();
    if (hello.kind === 'send') server.feed(hello.bytes);
    expect(talk(engine, server).error).toBeNull();
    expect(engine.state).toBe('open');
    expect(utf8Decode(server.received)).toBe('later');
  });

  test('TlsEngine renegotiates a few times and then no more', () => {
    const { engine, server } = connect();
    for (let turn = 0; turn < MAX_RENEGOTIATIONS; turn++) {
      server.renegotiate({ asksCertificate: false });
      expect(talk(engine, server).error).toBeNull();
      exchange(engine, server);
    }
    server.renegotiate({ asksCertificate: false });
    expect(talk(engine, server).error).toMatchObject({ code: 'tls.bad-handshake' });
  });

  test('TlsEngine declines where the server does not know RFC 5746', () => {
    const { engine, server } = connect({ knowsRenegotiation: false });
    server.say(encodeMessage('HelloRequest', () => undefined));
    expect(talk(engine, server).error).toBeNull();
    expect(server.alerts).toEqual([[1, 100]]);
    exchange(engine, server);
  });

  test('TlsEngine takes no other certificate in a renegotiation, not even a trusted one', () => {
    const engine = makeEngine();
    let certificate = p256;
    const script = baseScript(p256, GCM);
    const identity = {
      get certificate() {
        return certificate.certificate;
      },
      get chain() {
        return certificate.chain;
      },
      get key() {
        return certificate.key;
      },
    };
    const server = new ServerDouble({ ...script, identity });
    expect(talk(engine, server).error).toBeNull();
    certificate = identityOf(peers.other);
    server.renegotiate({ asksCertificate: false });
    expect(talk(engine, server).error).toMatchObject({
      code: 'tls.bad-handshake',
      details: { problem: 'the host showed another certificate in midstream' },
    });
  });

  test('TlsEngine takes no renegotiation that drops encrypt-then-MAC', () => {
    const script = { ...baseScript(rsa, CBC), isMacLast: true };
    const engine = makeEngine();
    const server = new ServerDouble(script);
    expect(talk(engine, server).error).toBeNull();
    script.isMacLast = false;
    server.renegotiate({ asksCertificate: false });
    expect(talk(engine, server, { isServerConfused: true }).error).toMatchObject({
      code: 'tls.bad-handshake',
      details: { problem: 'the host dropped encrypt-then-MAC' },
    });
  });

  test('TlsEngine takes no renegotiation that drops the extended master secret', () => {
    const script = { ...baseScript(p256, GCM), hasExtendedMasterSecret: true };
    const engine = makeEngine();
    const server = new ServerDouble(script);
    expect(talk(engine, server).error).toBeNull();
    script.hasExtendedMasterSecret = false;
    server.renegotiate({ asksCertificate: false });
    expect(talk(engine, server, { isServerConfused: true }).error).toMatchObject({
      code: 'tls.bad-handshake',
      details: { problem: 'the host dropped the extended master secret' },
    });
  });

  test('TlsEngine begins no renegotiation once it has said close_notify', () => {
    const { engine, server } = connect();
    engine.close();
    expect(talk(engine, server).sent).toHaveLength(1);
    server.renegotiate({ asksCertificate: true });
    expect(talk(engine, server)).toMatchObject({ error: null, sent: [] });
    expect(engine.state).toBe('open');
  });

  test('TlsEngine takes no renegotiation that does not name the handshake before', () => {
    let isSecond = false;
    const engine = makeEngine();
    const alter = (name: string, raw: Uint8Array): Uint8Array => {
      if (name !== 'ServerHello' || !isSecond) return raw;
      const changed = raw.slice();
      changed[changed.length - 1] = (changed.at(-1) as number) ^ 1; // in the verify_data of renegotiation_info
      return changed;
    };
    const server = new ServerDouble({ ...baseScript(p256, GCM), alter });
    talk(engine, server);
    isSecond = true;
    server.renegotiate({ asksCertificate: false });
    expect(talk(engine, server).error).toMatchObject({
      code: 'tls.bad-handshake',
      details: { problem: 'the host speaks of another handshake before this one' },
    });
  });

  test('TlsEngine takes no data in the middle of a renegotiation', () => {
    const { engine, server } = connect();
    server.renegotiate({ asksCertificate: false });
    server.wire.sendData(utf8Encode('in between'));
    const { error, data } = talk(engine, server);
    expect(error).toMatchObject({ code: 'tls.unexpected-message', details: { received: 'application data' } });
    expect(data).toHaveLength(0);
  });
});
