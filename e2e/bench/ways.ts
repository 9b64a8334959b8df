import { measureDown, measureEcho, measureUp, type NearEnd } from './near-end.ts';

/** One way from here to the far end, with what has been measured on it. */
export interface Way {
  readonly name: string;
  readonly open: () => Promise<NearEnd>;
  readonly down: number[];
  readonly up: number[];
  readonly echo: number[];
}

/** How much is sent over a way in one round. */
export interface Load {
  readonly mib: number;
  readonly pings: number;
}

/** The first round trips of each connection warm things up. */
const WARM_UP = 200;

/** A way that nothing has been measured on yet. */
export function way(name: string, open: () => Promise<NearEnd>): Way {
  return { name, open, down: [], up: [], echo: [] };
}

/** One round on each way, so that they share whatever else the machine does meanwhile. */
export async function measureInTurn(ways: readonly Way[], rounds: number, load: Load): Promise<void> {
  for (let round = 0; round < rounds; round += 1) for (const one of ways) await measure(one, load);
}

async function measure(one: Way, { mib, pings }: Load): Promise<void> {
  one.down.push(await once(one, (near) => measureDown(near, mib)));
  one.up.push(await once(one, (near) => measureUp(near, mib)));
  one.echo.push(...(await once(one, (near) => measureEcho(near, pings + WARM_UP))).slice(WARM_UP));
}

async function once<Result>(one: Way, measured: (near: NearEnd) => Promise<Result>): Promise<Result> {
  const near = await one.open();
  try {
    return await measured(near);
  } finally {
    near.close();
  }
}
