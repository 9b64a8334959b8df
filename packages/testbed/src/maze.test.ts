import { afterEach, expect, test } from 'vitest';
import { defaultPlatform } from '../../protocol/src/adapters/default-platform.ts';
import { nodeDialer } from '../../protocol/src/adapters/node-socket.ts';
import { parseCredential } from '../../protocol/src/auth/credential.ts';
import { utf8Decode } from '../../protocol/src/bytes/bytes.ts';
import { walkRoad } from '../../protocol/src/road/walk.ts';
import type { TrustOptions } from '../../protocol/src/session/first-contact.ts';
import { HIDING_PROXY_MECHANISMS, proxySignIn } from '../../protocol/src/session/proxy-sign-in.ts';
import { Session } from '../../protocol/src/session/session.ts';
import { type Demo, startDemo } from './demo.ts';
import type { MazeRoom } from './maze.ts';

let demo: Demo | null = null;

afterEach(() => demo?.close());

const hex = (thumbprint: string): string => thumbprint.replace(/[^0-9A-Fa-f]/g, '').toUpperCase();

async function startWithMaze(): Promise<Demo> {
  demo = await startDemo({ maze: { hasStripper: true } });
  demo.admit('a password');
  return demo;
}

/** A session through a room, with the account that the room tells everybody. */
function through(running: Demo, room: MazeRoom, scheme: 'http' | 'https', ask?: TrustOptions['ask']): Session {
  const { place } = running;
  const built = place.maze?.rooms.find((each) => each.room === room);
  if (built === undefined) throw new Error(`no room ${room}`);
  const target = { scheme, path: '/wsman', ...(scheme === 'https' ? place.https.target : place.target) };
  const route = { name: '', hops: [{ kind: 'http-connect' as const, ...built.proxy }] };
  const { account } = built;
  const credential = account && parseCredential(account.user, account.password);
  const credentials = [credential ? { credential, mechanisms: HIDING_PROXY_MECHANISMS } : null];
  const answerer = proxySignIn({ route, credentials, scheme, platform: defaultPlatform });
  return new Session({
    target,
    policy: 'negotiate',
    credential: parseCredential(place.user, 'a password'),
    openRoad: (_lane, onHop, signal) =>
      walkRoad({
        ...{ route, target, dial: nodeDialer, onHop, signal, platform: defaultPlatform },
        answerProxy: answerer(),
      }),
    platform: defaultPlatform,
    shell: { kind: 'command', command: 'echo through', codePage: 65001 },
    ...(ask === undefined ? {} : { trust: { policy: { pins: [], roots: [] }, ask } }),
  });
}

test('the maze is on loopback, each room at a port of its own', async () => {
  const { place } = await startWithMaze();
  const rooms = place.maze?.rooms ?? [];
  expect(rooms.map(({ room }) => room)).toEqual(['asks', 'moves', 'cuts', 'inspects']);
  expect(rooms.every(({ proxy }) => proxy.host === '127.0.0.1')).toBe(true);
  const ports = [...rooms.map(({ proxy }) => proxy.port), place.maze?.stripperPort, place.target.port];
  expect(new Set(ports).size).toBe(6);
});

test('the demo starts without a maze unless told to', async () => {
  demo = await startDemo();
  expect(demo.maze).toBeNull();
  expect(demo.place).not.toHaveProperty('maze');
});

test('the asking room refuses an http target before any proxy password leaves: proxy.needs-https', async () => {
  const running = await startWithMaze();
  await expect(through(running, 'asks', 'http').open()).rejects.toMatchObject({ code: 'proxy.needs-https' });
});

test('over https the asking room lets in with the account it tells, and the shell answers', async () => {
  const running = await startWithMaze();
  const session = through(running, 'asks', 'https', async () => 'trust-once');
  await session.open();
  let text = '';
  for await (const { bytes } of session.output) text += utf8Decode(bytes);
  await session.close();
  expect(text).toBe('through\n');
  expect(running.maze?.proxies.asks.journal.answers()).toContain(407);
});

test('the inspecting room shows a certificate of its own, and gets nothing from who refuses: tls.untrusted', async () => {
  const running = await startWithMaze();
  const shown: string[] = [];
  const session = through(running, 'inspects', 'https', async ({ evidence }) => {
    shown.push(hex(evidence.sha256));
    return 'refuse';
  });
  await expect(session.open()).rejects.toMatchObject({ code: 'tls.untrusted' });
  expect(shown).toHaveLength(1);
  expect(shown[0]).toMatch(/^[0-9A-F]{64}$/);
  expect(shown[0]).not.toBe(hex(running.host.https?.thumbprints.sha256 ?? ''));
  expect(running.host.journal.connections().every(({ requestCount }) => requestCount === 0)).toBe(true);
});

test('the cutting room closes what is silent for ten seconds', async () => {
  const running = await startWithMaze();
  expect(running.place.maze?.rooms.find(({ room }) => room === 'cuts')).toMatchObject({ idleSeconds: 10 });
});

test('the moving room is named as what it is: proxy.no-affinity', async () => {
  const running = await startWithMaze();
  await expect(through(running, 'moves', 'http').open()).rejects.toMatchObject({ code: 'proxy.no-affinity' });
});

test('its proxies lead to the demo and nowhere else', async () => {
  const running = await startWithMaze();
  const other = await startDemo();
  for (const { room, proxy } of running.place.maze?.rooms ?? []) {
    const walk = walkRoad({
      route: { name: '', hops: [{ kind: 'http-connect', ...proxy }] },
      target: other.place.target,
      dial: nodeDialer,
      platform: defaultPlatform,
    });
    const code = room === 'asks' ? 'proxy.auth-required' : 'proxy.connect-denied';
    await expect(walk).rejects.toMatchObject({ code });
  }
  await other.close();
});
