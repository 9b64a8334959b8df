import { Journal, parseCredential } from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { walkRoad } from '@fairlead/protocol/road';
import { startCrookedProxy } from '@fairlead/testbed';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthenticator } from '../../packages/protocol/src/auth/select.ts';
import { LaneConnection } from '../../packages/protocol/src/wsman/lane.ts';
import { type GssServer, type ProxyPeer, RIG_ACCOUNT, startGssServer, startProxy } from '../peers/peers.ts';

/** Bounded, so that two cores carry it and no answer is late. */
const AT_A_TIME = 16;
const REPLY_WITHIN_MS = 30_000;

let server: GssServer;
let squid: ProxyPeer;
beforeAll(async () => {
  [server, squid] = await Promise.all([startGssServer(), startProxy('squid')]);
});
afterAll(() => Promise.all([server?.stop(), squid?.stop()]));

/** Signs in over a tunnel of its own; the envelopes it posts carry the tunnel's number. */
async function openTunnel(proxyPort: number, number: number) {
  const host = '127.0.0.1';
  const { port } = server;
  const road = await walkRoad({
    route: { name: 'test', hops: [{ kind: 'http-connect', host, port: proxyPort }] },
    target: { host, port },
    dial: nodeDialer,
    platform: defaultPlatform,
  });
  const url = `http://${host}:${port}/wsman`;
  const { signal } = new AbortController();
  const common = { platform: defaultPlatform, signal };
  const { connection } = await LaneConnection.open(
    {
      ...{ ...common, name: 'control', road, isSecured: false, sealing: 'always', journal: new Journal(() => 0) },
      place: { authority: `${host}:${port}`, path: '/wsman', url },
      signIn: createAuthenticator({
        ...{ platform: defaultPlatform, policy: 'negotiate', workstation: 'FAIRLEAD', binding: null },
        ...{ spn: `http/${host}`, credential: parseCredential(RIG_ACCOUNT.user, RIG_ACCOUNT.password) },
      }),
      counts: { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 },
    },
    null,
  );
  const options = { operation: 'Get', replyWithinMs: REPLY_WITHIN_MS, isRepeatable: false, mayRide: false, signal };
  return {
    post: (round: number) => connection.post(enquiry(url, `tunnel-${number}-${round}`), options),
    close: () => connection.close(),
  };
}

/** The least envelope that is one: the server answers it with a sealed fault. */
function enquiry(url: string, messageId: string): string {
  const spaces =
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"';
  const fields = `<a:To>${url}</a:To><a:Action>urn:none/Nothing</a:Action><a:MessageID>${messageId}</a:MessageID>`;
  return `<s:Envelope ${spaces}><s:Header>${fields}</s:Header><s:Body/></s:Envelope>`;
}

/** Runs one piece of work for each item, so many at a time. */
async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const left = [...items].reverse();
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/**
 * Opens tunnels that are all there at once, posts over them in turns, and says from the server's own log how they and
 * its TCP connections belong together.
 */
async function pairingsOver(proxyPort: number, tunnelCount: number, requestCount: number) {
  const before = new Set(server.log().map(({ conn }) => conn));
  const numbers = Array.from({ length: tunnelCount }, (_, number) => number);
  const tunnels: Awaited<ReturnType<typeof openTunnel>>[] = [];
  const failures: unknown[] = [];
  const keep = (problem: unknown) => failures.push(problem);
  await forEach(numbers, async (number) => tunnels.push(await openTunnel(proxyPort, number))).catch(keep);
  const rounds = Array.from({ length: requestCount }, (_, round) =>
    tunnels.map((tunnel) => ({ tunnel, round })),
  ).flat();
  await forEach(rounds, ({ tunnel, round }) => tunnel.post(round)).catch(keep);
  for (const tunnel of tunnels) tunnel.close();
  const events = server.log().filter(({ conn }) => conn !== undefined && !before.has(conn));
  const tunnelsOf = new Map<number, Set<string>>();
  const connectionsOf = new Map<string, Set<number>>();
  let answered = 0;
  for (const { conn, sealed, message } of events) {
    const tunnel = /^tunnel-\d+/.exec(String(message))?.[0];
    if (sealed !== true || tunnel === undefined) continue;
    answered += 1;
    tunnelsOf.set(conn, (tunnelsOf.get(conn) ?? new Set()).add(tunnel));
    connectionsOf.set(tunnel, (connectionsOf.get(tunnel) ?? new Set()).add(conn));
  }
  const opened = events.filter(({ ev }) => ev === 'open');
  return {
    failures,
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
    failures: [],
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
    const shared = await pairingsOver(sharing.port, 4, 2);
    expect(shared.connections).toBe(1);
    expect(shared.failures).not.toEqual([]);
    const moved = await pairingsOver(moving.port, 4, 6);
    expect(moved.failures).not.toEqual([]);
    expect(moved.connections === 4 && moved.answered === 24).toBe(false);
  } finally {
    await Promise.all([sharing.close(), moving.close()]);
  }
});
