import {
  ALL_PROXY_MECHANISMS,
  HIDING_PROXY_MECHANISMS,
  type Hop,
  isWinRmError,
  type ProxyMechanism,
  parseCredential,
  parseTarget,
  proxySignIn,
  type RoadOpener,
} from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { nodeSecureHop } from '@fairlead/protocol/proxy-tls';
import { walkRoad } from '@fairlead/protocol/road';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type GssServer,
  hasNamespaces,
  PROXY_ONLY_NAME,
  type ProxyPeer,
  RIG_PROXY_ACCOUNTS,
  startGssServer,
  startProxy,
} from '../peers/peers.ts';
import { ProxyTable } from './proxy-table.ts';
import { connectionsOf, runOnce } from './run-session.ts';

type Account = { readonly user: string; readonly password: string };
const { plain, ntlm, tinyproxy } = RIG_PROXY_ACCOUNTS;

/** One proxy of the road, with who signs in to it and by what. */
interface Stop {
  readonly conf: string;
  readonly account?: Account;
  readonly mechanisms?: readonly ProxyMechanism[];
}

interface RoadOptions {
  readonly stops: readonly Stop[];
  readonly scheme: 'http' | 'https';
  readonly password?: string;
  readonly host?: string;
  readonly kind?: Hop['kind'];
  readonly isDangerChosen?: boolean;
}

let server: GssServer;
const proxies = new Map<string, ProxyPeer>();
const table = new ProxyTable('sign-in');

beforeAll(async () => {
  server = await startGssServer({ cbt: 'strict' });
});
afterAll(async () => {
  await Promise.all([server?.stop(), ...[...proxies.values()].map((proxy) => proxy.stop())]);
  table.print();
});

async function proxyOf(conf: string): Promise<ProxyPeer> {
  const running = proxies.get(conf) ?? (await startProxy(conf));
  proxies.set(conf, running);
  return running;
}

/** Runs a command over the road; the whole session, both lanes, TLS or sealing end to end. */
async function run(options: RoadOptions) {
  const { stops, scheme, host = '127.0.0.1', isDangerChosen = false } = options;
  const hops: Hop[] = [];
  const roots: string[] = [];
  for (const { conf } of stops) {
    const proxy = await proxyOf(conf);
    const kind = /sock/.test(conf) ? 'socks5' : (options.kind ?? 'http-connect');
    hops.push({ kind, host: '127.0.0.1', port: proxy.port, ...(conf.includes('tls') && { tls: true }) });
    if (conf.includes('tls')) roots.push(proxy.read('c.pem'));
  }
  const port = scheme === 'https' ? server.tls?.port : server.port;
  const address = `${scheme}://${host}:${port}`;
  const { target } = parseTarget(address);
  const route = { name: 'test', hops };
  const answers = proxySignIn({
    ...{ route, scheme, platform: defaultPlatform, dangerHttpBehindAuthenticatedProxy: isDangerChosen },
    credentials: stops.map(({ account, mechanisms = ALL_PROXY_MECHANISMS }) =>
      account === undefined
        ? null
        : { credential: parseCredential(account.user, options.password ?? account.password), mechanisms },
    ),
  });
  const openRoad: RoadOpener = (_lane, onHop, signal) =>
    walkRoad({
      ...{ route, target, onHop, signal, dial: nodeDialer, platform: defaultPlatform },
      ...{ answerProxy: answers(), httpBehindSignIn: 'allow', secureHop: nodeSecureHop(roots) },
    });
  const pin = { sha256: server.tls?.sha256 ?? '', issuer: '', sinceMs: 0 };
  const trust = scheme === 'https' ? { trust: { roots: [], pins: [pin] } } : {};
  return await runOnce({ target: address, openRoad, command: 'cat; exit 7', input: 'in and out', ...trust });
}

/** The verdict of a run: "ok", or the code and the legs' own word of what failed. */
async function verdict(label: readonly [string, string, string], options: RoadOptions): Promise<string> {
  const before = connectionsOf(server).length;
  const seen = await run(options).then(
    ({ stdout, exit }) => (stdout === 'in and out' && exit.unsigned === 7 ? 'ok' : `wrong output: ${stdout}`),
    (error: unknown) => (isWinRmError(error) ? error.code : String(error)),
  );
  const connections = connectionsOf(server).slice(before);
  // Two lanes, each on one server connection with one handshake; a refused road reaches the server with none.
  expect(connections.length).toBe(seen === 'ok' ? 2 : 0);
  for (const { handshakes } of connections) expect(handshakes).toBe(1);
  const [proxy, authentication, transport] = label;
  table.add({ proxy, authentication, transport, verdict: seen });
  return seen;
}

const ONE_PROXY: readonly (readonly [string, string, Account, ProxyMechanism])[] = [
  ['squid-basic', 'Basic', plain, 'Basic'],
  ['squid-digest', 'Digest', plain, 'Digest'],
  ['squid-ntlm-gss', 'NTLM', ntlm, 'NTLM'],
  ['squid-negotiate-gss', 'Negotiate', ntlm, 'Negotiate'],
  ['squid-tls-basic', 'Basic over TLS', plain, 'Basic'],
  ['apache-basic', 'Basic', plain, 'Basic'],
  ['apache-digest', 'Digest', plain, 'Digest'],
  ['apache-ntlm', 'NTLM', ntlm, 'NTLM'],
  ['apache-ntlm', 'Negotiate', ntlm, 'Negotiate'],
  ['tinyproxy-basic', 'Basic', tinyproxy, 'Basic'],
  ['microsocks', 'password', plain, 'Basic'],
  // Dante knows the system's accounts only; it is shown a list with one more, where it may be shown anything.
  ...(hasNamespaces() ? ([['sockd-user', 'password', plain, 'Basic']] as const) : []),
];

describe('a proxy that wants its own sign-in', () => {
  it.each(ONE_PROXY)('%s with %s: R3, R5, R6, R9', async (conf, name, account, mechanism) => {
    const stops = [{ conf, account, mechanisms: [mechanism] }];
    expect(await verdict([conf, name, 'https'], { stops, scheme: 'https' })).toBe('ok');
    expect(
      await verdict([conf, `${name}, any offered`, 'https'], { stops: [{ conf, account }], scheme: 'https' }),
    ).toBe('ok');
    const wrong = { stops, scheme: 'https', password: 'wrong' } as const;
    expect(await verdict([conf, `${name}, wrong password`, 'https'], wrong)).toBe('proxy.auth-rejected');
    expect(await verdict([conf, name, 'http'], { stops, scheme: 'http' })).toBe('proxy.needs-https');
    const danger = { stops, scheme: 'http', isDangerChosen: true } as const;
    expect(await verdict([conf, name, 'http, danger chosen'], danger)).toBe('ok');
  });

  it.each(ONE_PROXY.slice(0, 9))(
    '%s with %s gets no credential of ours without one: proxy.auth-required',
    async (conf) => {
      expect(await verdict([conf, 'none given', 'https'], { stops: [{ conf }], scheme: 'https' })).toBe(
        'proxy.auth-required',
      );
    },
  );

  it.each([
    ['squid-basic', plain, HIDING_PROXY_MECHANISMS],
    ['squid-ntlm-gss', ntlm, ['Digest'] as const],
  ])('%s offers only what we will not use: proxy.auth-unsupported', async (conf, account, mechanisms) => {
    const stops = [{ conf, account, mechanisms }];
    const name = `not ${mechanisms.join(', ')}`;
    expect(await verdict([conf, name, 'https'], { stops, scheme: 'https' })).toBe('proxy.auth-unsupported');
  });

  it('never gets one in absolute form: R5', async () => {
    const stops = [{ conf: 'squid-basic', account: plain }];
    const options = { stops, scheme: 'http', kind: 'http-forward', isDangerChosen: true } as const;
    expect(await verdict(['squid-basic', 'Basic', 'http, absolute form'], options)).toBe('proxy.needs-https');
  });
});

describe('proxies that want none: R7', () => {
  it.each(['squid', 'apache', 'tinyproxy', 'sockd'])('%s', async (conf) => {
    for (const scheme of ['http', 'https'] as const) {
      expect(await verdict([conf, 'none', scheme], { stops: [{ conf }], scheme })).toBe('ok');
    }
  });

  it('a SOCKS proxy and Squid resolve the name themselves', async () => {
    const options = { scheme: 'https', host: PROXY_ONLY_NAME } as const;
    expect(await verdict(['squid', 'none', 'https, its own name'], { stops: [{ conf: 'squid' }], ...options })).toBe(
      'ok',
    );
    // Dante asks the system, which knows no such name: it says so, and we did not ask ours.
    const refused = await verdict(['sockd', 'none', 'https, unknown name'], { stops: [{ conf: 'sockd' }], ...options });
    expect(refused).toBe('proxy.socks-refused');
  });
});

describe('chains: each proxy with credentials of its own', () => {
  const basic = { conf: 'squid-basic', account: plain };
  it.each<[string, readonly Stop[]]>([
    ['squid → squid', [basic, { conf: 'squid-ntlm-gss', account: ntlm }]],
    [
      'squid → squid, Negotiate first',
      [
        { conf: 'squid-negotiate-gss', account: ntlm },
        { conf: 'squid-digest', account: plain },
      ],
    ],
    [
      'tinyproxy → squid (dialled again)',
      [
        { conf: 'tinyproxy-basic', account: tinyproxy },
        { conf: 'squid-digest', account: plain },
      ],
    ],
    ['squid → tinyproxy (dialled again)', [basic, { conf: 'tinyproxy-basic', account: tinyproxy }]],
    [
      'TLS squid → squid',
      [
        { conf: 'squid-tls-basic', account: plain },
        { conf: 'squid-ntlm-gss', account: ntlm },
      ],
    ],
    ['squid → TLS squid', [basic, { conf: 'squid-tls-basic', account: plain }]],
    [
      'SOCKS → squid',
      [
        { conf: 'microsocks', account: plain },
        { conf: 'squid-ntlm-gss', account: ntlm },
      ],
    ],
    ['squid → SOCKS', [{ conf: 'squid' }, { conf: 'microsocks', account: plain }]],
  ])('%s', async (name, stops) => {
    const proxies = stops.map(({ conf }) => conf).join(' → ');
    const redialled = name.includes('dialled again') ? ', dialled again' : '';
    expect(await verdict([proxies, `each its own${redialled}`, 'https'], { stops, scheme: 'https' })).toBe('ok');
  });

  it('a wrong password for the second names the second', async () => {
    const stops = [{ conf: 'squid' }, { conf: 'squid-ntlm-gss', account: ntlm }];
    await expect(run({ stops, scheme: 'https', password: 'wrong' })).rejects.toMatchObject({
      code: 'proxy.auth-rejected',
      details: { hop: 2, mechanism: 'NTLM', stage: 'authenticate' },
    });
  });
});

describe('a proxy over TLS', () => {
  it('that nobody vouches for is proxy.tls-failed', async () => {
    const proxy = await proxyOf('squid-tls-basic');
    const { target } = parseTarget(`https://127.0.0.1:${server.tls?.port}`);
    const hop: Hop = { kind: 'http-connect', host: '127.0.0.1', port: proxy.port, tls: true };
    const road = walkRoad({
      ...{ target, dial: nodeDialer, platform: defaultPlatform, secureHop: nodeSecureHop() },
      route: { name: 'test', hops: [hop] },
    });
    await expect(road).rejects.toMatchObject({ code: 'proxy.tls-failed', details: { hop: 1 } });
  });
});
