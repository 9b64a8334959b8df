/**
 * `npm run soak`: cuts the link between a tab's end and its relay at random while bytes go both ways, and compares
 * SHA-256 at both ends. `npm run soak -- --cuts 1000 --mib 100 --http` changes how often, how much, and what carries it.
 * Exits with 0 when nothing was lost or doubled. It measures nothing that a test depends on; the times are printed.
 */
import { createHash, randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { API_PATHS } from '@fairlead/contract';
import type { RoadLink } from '@fairlead/protocol';
import { type RelayRoad, relayRoad } from '@fairlead/protocol/relay';
import { quantile } from '../bench/figure.ts';
import { startRelay } from '../bench/own-relay.ts';
import { startMirror } from './mirror.ts';
import { Wire } from './wire.ts';

const PIECE_BYTES = 64 * 1024;
/** A cut that has broken nothing for so long is made again. */
const UNNOTICED_MS = 100;
const LIMIT_MS = 30 * 60_000;

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '1000' },
    mib: { type: 'string', default: '100' },
    http: { type: 'boolean', default: false },
  },
});

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What a link's changes amount to. */
class LinkWatch {
  readonly resumeMs: number[] = [];
  resumedCount = 0;
  #lostAtMs = 0;

  see({ state, resumedCount }: RoadLink): void {
    if (state === 'held' && this.#lostAtMs === 0) this.#lostAtMs = performance.now();
    else if (state === 'live' && this.#lostAtMs > 0) {
      this.resumeMs.push(performance.now() - this.#lostAtMs);
      this.#lostAtMs = 0;
    }
    this.resumedCount = resumedCount;
  }
}

/** Cuts at random, spread over the whole way: a share of the cuts for each share of the bytes. */
async function cutAtRandom(
  cuts: number,
  share: () => number,
  wire: Wire,
  opener: RelayRoad,
  watch: LinkWatch,
): Promise<void> {
  for (let cut = 0; cut < cuts; ) {
    await wait(cut / cuts > share() ? 1 : Math.random() * 20);
    if (cut / cuts > share()) continue;
    wire.cut();
    cut += 1;
    for (let waitedMs = 1; watch.resumedCount < cut; waitedMs += 1) {
      await wait(1);
      opener.now();
      // Between two HTTP requests there is nothing to cut, and nobody to notice.
      if (waitedMs % UNNOTICED_MS === 0 && opener.links().every(({ link }) => link.state === 'live')) wire.cut();
    }
  }
}

async function ticketFor(origin: string, cookie: string, port: number): Promise<string> {
  const answer = await fetch(`${origin}${API_PATHS.tickets}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Cookie: cookie, Origin: origin },
    body: JSON.stringify({ target: { host: '127.0.0.1', port }, route: { name: '', hops: [] } }),
  });
  return String(((await answer.json()) as { ticket: string }).ticket);
}

async function soak(cuts: number, mib: number, isHttp: boolean): Promise<boolean> {
  const mirror = await startMirror();
  const relay = await startRelay({ targets: [mirror.port] });
  const cookie = await relay.signIn();
  const wire = await Wire.to(Number(new URL(relay.origin).port), isHttp);
  const headers = { Origin: wire.origin, Cookie: cookie };
  // A browser adds these by itself; Node's WebSocket takes them where a browser's takes its protocols.
  const PageSocket = new Proxy(WebSocket, {
    construct: (target, [url]: [string]): WebSocket => Reflect.construct(target, [url, { headers }]),
  });
  const watch = new LinkWatch();
  const opener = relayRoad({
    origin: wire.origin,
    ticket: () => ticketFor(relay.origin, cookie, mirror.port),
    WebSocket: PageSocket,
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, ...headers } }),
    onLink: (_lane, link) => watch.see(link),
  });
  const road = await opener('control', () => {}, new AbortController().signal);
  const total = mib << 20;
  const up = createHash('sha256');
  const down = createHash('sha256');
  let [written, read] = [0, 0];
  const reading = (async () => {
    for (let bytes = await road.stream.read(); bytes !== null; bytes = await road.stream.read()) {
      down.update(bytes);
      read += bytes.length;
    }
  })();
  const began = performance.now();
  const cutting = cutAtRandom(cuts, () => read / total, wire, opener, watch);
  while (written < total) {
    const piece = randomBytes(Math.min(total - written, 1 + Math.floor(Math.random() * PIECE_BYTES * 2)));
    up.update(piece);
    await road.stream.write(piece);
    written += piece.length;
  }
  await cutting;
  await road.stream.end();
  await reading;
  const [sent, received, there] = [up.digest('hex'), down.digest('hex'), mirror.sha256()];
  const isEqual = sent === received && sent === there && read === total && mirror.connectionCount() === 1;
  console.log(
    JSON.stringify({
      cuts,
      resumed: watch.resumedCount,
      via: isHttp ? 'http' : 'websocket',
      mibBothWays: mib,
      seconds: Number(((performance.now() - began) / 1000).toFixed(1)),
      resumeP50Ms: Number(quantile(watch.resumeMs, 0.5).toFixed(1)),
      resumeP99Ms: Number(quantile(watch.resumeMs, 0.99).toFixed(1)),
      tcpConnections: mirror.connectionCount(),
      sha256: { sent, there, received },
      verdict: isEqual ? 'equal' : 'DIFFERENT',
    }),
  );
  wire.close();
  mirror.close();
  await relay.stop();
  return isEqual;
}

setTimeout(() => {
  console.error(`It did not end within ${LIMIT_MS / 60_000} minutes.`);
  process.exit(1);
}, LIMIT_MS).unref();
process.exit((await soak(Number(values.cuts), Number(values.mib), values.http)) ? 0 : 1);
