import type { Hop } from '@fairlead/protocol';
import { makeRun } from '../interop/run-session.ts';
import { RIG_ACCOUNT, startProxy } from '../peers/peers.ts';
import type { Bench, Say } from './figure.ts';
import { type Host, startGssHost, startTestbedHost } from './hosts.ts';
import { hasPywinrm, runPywinrm } from './pywinrm.ts';
import { startCountingWire } from './wire-count.ts';

const COMMAND = 'echo x';

interface Count {
  readonly exchanges: number;
  readonly up: number;
  readonly down: number;
}

/** Exchanges and bytes that cross the wire to the host from nothing to the first output, ours and pywinrm's. */
export const exchanges: Bench = async (say) => {
  const squid = await startProxy('squid');
  const hosts = [await startGssHost(), await startTestbedHost()];
  try {
    for (const host of hosts) {
      const proxy = `http://127.0.0.1:${squid.port}`;
      const hop = (kind: Hop['kind']): Hop => ({ kind, host: '127.0.0.1', port: squid.port });
      const direct = await counted(host, pywinrm(host));
      const behind = await counted(host, pywinrm(host, proxy));
      const ours = (hops: readonly Hop[]) => counted(host, (port) => runOurs(port, hops));
      tell(say, host, 'direct', await ours([]), direct);
      tell(say, host, 'CONNECT', await ours([hop('http-connect')]), behind);
      tell(say, host, 'absolute form', await ours([hop('http-forward')]), behind);
    }
  } finally {
    await Promise.all([squid.stop(), ...hosts.map((host) => host.stop())]);
  }
};

function tell(say: Say, host: Host, road: string, ours: Count | null, peer: Count | null): void {
  if (ours === null) throw new Error('nothing was counted');
  const isDirect = road === 'direct';
  const how = isDirect ? '' : ' in absolute form, the only one it has';
  const goal = isDirect ? 'goal 4' : 'goal 5';
  const name = `${isDirect ? 'direct' : `Squid ${road}`}, ${host.name}`;
  const common = { peer: `pywinrm${how}` };
  say({
    ...common,
    name: `exchanges to first output, ${name}`,
    value: ours.exchanges,
    unit: 'exchanges',
    peerValue: peer?.exchanges ?? null,
    note: `requests the host answered, "${COMMAND}", NTLM, sealed; ${goal}`,
  });
  say({
    ...common,
    name: `bytes to first output, ${name}`,
    value: ours.up + ours.down,
    unit: 'bytes',
    peerValue: peer === null ? null : peer.up + peer.down,
    note: `heads and bodies at the host: ${ours.up} up, ${ours.down} down`,
  });
}

/** Runs a client against a host through a counting wire, and counts up to the first Receive. */
async function counted(host: Host, run: ((port: number) => Promise<void>) | null): Promise<Count | null> {
  if (run === null) return null;
  // By connection and not by time: the end of the client before may not be logged yet.
  const lastKnown = Math.max(0, ...host.requests().map(({ connection }) => connection));
  const wire = await startCountingWire(host.port);
  try {
    await run(wire.port);
    const seen = await until(() => {
      const since = host.requests().filter(({ connection }) => connection > lastKnown);
      return since.some(({ action }) => action === 'Receive') ? since : null;
    });
    const count = seen.findIndex(({ action }) => action === 'Receive') + 1;
    // A proxy may put the first, bare request on a connection of its own.
    const byConnection = new Map<number, number>();
    for (const { connection } of seen.slice(0, count)) {
      byConnection.set(connection, (byConnection.get(connection) ?? 0) + 1);
    }
    const counts = [...byConnection].sort(([one], [other]) => one - other).map(([, requests]) => requests);
    return { exchanges: count, ...wire.bytesOf(counts) };
  } finally {
    await wire.close();
  }
}

/** A host writes its log when it comes to it. */
async function until<Found>(look: () => Found | null): Promise<Found> {
  for (let turn = 0; turn < 50; turn += 1) {
    const found = look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the host logged no Receive');
}

async function runOurs(port: number, hops: readonly Hop[]): Promise<void> {
  const { session, finish } = makeRun({ target: `127.0.0.1:${port}`, hops, command: COMMAND });
  try {
    await session.open();
    const { stdout } = await finish();
    if (Buffer.from(stdout).toString() !== 'x\n') throw new Error('the output is not what was asked for');
  } finally {
    await session.close();
  }
}

function pywinrm(host: Host, proxy?: string): ((port: number) => Promise<void>) | null {
  if (!hasPywinrm()) return null;
  return async (port) => {
    const run = await runPywinrm({ port, ...RIG_ACCOUNT, command: COMMAND, ...(proxy === undefined ? {} : { proxy }) });
    if (run.bytes !== 2) throw new Error(`pywinrm got ${run.bytes} bytes from ${host.name}`);
  };
}
