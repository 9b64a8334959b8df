/**
 * The little of the relay's API that the first screen needs. Shapes are checked by hand here, in a kilobyte, and held
 * to the contract's schemas by a test; what opens later uses the schemas themselves.
 */
import type { MazeInfo, Status } from '@fairlead/contract';

/** As `API_PATHS` of the contract. */
export const STATUS_PATHS = { status: '/api/status', signIn: '/api/sign-in', signOut: '/api/sign-out' } as const;

/** Longer than any honest answer of a relay that only looks things up. */
const ANSWER_WITHIN_MS = 15_000;

/** Sends a request to this page's own origin and reads the answer as JSON. Null when there was none. Never throws. */
export async function askRelay(
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<{ readonly ok: boolean; readonly status: number; readonly value: unknown } | null> {
  const late = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const reply = await fetch(path, {
      ...(body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    return { ok: reply.ok, status: reply.status, value: await reply.json() };
  } catch {
    return null;
  }
}

/** Reads a status; null when it has not the contract's shape. */
export function parseStatus(value: unknown): Status | null {
  if (!isRecord(value) || typeof value['signedIn'] !== 'boolean' || typeof value['version'] !== 'string') return null;
  const { signedIn, version, demo, canReach } = value;
  if (!isRecord(canReach) || !isTexts(canReach['targets']) || !isTexts(canReach['proxies'])) return null;
  const { httpBehindSignIn, scripts } = canReach;
  if ('httpBehindSignIn' in canReach && typeof httpBehindSignIn !== 'boolean') return null;
  if ('scripts' in canReach && !isTexts(scripts)) return null;
  const reach = {
    ...{ targets: canReach['targets'], proxies: canReach['proxies'] },
    ...(isTexts(scripts) && { scripts }),
    ...(typeof httpBehindSignIn === 'boolean' && { httpBehindSignIn }),
  };
  if (demo === null) return { signedIn, version, demo, canReach: reach };
  if (!isRecord(demo) || !isAddress(demo['target']) || !isRecord(demo['route'])) return null;
  const { name, hops } = demo['route'];
  const { user } = demo;
  if (typeof user !== 'string' || user === '' || user.length > 256) return null;
  if (typeof name !== 'string' || !Array.isArray(hops) || hops.length > 8 || !hops.every(isHop)) return null;
  const { https } = demo;
  if (https !== undefined && !(isRecord(https) && isAddress(https['target']))) return null;
  const secure = isRecord(https) && isAddress(https['target']) ? { https: { target: addressOf(https['target']) } } : {};
  const maze = mazeOf(demo['maze']);
  if (maze === null) return null;
  const route = { name, hops: hops.map(hopOf) };
  const place = { target: addressOf(demo['target']), ...secure, route, user, ...maze };
  return { signedIn, version, demo: place, canReach: reach };
}

type Address = { readonly host: string; readonly port: number };
type Hop = Address & { readonly kind: (typeof HOP_KINDS)[number]; readonly tls?: boolean };

const HOP_KINDS = ['http-connect', 'http-forward', 'socks5'] as const;

const ROOMS = ['asks', 'moves', 'cuts', 'inspects'] as const;

/** The maze as a property, absent where there is none; null when it has not the contract's shape. */
function mazeOf(value: unknown): { readonly maze?: MazeInfo } | null {
  if (value === undefined) return {};
  if (!isRecord(value) || !Array.isArray(value['rooms']) || value['rooms'].length > ROOMS.length) return null;
  const rooms = value['rooms'].map(roomOf);
  const { stripperPort } = value;
  if (!rooms.every((room) => room !== null)) return null;
  if (stripperPort === undefined) return { maze: { rooms } };
  return isWhole(stripperPort, 65_535) ? { maze: { rooms, stripperPort } } : null;
}

function roomOf(value: unknown): MazeInfo['rooms'][number] | null {
  if (!isRecord(value) || !isAddress(value['proxy'])) return null;
  const room = ROOMS.find((each) => each === value['room']);
  const { account, idleSeconds } = value;
  if (room === undefined || (account !== undefined && !isAccount(account))) return null;
  if (idleSeconds !== undefined && !isWhole(idleSeconds, 3600)) return null;
  return {
    room,
    proxy: addressOf(value['proxy']),
    ...(account === undefined ? {} : { account: { user: account.user, password: account.password } }),
    ...(idleSeconds === undefined ? {} : { idleSeconds }),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string');
const isWhole = (value: unknown, high: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= high;
const isShort = (value: unknown): value is string => typeof value === 'string' && value.length <= 256;
const isAccount = (value: unknown): value is { readonly user: string; readonly password: string } =>
  isRecord(value) && isShort(value['user']) && isShort(value['password']);
const isAddress = (value: unknown): value is Address => {
  if (!isRecord(value)) return false;
  const { host, port } = value;
  const isHost = typeof host === 'string' && host !== '' && host.length <= 253;
  return isHost && isWhole(port, 65_535);
};
const addressOf = ({ host, port }: Address): Address => ({ host, port });
const isHop = (value: unknown): value is Hop =>
  isRecord(value) &&
  HOP_KINDS.some((kind) => kind === value['kind']) &&
  (!('tls' in value) || typeof value['tls'] === 'boolean') &&
  isAddress(value);
const hopOf = ({ kind, host, port, tls }: Hop): Hop =>
  tls === undefined ? { kind, host, port } : { kind, host, port, tls };
