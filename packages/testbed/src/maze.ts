import type { AllowedTarget } from './connect-proxy.ts';
import { type Crookedness, type CrookedProxy, startCrookedProxy } from './crooked/crooked-proxy.ts';
import { startUpgradeStripper, type UpgradeStripper } from './upgrade-stripper.ts';

/** A room of the maze: one proxy, and what is wrong with it. */
export type MazeRoom = 'asks' | 'moves' | 'cuts' | 'inspects';

/** What somebody must know to walk the maze; `mazeSchema` of the contract reads it. */
export interface MazePlace {
  readonly rooms: readonly {
    readonly room: MazeRoom;
    readonly proxy: AllowedTarget;
    readonly account?: { readonly user: string; readonly password: string };
    readonly idleSeconds?: number;
  }[];
  readonly stripperPort?: number;
}

/** How a maze is started. */
export interface MazeOptions {
  /** Its proxies lead here and nowhere else. */
  readonly allow: readonly AllowedTarget[];
  /** Whether something that strips `Upgrade` may stand before the relay. Default false. */
  readonly hasStripper?: boolean;
}

/** A running maze. */
export interface Maze {
  readonly place: MazePlace;
  readonly proxies: Readonly<Record<MazeRoom, CrookedProxy>>;
  readonly stripper: UpgradeStripper | null;
  /** Stops everything. Idempotent. */
  close(): Promise<void>;
}

const WRONG: Readonly<Record<MazeRoom, Crookedness>> = {
  asks: 'asks-for-sign-in',
  moves: 're-pairs',
  cuts: 'cuts-idle',
  inspects: 'inspects-tls',
};

/** Shorter than any real proxy's, so that nobody waits long to see what comes of it. */
const IDLE_SECONDS = 10;

/** No secret: the page shows it, and behind the proxy is only the demo's host, which has a password of its own. */
const VISITOR = { domain: 'OFFICE', user: 'visitor', password: 'harbour-gate-7' };

/** Starts the maze on free ports of loopback. @throws the errors of `listen` */
export async function startMaze({ allow, hasStripper = false }: MazeOptions): Promise<Maze> {
  const closing: { close(): Promise<void> }[] = [];
  const kept = async <Part extends { close(): Promise<void> }>(starting: Promise<Part>): Promise<Part> => {
    const part = await starting;
    closing.push(part);
    return part;
  };
  const open = (room: MazeRoom): Promise<CrookedProxy> =>
    kept(
      startCrookedProxy({
        crookedness: WRONG[room],
        allow,
        ...(room === 'asks' ? { accounts: [VISITOR] } : {}),
        ...(room === 'cuts' ? { idleMs: IDLE_SECONDS * 1000 } : {}),
      }),
    );
  const close = async (): Promise<void> => void (await Promise.all(closing.map((part) => part.close())));
  try {
    const proxies = {
      asks: await open('asks'),
      moves: await open('moves'),
      cuts: await open('cuts'),
      inspects: await open('inspects'),
    };
    const stripper = hasStripper ? await kept(startUpgradeStripper()) : null;
    const at = (room: MazeRoom) => ({ room, proxy: { host: proxies[room].host, port: proxies[room].port } });
    const account = { user: `${VISITOR.domain}\\${VISITOR.user}`, password: VISITOR.password };
    const place: MazePlace = {
      rooms: [{ ...at('asks'), account }, at('moves'), { ...at('cuts'), idleSeconds: IDLE_SECONDS }, at('inspects')],
      ...(stripper === null ? {} : { stripperPort: stripper.port }),
    };
    return { place, proxies, stripper, close };
  } catch (error) {
    await close();
    throw error;
  }
}
