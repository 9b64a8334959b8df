import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';
import { ServerDouble, type ServerScript } from '../testing/tls-double.ts';
import { baseScript, identityOf, makeEngine, seededRandom, talk } from '../testing/tls-rehearsal.ts';
import { ALERTS } from './_alerts.ts';
import { encodeMessage } from './_messages.ts';
import { protect13 } from './_protection.ts';
import { SUITES, type Suite } from './_suites.ts';
import { MAX_IDLE_RECORDS } from './_wire.ts';
import { TlsEngine } from './engine.ts';
import peers from './vectors/peers.json' with { type: 'json' };

const p256 = identityOf(peers.p256);
const GCM = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const CBC = 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256';
const versions = [
  ['TLS 1.3', {}],
  ['TLS 1.2', { suite: GCM }],
  ['TLS 1.2 with CBC', { suite: CBC }],
] as const;

function rehearse(script: Partial<ServerScript>, options: Parameters<typeof talk>[2] = {}) {
  const engine = makeEngine();
  const server = new ServerDouble({ ...baseScript(p256), ...script });
  return { engine, server, ...talk(engine, server, { isServerConfused: true, ...options }) };
}

/** What the server says in each turn of a handshake, and which bytes nobody checks: minor versions of bare records. */
function recording(script: Partial<ServerScript>): {
  turns: Uint8Array[];
  isFree: (turn: number, at: number) => boolean;
} {
  const turns: Uint8Array[] = [];
  rehearse(script, { mangle: (bytes) => turns[turns.push(bytes) - 1] as Uint8Array });
  const free = turns.map((bytes) => {
    const offsets = new Set<number>();
    for (let at = 0; at + 5 <= bytes.length; at += 5 + (bytes[at + 3] as number) * 256 + (bytes[at + 4] as number)) {
      if (bytes[at] !== 23) offsets.add(at + 2);
    }
    return offsets;
  });
  return { turns, isFree: (turn, at) => free[turn]?.has(at) ?? false };
}

describe.each(versions)('a hostile road under %s', (_name, script) => {
  test('a handshake with one bit flipped anywhere ends in an error, and nothing becomes ready', () => {
    const { turns, isFree } = recording(script);
    const place = fc
      .tuple(fc.nat(turns.length - 1), fc.nat(), fc.nat(7))
      .map(([turn, at, bit]) => ({ turn, at: at % (turns[turn] as Uint8Array).length, bit }))
      .filter(({ turn, at }) => !isFree(turn, at));
    fc.assert(
      fc.property(place, ({ turn, at, bit }) => {
        const mangle = (bytes: Uint8Array, now: number): Uint8Array => {
          if (now !== turn) return bytes;
          const changed = bytes.slice();
          changed[at] = (changed[at] as number) ^ (1 << bit);
          return changed;
        };
        const { events, error, engine } = rehearse(script, { mangle });
        expect(events.some(({ kind }) => kind === 'ready')).toBe(false);
        // A longer length waits for bytes that never come.
        if (error === null) engine.feedEnd();
        expect(() => engine.next()).toThrow(expect.objectContaining({ name: 'WinRmError' }));
      }),
      { numRuns: 150 },
    );
  });

  test('a handshake cut off anywhere ends in http.closed-early, and nothing becomes ready', () => {
    const { turns } = recording(script);
    const place = fc
      .tuple(fc.nat(turns.length - 1), fc.nat())
      .map(([turn, at]) => ({ turn, at: at % (turns[turn] as Uint8Array).length }));
    fc.assert(
      fc.property(place, ({ turn, at }) => {
        const mangle = (bytes: Uint8Array, now: number): Uint8Array =>
          now === turn ? bytes.subarray(0, at) : now > turn ? new Uint8Array(0) : bytes;
        const { engine, events } = rehearse(script, { mangle });
        expect(events.some(({ kind }) => kind === 'ready')).toBe(false);
        engine.feedEnd();
        expect(() => engine.next()).toThrow(expect.objectContaining({ code: 'http.closed-early' }));
      }),
      { numRuns: 40 },
    );
  });

  test('a handshake comes to the same end however it is cut into reads', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (splitBytes) => {
        const { error, server } = rehearse(script, { splitBytes });
        expect(error).toBeNull();
        expect(server.isOpen).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('data with one bit flipped is never given out', () => {
    const { engine, server } = rehearse(script);
    server.wire.sendData(utf8Encode('ten bytes!'));
    const sealed = server.takeOutput();
    const changed = sealed.slice();
    changed[sealed.length - 3] = (changed[sealed.length - 3] as number) ^ 4;
    engine.feed(changed);
    expect(engine.next()).toMatchObject({ kind: 'send' }); // the alert
    expect(() => engine.next()).toThrow(expect.objectContaining({ code: 'tls.bad-record' }));
    expect(() => engine.next()).toThrow(expect.objectContaining({ code: 'tls.bad-record' }));
    engine.feed(sealed);
    expect(() => engine.next()).toThrow(expect.objectContaining({ code: 'tls.bad-record' }));
  });

  test('records that come twice, or out of order, are refused', () => {
    for (const order of [
      [0, 0],
      [1, 0],
    ]) {
      const { engine, server } = rehearse(script);
      const records = ['first', 'second'].map((text) => {
        server.wire.sendData(utf8Encode(text));
        return server.takeOutput();
      });
      for (const at of order) engine.feed(records[at] as Uint8Array);
      const { error } = talk(engine, server, { isServerConfused: true });
      expect(error).toMatchObject({ code: 'tls.bad-record' });
    }
  });

  test('the server Finished of another connection is refused', () => {
    const turns: Uint8Array[] = [];
    const before = makeEngine({ random: seededRandom(9) });
    const other = new ServerDouble({ ...baseScript(p256), ...script });
    talk(before, other, { mangle: (bytes) => turns[turns.push(bytes) - 1] as Uint8Array });
    const { error, events } = rehearse(script, { mangle: (_, turn) => turns[turn] as Uint8Array });
    expect(error).not.toBeNull();
    expect(events.some(({ kind }) => kind === 'ready')).toBe(false);
  });

  test('a flood of empty records, and of warnings, ends the connection', () => {
    for (const flood of ['empty', 'warning']) {
      const { engine, server } = rehearse(script);
      for (let i = 0; i < MAX_IDLE_RECORDS; i++) sendIdle(server, flood);
      server.wire.sendData(utf8Encode('x'));
      expect(talk(engine, server).data).toHaveLength(1);
      for (let i = 0; i <= MAX_IDLE_RECORDS; i++) sendIdle(server, flood);
      expect(talk(engine, server, { isServerConfused: true }).error).toMatchObject({ code: 'tls.bad-record' });
    }
  });

  test.each(['Certificate', 'Finished', 'ServerHello', 'ClientHello', 'EncryptedExtensions'] as const)(
    '%s after the handshake is refused',
    (name) => {
      const { engine, server } = rehearse(script);
      server.say(encodeMessage(name, (w) => w.u8(0)));
      expect(talk(engine, server, { isServerConfused: true }).error).toMatchObject({
        code: 'tls.unexpected-message',
        details: { received: name },
      });
      expect(server.alerts).toEqual([[2, ALERTS.unexpected_message]]);
    },
  );

  test('tls.alert names what the server says, during the handshake and after it', () => {
    const { engine, server } = rehearse(script);
    server.wire.sendAlert('internal_error', 'fatal');
    const { error, sent } = talk(engine, server);
    expect(error).toMatchObject({ code: 'tls.alert', details: { alert: 'internal_error', stage: 'data' } });
    expect(sent).toHaveLength(0);
  });
});

function sendIdle(server: ServerDouble, kind: string): void {
  if (kind === 'warning') server.wire.sendAlert('user_canceled', 'warning');
  else server.wire.sendData(new Uint8Array(0));
}

describe('TlsEngine before a ServerHello', () => {
  function afterHello(...records: Uint8Array[]): unknown {
    const engine = makeEngine();
    engine.next();
    for (const record of records) engine.feed(record);
    try {
      for (;;) {
        const { kind } = engine.next();
        if (kind !== 'send') return kind;
      }
    } catch (error) {
      return error;
    }
  }
  const alert = (level: number, number: number): Uint8Array => Uint8Array.of(21, 3, 3, 0, 2, level, number);

  test('TlsEngine tells a web server from a TLS server by its first byte', () => {
    const reply = utf8Encode('HTTP/1.1 400 Bad Request\r\n');
    expect(afterHello(reply)).toMatchObject({
      code: 'tls.not-tls',
      details: { startsWith: expect.stringContaining('HTTP/1.1 400') },
    });
    expect(afterHello(Uint8Array.of(0x48))).toMatchObject({ code: 'tls.not-tls' });
    expect(afterHello(Uint8Array.of(22, 9))).toMatchObject({ code: 'tls.not-tls' });
    expect(afterHello(Uint8Array.of(23, 3, 3, 0, 1, 1))).toMatchObject({ code: 'tls.not-tls' });
    expect(afterHello(Uint8Array.of(22, 3))).toBe('need-bytes');
  });

  test.each([40, 70, 71])('TlsEngine reads alert %i as tls.no-common-suite', (number) => {
    expect(afterHello(alert(2, number))).toMatchObject({ code: 'tls.no-common-suite' });
  });

  test('TlsEngine reads other alerts as tls.alert and answers none', () => {
    expect(afterHello(alert(2, 80))).toMatchObject({ code: 'tls.alert', details: { stage: 'handshake' } });
    expect(afterHello(alert(1, 0))).toMatchObject({ code: 'tls.alert', details: { alert: 'close_notify' } });
    expect(afterHello(alert(2, 255))).toMatchObject({ code: 'tls.alert', details: { alert: 'alert 255' } });
    expect(afterHello(alert(1, 112))).toBe('need-bytes'); // unrecognized_name, a warning
  });

  test.each([
    ['a record longer than TLS allows', Uint8Array.of(22, 3, 3, 0x48, 1), 'tls.bad-record'],
    [
      'a bare record longer than bare records are',
      concatBytes(Uint8Array.of(22, 3, 3, 0x40, 1), new Uint8Array(16_385)),
      'tls.bad-record',
    ],
    ['a handshake record without content', Uint8Array.of(22, 3, 3, 0, 0), 'tls.bad-record'],
    ['a message longer than any we take', Uint8Array.of(22, 3, 3, 0, 4, 2, 1, 0, 1), 'tls.bad-handshake'],
    ['an alert of one byte', Uint8Array.of(21, 3, 3, 0, 1, 2), 'tls.bad-record'],
    ['a ChangeCipherSpec', concatBytes(alert(1, 90), Uint8Array.of(20, 3, 3, 0, 1, 1)), 'tls.unexpected-message'],
    ['a record of an unknown type', concatBytes(alert(1, 90), Uint8Array.of(24, 3, 3, 0, 1, 1)), 'tls.bad-record'],
    ['a record of another version', concatBytes(alert(1, 90), Uint8Array.of(22, 2, 3, 0, 1, 1)), 'tls.bad-record'],
    ['application data', concatBytes(alert(1, 90), Uint8Array.of(23, 3, 3, 0, 1, 1)), 'tls.unexpected-message'],
    [
      'an alert in the middle of a message',
      concatBytes(Uint8Array.of(22, 3, 3, 0, 1, 2), alert(2, 40)),
      'tls.unexpected-message',
    ],
    ['a HelloRequest', Uint8Array.of(22, 3, 3, 0, 4, 0, 0, 0, 0), 'tls.unexpected-message'],
    ['a message nobody knows', Uint8Array.of(22, 3, 3, 0, 4, 99, 0, 0, 0), 'tls.unexpected-message'],
    ['a ServerHello that ends early', Uint8Array.of(22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3), 'tls.bad-handshake'],
  ])('TlsEngine refuses %s', (_what, bytes, code) => {
    expect(afterHello(bytes)).toMatchObject({ code });
  });

  test('TlsEngine survives any bytes: an error of ours or a wish for more, whatever the pieces', () => {
    const start = fc.constantFrom([22, 3, 3], [21, 3, 3], [22, 3, 3, 0, 60, 2, 0, 0, 56, 3, 3], []);
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (head, tail, piece) => {
        const bytes = concatBytes(Uint8Array.from(head), tail);
        const whole = afterHello(bytes);
        const cut = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
          bytes.subarray(i * piece, (i + 1) * piece),
        );
        const pieces = afterHello(...cut);
        expect(typeof whole === 'string' || isWinRmError(whole)).toBe(true);
        expect(isWinRmError(pieces) ? pieces.code : pieces).toBe(isWinRmError(whole) ? whole.code : whole);
      }),
      { numRuns: 60 },
    );
  });

  test('TlsEngine refuses versions that leave nothing to offer', () => {
    const make = () =>
      new TlsEngine({ host: 'a', random: () => new Uint8Array(0), minVersion: '1.3', maxVersion: '1.2' });
    expect(make).toThrow(expect.objectContaining({ code: 'misuse.bad-argument' }));
  });
});

describe('TlsEngine in TLS 1.3 drops ChangeCipherSpec', () => {
  const ccs = Uint8Array.of(20, 3, 3, 0, 1, 1);

  test('before Finished, one or two of them, and only well-formed ones', () => {
    const put = (bytes: Uint8Array) => (said: Uint8Array) => {
      const afterServerHello = 5 + (said[3] as number) * 256 + (said[4] as number);
      return concatBytes(said.subarray(0, afterServerHello), bytes, said.subarray(afterServerHello));
    };
    expect(rehearse({}, { mangle: put(ccs) }).error).toBeNull();
    expect(rehearse({}, { mangle: put(concatBytes(ccs, ccs)) }).error).toMatchObject({ code: 'tls.bad-record' });
    expect(rehearse({}, { mangle: put(Uint8Array.of(20, 3, 3, 0, 1, 2)) }).error).toMatchObject({
      code: 'tls.bad-record',
    });
  });

  test('and none after it', () => {
    const { engine, server } = rehearse({});
    engine.feed(ccs);
    expect(talk(engine, server).error).toMatchObject({ code: 'tls.bad-record' });
  });

  test('and takes no message that straddles a change of keys', () => {
    const alter = (name: string, raw: Uint8Array): Uint8Array =>
      name === 'ServerHello' ? concatBytes(raw, Uint8Array.of(8)) : raw;
    expect(rehearse({ alter }).error).toMatchObject({
      code: 'tls.bad-handshake',
      details: { problem: 'a message straddles a change of keys' },
    });
  });

  test('and floods of key updates and tickets end the connection', () => {
    const { engine, server } = rehearse({});
    for (let i = 0; i <= MAX_IDLE_RECORDS; i++) server.updateKey(true);
    expect(talk(engine, server, { isServerConfused: true }).error).toMatchObject({ code: 'tls.bad-record' });
  });

  test.each([
    ['KeyUpdate', Uint8Array.of(2)],
    ['KeyUpdate', Uint8Array.of(0, 0)],
    ['NewSessionTicket', Uint8Array.of(1, 2, 3)],
  ] as const)('and refuses a malformed %s', (name, body) => {
    const { engine, server } = rehearse({});
    server.say(encodeMessage(name, (w) => w.bytes(body)));
    expect(talk(engine, server).error).toMatchObject({ code: 'tls.bad-handshake' });
  });

  test('and refuses a record that holds more than 2^14 bytes once it is opened: tls.bad-record', () => {
    const { engine, server } = rehearse({});
    const { traffic } = server;
    if (traffic === null) throw new Error('no keys');
    const sealer = protect13(SUITES[0] as Suite, traffic.server);
    engine.feed(sealer.seal(23, new Uint8Array(2 ** 14)));
    expect(engine.next()).toMatchObject({ kind: 'data', bytes: new Uint8Array(2 ** 14) });
    engine.feed(sealer.seal(23, new Uint8Array(2 ** 14 + 1)));
    expect(talk(engine, server).error).toMatchObject({
      code: 'tls.bad-record',
      details: { problem: 'it is longer than TLS allows' },
    });
  });

  test('and a certificate that was asked for is named when the server refuses it', () => {
    const refused = {
      engine: makeEngine({ clientCertificate: p256 }),
      server: new ServerDouble({ ...baseScript(p256), asksCertificate: true }),
    };
    talk(refused.engine, refused.server);
    refused.server.wire.sendAlert('unknown_ca', 'fatal');
    expect(talk(refused.engine, refused.server).error).toMatchObject({
      code: 'tls.client-certificate',
      details: { problem: 'the host refused it (unknown_ca)' },
    });
    const missed = rehearse({ asksCertificate: true });
    missed.server.wire.sendAlert('certificate_required', 'fatal');
    expect(talk(missed.engine, missed.server).error).toMatchObject({
      code: 'tls.client-certificate',
      details: { problem: 'the host insists on one (certificate_required)' },
    });
  });
});
