import type { DemoInfo, MazeInfo } from '@fairlead/contract';
import type { ProxyRoute } from '@fairlead/protocol';
import type { ConnectRequest } from '@/features/session/session-registry.ts';
import { printAddress } from './connect-form.ts';

/** A room of the demo's maze as the dialog lists it: the honest proxy, those of the maze, and the gateway at the door. */
export type RoomId = 'straight' | 'asks' | 'moves' | 'cuts' | 'inspects' | 'strips';

/** One way to walk a room: to the host with or without TLS, through the room's proxy or around it. */
export interface MazeWay {
  readonly room: RoomId;
  readonly scheme: 'http' | 'https';
  readonly isAround: boolean;
}

/** A room with the ways to offer, the best first, and the way out where the room cannot be passed. */
export interface RoomPlan {
  readonly room: RoomId;
  readonly ways: readonly MazeWay[];
  readonly wayOut: MazeWay | null;
  /** The room's proxy; null for the door, which is no proxy of the relay's. */
  readonly address: string | null;
  readonly account: { readonly user: string; readonly password: string } | null;
  readonly seconds: number;
}

/** The rooms there are, in the order of the tour. @param herePort of the page's own address */
export function planMaze(demo: DemoInfo, herePort: string): readonly RoomPlan[] {
  const hasTls = demo.https !== undefined;
  const way = (room: RoomId, scheme: MazeWay['scheme'], isAround = false): MazeWay => ({ room, scheme, isAround });
  const plan = (room: RoomId, ways: readonly MazeWay[], wayOut: MazeWay | null): RoomPlan => {
    const built = demo.maze?.rooms.find((each) => each.room === room);
    const [hop] = demo.route.hops;
    const address = room === 'straight' ? hop : built?.proxy;
    return {
      ...{ room, wayOut, ways: ways.filter(({ scheme }) => hasTls || scheme === 'http') },
      address: address === undefined ? null : printAddress(address),
      account: built?.account ?? null,
      seconds: built?.idleSeconds ?? 0,
    };
  };
  const plans: Readonly<Record<MazeInfo['rooms'][number]['room'], RoomPlan>> = {
    asks: plan('asks', [way('asks', 'https'), way('asks', 'http')], hasTls ? way('asks', 'https') : null),
    moves: plan('moves', [way('moves', 'http')], way('moves', 'http', true)),
    cuts: plan('cuts', [way('cuts', 'http')], null),
    inspects: plan('inspects', [way('inspects', 'https')], way('inspects', 'https', true)),
  };
  const rooms = (demo.maze?.rooms ?? []).map(({ room }) => plans[room]);
  const stripperPort = demo.maze?.stripperPort;
  const door = plan('strips', isHere(stripperPort, herePort) ? [way('strips', 'http')] : [], null);
  return [
    plan('straight', [way('straight', 'http'), way('straight', 'https')], null),
    ...rooms.filter(({ ways }) => ways.length > 0),
    ...(stripperPort === undefined ? [] : [door]),
  ];
}

/** Whether this page itself came through what strips `Upgrade`. */
export function isHere(stripperPort: number | undefined, herePort: string): boolean {
  return stripperPort !== undefined && String(stripperPort) === herePort;
}

/** All that opens a way. @param names what tab and road are called */
export function requestOf(
  demo: DemoInfo,
  { room, scheme, isAround }: MazeWay,
  password: string,
  names: { readonly label: string; readonly proxy: string },
): ConnectRequest {
  const built = isAround ? undefined : demo.maze?.rooms.find((each) => each.room === room);
  const { account } = built ?? {};
  const isHttps = scheme === 'https' && demo.https !== undefined;
  const route: ProxyRoute =
    built === undefined ? demo.route : { name: names.proxy, hops: [{ kind: 'http-connect', ...built.proxy }] };
  return {
    label: names.label,
    target: isHttps && demo.https ? `https://${printAddress(demo.https.target)}` : printAddress(demo.target),
    scheme: isHttps ? 'https' : 'http',
    policy: 'negotiate',
    user: demo.user,
    password,
    certificate: null,
    sealsAlways: false,
    allowsLegacyTls: false,
    route,
    // The account is given for http too: that it is not used there is what the room shows.
    proxies: account === undefined ? [] : [{ user: account.user, means: 'best' }],
    proxyPasswords: account === undefined ? [] : [account.password],
    isHttpDangerChosen: false,
    shell: { kind: 'interactive', codePage: 65_001 },
    isDemo: true,
    isProduction: false,
  };
}
