import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import type { HopReport, OpenedRoad, RoadOpener } from '../opened-road.ts';
import { fixedPlatform, settled, streamPair } from '../testing/index.ts';
import { tlsFront } from '../testing/tls-front.ts';
import { answer, type DoubleReply, WinRmDouble } from '../testing/winrm-double.ts';
import peers from '../tls/vectors/peers.json' with { type: 'json' };
import { Session, type SessionOptions } from './session.ts';
import { parseTarget } from './target.ts';

const COMMAND = { kind: 'command', command: 'echo hi', codePage: 65001 } as const;
const FORWARD = { hasProxy: true, form: 'absolute' } as const;
const TUNNEL = { hasProxy: true, form: 'origin' } as const;
const PROXY = { hop: 1, party: 'proxy', host: 'px.corp', port: 3128, stage: 'open', ms: 1, address: '' } as const;

type Road = Pick<OpenedRoad, 'hasProxy' | 'form'>;

/** A road that reports its proxy as the relay does. */
function through(double: WinRmDouble, hops: readonly HopReport[] = [PROXY]): RoadOpener {
  return (lane, onHop, signal) => {
    for (const report of hops) onHop(report);
    return double.openRoad(lane, onHop, signal);
  };
}

function sessionOver(
  double: WinRmDouble,
  openRoad: RoadOpener = through(double),
  shell: SessionOptions['shell'] = COMMAND,
  target = 'srv1',
): Session {
  const credential = parseCredential('alice', 'Passw0rd!');
  const place = parseTarget(target).target;
  const platform = fixedPlatform({ nowMs: Date.UTC(2030, 0, 1) }); // within the years of the vectors' certificates
  const trust = { policy: { roots: [], pins: [] }, ask: async () => 'trust-once' as const };
  const policy = place.scheme === 'https' ? 'negotiate-raw' : 'ntlm';
  return new Session({ target: place, policy, credential, openRoad, platform, shell, trust });
}

/** What the session says when the reply to the second operation, a Command, is another one. */
async function toldOf(reply: DoubleReply, road: Road): Promise<unknown> {
  const double = new WinRmDouble({ road });
  double.before = ({ name }) => (name === 'Command' ? reply : undefined);
  const session = sessionOver(double);
  const error = await session.open().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(double.names.filter((name) => name === 'Command')).toHaveLength(1);
  expect(double.connections[0]?.pair.destroyed.near()).not.toBeNull();
  await session.close();
  return error;
}

const SOAP = 'Content-Type: application/soap+xml;charset=UTF-8';
const HTML = 'Content-Type: text/html';
const ENVELOPE = String(answer('uuid:x', '<x/>').body);

describe('a reply without our seal, on a connection that was signed in, behind a proxy', () => {
  const replies: [string, DoubleReply, string, string][] = [
    ['200 with an envelope', { status: 200, headers: [SOAP], body: ENVELOPE }, 'plain', ''],
    ['200 with a page', { status: 200, headers: [HTML], body: '<h1>Hello</h1>' }, 'plain', 'Hello'],
    ['401 with a challenge', { status: 401, headers: ['WWW-Authenticate: Negotiate'] }, 'refused', ''],
    ['401 without one', { status: 401 }, 'refused', ''],
    ['400 with a page', { status: 400, headers: [HTML], body: '<h1>Bad Request</h1>' }, 'unread', 'Bad Request'],
    ['500 and nothing', { status: 500 }, 'unread', ''],
    ['500 with a plain fault', { status: 500, headers: [SOAP], body: ENVELOPE }, 'plain', ''],
    ['403 with a page', { status: 403, headers: [HTML], body: '<p>Blocked</p>' }, 'plain', 'Blocked'],
    ['404', { status: 404, headers: [HTML], body: 'Not here' }, 'plain', 'Not here'],
    ['502 with a page', { status: 502, headers: [HTML], body: '<p>Zero reply</p>' }, 'gateway', 'Zero reply'],
  ];

  it.each(replies)('R10, R23, R24: is proxy.no-affinity in absolute form: %s', async (_, reply, sign, text) => {
    expect(await toldOf({ ...reply, headers: [...(reply.headers ?? []), 'Via: 1.1 squid'] }, FORWARD)).toMatchObject({
      code: 'shell.fate-unknown',
      cause: {
        code: 'proxy.no-affinity',
        details: {
          ...{ hop: 1, host: 'px.corp', port: 3128, via: '1.1 squid', road: 'forward', answered: 1 },
          ...{ status: reply.status, sign, text },
        },
      },
    });
  });

  it.each(replies)('R10, R24: is the same in a tunnel, which a proxy may open: %s', async (_, reply, sign) => {
    expect(await toldOf(reply, TUNNEL)).toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'proxy.no-affinity', details: { road: 'tunnel', via: '', sign } },
    });
  });

  it.each(['Via: 1.1 hidden', 'X-Cache: MISS from hidden', 'Proxy-Status: hidden; error=connection_terminated'])(
    'is the same where nobody knew of a proxy and the reply shows one: %s',
    async (field) => {
      const reply = { status: 401, headers: ['WWW-Authenticate: Negotiate', field] };
      expect(await toldOf(reply, { hasProxy: false, form: 'origin' })).toMatchObject({
        cause: { code: 'proxy.no-affinity', details: { road: 'unseen', hop: 1, sign: 'refused' } },
      });
    },
  );

  it('is about the proxy that asks, when it asks: proxy.auth-required', async () => {
    const reply = { status: 407, headers: ['Proxy-Authenticate: Basic realm="x"'] };
    expect(await toldOf(reply, TUNNEL)).toMatchObject({ cause: { code: 'proxy.auth-required' } });
  });

  it('says nothing of the kind of a first reply that our own sealing may have spoilt', async () => {
    const double = new WinRmDouble({ road: FORWARD });
    double.before = () => ({ status: 500 });
    const session = sessionOver(double);
    await expect(session.open()).rejects.toMatchObject({ code: 'wsman.encryption-required' });
    await session.close();
  });
});

describe('what is not a sign of a moved connection', () => {
  it('is a connection that ends after good answers: any peer may close what it likes', async () => {
    const double = new WinRmDouble({ road: FORWARD });
    double.before = ({ name }) => (name === 'Command' ? 'drop' : undefined);
    const session = sessionOver(double);
    await expect(session.open()).rejects.toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'http.closed-early' },
    });
    await session.close();
  });

  it('R20: is one that ends before the first: that is proxy.drops-connection, with the proxy’s name', async () => {
    const double = new WinRmDouble({ road: FORWARD });
    double.before = ({ name }) => (name === 'Create' ? 'drop' : undefined);
    const session = sessionOver(double);
    await expect(session.open()).rejects.toMatchObject({
      code: 'proxy.drops-connection',
      details: { hop: 1, host: 'px.corp', port: 3128, stage: 'signed-in', why: 'closed' },
    });
    expect(double.connections.map(({ handshakes }) => handshakes)).toEqual([1, 1]);
    await session.close();
  });

  it('R20, R22: is signed in on once more, although the Create had left already', async () => {
    const double = new WinRmDouble({ road: FORWARD });
    let isFirst = true;
    double.before = ({ name }) => {
      const isDropped = name === 'Create' && isFirst;
      isFirst = false;
      return isDropped ? 'drop' : undefined;
    };
    const session = sessionOver(double);
    await session.open();
    expect(double.names.filter((name) => name === 'Create')).toHaveLength(2);
    await session.close();
  });

  it('is the answer to the leg itself: seal.plain-reply', async () => {
    const double = new WinRmDouble({ headers: ['Via: 1.1 front'] });
    double.before = () => ({ status: 200, headers: [SOAP], body: ENVELOPE });
    const session = sessionOver(double);
    await expect(session.open()).rejects.toMatchObject({ code: 'seal.plain-reply' });
    await session.close();
  });
});

describe('inside TLS', () => {
  const SERVER = { password: 'Passw0rd!', takesPlain: true, road: TUNNEL };
  const tellOf = async (double: WinRmDouble) => {
    const openRoad = tlsFront(double.openRoad, peers.p256).openRoad;
    const session = sessionOver(double, openRoad, COMMAND, 'https://peer');
    const error = await session.open().catch((thrown: unknown) => thrown);
    await session.close();
    return error;
  };

  it('a page of the server is the server’s, and no sign; what became of the Command it does not say', async () => {
    const double = new WinRmDouble(SERVER);
    double.before = ({ name }) => (name === 'Command' ? { status: 503, headers: [HTML], body: 'busy' } : undefined);
    expect(await tellOf(double)).toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'http.unexpected-status' },
    });
  });

  it('a 401 is one, and an answer to another request, whose Command may have been carried out', async () => {
    const refusing = new WinRmDouble(SERVER);
    refusing.before = ({ name }) => (name === 'Command' ? { status: 401 } : undefined);
    expect(await tellOf(refusing)).toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'proxy.no-affinity', details: { road: 'tls', sign: 'refused', answered: 1 } },
    });
    expect(refusing.names.filter((name) => name === 'Command')).toHaveLength(1);
    const mixing = new WinRmDouble(SERVER);
    mixing.after = ({ name }) => (name === 'Command' ? answer('uuid:SOMEBODY-ELSE', '<x/>') : undefined);
    expect(await tellOf(mixing)).toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'proxy.no-affinity', details: { road: 'tls', sign: 'request', answered: 1 } },
    });
  });
});

describe('a reply that was meant for somebody else', () => {
  it('R30: is proxy.no-affinity when another key sealed it; nothing of it is believed', async () => {
    const double = new WinRmDouble({ road: FORWARD });
    double.after = ({ name }, reply) => {
      const pair = double.connections[0]?.pair;
      if (name !== 'Command' || pair === undefined) return undefined;
      const write = pair.far.write.bind(pair.far);
      pair.far.write = (bytes) => write(bytes.map((byte, at) => (at === bytes.length - 60 ? byte ^ 1 : byte)));
      return reply;
    };
    const session = sessionOver(double);
    await expect(session.open()).rejects.toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'proxy.no-affinity', details: { sign: 'key' }, cause: { code: 'seal.bad-signature' } },
    });
    await session.close();
  });

  it('R13: is proxy.no-affinity when it relates to another request, and the connection is closed', async () => {
    const double = new WinRmDouble({ road: FORWARD });
    double.after = ({ name }) => (name === 'Command' ? answer('uuid:SOMEBODY-ELSE', '<x/>') : undefined);
    const session = sessionOver(double);
    await expect(session.open()).rejects.toMatchObject({
      code: 'shell.fate-unknown',
      cause: { code: 'proxy.no-affinity', details: { sign: 'request' }, cause: { code: 'wsman.wrong-reply' } },
    });
    expect(double.connections[0]?.pair.destroyed.near()).not.toBeNull();
    await session.close();
  });
});

describe('a Receive that the tripwire stops', () => {
  it('R12, R20, R22: is asked again after one more handshake, never after a third', async () => {
    const double = new WinRmDouble({ road: FORWARD });
    double.before = ({ name }) => (name === 'Receive' ? { status: 401 } : undefined);
    const session = sessionOver(double);
    await session.open();
    const reading = (async () => {
      for await (const _ of session.output);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'proxy.no-affinity',
      details: { sign: 'refused', answered: 0 },
    });
    await settled();
    expect(double.names.filter((name) => name === 'Receive')).toHaveLength(3);
    await session.close();
  });
});

describe('a sign-in behind a proxy that changes the answers', () => {
  const signIn = async (onRequest: WinRmDouble['onRequest'], road: Road = FORWARD) => {
    const double = new WinRmDouble({ road, headers: ['Via: 1.1 squid'] });
    double.onRequest = onRequest;
    const session = sessionOver(double);
    const error = await session.open().catch((thrown: unknown) => thrown);
    await session.close();
    expect(double.operations).toEqual([]);
    return error;
  };

  it.each([1, 2])('is proxy.rewrites-auth when leg %i comes back 401 without any challenge', async (leg) => {
    let seen = 0;
    const details = { host: 'px.corp', status: 401, via: '1.1 squid', offered: 'none', wanted: 'NTLM' };
    expect(await signIn(() => (++seen === leg ? { status: 401 } : undefined))).toMatchObject({
      code: 'proxy.rewrites-auth',
      details,
    });
    seen = 0;
    expect(await signIn(() => (++seen === leg ? { status: 401 } : undefined), TUNNEL)).toMatchObject({
      code: 'proxy.rewrites-auth',
      details,
    });
  });

  it('is proxy.rewrites-auth when only another one of several challenges was kept', async () => {
    const kept = { status: 401, headers: ['WWW-Authenticate: Basic realm="WSMAN"'] };
    expect(await signIn(() => kept)).toMatchObject({ code: 'proxy.rewrites-auth', details: { offered: 'Basic' } });
  });

  it('R8: is proxy.no-affinity when the scheme that was refused at once is on offer all the same', async () => {
    const refusal = { status: 401, headers: ['WWW-Authenticate: NTLM'] };
    expect(await signIn(() => refusal)).toMatchObject({ code: 'proxy.no-affinity', details: { sign: 'legs' } });
  });

  it('R8, R23: is proxy.no-affinity, not a bad password, when a proxy that promises nothing carried the refusal', async () => {
    let seen = 0;
    const refusal = { status: 401, headers: ['WWW-Authenticate: NTLM'] };
    expect(await signIn(() => (++seen === 2 ? refusal : undefined))).toMatchObject({
      code: 'proxy.no-affinity',
      details: { sign: 'legs', road: 'forward', via: '1.1 squid' },
      cause: { code: 'auth.rejected' },
    });
  });
});

describe('a sign-in that a proxy may have split', () => {
  it('R8, R12: is not tried again by a session that looks for its road, on no lane', async () => {
    const double = new WinRmDouble({ road: FORWARD, headers: ['Via: 1.1 px'] });
    const session = sessionOver(double, through(double), { kind: 'interactive', codePage: 65001 });
    await session.open();
    const control = double.connections.find(({ lane }) => lane === 'control');
    await control?.pair.far.end();
    let legs = 0;
    double.onRequest = () => (++legs % 2 === 0 ? { status: 401, headers: ['WWW-Authenticate: NTLM'] } : undefined);
    for (const line of ['one', 'two']) {
      await expect(session.writeText(line)).rejects.toMatchObject({
        code: 'proxy.no-affinity',
        details: { sign: 'legs' },
      });
    }
    expect(legs).toBe(2);
    await session.close();
    expect(legs).toBe(2);
    expect(double.input).toEqual([]);
  });
});

describe('a refusal through a tunnel in the clear', () => {
  const refusal: DoubleReply = { status: 401, headers: ['WWW-Authenticate: NTLM'] };

  it('R8, R23: is no word about a password that was good a moment ago: proxy.no-affinity', async () => {
    const double = new WinRmDouble({ road: TUNNEL });
    let legs = 0;
    double.before = ({ name }) => {
      if (name !== 'Receive') return undefined;
      double.onRequest = () => (++legs === 2 ? refusal : undefined);
      return { status: 401 };
    };
    const session = sessionOver(double);
    await session.open();
    const reading = (async () => {
      for await (const _ of session.output);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'proxy.no-affinity',
      details: { sign: 'legs', road: 'tunnel', host: 'px.corp' },
      cause: { code: 'auth.rejected' },
    });
    await session.close();
  });
});

describe('a proxy that says that the tunnel is open and then speaks itself', () => {
  const PAGE = '<!DOCTYPE html><title>x</title><h1>Please accept our terms</h1>';
  const SERVER = { ...PROXY, hop: 2, party: 'server', host: 'srv1', port: 5985 } as const;

  it.each([[PAGE.slice(0, 20), PAGE.slice(20)], [PAGE]])('is proxy.false-tunnel with its words', async (...pieces) => {
    const double = new WinRmDouble({ road: TUNNEL });
    const opener = through(double, [PROXY, SERVER]);
    const session = sessionOver(double, async (...all) => {
      const road = await opener(...all);
      for (const piece of pieces) await double.connections[0]?.pair.far.write(new TextEncoder().encode(piece));
      return road;
    });
    await expect(session.open()).rejects.toMatchObject({
      code: 'proxy.false-tunnel',
      details: { hop: 1, host: 'px.corp', port: 3128, target: 'srv1:5985', status: 200 },
      cause: { code: 'http.not-http' },
    });
    await session.close();
  });

  it('is proxy.false-tunnel where TLS should begin, with the words of the page', async () => {
    const openRoad: RoadOpener = async (_lane, onHop) => {
      for (const report of [PROXY, { ...SERVER, port: 5986 }]) onHop(report);
      const { near, far } = streamPair();
      await far.write(new TextEncoder().encode(PAGE));
      return { stream: near, ...TUNNEL };
    };
    const session = sessionOver(new WinRmDouble(), openRoad, COMMAND, 'https://srv1');
    await expect(session.open()).rejects.toMatchObject({
      code: 'proxy.false-tunnel',
      details: { host: 'px.corp', target: 'srv1:5986', text: 'Please accept our terms' },
      cause: { code: 'tls.not-tls' },
    });
    await session.close();
  });

  it('is http.not-http when what speaks there is no page', async () => {
    const double = new WinRmDouble({ road: TUNNEL });
    const opener = through(double, [PROXY, SERVER]);
    const session = sessionOver(double, async (...all) => {
      const road = await opener(...all);
      await double.connections[0]?.pair.far.write(new TextEncoder().encode('SSH-2.0-OpenSSH_9.2\r\n'));
      return road;
    });
    await expect(session.open()).rejects.toMatchObject({ code: 'http.not-http' });
    await session.close();
  });
});
