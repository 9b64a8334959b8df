import { connect, createServer, type Server } from 'node:net';
import {
  ALL_PROXY_MECHANISMS,
  checkAffinity,
  type Hop,
  isWinRmError,
  parseCredential,
  parseTarget,
  proxySignIn,
  type RoadOpener,
} from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { relayRoad } from '@fairlead/protocol/relay';
import { walkRoad } from '@fairlead/protocol/road';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRelay } from '../../relay/src/test-kit.ts';
import {
  type GssServer,
  type ProxyPeer,
  RIG_ACCOUNT,
  RIG_PROXY_ACCOUNTS,
  startGssServer,
  startProxy,
} from '../peers/peers.ts';
import { ProxyTable } from './proxy-table.ts';
import { connectionsOf, runOnce } from './run-session.ts';

const COMMAND = { command: 'cat; exit 7', input: 'in and out' };
const { plain, ntlm } = RIG_PROXY_ACCOUNTS;
const LOOPBACK = '127.0.0.1';

let server: GssServer;
const proxies = new Map<string, Promise<ProxyPeer>>();
const table = new ProxyTable('fronts');

/** Started together: each takes a second, most of it waiting. */
const NAMES = [
  ...['squid', 'squid-basic', 'squid-ntlm-gss', 'squid-six', 'squid-default', 'apache', 'apache-default', 'microsocks'],
  ...['tinyproxy', 'tinyproxy-default', 'privoxy', 'privoxy-debian', 'nginx-default → server'],
  'haproxy-reverse → server',
];

beforeAll(async () => {
  server = await startGssServer({ cbt: 'strict' });
  await Promise.all(NAMES.map(proxyOf));
});
afterAll(async () => {
  const started = await Promise.allSettled(proxies.values());
  await Promise.all(started.flatMap((one) => (one.status === 'fulfilled' ? [one.value.stop()] : [])));
  await server?.stop();
  table.print();
});

/** A proxy, started once; "haproxy-tcp → squid" is the first in front of the second. */
async function proxyOf(name: string): Promise<ProxyPeer> {
  const [conf = '', behind = ''] = name.split(' → ');
  const start = async () => {
    if (behind === '') return await startProxy(conf);
    return await startProxy(conf, behind === 'server' ? server.port : (await proxyOf(behind)).port);
  };
  const running = proxies.get(name) ?? start();
  proxies.set(name, running);
  return running;
}

interface Try {
  readonly proxy: string;
  readonly kind?: Hop['kind'];
  readonly scheme?: 'http' | 'https';
  readonly account?: { readonly user: string; readonly password: string };
  readonly host?: string;
  readonly port?: number;
  /** Where the proxy listens. */
  readonly at?: string;
}

/** A whole session over one proxy. @throws what the session throws */
async function run({ proxy, kind = 'http-connect', scheme = 'http', account, host, port, at = LOOPBACK }: Try) {
  const hops: Hop[] = [{ kind, host: at, port: (await proxyOf(proxy)).port }];
  const place = port ?? (scheme === 'https' ? server.tls?.port : server.port);
  const address = `${scheme}://${host ?? LOOPBACK}:${place}`;
  const { target } = parseTarget(address);
  const credentials = [
    account === undefined
      ? null
      : { credential: parseCredential(account.user, account.password), mechanisms: ALL_PROXY_MECHANISMS },
  ];
  const route = { name: 'test', hops };
  const answers = proxySignIn({ route, scheme, platform: defaultPlatform, credentials });
  const openRoad: RoadOpener = (_lane, onHop, signal) =>
    walkRoad({
      ...{ route, target, onHop, signal, dial: nodeDialer, platform: defaultPlatform, answerProxy: answers() },
    });
  const pin = { sha256: server.tls?.sha256 ?? '', issuer: '', sinceMs: 0 };
  const trust = scheme === 'https' ? { trust: { roots: [], pins: [pin] } } : {};
  return await runOnce({ target: address, openRoad, ...COMMAND, ...trust });
}

async function verdict(tried: Try): Promise<string> {
  const seen = await run(tried).then(
    ({ stdout, exit }) => (stdout === 'in and out' && exit.unsigned === 7 ? 'ok' : `wrong output: ${stdout}`),
    (error: unknown) => (isWinRmError(error) ? error.code : String(error)),
  );
  const { proxy, kind = 'http-connect', scheme = 'http', account, host = LOOPBACK, at = LOOPBACK } = tried;
  const form = kind === 'http-forward' ? 'absolute form' : kind === 'socks5' ? 'SOCKS 5' : 'CONNECT';
  const six = [at, host].some((place) => place.includes(':'))
    ? `, IPv6 ${host.includes(':') ? 'target' : 'proxy'}`
    : '';
  const authentication = account === undefined ? 'none' : account === plain ? 'Basic' : 'NTLM';
  table.add({ proxy, authentication, transport: `${scheme} by ${form}${six}`, verdict: seen });
  return seen;
}

describe('tunnels', () => {
  it.each([
    'privoxy',
    'privoxy-debian',
    'haproxy-tcp → squid',
    'haproxy-http-to-proxy → squid',
    'nginx-stream → squid',
    'haproxy-tcp → tinyproxy',
    'nginx-stream → apache',
  ])('%s opens them: R2, R7', async (proxy) => {
    for (const scheme of ['http', 'https'] as const) expect(await verdict({ proxy, scheme })).toBe('ok');
  });

  it.each([
    ['haproxy-tcp → squid-basic', plain],
    ['haproxy-tcp → squid-ntlm-gss', ntlm],
    ['nginx-stream → squid-ntlm-gss', ntlm],
    ['haproxy-http-to-proxy → squid-basic', plain],
    ['haproxy-http-to-proxy → squid-ntlm-gss', ntlm],
  ])('%s opens them for those who sign in, each lane on its own connection: R3, R9', async (proxy, account) => {
    const before = connectionsOf(server).length;
    expect(await verdict({ proxy, scheme: 'https', account })).toBe('ok');
    expect(connectionsOf(server).slice(before)).toMatchObject([{ handshakes: 1 }, { handshakes: 1 }]);
  });

  it.each([
    ['nginx-default → server', 400],
    ['haproxy-reverse → server', 501],
    ['squid-default', 403],
    ['apache-default', 403],
    ['tinyproxy-default', 403],
  ])('%s refuses them, and the error says so: proxy.connect-denied', async (proxy, status) => {
    const error = await run({ proxy, scheme: 'https' }).catch((problem: unknown) => problem);
    expect(error).toMatchObject({ code: 'proxy.connect-denied', details: { hop: 1, status } });
    expect(await verdict({ proxy, scheme: 'https' })).toBe('proxy.connect-denied');
  });
});

describe('absolute form', () => {
  it.each(['squid', 'haproxy-tcp → squid', 'haproxy-http-to-proxy → squid', 'haproxy-reverse → server'])(
    '%s keeps the two sides together: R10, R14',
    async (proxy) => {
      const before = connectionsOf(server).length;
      expect(await verdict({ proxy, kind: 'http-forward' })).toBe('ok');
      for (const { handshakes } of connectionsOf(server).slice(before)) expect(handshakes).toBe(1);
    },
  );

  it.each([
    ['apache', 'proxy.no-affinity'],
    ['tinyproxy', 'proxy.drops-connection'],
    ['privoxy', 'proxy.no-affinity'],
    ['privoxy-debian', 'proxy.no-affinity'],
    ['nginx-default → server', 'proxy.no-affinity'],
  ])('%s does not, and that is told as %s and not as a wrong password: R8, R12, R13, R23', async (proxy, code) => {
    expect(await verdict({ proxy, kind: 'http-forward' })).toBe(code);
  });
});

describe('a road that is checked on demand', () => {
  it.each<[string, Hop['kind'], 'kept' | 'moved']>([
    ['squid', 'http-connect', 'kept'],
    ['squid', 'http-forward', 'kept'],
    ['haproxy-http-to-proxy → squid', 'http-forward', 'kept'],
    ['apache', 'http-connect', 'kept'],
    ['apache', 'http-forward', 'moved'],
    ['privoxy', 'http-forward', 'moved'],
  ])('%s as %s is said to have %s the connection, as the host saw it: R10, R24', async (proxy, kind, expected) => {
    const { target } = parseTarget(`http://${LOOPBACK}:${server.port}`);
    const hops: Hop[] = [{ kind, host: LOOPBACK, port: (await proxyOf(proxy)).port }];
    const before = connectionsOf(server).length;
    const found = await checkAffinity({
      ...{ target, policy: 'negotiate', platform: defaultPlatform, count: 50 },
      credential: parseCredential(RIG_ACCOUNT.user, RIG_ACCOUNT.password),
      openRoad: (_lane, onHop, signal) =>
        walkRoad({
          ...{ route: { name: '', hops }, target, dial: nodeDialer, platform: defaultPlatform, onHop, signal },
        }),
    });
    expect(found.verdict).toBe(expected);
    const seen = connectionsOf(server).slice(before);
    if (expected === 'moved') {
      expect(found.error).toMatchObject({ code: 'proxy.no-affinity' });
      expect(seen.length).toBeGreaterThan(1);
    } else {
      expect(found).toMatchObject({ sent: 50, answered: 50, connections: 1, handshakes: 1 });
      expect(seen.map(({ actions }) => actions.length)).toEqual([50]);
    }
    const transport = `check of http by ${kind === 'http-forward' ? 'absolute form' : 'CONNECT'}`;
    table.add({ proxy, authentication: 'none', transport, verdict: found.verdict });
  });
});

describe('nginx with upstream keepalive, in front of a host', () => {
  const ask = async (port: number, body: string): Promise<{ status: number; text: string }> => {
    const headers = { 'Content-Type': 'application/soap+xml;charset=UTF-8' };
    const answer = await fetch(`http://${LOOPBACK}:${port}/wsman`, { method: 'POST', headers, body });
    return { status: answer.status, text: await answer.text() };
  };
  const IDENTIFY =
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' +
    '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>';

  it.each([false, true])(
    'hands our connection to a stranger; only a host that enforces sealing refuses him (AllowUnencrypted %s): R11, R24, R27, R30',
    async (allowsUnencrypted) => {
      const host = await startGssServer({ allowsUnencrypted });
      const nginx = await startProxy('nginx-keepalive', host.port);
      try {
        expect((await ask(nginx.port, IDENTIFY)).status).toBe(401);
        // We come, sign in, and are gone; nginx keeps what we signed in on, and lends it to whoever comes next.
        await runOnce({ target: `${LOOPBACK}:${nginx.port}`, command: 'true' });
        const { status, text } = await ask(nginx.port, IDENTIFY);
        expect(status).toBe(allowsUnencrypted ? 200 : 500);
        expect(text.includes('ProductVendor')).toBe(allowsUnencrypted);
      } finally {
        await Promise.all([nginx.stop(), host.stop()]);
      }
      table.add({
        proxy: 'nginx-keepalive → server',
        authentication: 'a stranger’s',
        transport: `http, AllowUnencrypted ${allowsUnencrypted}`,
        verdict: allowsUnencrypted ? 'he is let in' : 'he is refused',
      });
    },
  );
});

describe('in front of the relay', () => {
  it.each([
    ['haproxy-tcp', 'websocket'],
    ['haproxy-reverse', 'websocket'],
    ['nginx-stream', 'websocket'],
    ['nginx-upgrade', 'websocket'],
    ['nginx-stripped', 'http'],
  ] as const)('%s: a session comes about over %s', async (conf, via) => {
    const relay = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*' });
    const front = await startProxy(conf, Number(new URL(relay.base).port));
    try {
      const cookie = await relay.signIn();
      const origin = `http://${LOOPBACK}:${front.port}`;
      const own = { Origin: origin, Cookie: cookie };
      // What a browser adds by itself; Node's WebSocket takes it in the place of protocols.
      class PageSocket extends WebSocket {
        constructor(url: string | URL) {
          const init: object = { headers: own };
          super(url, init as string[]);
        }
      }
      const pageFetch: typeof fetch = (input, init) =>
        fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), ...own } });
      const carried = new Set<string>();
      const openRoad = relayRoad({
        origin,
        ticket: () => relay.ticket(cookie, { host: LOOPBACK, port: server.port }),
        WebSocket: PageSocket as typeof WebSocket,
        fetch: pageFetch,
        onLink: (_lane, link) => carried.add(link.via),
      });
      const ended = await runOnce({ target: `${LOOPBACK}:${server.port}`, openRoad, ...COMMAND });
      expect(ended).toMatchObject({ stdout: 'in and out', exit: { unsigned: 7 } });
      expect([...carried]).toEqual([via]);
      const transport = `the tab’s way to the relay, over ${via === 'http' ? 'HTTP requests' : 'a WebSocket'}`;
      table.add({ proxy: `${conf} → relay`, authentication: 'none', transport, verdict: 'ok' });
    } finally {
      await front.stop();
      await relay.close();
    }
  });
});

describe('IPv6', () => {
  const fronts: Server[] = [];
  afterAll(() => {
    for (const front of fronts) front.close();
  });

  /** The server listens on IPv4; this is its address on ::1. */
  async function onSix(port: number): Promise<number> {
    const front = createServer((socket) => {
      const inner = connect(port, LOOPBACK);
      socket.pipe(inner).pipe(socket);
      for (const one of [socket, inner]) one.on('error', () => one.destroy());
    });
    fronts.push(front);
    await new Promise<void>((resolve) => front.listen(0, '::1', resolve));
    const address = front.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  it('proxies and targets at [::1], http and https', async () => {
    const http = await onSix(server.port);
    const https = await onSix(server.tls?.port ?? 0);
    expect(await runOnce({ target: `http://[::1]:${http}`, ...COMMAND })).toMatchObject({ stdout: 'in and out' });
    for (const [scheme, port] of [
      ['http', http],
      ['https', https],
    ] as const) {
      expect(await verdict({ proxy: 'squid-six', scheme, at: '::1' })).toBe('ok');
      for (const proxy of ['squid-six', 'privoxy', 'tinyproxy', 'apache']) {
        expect(await verdict({ proxy, scheme, host: '[::1]', port })).toBe('ok');
      }
      expect(
        await verdict({
          proxy: 'microsocks',
          kind: 'socks5',
          account: plain,
          scheme: 'https',
          host: '[::1]',
          port: https,
        }),
      ).toBe('ok');
    }
    expect(await verdict({ proxy: 'squid-six', kind: 'http-forward', host: '[::1]', port: http, at: '::1' })).toBe(
      'ok',
    );
  });
});
