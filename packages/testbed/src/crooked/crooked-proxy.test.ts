import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Crookedness, type CrookedProxy, startCrookedProxy } from './crooked-proxy.ts';

interface Asked extends Socket {
  number?: number;
  count?: number;
}

/** A server that says on which of its connections it was asked, and how often. */
let server: Server;
let target: { readonly host: string; readonly port: number };
const proxies: CrookedProxy[] = [];
beforeEach(async () => {
  let connections = 0;
  server = createServer((asked, reply) => {
    const socket: Asked = asked.socket;
    socket.count = (socket.count ?? 0) + 1;
    const body = `answer ${socket.count} to ${asked.url}`;
    reply.writeHead(Number(asked.headers['x-status'] ?? 200), [
      ['X-Connection', String(socket.number)],
      ['X-Seen', JSON.stringify(asked.rawHeaders)],
      ['WWW-Authenticate', 'Kerberos'],
      ['WWW-Authenticate', 'Negotiate'],
      ['Content-Length', String(body.length)],
    ]);
    reply.end(body);
  });
  server.on('connection', (socket: Asked) => {
    socket.number = ++connections;
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
});
afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  server.closeAllConnections();
  server.close();
});

async function start(crookedness: Crookedness, calmTurns?: number): Promise<CrookedProxy> {
  const proxy = await startCrookedProxy({
    ...{ crookedness, allow: [target], idleMs: 60 },
    ...(calmTurns !== undefined && { calmTurns }),
  });
  proxies.push(proxy);
  return proxy;
}

/** A client that keeps its connection, and reads what comes as it is. */
class Caller {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly ended: Promise<void>;
  #text = '';
  #wake: () => void = () => undefined;

  constructor(proxy: CrookedProxy) {
    this.socket = connect(proxy.port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.ended = Promise.race([this.closed, new Promise<void>((resolve) => this.socket.once('end', resolve))]);
    this.socket.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1');
      this.#wake();
    });
    this.socket.on('close', () => this.#wake());
  }

  /** Sends a request and takes one reply, or what there was of it at the end. */
  async ask(url: string, fields: readonly string[] = [], method = 'GET'): Promise<string> {
    this.socket.write([`${method} ${url} HTTP/1.1`, 'Host: x', ...fields, '', ''].join('\r\n'));
    return await this.take();
  }

  async take(): Promise<string> {
    for (;;) {
      const head = this.#text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(this.#text)?.[1] ?? 0);
      if (head >= 0 && this.#text.length >= head + 4 + length) {
        const reply = this.#text.slice(0, head + 4 + length);
        this.#text = this.#text.slice(reply.length);
        return reply;
      }
      if (this.socket.destroyed) return this.#text;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const url = (path = '/'): string => `http://${target.host}:${target.port}${path}`;
const connectionIn = (reply: string): number => Number(/X-Connection: (\d+)/.exec(reply)?.[1]);

/** The server's connections that three requests of each of two clients went over, one after the other. */
async function pairsOf(crookedness: Crookedness): Promise<number[][]> {
  const proxy = await start(crookedness);
  const callers = [new Caller(proxy), new Caller(proxy)];
  const pairs: number[][] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    for (const [at, caller] of callers.entries()) pairs[at]?.push(connectionIn(await caller.ask(url())));
  }
  return pairs;
}

describe('startCrookedProxy', () => {
  it('leads to allowed targets only, in both forms', async () => {
    const proxy = await start('dribbles');
    const elsewhere = `127.0.0.1:${target.port + 1}`;
    expect(await new Caller(proxy).ask(elsewhere, [], 'CONNECT')).toContain('HTTP/1.1 403 ');
    expect(await new Caller(proxy).ask(`http://${elsewhere}/`)).toContain('HTTP/1.1 403 ');
    expect(await new Caller(proxy).ask('/wsman')).toContain('HTTP/1.1 400 ');
    expect(proxy.journal.answers()).toEqual([403, 403, 400]);
    expect(proxy.journal.entries.some(({ event }) => event === 'upstream')).toBe(false);
  });

  it('passes on what is for the target, and not what is for itself', async () => {
    const caller = new Caller(await start('inspects-tls'));
    const reply = await caller.ask(url('/a?b=c'), [
      'X-Mine: 1',
      'Proxy-Authorization: Basic eA==',
      'Connection: X-Mine',
    ]);
    expect(reply).toContain('answer 1 to /a?b=c');
    expect(reply).toContain('Via: 1.1 crooked-proxy');
    expect(reply).toContain('"X-Mine","1"');
    expect(reply).not.toContain('eA==');
  });

  it.each([
    [
      'inspects-tls',
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
    ],
    [
      're-pairs',
      [
        [1, 3, 1],
        [2, 4, 2],
      ],
    ],
    [
      'shares-connections',
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
    ],
    [
      'lends-authenticated-connection',
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
    ],
  ] as const)('%s carries two clients over the server’s connections %j', async (crookedness, pairs) => {
    expect(await pairsOf(crookedness)).toEqual(pairs);
  });

  it('lends a connection only while nobody uses it', async () => {
    const proxy = await start('lends-authenticated-connection');
    const [first, second] = [new Caller(proxy), new Caller(proxy)];
    const replies = await Promise.all([first.ask(url()), second.ask(url())]);
    expect(replies.map(connectionIn).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(proxy.journal.bentCount).toBe(0);
  });

  it.each([
    ['strips-challenges', 'WWW-Authenticate', false],
    ['keeps-first-challenge', 'WWW-Authenticate: Negotiate', false],
    ['keeps-first-challenge', 'WWW-Authenticate: Kerberos', true],
    ['says-close', 'Connection: close', true],
    ['speaks-http-1.0', 'HTTP/1.0 200', true],
  ] as const)('%s changes a reply: %s there %s', async (crookedness, words, isThere) => {
    const reply = await new Caller(await start(crookedness)).ask(url());
    expect(reply.includes(words)).toBe(isThere);
  });

  it.each([
    ['says-close', [], true],
    ['speaks-http-1.0', [], true],
    ['closes-after-401', ['X-Status: 401'], true],
    ['closes-after-401', [], false],
    ['closes-after-200', ['Authorization: Negotiate eA=='], true],
    ['closes-after-200', [], false],
  ] as const)('%s closes after a reply to %j: %s', async (crookedness, fields, closes) => {
    const caller = new Caller(await start(crookedness));
    await caller.ask(url(), fields);
    if (closes) await caller.ended;
    else expect(await caller.ask(url(), fields)).toContain('answer 2');
  });

  it('cuts what is silent, and only that', async () => {
    const proxy = await start('cuts-idle');
    const caller = new Caller(proxy);
    await caller.ask(url());
    await caller.closed;
    expect(proxy.journal.bentCount).toBe(1);
  });

  it('truncates and injects after its calm turns, or when it is told to', async () => {
    const [short, long] = [new Caller(await start('truncates', 1)), new Caller(await start('injects', Infinity))];
    expect(await short.ask(url())).toContain('answer 1 to /');
    expect(await short.ask(url())).not.toContain('answer 2 to /');
    expect(await long.ask(url())).not.toContain('<script');
    proxies.at(-1)?.misbehave();
    expect(await long.ask(url())).toContain('answer 2 to /<script src="http://ads.example/banner.js"></script>');
  });

  it('splices two tunnels, or goes on over a new connection where there is one only', async () => {
    const proxy = await start('re-pairs', 2);
    const [first, second] = [new Caller(proxy), new Caller(proxy)];
    for (const caller of [first, second]) {
      expect(await caller.ask(`127.0.0.1:${target.port}`, [], 'CONNECT')).toContain('200 Connection established');
      expect(connectionIn(await caller.ask('/'))).toBe(caller === first ? 1 : 2);
    }
    await second.ask('/');
    await first.ask('/');
    expect(connectionIn(await first.ask('/'))).toBe(2);
    expect(proxy.journal.upstreamsOf(1)).toEqual([1, 2]);
    expect(proxy.journal.upstreamsOf(2)).toEqual([2, 1]);
    second.socket.destroy();
    await second.closed;
    expect(connectionIn(await first.ask('/'))).toBe(3);
  });

  it('takes the sign-in of those it admits, on the connection it belongs to', async () => {
    const proxy = await start('asks-with-401');
    proxy.admit({ user: 'pia', domain: 'OFFICE', password: 'word' });
    const field = (password: string): string =>
      `Proxy-Authorization: Basic ${Buffer.from(`OFFICE\\pia:${password}`).toString('base64')}`;
    const caller = new Caller(proxy);
    expect(await caller.ask(url())).toContain('HTTP/1.1 407 ');
    expect(await caller.ask(url(), [field('other')])).toContain('HTTP/1.1 401 ');
    expect(await caller.ask(url(), [field('word')])).toContain('answer 1');
    expect(JSON.stringify(proxy.journal.entries)).not.toMatch(/word|pia/);
  });

  it('leaves nothing open when it is closed', async () => {
    const proxy = await start('shares-connections');
    const caller = new Caller(proxy);
    await caller.ask(url());
    await proxy.close();
    await caller.closed;
    expect(proxy.port).toBe(0);
    const again = request({ host: '127.0.0.1', port: target.port });
    again.end();
    const [reply] = (await once(again, 'response')) as [IncomingMessage];
    reply.resume();
    await once(reply, 'end');
    expect(reply.headers['x-connection']).toBe('2');
  });
});
