import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connectFirst, type Hop, WinRmError } from '@fairlead/protocol';
import { relayRoad } from '@fairlead/protocol/relay';
import { afterEach, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from './test-kit.ts';

// A road through the relay whose proxy knows no CONNECT: either form is a ticket of its own, judged by the same policy.

const running: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

/** Forwards requests, and refuses tunnels. */
async function forwardOnly(seen: string[]): Promise<number> {
  const server: Server = createServer((incoming: IncomingMessage, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    const sent = request(incoming.url ?? '', { method: incoming.method, headers: incoming.headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    incoming.pipe(sent);
  });
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  return await listen(server);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

async function opener(settings: Record<string, string>, port: number, proxyPort: number) {
  const t: TestRelay = await startTestRelay(settings);
  running.push(t);
  const cookie = await t.signIn();
  const asked: string[] = [];
  class PageSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, { headers: { Origin: t.base, Cookie: cookie } });
    }
  }
  const proxy: Hop = { kind: 'http-connect', host: '127.0.0.1', port: proxyPort };
  const open = connectFirst({
    ...{ route: { name: '', hops: [proxy] }, scheme: 'http', hasProxyCredential: false },
    openFor: ({ hops }) =>
      relayRoad({
        origin: t.base,
        WebSocket: PageSocket as typeof WebSocket,
        ticket: async () => {
          asked.push(hops.map(({ kind }) => kind).join(' '));
          try {
            return await t.ticket(cookie, { host: '127.0.0.1', port }, [...hops]);
          } catch (error) {
            throw new WinRmError('relay.policy-denied', { host: '127.0.0.1', port, rule: 'proxy' }, error);
          }
        },
      }),
  });
  return { open: () => open('control', () => {}, new AbortController().signal), asked };
}

test('R4: falls back to absolute form through the relay, whose guard still lets nothing unsealed pass', async () => {
  const seen: string[] = [];
  const target = await listen(createServer((_, reply) => reply.end('hello')));
  const proxy = await forwardOnly(seen);
  const settings = { FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_PROXIES: '127.0.0.1:*' };
  const { open, asked } = await opener(settings, target, proxy);
  const road = await open();
  expect(road).toMatchObject({ form: 'absolute', refusedTunnel: { host: '127.0.0.1', port: proxy, status: 405 } });
  expect(asked).toEqual(['http-connect', 'http-forward']);
  expect(seen).toEqual([`CONNECT 127.0.0.1:${target}`]);
  const reading = road.stream.read();
  const unsealed = `POST http://127.0.0.1:${target}/wsman HTTP/1.1\r\nHost: 127.0.0.1:${target}\r\n`;
  const type = 'Content-Type: application/soap+xml\r\nContent-Length: 3\r\n\r\n<a>';
  await road.stream.write(new TextEncoder().encode(unsealed + type)).catch(() => undefined);
  await expect(reading).rejects.toMatchObject({ code: 'proxy.forward-refused' });
  expect(seen).toHaveLength(1);
});

test('R4: asks for no other form when the relay’s policy refused the first', async () => {
  const seen: string[] = [];
  const proxy = await forwardOnly(seen);
  const { open, asked } = await opener({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_PROXIES: 'px.corp:3128' }, 1, proxy);
  await expect(open()).rejects.toMatchObject({ code: 'relay.policy-denied' });
  expect(asked).toEqual(['http-connect']);
  expect(seen).toEqual([]);
});
