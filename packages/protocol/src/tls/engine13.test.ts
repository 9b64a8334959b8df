import { describe, expect, test } from 'vitest';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { WinRmError } from '../errors.ts';
import { ServerDouble } from '../testing/tls-double.ts';
import { baseScript, identityOf, makeEngine, talk, trustAnyone } from '../testing/tls-rehearsal.ts';
import { ALERTS } from './_alerts.ts';
import { encodeMessage } from './_messages.ts';
import peers from './vectors/peers.json' with { type: 'json' };

const p256 = identityOf(peers.p256);
const names = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** A connection that is ready. */
function connect(script: Partial<ConstructorParameters<typeof ServerDouble>[0]> = {}, options = {}) {
  const engine = makeEngine(options);
  const server = new ServerDouble({ ...baseScript(p256), ...script });
  return { engine, server, outcome: talk(engine, server) };
}

describe('TlsEngine in TLS 1.3', () => {
  test.each(names)('TlsEngine speaks %s and carries data both ways', (suite) => {
    const { engine, server, outcome } = connect({ suite });
    expect(outcome.error).toBeNull();
    expect(outcome.events.map(({ kind }) => kind)).toEqual(['send', 'judge', 'send', 'ready']);
    expect(outcome.events.at(-1)).toEqual({ kind: 'ready', version: '1.3', suite, group: 'x25519' });
    engine.seal(utf8Encode('to the host'));
    server.wire.sendData(utf8Encode('to the tab'));
    expect(utf8Decode(talk(engine, server).data)).toBe('to the tab');
    expect(utf8Decode(server.received)).toBe('to the host');
  });

  test.each([
    ['rsa', 'rsa_pss_rsae_sha256'],
    ['rsa', 'rsa_pss_rsae_sha384'],
    ['rsa', 'rsa_pss_rsae_sha512'],
    ['p256', 'ecdsa_secp256r1_sha256'],
    ['p384', 'ecdsa_secp384r1_sha384'],
    ['p521', 'ecdsa_secp521r1_sha512'],
  ] as const)('TlsEngine takes the proof of a %s key by %s', (key, scheme) => {
    const { outcome } = connect({ identity: identityOf(peers[key]), scheme });
    expect(outcome.error).toBeNull();
  });

  test.each(['P-256', 'P-384'] as const)('TlsEngine goes on in %s after a HelloRetryRequest', (group) => {
    const { outcome, server } = connect({ retry: true, group });
    expect(outcome.error).toBeNull();
    expect(outcome.events.at(-1)).toMatchObject({ kind: 'ready', group });
    expect(server.isOpen).toBe(true);
  });

  test('TlsEngine gives back the cookie of a HelloRetryRequest and changes nothing else', () => {
    const engine = makeEngine();
    const server = new ServerDouble({ ...baseScript(p256), cookie: Uint8Array.of(0, 3, 7, 8, 9) });
    const outcome = talk(engine, server);
    expect(outcome.error).toBeNull();
    expect(server.hello?.extensions.get(44)).toEqual(Uint8Array.of(0, 3, 7, 8, 9));
  });

  test('TlsEngine takes a handshake byte by byte, and records cut anywhere', () => {
    for (const splitBytes of [1, 2, 3, 5, 7, 64]) {
      const engine = makeEngine();
      const server = new ServerDouble({ ...baseScript(p256), asksCertificate: true });
      expect(talk(engine, server, { splitBytes }).error).toBeNull();
      expect(server.isOpen).toBe(true);
    }
  });

  test('TlsEngine follows a change of keys and changes its own when asked', () => {
    const { engine, server } = connect();
    for (let turn = 0; turn < 3; turn++) {
      server.updateKey(turn % 2 === 0);
      server.wire.sendData(utf8Encode(`turn ${turn}`));
      expect(utf8Decode(talk(engine, server).data)).toBe(`turn ${turn}`);
      engine.seal(utf8Encode(`${turn}`));
      talk(engine, server);
    }
    expect(utf8Decode(server.received)).toBe('012');
  });

  test('TlsEngine changes its own key before it has sealed too many records with it', () => {
    const { engine, server } = connect({}, { maxRecordsPerKey: 8 });
    for (let turn = 0; turn < 40; turn++) {
      engine.seal(Uint8Array.of(turn));
      expect(talk(engine, server).error).toBeNull();
    }
    expect(server.received).toEqual(Uint8Array.from({ length: 40 }, (_, i) => i));
  });

  test('TlsEngine reads no more records under one key than it is allowed', () => {
    const { engine, server } = connect({}, { maxRecordsPerKey: 8 });
    for (let turn = 0; turn < 9; turn++) server.wire.sendData(Uint8Array.of(turn));
    expect(talk(engine, server).error).toMatchObject({ code: 'tls.bad-record' });
  });

  test('TlsEngine drops tickets', () => {
    const { engine, server } = connect();
    const ticket = encodeMessage('NewSessionTicket', (w) => {
      w.u32be(7200)
        .u32be(1)
        .u8(1)
        .u8(0)
        .block(2, () => w.u8(9))
        .u16be(0);
    });
    server.say(ticket);
    server.say(ticket);
    server.wire.sendData(utf8Encode('after'));
    expect(utf8Decode(talk(engine, server).data)).toBe('after');
  });

  test('TlsEngine answers a request for a certificate with an empty one, or with its own and the proof', () => {
    expect(connect({ asksCertificate: true }).server.clientChain).toEqual([]);
    for (const key of ['rsa', 'p256', 'p384', 'p521'] as const) {
      const clientCertificate = identityOf(peers[key]);
      const { server, outcome } = connect({ asksCertificate: true }, { clientCertificate });
      expect(outcome.error).toBeNull();
      expect(server.clientChain).toEqual(clientCertificate.chain);
    }
  });

  test('TlsEngine shows its certificate after the handshake when it has one, and only then takes such a request', () => {
    const clientCertificate = identityOf(peers.p384);
    const { engine, server } = connect({}, { clientCertificate });
    expect(server.hello?.extensions.has(49)).toBe(true);
    server.askLate(Uint8Array.of(1));
    expect(talk(engine, server).error).toBeNull();
    expect(server.clientChain).toEqual(clientCertificate.chain);
    engine.seal(Uint8Array.of(5));
    talk(engine, server);
    expect(server.received).toEqual(Uint8Array.of(5));

    const without = connect();
    expect(without.server.hello?.extensions.has(49)).toBe(false);
    without.server.askLate(Uint8Array.of(1));
    expect(talk(without.engine, without.server).error).toMatchObject({ code: 'tls.unexpected-message' });
  });

  test('TlsEngine ends cleanly on close_notify, and says it itself', () => {
    const { engine, server } = connect();
    server.wire.sendAlert('close_notify', 'warning');
    expect(talk(engine, server).events).toEqual([{ kind: 'closed', isClean: true }]);
    engine.close();
    expect(engine.next()).toMatchObject({ kind: 'send' });
    expect(engine.next()).toEqual({ kind: 'closed', isClean: true });
    expect(() => engine.seal(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'misuse.wrong-state' }));
  });

  test('TlsEngine reads on after its close_notify, and answers nothing any more', () => {
    const { engine, server } = connect({}, { clientCertificate: identityOf(peers.p384) });
    engine.close();
    expect(talk(engine, server).sent).toHaveLength(1);
    server.updateKey(true);
    server.wire.sendData(utf8Encode('under the new key'));
    const { data, sent } = talk(engine, server);
    expect(data).toEqual(utf8Encode('under the new key'));
    expect(sent).toHaveLength(0);
    server.askLate(Uint8Array.of(1));
    expect(talk(engine, server)).toMatchObject({ error: null, sent: [] });
  });

  test('TlsEngine tells a connection that was cut from one that was closed', () => {
    const { engine } = connect();
    engine.feedEnd();
    expect(engine.next()).toEqual({ kind: 'closed', isClean: false });
  });

  test('TlsEngine sends nothing but the alert after a refusal', () => {
    const engine = makeEngine();
    const server = new ServerDouble(baseScript(p256));
    const reason = new WinRmError('session.cancelled', { at: 'certificate' });
    const outcome = talk(engine, server, { judge: (it) => it.refuse(reason) });
    expect(outcome.sent).toHaveLength(2); // ClientHello and the alert
    expect(outcome.events.at(-1)).toEqual({ kind: 'closed', isClean: true });
    expect(server.alerts).toEqual([[2, ALERTS.user_canceled]]);
    expect(server.isOpen).toBe(false);
  });

  test('TlsEngine sends nothing while a judgement is awaited, and asks again until it is answered', () => {
    const engine = makeEngine();
    const server = new ServerDouble(baseScript(p256));
    let asked = 0;
    const outcome = talk(engine, server, { judge: (it, chain) => ++asked === 3 && it.accept(trustAnyone(chain)) });
    expect(asked).toBe(3);
    expect(outcome.events.map(({ kind }) => kind)).toEqual(['send', 'judge', 'judge', 'judge', 'send', 'ready']);
  });

  test('TlsEngine takes no judgement of another peer, for another name, or unasked', () => {
    const engine = makeEngine();
    const server = new ServerDouble(baseScript(p256));
    const wrong = expect.objectContaining({ code: 'misuse.wrong-state' });
    expect(() => engine.accept(trustAnyone(p256.chain))).toThrow(wrong);
    expect(() => engine.seal(Uint8Array.of(1))).toThrow(wrong);
    talk(engine, server, {
      judge: (it, chain) => {
        expect(() => it.accept(trustAnyone(identityOf(peers.other).chain))).toThrow(wrong);
        expect(() => it.accept(trustAnyone(chain, 'elsewhere'))).toThrow(wrong);
        it.accept(trustAnyone(chain));
      },
    });
    expect(server.isOpen).toBe(true);
  });

  test('TlsEngine names the host only when it has a name, and offers no ALPN', () => {
    const { server } = connect();
    expect(server.hello?.extensions.get(0)).toEqual(Uint8Array.of(0, 7, 0, 0, 4, ...utf8Encode('peer')));
    expect(server.hello?.extensions.has(16)).toBe(false);
    const engine = makeEngine({ host: '::1' });
    const other = new ServerDouble(baseScript(p256));
    talk(engine, other, { judge: (it, chain) => it.accept(trustAnyone(chain, '::1')) });
    expect(other.isOpen).toBe(true);
    expect(other.hello?.extensions.has(0)).toBe(false);
  });
});
