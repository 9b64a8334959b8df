import { checkAffinity, type Hop, parseCredential, parseTarget } from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { walkRoad } from '@fairlead/protocol/road';
import { startCrookedProxy } from '@fairlead/testbed';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GssServer, type ProxyPeer, RIG_ACCOUNT, startGssServer, startProxy } from '../peers/peers.ts';

const LIMIT_MS = 200_000;
/** For proxies over which some answers never come. */
const SHORT_MS = 5000;

let server: GssServer;
let squid: ProxyPeer;
beforeAll(async () => {
  [server, squid] = await Promise.all([startGssServer(), startProxy('squid')]);
});
afterAll(() => Promise.all([server?.stop(), squid?.stop()]));

/**
 * Opens tunnels that are all there at once, sends requests over each, and says from the server's own log how they and
 * its TCP connections belong together. A tunnel's requests carry its number in their path.
 */
async function pairingsOver(proxyPort: number, tunnelCount: number, requestCount: number, withinMs = LIMIT_MS) {
  const before = new Set(server.log().map(({ conn }) => conn));
  const hops: Hop[] = [{ kind: 'http-connect', host: '127.0.0.1', port: proxyPort }];
  let atTheGate = tunnelCount;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const check = async (number: number) => {
    const { target } = parseTarget(`http://127.0.0.1:${server.port}/tunnel-${number}/wsman`);
    return await checkAffinity({
      ...{ target, policy: 'negotiate', platform: defaultPlatform, count: requestCount },
      signal: AbortSignal.timeout(withinMs),
      credential: parseCredential(RIG_ACCOUNT.user, RIG_ACCOUNT.password),
      openRoad: async (_lane, onHop, signal) => {
        const route = { name: '', hops };
        const walk = walkRoad({ route, target, dial: nodeDialer, platform: defaultPlatform, onHop, signal });
        void walk.catch(open); // one that fails keeps nobody waiting
        const road = await walk;
        // Nobody signs in before every tunnel stands.
        atTheGate -= 1;
        if (atTheGate === 0) open();
        await gate;
        return road;
      },
    });
  };
  const numbers = Array.from({ length: tunnelCount }, (_, number) => number);
  const checks = await Promise.allSettled(numbers.map(check));
  const verdicts = checks.map((one) => (one.status === 'fulfilled' ? one.value.verdict : String(one.reason)));
  const events = server.log().filter(({ conn }) => conn !== undefined && !before.has(conn));
  const tunnelsOf = new Map<number, Set<string>>();
  const connectionsOf = new Map<string, Set<number>>();
  let answered = 0;
  for (const { ev, conn, sealed, target } of events) {
    const tunnel = /^\/tunnel-\d+/.exec(String(target))?.[0];
    if (ev !== 'request' || tunnel === undefined) continue;
    if (sealed === true) answered += 1;
    tunnelsOf.set(conn, (tunnelsOf.get(conn) ?? new Set()).add(tunnel));
    connectionsOf.set(tunnel, (connectionsOf.get(tunnel) ?? new Set()).add(conn));
  }
  const opened = events.filter(({ ev }) => ev === 'open');
  return {
    verdicts: [...new Set(verdicts)],
    answered,
    tunnels: connectionsOf.size,
    connections: opened.length,
    sourcePorts: new Set(opened.map(({ peer }) => peer)).size,
    signIns: events.filter(({ ev, ok }) => ev === 'auth' && ok === true).length,
    mostTunnelsOnOne: Math.max(0, ...[...tunnelsOf.values()].map(({ size }) => size)),
    mostConnectionsOfOne: Math.max(0, ...[...connectionsOf.values()].map(({ size }) => size)),
  };
}

it('200 tunnels through Squid, 100 requests each: one server connection for each tunnel, never shared: R4, R24', async () => {
  expect(await pairingsOver(squid.port, 200, 100)).toEqual({
    verdicts: ['kept'],
    answered: 20_000,
    tunnels: 200,
    connections: 200,
    sourcePorts: 200,
    signIns: 200,
    mostTunnelsOnOne: 1,
    mostConnectionsOfOne: 1,
  });
}, 240_000);

it('a proxy that shares or changes connections is seen by the same count', async () => {
  const allow = [{ host: '127.0.0.1', port: server.port }];
  const sharing = await startCrookedProxy({ crookedness: 'shares-connections', allow });
  const moving = await startCrookedProxy({ crookedness: 're-pairs', allow, calmTurns: 4 });
  try {
    const shared = await pairingsOver(sharing.port, 4, 4, SHORT_MS);
    expect(shared.mostTunnelsOnOne).toBe(4);
    expect(shared.verdicts).not.toContain('kept');
    const moved = await pairingsOver(moving.port, 4, 6, SHORT_MS);
    expect(moved.mostTunnelsOnOne).toBeGreaterThan(1);
    expect(moved.verdicts).not.toEqual(['kept']);
  } finally {
    await Promise.all([sharing.close(), moving.close()]);
  }
});
