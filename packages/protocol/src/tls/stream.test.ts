import { describe, expect, test } from 'vitest';
import { concatBytes, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import type { ByteStream } from '../bytes/stream.ts';
import { WinRmError } from '../errors.ts';
import { settled } from '../testing/fixed-platform.ts';
import { fixedPlatform, type StreamPair, streamPair } from '../testing/index.ts';
import { ServerDouble, type ServerScript } from '../testing/tls-double.ts';
import { baseScript, identityOf, PEER_HOST, trustAnyone } from '../testing/tls-rehearsal.ts';
import { serverEndPoint } from './end-point.ts';
import { HANDSHAKE_TIMEOUT_MS, type SecureOptions, secure } from './stream.ts';
import peers from './vectors/peers.json' with { type: 'json' };

const p256 = identityOf(peers.p256);
const GCM = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';

/** Serves a double over the far side of a pair until that ends. */
class Host {
  readonly double: ServerDouble;
  readonly pair: StreamPair;
  readonly done: Promise<void>;

  constructor(script: Partial<ServerScript> = {}, pair = streamPair()) {
    this.double = new ServerDouble({ ...baseScript(p256), ...script });
    this.pair = pair;
    this.done = this.#serve();
  }

  async flush(): Promise<void> {
    const bytes = this.double.takeOutput();
    if (bytes.length > 0) await this.pair.far.write(bytes);
  }

  async #serve(): Promise<void> {
    for (;;) {
      const bytes = await this.pair.far.read().catch(() => null);
      if (bytes === null) return;
      this.double.feed(bytes);
      await this.flush().catch(() => undefined);
    }
  }
}

function begin(host: Host, options: Partial<SecureOptions> = {}) {
  return secure(host.pair.near, {
    host: PEER_HOST,
    platform: fixedPlatform(),
    judge: (chain) => trustAnyone(chain.map(({ der }) => der)),
    ...options,
  });
}

async function readAll(stream: ByteStream, length: number): Promise<Uint8Array> {
  let all: Uint8Array = new Uint8Array(0);
  while (all.length < length) {
    const bytes = await stream.read();
    if (bytes === null) break;
    all = concatBytes(all, bytes);
  }
  return all;
}

describe('secure', () => {
  test.each([1, 7, Infinity])(
    'secure carries data both ways over a stream that splits into %s bytes',
    async (splitBytes) => {
      const host = new Host({}, streamPair({ splitBytes }));
      const { stream, peer, endPoint, version, suite, group } = await begin(host);
      expect({ version, suite, group }).toEqual({ version: '1.3', suite: 'TLS_AES_128_GCM_SHA256', group: 'x25519' });
      expect(peer.certificate.der).toEqual(p256.chain[0]);
      expect(endPoint).toEqual(serverEndPoint(peer.certificate));
      expect(utf8Decode(endPoint.subarray(0, 21))).toBe('tls-server-end-point:');
      const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i);
      await stream.write(bytes);
      host.double.wire.sendData(bytes);
      await host.flush();
      expect(await readAll(stream, bytes.length)).toEqual(bytes);
      await settled();
      expect(host.double.received).toEqual(bytes);
    },
  );

  test('secure writes in pieces, and an error below ends the write', async () => {
    const host = new Host();
    const { stream } = await begin(host);
    await stream.write(new Uint8Array(200_000));
    await settled();
    expect(host.double.received).toHaveLength(200_000);
    host.pair.cut();
    await expect(stream.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'http.closed-early' });
    await expect(stream.read()).rejects.toMatchObject({ code: 'http.closed-early' });
  });

  test('secure seals no more while the stream below does not take it', async () => {
    const host = new Host();
    const near = host.pair.near;
    let isSlow = false;
    let release: () => void = () => undefined;
    const writes: number[] = [];
    const slow: ByteStream = {
      label: 'slow',
      read: (signal) => near.read(signal),
      async write(bytes, signal) {
        if (isSlow) {
          writes.push(bytes.length);
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        await near.write(bytes, signal);
      },
      end: () => near.end(),
      destroy: (reason) => near.destroy(reason),
    };
    const { stream } = await secure(slow, {
      host: PEER_HOST,
      platform: fixedPlatform(),
      judge: (chain) => trustAnyone(chain.map(({ der }) => der)),
    });
    isSlow = true;
    let isDone = false;
    const writing = stream.write(new Uint8Array(130_000)).then(() => {
      isDone = true;
    });
    for (let turn = 1; turn <= 2; turn++) {
      await settled();
      expect(writes).toHaveLength(turn);
      expect(isDone).toBe(false);
      release();
    }
    await writing;
    expect(isDone).toBe(true);
  });

  test('secure gives up its judgement: an alert goes, nothing else, and the stream below is destroyed', async () => {
    const host = new Host();
    const reason = new WinRmError('session.cancelled', { at: 'certificate' });
    const before = begin(host, {
      judge: async () => {
        await settled();
        throw reason;
      },
    });
    await expect(before).rejects.toBe(reason);
    expect(host.double.alerts).toEqual([[2, 90]]);
    expect(host.double.isOpen).toBe(false);
    expect(host.pair.destroyed.near()).not.toBeNull();
  });

  test('secure counts no time a person takes, and gives up on a silent host with session.timed-out', async () => {
    const platform = fixedPlatform();
    const host = new Host();
    const patient = begin(host, {
      platform,
      judge: async (chain) => {
        await platform.advance(10 * HANDSHAKE_TIMEOUT_MS);
        return trustAnyone(chain.map(({ der }) => der));
      },
    });
    expect((await patient).handshakeMs).toBe(0);

    const silent = streamPair();
    const waiting = secure(silent.near, { host: PEER_HOST, platform, judge: () => expect.fail('nobody to judge') });
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'session.timed-out' });
    await platform.advance(HANDSHAKE_TIMEOUT_MS);
    await platform.advance(1000);
    await outcome;
    expect(silent.destroyed.near()).not.toBeNull();
  });

  test('secure stops at once when it is called off, before the judgement and during it', async () => {
    const calledOff = { code: 'session.cancelled' };
    const early = new AbortController();
    const silent = streamPair();
    const options = { host: PEER_HOST, platform: fixedPlatform(), judge: () => expect.fail('nobody to judge') };
    const first = secure(silent.near, { ...options, signal: early.signal });
    early.abort();
    await expect(first).rejects.toMatchObject(calledOff);

    const late = new AbortController();
    const host = new Host();
    const second = begin(host, {
      signal: late.signal,
      judge: () => {
        late.abort();
        return new Promise(() => undefined);
      },
    });
    await expect(second).rejects.toMatchObject(calledOff);
    expect(host.double.isOpen).toBe(false);
  });

  test('secure reports what is no TLS, what ends early and what lies', async () => {
    const web = streamPair();
    void web.far.write(utf8Encode('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const options = { host: PEER_HOST, platform: fixedPlatform(), judge: () => expect.fail('nobody to judge') };
    await expect(secure(web.near, options)).rejects.toMatchObject({ code: 'tls.not-tls' });
    const gone = streamPair();
    void gone.far.end();
    await expect(secure(gone.near, options)).rejects.toMatchObject({ code: 'http.closed-early' });
    const forged = new Host({ identity: { ...p256, key: identityOf(peers.other).key } });
    await expect(begin(forged)).rejects.toMatchObject({ code: 'tls.bad-proof' });
    await settled();
    expect(forged.double.alerts).toEqual([[2, 51]]);
  });
});

describe('a secured stream', () => {
  test('ends when the host says so, and tells an end that was cut', async () => {
    const polite = new Host();
    const { stream } = await begin(polite);
    polite.double.wire.sendAlert('close_notify', 'warning');
    await polite.flush();
    expect(await stream.read()).toBeNull();
    expect(stream.isTruncated).toBe(false);
    await expect(stream.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'http.closed-early' });

    const cut = new Host();
    const other = await begin(cut);
    await cut.pair.far.end();
    expect(await other.stream.read()).toBeNull();
    expect(await other.stream.read()).toBeNull();
    expect(other.stream.isTruncated).toBe(true);
  });

  test('says close_notify when it ends, once, and reads on', async () => {
    const host = new Host();
    const { stream } = await begin(host);
    await stream.end();
    await stream.end();
    await settled();
    expect(host.double.alerts).toEqual([[1, 0]]);
    host.double.wire.sendData(utf8Encode('last words'));
    await host.flush();
    expect(utf8Decode((await stream.read()) ?? new Uint8Array(0))).toBe('last words');
    await expect(stream.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'misuse.wrong-state' });
  });

  test('lets a read be called off without losing a byte', async () => {
    const host = new Host();
    const { stream } = await begin(host);
    const controller = new AbortController();
    const reading = stream.read(controller.signal);
    await expect(stream.read()).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: 'session.cancelled' });
    host.double.wire.sendData(utf8Encode('still here'));
    await host.flush();
    expect(utf8Decode((await stream.read()) ?? new Uint8Array(0))).toBe('still here');
  });

  test('takes a damaged record as the end: the host is told, the stream below dropped', async () => {
    const host = new Host();
    const { stream } = await begin(host);
    host.double.wire.sendData(utf8Encode('text'));
    const sealed = host.double.takeOutput();
    await host.pair.far.write(sealed.map((byte, i) => (i === 9 ? byte ^ 1 : byte)));
    await expect(stream.read()).rejects.toMatchObject({ code: 'tls.bad-record' });
    await expect(stream.read()).rejects.toMatchObject({ code: 'tls.bad-record' });
    await expect(stream.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'tls.bad-record' });
    await settled();
    expect(host.double.alerts).toEqual([[2, 20]]);
    expect(host.pair.destroyed.near()).not.toBeNull();
  });

  test('answers key updates while it reads', async () => {
    const host = new Host();
    const { stream } = await begin(host);
    host.double.updateKey(true);
    host.double.wire.sendData(utf8Encode('new key'));
    await host.flush();
    expect(utf8Decode((await stream.read()) ?? new Uint8Array(0))).toBe('new key');
    await stream.write(utf8Encode('ours too'));
    await settled();
    expect(utf8Decode(host.double.received)).toBe('ours too');
  });

  test('lets a write wait for the end of a renegotiation, as Windows begins when it wants a certificate', async () => {
    const clientCertificate = identityOf(peers.p384);
    const host = new Host({ suite: GCM });
    const { stream } = await begin(host, { clientCertificate });
    const reading = stream.read();
    await stream.write(utf8Encode('first'));
    host.pair.hold();
    host.double.renegotiate({ asksCertificate: true });
    await host.flush();
    host.pair.release();
    await settled();
    await stream.write(utf8Encode(' second'));
    await settled();
    expect(host.double.clientChain).toEqual(clientCertificate.chain);
    expect(utf8Decode(host.double.received)).toBe('first second');
    host.double.wire.sendData(utf8Encode('reply'));
    await host.flush();
    expect(utf8Decode((await reading) ?? new Uint8Array(0))).toBe('reply');
  });

  test('is gone at once when destroyed', async () => {
    const host = new Host();
    const { stream } = await begin(host);
    const reading = stream.read();
    const reason = new WinRmError('session.cancelled', { at: 'test' });
    stream.destroy(reason);
    stream.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'session.cancelled' });
    await expect(stream.write(Uint8Array.of(1))).rejects.toBe(reason);
    await expect(stream.read()).rejects.toBe(reason);
  });
});
