import { API_PATHS, statusSchema } from '@fairlead/contract';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { askRelay, parseStatus, STATUS_PATHS } from './status-api.ts';

const HOP = { kind: 'http-connect', host: '127.0.0.1', port: 3128 };
const DEMO = { target: { host: 'demo', port: 5985 }, route: { name: 'demo', hops: [HOP] }, user: 'demo' };
const PROXY = { host: '127.0.0.1', port: 40_100 };
const ACCOUNT = { user: 'OFFICE\\visitor', password: 'told' };
const ROOM = { room: 'asks', proxy: PROXY, account: ACCOUNT };
const withMaze = (maze: unknown) => ({ ...BASE, demo: { ...DEMO, maze } });
const withRoom = (change: object) => withMaze({ rooms: [{ ...ROOM, ...change }] });
const BASE = { signedIn: true, version: '0.1.0', demo: DEMO, canReach: { targets: ['a:5985'], proxies: [] } };

describe('status-api', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('STATUS_PATHS are the contract’s', () => {
    const { status, signIn, signOut } = API_PATHS;
    expect(STATUS_PATHS).toEqual({ status, signIn, signOut });
  });

  it.each([
    ['a demo', BASE],
    ['a demo over https too', { ...BASE, demo: { ...DEMO, https: { target: { host: 'demo', port: 5986 } } } }],
    ['an https demo without a port', { ...BASE, demo: { ...DEMO, https: { target: { host: 'demo' } } } }],
    ['an https demo without a target', { ...BASE, demo: { ...DEMO, https: {} } }],
    ['no demo', { ...BASE, demo: null }],
    ['more than is known', { ...BASE, later: 1 }],
    ['nobody signed in', { ...BASE, signedIn: false, canReach: { targets: [], proxies: [] } }],
    ['nothing', null],
    ['a text', 'x'],
    ['no version', { ...BASE, version: 1 }],
    ['no lists', { ...BASE, canReach: { targets: [1], proxies: [] } }],
    ['places of PAC files', { ...BASE, canReach: { ...BASE.canReach, scripts: ['wpad.corp:80'] } }],
    ['places that are none', { ...BASE, canReach: { ...BASE.canReach, scripts: [1] } }],
    ['a danger allowed', { ...BASE, canReach: { ...BASE.canReach, httpBehindSignIn: true } }],
    ['a danger that is unclear', { ...BASE, canReach: { ...BASE.canReach, httpBehindSignIn: 1 } }],
    ['no canReach', { ...BASE, canReach: undefined }],
    ['demo missing', { ...BASE, demo: undefined }],
    ['port 0', { ...BASE, demo: { ...DEMO, target: { host: 'a', port: 0 } } }],
    ['half a port', { ...BASE, demo: { ...DEMO, target: { host: 'a', port: 1.5 } } }],
    ['no host', { ...BASE, demo: { ...DEMO, target: { host: '', port: 1 } } }],
    ['no user', { ...BASE, demo: { ...DEMO, user: '' } }],
    ['an unknown hop', { ...BASE, demo: { ...DEMO, route: { name: '', hops: [{ ...HOP, kind: 'socks4' }] } } }],
    ['a SOCKS hop', { ...BASE, demo: { ...DEMO, route: { name: '', hops: [{ ...HOP, kind: 'socks5' }] } } }],
    ['a hop over TLS', { ...BASE, demo: { ...DEMO, route: { name: '', hops: [{ ...HOP, tls: true }] } } }],
    [
      'a hop that is unclear about TLS',
      { ...BASE, demo: { ...DEMO, route: { name: '', hops: [{ ...HOP, tls: 1 }] } } },
    ],
    ['a maze', withMaze({ rooms: [ROOM, { room: 'cuts', proxy: PROXY, idleSeconds: 10 }], stripperPort: 40_101 })],
    ['a maze without rooms', withMaze({ rooms: [] })],
    ['a maze that is none', withMaze(7)],
    ['a maze that says null', withMaze(null)],
    ['a maze of five rooms', withMaze({ rooms: Array(5).fill(ROOM) })],
    ['a maze with a stripper nowhere', withMaze({ rooms: [], stripperPort: 0 })],
    ['a room nobody knows', withRoom({ room: 'sings' })],
    ['a room without a proxy', withRoom({ proxy: undefined })],
    ['a room with half an account', withRoom({ account: { user: 'x' } })],
    ['a room with a long password', withRoom({ account: { ...ACCOUNT, password: 'x'.repeat(257) } })],
    ['a room that waits half a second', withRoom({ idleSeconds: 0.5 })],
    ['a room with more than is known', withRoom({ later: 1 })],
    ['nine hops', { ...BASE, demo: { ...DEMO, route: { name: '', hops: Array(9).fill(HOP) } } }],
  ])('parseStatus judges %s as the contract’s schema does', (_name, value) => {
    const read = statusSchema.safeParse(value);
    expect(parseStatus(value)).toEqual(read.success ? read.data : null);
  });

  it('askRelay gives null for no network and for junk', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new TypeError('failed'))),
    );
    await expect(askRelay('/api/status')).resolves.toBeNull();
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => new Response('<html>')),
    );
    await expect(askRelay('/api/status')).resolves.toBeNull();
  });

  it('askRelay posts JSON to its own origin and follows no redirect', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Response.json({ a: 1 }, { status: 403 })),
    );
    await expect(askRelay('/api/x', { b: 2 })).resolves.toEqual({ ok: false, status: 403, value: { a: 1 } });
    const [, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(init).toMatchObject({ method: 'POST', body: '{"b":2}', credentials: 'same-origin', redirect: 'error' });
  });
});
