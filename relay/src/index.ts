import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { rootCertificates } from 'node:tls';
import type { DemoInfo } from '@fairlead/contract';
import { nodeSecureHop } from '@fairlead/protocol/proxy-tls';
import type { DestinationStream } from 'pino';
import { CodeDesk, TicketDesk } from './access.ts';
import { Api } from './api.ts';
import { type RelayConfig, StartError } from './config.ts';
import { type DialPolicy, exactRule, type Rule } from './dial-policy.ts';
import { type Resolve, systemResolve } from './dialer.ts';
import { HttpPipeDoor } from './http-pipe.ts';
import { LastingPipes } from './lasting-pipes.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { OriginCheck } from './origin.ts';
import { PipeRoom } from './pipe-room.ts';
import { nodePlatform } from './platform.ts';
import { createDoors } from './server.ts';
import { SignInCookie } from './sign-in-cookie.ts';
import { loadSite, type StaticSite } from './static-site.ts';
import { openStore, type Store } from './store.ts';

export { type RelayConfig, readConfig, StartError } from './config.ts';

/** How long a PAC file may take. */
const SCRIPT_TIMEOUT_MS = 10_000;

/** A relay that runs. */
export interface Relay {
  readonly port: number;
  /** What people type. */
  readonly origin: string;
  /** Lets whoever proves a code in, once. @param proofHash see `hashProof` of the contract */
  expectProof(proofHash: string): void;
  /** The demo has ended: nobody is told of it any more, and its ports, which others may have by now, are forbidden. */
  forgetDemo(): void;
  /** Stops listening, lets connections finish for the time configured, ends them. Under 10 s. */
  close(): Promise<void>;
}

/** What a program that runs a relay inside itself, such as a test, may put in the place of the machine's own. */
export interface RelayParts {
  readonly resolve?: Resolve;
  readonly logTo?: DestinationStream;
  readonly clock?: { now(): number; monotonicMs(): number };
  readonly beatMs?: number;
  readonly onCodeUsed?: () => void;
}

/**
 * Starts a relay.
 *
 * @throws StartError when a setting or the machine does not allow it
 */
export async function startRelay(config: RelayConfig, parts: RelayParts = {}): Promise<Relay> {
  const log = createLog(config.logLevel, parts.logTo);
  const site = await loadSite(config.staticFolder);
  const demo: DemoStand = { current: config.demo };
  const policy = policyOf(config, demo);
  const store = openStore(config.dataFolder);
  const relay = assemble({ config, parts, log, site, policy, store, demo });
  try {
    await listen(relay.server, config);
  } catch (error) {
    await relay.room.drain(0);
    store.close();
    throw error;
  }
  const port = portOf(relay.server, config.port);
  const compressed = site.compress().then(() => log.debug('static.loaded', { count: site.size }));
  log.info('relay.ready', { port });
  let closing: Promise<void> | null = null;
  const close = async () => {
    relay.startDraining();
    log.info('relay.draining', {});
    site.stop();
    const closed = new Promise<void>((resolve) => relay.server.close(() => resolve()));
    relay.server.closeIdleConnections();
    await relay.room.drain(config.drainSeconds * 1000);
    relay.server.closeAllConnections();
    await Promise.all([closed, compressed]);
    store.close();
    relay.metrics.stop();
    log.info('relay.stopped', {});
  };
  return {
    port,
    origin: config.publicOrigin ?? `http://${config.host.includes(':') ? '[::1]' : 'localhost'}:${port}`,
    expectProof: (proofHash) => relay.codes.expect(proofHash),
    forgetDemo() {
      demo.current = null;
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

interface Materials {
  readonly config: RelayConfig;
  readonly parts: RelayParts;
  readonly log: Log;
  readonly site: StaticSite;
  readonly policy: DialPolicy;
  readonly store: Store;
  readonly demo: DemoStand;
}

/** Joins the rooms of the relay; nothing listens yet. */
function assemble({ config, parts, log, site, policy, store, demo }: Materials) {
  const metrics = createMetrics();
  const codes = new CodeDesk();
  const tickets = new TicketDesk();
  const room = new PipeRoom({
    ...{ policy, tickets, store, log, metrics },
    resolve: parts.resolve ?? systemResolve,
    clock: parts.clock ?? nodePlatform,
    connectionLimit: config.connectionLimit,
    dialTimeoutMs: config.dialTimeoutSeconds * 1000,
    lasting: new LastingPipes({ holdBytes: config.holdBytes, holdSeconds: config.holdSeconds, metrics }),
    secureHop: nodeSecureHop(config.proxyCa === null ? [] : [readCa(config.proxyCa)]),
    mayHttpBehindSignIn: config.httpBehindSignIn === 'allow',
    ...(parts.beatMs === undefined ? {} : { beatMs: parts.beatMs }),
  });
  const origins = new OriginCheck(config.publicOrigin, config.host);
  const cookie = new SignInCookie(origins.isHttps, () => portOf(server, config.port));
  let isDraining = false;
  const api = new Api({
    ...{ policy, codes, tickets, store, cookie, origins, room, log, metrics },
    version: readVersion(),
    demo: () => demo.current,
    canReach: {
      ...{ targets: textsOf(config.targets), proxies: textsOf(config.proxies) },
      ...(config.httpBehindSignIn === 'allow' && { httpBehindSignIn: true }),
      ...(config.proxyScripts.length > 0 && { scripts: textsOf(config.proxyScripts) }),
    },
    scripts: {
      ...{ rules: config.proxyScripts, resolve: parts.resolve ?? systemResolve, timeoutMs: SCRIPT_TIMEOUT_MS },
      roots: config.proxyCa === null ? [] : [...rootCertificates, readCa(config.proxyCa)],
    },
    ticketsPerMinute: config.dialsPerMinute,
    onCodeUsed: () => parts.onCodeUsed?.(),
  });
  const signInOf = (request: IncomingMessage) => {
    const token = cookie.read(request);
    return token === null ? null : store.find(token, room.clock.now());
  };
  const httpPipe = new HttpPipeDoor({
    ...{ origins, signInOf, isDraining: () => isDraining },
    accept: (socket, signIn) => room.accept(socket, signIn),
  });
  const server = createDoors({
    ...{ origins, api, httpPipe, site, metrics, log },
    metricsToken: config.metricsToken,
    isDraining: () => isDraining,
    onPipe: (socket, request) => room.accept(socket, signInOf(request)),
  });
  const startDraining = () => {
    isDraining = true;
  };
  return { server, room, codes, metrics, startDraining };
}

function portOf(server: Server, fallback: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : fallback;
}

/** The demo, for as long as there is one. */
interface DemoStand {
  current: DemoInfo | null;
}

/** The rules of the settings and, while the demo is there, exactly its host and proxies. */
function policyOf(config: RelayConfig, stand: DemoStand): DialPolicy {
  const { demo } = config;
  if (demo === null) return config;
  const exact = (place: { host: string; port: number }): Rule => {
    const rule = exactRule(place.host, place.port);
    if (rule === null) throw new StartError('FAIRLEAD_DEMO names a host that is not one.');
    return rule;
  };
  const withDemo: DialPolicy = {
    targets: [...config.targets, exact(demo.target), ...(demo.https === undefined ? [] : [exact(demo.https.target)])],
    proxies: [
      ...config.proxies,
      ...demo.route.hops.map(exact),
      ...(demo.maze?.rooms ?? []).map(({ proxy }) => exact(proxy)),
    ],
  };
  const now = (): DialPolicy => (stand.current === null ? config : withDemo);
  return {
    get targets() {
      return now().targets;
    },
    get proxies() {
      return now().proxies;
    },
  };
}

function textsOf(rules: readonly Rule[]): string[] {
  return rules.map((rule) => rule.text);
}

function readCa(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (cause) {
    throw new StartError('FAIRLEAD_PROXY_CA cannot be read.', { cause });
  }
  throw new StartError('FAIRLEAD_PROXY_CA has no certificate in it; PEM is expected.');
}

function readVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof file === 'object' && file !== null && 'version' in file ? String(file.version) : 'unknown';
}

function listen(server: Server, config: RelayConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, config)));
    server.listen(config.port, config.host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, { host, port }: RelayConfig): StartError {
  const sentences: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is taken; set FAIRLEAD_PORT to another one.`,
    EACCES: `There is no permission to listen on port ${port}; set FAIRLEAD_PORT to one above 1023.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine; set FAIRLEAD_HOST to one that is.`,
  };
  return new StartError(sentences[cause.code ?? ''] ?? `Cannot listen on ${host}, port ${port}: ${cause.code}.`, {
    cause,
  });
}
