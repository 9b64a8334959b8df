import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import type { HopReport, OpenedRoad, RoadOpener } from '../opened-road.ts';
import { fixedPlatform, scriptedPeer, streamPair } from '../testing/index.ts';
import { tlsFront } from '../testing/tls-front.ts';
import { type DoubleReply, WinRmDouble } from '../testing/winrm-double.ts';
import peers from '../tls/vectors/peers.json' with { type: 'json' };
import { identify } from './identify.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

// What answers in the host's place, in proper HTTP; and connections that are cut on their way through a proxy.

type Road = Pick<OpenedRoad, 'hasProxy' | 'form'>;

const TUNNEL: Road = { hasProxy: true, form: 'origin' };
const FORWARD: Road = { hasProxy: true, form: 'absolute' };
const DIRECT: Road = { hasProxy: false, form: 'origin' };
const common = { stage: 'open', ms: 1, address: '' } as const;
const PROXY: HopReport = { ...common, hop: 1, party: 'proxy', host: 'px.corp', port: 3128 };
const SERVER: HopReport = { ...common, hop: 2, party: 'server', host: 'srv1', port: 5986 };
const PAGE = '<html><style>h1{}</style><h1>Acceptable use</h1><p>Sign in at the portal.</html>';
const HTML = ['Content-Type: text/html', 'Via: 1.1 px.corp', 'Proxy-Status: px; error=denied'];

function sessionOver(openRoad: RoadOpener, scheme: 'http' | 'https', host = 'srv1'): Session {
  return new Session({
    ...{ openRoad, platform: fixedPlatform({ nowMs: Date.UTC(2030, 0, 1) }), policy: 'ntlm' },
    credential: parseCredential('alice', 'Passw0rd!'),
    target: parseTarget(`${scheme}://${host}`).target,
    trust: { policy: { roots: [], pins: [] }, ask: async () => 'trust-once' as const },
    shell: { kind: 'command', command: 'echo hi', codePage: 65001 },
  });
}

/** What a session says to whom the far end says this in place of TLS. */
async function saidToTls(reply: string, road: Road): Promise<unknown> {
  const openRoad: RoadOpener = async (_lane, onHop) => {
    for (const report of road.hasProxy ? [PROXY, SERVER] : [SERVER]) onHop(report);
    const { near, far } = streamPair();
    await far.write(new TextEncoder().encode(reply));
    return { stream: near, ...road };
  };
  return await failureOf(sessionOver(openRoad, 'https'));
}

/** What a session says whose first leg is answered so. */
async function saidToLeg(reply: DoubleReply | 'drop', road: Road): Promise<unknown> {
  const double = new WinRmDouble({ road });
  double.onRequest = () => reply;
  return await failureOf(sessionOver(reporting(double, road), 'http'));
}

function reporting(double: WinRmDouble, road: Road): RoadOpener {
  return (lane, onHop, signal) => {
    for (const report of road.hasProxy ? [PROXY, { ...SERVER, port: 5985 }] : []) onHop(report);
    return double.openRoad(lane, onHop, signal);
  };
}

async function failureOf(session: Session): Promise<unknown> {
  const error = await session.open().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  await session.close();
  return error;
}

const inHttp = (status: string, ...fields: string[]): string =>
  [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${PAGE.length}`, '', PAGE].join('\r\n');

describe('a reply of HTTP where TLS should begin', () => {
  it.each(['200 OK', '302 Found', '403 Forbidden', '503 Nope', '407 Auth'])(
    'is the proxy’s own, with its words: proxy.false-tunnel (%s)',
    async (status) => {
      expect(await saidToTls(inHttp(status, ...HTML), TUNNEL)).toMatchObject({
        code: 'proxy.false-tunnel',
        details: {
          ...{ hop: 1, host: 'px.corp', port: 3128, target: 'srv1:5986', status: Number.parseInt(status, 10) },
          ...{ via: '1.1 px.corp', proxyStatus: 'px; error=denied', text: 'Acceptable use Sign in at the portal.' },
        },
        cause: { code: 'tls.not-tls' },
      });
    },
  );

  it('has of a long page as much as fits a screen', async () => {
    const page = `<p>${'word '.repeat(3000)}`;
    const error = await saidToTls(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`, TUNNEL);
    expect(error).toMatchObject({ code: 'proxy.false-tunnel', details: { text: page.slice(3, 3 + 2048) } });
  });

  it('may be a plain listener’s, when it is what such a one says to TLS: tls.not-tls', async () => {
    expect(await saidToTls(inHttp('400 Bad Request'), TUNNEL)).toMatchObject({ code: 'tls.not-tls' });
    expect(await saidToTls(inHttp('400 Bad Request', ...HTML), TUNNEL)).toMatchObject({ code: 'proxy.false-tunnel' });
  });

  it('is the host’s where there is no proxy: tls.not-tls', async () => {
    expect(await saidToTls(inHttp('200 OK', ...HTML), DIRECT)).toMatchObject({ code: 'tls.not-tls' });
  });

  it('is no word of anybody when its head is garbage: tls.not-tls', async () => {
    expect(await saidToTls('HTTP/1.1 2x0\r\nnonsense', TUNNEL)).toMatchObject({ code: 'tls.not-tls' });
  });
});

describe('a web page where WinRM should have answered', () => {
  it.each([
    [200, TUNNEL],
    [302, TUNNEL],
    [403, TUNNEL],
    [503, TUNNEL],
    [200, FORWARD],
    [302, FORWARD],
  ] as const)(
    'names the proxy it came through and nobody as its author: proxy.foreign-page (%d, %j)',
    async (status, road) => {
      expect(await saidToLeg({ status, headers: HTML, body: PAGE }, road)).toMatchObject({
        code: 'proxy.foreign-page',
        details: {
          ...{ hop: 1, host: 'px.corp', port: 3128, target: 'srv1:5985', status, via: '1.1 px.corp' },
          ...{ proxyStatus: 'px; error=denied', text: 'Acceptable use Sign in at the portal.' },
        },
      });
    },
  );

  it('says nothing of proxies where there is none', async () => {
    const page = { status: 200, headers: HTML, body: PAGE };
    expect(await saidToLeg(page, DIRECT)).toMatchObject({ code: 'wsman.not-wsman' });
  });

  it('is no page when it is another thing, or asks who is there', async () => {
    const plain = { status: 503, headers: ['Content-Type: text/plain'], body: 'no' };
    expect(await saidToLeg(plain, TUNNEL)).toMatchObject({ code: 'http.unexpected-status' });
    const asking = { status: 401, headers: ['Content-Type: text/html', 'WWW-Authenticate: Basic'], body: PAGE };
    expect(await saidToLeg(asking, TUNNEL)).not.toMatchObject({ code: 'proxy.foreign-page' });
  });
});

describe('somebody who asks who is there', () => {
  const asking = async (scheme: 'http' | 'https', reply: string): Promise<unknown> => {
    const openRoad: RoadOpener = async (_lane, onHop) => {
      for (const report of [PROXY, SERVER]) onHop(report);
      const { near, far } = streamPair();
      if (scheme === 'http') scriptedPeer(far, [{ request: () => reply }, { end: true }]).catch(() => undefined);
      else await far.write(new TextEncoder().encode(reply));
      return { stream: near, ...TUNNEL };
    };
    const { target } = parseTarget(`${scheme}://srv1`);
    return await identify({ target, openRoad, platform: fixedPlatform() }).catch((error: unknown) => error);
  };

  it('is told of pages in the host’s place too: proxy.foreign-page, proxy.false-tunnel', async () => {
    const page = inHttp('302 Found', ...HTML);
    const details = { host: 'px.corp', port: 3128, status: 302, text: 'Acceptable use Sign in at the portal.' };
    expect(await asking('http', page)).toMatchObject({ code: 'proxy.foreign-page', details });
    expect(await asking('https', page)).toMatchObject({ code: 'proxy.false-tunnel', details });
    expect(await asking('http', '')).toMatchObject({ code: 'http.closed-early', details: { proxy: 'px.corp:3128' } });
  });
});

describe('a connection that is cut on a road with a proxy', () => {
  it('says through which: http.closed-early', async () => {
    expect(await saidToLeg('drop', TUNNEL)).toMatchObject({
      code: 'http.closed-early',
      details: { proxy: 'px.corp:3128' },
    });
    const direct = await saidToLeg('drop', DIRECT);
    expect(direct).toMatchObject({ code: 'http.closed-early' });
    expect(direct).not.toHaveProperty('details.proxy');
  });

  it('says so too of records that are not the host’s: tls.bad-record', async () => {
    const double = new WinRmDouble({ road: TUNNEL });
    const front = tlsFront(reporting(double, TUNNEL), peers.p256);
    double.onRequest = async () => {
      await front.pairs[0]?.far.write(new TextEncoder().encode('<script>x</script>'));
      return undefined;
    };
    expect(await failureOf(sessionOver(front.openRoad, 'https', 'peer'))).toMatchObject({
      code: 'tls.bad-record',
      details: { proxy: 'px.corp:3128' },
    });
  });
});
