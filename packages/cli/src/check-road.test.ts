import { Agent, createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type Crookedness, startCrookedProxy } from '../../testbed/src/crooked/crooked-proxy.ts';
import { startConnectProxy, startWinRmHost } from '../../testbed/src/index.ts';
import { catchWritten } from '../../testbed/src/written.ts';
import { run } from './run.ts';

const PASSWORD = 'Correct-horse-9';
const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

async function startHost(isAdministrator = true) {
  const host = await startWinRmHost({
    accounts: [{ user: 'ana', domain: 'CORP', password: PASSWORD, isAdministrator }],
    https: {},
  });
  running.push(host);
  return {
    http: { host: '127.0.0.1', port: host.port },
    https: { host: 'localhost', port: host.https?.port ?? 0 },
    pin: host.https?.thumbprints.sha256 ?? '',
  };
}

async function crooked(crookedness: Crookedness, allow: { host: string; port: number }[], calmTurns?: number) {
  const proxy = await startCrookedProxy({ crookedness, allow, ...(calmTurns === undefined ? {} : { calmTurns }) });
  running.push(proxy);
  return proxy;
}

async function checkRoad(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { written, stdout, stderr } = catchWritten();
  const code = await run(['check-road', '-u', 'CORP\\ana', ...words], {
    stdin: Readable.from([]),
    stdout,
    stderr,
    environment: { FAIRLEAD_PASSWORD: PASSWORD },
    askSecret: () => Promise.resolve(null),
    onInterrupt: () => () => undefined,
  });
  return { code, ...written };
}

/** A proxy that knows no CONNECT, and keeps each client on a connection of its own. */
async function forwardOnly(): Promise<{ host: string; port: number }> {
  const agents = new Map<Socket, Agent>();
  const server = createServer((incoming, outgoing) => {
    const agent = agents.get(incoming.socket) ?? new Agent({ keepAlive: true, maxSockets: 1 });
    agents.set(incoming.socket, agent);
    const { method, headers } = incoming;
    const sent = request(incoming.url ?? '', { method, headers, agent }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, {
        ...reply.headers,
        'Proxy-Support': 'Session-Based-Authentication',
      });
      reply.pipe(outgoing);
    });
    incoming.pipe(sent);
  });
  server.on('connect', (_, socket: Socket) => {
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push({
    close: async () => {
      for (const agent of agents.values()) agent.destroy();
      server.closeAllConnections();
      server.close();
    },
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const url = ({ host, port }: { host: string; port: number }): string => `http://${host}:${port}`;

describe('fairlead check-road', () => {
  it('R10, R24, R27: says line by line that a tunnel keeps the connection, and what the host thinks of unencrypted messages', async () => {
    const { http } = await startHost();
    const proxy = await startConnectProxy({ allow: [http] });
    running.push(proxy);
    const { code, stdout, stderr } = await checkRoad('-t', url(http), '-p', url(proxy));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      `road         through ${proxy.host}:${proxy.port}, in a tunnel to 127.0.0.1:${http.port}`,
      'sign-in      Negotiate, 1 handshake on 1 connection',
      'requests     10 of 10 answered under that sign-in',
      'connection   kept: every request reached the connection that was signed in on',
      'unencrypted  refused by the host (AllowUnencrypted is false), as it should be',
      '',
    ]);
  });

  it('R10, R23: catches a proxy that re-pairs connections in absolute form, with evidence, and exits with 66', async () => {
    const { http } = await startHost();
    const proxy = await crooked('re-pairs', [http], 2);
    const { code, stdout } = await checkRoad('-t', url(http), '-p', url(proxy), '--forward', '--count', '5');
    expect(code).toBe(66);
    expect(stdout).toMatch(/^connection {3}MOVED: /m);
    expect(stdout).toMatch(/^requests {5}[0-4] of [1-5] answered/m);
    expect(stdout).toContain(`why          The proxy ${proxy.host}:${proxy.port} moved your connection: `);
    expect(stdout).toContain('[proxy.no-affinity]');
    expect(stdout).not.toContain('refused the sign-in of');
  });

  it('R10, R24: catches one that moves what is in a tunnel to an http target, and what it breaks inside TLS', async () => {
    const { http, https, pin } = await startHost();
    const proxy = await crooked('re-pairs', [http], 2);
    const moved = await checkRoad('-t', url(http), '-p', url(proxy), '--json');
    expect(moved.code).toBe(66);
    expect(JSON.parse(moved.stdout)).toMatchObject({
      ...{ type: 'road', verdict: 'moved', road: 'tunnel', handshakes: 1 },
      error: { code: 'proxy.no-affinity', details: { hop: 1, host: proxy.host, port: proxy.port } },
    });
    const later = await crooked('re-pairs', [https], 7);
    const through = ['-t', `https://localhost:${https.port}`, '--pin', pin, '-p', url(later), '--json'];
    const broken = JSON.parse((await checkRoad(...through)).stdout);
    expect(broken).toMatchObject({
      verdict: 'moved',
      isSecured: true,
      error: { code: expect.stringMatching(/^tls\./) },
    });
    expect(broken.answered).toBeGreaterThan(0);
  });

  it('finds nothing wrong with an honest road inside TLS, and tells who may not read the setting', async () => {
    const { https, pin } = await startHost(false);
    const proxy = await startConnectProxy({ allow: [https] });
    running.push(proxy);
    const { code, stdout } = await checkRoad('-t', `https://localhost:${https.port}`, '--pin', pin, '-p', url(proxy));
    expect(code).toBe(0);
    expect(stdout).toContain(`in a tunnel to localhost:${https.port}, TLS from here to there`);
    expect(stdout).toContain('unencrypted  the host does not tell this account');
  });

  it('R16, R20: names a proxy that closes after the sign-in', async () => {
    const { http } = await startHost();
    const proxy = await crooked('closes-after-200', [http]);
    const { code, stdout } = await checkRoad('-t', url(http), '-p', url(proxy), '--forward');
    expect(code).toBe(66);
    expect(stdout).toMatch(/^connection {3}CLOSED/m);
    expect(stdout).toContain('[proxy.drops-connection]');
  });

  it('R4: says that the proxy refused a tunnel and forwards, with --proxy-form auto', async () => {
    const { http } = await startHost();
    const proxy = await forwardOnly();
    const through = ['-t', url(http), '-p', url(proxy)];
    const { code, stdout, stderr } = await checkRoad(...through, '--proxy-form', 'auto');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      `through ${proxy.host}:${proxy.port}, which forwards each request to 127.0.0.1:${http.port}`,
    );
    expect(stdout).toContain('kept: ');
    expect(stdout).toMatch(/^note {9}The proxy .* refused a tunnel \(status 405\), so it forwards/m);
    expect((await checkRoad(...through)).stderr).toContain('[proxy.connect-denied]');
    const contradicting = await checkRoad(...through, '--forward', '--proxy-form', 'auto');
    expect(contradicting.stderr).toContain('contradict');
  });

  it('tells an error as every command does, and wants a sensible count', async () => {
    const { http } = await startHost();
    expect((await checkRoad('-t', url(http), '--count', '101')).stderr).toContain('[misuse.bad-argument]');
    expect((await checkRoad('-t', 'http://127.0.0.1:1')).code).toBe(65);
  });
});
