import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ConnectProxy, type ConnectProxyOptions, startConnectProxy } from './connect-proxy.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Answers everything with its upper case, and the end with "bye". */
async function startTarget(): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => socket.write(bytes.toString().toUpperCase()));
    socket.on('end', () => socket.end('bye'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function start(options: ConnectProxyOptions): Promise<ConnectProxy> {
  const proxy = await startConnectProxy(options);
  closing.push(() => proxy.close());
  return proxy;
}

/** Sends a text through the proxy, ends its half, and returns all that came back. */
function talk(proxy: ConnectProxy, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    let reply = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      reply += part;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(reply));
    socket.on('end', () => socket.end());
    socket.end(text);
  });
}

function head(target: string): string {
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
}

describe('the CONNECT proxy', () => {
  test('tunnels to what is allowed, first bytes and half-close included', async () => {
    const target = await startTarget();
    let seen = '';
    const proxy = await start({
      allow: [{ host: '127.0.0.1', port: target }],
      onBytes: (direction, bytes) => {
        seen += `${direction}: ${Buffer.from(bytes).toString()}; `;
      },
    });
    const reply = await talk(proxy, `${head(`127.0.0.1:${target}`)}early`);
    expect(reply).toMatch(/^HTTP\/1\.1 200 .*\r\nVia: .*\r\n\r\nEARLYbye$/);
    expect(seen).toContain('to-target: early');
    await expect
      .poll(() => proxy.journal)
      .toEqual([
        { event: 'tunnel', tunnel: 1, target: `127.0.0.1:${target}` },
        { event: 'closed', tunnel: 1, bytesToTarget: 5, bytesToClient: 8 },
      ]);
  });

  test.each([
    ['another port', '127.0.0.1:1', 403],
    ['another name for the same host', 'localhost:PORT', 403],
    ['no port', '127.0.0.1', 400],
    ['a port that is none', '127.0.0.1:99999', 400],
    ['a bracket too many', '[[::1]]:80', 400],
  ])('refuses %s', async (_what, text, status) => {
    const target = await startTarget();
    const proxy = await start({ allow: [{ host: '127.0.0.1', port: target }] });
    const asked = text.replace('PORT', String(target));
    expect(await talk(proxy, head(asked))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('allows nothing by itself, and more while it runs', async () => {
    const port = await startTarget();
    const proxy = await start({});
    expect(await talk(proxy, head(`127.0.0.1:${port}`))).toMatch(/^HTTP\/1\.1 403 /);
    proxy.allow({ host: '127.0.0.1', port });
    expect(await talk(proxy, head(`127.0.0.1:${port}`))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('says 502 when the target does not listen, 407 when it wants a password, 405 to anything but CONNECT', async () => {
    const proxy = await start({ allow: [{ host: '127.0.0.1', port: 1 }] });
    expect(await talk(proxy, head('127.0.0.1:1'))).toMatch(/^HTTP\/1\.1 502 /);
    expect(await talk(proxy, 'GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 405 /);
    const strict = await start({ demands: ['Negotiate', 'Basic realm="office"'] });
    const reply = await talk(strict, head('127.0.0.1:1'));
    expect(reply).toMatch(/^HTTP\/1\.1 407 /);
    expect(reply).toContain('\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm="office"\r\n');
  });

  test('cuts its tunnels on demand', async () => {
    const port = await startTarget();
    const proxy = await start({ allow: [{ host: '127.0.0.1', port }] });
    const socket = connect(proxy.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
    socket.write(head(`127.0.0.1:${port}`));
    await new Promise((resolve) => socket.once('data', resolve));
    expect(proxy.killTunnels()).toBe(1);
    await closed;
  });
});
