import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { API_PATHS, CLOSE_CODES, MAX_MESSAGE_BYTES } from '@fairlead/contract';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Pipe } from './pipe.ts';
import { listenTcp, openTestPipe, startTestRelay, type TestPipe, type TestRelay } from './test-kit.ts';

const LOOPBACK = '127.0.0.1';

let t: TestRelay;
let cookie = '';
beforeAll(async () => {
  t = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_PROXIES: '127.0.0.1:*' });
  cookie = await t.signIn();
});
afterAll(() => t.close());

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(onSocket: (socket: Socket) => void): Promise<{ port: number; sockets: Socket[] }> {
  const server = await listenTcp(onSocket);
  servers.push(server);
  return server;
}

async function openTo(port: number): Promise<TestPipe> {
  const pipe = await t.dial(cookie, await t.ticket(cookie, { host: LOOPBACK, port }));
  await pipe.until('opened');
  return pipe;
}

/** Looks until a number has stopped changing. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  for (let still = 0; still < 5; ) {
    await wait(50);
    const now = read();
    still = now === last ? still + 1 : 0;
    last = now;
  }
  return last;
}

const echo = (socket: Socket) => socket.pipe(socket);

test('bytes go both ways as they are, and each hop is reported', async () => {
  const server = await serve(echo);
  const pipe = await openTo(server.port);
  const sent = randomBytes(3 * MAX_MESSAGE_BYTES);
  for (let at = 0; at < sent.length; at += MAX_MESSAGE_BYTES)
    pipe.socket.send(sent.subarray(at, at + MAX_MESSAGE_BYTES));
  await pipe.untilBytes(sent.length);
  expect(pipe.bytes.equals(sent)).toBe(true);
  expect(pipe.said).toEqual([{ type: 'opened', form: 'origin', hasProxy: false }]);
  expect(pipe.hops).toMatchObject([
    { hop: 0, party: 'relay', stage: 'open' },
    { hop: 1, party: 'server', stage: 'connecting', address: '' },
    { hop: 1, party: 'server', stage: 'open', host: LOOPBACK, port: server.port, address: LOOPBACK },
  ]);
  pipe.socket.close();
});

test('one WebSocket is one TCP connection, and neither outlives the other', async () => {
  const server = await serve(echo);
  const first = await openTo(server.port);
  const second = await openTo(server.port);
  expect(server.sockets).toHaveLength(2);
  const closed = new Promise((resolve) => server.sockets[0]?.once('close', resolve));
  first.socket.terminate();
  await closed;
  second.socket.send(Buffer.from('still here'));
  await second.untilBytes(10);
  server.sockets[1]?.resetAndDestroy();
  expect(await second.until('failed')).toMatchObject({ code: 'relay.lost', details: { reason: 'ECONNRESET' } });
  expect(await second.untilClosed()).toBe(CLOSE_CODES.cut);
});

test('each side can end while the other goes on', async () => {
  const heard: string[] = [];
  const server = await serve((socket) => {
    socket.on('data', (bytes) => heard.push(bytes.toString()));
    socket.on('end', () => {
      heard.push('end');
      socket.end('last words');
    });
  });
  const pipe = await openTo(server.port);
  pipe.socket.send(Buffer.from('question'));
  pipe.say({ type: 'end' });
  expect(await pipe.until('end')).toEqual({ type: 'end' });
  expect(pipe.bytes.toString()).toBe('last words');
  expect(heard.join(' ')).toBe('question end');
  expect(await pipe.untilClosed()).toBe(CLOSE_CODES.finished);

  const early = await serve((socket) => {
    socket.end('done');
    socket.on('data', (bytes) => heard.push(`late ${bytes.toString()}`));
  });
  const other = await openTo(early.port);
  await other.until('end');
  const taken = new Promise((resolve) => early.sockets[0]?.once('end', resolve));
  other.socket.send(Buffer.from('word'));
  other.say({ type: 'end' });
  await taken;
  expect(heard.at(-1)).toBe('late word');
  expect(await other.untilClosed()).toBe(CLOSE_CODES.finished);
});

test('a tab that reads slowly holds the server back, in bounded memory, and loses nothing', async () => {
  const total = 64 * MAX_MESSAGE_BYTES;
  const block = randomBytes(MAX_MESSAGE_BYTES);
  const expected = createHash('sha256');
  let written = 0;
  const server = await serve((socket) => {
    const more = () => {
      while (written < total) {
        written += block.length;
        expected.update(block);
        if (!socket.write(block)) {
          socket.once('drain', more);
          return;
        }
      }
      socket.end();
    };
    socket.once('data', more);
  });
  const pipe = await openTo(server.port);
  pipe.socket.removeAllListeners('message');
  pipe.socket.pause();
  pipe.socket.send(Buffer.from('go'));
  // What is under way: the kernel's buffers of two loopback connections, and our own, which are 2 MiB at most.
  const underWay = await settled(() => written);
  expect(underWay).toBeLessThan(32 * MAX_MESSAGE_BYTES);
  const received = createHash('sha256');
  let length = 0;
  const ended = new Promise<void>((resolve) => {
    pipe.socket.on('message', (content: Buffer, isBinary) => {
      if (!isBinary) {
        if (content.toString().includes('end')) resolve();
        return;
      }
      received.update(content);
      length += content.length;
    });
  });
  pipe.socket.resume();
  await ended;
  expect(length).toBe(total);
  expect(received.digest('hex')).toBe(expected.digest('hex'));
  pipe.socket.terminate();
});

test('a server that reads slowly holds the tab back, in bounded memory, and loses nothing', async () => {
  const received = createHash('sha256');
  let length = 0;
  const server = await serve((socket) => {
    socket.pause();
    socket.on('data', (bytes) => {
      received.update(bytes);
      length += bytes.length;
    });
  });
  const pipe = await openTo(server.port);
  const block = randomBytes(MAX_MESSAGE_BYTES);
  const expected = createHash('sha256');
  const total = 64 * block.length;
  for (let i = 0; i < 64; i++) {
    pipe.socket.send(block);
    expected.update(block);
  }
  pipe.say({ type: 'end' });
  const left = await settled(() => pipe.socket.bufferedAmount);
  expect(total - left).toBeLessThan(32 * MAX_MESSAGE_BYTES);
  const ended = new Promise((resolve) => server.sockets[0]?.once('end', resolve));
  server.sockets[0]?.resume();
  await ended;
  expect(length).toBe(total);
  expect(received.digest('hex')).toBe(expected.digest('hex'));
  pipe.socket.terminate();
});

test('single bytes for a server that reads nothing hold the tab back as early as large messages do', () => {
  let hasPaused = false;
  const socket = { isPaused: false, pause: () => (hasPaused = true), resume() {}, send() {}, bufferedAmount: 0 };
  const never = new Promise<never>(() => {});
  const stream = { label: 'still', read: () => never, write: () => never, end: () => never, destroy() {} };
  const pipe = new Pipe(socket, stream, null, () => {});
  let messageCount = 0;
  for (; !hasPaused && messageCount < 10_000; messageCount++) pipe.receive(new Uint8Array(1));
  expect(messageCount).toBeLessThan(200);
});

test('a message larger than the contract allows closes the pipe', async () => {
  const server = await serve(echo);
  const pipe = await openTo(server.port);
  pipe.socket.on('error', () => {});
  const closed = new Promise((resolve) => server.sockets[0]?.once('close', resolve));
  pipe.socket.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
  expect(await pipe.untilClosed()).toBe(CLOSE_CODES.tooLarge);
  await closed;
});

test('text that is not in the contract, or not at this point, closes the pipe', async () => {
  const server = await serve(echo);
  for (const junk of [
    '',
    'hello',
    '{}',
    '[]',
    '{"type":"opened"}',
    '{"type":"dial"}',
    `{"type":"beat"${' '.repeat(20_000)}}`,
  ]) {
    const pipe = await openTo(server.port);
    pipe.say(junk);
    expect(await pipe.untilClosed(), junk.slice(0, 40)).toBe(CLOSE_CODES.malformed);
  }
  const twice = await openTo(server.port);
  twice.say({ type: 'dial', ticket: await t.ticket(cookie, { host: LOOPBACK, port: server.port }) });
  expect(await twice.untilClosed()).toBe(CLOSE_CODES.malformed);
  for (const early of [Buffer.from('bytes'), '{"type":"end"}']) {
    const pipe = await openTestPipe(t.base, { Cookie: cookie });
    pipe.socket.send(early);
    expect(await pipe.untilClosed()).toBe(CLOSE_CODES.malformed);
  }
});

test('without a sign-in the byte socket says relay.sign-in-required', async () => {
  const pipe = await openTestPipe(t.base, {});
  expect(await pipe.until('failed')).toMatchObject({ code: 'relay.sign-in-required' });
  expect(await pipe.untilClosed()).toBe(CLOSE_CODES.signInRequired);
});

test('a ticket that is used, made up or of another relay is relay.ticket-refused', async () => {
  const server = await serve(echo);
  const ticket = await t.ticket(cookie, { host: LOOPBACK, port: server.port });
  const first = await t.dial(cookie, ticket);
  await first.until('opened');
  const second = await t.dial(cookie, ticket);
  expect(await second.until('failed')).toMatchObject({ code: 'relay.ticket-refused', details: { reason: 'used' } });
  expect(await second.untilClosed()).toBe(CLOSE_CODES.ticketRefused);
  const third = await t.dial(cookie, 'A'.repeat(43));
  expect(await third.until('failed')).toMatchObject({ code: 'relay.ticket-refused', details: { reason: 'unknown' } });
  expect(server.sockets).toHaveLength(1);
  first.socket.terminate();
});

test('a ticket that was kept too long is relay.ticket-refused: expired', async () => {
  let skipMs = 0;
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() + skipMs };
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' }, { clock });
  try {
    const mine = await own.signIn();
    const ticket = await own.ticket(mine, { host: LOOPBACK, port: 1 });
    skipMs = 30_000;
    const pipe = await own.dial(mine, ticket);
    expect(await pipe.until('failed')).toMatchObject({ code: 'relay.ticket-refused', details: { reason: 'expired' } });
  } finally {
    await own.close();
  }
});

test('a closed port is relay.connection-refused', async () => {
  const server = await listenTcp(() => {});
  server.close();
  const pipe = await t.dial(cookie, await t.ticket(cookie, { host: LOOPBACK, port: server.port }));
  expect(await pipe.until('failed')).toEqual({
    type: 'failed',
    code: 'relay.connection-refused',
    details: { hop: 1, host: LOOPBACK, port: server.port, cause: 'ECONNREFUSED' },
  });
  expect(await pipe.untilClosed()).toBe(CLOSE_CODES.roadFailed);
});

test('names are resolved once, judged, and connected to by address', async () => {
  const server = await serve(echo);
  const asked: string[] = [];
  const answers: Record<string, string[]> = {
    'good.corp': ['127.0.0.1'],
    'second.corp': ['127.0.0.9', '127.0.0.1'],
    'rebound.corp': ['127.0.0.1', '127.0.0.66'],
    'mapped.corp': ['::ffff:127.0.0.1'],
    'none.corp': [],
  };
  const resolve = (name: string) => {
    asked.push(name);
    const found = answers[name];
    return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(found);
  };
  const env = { FAIRLEAD_TARGETS: '*.corp:*@127.0.0.1/32 second.corp:*@127.0.0.8/29' };
  const own = await startTestRelay(env, { resolve });
  try {
    const mine = await own.signIn();
    const dial = async (host: string) => own.dial(mine, await own.ticket(mine, { host, port: server.port }));
    const good = await dial('GOOD.corp');
    await good.until('opened');
    expect(good.hops.at(-1)).toMatchObject({ address: '127.0.0.1' });
    expect(asked).toEqual(['good.corp']);
    const second = await dial('second.corp');
    await second.until('opened');
    expect(second.hops.at(-1)).toMatchObject({ address: '127.0.0.1' });
    for (const name of ['rebound.corp', 'mapped.corp']) {
      const pipe = await dial(name);
      expect(await pipe.until('failed')).toMatchObject({ code: 'relay.policy-denied', details: { rule: 'address' } });
      expect(await pipe.untilClosed()).toBe(CLOSE_CODES.policyDenied);
    }
    for (const name of ['none.corp', 'missing.corp']) {
      const details = { hop: 1, host: name };
      expect(await (await dial(name)).until('failed')).toEqual({
        type: 'failed',
        code: 'relay.name-not-found',
        details,
      });
    }
    expect(server.sockets).toHaveLength(2);
  } finally {
    await own.close();
  }
});

test('a name that nobody answers for, and a proxy that says nothing, run into relay.connect-timeout or session.timed-out', async () => {
  const silent = await serve(() => {});
  const env = {
    FAIRLEAD_TARGETS: '*.corp:*@127.0.0.1/32',
    FAIRLEAD_PROXIES: '127.0.0.1:*',
    FAIRLEAD_DIAL_SECONDS: '1',
  };
  const own = await startTestRelay(env, { resolve: () => new Promise(() => {}) });
  try {
    const mine = await own.signIn();
    const target = { host: 'slow.corp', port: 5985 };
    const direct = await own.dial(mine, await own.ticket(mine, target));
    expect(await direct.until('failed')).toEqual({
      type: 'failed',
      code: 'relay.connect-timeout',
      details: { hop: 1, ...target, seconds: 1 },
    });
    const hop = { kind: 'http-connect', host: LOOPBACK, port: silent.port } as const;
    const proxied = await own.dial(mine, await own.ticket(mine, target, [hop]));
    expect((await proxied.until('failed'))['code']).toMatch(/^(?:session\.timed-out|proxy\..*)$/);
  } finally {
    await own.close();
  }
});

test('a road through a proxy is walked with CONNECT, and its refusal is passed on as it was', async () => {
  const heads: string[] = [];
  const proxy = await serve((socket) => {
    socket.once('data', (bytes) => {
      const head = bytes.toString();
      heads.push(head);
      if (head.includes('denied')) {
        socket.end('HTTP/1.1 403 Forbidden\r\nVia: 1.1 squid\r\nContent-Length: 12\r\n\r\n<b>Never</b>!');
      } else {
        socket.write('HTTP/1.1 200 OK\r\n\r\nfirst bytes ');
        echo(socket);
      }
    });
  });
  const env = { FAIRLEAD_TARGETS: '*.corp:5985', FAIRLEAD_PROXIES: '127.0.0.1:*' };
  const own = await startTestRelay(env, { resolve: () => Promise.reject(new Error('not asked')) });
  try {
    const mine = await own.signIn();
    const hops = [{ kind: 'http-connect', host: LOOPBACK, port: proxy.port } as const];
    const pipe = await own.dial(mine, await own.ticket(mine, { host: 'srv1.corp', port: 5985 }, hops));
    expect(await pipe.until('opened')).toEqual({ type: 'opened', form: 'origin', hasProxy: true });
    pipe.socket.send(Buffer.from('and more'));
    await pipe.untilBytes(20);
    expect(pipe.bytes.toString()).toBe('first bytes and more');
    expect(heads[0]).toMatch(/^CONNECT srv1\.corp:5985 HTTP\/1\.1\r\n/);
    const denied = await own.dial(mine, await own.ticket(mine, { host: 'denied.corp', port: 5985 }, hops));
    expect(await denied.until('failed')).toMatchObject({
      code: 'proxy.connect-denied',
      details: { status: 403, target: 'denied.corp:5985', via: '1.1 squid' },
    });
    expect(await denied.untilClosed()).toBe(CLOSE_CODES.roadFailed);
  } finally {
    await own.close();
  }
});

test('on a forward road only sealed requests for the target of the ticket pass: proxy.forward-refused', async () => {
  const heard: string[] = [];
  const proxy = await serve((socket) => socket.on('data', (bytes) => heard.push(bytes.toString())));
  const env = { FAIRLEAD_TARGETS: 'srv1.corp', FAIRLEAD_PROXIES: '127.0.0.1:*' };
  const own = await startTestRelay(env);
  try {
    const mine = await own.signIn();
    const hops = [{ kind: 'http-forward', host: LOOPBACK, port: proxy.port } as const];
    const head = (authority: string) =>
      `POST http://${authority}/wsman HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 0\r\nAuthorization: Negotiate AAAA\r\n\r\n`;
    const pipe = await own.dial(mine, await own.ticket(mine, { host: 'srv1.corp', port: 5985 }, hops));
    expect(await pipe.until('opened')).toEqual({ type: 'opened', form: 'absolute', hasProxy: true });
    pipe.socket.send(Buffer.from(head('srv1.corp:5985')));
    pipe.socket.send(Buffer.from(head('srv2.corp:5985')));
    expect(await pipe.until('failed')).toMatchObject({ code: 'proxy.forward-refused' });
    expect(await pipe.untilClosed()).toBe(CLOSE_CODES.policyDenied);
    expect(heard.join('')).not.toContain('srv2');
  } finally {
    await own.close();
  }
});

test('a dial is cancelled when the tab goes away', async () => {
  const proxy = await serve((socket) => socket.resume());
  const target = { host: LOOPBACK, port: 5985 };
  const hop = { kind: 'http-connect', host: LOOPBACK, port: proxy.port } as const;
  const pipe = await t.dial(cookie, await t.ticket(cookie, target, [hop]));
  while (proxy.sockets.length === 0) await wait(5);
  const ended = new Promise((resolve) => proxy.sockets[0]?.once('end', resolve));
  pipe.socket.terminate();
  await ended;
});

test('one person holds so many connections and no more: relay.limit-reached', async () => {
  const server = await serve(echo);
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_CONNECTIONS: '2' });
  try {
    const mine = await own.signIn();
    const dial = async () => own.dial(mine, await own.ticket(mine, { host: LOOPBACK, port: server.port }));
    const first = await dial();
    await first.until('opened');
    await (await dial()).until('opened');
    const third = await openTestPipe(own.base, { Cookie: mine });
    expect(await third.until('failed')).toMatchObject({ code: 'relay.limit-reached', details: { limit: 2 } });
    expect(await third.untilClosed()).toBe(CLOSE_CODES.limitReached);
    first.socket.terminate();
    while (!own.log.some((line) => line.includes('pipe.closed'))) await wait(5);
    await wait(5);
    await (await dial()).until('opened');
  } finally {
    await own.close();
  }
});

test('both ends hear a beat, and a silent tab is let go', async () => {
  const server = await serve(echo);
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' }, { beatMs: 20 });
  try {
    const mine = await own.signIn();
    const pipe = await own.dial(mine, await own.ticket(mine, { host: LOOPBACK, port: server.port }));
    await pipe.until('opened');
    const closed = new Promise((resolve) => server.sockets[0]?.once('close', resolve));
    expect(await pipe.untilClosed()).toBe(CLOSE_CODES.silent);
    expect(pipe.beats).toBeGreaterThan(1);
    await closed;
  } finally {
    await own.close();
  }
});

test('signing out ends what the sign-in holds', async () => {
  const server = await serve(echo);
  const mine = await t.signIn();
  const pipe = await t.dial(mine, await t.ticket(mine, { host: LOOPBACK, port: server.port }));
  await pipe.until('opened');
  const other = await openTo(server.port);
  await t.post(API_PATHS.signOut, {}, { Cookie: mine });
  expect(await pipe.untilClosed()).toBe(CLOSE_CODES.signInRequired);
  other.socket.send(Buffer.from('on'));
  await other.untilBytes(2);
  other.socket.terminate();
});

test('a sign-in that runs out ends what it holds', async () => {
  const server = await serve(echo);
  let skipMs = 0;
  const clock = { now: () => Date.now() + skipMs, monotonicMs: () => performance.now() };
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' }, { clock, beatMs: 20 });
  try {
    const mine = await own.signIn();
    const pipe = await own.dial(mine, await own.ticket(mine, { host: LOOPBACK, port: server.port }));
    await pipe.until('opened');
    skipMs = 8 * 24 * 3600_000;
    expect(await pipe.untilClosed()).toBe(CLOSE_CODES.signInRequired);
  } finally {
    await own.close();
  }
});

test('draining lets a pipe finish, then ends the rest', async () => {
  const server = await serve(echo);
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_DRAIN_SECONDS: '1' });
  const mine = await own.signIn();
  const open = async () => {
    const pipe = await own.dial(mine, await own.ticket(mine, { host: LOOPBACK, port: server.port }));
    await pipe.until('opened');
    return pipe;
  };
  const [finishing, stubborn] = [await open(), await open()];
  const closing = own.close();
  finishing.socket.send(Buffer.from('last'));
  await finishing.untilBytes(4);
  finishing.say({ type: 'end' });
  expect(await finishing.untilClosed()).toBe(CLOSE_CODES.finished);
  expect(await stubborn.untilClosed()).toBe(CLOSE_CODES.draining);
  await closing;
  await expect(fetch(`${own.base}/healthz`)).rejects.toThrow();
});
