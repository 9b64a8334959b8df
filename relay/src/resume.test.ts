import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { base64url, CLOSE_CODES, HTTP_PIPE_PATH, resumeKey, resumeMac, TURN_HEADER } from '@fairlead/contract';
import { relayRoad } from '@fairlead/protocol/relay';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { listenTcp, openTestPipe, startTestRelay, type TestPipe, type TestRelay } from './test-kit.ts';

// A pipe outlives its links. What stands between is a TCP proxy that a test can cut.

let t: TestRelay;
let cookie = '';
beforeAll(async () => {
  t = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' });
  cookie = await t.signIn();
});
afterAll(() => t.close());

const closers: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closers.splice(0)) await one.close();
});

/** Wires that can be cut; while `isDown`, none comes about. With `stripsUpgrade`, as a proxy that knows no WebSockets. */
async function wires(port: number, stripsUpgrade = false) {
  const between = {
    isDown: false,
    port: 0,
    made: 0,
    cut() {
      for (const socket of server.sockets.splice(0)) socket.destroy();
    },
  };
  const server = await listenTcp((socket) => {
    if (between.isDown) {
      socket.destroy();
      return;
    }
    between.made += 1;
    const far = connect(port, '127.0.0.1');
    far.on('error', () => socket.destroy());
    far.on('close', () => socket.destroy());
    socket.on('close', () => far.destroy());
    if (stripsUpgrade) {
      socket.on('data', (bytes: Buffer) => {
        if (/^upgrade:/im.test(bytes.toString('latin1'))) socket.end('HTTP/1.1 501 No\r\nContent-Length: 0\r\n\r\n');
        else far.write(bytes);
      });
      far.on('data', (bytes: Buffer) => socket.write(bytes));
    } else socket.pipe(far).pipe(socket);
  });
  closers.push(server);
  between.port = server.port;
  return between;
}

/** A browser adds these two by itself. */
function roadThrough(relay: TestRelay, mine: string, wirePort: number, port: number, more: object = {}) {
  const headers: Record<string, string> = { Origin: `http://127.0.0.1:${wirePort}`, Cookie: mine };
  class PageSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, { headers });
    }
  }
  const fetchIt: typeof fetch = (url, init) => fetch(url, { ...init, headers: { ...init?.headers, ...headers } });
  return relayRoad({
    origin: `http://127.0.0.1:${wirePort}`,
    ticket: () => relay.ticket(mine, { host: '127.0.0.1', port }),
    WebSocket: PageSocket as typeof WebSocket,
    fetch: fetchIt,
    ...more,
  });
}

const never = () => new AbortController().signal;
const echo = (socket: Socket) => socket.pipe(socket);

async function serve(onSocket: (socket: Socket) => void) {
  const server = await listenTcp(onSocket);
  closers.push(server);
  return server;
}

async function readAll(stream: { read(): Promise<Uint8Array | null> }): Promise<{ length: number; sha256: string }> {
  const hash = createHash('sha256');
  let length = 0;
  for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) {
    hash.update(bytes);
    length += bytes.length;
  }
  return { length, sha256: hash.digest('hex') };
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('40 cuts during 4 MB both ways: equal SHA-256, one TCP connection, nothing lost or doubled', async () => {
  const server = await serve(echo);
  const between = await wires(t.relay.port);
  const links: string[] = [];
  const opener = roadThrough(t, cookie, between.port, server.port, {
    onLink: (_lane: string, link: { state: string }) => links.push(link.state),
  });
  const road = await opener('control', () => {}, never());
  const sent = randomBytes(4 << 20);
  const reading = readAll(road.stream);
  const chaos = (async () => {
    for (let kills = 0; kills < 40; kills++) {
      await wait(5 + Math.random() * 20);
      between.cut();
      while (opener.links().some(({ link }) => link.resumedCount <= kills)) {
        await wait(2);
        opener.now();
      }
    }
  })();
  const piece = sent.length / 100;
  for (let at = 0; at < sent.length; at += piece) {
    await road.stream.write(sent.subarray(at, at + piece));
    await wait(12);
  }
  await chaos;
  await road.stream.end();
  expect(await reading).toEqual({ length: sent.length, sha256: sha256(sent) });
  expect(server.sockets).toHaveLength(1);
  expect(links.filter((state) => state === 'held').length).toBeGreaterThanOrEqual(40);
});

test('a cut is noticed by whoever watches the link, and by nobody else', async () => {
  const server = await serve(echo);
  const between = await wires(t.relay.port);
  const opener = roadThrough(t, cookie, between.port, server.port);
  const road = await opener('output', () => {}, never());
  const seen: string[] = [];
  road.watchLink?.((link) => seen.push(`${link.state} ${link.resumedCount}`));
  between.isDown = true;
  between.cut();
  while (seen.length === 0) await wait(2);
  await road.stream.write(Buffer.from('typed meanwhile'));
  const [{ link } = { link: null }] = opener.links();
  expect(link).toMatchObject({ state: 'held', via: 'websocket', heldBytes: 15 });
  expect(link?.givenUpInMs).toBeGreaterThan(290_000);
  between.isDown = false;
  opener.now();
  expect(Buffer.from((await road.stream.read()) ?? []).toString()).toBe('typed meanwhile');
  expect(seen.at(-1)).toBe('live 1');
  expect(opener.links()[0]?.link).toMatchObject({ state: 'live', heldBytes: 0, givenUpInMs: null });
  road.stream.destroy();
  expect(opener.links()).toEqual([]);
});

test('where the Upgrade is stripped the same pipe goes over HTTP, and is held and resumed there, too', async () => {
  const server = await serve(echo);
  const between = await wires(t.relay.port, true);
  const opener = roadThrough(t, cookie, between.port, server.port);
  const road = await opener('control', () => {}, never());
  expect(opener.links()[0]?.link).toMatchObject({ state: 'live', via: 'http' });
  const sent = randomBytes(3 << 20);
  const reading = readAll(road.stream);
  const writing = road.stream.write(sent).then(() => road.stream.end());
  for (let cuts = 0; cuts < 5; cuts++) {
    await wait(30);
    between.cut();
  }
  await writing;
  expect(await reading).toEqual({ length: sent.length, sha256: sha256(sent) });
  expect(server.sockets).toHaveLength(1);
});

test('the HTTP door asks for Origin, cookie and the next number, and nobody else may use a link', async () => {
  const ask = (turn: string, headers: Record<string, string> = {}, body: Uint8Array<ArrayBuffer> | null = null) =>
    fetch(`${t.base}${HTTP_PIPE_PATH}`, {
      method: 'POST',
      body,
      headers: { Origin: t.base, Cookie: cookie, [TURN_HEADER]: turn, ...headers },
    });
  expect((await fetch(`${t.base}${HTTP_PIPE_PATH}`)).status).toBe(405);
  expect((await ask('open', { Origin: 'http://elsewhere.example' })).status).toBe(403);
  expect((await ask('open', { Cookie: '' })).status).toBe(401);
  const link = { 'fairlead-link': await (await ask('open')).text() };
  expect((await ask('up 0', { 'fairlead-link': 'T'.repeat(43) })).status).toBe(404);
  expect((await ask('up 0', { ...link, Cookie: await t.signIn() })).status).toBe(404);
  expect((await ask('up x', link)).status).toBe(404);
  expect((await ask('up 0', link, new Uint8Array(0))).status).toBe(204);
  expect((await ask('up 0', link, new Uint8Array(0))).status).toBe(409);
  expect((await ask('down 0', link)).status).toBe(404);
  const other = { 'fairlead-link': await (await ask('open')).text() };
  expect((await ask('up 0', other, Uint8Array.of(9, 9, 9))).status).toBe(409);
});

interface Lasting {
  readonly pipe: string;
  readonly token: string;
}

async function dialLasting(
  relay: TestRelay,
  mine: string,
  port: number,
): Promise<{ pipe: TestPipe; lasting: Lasting }> {
  const pipe = await openTestPipe(relay.base, { Cookie: mine });
  pipe.say({ type: 'dial', ticket: await relay.ticket(mine, { host: '127.0.0.1', port }), resumable: true });
  const opened = await pipe.until('opened');
  return { pipe, lasting: opened['lasting'] as Lasting };
}

async function tryToResume(relay: TestRelay, mine: string, { pipe: name, token }: Lasting, received: number) {
  const pipe = await openTestPipe(relay.base, { Cookie: mine });
  const tabNonce = base64url(randomBytes(32));
  pipe.say({ type: 'resume', pipe: name, nonce: tabNonce });
  const relayNonce = String((await pipe.until('prove'))['nonce']);
  const round = { pipe: name, tabNonce, relayNonce };
  const key = await resumeKey(token);
  pipe.say({ type: 'proof', received, mac: await resumeMac(key, 'tab', round, received) });
  return { pipe, key, round };
}

const GONE = { code: 'relay.lost', details: { reason: 'the relay holds no such connection' } };

test('taking a pipe up cuts its earlier link off at once, and the relay proves itself, too', async () => {
  const heard: string[] = [];
  const server = await serve((socket) => socket.on('data', (bytes) => heard.push(bytes.toString())));
  const { pipe: first, lasting } = await dialLasting(t, cookie, server.port);
  first.socket.send(Buffer.from('one '));
  while (heard.length === 0) await wait(2);
  server.sockets[0]?.write('hello');
  await first.untilBytes(5);
  const { pipe: second, key, round } = await tryToResume(t, cookie, lasting, 2);
  expect(await second.until('resumed')).toEqual({
    type: 'resumed',
    received: 4,
    mac: await resumeMac(key, 'relay', round, 4),
  });
  first.socket.send(Buffer.from('too late '));
  expect(await first.untilClosed()).toBe(CLOSE_CODES.replaced);
  await second.untilBytes(3);
  expect(second.bytes.toString()).toBe('llo');
  second.socket.send(Buffer.from('two'));
  while (heard.length < 2) await wait(2);
  expect(heard.join('')).toBe('one two');
  second.socket.close(1000);
});

test('nobody takes a pipe over without its token, with an old proof, or as another person: relay.lost', async () => {
  const server = await serve(echo);
  const { pipe, lasting } = await dialLasting(t, cookie, server.port);
  const wrong = { ...lasting, token: base64url(randomBytes(32)) };
  for (const attempt of [
    await tryToResume(t, cookie, wrong, 0),
    await tryToResume(t, cookie, { ...lasting, pipe: base64url(randomBytes(32)) }, 0),
  ]) {
    expect(await attempt.pipe.until('failed')).toMatchObject(GONE);
    expect(await attempt.pipe.untilClosed()).toBe(CLOSE_CODES.gone);
  }
  // A proof that was overheard is for another nonce.
  const replayed = await openTestPipe(t.base, { Cookie: cookie });
  const tabNonce = base64url(randomBytes(32));
  replayed.say({ type: 'resume', pipe: lasting.pipe, nonce: tabNonce });
  await replayed.until('prove');
  const round = { pipe: lasting.pipe, tabNonce, relayNonce: base64url(randomBytes(32)) };
  replayed.say({ type: 'proof', received: 0, mac: await resumeMac(await resumeKey(lasting.token), 'tab', round, 0) });
  expect(await replayed.until('failed')).toMatchObject(GONE);
  const stranger = await openTestPipe(t.base, {});
  stranger.socket.on('error', () => {});
  expect(await stranger.until('failed')).toMatchObject({ code: 'relay.sign-in-required' });
  pipe.socket.send(Buffer.from('still mine'));
  await pipe.untilBytes(10);
  // A count that cannot be ends the pipe rather than guess.
  const absurd = await tryToResume(t, cookie, lasting, 11);
  expect(await absurd.pipe.until('failed')).toMatchObject(GONE);
});

test('a proof without an attempt, a second dial and bytes beyond the window are malformed', async () => {
  const server = await serve((socket) => socket.pause());
  const mac = base64url(randomBytes(32));
  for (const words of [
    [{ type: 'proof', received: 0, mac }],
    [{ type: 'ack', count: 0 }],
    [
      { type: 'resume', pipe: mac, nonce: mac },
      { type: 'resume', pipe: mac, nonce: mac },
    ],
  ]) {
    const pipe = await openTestPipe(t.base, { Cookie: cookie });
    for (const word of words) pipe.say(word);
    expect(await pipe.untilClosed()).toBe(CLOSE_CODES.malformed);
  }
  const { pipe } = await dialLasting(t, cookie, server.port);
  pipe.say({ type: 'ack', count: 1 });
  expect(await pipe.untilClosed()).toBe(CLOSE_CODES.malformed);
  const { pipe: flood } = await dialLasting(t, cookie, server.port);
  for (let i = 0; i < 64; i++) flood.socket.send(Buffer.alloc(1 << 20));
  expect(await flood.untilClosed()).toBe(CLOSE_CODES.malformed);
});

test('what is held is bounded; then the far end waits, and nothing is lost', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_HOLD_BYTES: '262144' });
  closers.push(own);
  const mine = await own.signIn();
  const total = 48 << 20;
  const block = randomBytes(1 << 20);
  let written = 0;
  const server = await serve((socket) => {
    const more = () => {
      while (written < total) {
        written += block.length;
        if (!socket.write(block)) return void socket.once('drain', more);
      }
      socket.end();
    };
    socket.once('data', more);
  });
  const between = await wires(own.relay.port);
  const opener = roadThrough(own, mine, between.port, server.port);
  const road = await opener('output', () => {}, never());
  await road.stream.write(Buffer.from('go'));
  while (written === 0) await wait(2);
  between.isDown = true;
  between.cut();
  let before = -1;
  while (before !== written) {
    before = written;
    await wait(200);
  }
  expect(written).toBeLessThan(24 << 20); // the kernel's buffers, and a quarter of a MiB of ours
  const metrics = async () => await (await fetch(`${own.base}/metrics`)).text();
  expect(await metrics()).toContain('fairlead_pipes_held 1');
  between.isDown = false;
  const reading = readAll(road.stream);
  opener.now();
  const expected = createHash('sha256');
  for (let at = 0; at < total; at += block.length) expected.update(block);
  expect(await reading).toEqual({ length: total, sha256: expected.digest('hex') });
  expect(await metrics()).toContain('fairlead_resumes_total{result="resumed"}');
  await road.stream.end();
});

test('a tab that does not read holds the relay back, in bounded memory', async () => {
  let written = 0;
  const server = await serve((socket) => {
    const more = () => {
      while (written < 64 << 20) {
        written += 1 << 20;
        if (!socket.write(Buffer.alloc(1 << 20))) return void socket.once('drain', more);
      }
    };
    more();
  });
  const road = await roadThrough(t, cookie, t.relay.port, server.port)('output', () => {}, never());
  let before = -1;
  while (before !== written) {
    before = written;
    await wait(200);
  }
  expect(written).toBeLessThan(32 << 20);
  road.stream.destroy();
});

test('after the hold the road is gone, and that is said with what is lost: relay.lost', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_HOLD_SECONDS: '1' });
  closers.push(own);
  const mine = await own.signIn();
  const server = await serve((socket) => socket.resume());
  const between = await wires(own.relay.port);
  const opener = roadThrough(own, mine, between.port, server.port);
  const road = await opener('control', () => {}, never());
  between.isDown = true;
  const closed = new Promise((resolve) => server.sockets[0]?.once('end', resolve));
  between.cut();
  while (opener.links()[0]?.link.state !== 'held') await wait(2);
  await road.stream.write(Buffer.from('12345'));
  await closed;
  expect(own.log.some((line) => line.includes('pipe.held'))).toBe(true);
  expect(own.log.some((line) => line.includes('"what":"expired"'))).toBe(true);
  between.isDown = false;
  opener.now();
  await expect(road.stream.read()).rejects.toMatchObject({
    code: 'relay.lost',
    details: { reason: 'the relay holds no such connection; 5 bytes sent may not have arrived' },
  });
});

test('a connection that breaks while it is held is told with what came before it', async () => {
  const server = await serve(() => {});
  const between = await wires(t.relay.port);
  const opener = roadThrough(t, cookie, between.port, server.port);
  const road = await opener('control', () => {}, never());
  between.isDown = true;
  between.cut();
  while (opener.links()[0]?.link.state !== 'held') await wait(2);
  server.sockets[0]?.write('last words');
  await wait(50);
  server.sockets[0]?.resetAndDestroy();
  await wait(50);
  between.isDown = false;
  opener.now();
  expect(Buffer.from((await road.stream.read()) ?? []).toString()).toBe('last words');
  await expect(road.stream.read()).rejects.toMatchObject({ code: 'relay.lost' });
});

test('held pipes count against the person’s limit and can still be taken up: relay.limit-reached', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_CONNECTIONS: '1' });
  closers.push(own);
  const mine = await own.signIn();
  const server = await serve(echo);
  const { pipe, lasting } = await dialLasting(own, mine, server.port);
  pipe.socket.terminate();
  while (!own.log.some((line) => line.includes('pipe.held'))) await wait(2);
  const second = await openTestPipe(own.base, { Cookie: mine });
  second.say({ type: 'dial', ticket: await own.ticket(mine, { host: '127.0.0.1', port: server.port }) });
  expect(await second.until('failed')).toMatchObject({ code: 'relay.limit-reached', details: { limit: 1 } });
  await second.untilClosed();
  const again = await tryToResume(own, mine, lasting, 0);
  await again.pipe.until('resumed');
  again.pipe.socket.close(1000);
});

test('a page that is left leaves nothing held, and its place is free for the next', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_CONNECTIONS: '1' });
  closers.push(own);
  const mine = await own.signIn();
  const server = await serve(echo);
  const { pipe } = await dialLasting(own, mine, server.port);
  const gone = new Promise((resolve) => server.sockets[0]?.once('close', resolve));
  pipe.socket.close(1001);
  await gone;
  expect(await (await fetch(`${own.base}/metrics`)).text()).toMatch(/^fairlead_pipes_held 0$/m);
  const next = await dialLasting(own, mine, server.port);
  next.pipe.socket.close(1000);
});

test('signing out ends held pipes, and so does a relay that shuts down', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' });
  const server = await serve(echo);
  const mine = await own.signIn();
  const hold = async (who: string) => {
    const number = server.sockets.length;
    const { pipe, lasting } = await dialLasting(own, who, server.port);
    const closed = new Promise((resolve) => server.sockets[number]?.once('close', resolve));
    pipe.socket.terminate();
    return { closed, lasting };
  };
  const first = await hold(mine);
  await own.post('/api/sign-out', {}, { Cookie: mine });
  await first.closed;
  const later = await own.signIn();
  const second = await hold(later);
  await own.close();
  await second.closed;
});

test('a relay that was restarted holds nothing, and the tab says so: relay.lost', async () => {
  const first = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' });
  const mine = await first.signIn();
  const server = await serve((socket) => socket.resume());
  const between = await wires(first.relay.port);
  const opener = roadThrough(first, mine, between.port, server.port);
  const road = await opener('control', () => {}, never());
  const reading = road.stream.read();
  reading.catch(() => {});
  between.isDown = true;
  between.cut();
  while (opener.links()[0]?.link.state !== 'held') await wait(2);
  const { port } = first.relay;
  const keep = { FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_PORT: String(port), FAIRLEAD_DATA: `${first.folder}/data` };
  await first.relay.close();
  const second = await startTestRelay(keep);
  closers.push(second, first);
  between.isDown = false;
  opener.now();
  await expect(reading).rejects.toMatchObject({
    code: 'relay.lost',
    details: { reason: 'the relay holds no such connection; everything sent had arrived there' },
  });
});

test('a relay that says goodbye is not looked for: relay.lost', async () => {
  const own = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' });
  const mine = await own.signIn();
  const server = await serve((socket) => socket.resume());
  const road = await roadThrough(own, mine, own.relay.port, server.port)('control', () => {}, never());
  const reading = road.stream.read();
  reading.catch(() => {});
  await own.close();
  await expect(reading).rejects.toMatchObject({
    code: 'relay.lost',
    details: { reason: 'the relay is shutting down' },
  });
});
