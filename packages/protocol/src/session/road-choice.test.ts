import { describe, expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { latin1Decode } from '../bytes/bytes.ts';
import { WinRmError } from '../errors.ts';
import type { OpenedRoad } from '../opened-road.ts';
import type { Hop, ProxyRoute } from '../road/route.ts';
import { fixedPlatform, streamPair } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { connectFirst, type RoadChoiceOptions } from './road-choice.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

const LAST: Hop = { kind: 'http-connect', host: 'px.corp', port: 3128 };
const ROUTE: ProxyRoute = { name: 'r', hops: [LAST] };
const WORDS = { via: '', proxyStatus: '', text: 'no tunnels here' };
const refusal = (status: number, hop = 1) =>
  new WinRmError('proxy.connect-denied', { hop, host: 'px.corp', port: 3128, target: 'srv1:5985', status, ...WORDS });

/** Opens tunnels by failing with an error, and forwarding roads by a function. */
function choice(error: unknown, more: Partial<RoadChoiceOptions> & { forward?: () => OpenedRoad } = {}) {
  const tried: string[] = [];
  const { forward = () => ({ stream: streamPair().near, form: 'absolute', hasProxy: true }), ...rest } = more;
  const open = connectFirst({
    ...{ route: ROUTE, scheme: 'http', hasProxyCredential: false },
    openFor: (route) => async () => {
      const kinds = route.hops.map(({ kind }) => kind).join(' ');
      tried.push(kinds);
      if (kinds.endsWith('http-forward')) return forward();
      if (error !== null) throw error;
      return { stream: streamPair().near, form: 'origin', hasProxy: true };
    },
    ...rest,
  });
  return { open: () => open('control', () => {}, new AbortController().signal), tried };
}

describe('the choice between a tunnel and absolute form', () => {
  it('R4: is a tunnel wherever the proxy opens one', async () => {
    const { open, tried } = choice(null);
    expect(await open()).toMatchObject({ form: 'origin' });
    expect((await open()).refusedTunnel).toBeUndefined();
    expect(tried).toEqual(['http-connect', 'http-connect']);
  });

  it.each([400, 403, 405, 501])('R4: is absolute form after a refusal by %i, and stays so', async (status) => {
    const { open, tried } = choice(refusal(status));
    const refusedTunnel = { host: 'px.corp', port: 3128, status, text: 'no tunnels here' };
    expect(await open()).toMatchObject({ form: 'absolute', refusedTunnel });
    expect(await open()).toMatchObject({ form: 'absolute', refusedTunnel });
    expect(tried).toEqual(['http-connect', 'http-forward', 'http-forward']);
  });

  it('counts what proxies were answered on roads of either form', () => {
    const openFor = ({ hops }: ProxyRoute) =>
      Object.assign(() => expect.fail('not asked for'), {
        answered: () => (hops[0]?.kind === 'http-forward' ? 30 : 4),
      });
    const setting = { route: ROUTE, scheme: 'http', hasProxyCredential: false, openFor } as const;
    expect(connectFirst(setting).answered?.()).toBe(34);
    expect(connectFirst({ ...setting, hasProxyCredential: true }).answered?.()).toBe(4);
  });

  const place = { hop: 1, host: 'px.corp', port: 3128 };
  it.each<[string, unknown, Partial<RoadChoiceOptions>]>([
    ['to an https target', refusal(403), { scheme: 'https' }],
    ['with a credential for the proxy (R5)', refusal(403), { hasProxyCredential: true }],
    ['when the proxy asks for one (R5)', new WinRmError('proxy.auth-required', { ...place, offered: 'NTLM' }), {}],
    [
      'when it must not have one (R5)',
      new WinRmError('proxy.needs-https', { ...place, offered: 'NTLM', refusedBy: 'relay' }),
      {},
    ],
    ['when policy says no', new WinRmError('relay.policy-denied', { host: 'px', port: 1, rule: 'proxy' }), {}],
    [
      'when the target cannot be reached',
      new WinRmError('proxy.target-unreachable', { ...place, target: 'srv1:5985', status: 503, ...WORDS }),
      {},
    ],
    ...[401, 404, 410, 429, 500, 502, 503, 504].map((status): [string, unknown, Partial<RoadChoiceOptions>] => [
      `when the status is ${status}`,
      refusal(status),
      {},
    ]),
    ['when an earlier proxy refused', refusal(403, 1), { route: { name: '', hops: [LAST, LAST] } }],
    ['when the last proxy speaks SOCKS', refusal(403), { route: { name: '', hops: [{ ...LAST, kind: 'socks5' }] } }],
  ])('R4: is never absolute form %s', async (_, error, more) => {
    const { open, tried } = choice(error, more);
    await expect(open()).rejects.toBe(error);
    expect(tried).toHaveLength(1);
  });

  it('changes the last proxy of several, and tells the refusal when policy allows the tunnel only', async () => {
    const route: ProxyRoute = { name: '', hops: [{ ...LAST, host: 'first' }, LAST] };
    const chained = choice(refusal(405, 2), { route });
    expect(await chained.open()).toMatchObject({ form: 'absolute' });
    expect(chained.tried).toEqual(['http-connect http-connect', 'http-connect http-forward']);
    const denied = new WinRmError('relay.policy-denied', { host: 'px', port: 1, rule: 'road' });
    const { open } = choice(refusal(405), {
      forward: () => {
        throw denied;
      },
    });
    await expect(open()).rejects.toMatchObject({
      code: 'proxy.connect-denied',
      details: { status: 405 },
      cause: denied,
    });
  });

  it('R4, R28: advises once in a session, and hands the proxy sealed or empty bodies only', async () => {
    const double = new WinRmDouble({ road: { hasProxy: true, form: 'absolute' } });
    const session = new Session({
      target: parseTarget('srv1').target,
      policy: 'ntlm',
      credential: parseCredential('alice', 'Passw0rd!'),
      platform: fixedPlatform(),
      shell: { kind: 'interactive', codePage: 65001 },
      openRoad: connectFirst({
        ...{ route: ROUTE, scheme: 'http', hasProxyCredential: false },
        openFor: (route) => async (lane, onHop, signal) => {
          onHop({ hop: 1, party: 'proxy', host: 'px.corp', port: 3128, stage: 'open', ms: 1, address: '' });
          if (route.hops[0]?.kind === 'http-connect') throw refusal(405);
          return double.openRoad(lane, onHop, signal);
        },
      }),
    });
    await session.open();
    await session.writeText('whoami\r\n');
    const advice = session.advice.filter(({ code }) => code === 'tunnel-refused');
    expect(advice).toEqual([{ code: 'tunnel-refused', proxy: 'px.corp:3128', status: 405, text: 'no tunnels here' }]);
    expect(
      session.journal.entries.filter(({ what }) => what.event === 'advice' && what.advice === advice[0]),
    ).toHaveLength(1);
    for (const { requests } of double.connections) {
      for (const { target, headers, body } of requests) {
        expect(target).toBe('http://srv1:5985/wsman');
        if (body.length > 0) expect(headers.get('Content-Type')).toContain('multipart/encrypted');
        expect(latin1Decode(body)).not.toMatch(/whoami|Envelope/);
      }
    }
    await session.close();
  });
});
