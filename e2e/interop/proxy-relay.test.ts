import { type Hop, parseCredential, parseTarget, proxySignIn } from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRelay, type TestRelay } from '../../relay/src/test-kit.ts';
import { type GssServer, type ProxyPeer, RIG_PROXY_ACCOUNTS, startGssServer, startProxy } from '../peers/peers.ts';
import { connectionsOf, runOnce } from './run-session.ts';

// Tab, relay, a real proxy that wants a sign-in, a real server: everything the tab gave the relay is kept and searched.

let server: GssServer;
let relay: TestRelay;
let cookie = '';
const proxies: ProxyPeer[] = [];

beforeAll(async () => {
  server = await startGssServer({ cbt: 'strict' });
  relay = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_PROXIES: '127.0.0.1:*' });
  cookie = await relay.signIn();
});
afterAll(() => Promise.all([relay?.close(), server?.stop(), ...proxies.map((proxy) => proxy.stop())]));

/** A session through the relay and one proxy; with what crossed the link between tab and relay, both ways. */
async function runThrough(conf: string, account: { user: string; password: string }, password = account.password) {
  const proxy = await startProxy(conf);
  proxies.push(proxy);
  const hops: Hop[] = [{ kind: 'http-connect', host: '127.0.0.1', port: proxy.port }];
  const address = `https://127.0.0.1:${server.tls?.port}`;
  const { target } = parseTarget(address);
  const link: string[] = [];
  const keep = (content: unknown) => {
    link.push(typeof content === 'string' ? content : Buffer.from(content as ArrayBuffer).toString('latin1'));
  };
  // What a browser adds by itself; Node's WebSocket takes it in the place where the DOM's has the protocols.
  const init: object = { headers: { Origin: relay.base, Cookie: cookie } };
  class PageSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, init as string[]);
      this.addEventListener('message', (event) => keep(event.data));
    }

    override send(content: string | ArrayBufferLike | Blob | ArrayBufferView): void {
      keep(ArrayBuffer.isView(content) ? content.buffer : content);
      super.send(content as string);
    }
  }
  const answerProxy = proxySignIn({
    ...{ route: { name: '', hops }, scheme: 'https', platform: defaultPlatform },
    credentials: [
      { credential: parseCredential(account.user, password), mechanisms: ['Negotiate', 'NTLM', 'Digest', 'Basic'] },
    ],
  });
  const openRoad = relayRoad({
    ...{ origin: relay.base, answerProxy, WebSocket: PageSocket as typeof WebSocket },
    ticket: () => relay.ticket(cookie, { host: target.host, port: target.port }, hops, 'https'),
  });
  const pin = { sha256: server.tls?.sha256 ?? '', issuer: '', sinceMs: 0 };
  const before = connectionsOf(server).length;
  const run = runOnce({
    target: address,
    openRoad,
    command: 'cat; exit 3',
    input: 'x',
    trust: { roots: [], pins: [pin] },
  });
  const outcome = await run.catch((error: unknown) => error);
  return { outcome, link: link.join('\n'), connections: connectionsOf(server).slice(before) };
}

/** A password as it might be seen: itself, and in the encodings it could travel in. */
function spellings(password: string): string[] {
  const utf16 = Buffer.from(password, 'utf16le');
  const utf8 = Buffer.from(password, 'utf8');
  return [
    password,
    utf16.toString('latin1'),
    utf8.toString('base64').replace(/=+$/, ''),
    utf16.toString('base64').slice(0, -4),
    utf8.toString('hex'),
  ];
}

const { plain, ntlm } = RIG_PROXY_ACCOUNTS;

describe('a proxy that wants a sign-in, behind the relay', () => {
  it.each([
    ['squid-digest', plain],
    ['squid-ntlm-gss', ntlm],
    ['squid-negotiate-gss', ntlm],
  ])('%s: the tab’s tokens open it, and no password crosses the link', async (conf, account) => {
    const { outcome, link, connections } = await runThrough(conf, account);
    expect(outcome).toMatchObject({ stdout: 'x', exit: { unsigned: 3 } });
    expect(connections).toHaveLength(2);
    expect(link).toContain('"type":"answer"');
    for (const spelling of spellings(account.password)) expect(link).not.toContain(spelling);
    for (const spelling of spellings(account.password)) expect(relay.log.join('\n')).not.toContain(spelling);
  });

  it('squid-basic: the link shows what Basic shows to everybody, and the relay’s log does not', async () => {
    const { outcome, link } = await runThrough('squid-basic', plain);
    expect(outcome).toMatchObject({ stdout: 'x' });
    const shown = Buffer.from(`${plain.user}:${plain.password}`).toString('base64');
    expect(link.split('"authorization":"Basic ').length - 1).toBe(2); // once for each lane
    expect(link).toContain(shown);
    expect(relay.log.join('\n')).not.toContain(shown);
  });

  it('says proxy.auth-rejected for a wrong password, with the proxy’s page', async () => {
    const { outcome, connections } = await runThrough('squid-ntlm-gss', ntlm, 'wrong');
    expect(outcome).toMatchObject({
      code: 'proxy.auth-rejected',
      details: { hop: 1, mechanism: 'NTLM', stage: 'authenticate', text: expect.stringContaining('Access Denied') },
    });
    expect(connections).toHaveLength(0);
  });
});
