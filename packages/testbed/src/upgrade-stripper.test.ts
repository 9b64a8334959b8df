import { createServer, type IncomingMessage, request as openRequest, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { startUpgradeStripper, type UpgradeStripper } from './upgrade-stripper.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(): Promise<UpgradeStripper> {
  const stripper = await startUpgradeStripper();
  closing.push(() => stripper.close());
  return stripper;
}

/** Says what it was asked, and switches protocols whenever it may. */
async function startServer(): Promise<{ port: number; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(request);
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      response.writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'], 'X-Was': body, Connection: 'close' }).end('answered');
    });
  });
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, seen };
}

test('passes requests on as they are, with Host, Origin, cookies and body', async () => {
  const server = await startServer();
  const stripper = await start();
  stripper.leadTo({ host: '127.0.0.1', port: server.port });
  const base = `http://127.0.0.1:${stripper.port}`;
  const answer = await fetch(`${base}/api/x?y`, {
    method: 'POST',
    headers: { Origin: base, Cookie: 'c=3' },
    body: 'some words',
  });
  expect(answer.status).toBe(201);
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(answer.headers.get('x-was')).toBe('some words');
  expect(await answer.text()).toBe('answered');
  expect(server.seen[0]).toMatchObject({ method: 'POST', url: '/api/x?y' });
  expect(server.seen[0]?.headers).toMatchObject({ host: `127.0.0.1:${stripper.port}`, origin: base, cookie: 'c=3' });
  // So that whoever asks through it is not taken for somebody at the machine itself.
  expect(server.seen[0]?.headers.via).toBe('1.1 fairlead-demo-gateway');
});

test('lets no protocol be switched', async () => {
  const server = await startServer();
  const stripper = await start();
  stripper.leadTo({ host: '127.0.0.1', port: server.port });
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  const status = await new Promise<number | undefined>((resolve) => {
    openRequest({ host: '127.0.0.1', port: stripper.port, path: '/ws/pipe', headers })
      .on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
      .on('upgrade', () => resolve(101))
      .end();
  });
  expect(status).toBe(201);
  expect(server.seen[0]?.headers.upgrade).toBeUndefined();
  expect(stripper.strippedCount).toBe(1);
});

test('answers for itself while it leads nowhere, and when nobody is there', async () => {
  const stripper = await start();
  const ask = async () => (await fetch(`http://127.0.0.1:${stripper.port}/`)).status;
  expect(await ask()).toBe(503);
  const { port } = await startServer();
  for (const close of closing.splice(1)) await close();
  stripper.leadTo({ host: '127.0.0.1', port });
  expect(await ask()).toBe(502);
  const twice = await new Promise<number | undefined>((resolve) => {
    openRequest({ host: '127.0.0.1', port: stripper.port, setHost: false, headers: ['Host', 'a', 'Host', 'b'] })
      .on('response', (reply) => resolve(reply.resume().statusCode))
      .end();
  });
  expect(twice).toBe(400);
  await stripper.close();
  await expect(ask()).rejects.toThrow();
});
