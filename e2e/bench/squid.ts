import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort, startProxy } from '../peers/peers.ts';
import { type Child, isInstalled, startChild, untilListening } from './children.ts';
import { type Bench, median, quantile } from './figure.ts';
import { type NearEnd, overSocket, overTcp, overWebSocket } from './near-end.ts';
import { startRelay } from './own-relay.ts';
import { measureInTurn, type Way, way } from './ways.ts';

const FAR_END = fileURLToPath(new URL('far-end.ts', import.meta.url));
const LOAD = { mib: 128, pings: 1000 };
const ROUNDS = 3;

/** What a tunnel of the relay through Squid carries, beside socat through the same Squid in the same minute. */
export const throughSquid: Bench = async (say) => {
  const children: Child[] = [];
  const far = startChild(process.execPath, [FAR_END]);
  children.push(far);
  const farPort = Number(await far.printed(/READY (\d+)/));
  const squid = await startProxy('squid');
  const relay = await startRelay({ targets: [farPort], proxies: [squid.port] }).catch(async (error: unknown) => {
    await Promise.all([squid.stop(), far.stop()]);
    throw error;
  });
  try {
    const cookie = await relay.signIn();
    const hops = [{ kind: 'http-connect', host: '127.0.0.1', port: squid.port }] as const;
    const ours = way('relay', async () => overWebSocket(await relay.openTunnel(cookie, farPort, { hops })));
    const peers = [
      way('raw TCP', () => overConnect(squid.port, farPort)),
      ...(await socatWay(squid.port, farPort, children)),
    ];
    await measureInTurn([...peers, ours], ROUNDS, LOAD);
    for (const name of ['raw TCP', 'socat']) {
      const peer = peers.find((one) => one.name === name);
      const words = `through the same Squid; median of ${ROUNDS} × ${LOAD.mib} MiB, interleaved, SHA-256 verified`;
      for (const side of ['down', 'up'] as const) {
        const figures = { value: median(ours[side]), peerValue: peer === undefined ? null : median(peer[side]) };
        const note = side === 'up' ? `${words}, the client masks in JavaScript on WebSockets` : words;
        say({ name: `through Squid ${side}`, unit: 'MB/s', peer: name, ...figures, note });
      }
      for (const q of [0.5, 0.99]) {
        const figures = {
          value: quantile(ours.echo, q),
          peerValue: peer === undefined ? null : quantile(peer.echo, q),
        };
        const counted = `1 byte there and back, ${ROUNDS * LOAD.pings} times`;
        say({ name: `through Squid echo p${q * 100}`, unit: 'ms', peer: name, ...figures, note: counted });
      }
    }
  } finally {
    await relay.stop();
    await Promise.all([squid.stop(), ...children.map((child) => child.stop())]);
  }
};

async function socatWay(proxyPort: number, farPort: number, children: Child[]): Promise<Way[]> {
  if (!isInstalled('socat')) return [];
  const port = await freePort();
  const listen = `TCP4-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,nodelay`;
  const proxy = `PROXY:127.0.0.1:127.0.0.1:${farPort},proxyport=${proxyPort},nodelay`;
  children.push(startChild('socat', ['-b', '65536', listen, proxy]));
  await untilListening(port);
  return [way('socat', () => overTcp(port))];
}

/** TCP to Squid, and CONNECT by hand. */
function overConnect(proxyPort: number, farPort: number): Promise<NearEnd> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: proxyPort, noDelay: true });
    socket.once('error', reject);
    socket.once('data', (reply) => {
      // The far end says nothing before it is asked, so this is the whole head.
      const text = reply.toString('latin1');
      if (/^HTTP\/1\.[01] 200 /.test(text) && text.endsWith('\r\n\r\n')) resolve(overSocket(socket));
      else reject(new Error(`Squid said ${text}`));
    });
    socket.write(`CONNECT 127.0.0.1:${farPort} HTTP/1.1\r\nHost: 127.0.0.1:${farPort}\r\n\r\n`);
  });
}
