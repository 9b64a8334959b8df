import { describe, expect, it } from 'vitest';
import { latin1Decode, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import type { Address, Dialer } from '../bytes/stream.ts';
import { fail, WinRmError } from '../errors.ts';
import type { HopReport } from '../opened-road.ts';
import { fixedPlatform, type ScriptStep, scriptedPeer, streamPair } from '../testing/index.ts';
import type { Hop } from './route.ts';
import { type WalkOptions, walkRoad } from './walk.ts';

const target: Address = { host: 'win1.corp', port: 5985 };
const proxyA: Hop = { kind: 'http-connect', host: 'a.corp', port: 3128 };
const proxyB: Hop = { kind: 'http-connect', host: 'b.corp', port: 8080 };
const forwardB: Hop = { kind: 'http-forward', host: 'b.corp', port: 8080 };

/** Walks against one scripted proxy, which sees everything. */
const walk = (hops: Hop[], script: ScriptStep[] = [], more: Partial<WalkOptions> & { splitBytes?: number } = {}) => {
  const pair = streamPair(more.splitBytes === undefined ? {} : { splitBytes: more.splitBytes });
  const dialled: Address[] = [];
  const reports: HopReport[] = [];
  const platform = fixedPlatform();
  const dial: Dialer = async (address) => {
    dialled.push(address);
    return pair.near;
  };
  const road = walkRoad({
    route: { name: 'test', hops },
    target,
    dial,
    platform,
    onHop: (report) => reports.push(report),
    ...more,
  });
  const peer = scriptedPeer(pair.far, script);
  const stages = (): string[] =>
    reports.map((report) => `${report.hop} ${report.party} ${report.host} ${report.stage}`);
  return { pair, platform, dialled, reports, stages, road, peer };
};

const refusal = (status: string, fields = '', body = ''): ScriptStep => ({
  request: () => `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`,
});

describe('walkRoad', () => {
  it('R1: dials the target itself when there is no proxy', async () => {
    const run = walk([]);
    expect(await run.road).toMatchObject({ form: 'origin', hasProxy: false, stream: run.pair.near });
    expect(run.dialled).toEqual([target]);
    expect(run.stages()).toEqual(['1 server win1.corp connecting', '1 server win1.corp open']);
  });

  it.each([undefined, 1])(
    'opens a tunnel and keeps the bytes that came with the reply (split at %j)',
    async (splitBytes) => {
      const run = walk(
        [proxyA],
        [{ request: () => 'HTTP/1.1 200 Connection established\r\nVia: 1.1 a\r\n\r\nfirst' }],
        splitBytes === undefined ? {} : { splitBytes },
      );
      const { stream, form, hasProxy } = await run.road;
      const { requests } = await run.peer;
      expect([form, hasProxy]).toEqual(['origin', true]);
      expect(requests.map((request) => [request.method, request.target, request.headers.get('Host')])).toEqual([
        ['CONNECT', 'win1.corp:5985', 'win1.corp:5985'],
      ]);
      let text = '';
      while (text.length < 5) text += latin1Decode((await stream.read()) ?? NO_BYTES);
      expect(text).toBe('first');
      await stream.write(latin1Encode('up'));
      expect(latin1Decode(run.pair.written.near()).endsWith('\r\n\r\nup')).toBe(true);
      expect(run.dialled).toEqual([{ host: 'a.corp', port: 3128 }]);
      expect(run.stages()).toEqual([
        '1 proxy a.corp connecting',
        '1 proxy a.corp open',
        '2 server win1.corp asking',
        '2 server win1.corp open',
      ]);
    },
  );

  it.each(['HTTP/1.0 200 OK\r\n\r\n', 'HTTP/1.1 200\r\n\r\n', 'HTTP/1.1 299 Odd\r\nContent-Length: 9\r\n\r\n'])(
    'R13: takes %j for a tunnel',
    async (reply) => {
      const run = walk([proxyA], [{ request: () => reply }]);
      expect((await run.road).form).toBe('origin');
    },
  );

  it('is proxy.false-tunnel when a page of the proxy comes with the 200, its words kept', async () => {
    const head = 'HTTP/1.1 200 OK\r\nVia: 1.1 portal\r\nProxy-Status: portal\r\nContent-Length: 40\r\n\r\n';
    const run = walk([proxyA], [{ request: () => `${head}<html><p>Please sign in first.</p></html>` }]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.false-tunnel',
      details: {
        ...{ hop: 1, host: 'a.corp', port: 3128, target: 'win1.corp:5985', status: 200 },
        ...{ via: '1.1 portal', proxyStatus: 'portal', text: 'Please sign in first.' },
      },
    });
    expect(run.pair.destroyed.near()).not.toBeNull();
  });

  it('writes an IPv6 target in brackets', async () => {
    const run = walk([proxyA], [{ request: () => 'HTTP/1.1 200 OK\r\n\r\n' }], { target: { host: '::1', port: 5985 } });
    await run.road;
    expect((await run.peer).requests[0]?.target).toBe('[::1]:5985');
  });

  it('goes through a chain, each tunnel inside the one before', async () => {
    const script: ScriptStep[] = [
      { request: () => 'HTTP/1.1 200 OK\r\n\r\n' },
      { request: () => 'HTTP/1.1 200 OK\r\n\r\n' },
    ];
    const run = walk([proxyA, proxyB], script, { firstHop: 5 });
    await run.road;
    expect((await run.peer).requests.map((request) => request.target)).toEqual(['b.corp:8080', 'win1.corp:5985']);
    expect(run.stages()).toEqual([
      '5 proxy a.corp connecting',
      '5 proxy a.corp open',
      '6 proxy b.corp asking',
      '6 proxy b.corp open',
      '7 server win1.corp asking',
      '7 server win1.corp open',
    ]);
  });

  it('leaves absolute form to the caller and says nothing to the forwarding proxy', async () => {
    const run = walk([forwardB]);
    expect(await run.road).toMatchObject({ form: 'absolute', hasProxy: true });
    expect(run.pair.written.near()).toHaveLength(0);
    expect(run.stages()).toEqual(['1 proxy b.corp connecting', '1 proxy b.corp open', '2 server win1.corp asking']);
  });

  it('tunnels to a forwarding proxy behind another', async () => {
    const run = walk([proxyA, forwardB], [{ request: () => 'HTTP/1.1 200 OK\r\n\r\n' }]);
    expect((await run.road).form).toBe('absolute');
    expect((await run.peer).requests.map((request) => request.target)).toEqual(['b.corp:8080']);
  });

  it('reports the address where the dialler tells it', async () => {
    const { near } = streamPair();
    const dial: Dialer = async () => ({
      label: near.label,
      address: '10.1.2.3',
      read: (signal) => near.read(signal),
      write: (bytes, signal) => near.write(bytes, signal),
      end: () => near.end(),
      destroy: (reason) => near.destroy(reason),
    });
    const run = walk([], [], { dial });
    await run.road;
    expect(run.reports.map((report) => report.address)).toEqual(['', '10.1.2.3']);
  });

  it('reports 407 as proxy.auth-required with the hop and the schemes it offers', async () => {
    const fields = 'Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm="x", NTLM\r\n';
    const run = walk([proxyA], [refusal('407 Proxy Authentication Required', fields)]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.auth-required',
      details: { hop: 1, host: 'a.corp', port: 3128, offered: 'Negotiate, Basic, NTLM' },
    });
    expect(run.pair.destroyed.near()).not.toBeNull();
  });

  it('keeps the schemes of a 407 short enough to be reported: proxy.auth-required', async () => {
    const fields = Array.from({ length: 30 }, (_, i) => `Proxy-Authenticate: S${i}${'x'.repeat(200)} realm="a"\r\n`);
    const run = walk([proxyA], [refusal('407 P', `${fields.join('')}Proxy-Authenticate: NTLM\r\n`)]);
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.auth-required', details: { offered: 'NTLM' } });
  });

  it.each(['403 Forbidden', '405 Method Not Allowed', '400 Bad Request', '302 Found', '500 Error', '501 No'])(
    'reports %s as proxy.connect-denied with its evidence',
    async (status) => {
      const fields = 'Via: 1.1 px (squid/6)\r\nProxy-Status: px; error=http_request_denied\r\n';
      const run = walk([proxyA], [refusal(status, fields, '<html><h1>Access</h1> denied\u0007</html>')]);
      await expect(run.road).rejects.toMatchObject({
        code: 'proxy.connect-denied',
        details: {
          ...{ hop: 1, host: 'a.corp', port: 3128, target: 'win1.corp:5985', status: Number(status.slice(0, 3)) },
          ...{ via: '1.1 px (squid/6)', proxyStatus: 'px; error=http_request_denied', text: 'Access denied' },
        },
      });
    },
  );

  it.each([502, 503, 504])('reports %i as proxy.target-unreachable', async (status) => {
    const run = walk([proxyA], [refusal(`${status} Sorry`)]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.target-unreachable',
      details: { hop: 1, status, text: 'Sorry' },
    });
  });

  it('reports a name that Squid cannot resolve as proxy.target-unreachable', async () => {
    const run = walk([proxyA], [refusal('500 Internal Server Error', 'X-Squid-Error: ERR_CANNOT_FORWARD 0\r\n')]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.target-unreachable',
      details: { status: 500, proxyStatus: 'ERR_CANNOT_FORWARD 0' },
    });
  });

  it('names the second proxy when that one refuses', async () => {
    const run = walk([proxyA, proxyB], [{ request: () => 'HTTP/1.1 200 OK\r\n\r\n' }, refusal('403 No')]);
    await expect(run.road).rejects.toMatchObject({ code: 'proxy.connect-denied', details: { hop: 2, host: 'b.corp' } });
  });

  it('keeps the explanation of a page that is longer than we read, or breaks off', async () => {
    const long = walk([proxyA], [refusal('403 No', '', `because ${'x'.repeat(100_000)}`)]);
    await expect(long.road).rejects.toMatchObject({
      code: 'proxy.connect-denied',
      details: { text: expect.stringMatching(/^because x{2040}$/) },
    });
    const short = walk(
      [proxyA],
      [{ request: () => 'HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\nbecause' }, { end: true }],
    );
    await expect(short.road).rejects.toMatchObject({ code: 'proxy.connect-denied', details: { text: 'because' } });
  });

  it.each([
    ['SSH-2.0-OpenSSH_9.6\r\n', 'SSH-2.0-OpenSSH_9.6..'],
    ['\x15\x03\x01\x00\x02\x02\x28', '......('],
    ['HTTP/1.1 nonsense\r\n\r\n', 'HTTP, but: HTTP/1.1 nonsense'],
    [`HTTP/1.1 200 ${'x'.repeat(70_000)}`, 'HTTP, but too long'],
  ])('reports junk as proxy.not-a-proxy', async (reply, startsWith) => {
    const run = walk([proxyA], [{ request: () => reply }]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.not-a-proxy',
      details: { hop: 1, host: 'a.corp', port: 3128, startsWith },
    });
    expect(run.pair.destroyed.near()).not.toBeNull();
  });

  it('reports a banner that comes before anything is asked as proxy.not-a-proxy', async () => {
    const pair = streamPair();
    await pair.far.write(latin1Encode('220 mail.corp ESMTP\r\n'));
    const run = walk([proxyA], [], { dial: async () => pair.near });
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.not-a-proxy',
      details: { startsWith: '220 mail.corp ESMTP..' },
    });
  });

  it('says that the last proxy could forward only where it could: proxy.connect-denied', async () => {
    const formOf = async (hops: readonly Hop[], scheme: 'http' | 'https') => {
      const denied = { request: () => 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n' };
      const run = walk([...hops], [denied], { target: { ...target, scheme } });
      return await run.road.then(
        () => 'a road',
        (error: WinRmError<'proxy.connect-denied'>) => error.details.form ?? error.code,
      );
    };
    expect(await formOf([proxyA], 'http')).toBe('may-forward');
    expect(await formOf([proxyA], 'https')).toBe('proxy.connect-denied');
    expect(await formOf([proxyA, proxyB], 'http')).toBe('proxy.connect-denied');
  });

  it('reports a proxy that leaves without a word as proxy.drops-connection', async () => {
    const run = walk([proxyA], [{ request: () => undefined }, { end: true }]);
    await expect(run.road).rejects.toMatchObject({
      code: 'proxy.drops-connection',
      details: { host: 'a.corp', stage: 'CONNECT', why: 'unanswered' },
    });
  });

  it('fills in the hop of what a dialler reports', async () => {
    const failures: [WinRmError, string][] = [
      [new WinRmError('relay.name-not-found', { hop: 0, host: 'a' }), 'relay.name-not-found'],
      [
        new WinRmError('relay.connection-refused', { hop: 0, host: 'a', port: 1, cause: 'E' }),
        'relay.connection-refused',
      ],
      [new WinRmError('relay.connect-timeout', { hop: 0, host: 'a', port: 1, seconds: 3 }), 'relay.connect-timeout'],
    ];
    for (const [failure, code] of failures) {
      const run = walk([proxyA], [], { dial: () => Promise.reject(failure), firstHop: 3 });
      await expect(run.road).rejects.toMatchObject({ code, details: { hop: 3 } });
    }
  });

  it('leaves other errors of a dialler alone and gives those that are none of ours a name', async () => {
    const denied = new WinRmError('relay.policy-denied', { host: 'a', port: 1, rule: 'target' });
    await expect(walk([], [], { dial: () => Promise.reject(denied) }).road).rejects.toBe(denied);
    const odd = walk([], [], {
      dial: () => {
        throw new TypeError('odd');
      },
    });
    await expect(odd.road).rejects.toMatchObject({ code: 'relay.connection-refused', details: { cause: 'unknown' } });
  });

  it('gives up a dial that takes too long with relay.connect-timeout, and lets go of a stream that comes later', async () => {
    const pair = streamPair();
    let arrive = (): void => undefined;
    const dial: Dialer = () =>
      new Promise((resolve) => {
        arrive = () => resolve(pair.near);
      });
    const run = walk([proxyA], [], { dial, hopTimeoutMs: 4000 });
    const outcome = expect(run.road).rejects.toMatchObject({
      code: 'relay.connect-timeout',
      details: { hop: 1, host: 'a.corp', port: 3128, seconds: 4 },
    });
    await run.platform.advance(4000);
    await outcome;
    arrive();
    await run.platform.advance(0);
    expect(pair.destroyed.near()).not.toBeNull();
  });

  it('gives up a silent proxy with session.timed-out', async () => {
    const run = walk([proxyA], [{ request: () => undefined }], { hopTimeoutMs: 4000 });
    const outcome = expect(run.road).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { at: 'CONNECT', proxy: 'a.corp:3128' },
    });
    await run.peer;
    await run.platform.advance(4000);
    await outcome;
    expect(run.pair.destroyed.near()).not.toBeNull();
  });

  it('stops at once with session.cancelled while dialling and while asking', async () => {
    const stop = new AbortController();
    const dialling = walk([proxyA], [], { dial: () => new Promise(() => undefined), signal: stop.signal });
    const asking = walk([proxyA], [{ request: () => undefined }], { signal: stop.signal });
    await asking.peer;
    stop.abort();
    await expect(dialling.road).rejects.toMatchObject({ code: 'session.cancelled', details: { at: 'connect' } });
    await expect(asking.road).rejects.toMatchObject({ code: 'session.cancelled', details: { at: 'CONNECT' } });
    expect(asking.pair.destroyed.near()).toMatchObject({ code: 'session.cancelled' });
  });

  it('dials nothing on a road that may not be walked', async () => {
    const run = walk([forwardB, proxyA]);
    await expect(run.road).rejects.toMatchObject({ code: 'misuse.bad-argument' });
    const https = walk([forwardB], [], { target: { ...target, scheme: 'https' } });
    await expect(https.road).rejects.toMatchObject({ details: { reason: 'forward-needs-http' } });
    expect([run.dialled, https.dialled]).toEqual([[], []]);
  });

  it('lets no answer of a proxy become anything but a road or one of our errors', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const bytes = Uint8Array.from({ length: seed % 40 }, (_, i) => (seed * 131 + i * i * 17) & 255);
      const reply = seed % 2 === 0 ? bytes : Uint8Array.from([...latin1Encode('HTTP/1.1 2'), ...bytes]);
      const run = walk([proxyA], [{ request: () => reply }, { end: true }]);
      await run.road.then(
        () => fail('misuse.wrong-state', { action: 'connect', state: 'junk' }),
        (error) => expect(error).toBeInstanceOf(WinRmError),
      );
    }
  });
});
