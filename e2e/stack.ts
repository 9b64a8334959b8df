/** Everything the browser tests need: the product, started as a user starts it, and hosts and proxies for it to reach. */
import { Buffer } from 'node:buffer';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Account, makeCertificate, startWinRmHost, thumbprintsOf, type WinRmHost } from '@fairlead/testbed';
import { freePort, type GssServer, type Peer, PROXY_ONLY_NAME, startGssServer, startProxy } from './peers/peers.ts';
import { startTap, type Tap } from './tap.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** A cold build of the web app is part of a first start. */
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 20_000;

/** The account of the testbed's host; the name is one that occurs nowhere else, so that a capture can be searched for it. */
export const HOST_ACCOUNT: Account = { user: 'wanda.witness', domain: 'HARBOUR', password: 'Quartz-9 über Llama!' };

/** What the same person logs on with over HTTPS. */
export const HOST_IDENTITY = makeCertificate({
  commonName: HOST_ACCOUNT.user,
  usage: 'client',
  userPrincipalName: 'wanda.witness@harbour.example',
});

/** A host that the relay may not reach, whatever else it may. */
export const FORBIDDEN_TARGET = '10.93.7.1:5985';

/** The running product. */
export interface Product {
  readonly origin: string;
  /** The next sign-in code it prints that was not taken yet. */
  takeCode(): Promise<string>;
  /** Everything it printed, its log included, and everything in its data folder. */
  traces(): Buffer;
  stop(): Promise<void>;
}

/** A place that takes connections and never says a word. */
export interface BlackHole {
  readonly port: number;
  /** Connections that are open now. */
  readonly openCount: number;
  close(): Promise<void>;
}

/** The product with its surroundings. */
export interface Stack {
  readonly product: Product;
  /** The testbed's host, and the wire in front of it. */
  readonly host: WinRmHost;
  readonly hostTap: Tap;
  /** The wire in front of its listener with TLS. */
  readonly secureTap: Tap;
  /** The WinRM server on GSS-API, and the wire in front of it. */
  readonly gss: GssServer;
  readonly gssTap: Tap;
  /** A Squid that tunnels to any port, and the wire in front of it. */
  readonly squid: Peer;
  readonly squidTap: Tap;
  /** A Squid with the settings of its Debian package: it tunnels to 443 only. */
  readonly packagedSquid: Peer;
  /** A Squid that wants NTLM from whoever comes, and the wire in front of it. */
  readonly askingSquid: Peer;
  readonly askingTap: Tap;
  /** A Squid that wants Basic. */
  readonly basicSquid: Peer;
  /** Dante, which speaks SOCKS 5 and lets everybody. */
  readonly socks: Peer;
  readonly blackHole: BlackHole;
  /** Nobody listens there. */
  readonly closedPort: number;
  /** What crossed the wires since the last call. */
  takeCaptured(): Buffer;
  stop(): Promise<void>;
}

/** Starts everything; `settings` are the product's, beside those that let it reach the rest. */
export async function startStack(settings: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const [host, gss, squid, packagedSquid, askingSquid, basicSquid, socks, blackHole, closedPort] = await Promise.all([
    startWinRmHost({
      accounts: [{ ...HOST_ACCOUNT, certificates: [thumbprintsOf(HOST_IDENTITY.certificate).sha256] }],
      computerName: 'HARBOUR',
      workingDirectory: '/',
      https: { clientCertificate: 'request' },
    }),
    startGssServer(),
    startProxy('squid'),
    startProxy('squid-default'),
    startProxy('squid-ntlm-gss'),
    startProxy('squid-basic'),
    startProxy('sockd'),
    startBlackHole(),
    freePort(),
  ]);
  const [hostTap, secureTap, gssTap, squidTap, askingTap] = await Promise.all([
    startTap(host.port),
    startTap(host.https?.port ?? 0),
    startTap(gss.port),
    startTap(squid.port),
    startTap(askingSquid.port),
  ]);
  const reachable = [hostTap, secureTap, gssTap, blackHole].map(({ port }) => `127.0.0.1:${port}`);
  const product = await startProduct({
    ...settings,
    FAIRLEAD_TARGETS: [...reachable, `127.0.0.1:${closedPort}`, `${PROXY_ONLY_NAME}:${gssTap.port}`].join(','),
    FAIRLEAD_PROXIES: [squidTap, packagedSquid, askingTap, basicSquid, socks, blackHole]
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(','),
  });
  const taps = [squidTap, askingTap, hostTap, secureTap, gssTap];
  return {
    ...{ product, host, hostTap, secureTap, gss, gssTap, squid, squidTap, packagedSquid, askingSquid, askingTap },
    ...{ basicSquid, socks, blackHole, closedPort },
    takeCaptured: () => Buffer.concat(taps.map((tap) => tap.take())),
    async stop() {
      await product.stop();
      await Promise.all([...taps, blackHole, host].map((peer) => peer.close()));
      await Promise.all([gss, squid, packagedSquid, askingSquid, basicSquid, socks].map((peer) => peer.stop()));
    },
  };
}

/** Runs `npm start`'s own command with settings, on a free port and with a data folder of its own. */
export async function startProduct(settings: Readonly<Record<string, string>>): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-e2e-'));
  const child = spawn(process.execPath, ['scripts/start.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      FAIRLEAD_PORT: '0',
      FAIRLEAD_DATA: folder,
      FAIRLEAD_LOG_LEVEL: 'debug',
      FAIRLEAD_DRAIN_SECONDS: '0',
      ...settings,
    },
  });
  const printed = new Printed(child);
  const [origin] = await printed.until(/Fairlead is at (http:\/\/\S+)/g, 1);
  let takenCount = 0;
  return {
    origin: origin ?? '',
    async takeCode() {
      takenCount += 1;
      const codes = await printed.until(/Sign-in code, for one use: (\S+)/g, takenCount);
      return codes[takenCount - 1] ?? '';
    },
    traces() {
      const stored = readdirSync(folder).map((file) => readFileSync(join(folder, file)));
      return Buffer.concat([Buffer.from(printed.text), ...stored]);
    },
    async stop() {
      await stopChild(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a process printed, and waiting for more of it. */
class Printed {
  text = '';
  readonly #watchers = new Set<() => void>();
  #hasEnded = false;

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.text += bytes.toString('utf8');
        this.#tell();
      });
    }
    child.once('exit', () => {
      this.#hasEnded = true;
      this.#tell();
    });
  }

  /** Every first group of `pattern`, as soon as there are `count` of them. */
  until(pattern: RegExp, count: number): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        end();
      };
      const give = (why: string): void => finish(() => reject(new Error(`the product ${why}:\n${this.text}`)));
      const timer = setTimeout(() => give('did not print what was waited for'), START_LIMIT_MS);
      const look = (): void => {
        const found = [...this.text.matchAll(pattern)].map((match) => match[1] ?? '');
        if (found.length >= count) finish(() => resolve(found));
        else if (this.#hasEnded) give('ended');
      };
      this.#watchers.add(look);
      look();
    });
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

async function startBlackHole(): Promise<BlackHole> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get openCount() {
      return sockets.size;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
