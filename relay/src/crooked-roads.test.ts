import {
  type Hop,
  parseCertificate,
  parseCredential,
  parseTarget,
  pinOf,
  proxySignIn,
  Session,
} from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Crookedness } from '../../packages/testbed/src/crooked/crooked-proxy.ts';
import {
  HOST_PASSWORD,
  PROXY_PASSWORD,
  type Rehearsal,
  rehearse,
  type Transport,
} from '../../packages/testbed/src/crooked/rehearsal.ts';
import { startTestRelay, type TestRelay } from './test-kit.ts';

// A tab, a relay, a proxy that misbehaves, a host: what the tab learns is what it would learn without a relay between.

let relay: TestRelay;
let cookie = '';
beforeAll(async () => {
  relay = await startTestRelay({ FAIRLEAD_TARGETS: '127.0.0.1:*', FAIRLEAD_PROXIES: '127.0.0.1:*' });
  cookie = await relay.signIn();
});
afterAll(() => relay.close());

/** A session of a tab; its certificate was seen and pinned before. */
async function sessionOver(r: Rehearsal, transport: Transport, command: string): Promise<Session> {
  const isSecure = transport === 'https, tunnel';
  const port = isSecure ? (r.host.https?.port ?? 0) : r.host.port;
  const { target } = parseTarget(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`);
  const kind = transport === 'http, absolute form' ? 'http-forward' : 'http-connect';
  const hops = [{ kind, host: '127.0.0.1', port: r.proxy.port }] as const satisfies readonly Hop[];
  const headers: object = { headers: { Origin: relay.base, Cookie: cookie } };
  class PageSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, headers as string[]);
    }
  }
  const answerProxy = proxySignIn({
    ...{ route: { name: '', hops }, scheme: target.scheme, platform: defaultPlatform },
    credentials: [{ credential: parseCredential('OFFICE\\pia', PROXY_PASSWORD), mechanisms: ['Digest'] }],
  });
  const openRoad = relayRoad({
    ...{ origin: relay.base, answerProxy, WebSocket: PageSocket as typeof WebSocket },
    ticket: () => relay.ticket(cookie, { host: target.host, port }, hops, target.scheme),
  });
  const der = Buffer.from((r.host.https?.certificate ?? '').replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const pins = [pinOf(parseCertificate(new Uint8Array(der)), 0)];
  return new Session({
    ...{ target, openRoad, policy: 'negotiate', seal: 'auto', platform: defaultPlatform },
    credential: parseCredential('CORP\\ana', HOST_PASSWORD),
    ...(isSecure && { trust: { policy: { roots: [], pins }, ask: () => Promise.resolve('refuse') } }),
    shell: { kind: 'command', command, codePage: 65001 },
  });
}

const rehearsalOf = (crookedness: Crookedness, idleMs?: number): Promise<Rehearsal> =>
  rehearse({ run: () => Promise.resolve(0), proxy: { crookedness, ...(idleMs !== undefined && { idleMs }) } });

/** What a session over that road ends with. */
async function failureOf(
  crookedness: Crookedness,
  transport: Transport,
): Promise<{ error: unknown; r: Rehearsal; port: number }> {
  const r = await rehearsalOf(crookedness);
  const { port } = r.proxy;
  const session = await sessionOver(r, transport, 'echo never seen');
  try {
    const error: unknown = await session.open().then(
      () => 'it opened',
      (reason: unknown) => reason,
    );
    expect(session.state).toMatchObject({ at: 'closed' });
    return { error, r, port };
  } finally {
    await session.close();
    await r.close();
  }
}

describe('through the relay, a proxy that', () => {
  test.each(['http, tunnel', 'http, absolute form'] as const)(
    're-pairs (%s) is named, and nobody’s password is doubted: proxy.no-affinity (R8, R20, R23)',
    async (transport) => {
      const { error, r, port } = await failureOf('re-pairs', transport);
      expect(error).toMatchObject({ code: 'proxy.no-affinity', details: { hop: 1, host: '127.0.0.1', port } });
      expect(r.signInCount()).toBeLessThanOrEqual(2);
      expect(r.seen()).not.toContain('Envelope');
    },
  );

  test('splices TLS is noticed at once: tls.bad-record', async () => {
    const { error, r } = await failureOf('re-pairs', 'https, tunnel');
    expect(error).toMatchObject({ code: 'tls.bad-record' });
    expect(r.signInCount()).toBe(0);
  });

  test('asks for ever is given up after two answers, and learns no password: proxy.auth-loops (R22)', async () => {
    const { error, r, port } = await failureOf('loops-407', 'https, tunnel');
    expect(error).toMatchObject({
      code: 'proxy.auth-loops',
      details: { hop: 1, port, mechanism: 'Digest', legCount: 2 },
    });
    expect(r.seen()).not.toContain(PROXY_PASSWORD);
    expect(r.proxy.journal.answers()).toHaveLength(3);
    expect(relay.log.join('\n')).not.toMatch(/Digest (?:username|realm)/);
  });

  test('opens TLS is told from a host with a new certificate, and nothing is sent to it: tls.intercepted (R29)', async () => {
    const { error, r } = await failureOf('inspects-tls', 'https, tunnel');
    expect(error).toMatchObject({
      code: 'tls.intercepted',
      details: { host: '127.0.0.1', issuer: 'CN=Inspecting Proxy CA', pinnedIssuer: 'CN=FAIRLEAD' },
    });
    expect(r.seen()).not.toMatch(/POST|Authorization|NTLMSSP/);
    expect(r.signInCount()).toBe(0);
  });

  test.concurrent.each(['http, tunnel', 'https, tunnel'] as const)(
    'cuts what is silent (%s) does not end a command that is silent for longer (R20, R22)',
    async (transport) => {
      const r = await rehearsalOf('cuts-idle', 2500);
      const session = await sessionOver(r, transport, 'sleep 9; printf done; exit 4');
      try {
        await session.open();
        const seen: string[] = [];
        for await (const { stream, bytes } of session.output) {
          seen.push(stream === 'gap' ? '<gap>' : Buffer.from(bytes).toString());
        }
        expect((await session.exit).unsigned).toBe(4);
        expect(seen).toEqual(['<gap>', 'done']);
        expect(r.signInCount()).toBeLessThanOrEqual(1 + r.proxy.journal.bentCount);
      } finally {
        await session.close();
        await r.close();
      }
    },
  );
});
