import { describe, expect, it } from 'vitest';
import { latin1Decode, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import type { ByteStream } from '../bytes/stream.ts';
import { WinRmError } from '../errors.ts';
import { fixedPlatform, scriptedPeer, settled, streamPair } from '../testing/index.ts';
import { HttpConnection } from './connection.ts';
import { Headers } from './headers.ts';
import type { HttpRequest } from './request.ts';

const post = (body = 'x'): HttpRequest => ({
  method: 'POST',
  target: '/wsman',
  headers: new Headers([['Host', 'win1']]),
  body: latin1Encode(body),
});

const ok = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

const set = (splitBytes?: number) => {
  const pair = streamPair(splitBytes === undefined ? {} : { splitBytes });
  const platform = fixedPlatform();
  const connection = new HttpConnection(pair.near);
  const options = { replyWithinMs: 5000, platform };
  return { pair, platform, connection, options };
};

const streamOf = (stream: ByteStream): ByteStream => ({
  label: stream.label,
  read: (signal) => stream.read(signal),
  write: (bytes, signal) => stream.write(bytes, signal),
  end: () => stream.end(),
  destroy: (reason) => stream.destroy(reason),
});

describe('HttpConnection', () => {
  it.each([undefined, 1, 7])('carries exchanges in turn when bytes come %j at a time', async (splitBytes) => {
    const { pair, connection, options } = set(splitBytes);
    const peer = scriptedPeer(pair.far, [{ request: () => ok('one') }, { request: () => ok('two') }]);
    expect(latin1Decode((await connection.exchange(post('1'), options)).body)).toBe('one');
    expect(connection.state).toBe('idle');
    expect(latin1Decode((await connection.exchange(post('2'), options)).body)).toBe('two');
    const { requests } = await peer;
    expect(requests.map((request) => latin1Decode(request.body))).toEqual(['1', '2']);
    expect(connection.isUsable).toBe(true);
  });

  it.each([true, false])(
    'takes an end that was cut (%j) for no end of a body: http.closed-early',
    async (isTruncated) => {
      const pair = streamPair();
      const connection = new HttpConnection({ ...streamOf(pair.near), isTruncated });
      const reply = connection.exchange(post(), { replyWithinMs: 5000, platform: fixedPlatform() });
      await settled();
      await pair.far.write(latin1Encode('HTTP/1.1 200 OK\r\n\r\nhalf a '));
      await pair.far.end();
      if (isTruncated) {
        await expect(reply).rejects.toMatchObject({ code: 'http.closed-early', details: { where: 'body' } });
        expect(connection.fate).toBe('unknown');
      } else expect(latin1Decode((await reply).body)).toBe('half a ');
    },
  );

  it('refuses a second exchange while one runs with misuse.wrong-state and lets the first go on', async () => {
    const { pair, connection, options } = set();
    const first = connection.exchange(post(), options);
    await settled();
    await expect(connection.exchange(post(), options)).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    await scriptedPeer(pair.far, [{ request: () => ok('one') }]);
    expect((await first).status).toBe(200);
  });

  it('refuses a second exchange begun in the same breath', async () => {
    const { pair, connection, options } = set();
    const first = connection.exchange(post(), options);
    await expect(connection.exchange(post(), options)).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    await scriptedPeer(pair.far, [{ request: () => ok('one') }]);
    expect((await first).status).toBe(200);
    expect(latin1Decode(pair.written.near()).match(/POST/g)).toHaveLength(1);
  });

  it('notices an end of stream while idle, before anything is sent', async () => {
    const { pair, connection, options } = set();
    const peer = scriptedPeer(pair.far, [{ request: () => ok('one') }, { end: true }]);
    await connection.exchange(post(), options);
    await peer;
    await settled();
    expect(connection.isUsable).toBe(false);
    const sentBefore = pair.written.near().length;
    await expect(connection.exchange(post(), options)).rejects.toMatchObject({
      code: 'http.closed-early',
      details: { where: 'idle' },
    });
    expect(connection.fate).toBe('not-sent');
    expect(pair.written.near()).toHaveLength(sentBefore);
  });

  it('ends when bytes come that nobody asked for, and says http.not-http when they are none of HTTP', async () => {
    const { pair, connection, options } = set();
    await pair.far.write(latin1Encode('SSH-2.0-x\r\n'));
    await settled();
    expect(connection.state).toBe('closed');
    await expect(connection.exchange(post(), options)).rejects.toMatchObject({
      code: 'http.not-http',
      details: { startsWith: 'SSH-2.0-x..' },
    });
    expect(connection.fate).toBe('not-sent');
  });

  it('never takes a 408 that came while idle for the reply to the next request', async () => {
    const { pair, connection, options } = set();
    await pair.far.write(latin1Encode('HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n'));
    await settled();
    await expect(connection.exchange(post(), options)).rejects.toMatchObject({ code: 'http.closed-early' });
    expect(pair.written.near()).toHaveLength(0);
  });

  it('is not used again after bytes that follow a reply', async () => {
    const { pair, connection, options } = set();
    const peer = scriptedPeer(pair.far, [{ request: () => `${ok('one')}${ok('smuggled')}` }]);
    expect(latin1Decode((await connection.exchange(post(), options)).body)).toBe('one');
    await peer;
    expect(connection.isUsable).toBe(false);
    expect(pair.destroyed.near()).not.toBeNull();
  });

  it.each([
    ['Connection: close', ok('one', 'Connection: close\r\n')],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])('is not used again after %s', async (_what, reply) => {
    const { pair, connection, options } = set();
    const peer = scriptedPeer(pair.far, [{ request: () => reply }]);
    expect((await connection.exchange(post(), options)).status).toBe(200);
    await peer;
    expect(connection.state).toBe('closed');
  });

  it.each([
    ['http.closed-early', [{ end: true }]],
    ['http.closed-early', [{ send: 'HTTP/1.1 200 OK\r\nContent-Le' }, { end: true }]],
    ['http.malformed', [{ send: 'HTTP/1.1 what\r\n\r\n' }]],
    ['http.not-http', [{ send: 'hello' }]],
    ['http.too-large', [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n' }]],
  ] as const)('fails with %s, fate unknown, and destroys the stream after %j', async (code, script) => {
    const { pair, connection, options } = set();
    const peer = scriptedPeer(pair.far, [{ request: () => undefined }, ...script]);
    await expect(connection.exchange(post(), options)).rejects.toMatchObject({ code });
    await peer;
    expect(connection.fate).toBe('unknown');
    expect(connection.state).toBe('closed');
    expect(pair.destroyed.near()).toMatchObject({ code });
  });

  it('times out with session.timed-out naming the step', async () => {
    const { pair, platform, connection, options } = set();
    const outcome = expect(connection.exchange(post(), { ...options, at: 'authenticate' })).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { at: 'authenticate', seconds: 5 },
    });
    await platform.advance(5000);
    await outcome;
    expect(connection.fate).toBe('unknown');
    expect(pair.destroyed.near()).toMatchObject({ code: 'session.timed-out' });
  });

  it('stops at once with session.cancelled, in the middle of a reply too', async () => {
    const { pair, platform, connection, options } = set();
    const stop = new AbortController();
    const exchange = connection.exchange(post(), { ...options, signal: stop.signal });
    await scriptedPeer(pair.far, [{ request: () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc' }]);
    stop.abort();
    await expect(exchange).rejects.toMatchObject({ code: 'session.cancelled' });
    expect(pair.destroyed.near()).toMatchObject({ code: 'session.cancelled' });
    await platform.advance(0);
    expect(platform.sleeperCount).toBe(0);
  });

  it('sends nothing when it was cancelled before', async () => {
    const { pair, connection, options } = set();
    const exchange = connection.exchange(post(), { ...options, signal: AbortSignal.abort() });
    await expect(exchange).rejects.toMatchObject({ code: 'session.cancelled' });
    expect([connection.fate, pair.written.near().length]).toEqual(['not-sent', 0]);
  });

  it('sends nothing of a request that cannot be written', async () => {
    const { pair, connection, options } = set();
    await expect(connection.exchange({ ...post(), target: 'a b' }, options)).rejects.toMatchObject({
      code: 'misuse.bad-argument',
    });
    expect([connection.isUsable, pair.written.near().length]).toEqual([true, 0]);
  });

  it('rejects an exchange under way when it is closed', async () => {
    const { connection, options } = set();
    const exchange = connection.exchange(post(), options);
    await settled();
    connection.close();
    connection.close();
    await expect(exchange).rejects.toMatchObject({ code: 'session.cancelled' });
    expect(connection.state).toBe('closed');
  });

  it('turns an error of the stream that is none of ours into http.closed-early', async () => {
    const broken: ByteStream = {
      label: 'broken',
      read: () => new Promise(() => undefined),
      write: () => Promise.reject(new TypeError('odd')),
      end: async () => undefined,
      destroy: () => undefined,
    };
    const platform = fixedPlatform();
    const exchange = new HttpConnection(broken).exchange(post(), { replyWithinMs: 5000, platform });
    const outcome = expect(exchange).rejects.toMatchObject({ code: 'http.closed-early', cause: new TypeError('odd') });
    await platform.advance(500);
    await outcome;
  });

  it('prefers a reply that was in already to the error of the write', async () => {
    const pair = streamPair();
    const refusing: ByteStream = {
      label: 'refusing',
      read: (signal) => pair.near.read(signal),
      write: async () => {
        await pair.far.write(latin1Encode('HTTP/1.1 413 Too large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'));
        throw new WinRmError('http.closed-early', { where: 'connection' });
      },
      end: () => pair.near.end(),
      destroy: () => undefined,
    };
    const connection = new HttpConnection(refusing);
    const reply = await connection.exchange(post(), { replyWithinMs: 5000, platform: fixedPlatform() });
    expect([reply.status, connection.isUsable]).toEqual([413, false]);
  });

  it('does not keep a connection whose peer answered before it had the whole request', async () => {
    const pair = streamPair();
    const slow: ByteStream = {
      label: 'slow',
      read: (signal) => pair.near.read(signal),
      write: () => new Promise(() => undefined),
      end: () => pair.near.end(),
      destroy: (reason) => pair.near.destroy(reason),
    };
    const connection = new HttpConnection(slow);
    const platform = fixedPlatform();
    const exchange = connection.exchange(post(), { replyWithinMs: 5000, platform });
    await settled();
    await pair.far.write(latin1Encode(ok('early')));
    await platform.advance(500);
    expect((await exchange).keepsConnection).toBe(false);
    expect(connection.isUsable).toBe(false);
  });

  it('becomes a tunnel after CONNECT and hands over bytes that came with the reply', async () => {
    const { pair, connection, options } = set();
    const peer = scriptedPeer(pair.far, [
      { request: (request) => `HTTP/1.1 200 ${request.target}\r\n\r\nhello ` },
      { send: 'again' },
    ]);
    const request = { method: 'CONNECT', target: 'win1:5985', headers: new Headers(), body: NO_BYTES };
    expect((await connection.exchange(request, options)).reason).toBe('win1:5985');
    expect(connection.isUsable).toBe(false);
    const tunnel = connection.detach();
    await peer;
    expect(latin1Decode((await tunnel.read()) ?? NO_BYTES)).toBe('hello ');
    expect(latin1Decode((await tunnel.read()) ?? NO_BYTES)).toBe('again');
    connection.close();
    expect(pair.destroyed.near()).toBeNull();
    expect(() => connection.detach()).toThrow(expect.objectContaining({ code: 'misuse.wrong-state' }));
  });

  it('hands over the read that was pending while idle, which a cancelled reader does not lose', async () => {
    const { pair, connection } = set();
    const stream = connection.detach();
    const stop = new AbortController();
    const first = stream.read(stop.signal);
    stop.abort();
    await expect(first).rejects.toMatchObject({ code: 'session.cancelled' });
    await pair.far.write(latin1Encode('abc'));
    expect(latin1Decode((await stream.read()) ?? NO_BYTES)).toBe('abc');
    await stream.write(latin1Encode('up'));
    await stream.end();
    expect(latin1Decode((await pair.far.read()) ?? NO_BYTES)).toBe('up');
    expect(await pair.far.read()).toBeNull();
  });
});
