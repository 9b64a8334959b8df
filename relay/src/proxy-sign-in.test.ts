import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { API_PATHS, statusSchema } from '@fairlead/contract';
import { parseCredential, proxySignIn } from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { startRelay } from './index.ts';
import { listenTcp, startTestRelay, type TestRelay } from './test-kit.ts';

// A tab, a relay and a proxy that wants Basic: who learns what, and what may go over such a road.

const PASSWORD = 'only the proxy';
const AUTHORIZATION = `Basic ${Buffer.from(`ana:${PASSWORD}`).toString('base64')}`;

let proxy: Server;
let proxyPort = 0;
let target: Awaited<ReturnType<typeof listenTcp>>;
const relays: TestRelay[] = [];

beforeAll(async () => {
  target = await listenTcp((socket) => socket.pipe(socket));
  proxy = createServer();
  proxy.on('connect', (request, socket) => {
    if (request.headers['proxy-authorization'] !== AUTHORIZATION) {
      socket.write('HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n');
      // Node hands each CONNECT over with its socket; the next one of the same connection is read by hand.
      socket.once('data', (bytes) => {
        const isRight = bytes.toString().includes(`Proxy-Authorization: ${AUTHORIZATION}`);
        socket.write(isRight ? 'HTTP/1.1 200 OK\r\n\r\n' : 'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n');
        if (isRight) connect(target.port, '127.0.0.1').pipe(socket).pipe(connect(target.port, '127.0.0.1'));
      });
    }
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  proxyPort = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.close()));
  proxy.closeAllConnections();
  proxy.close();
  target.close();
});

async function openRoad(scheme: 'http' | 'https', environment: Record<string, string> = {}, says = scheme) {
  const t = await startTestRelay({
    ...{ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_PROXIES: '127.0.0.1:*' },
    ...environment,
  });
  relays.push(t);
  const cookie = await t.signIn();
  const hops = [{ kind: 'http-connect' as const, host: '127.0.0.1', port: proxyPort }];
  const headers: Record<string, string> = { Origin: t.base, Cookie: cookie };
  class PageSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, { headers });
    }
  }
  const answerProxy = proxySignIn({
    ...{ route: { name: '', hops }, scheme: says, platform: defaultPlatform },
    credentials: [{ credential: parseCredential('ana', PASSWORD), mechanisms: ['Basic'] }],
    dangerHttpBehindAuthenticatedProxy: true,
  });
  const open = relayRoad({
    ...{ origin: t.base, answerProxy, WebSocket: PageSocket as typeof WebSocket },
    ticket: () => t.ticket(cookie, { host: '127.0.0.1', port: target.port }, hops, scheme),
  });
  return { t, road: open('control', () => {}, new AbortController().signal) };
}

describe('a proxy behind the relay that wants a sign-in', () => {
  test('gets it from the tab, and then carries TLS', async () => {
    const { t, road } = await openRoad('https');
    const { stream } = await road;
    await stream.write(Uint8Array.of(22, 3, 1, 0, 1, 1));
    stream.destroy();
    expect(t.log.join('\n')).not.toContain(PASSWORD);
    expect(t.log.join('\n')).not.toContain(AUTHORIZATION.slice(6));
  });

  test('carries nothing but TLS when https was said: proxy.forward-refused (R5)', async () => {
    const { stream } = await (await openRoad('https')).road;
    const reading = stream.read();
    await stream.write(new TextEncoder().encode('POST /wsman HTTP/1.1\r\n\r\n'));
    await expect(reading).rejects.toMatchObject({ code: 'proxy.forward-refused' });
  });

  test('gets nothing for an http target: proxy.needs-https (R5)', async () => {
    await expect((await openRoad('http')).road).rejects.toMatchObject({
      code: 'proxy.needs-https',
      details: { hop: 1, offered: 'Basic', refusedBy: 'relay' },
    });
  });

  test('gets it for an http target where relay and person allow it', async () => {
    const { road } = await openRoad('http', { FAIRLEAD_HTTP_BEHIND_AUTHENTICATED_PROXY: 'allow' });
    const { stream } = await road;
    await stream.write(new TextEncoder().encode('POST /wsman HTTP/1.1\r\n\r\n'));
    stream.destroy();
  });

  test('is that danger only where the relay says that it may be chosen', async () => {
    for (const setting of ['allow', 'refuse']) {
      const t = await startTestRelay({ FAIRLEAD_HTTP_BEHIND_AUTHENTICATED_PROXY: setting });
      relays.push(t);
      const stranger = statusSchema.parse(await (await fetch(`${t.base}${API_PATHS.status}`)).json());
      expect(stranger.canReach).toEqual({ targets: [], proxies: [] });
      const answer = await fetch(`${t.base}${API_PATHS.status}`, { headers: { Cookie: await t.signIn() } });
      const { canReach } = statusSchema.parse(await answer.json());
      expect(canReach.httpBehindSignIn ?? false).toBe(setting === 'allow');
    }
  });
});

describe('a tab that answers what it was not asked', () => {
  test('is sent away', async () => {
    const t = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' });
    relays.push(t);
    const cookie = await t.signIn();
    const pipe = await t.dial(cookie, await t.ticket(cookie, { host: '127.0.0.1', port: target.port }));
    await pipe.until('opened');
    pipe.say({ type: 'answer', hop: 1, authorization: 'Basic eA==' });
    expect(await pipe.untilClosed()).toBe(4400);
  });
});

describe('FAIRLEAD_PROXY_CA', () => {
  test('must be a file with a certificate', async () => {
    const t = await startTestRelay();
    relays.push(t);
    const file = join(t.folder, 'ca.pem');
    writeFileSync(file, 'nothing');
    const settings = { FAIRLEAD_PORT: '0', FAIRLEAD_DATA: join(t.folder, 'x'), FAIRLEAD_STATIC: t.folder };
    for (const name of [file, '/nonexistent.pem']) {
      const config = readConfig({ ...settings, FAIRLEAD_PROXY_CA: name });
      await expect(startRelay(config)).rejects.toThrow('FAIRLEAD_PROXY_CA');
    }
  });
});
