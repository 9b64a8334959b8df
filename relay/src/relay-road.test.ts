import { randomBytes } from 'node:crypto';
import { relayRoad } from '@fairlead/protocol/relay';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenTcp, startTestRelay, type TestRelay } from './test-kit.ts';

// The tab's end of a pipe, with Node's own WebSocket, against a real relay.

let t: TestRelay;
let cookie = '';
beforeAll(async () => {
  t = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' });
  cookie = await t.signIn();
});
afterAll(() => t.close());

/** A browser adds these two by itself. */
function opener(port: number, withCookie = true) {
  const headers: Record<string, string> = { Origin: t.base, ...(withCookie ? { Cookie: cookie } : {}) };
  class PageSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, { headers });
    }
  }
  return relayRoad({
    origin: t.base,
    ticket: () => t.ticket(cookie, { host: '127.0.0.1', port }),
    WebSocket: PageSocket as typeof WebSocket,
  });
}

test('relayRoad carries megabytes both ways and half-closes', async () => {
  const server = await listenTcp((socket) => socket.pipe(socket));
  const hops: string[] = [];
  const signal = new AbortController().signal;
  const road = await opener(server.port)('control', (report) => hops.push(`${report.hop} ${report.stage}`), signal);
  expect(hops).toEqual(['0 open', '1 connecting', '1 open']);
  const sent = randomBytes(8 << 20);
  const reading = (async () => {
    const parts: Uint8Array[] = [];
    for (;;) {
      const bytes = await road.stream.read();
      if (bytes === null) return Buffer.concat(parts);
      parts.push(bytes);
    }
  })();
  await road.stream.write(sent);
  await road.stream.end();
  expect((await reading).equals(sent)).toBe(true);
  expect(server.sockets).toHaveLength(1);
  server.close();
});

test('relayRoad passes on what the relay refuses: relay.connection-refused, relay.sign-in-required', async () => {
  const server = await listenTcp(() => {});
  server.close();
  const signal = new AbortController().signal;
  await expect(opener(server.port)('output', () => {}, signal)).rejects.toMatchObject({
    code: 'relay.connection-refused',
    details: { hop: 1, host: '127.0.0.1', port: server.port, cause: 'ECONNREFUSED' },
  });
  await expect(opener(server.port, false)('output', () => {}, signal)).rejects.toMatchObject({
    code: 'relay.sign-in-required',
  });
});

test('relayRoad’s stream is lost when the far end breaks, and closes the far end when destroyed', async () => {
  const server = await listenTcp((socket) => socket.pipe(socket));
  const signal = new AbortController().signal;
  const road = await opener(server.port)('control', () => {}, signal);
  const reading = road.stream.read();
  server.sockets[0]?.resetAndDestroy();
  await expect(reading).rejects.toMatchObject({ code: 'relay.lost', details: { reason: 'ECONNRESET' } });
  const second = await opener(server.port)('control', () => {}, signal);
  const closed = new Promise((resolve) => server.sockets[1]?.once('close', resolve));
  second.stream.destroy();
  await closed;
  server.close();
});
