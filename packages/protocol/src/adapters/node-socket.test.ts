import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { concatBytes, latin1Decode, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import type { ByteStream } from '../bytes/stream.ts';
import { WinRmError } from '../errors.ts';
import { dialError, dialNode, nodeDialer, socketStream } from './node-socket.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server on a free port of the loopback, whose connections are given to `serve`. */
const listen = (serve: (socket: Socket) => void): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      serve(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

const dial = (port: number): Promise<ByteStream> => nodeDialer({ host: '127.0.0.1', port });

const readAll = async (stream: ByteStream): Promise<Uint8Array> => {
  const parts: Uint8Array[] = [];
  for (;;) {
    const bytes = await stream.read();
    if (bytes === null) return concatBytes(...parts);
    parts.push(bytes);
  }
};

describe('nodeDialer', () => {
  it('connects and tells where to', async () => {
    const port = await listen(() => undefined);
    const stream = await dialNode({ host: '127.0.0.1', port }, 5000);
    expect([stream.label, stream.address]).toEqual([`127.0.0.1:${port}`, '127.0.0.1']);
    stream.destroy();
  });

  it('reports relay.connection-refused with the cause', async () => {
    const port = await listen(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expect(dial(port)).rejects.toMatchObject({
      code: 'relay.connection-refused',
      details: { hop: 0, host: '127.0.0.1', port, cause: 'ECONNREFUSED' },
    });
  });

  it('reports relay.name-not-found', async () => {
    await expect(nodeDialer({ host: 'no-such-host.invalid', port: 1 })).rejects.toMatchObject({
      code: 'relay.name-not-found',
      details: { hop: 0, host: 'no-such-host.invalid' },
    });
  });

  it('reports relay.connect-timeout when its time is over', async () => {
    const port = await listen(() => undefined);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const dialling = dialNode({ host: '127.0.0.1', port }, 4000);
      vi.advanceTimersByTime(4000); // before the event loop turns, so before any connection can be made
      await expect(dialling).rejects.toMatchObject({
        code: 'relay.connect-timeout',
        details: { hop: 0, host: '127.0.0.1', port, seconds: 4 },
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it('stops at once with session.cancelled, before and while connecting', async () => {
    const port = await listen(() => undefined);
    await expect(nodeDialer({ host: '127.0.0.1', port }, AbortSignal.abort())).rejects.toMatchObject({
      code: 'session.cancelled',
    });
    const stop = new AbortController();
    const dialling = nodeDialer({ host: '127.0.0.1', port }, stop.signal);
    const reason = new WinRmError('relay.lost', { reason: 'x' });
    stop.abort(reason);
    await expect(dialling).rejects.toBe(reason);
  });

  it('names what the operating system says of several addresses by the first', () => {
    const each = Object.assign(new Error('x'), { code: 'EHOSTUNREACH' });
    const address = { host: 'a', port: 1 };
    expect(dialError(new AggregateError([each]), address)).toMatchObject({
      code: 'relay.connection-refused',
      details: { cause: 'EHOSTUNREACH' },
    });
    expect(dialError(Object.assign(new Error('x'), { code: 'EAI_AGAIN' }), address).code).toBe('relay.name-not-found');
    expect(dialError(Object.assign(new Error('x'), { code: 'ETIMEDOUT' }), address).code).toBe('relay.connect-timeout');
    expect(dialError('odd', address)).toMatchObject({ details: { cause: 'unknown' } });
  });
});

describe('socketStream', () => {
  it('carries bytes both ways and half-closes each way on its own', async () => {
    const port = await listen((socket) => {
      socket.write('welcome');
      const parts: Buffer[] = [];
      socket.on('data', (chunk) => parts.push(chunk));
      socket.on('end', () => socket.end(`got ${Buffer.concat(parts).toString('latin1')}`));
    });
    const stream = await dial(port);
    expect(latin1Decode((await stream.read()) ?? NO_BYTES)).toBe('welcome');
    await stream.write(latin1Encode('one '));
    await stream.write(latin1Encode('two'));
    await stream.end();
    expect(latin1Decode(await readAll(stream))).toBe('got one two');
    expect(await stream.read()).toBeNull();
    await stream.end();
  });

  it('still writes after the peer has ended', async () => {
    const heard = new Promise<string>((resolve) => {
      void listen((socket) => {
        socket.end();
        socket.on('data', (chunk) => resolve(chunk.toString('latin1')));
      }).then(async (port) => {
        const stream = await dial(port);
        expect(await stream.read()).toBeNull();
        await stream.write(latin1Encode('late'));
      });
    });
    expect(await heard).toBe('late');
  });

  it('holds the writer while the peer does not read, and lets it go on when it does', async () => {
    let peer: Socket | null = null;
    const port = await listen((socket) => {
      peer = socket;
      socket.pause();
    });
    const stream = await dial(port);
    const total = 64 * 1024 * 1024;
    const piece = new Uint8Array(1024 * 1024);
    let written = 0;
    const writing = (async () => {
      for (; written < total; written += piece.length) await stream.write(piece);
      await stream.end();
    })();
    while (peer === null) await new Promise((resolve) => setImmediate(resolve));
    const settledAt = await stable(() => written);
    expect(settledAt).toBeLessThan(total);
    let received = 0;
    const socket = peer as Socket;
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
      socket.on('end', resolve);
      socket.resume();
    });
    await writing;
    expect(received).toBe(total);
  });

  it('does not read ahead of its reader without bound', async () => {
    let written = 0;
    let isHeld = false;
    const port = await listen((socket) => {
      const piece = new Uint8Array(1024 * 1024);
      const more = (): void => {
        while (written < 256 * 1024 * 1024) {
          written += piece.length;
          if (!socket.write(piece)) {
            isHeld = true;
            socket.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    const stream = await dial(port);
    await stream.read();
    expect(await stable(() => written)).toBeLessThan(256 * 1024 * 1024);
    expect(isHeld).toBe(true);
    stream.destroy();
  });

  it('reports a reset as http.closed-early to reader and writer', async () => {
    const port = await listen((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const stream = await dial(port);
    await stream.write(latin1Encode('x'));
    await expect(stream.read()).rejects.toMatchObject({ code: 'http.closed-early', details: { where: 'connection' } });
    await expect(stream.write(latin1Encode('x'))).rejects.toMatchObject({ code: 'http.closed-early' });
    await stream.end();
  });

  it('gives whoever waits the reason it is destroyed for, once', async () => {
    const port = await listen(() => undefined);
    const stream = await dial(port);
    const reading = stream.read();
    const reason = new WinRmError('relay.lost', { reason: 'x' });
    stream.destroy(reason);
    stream.destroy();
    await expect(reading).rejects.toBe(reason);
    await expect(stream.write(latin1Encode('x'))).rejects.toBe(reason);
  });

  it('lets a reader go at once with session.cancelled and loses nothing', async () => {
    let speak = (): void => undefined;
    const port = await listen((socket) => {
      speak = () => socket.write('abc');
    });
    const stream = await dial(port);
    const stop = new AbortController();
    const reading = stream.read(stop.signal);
    await expect(stream.read()).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    stop.abort();
    await expect(reading).rejects.toMatchObject({ code: 'session.cancelled', details: { at: 'read' } });
    speak();
    expect(latin1Decode((await stream.read()) ?? NO_BYTES)).toBe('abc');
    await expect(stream.write(NO_BYTES, AbortSignal.abort())).rejects.toMatchObject({ code: 'session.cancelled' });
    stream.destroy();
  });

  it('refuses to write after its end with misuse.wrong-state', async () => {
    const port = await listen(() => undefined);
    const stream = await dial(port);
    await stream.end();
    await expect(stream.write(latin1Encode('x'))).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    stream.destroy();
  });

  it('wraps a socket that was accepted', async () => {
    const accepted = new Promise<Socket>((resolve) => {
      void listen(resolve).then(async (port) => {
        const stream = await dial(port);
        await stream.write(latin1Encode('hello'));
      });
    });
    const stream = socketStream(await accepted, 'accepted');
    expect(latin1Decode((await stream.read()) ?? NO_BYTES)).toBe('hello');
    stream.destroy();
  });
});

/** The value a counter stands still at. */
const stable = async (counter: () => number): Promise<number> => {
  for (let before = -1, quiet = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    quiet = counter() === before ? quiet + 1 : 0;
    before = counter();
    if (quiet === 20) return before;
  }
};
