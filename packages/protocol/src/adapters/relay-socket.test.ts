import { resumeKey, resumeMac, WINDOW_BYTES } from '@fairlead/contract';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HopReport, OpenedRoad, ProxyAnswerer, RoadLink } from '../opened-road.ts';
import { relayRoad } from './relay-socket.ts';

/** The relay's end, played by the test. */
class FakeSocket extends EventTarget {
  static last: FakeSocket;
  readonly url: string;
  readonly sent: (string | Uint8Array)[] = [];
  readyState = 0;
  bufferedAmount = 0;
  binaryType = 'blob';
  closedWith: number | null = null;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.last = this;
  }

  send(content: string | Uint8Array): void {
    this.sent.push(content);
  }

  close(code: number): void {
    this.closedWith ??= code;
    this.readyState = 2;
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  say(message: unknown): void {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  bytes(...bytes: number[]): void {
    this.dispatchEvent(new MessageEvent('message', { data: new Uint8Array(bytes).buffer }));
  }

  drop(code: number): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '', wasClean: code === 1000 }));
  }
}

beforeEach(() => {
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const TICKET = 'T'.repeat(43);

async function begin(onHop: (report: HopReport) => void = () => {}) {
  const stop = new AbortController();
  const opener = relayRoad({ origin: 'https://relay.example', ticket: () => Promise.resolve(TICKET) });
  const road = opener('control', onHop, stop.signal);
  road.catch(() => {});
  await Promise.resolve();
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  await Promise.resolve();
  return { road, stop, socket: FakeSocket.last };
}

async function openRoad(): Promise<{ road: OpenedRoad; socket: FakeSocket; stop: AbortController }> {
  const { road, socket, stop } = await begin();
  socket.open();
  socket.say({ type: 'opened', form: 'origin', hasProxy: true });
  return { road: await road, socket, stop };
}

test('a ticket that nobody could be asked for means that the relay was not reached: relay.unreachable', async () => {
  const nobody = relayRoad({
    origin: 'https://relay.example',
    ticket: () => Promise.reject(new TypeError('Failed to fetch')),
  });
  await expect(nobody('control', () => {}, new AbortController().signal)).rejects.toMatchObject({
    code: 'relay.unreachable',
    details: { url: 'https://relay.example' },
  });
});

test('relayRoad sends its ticket, reports hops and opens', async () => {
  const hops: HopReport[] = [];
  const { road, socket } = await begin((report) => hops.push(report));
  expect(socket.url).toBe('wss://relay.example/ws/pipe');
  expect(socket.binaryType).toBe('arraybuffer');
  socket.open();
  expect(socket.sent).toEqual([`{"type":"dial","ticket":"${TICKET}","resumable":true}`]);
  const report = { hop: 1, party: 'proxy', host: 'p', port: 3128, stage: 'open', ms: 3.5, address: '10.0.0.1' };
  socket.say({ type: 'hop', report });
  socket.say({ type: 'beat' });
  socket.say({ type: 'opened', form: 'absolute', hasProxy: true });
  expect(await road).toMatchObject({ form: 'absolute', hasProxy: true });
  expect(hops).toEqual([report]);
});

test('bytes come in order, the end after them, and a close after both ends is no loss', async () => {
  const { road, socket } = await openRoad();
  const reading = road.stream.read();
  socket.bytes(1, 2);
  socket.bytes(3);
  socket.say({ type: 'end' });
  expect(await reading).toEqual(new Uint8Array([1, 2]));
  expect(await road.stream.read()).toEqual(new Uint8Array([3]));
  expect(await road.stream.read()).toBeNull();
  await road.stream.write(new Uint8Array([9]));
  await road.stream.end();
  await road.stream.end();
  expect(socket.sent.slice(1)).toEqual(['{"type":"ack","count":4}', new Uint8Array([9]), '{"type":"end"}']);
  socket.drop(1000);
  expect(await road.stream.read()).toBeNull();
  await expect(road.stream.write(new Uint8Array([1]))).rejects.toMatchObject({ code: 'misuse.wrong-state' });
});

test('what had arrived before a loss can still be read, then relay.lost', async () => {
  const { road, socket } = await openRoad();
  socket.bytes(7);
  socket.drop(1006);
  expect(await road.stream.read()).toEqual(new Uint8Array([7]));
  await expect(road.stream.read()).rejects.toMatchObject({
    code: 'relay.lost',
    details: { reason: 'the connection broke' },
  });
  await expect(road.stream.write(new Uint8Array([1]))).rejects.toMatchObject({ code: 'relay.lost' });
});

test('a relay that cannot be reached is relay.unreachable', async () => {
  const { road, socket } = await begin();
  socket.dispatchEvent(new Event('error'));
  socket.drop(1006);
  await expect(road).rejects.toMatchObject({
    code: 'relay.unreachable',
    details: { url: 'wss://relay.example/ws/pipe' },
  });
  vi.unstubAllGlobals();
  const nobody = relayRoad({ origin: 'http://127.0.0.1:1', ticket: () => Promise.resolve(TICKET) });
  await expect(nobody('control', () => {}, new AbortController().signal)).rejects.toMatchObject({
    code: 'relay.unreachable',
  });
  const absurd = relayRoad({ origin: 'no origin', ticket: () => Promise.resolve(TICKET) });
  await expect(absurd('control', () => {}, new AbortController().signal)).rejects.toMatchObject({
    code: 'relay.unreachable',
  });
});

test('what the relay reports becomes an error of its code, when its details fit', async () => {
  const cases: [message: object, expected: object][] = [
    [{ code: 'relay.sign-in-required', details: {} }, { code: 'relay.sign-in-required' }],
    [{ code: 'relay.ticket-refused', details: { reason: 'used' } }, { details: { reason: 'used' } }],
    [
      { code: 'relay.policy-denied', details: { host: 'x', port: 1, rule: 'target' } },
      { code: 'relay.policy-denied', party: 'relay', recovery: 'ask-admin' },
    ],
    [{ code: 'relay.limit-reached', details: { limit: 64 } }, { details: { limit: 64 } }],
    [{ code: 'relay.name-not-found', details: { hop: 1, host: 'x' } }, { code: 'relay.name-not-found' }],
    [
      { code: 'proxy.auth-required', details: { hop: 1, host: 'p', port: 3128, offered: 'NTLM', more: 1 } },
      { code: 'proxy.auth-required', details: { hop: 1, host: 'p', port: 3128, offered: 'NTLM' } },
    ],
    [{ code: 'relay.ticket-refused', details: { reason: 'because' } }, { code: 'relay.lost' }],
    [{ code: 'relay.policy-denied', details: { host: '<script>' } }, { code: 'relay.lost' }],
    [{ code: 'auth.rejected', details: {} }, { code: 'relay.lost' }],
    [{ code: 'toString', details: {} }, { code: 'relay.lost' }],
    [{ code: 1 }, { code: 'relay.lost' }],
  ];
  for (const [message, expected] of cases) {
    const { road, socket } = await begin();
    socket.open();
    socket.say({ type: 'failed', ...message });
    await expect(road, JSON.stringify(message)).rejects.toMatchObject(expected);
    expect(socket.closedWith).toBe(1000);
  }
});

test('a failure after the road was opened ends the stream with it', async () => {
  const { road, socket } = await openRoad();
  const reading = road.stream.read();
  socket.say({ type: 'failed', code: 'relay.lost', details: { reason: 'ECONNRESET' } });
  await expect(reading).rejects.toMatchObject({ code: 'relay.lost', details: { reason: 'ECONNRESET' } });
});

test('closing codes say why', async () => {
  for (const [code, expected] of [
    [4401, { code: 'relay.sign-in-required' }],
    [1001, { code: 'relay.lost', details: { reason: 'the relay is shutting down' } }],
    [1000, { code: 'relay.lost', details: { reason: 'closed by the relay' } }],
    [3999, { code: 'relay.lost', details: { reason: 'closed with 3999' } }],
  ] as const) {
    const { road, socket } = await openRoad();
    const reading = road.stream.read();
    socket.drop(code);
    await expect(reading).rejects.toMatchObject(expected);
  }
});

test('any text from the relay is understood or ends in relay.lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      const { road, socket } = await begin();
      socket.open();
      socket.say(text);
      socket.drop(1006);
      await expect(road).rejects.toMatchObject({ code: 'relay.lost' });
    }),
    { numRuns: 200 },
  );
});

test('bytes before the road is open are not believed', async () => {
  const { road, socket } = await begin();
  socket.open();
  socket.bytes(1, 2, 3);
  socket.say({ type: 'opened', form: 'origin', hasProxy: false });
  socket.bytes(4);
  expect(await (await road).stream.read()).toEqual(new Uint8Array([4]));
});

test('cancelling takes effect at once at every stage', async () => {
  const stop = new AbortController();
  const never = relayRoad({ origin: 'https://relay.example', ticket: () => new Promise(() => {}) });
  const waiting = never('control', () => {}, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'session.cancelled', details: { at: 'road' } });
  await expect(never('control', () => {}, stop.signal)).rejects.toMatchObject({ code: 'session.cancelled' });
  for (const isOpen of [false, true]) {
    const dialling = await begin();
    if (isOpen) dialling.socket.open();
    dialling.stop.abort();
    await expect(dialling.road).rejects.toMatchObject({ code: 'session.cancelled' });
    expect(dialling.socket.closedWith).toBe(isOpen ? 1000 : null);
    if (!isOpen) dialling.socket.open();
    expect(dialling.socket.closedWith).toBe(1000);
    expect(dialling.socket.sent).toHaveLength(isOpen ? 1 : 0);
  }
  const { road } = await openRoad();
  const read = new AbortController();
  const reading = road.stream.read(read.signal);
  read.abort();
  await expect(reading).rejects.toMatchObject({ code: 'session.cancelled' });
  await expect(road.stream.write(new Uint8Array(1), read.signal)).rejects.toMatchObject({ code: 'session.cancelled' });
});

test('a cancelled read loses no byte', async () => {
  const { road, socket } = await openRoad();
  const read = new AbortController();
  const reading = road.stream.read(read.signal);
  read.abort();
  socket.bytes(5);
  await expect(reading).rejects.toMatchObject({ code: 'session.cancelled' });
  expect(await road.stream.read()).toEqual(new Uint8Array([5]));
});

test('a write goes out in slices, and waits when the relay acknowledges nothing', async () => {
  const { road, socket } = await openRoad();
  socket.sent.length = 0;
  await road.stream.write(new Uint8Array(600_000).fill(1));
  expect(socket.sent.map((content) => content.length)).toEqual([262_144, 262_144, 75_712]);
  let isDone = false;
  const writing = road.stream.write(new Uint8Array(WINDOW_BYTES)).then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(isDone).toBe(false);
  socket.say({ type: 'ack', count: 600_000 });
  await writing;
  const stuck = road.stream.write(new Uint8Array(1));
  socket.drop(1006);
  await expect(stuck).rejects.toMatchObject({ code: 'relay.lost' });
});

test('more bytes than were agreed, and a count that cannot be, end the stream', async () => {
  const { road, socket } = await openRoad();
  const block = new ArrayBuffer(1 << 20);
  for (let i = 0; i <= 5; i++) socket.dispatchEvent(new MessageEvent('message', { data: block }));
  for (let i = 0; i < 5; i++) expect(await road.stream.read()).toHaveLength(1 << 20);
  await expect(road.stream.read()).rejects.toMatchObject({ code: 'relay.lost' });
  expect(socket.closedWith).toBe(1000);
  const other = await openRoad();
  const reading = other.road.stream.read();
  other.socket.say({ type: 'ack', count: 1 });
  await expect(reading).rejects.toMatchObject({ code: 'relay.lost', details: { reason: 'a wrong count' } });
});

test('destroy is at once, may be repeated, and gives its reason to whoever reads', async () => {
  const { road, socket } = await openRoad();
  const reading = road.stream.read();
  road.stream.destroy();
  road.stream.destroy();
  expect(await reading).toBeNull();
  expect(socket.closedWith).toBe(1000);
  socket.bytes(1);
  expect(await road.stream.read()).toBeNull();
  await expect(road.stream.write(new Uint8Array([1]))).rejects.toMatchObject({ code: 'misuse.wrong-state' });
});

test('it says something every 20 s and gives a silent relay up: relay.lost', async () => {
  vi.useFakeTimers();
  const { road, socket } = await openRoad();
  socket.sent.length = 0;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(socket.sent).toEqual(Array(3).fill('{"type":"beat"}'));
  socket.say({ type: 'beat' });
  const reading = road.stream.read();
  reading.catch(() => {});
  await vi.advanceTimersByTimeAsync(60_000);
  socket.say({ type: 'beat' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(socket.closedWith).toBeNull();
  await vi.advanceTimersByTimeAsync(20_000);
  await expect(reading).rejects.toMatchObject({ code: 'relay.lost', details: { reason: 'the connection broke' } });
  expect(vi.getTimerCount()).toBe(0);
});

const LASTING = { pipe: 'P'.repeat(43), token: 'K'.repeat(43), holdBytes: 1 << 24, holdSeconds: 300 };

/** A road that can be taken up again, and what its opener tells and hears. */
async function openLasting() {
  const links: RoadLink[] = [];
  let online: () => void = () => {};
  const opener = relayRoad({
    origin: 'https://relay.example',
    ticket: () => Promise.resolve(TICKET),
    onLink: (_lane, link) => links.push(link),
    onOnline: (listener) => {
      online = listener;
      return () => {};
    },
  });
  const road = opener('control', () => {}, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.open();
  FakeSocket.last.say({ type: 'opened', form: 'origin', hasProxy: false, lasting: LASTING });
  return { road: await road, opener, links, online: () => online() };
}

/** Plays the relay's part of a resume on the newest socket. */
async function resume(received: number, mac?: string) {
  const socket = FakeSocket.last;
  socket.open();
  const asked = JSON.parse(String(socket.sent[0])) as { type: string; pipe: string; nonce: string };
  expect(asked).toMatchObject({ type: 'resume', pipe: LASTING.pipe });
  const relayNonce = 'N'.repeat(43);
  socket.say({ type: 'prove', nonce: relayNonce });
  await vi.waitFor(() => expect(socket.sent).toHaveLength(2));
  const round = { pipe: LASTING.pipe, tabNonce: asked.nonce, relayNonce };
  const key = await resumeKey(LASTING.token);
  const proof = JSON.parse(String(socket.sent[1])) as { received: number; mac: string };
  expect(proof.mac).toBe(await resumeMac(key, 'tab', round, proof.received));
  expect(JSON.stringify(socket.sent)).not.toContain(LASTING.token);
  socket.say({ type: 'resumed', received, mac: mac ?? (await resumeMac(key, 'relay', round, received)) });
  return { socket, proof };
}

test('a lost link is looked for after 0.2 s, later every 10 s, and both ends repeat what the other lacks', async () => {
  vi.useFakeTimers();
  const { road, links, opener } = await openLasting();
  await road.stream.write(new Uint8Array([1, 2, 3]));
  FakeSocket.last.bytes(7);
  FakeSocket.last.drop(1006);
  await road.stream.write(new Uint8Array([4]));
  const waits: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const before = FakeSocket.last;
    waits.push(Math.round(links.at(-1)?.retryInMs ?? 0));
    await vi.advanceTimersByTimeAsync(links.at(-1)?.retryInMs ?? 0);
    expect(FakeSocket.last).not.toBe(before);
    FakeSocket.last.drop(1006);
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  expect(opener.links()[0]?.link).toMatchObject({ state: 'held', heldBytes: 4, resumedCount: 0 });
  opener.now();
  vi.useRealTimers();
  const { socket, proof } = await resume(2);
  socket.bytes(8);
  await vi.waitFor(() => expect(links.at(-1)).toMatchObject({ state: 'live', resumedCount: 1 }));
  expect(proof.received).toBe(1);
  expect(socket.sent.slice(2).filter((content) => typeof content !== 'string')).toEqual([new Uint8Array([3, 4])]);
  expect(await road.stream.read()).toEqual(new Uint8Array([7, 8]));
  socket.say({ type: 'failed', code: 'relay.lost', details: { reason: 'ECONNRESET' } });
  await expect(road.stream.read()).rejects.toMatchObject({ code: 'relay.lost', details: { reason: 'ECONNRESET' } });
});

test('it tells all that a strip shows: since when, how much waits, when it is tried, when it is over, how often', async () => {
  vi.useFakeTimers();
  const { road, links, opener } = await openLasting();
  const link = () => opener.links()[0]?.link;
  await vi.advanceTimersByTimeAsync(1000);
  const live = { state: 'live', via: 'websocket', heldBytes: 0, retryInMs: 0, givenUpInMs: null } as const;
  expect(opener.links()).toEqual([{ lane: 'control', link: { ...live, sinceMs: 1000, resumedCount: 0 } }]);
  FakeSocket.last.drop(1006);
  await road.stream.write(new Uint8Array(5));
  await vi.advanceTimersByTimeAsync(150);
  const held = { state: 'held', via: 'websocket', heldBytes: 5, resumedCount: 0 } as const;
  expect(link()).toEqual({ ...held, sinceMs: 150, retryInMs: 50, givenUpInMs: 299_850 });
  await vi.advanceTimersByTimeAsync(100);
  expect(link()).toEqual({ ...held, sinceMs: 250, retryInMs: 0, givenUpInMs: 299_750 });
  expect(links.map(({ state, retryInMs }) => [state, retryInMs])).toEqual([
    ['live', 0],
    ['held', 200],
    ['held', 0], // under way
  ]);
  FakeSocket.last.drop(1006);
  await vi.advanceTimersByTimeAsync(0);
  expect(link()).toMatchObject({ ...held, retryInMs: 400 });
  opener.now();
  expect(link()).toMatchObject({ ...held, retryInMs: 0 });
  vi.useRealTimers();
  await resume(0);
  await vi.waitFor(() => expect(link()).toMatchObject({ ...live, resumedCount: 1 }));
  road.stream.destroy();
  expect(opener.links()).toEqual([]);
});

test('back on a network the old link is left, however fine it looks; a limit is waited out', async () => {
  vi.useFakeTimers();
  const { links, online } = await openLasting();
  const old = FakeSocket.last;
  online();
  expect(old.closedWith).toBe(4000);
  expect(links.at(-1)).toMatchObject({ state: 'held' });
  FakeSocket.last.open();
  FakeSocket.last.say({ type: 'failed', code: 'relay.limit-reached', details: { limit: 1 } });
  expect(links.at(-1)).toMatchObject({ state: 'held' });
  const third = FakeSocket.last;
  await vi.advanceTimersByTimeAsync(400);
  expect(FakeSocket.last).not.toBe(third);
  vi.useRealTimers();
  await resume(0);
  await vi.waitFor(() => expect(links.at(-1)).toMatchObject({ state: 'live' }));
});

test('a relay that does not know the token, or names an impossible count, is not believed: relay.lost', async () => {
  for (const [received, mac] of [
    [0, 'M'.repeat(43)],
    [9, undefined],
  ] as const) {
    vi.useFakeTimers();
    const { road, opener } = await openLasting();
    const reading = road.stream.read();
    reading.catch(() => {});
    FakeSocket.last.drop(1006);
    opener.now();
    vi.useRealTimers();
    const { socket } = await resume(received, mac);
    socket.bytes(1);
    await expect(reading).rejects.toMatchObject({ code: 'relay.lost' });
    expect(
      String(((await reading.catch((error: unknown) => error)) as { details: { reason: string } }).details.reason),
    ).toContain('a wrong proof');
  }
});

test('when nobody answers for longer than the relay holds, the road is lost: relay.lost', async () => {
  vi.useFakeTimers();
  const { road, links } = await openLasting();
  const reading = road.stream.read();
  reading.catch(() => {});
  for (let second = 0; second < 400; second++) {
    if (FakeSocket.last.readyState < 2) FakeSocket.last.drop(1006);
    await vi.advanceTimersByTimeAsync(1000);
  }
  await expect(reading).rejects.toMatchObject({
    details: { reason: 'the relay did not answer for longer than it holds; everything sent had arrived there' },
  });
  expect(links.at(-1)).toMatchObject({ state: 'lost' });
  expect(vi.getTimerCount()).toBe(0);
});

const CHALLENGE = {
  ...{ hop: 1, host: 'px', port: 3128, kind: 'http', target: 'win1:5986', leg: 0, status: 407 },
  ...{ offered: ['Negotiate', 'Basic realm="x"'], via: '', proxyStatus: '', text: '' },
};

async function beginAnswering(answerProxy?: () => ProxyAnswerer) {
  const ticket = () => Promise.resolve(TICKET);
  const opener = relayRoad({ origin: 'https://relay.example', ticket, answerProxy });
  const road = opener('control', () => {}, new AbortController().signal);
  road.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  FakeSocket.last.open();
  return { road, socket: FakeSocket.last, opener };
}

test('a proxy’s challenge is answered by whoever the road was given, and the road goes on', async () => {
  const { road, socket, opener } = await beginAnswering(
    () =>
      ({ offered }) =>
        `Basic ${offered.length}`,
  );
  expect(opener.answered?.()).toBe(0);
  socket.say({ type: 'challenge', challenge: CHALLENGE });
  await new Promise((resolve) => setImmediate(resolve));
  expect(socket.sent.slice(1)).toEqual(['{"type":"answer","hop":1,"authorization":"Basic 2"}']);
  socket.say({ type: 'opened', form: 'origin', hasProxy: true });
  await road;
  socket.say({ type: 'challenge', challenge: CHALLENGE }); // an open road has nothing to ask
  await new Promise((resolve) => setImmediate(resolve));
  expect(socket.sent).toHaveLength(2);
  expect(opener.answered?.()).toBe(1);
});

test('without anybody to answer a challenge ends the road: proxy.auth-required', async () => {
  const { road, socket } = await beginAnswering();
  socket.say({ type: 'challenge', challenge: CHALLENGE });
  await expect(road).rejects.toMatchObject({
    code: 'proxy.auth-required',
    details: { hop: 1, host: 'px', port: 3128, offered: 'Negotiate, Basic' },
  });
  expect(socket.closedWith).toBe(1000);
});

test('a relay that asks without end is given up: relay.lost', async () => {
  const { road, socket } = await beginAnswering(() => () => 'Basic eA==');
  for (let i = 0; i < 60; i += 1) socket.say({ type: 'challenge', challenge: CHALLENGE });
  await expect(road).rejects.toMatchObject({ code: 'relay.lost', details: { reason: 'too many questions' } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(socket.sent.length).toBeLessThanOrEqual(51);
});
