import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import type { ByteStream } from '@fairlead/protocol/road';
import { type Browser, chromium } from 'playwright';
import { CHROMIUM, CHROMIUM_ARGS } from '../playwright.config.ts';
import { startChild } from './children.ts';
import { type Bench, median, type Say } from './figure.ts';
import { type RelayProcess, startRelay } from './own-relay.ts';
import { MIB } from './pattern.ts';
import { download, type TlsRun } from './tls-page/download.ts';

const FAR_END = fileURLToPath(new URL('tls-far-end.ts', import.meta.url));
const VITE = fileURLToPath(new URL('../node_modules/.bin/vite', import.meta.url));
const PAGE_CONFIG = fileURLToPath(new URL('tls-page/vite.config.ts', import.meta.url));
const WEIGHT_CONFIG = fileURLToPath(new URL('tls-page/weight.config.ts', import.meta.url));
const MIB_PER_RUN = 64;
const ROUNDS = 5;
const HANDSHAKES = 15;
/** What the engine may weigh without roots, and what it must carry down in Chromium. */
const WEIGHT_GOAL_KB = 25;
const DOWN_GOAL_MB_PER_S = 60;

const SETTINGS = [
  ['TLS 1.3, AES-128-GCM', 'TLS_AES_128_GCM_SHA256', 'TLSv1.3'],
  ['TLS 1.3, AES-256-GCM', 'TLS_AES_256_GCM_SHA384', 'TLSv1.3'],
  ['TLS 1.3, ChaCha20', 'TLS_CHACHA20_POLY1305_SHA256', 'TLSv1.3'],
  ['TLS 1.2, AES-128-GCM', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.2'],
  ['TLS 1.2, AES-256-CBC', 'ECDHE-ECDSA-AES256-SHA384', 'TLSv1.2'],
] as const;

/** TLS of our own: handshakes, records in Node beside Node's own, records in Chromium through the relay, weight. */
export const tls: Bench = async (say) => {
  await weigh(say);
  const servers = SETTINGS.map(([, cipher, version]) => startChild(process.execPath, [FAR_END, cipher, version]));
  try {
    servers.push(startChild(process.execPath, [FAR_END, 'plain']));
    const ports = await Promise.all(servers.map(async (server) => Number(await server.printed(/READY (\d+)/))));
    for (const [at, [name]] of SETTINGS.entries()) await inNode(say, name, ports[at] ?? 0);
    await inChromium(say, ports.slice(0, -1), ports.at(-1) ?? 0);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
};

async function inNode(say: Say, name: string, port: number): Promise<void> {
  const ours: number[] = [];
  const theirs: number[] = [];
  const wire = { up: 0, down: 0 };
  for (let round = 0; round < HANDSHAKES; round += 1) {
    const counted = counting(await nodeDialer({ host: '127.0.0.1', port }));
    ours.push((await download(counted.stream, defaultPlatform, 0)).handshakeMs);
    Object.assign(wire, counted.wire);
    theirs.push((await nodeRun(port, 0)).handshakeMs);
  }
  const note = `median of ${HANDSHAKES}, P-256 certificate, ${wire.up} bytes up and ${wire.down} down`;
  const peer = 'Node tls';
  say({ name: `handshake, ${name}`, value: median(ours), unit: 'ms', peer, peerValue: median(theirs), note });
  const rates = { ours: [] as number[], cpu: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    rates.ours.push(
      rateOf(await download(await nodeDialer({ host: '127.0.0.1', port }), defaultPlatform, MIB_PER_RUN)),
    );
    const { user, system } = process.cpuUsage(before);
    rates.cpu.push((MIB_PER_RUN * MIB) / (user + system));
    rates.theirs.push(rateOf(await nodeRun(port, MIB_PER_RUN)));
  }
  const cpu = `${median(rates.cpu).toFixed(0)} MB per second of processor time`;
  const how = `median of ${ROUNDS} × ${MIB_PER_RUN} MiB over TCP, interleaved; ours ${cpu}`;
  const [value, peerValue] = [median(rates.ours), median(rates.theirs)];
  say({ name: `down in Node, ${name}`, value, unit: 'MB/s', peer, peerValue, note: how });
}

function rateOf({ bytes, ms }: { bytes: number; ms: number }): number {
  if (bytes < MIB_PER_RUN * MIB) throw new Error(`only ${bytes} bytes came`);
  return bytes / 1e3 / ms;
}

/** Counts what crosses a stream. */
function counting(below: ByteStream): { stream: ByteStream; wire: { up: number; down: number } } {
  const wire = { up: 0, down: 0 };
  const stream: ByteStream = {
    label: below.label,
    async read(signal) {
      const bytes = await below.read(signal);
      wire.down += bytes?.length ?? 0;
      return bytes;
    },
    write(bytes, signal) {
      wire.up += bytes.length;
      return below.write(bytes, signal);
    },
    end: () => below.end(),
    destroy: (reason) => below.destroy(reason),
  };
  return { stream, wire };
}

/** The same with Node's own client. */
function nodeRun(port: number, mib: number): Promise<Pick<TlsRun, 'handshakeMs' | 'ms' | 'bytes'>> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const socket = connect({ host: '127.0.0.1', port, servername: 'peer', rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const asked = performance.now();
      const handshakeMs = asked - began;
      let bytes = 0;
      const finish = (): void => {
        socket.destroy();
        resolve({ handshakeMs, ms: performance.now() - asked, bytes });
      };
      if (mib === 0) return finish();
      socket.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes >= mib * MIB) finish();
      });
      socket.write(Uint8Array.of(mib));
    });
  });
}

/** One download in the page. */
interface PageRun {
  readonly handshakeMs: number;
  readonly mbPerS: number;
  /** By the time the page's thread worked, and not the clock's: others on the machine do not count. */
  readonly cpuMbPerS: number;
}

async function inChromium(say: Say, ports: readonly number[], plainPort: number): Promise<void> {
  const site = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    await startChild(VITE, ['build', '--config', PAGE_CONFIG, '--outDir', site, '--logLevel', 'error']).ended();
    writeFileSync(join(site, 'csp.json'), '{"/index.html":[]}');
    const relay = await startRelay({ targets: [...ports, plainPort], site });
    const browser = await chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: false, args: CHROMIUM_ARGS });
    try {
      const run = await openPage(browser, relay);
      for (const [at, [setting]] of SETTINGS.entries()) {
        const ours: PageRun[] = [];
        const plain: PageRun[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          ours.push(await run(ports[at] ?? 0, false));
          plain.push(await run(plainPort, true));
        }
        tell(say, setting, ours, plain);
      }
    } finally {
      await browser.close();
      await relay.stop();
    }
  } finally {
    rmSync(site, { recursive: true, force: true });
  }
}

async function openPage(browser: Browser, relay: RelayProcess) {
  const context = await browser.newContext({ baseURL: relay.origin });
  const [name = '', value = ''] = ((await relay.signIn()).split(';')[0] ?? '').split('=');
  await context.addCookies([{ name, value, url: relay.origin }]);
  const page = await context.newPage();
  await page.goto('/');
  await page.waitForFunction(() => typeof window.runTls === 'function');
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuMs = async (): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return (metrics.find((metric) => metric.name === 'TaskDuration')?.value ?? Number.NaN) * 1000;
  };
  return async (port: number, isPlain: boolean): Promise<PageRun> => {
    const before = await cpuMs();
    const asked = [port, MIB_PER_RUN, isPlain] as const;
    const ran = await page.evaluate(([where, mib, plain]) => window.runTls(where, mib, plain), asked);
    return {
      handshakeMs: ran.handshakeMs,
      mbPerS: rateOf(ran),
      cpuMbPerS: ran.bytes / 1e3 / ((await cpuMs()) - before),
    };
  };
}

function tell(say: Say, setting: string, ours: readonly PageRun[], plain: readonly PageRun[]): void {
  const middle = (runs: readonly PageRun[], of: keyof PageRun): number => median(runs.map((run) => run[of]));
  const cpu = `${middle(ours, 'cpuMbPerS').toFixed(0)} and ${middle(plain, 'cpuMbPerS').toFixed(0)}`;
  const notes = [
    `median of ${ROUNDS} × ${MIB_PER_RUN} MiB, interleaved; goal ${DOWN_GOAL_MB_PER_S}`,
    `${cpu} MB per second of the page's thread`,
    `handshake ${middle(ours, 'handshakeMs').toFixed(0)} ms`,
  ];
  say({
    name: `down in Chromium through the relay, ${setting}`,
    value: middle(ours, 'mbPerS'),
    unit: 'MB/s',
    peer: 'without TLS',
    peerValue: middle(plain, 'mbPerS'),
    note: notes.join('; '),
  });
}

/** Minified and gzipped, and how much of it is noble. */
async function weigh(say: Say): Promise<void> {
  const build = async (entry: string, isBare: boolean): Promise<number> => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
    try {
      const words = ['build', '--config', WEIGHT_CONFIG, '--outDir', folder, '--logLevel', 'error'];
      const environment = { FAIRLEAD_BENCH_ENTRY: entry, FAIRLEAD_BENCH_BARE: isBare ? '1' : '0' };
      await startChild(VITE, words, environment).ended();
      const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
      const sizes = scripts.map((file) => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length);
      return sizes.reduce((sum, size) => sum + size, 0) / 1e3;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  const entries = [
    ['TLS engine', '../../../packages/protocol/src/tls/engine.ts'],
    ['TLS engine, stream and judgement', 'download.ts'],
  ] as const;
  for (const [name, entry] of entries) {
    const [whole, bare] = [await build(entry, false), await build(entry, true)];
    const note = `our own code, minified, gzip level 9; ${whole.toFixed(1)} KB with noble`;
    say({ name, value: bare, unit: 'KB gz', peer: 'goal', peerValue: WEIGHT_GOAL_KB, note });
  }
}
