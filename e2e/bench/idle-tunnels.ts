import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { freePort } from '../peers/peers.ts';
import { isInstalled, startChild, untilListening } from './children.ts';
import type { Bench } from './figure.ts';
import { startRelay } from './own-relay.ts';

const FAR_END = fileURLToPath(new URL('far-end.ts', import.meta.url));
const TUNNELS = 2000;
/** Opened and closed before anything is measured: what is needed once is not a tunnel's. */
const WARM_UP = 100;
/** websockify forks a process for each. */
const PEER_TUNNELS = 100;
const AT_ONCE = 20;
/** Two descriptors for each tunnel, and what a relay needs besides. */
const SPARE_FILES = 200;

/** What an idle tunnel costs the relay in resident memory. */
export const idleTunnels: Bench = async (say) => {
  const far = startChild(process.execPath, [FAR_END]);
  const farPort = Number(await far.printed(/READY (\d+)/));
  const relay = await startRelay({ targets: [farPort] });
  const held: WebSocket[] = [];
  try {
    const cookie = await relay.signIn();
    const files = Number(/^Max open files +(\d+)/m.exec(readFileSync(`/proc/${relay.pid}/limits`, 'utf8'))?.[1]);
    const count = Math.min(TUNNELS, Math.floor((files - SPARE_FILES) / 2));
    const open = (many: number) => inTurns(many, async () => held.push(await relay.openTunnel(cookie, farPort)));
    await open(WARM_UP);
    await closeAll(held);
    await relay.collectGarbage();
    const before = residentKib(relay.pid);
    await open(count);
    await relay.collectGarbage();
    const after = residentKib(relay.pid);
    const peer = isInstalled('websockify') ? await websockifyKib(farPort) : null;
    const limited = count < TUNNELS ? `only ${count}, because of the limit of ${files} open files; ` : '';
    say({
      name: 'memory per idle tunnel',
      value: (after - before) / count,
      unit: 'KiB',
      peer: `websockify, of ${PEER_TUNNELS}`,
      peerValue: peer,
      note: `${limited}VmRSS ${before} to ${after} KiB with ${count} tunnels, garbage collected; peer's Pss; goal 16`,
    });
  } finally {
    await closeAll(held);
    await relay.stop();
    await far.stop();
  }
};

async function inTurns(count: number, one: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function closeAll(sockets: WebSocket[]): Promise<void> {
  await Promise.all(
    sockets.splice(0).map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.removeAllListeners();
          socket.once('close', () => resolve());
          socket.on('error', () => undefined);
          socket.terminate();
        }),
    ),
  );
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Pss and not Rss: what its processes share is counted once. */
async function websockifyKib(farPort: number): Promise<number> {
  const port = await freePort();
  const child = startChild('websockify', [`127.0.0.1:${port}`, `127.0.0.1:${farPort}`]);
  const sockets: WebSocket[] = [];
  try {
    await untilListening(port);
    const before = proportionalKib(child.pid);
    await inTurns(PEER_TUNNELS, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['binary']);
      sockets.push(socket);
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    });
    return (proportionalKib(child.pid) - before) / PEER_TUNNELS;
  } finally {
    await closeAll(sockets);
    await child.stop();
  }
}

/** Of a process and all its children. */
function proportionalKib(pid: number): number {
  const own = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter((child) => child !== '')
    .reduce((sum, child) => sum + proportionalKib(Number(child)), Number(own));
}
