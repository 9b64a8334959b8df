import { describe, expect, it } from 'vitest';
import { fromBase64, latin1Decode, latin1Encode, NO_BYTES, toBase64 } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';
import type { AuthMechanism, AuthReply, AuthStep, Challenge, SecurityContext } from '../security.ts';
import { fixedPlatform, type ScriptStep, scriptedPeer, streamPair } from '../testing/index.ts';
import { HttpConnection } from './connection.ts';
import { type ConverseOptions, converse, type SealedBody } from './converse.ts';
import { Headers } from './headers.ts';
import type { DecodedRequest } from './request-decoder.ts';

class TestContext implements SecurityContext {
  readonly sealProtocol = 'SPNEGO';
  readonly maxSealBytes = Infinity;
  isDestroyed = false;
  wrap(plain: Uint8Array) {
    return { header: NO_BYTES, body: plain, paddingBytes: 0 };
  }
  unwrap(_header: Uint8Array, body: Uint8Array): Uint8Array {
    return body;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
}

/** A mechanism of two legs: "one" is challenged with "two", "three" is keyed and must be accepted with "four" or nothing. */
class TestMechanism implements AuthMechanism {
  readonly scheme: 'NTLM' | 'Negotiate';
  stage = 'begin';
  readonly context = new TestContext();
  readonly replies: (AuthReply | null)[] = [];
  readonly #legCount: number;

  constructor(scheme: 'NTLM' | 'Negotiate' = 'Negotiate', legCount = 2) {
    this.scheme = scheme;
    this.#legCount = legCount;
  }

  step(reply: AuthReply | null): AuthStep {
    this.replies.push(reply);
    const turn = this.replies.length;
    if (reply?.verdict === 'rejected') fail('auth.rejected', { mechanism: 'test', stage: this.stage, user: 'u' });
    if (turn > this.#legCount) return { to: 'nobody', context: this.context };
    this.stage = turn < this.#legCount ? `leg ${turn}` : 'authenticate';
    const keyed = turn === this.#legCount ? this.context : null;
    return { to: 'peer', stage: this.stage, token: latin1Encode(`token ${turn}`), keyed };
  }
}

const challenge = (fields: string, status = '401 No'): string =>
  `HTTP/1.1 ${status}\r\n${fields}Content-Length: 0\r\n\r\n`;
const tokenField = (token: string, scheme = 'Negotiate'): string =>
  `WWW-Authenticate: ${scheme} ${toBase64(latin1Encode(token))}\r\n`;

const set = (
  script: ScriptStep[],
  more: Partial<ConverseOptions> & { mechanism?: TestMechanism; waits?: boolean; fallback?: TestMechanism } = {},
) => {
  const pair = streamPair({ splitBytes: 11 });
  const connection = new HttpConnection(pair.near);
  const mechanism = more.mechanism ?? new TestMechanism();
  const offers: (readonly Challenge[])[] = [];
  const legs: string[] = [];
  const result = converse({
    connection,
    authenticator: {
      party: 'server',
      beginOptimistic: () => (more.waits ? null : mechanism),
      begin(offered) {
        offers.push(offered);
        if (more.fallback === undefined && !more.waits) {
          fail('auth.no-common-mechanism', { offered: offered.map((one) => one.scheme).join(), wanted: 'Negotiate' });
        }
        return more.fallback ?? mechanism;
      },
    },
    request: (authorization, sealed) => {
      const headers = new Headers([['Host', 'win1:5985']]);
      if (authorization !== null) headers.append('Authorization', authorization);
      if (sealed !== null) headers.append('Content-Type', sealed.contentType);
      return { method: 'POST', target: '/wsman', headers, body: sealed?.body ?? NO_BYTES };
    },
    lastBody: null,
    platform: fixedPlatform(),
    legTimeoutMs: 1000,
    onLeg: (leg) => legs.push(`${leg.mechanism} ${leg.stage} ${leg.status}`),
    ...more,
  });
  const peer = scriptedPeer(pair.far, script);
  return { pair, connection, mechanism, offers, legs, result, peer };
};

const authorizationOf = (request: DecodedRequest): string => {
  const [scheme, token] = (request.headers.get('Authorization') ?? '').split(' ');
  return token === undefined ? '' : `${scheme}: ${latin1Decode(fromBase64(token) ?? NO_BYTES)}`;
};
const sealedBody: SealedBody = { contentType: 'multipart/encrypted', body: latin1Encode('sealed') };

describe('converse', () => {
  it('puts the first token on the first request and the body on the keyed leg', async () => {
    const run = set(
      [
        { request: () => challenge(tokenField('two')) },
        { request: () => `HTTP/1.1 200 OK\r\n${tokenField('four')}Content-Length: 5\r\n\r\nreply` },
      ],
      { lastBody: () => sealedBody },
    );
    const { context, reply, legCount } = await run.result;
    const { requests } = await run.peer;
    expect(requests.map(authorizationOf)).toEqual(['Negotiate: token 1', 'Negotiate: token 2']);
    expect(requests.map((request) => latin1Decode(request.body))).toEqual(['', 'sealed']);
    expect(context).toBe(run.mechanism.context);
    expect(latin1Decode(reply?.body ?? NO_BYTES)).toBe('reply');
    expect(legCount).toBe(2);
    expect(run.mechanism.replies).toEqual([
      null,
      { from: 'peer', verdict: 'challenged', token: latin1Encode('two') },
      { from: 'peer', verdict: 'accepted', token: latin1Encode('four') },
    ]);
    expect(run.legs).toEqual(['Negotiate leg 1 401', 'Negotiate authenticate 200']);
    expect(run.connection.isUsable).toBe(true);
  });

  it('leaves the last leg empty when there is no body and hands over no reply', async () => {
    const run = set([{ request: () => challenge(tokenField('two')) }, { request: () => challenge('', '200 OK') }]);
    expect(await run.result).toMatchObject({ reply: null, legCount: 2 });
    expect((await run.peer).requests.map((request) => request.headers.get('Content-Length'))).toEqual(['0', '0']);
  });

  it('takes a sealed fault for an acceptance', async () => {
    const run = set([{ request: () => challenge(tokenField('two')) }, { request: () => challenge('', '500 Fault') }], {
      lastBody: () => sealedBody,
    });
    expect((await run.result).reply?.status).toBe(500);
  });

  it('asks for offers first when the authenticator wants them', async () => {
    const run = set(
      [
        { request: () => challenge('WWW-Authenticate: NTLM\r\nWWW-Authenticate: Negotiate, Basic realm="x"\r\n') },
        { request: () => challenge(tokenField('two')) },
        { request: () => challenge('', '200 OK') },
      ],
      { waits: true },
    );
    expect((await run.result).legCount).toBe(3);
    expect(run.offers[0]?.map((offer) => offer.scheme)).toEqual(['NTLM', 'Negotiate', 'Basic']);
    expect((await run.peer).requests.map(authorizationOf)).toEqual(['', 'Negotiate: token 1', 'Negotiate: token 2']);
  });

  it('begins once more with what is offered when its own scheme is not', async () => {
    const fallback = new TestMechanism('NTLM');
    const run = set(
      [
        { request: () => challenge('WWW-Authenticate: NTLM\r\n') },
        { request: () => challenge(tokenField('two', 'ntlm')) },
        { request: () => challenge('', '200 OK') },
      ],
      { fallback },
    );
    expect(await run.result).toMatchObject({ context: fallback.context, legCount: 3 });
    expect((await run.peer).requests.map(authorizationOf)).toEqual([
      'Negotiate: token 1',
      'NTLM: token 1',
      'NTLM: token 2',
    ]);
  });

  it('fails with auth.no-common-mechanism when nothing offered will do, and closes the connection', async () => {
    const run = set([{ request: () => challenge('WWW-Authenticate: Basic realm="x"\r\n') }]);
    await expect(run.result).rejects.toMatchObject({ code: 'auth.no-common-mechanism', details: { offered: 'Basic' } });
    expect(run.connection.isUsable).toBe(false);
  });

  it('never begins a third time', async () => {
    const run = set(
      [
        { request: () => challenge('WWW-Authenticate: NTLM\r\n') },
        { request: () => challenge('WWW-Authenticate: Negotiate\r\n') },
      ],
      { fallback: new TestMechanism('NTLM') },
    );
    await expect(run.result).rejects.toMatchObject({ code: 'auth.rejected' });
    expect(run.offers).toHaveLength(1);
  });

  it('takes a 401 without a token for a rejection, closes the connection and destroys the keys', async () => {
    const run = set(
      [
        { request: () => challenge(tokenField('two')) },
        { request: () => challenge('WWW-Authenticate: Negotiate\r\n') },
      ],
      { lastBody: () => sealedBody },
    );
    await expect(run.result).rejects.toMatchObject({ code: 'auth.rejected' });
    expect(run.connection.state).toBe('closed');
    expect(run.mechanism.context.isDestroyed).toBe(true);
    expect(run.pair.destroyed.near()).not.toBeNull();
  });

  it('reports a token that is not base64 as auth.malformed-token', async () => {
    const run = set([{ request: () => challenge('WWW-Authenticate: Negotiate abc\r\n') }]);
    await expect(run.result).rejects.toMatchObject({ code: 'auth.malformed-token' });
  });

  it('reports a 407 as proxy.auth-required with the schemes', async () => {
    const reply = challenge('Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm="p"\r\n', '407 Proxy');
    const run = set([{ request: () => reply }]);
    await expect(run.result).rejects.toMatchObject({
      code: 'proxy.auth-required',
      details: { offered: 'NTLM, Basic' },
    });
    expect(run.connection.isUsable).toBe(false);
  });

  it('R13, R16: reports Connection: close between legs behind a proxy as proxy.drops-connection', async () => {
    const reply = challenge(`Via: 1.1 px (squid)\r\nConnection: close\r\n${tokenField('two')}`);
    const run = set([{ request: () => reply }]);
    await expect(run.result).rejects.toMatchObject({
      code: 'proxy.drops-connection',
      details: { via: '1.1 px (squid)', stage: 'authenticate' },
    });
  });

  it.each([
    ['announced', 'HTTP/1.1', 'Connection: close\r\n'],
    ['outdated', 'HTTP/1.0', ''],
    ['outdated', 'HTTP/1.0', 'Connection: keep-alive\r\n'],
  ])(
    'R13: stops before the second leg where a forwarding proxy %s (%s, %j): proxy.drops-connection',
    async (...row) => {
      const [why, version, fields] = row;
      const reply = challenge(`${fields}${tokenField('two')}`).replace('HTTP/1.1', version);
      const run = set([{ request: () => reply }], { isForwarded: true });
      await expect(run.result).rejects.toMatchObject({
        code: 'proxy.drops-connection',
        details: { via: '', stage: 'authenticate', why },
      });
      expect(run.pair.written.near().length).toBeGreaterThan(0);
      expect(latin1Decode(run.pair.written.near()).match(/POST /g)).toHaveLength(1);
      expect(run.connection.isUsable).toBe(false);
    },
  );

  it('goes on over HTTP/1.0 that keeps the connection, where no proxy reads the requests', async () => {
    const old = (text: string) => text.replace('HTTP/1.1', 'HTTP/1.0');
    const run = set([
      { request: () => old(challenge(`Connection: keep-alive\r\n${tokenField('two')}`)) },
      { request: () => old(challenge('Connection: keep-alive\r\n', '200 OK')) },
    ]);
    expect((await run.result).legCount).toBe(2);
  });

  it('does not blame the host alone for it where a proxy is on the road: proxy.drops-connection', async () => {
    const reply = challenge(`Connection: close\r\n${tokenField('two')}`);
    const run = set([{ request: () => reply }], { hasProxy: true });
    await expect(run.result).rejects.toMatchObject({
      code: 'proxy.drops-connection',
      details: { via: '', stage: 'authenticate', why: 'announced' },
    });
  });

  it('reports Connection: close between legs without a proxy as auth.incomplete', async () => {
    const run = set([{ request: () => challenge(`Connection: close\r\n${tokenField('two')}`) }]);
    await expect(run.result).rejects.toMatchObject({ code: 'auth.incomplete', details: { stage: 'authenticate' } });
  });

  it.each([
    ['proxy.drops-connection', 'Via: 1.0 old\r\n'],
    ['auth.incomplete', ''],
  ])('reports an end instead of the second reply as %s', async (code, via) => {
    const run = set([
      { request: () => challenge(`${via}${tokenField('two')}`) },
      { request: () => undefined },
      { end: true },
    ]);
    await expect(run.result).rejects.toMatchObject({ code });
  });

  it('lets an end before the first reply be what it is: http.closed-early', async () => {
    const run = set([{ request: () => undefined }, { end: true }]);
    await expect(run.result).rejects.toMatchObject({ code: 'http.closed-early' });
  });

  it('R16, R20: notes a connection that the peer closes with its acceptance', async () => {
    const run = set([
      { request: () => challenge(tokenField('two')) },
      { request: () => challenge('Connection: close\r\n', '200 OK') },
    ]);
    expect((await run.result).context).toBe(run.mechanism.context);
    expect(run.connection.isUsable).toBe(false);
  });

  it.each([
    ['404 Not Found', 404],
    ['503 Unavailable', 503],
    ['500 Error', 500],
  ])('reports %s to a leg without keys as http.unexpected-status with its words', async (status, number) => {
    const reply = `HTTP/1.1 ${status}\r\nContent-Length: 17\r\n\r\n<p>not today</p>\n`;
    const run = set([{ request: () => reply }]);
    await expect(run.result).rejects.toMatchObject({
      code: 'http.unexpected-status',
      details: { status: number, text: 'not today' },
    });
  });

  it.each([300, 302, 307, 308, 400, 403, 404, 500, 502, 503])(
    'R19: takes only a 2xx for the acceptance of an empty last leg: %i is http.unexpected-status',
    async (status) => {
      const run = set([
        { request: () => challenge(tokenField('two')) },
        { request: () => challenge('', `${status} Else`) },
      ]);
      await expect(run.result).rejects.toMatchObject({ code: 'http.unexpected-status', details: { status } });
      expect(run.mechanism.context.isDestroyed).toBe(true);
      expect(run.connection.isUsable).toBe(false);
    },
  );

  it.each([200, 202, 204, 299])('R19: takes %i for that acceptance', async (status) => {
    const run = set([
      { request: () => challenge(tokenField('two')) },
      { request: () => challenge('', `${status} Fine`) },
    ]);
    expect(await run.result).toMatchObject({ context: run.mechanism.context, reply: null });
  });

  it('does not believe a 200 to a request without a credential: auth.incomplete', async () => {
    const run = set([{ request: () => challenge('', '200 OK') }], { waits: true });
    await expect(run.result).rejects.toMatchObject({ code: 'auth.incomplete', details: { stage: 'offer' } });
  });

  it('does not send another leg after a 200', async () => {
    const run = set([{ request: () => challenge(tokenField('two'), '200 OK') }]);
    await expect(run.result).rejects.toMatchObject({ code: 'auth.incomplete' });
  });

  it('does not end with a 401 even when the mechanism is content', async () => {
    const run = set([
      { request: () => challenge(tokenField('two')) },
      { request: () => challenge(tokenField('four')) },
    ]);
    await expect(run.result).rejects.toMatchObject({ code: 'auth.incomplete' });
    expect(run.mechanism.context.isDestroyed).toBe(true);
  });

  it('R15: stops after 10 legs with auth.incomplete', async () => {
    const script = Array.from({ length: 10 }, () => ({ request: () => challenge(tokenField('go on')) }));
    const run = set(script, { mechanism: new TestMechanism('Negotiate', 50) });
    await expect(run.result).rejects.toMatchObject({
      code: 'auth.incomplete',
      details: { stage: 'leg 11' },
    });
    expect((await run.peer).requests).toHaveLength(10);
  });

  it('stops at once with session.cancelled in the middle of a leg', async () => {
    const stop = new AbortController();
    const run = set([{ request: () => undefined }], { signal: stop.signal });
    await run.peer;
    stop.abort();
    await expect(run.result).rejects.toMatchObject({ code: 'session.cancelled', details: { at: 'leg 1' } });
    expect(run.connection.state).toBe('closed');
  });

  it('gives up a leg that takes too long with session.timed-out', async () => {
    const platform = fixedPlatform();
    const run = set([{ request: () => undefined }], { platform });
    const outcome = expect(run.result).rejects.toMatchObject({ code: 'session.timed-out', details: { seconds: 1 } });
    await run.peer;
    await platform.advance(1000);
    await outcome;
  });
});
