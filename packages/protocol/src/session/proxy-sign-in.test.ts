import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { fromBase64, latin1Decode, NO_BYTES, toBase64, utf8Encode } from '../bytes/bytes.ts';
import type { Dialer } from '../bytes/stream.ts';
import { WinRmError } from '../errors.ts';
import type { ProxyChallenge } from '../opened-road.ts';
import type { Hop } from '../road/route.ts';
import { type WalkOptions, walkRoad } from '../road/walk.ts';
import { fixedPlatform, type ScriptStep, scriptedPeer, streamPair } from '../testing/index.ts';
import { proxyChallenge, readAuthenticate } from '../testing/ntlm-acceptor.ts';
import {
  ALL_PROXY_MECHANISMS,
  HIDING_PROXY_MECHANISMS,
  type ProxySignInOptions,
  proxySignIn,
} from './proxy-sign-in.ts';

const HOP: Hop = { kind: 'http-connect', host: 'px.corp', port: 3128 };
const SECOND: Hop = { kind: 'http-connect', host: 'py.corp', port: 8080 };
const SOCKS: Hop = { kind: 'socks5', host: 'px.corp', port: 1080 };
const TUNNEL: ScriptStep = { request: () => 'HTTP/1.1 200 OK\r\n\r\n' };
const account = (name: string, mechanisms = ALL_PROXY_MECHANISMS) => ({
  credential: parseCredential(name, `secret of ${name}`),
  mechanisms,
});

/** A 407 with these offers; a page that must be read before the connection can be used again. */
const asks = (offers: readonly string[], more = ''): ScriptStep => ({
  request: () => {
    const fields = offers.map((offer) => `Proxy-Authenticate: ${offer}\r\n`).join('');
    return `HTTP/1.1 407 Who\r\n${fields}Via: 1.1 px\r\n${more}Content-Length: 17\r\n\r\n<h1>Sign in.</h1>`;
  },
});
const CLOSES = 'Connection: close\r\n';
const NTLM_CHALLENGE = `NTLM ${toBase64(proxyChallenge())}`;

interface Setting extends Partial<ProxySignInOptions> {
  readonly hops?: readonly Hop[];
  readonly walk?: Partial<WalkOptions>;
}

/** Walks over scripted connections, one script for each that is dialled. */
const walk = (scripts: readonly (readonly ScriptStep[])[], setting: Setting = {}) => {
  const pairs = scripts.map(() => streamPair());
  const peers = pairs.map((pair, at) => scriptedPeer(pair.far, scripts[at] ?? []));
  for (const peer of peers) peer.catch(() => undefined);
  const { hops = [HOP], scheme = 'https', credentials = hops.map(() => account('ana')) } = setting;
  const route = { name: 'test', hops };
  let dialCount = 0;
  const dial: Dialer = async () => {
    dialCount += 1;
    const pair = pairs[dialCount - 1];
    if (pair === undefined)
      throw new WinRmError('relay.connection-refused', { hop: 0, host: '', port: 0, cause: 'no' });
    return pair.near;
  };
  const platform = fixedPlatform();
  const road = walkRoad({
    ...{ route, dial, platform, target: { scheme, host: 'win1.corp', port: 5986 }, httpBehindSignIn: 'allow' },
    answerProxy: proxySignIn({ ...setting, route, scheme, credentials, platform })(),
    ...setting.walk,
  });
  road.catch(() => undefined);
  /** The Proxy-Authorization of each request, over all connections. */
  const sent = async () =>
    (await Promise.all(peers)).flatMap(({ requests }) =>
      requests.map((request) => request.headers.get('Proxy-Authorization')),
    );
  return { road, pairs, sent, dials: () => dialCount };
};

describe('proxySignIn over CONNECT', () => {
  it('sends Basic after it was asked, on the same connection', async () => {
    const run = walk([[asks(['Basic realm="x"']), TUNNEL]]);
    await run.road;
    expect(await run.sent()).toEqual([null, `Basic ${toBase64(utf8Encode('ana:secret of ana'))}`]);
    expect(run.dials()).toBe(1);
  });

  it('runs NTLM on one connection, and no key when the proxy grants none', async () => {
    for (const seals of [true, false]) {
      const offer = `NTLM ${toBase64(proxyChallenge(seals))}`;
      const run = walk([[asks(['NTLM', 'Basic realm="x"']), asks([offer]), TUNNEL]], {
        credentials: [account('CORP\\ana')],
      });
      await run.road;
      const [first, second, third] = await run.sent();
      expect([first, second?.slice(0, 14)]).toEqual([null, 'NTLM TlRMTVNTU']);
      const token = fromBase64(third?.slice('NTLM '.length) ?? '') ?? NO_BYTES;
      expect(readAuthenticate(token)).toEqual({ user: 'ana', domain: 'CORP', hasKey: seals });
    }
  });

  it('prefers Negotiate, and goes on to NTLM when the proxy knows only other mechanisms of it', async () => {
    const offers = ['Basic realm="x"', 'NTLM', 'Negotiate'];
    const run = walk([[asks(offers), asks(offers), asks([NTLM_CHALLENGE]), TUNNEL]]);
    await run.road;
    const schemes = (await run.sent()).map((value) => value?.split(' ')[0]);
    expect(schemes).toEqual([undefined, 'Negotiate', 'NTLM', 'NTLM']);
  });

  it('answers a stale nonce of Digest once more and a refusal not: proxy.auth-rejected', async () => {
    const digest = (nonce: string, more = '') => `Digest realm="r", nonce="${nonce}", qop="auth"${more}`;
    const run = walk([[asks([digest('a')]), asks([digest('b', ', stale=true')]), asks([digest('c')])]]);
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.auth-rejected', details: { mechanism: 'Digest' } });
    const sent = await run.sent();
    expect(sent.map((value) => /nonce="(.)"/.exec(value ?? '')?.[1])).toEqual([undefined, 'a', 'b']);
    expect(sent[1]).toMatch(/uri="win1.corp:5986".* nc=00000001/);
  });

  it('calls a nonce stale that is the same again a refusal: proxy.auth-rejected', async () => {
    const offer = 'Digest realm="r", nonce="a", qop="auth", stale=true';
    await expect(walk([[asks([offer]), asks([offer])]]).road).rejects.toMatchObject({ code: 'proxy.auth-rejected' });
  });

  it.each([
    ['Basic', [asks(['Basic realm="x"']), asks(['Basic realm="x"'])], 'request'],
    ['NTLM', [asks(['NTLM']), asks([NTLM_CHALLENGE]), asks(['NTLM'])], 'authenticate'],
    ['NTLM', [asks(['NTLM']), asks([NTLM_CHALLENGE]), asks([NTLM_CHALLENGE])], 'authenticate'],
  ])('says proxy.auth-rejected with the proxy’s words (%s)', async (mechanism, script, stage) => {
    await expect(walk([script]).road).rejects.toMatchObject({
      code: 'proxy.auth-rejected',
      details: { hop: 1, host: 'px.corp', port: 3128, mechanism, stage, status: 407, via: '1.1 px', text: 'Sign in.' },
    });
  });

  it('takes a 401 for a refusal of what was sent, as tinyproxy means it: proxy.auth-rejected', async () => {
    const no: ScriptStep = { request: () => 'HTTP/1.0 401 No\r\nContent-Length: 2\r\n\r\nno' };
    await expect(walk([[asks(['Basic realm="x"'], CLOSES)], [no]]).road).rejects.toMatchObject({
      code: 'proxy.auth-rejected',
      details: { mechanism: 'Basic', status: 401, text: 'no' },
    });
  });

  it('dials again, once, when the proxy closes after asking, for every mechanism', async () => {
    for (const [offer, rest] of [
      ['Basic realm="x"', []],
      ['NTLM', [asks([NTLM_CHALLENGE])]],
    ] as const) {
      const run = walk([[asks([offer], CLOSES)], [...rest, TUNNEL]]);
      await run.road;
      expect(run.dials()).toBe(2);
      expect((await run.sent())[1]).toMatch(/^(?:Basic|NTLM) /);
    }
  });

  it('dials again when the proxy closes without a word about it', async () => {
    const run = walk([[asks(['Basic realm="x"']), { request: () => undefined }, { destroy: true }], [TUNNEL]]);
    await run.road;
    expect(run.dials()).toBe(2);
  });

  it('does not go on with NTLM on another connection: proxy.drops-connection', async () => {
    const run = walk([[asks(['NTLM']), asks([NTLM_CHALLENGE], CLOSES)], [TUNNEL]]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.drops-connection',
      details: { via: '1.1 px', stage: 'CONNECT with NTLM', why: 'asking', status: 407, text: 'Sign in.' },
    });
    expect(run.dials()).toBe(1);
  });

  it.each([
    ['its first', []],
    ['its second', [asks([NTLM_CHALLENGE], 'Proxy-Status: px; error=y\r\n')]],
  ])('keeps what a proxy said before it closed without a word, after %s question', async (_which, further) => {
    const gone: ScriptStep[] = [{ request: () => undefined }, { end: true }];
    const run = walk([[asks(['NTLM'], 'Proxy-Status: px; error=x\r\n'), ...further, ...gone]]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.drops-connection',
      details: {
        ...{ hop: 1, host: 'px.corp', port: 3128, stage: 'CONNECT with NTLM', why: 'asking' },
        ...{
          status: 407,
          via: '1.1 px',
          proxyStatus: `px; error=${further.length === 0 ? 'x' : 'y'}`,
          text: 'Sign in.',
        },
      },
    });
    expect(run.dials()).toBe(1);
  });

  it('says what is wrong with a Digest that nobody here can answer: proxy.auth-unsupported', async () => {
    const offeredOf = async (params: string) =>
      await walk([[asks([`Digest realm="x", nonce="n", ${params}`])]]).road.catch(({ details }) => details.offered);
    expect(await offeredOf('algorithm=SHA-512-256, qop="auth"')).toBe('Digest (algorithm SHA-512-256)');
    expect(await offeredOf('qop="auth-int"')).toBe('Digest (qop auth-int)');
    expect(await offeredOf('algorithm="\u001b[31m"')).toBe('Digest (algorithm ??31m)');
  });

  it('does not dial a third time: proxy.drops-connection', async () => {
    const stale = (nonce: string) => asks([`Digest realm="r", nonce="${nonce}", qop="auth", stale=true`], CLOSES);
    const run = walk([[stale('a')], [stale('b')], [TUNNEL]]);
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.drops-connection' });
    expect(run.dials()).toBe(2);
  });

  it('asks no answerer for more than ten answers, whoever wrote it: proxy.auth-loops', async () => {
    const steps = Array.from({ length: 20 }, () => asks(['Digest realm="r", nonce="n"']));
    const run = walk([steps], { walk: { answerProxy: () => 'Digest x="y"' } });
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.auth-loops', details: { legCount: 10 } });
  });

  it('signs in to a proxy twice on one road, not three times, whoever asks it to begin anew: relay.lost', () => {
    const route = { name: 'test', hops: [HOP] };
    const answer = proxySignIn({ route, scheme: 'https', credentials: [account('ana')], platform: fixedPlatform() })();
    const begins: ProxyChallenge = {
      ...{ hop: 1, host: HOP.host, port: HOP.port, kind: 'http', target: 'win1.corp:5986', leg: 0, status: 407 },
      ...{ offered: ['Basic realm="x"'], via: '', proxyStatus: '', text: '' },
    };
    const signal = new AbortController().signal;
    expect([answer(begins, signal), answer(begins, signal)]).toEqual(Array(2).fill(expect.stringMatching(/^Basic /)));
    expect(() => answer(begins, signal)).toThrow(expect.objectContaining({ code: 'relay.lost' }));
  });

  it('R15: stops a proxy that never has enough: proxy.auth-loops', async () => {
    const steps = Array.from({ length: 3 }, (_, at) =>
      asks([`Digest realm="r", nonce="${at}", stale=true, qop="auth"`]),
    );
    const run = walk([steps]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.auth-loops',
      details: { mechanism: 'Digest', legCount: 2, text: 'Sign in.' },
    });
    expect((await run.sent()).filter((value) => value !== null)).toHaveLength(2); // each shows the password
  });

  it.each([
    [['Kerberos', 'Bearer realm="x"'], ALL_PROXY_MECHANISMS],
    [['Basic realm="x"'], HIDING_PROXY_MECHANISMS],
    [[], ALL_PROXY_MECHANISMS],
  ])('says proxy.auth-unsupported when only %j is offered', async (offers, mechanisms) => {
    const run = walk([[asks(offers)]], { credentials: [account('ana', mechanisms)] });
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.auth-unsupported', details: { text: 'Sign in.' } });
    expect(await run.sent()).toEqual([null]);
  });

  it('says proxy.auth-required where this hop has no credential, and spends no other hop’s on it', async () => {
    const run = walk([[TUNNEL, asks(['Basic realm="x"'])]], {
      hops: [HOP, SECOND],
      credentials: [account('ana'), null],
    });
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.auth-required', details: { hop: 2, host: 'py.corp' } });
    expect(await run.sent()).toEqual([null, null]);
  });

  it('gives each proxy of a chain its own credential and walks the whole chain again when the second closes: R6, R9', async () => {
    const first = [asks(['Basic realm="x"']), TUNNEL];
    const run = walk(
      [
        [...first, asks(['Basic realm="y"'], CLOSES)],
        [...first, TUNNEL],
      ],
      {
        hops: [HOP, SECOND],
        credentials: [account('ana'), account('bob')],
      },
    );
    await run.road;
    const names = (await run.sent()).map(
      (value) => latin1Decode(fromBase64(value?.slice(6) ?? '') ?? NO_BYTES).split(':')[0],
    );
    expect(names).toEqual(['', 'ana', '', '', 'ana', 'bob']);
  });

  it('writes no Proxy-Authorization into the tunnel', async () => {
    const run = walk([[asks(['Basic realm="x"']), TUNNEL]]);
    const { stream } = await run.road;
    await stream.write(utf8Encode('POST /wsman HTTP/1.1\r\n\r\n'));
    await run.sent();
    const wire = latin1Decode(run.pairs[0]?.written.near() ?? NO_BYTES);
    const inTunnel = wire.slice(wire.lastIndexOf('CONNECT ')).split('\r\n\r\n').slice(1).join('');
    expect(inTunnel).toBe('POST /wsman HTTP/1.1');
    expect(wire.match(/Proxy-Authorization/g)).toHaveLength(1);
  });
});

describe('the seed’s rule R5', () => {
  it('gives no credential for an http target: proxy.needs-https', async () => {
    const run = walk([[asks(['NTLM', 'Basic realm="x"'])]], { scheme: 'http' });
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.needs-https',
      details: { hop: 1, host: 'px.corp', offered: 'NTLM, Basic', refusedBy: 'here' },
    });
    expect(await run.sent()).toEqual([null]);
  });

  it('is also the walk’s own: proxy.needs-https before anybody is asked', async () => {
    const asked: ProxyChallenge[] = [];
    const answerProxy = (challenge: ProxyChallenge) => {
      asked.push(challenge);
      return 'Basic eDp5';
    };
    const run = walk([[asks(['Basic realm="x"'])]], {
      scheme: 'http',
      walk: { answerProxy, httpBehindSignIn: 'refuse' },
    });
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.needs-https', details: { refusedBy: 'relay' } });
    expect(asked).toEqual([]);
  });

  it('yields to a danger that was chosen', async () => {
    const run = walk([[asks(['Basic realm="x"']), TUNNEL]], {
      ...{ scheme: 'http', dangerHttpBehindAuthenticatedProxy: true },
    });
    expect((await run.road).form).toBe('origin');
  });
});

describe('proxySignIn against a relay that lies', () => {
  const challenge: ProxyChallenge = {
    ...{ hop: 1, host: 'px.corp', port: 3128, kind: 'http', target: 'win1.corp:5986', leg: 0, status: 407 },
    ...{ offered: ['Basic realm="x"'], via: '', proxyStatus: '', text: '' },
  };
  it.each([{ hop: 2 }, { host: 'evil.example' }, { port: 1 }, { kind: 'socks5' as const }])(
    'answers about no other proxy than the road’s: relay.lost (%j)',
    (change) => {
      const route = { name: '', hops: [HOP] };
      const options = {
        route,
        scheme: 'https',
        credentials: [account('ana'), account('ana')],
        platform: fixedPlatform(),
      } as const;
      const answer = proxySignIn(options)();
      const signal = new AbortController().signal;
      expect(() => answer({ ...challenge, ...change }, signal)).toThrow(
        expect.objectContaining({ code: 'relay.lost' }),
      );
    },
  );

  it('refuses a name with a colon, which Basic would cut there', () => {
    const route = { name: '', hops: [HOP] };
    const answer = proxySignIn({ route, scheme: 'https', credentials: [account('a:b')], platform: fixedPlatform() })();
    expect(() => answer(challenge, new AbortController().signal)).toThrow(
      expect.objectContaining({ code: 'misuse.bad-argument' }),
    );
  });
});

describe('SOCKS 5', () => {
  const OK = '\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34';
  const NAME = '\x05\x01\x00\x03\x09win1.corp\x17\x62';
  const socks = (script: readonly ScriptStep[], setting: Setting = {}) => walk([script], { hops: [SOCKS], ...setting });

  it('leaves the name to the proxy and keeps the bytes that come with its reply', async () => {
    const script: ScriptStep[] = [
      { expect: '\x05\x02\x00\x02' },
      { send: '\x05\x00' },
      { expect: NAME },
      { send: `${OK}first` },
    ];
    const { stream, form, hasProxy } = await socks(script).road;
    expect([form, hasProxy, latin1Decode((await stream.read()) ?? NO_BYTES)]).toEqual(['origin', true, 'first']);
  });

  it('gives name and password when that is chosen, and reads replies of every address type, byte by byte', async () => {
    const bound = ['\x01\x01\x02\x03\x04\x00\x00', `\x04${'\x01'.repeat(16)}\x00\x00`, '\x03\x03abc\x00\x00'];
    for (const address of bound) {
      const script: ScriptStep[] = [
        ...[{ expect: '\x05\x02\x00\x02' }, { send: '\x05\x02' }, { expect: '\x01\x03ana\x0dsecret of ana' }],
        ...[{ send: '\x01\x00' }, { expect: NAME }, ...Array.from(`\x05\x00\x00${address}`, (send) => ({ send }))],
      ];
      expect((await socks(script).road).hasProxy).toBe(true);
    }
  });

  it.each([
    ['10.1.2.3', '\x01\x0a\x01\x02\x03'],
    ['::1', `\x04${'\x00'.repeat(15)}\x01`],
    ['fd00::1:2', `\x04\xfd${'\x00'.repeat(11)}\x00\x01\x00\x02`],
    ['1:2:3:4:5:6:7:8', '\x04\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00\x06\x00\x07\x00\x08'],
    ['::ffff:1.2.3.4', `\x04${'\x00'.repeat(10)}\xff\xff\x01\x02\x03\x04`],
  ])('writes the address %s as one', async (host, bytes) => {
    const target = { scheme: 'https', host, port: 5986 } as const;
    const script = [{ send: '\x05\x00' }, { expect: `\x05\x02\x00\x02\x05\x01\x00${bytes}\x17\x62` }, { send: OK }];
    await socks(script, { walk: { target } }).road;
  });

  it.each([
    [
      '\x05\x00',
      '\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00',
      { code: 'proxy.socks-refused', details: { reply: 2, problem: 'not allowed by its rules' } },
    ],
    [
      '\x05\x00',
      '\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00',
      { code: 'proxy.socks-refused', details: { problem: 'reply 99' } },
    ],
    ['\x05\xff', '', { code: 'proxy.auth-unsupported', details: { offered: 'no method of ours' } }],
    ['\x05\x01', '', { code: 'proxy.auth-unsupported', details: { offered: 'method 1' } }],
    ['\x05\x02', '\x01\x01', { code: 'proxy.auth-rejected', details: { mechanism: 'SOCKS 5 password' } }],
    [
      'HTTP/1.1 400 Bad Request\r\n',
      '',
      { code: 'proxy.not-a-proxy', details: { startsWith: 'HTTP/1.1 400 Bad Request..', kind: 'socks5' } },
    ],
    ['\x05\x00', '\x04\x00\x00\x01', { code: 'proxy.not-a-proxy' }],
    ['\x05\x00', '\x05\x00\x00\x09', { code: 'proxy.not-a-proxy' }],
  ])('names what a proxy that answers %j, %j means', async (greeting, reply, error) => {
    const run = socks([{ send: greeting }, { expect: '\x05\x02\x00\x02' }, { send: reply }, { end: true }]);
    await expect(run.road).rejects.toMatchObject(error);
    expect(run.pairs[0]?.destroyed.near()).not.toBeNull();
  });

  it('is proxy.drops-connection when it ends in between, and proxy.auth-required without a credential', async () => {
    const ends: [string, string, string][] = [
      ['\x05', 'SOCKS greeting', 'unanswered'],
      ['\x05\x02', 'SOCKS password', 'asking'],
      ['\x05\x00', 'SOCKS connect', 'unsaid'],
    ];
    for (const [said, stage, why] of ends) {
      await expect(socks([{ send: said }, { end: true }]).road).rejects.toMatchObject({
        code: 'proxy.drops-connection',
        details: { host: 'px.corp', stage, why },
      });
    }
    await expect(socks([{ send: '\x05\x02' }], { credentials: [null] }).road).rejects.toMatchObject({
      code: 'proxy.auth-required',
    });
    const alone = socks([{ expect: '\x05\x01\x00' }, { send: '\x05\xff' }], { walk: { answerProxy: undefined } });
    await expect(alone.road).rejects.toMatchObject({ code: 'proxy.auth-required' });
  });

  it('knows a proxy of another kind by its first byte, and by ten seconds of silence', async () => {
    const pair = streamPair();
    const platform = fixedPlatform();
    const begun = (dial: Dialer) => walk([], { hops: [SOCKS], walk: { dial, platform } }).road;
    const foreign = begun(async () => {
      await pair.far.write(utf8Encode('H'));
      return pair.near;
    });
    await expect(foreign).rejects.toMatchObject({ code: 'proxy.not-a-proxy', details: { startsWith: 'H' } });
    const silent = expect(begun(async () => streamPair().near)).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { at: 'SOCKS greeting', seconds: 10, proxy: 'px.corp:1080' },
    });
    await platform.advance(0);
    await platform.advance(10_000);
    await silent;
  });

  it('offers no password for an http target: proxy.needs-https (R5)', async () => {
    const run = socks([{ expect: '\x05\x01\x00' }, { send: '\x05\xff' }], {
      ...{ scheme: 'http', walk: { httpBehindSignIn: 'refuse' } },
    });
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.needs-https', details: { refusedBy: 'relay' } });
  });
});

describe('a proxy over TLS', () => {
  const tls: Hop = { ...HOP, tls: true };

  it('is spoken to over what secureHop makes of the stream', async () => {
    const inner = streamPair();
    const peer = scriptedPeer(inner.far, [TUNNEL]);
    const names: string[] = [];
    const run = walk([[]], {
      hops: [tls],
      walk: {
        secureHop: async (_stream, { host }) => {
          names.push(host);
          return inner.near;
        },
      },
    });
    await run.road;
    expect([(await peer).requests.length, names]).toEqual([1, ['px.corp']]);
    expect(run.pairs[0]?.written.near()).toHaveLength(0);
  });

  it('is named when it says nothing, and nobody else is', async () => {
    const platform = fixedPlatform();
    const walking = { platform, secureHop: () => new Promise<never>(() => undefined) };
    const silent = expect(walk([[]], { hops: [tls], walk: walking }).road).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { proxy: 'px.corp:3128' },
    });
    await platform.advance(0);
    await platform.advance(30_000);
    await silent;
    const slow = new WinRmError('session.timed-out', { at: 'proxy sign-in', seconds: 60 });
    const answerProxy = (): never => {
      throw slow;
    };
    await expect(walk([[asks(['NTLM'])]], { walk: { answerProxy } }).road).rejects.toBe(slow);
  });

  it.each([undefined, () => Promise.reject(new Error('self-signed certificate'))])(
    'that cannot be made is an error that destroys the stream: proxy.tls-failed',
    async (secureHop) => {
      const run = walk([[]], { hops: [tls], walk: { secureHop } });
      const code = secureHop === undefined ? 'misuse.wrong-state' : 'proxy.tls-failed';
      await expect(run.road).rejects.toMatchObject({ code });
      expect(run.pairs[0]?.destroyed.near()).not.toBeNull();
    },
  );
});

describe('a proxy that says anything at all', () => {
  const replies = fc.array(
    fc.oneof(fc.constantFrom('\x05\x00', '\x05\x02', '\x01\x00', '\x05\x00\x00\x01'), fc.string()),
    {
      maxLength: 6,
    },
  );

  it('gives a tunnel or a WinRmError over SOCKS', async () => {
    await fc.assert(
      fc.asyncProperty(replies, async (texts) => {
        const script = texts.map((text) => ({ send: text.replace(/[^\0-\xff]/g, '?') }));
        const run = walk([[...script, { end: true }]], { hops: [SOCKS] });
        await run.road.then(undefined, (error: unknown) => expect(error).toBeInstanceOf(WinRmError));
      }),
    );
  });

  it('gives a WinRmError over CONNECT, whatever it offers', async () => {
    const scheme = fc.constantFrom('Negotiate', 'NTLM', 'Digest', 'Basic', 'x');
    const value = fc.constantFrom(
      '',
      ' TlRMTVNTUAAC',
      ' AAAA',
      ' realm="a", nonce="b", qop="auth"',
      ' realm=a',
      ' =',
      ' "',
    );
    const offers = fc.array(
      fc.tuple(scheme, value).map((parts) => parts.join('')),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(offers, { minLength: 1, maxLength: 4 }), async (legs) => {
        const run = walk([[...legs.map((leg) => asks(leg)), { end: true }]]);
        await run.road.then(
          () => expect.unreachable('nothing was granted'),
          (error: unknown) => expect(error).toBeInstanceOf(WinRmError),
        );
      }),
    );
  });
});
