import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { freePort } from '../peers/peers.ts';
import { type Child, isInstalled, startChild, untilListening } from './children.ts';
import { type Bench, median, quantile, type Say } from './figure.ts';
import { type NearEnd, overTcp, overWebSocket } from './near-end.ts';
import { startRelay } from './own-relay.ts';
import { measureInTurn, type Way, way } from './ways.ts';

const FAR_END = fileURLToPath(new URL('far-end.ts', import.meta.url));
const MIB_PER_RUN = 256;
const ROUNDS = 3;
const PINGS = 2000;

/** What one tunnel of the relay carries and how much it delays, beside the same far end over TCP, socat, websockify. */
export const relayPipe: Bench = async (say) => {
  const children: Child[] = [];
  const far = startChild(process.execPath, [FAR_END]);
  children.push(far);
  const farPort = Number(await far.printed(/READY (\d+)/));
  const relay = await startRelay({ targets: [farPort] });
  try {
    const cookie = await relay.signIn();
    const ways = [
      way('raw TCP', () => overTcp(farPort)),
      ...(await socatWay(farPort, children)),
      ...(await websockifyWay(farPort, children)),
      way('relay', async () => overWebSocket(await relay.openTunnel(cookie, farPort))),
    ];
    await measureInTurn(ways, ROUNDS, { mib: MIB_PER_RUN, pings: PINGS });
    tell(say, ways);
  } finally {
    await relay.stop();
    await Promise.all(children.map((child) => child.stop()));
  }
};

async function socatWay(farPort: number, children: Child[]): Promise<Way[]> {
  if (!isInstalled('socat')) return [];
  const port = await freePort();
  // Its own 8 KiB at a time would measure its default, not what it can do.
  const listen = `TCP4-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,nodelay`;
  children.push(startChild('socat', ['-b', '65536', listen, `TCP4:127.0.0.1:${farPort},nodelay`]));
  await untilListening(port);
  return [way('socat', () => overTcp(port))];
}

async function websockifyWay(farPort: number, children: Child[]): Promise<Way[]> {
  if (!isInstalled('websockify')) return [];
  const port = await freePort();
  children.push(startChild('websockify', [`127.0.0.1:${port}`, `127.0.0.1:${farPort}`]));
  await untilListening(port);
  const open = () =>
    new Promise<NearEnd>((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['binary'], { perMessageDeflate: false });
      socket.once('open', () => resolve(overWebSocket(socket)));
      socket.once('error', reject);
    });
  return [way('websockify', open)];
}

function tell(say: Say, ways: readonly Way[]): void {
  const find = (name: string) => ways.find((one) => one.name === name);
  const ours = find('relay');
  const raw = find('raw TCP');
  if (ours === undefined || raw === undefined) return;
  for (const name of ['raw TCP', 'socat', 'websockify']) {
    const peer = find(name);
    for (const side of ['down', 'up'] as const) {
      const masking = side === 'up' ? ', the client masks in JavaScript on WebSockets' : '';
      say({
        name: `pipe ${side}`,
        value: median(ours[side]),
        unit: 'MB/s',
        peer: name,
        peerValue: peer === undefined ? null : median(peer[side]),
        note: `median of ${ROUNDS} × ${MIB_PER_RUN} MiB, interleaved, SHA-256 verified${masking}`,
      });
    }
    if (name === 'raw TCP') continue;
    for (const q of [0.5, 0.99]) {
      const added = (one: Way) => quantile(one.echo, q) - quantile(raw.echo, q);
      say({
        name: `added echo delay p${q * 100}`,
        value: added(ours),
        unit: 'ms',
        peer: name,
        peerValue: peer === undefined ? null : added(peer),
        note: `1 byte there and back, ${ROUNDS * PINGS} times, less raw TCP's ${quantile(raw.echo, q).toFixed(3)} ms`,
      });
    }
  }
}
