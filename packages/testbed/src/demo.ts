import { type ConnectProxy, startConnectProxy } from './connect-proxy.ts';
import { keptCertificate } from './kept-certificate.ts';
import { type Maze, type MazeOptions, type MazePlace, startMaze } from './maze.ts';
import { startWinRmHost, type WinRmHost, type WinRmHostOptions } from './winrm-host.ts';

/** How the demo is started. */
export interface DemoOptions extends Omit<WinRmHostOptions, 'accounts'> {
  /** Default 0, a free port. */
  readonly proxyPort?: number;
  /** PEM file that keeps certificate and key from one start to the next. Default a new certificate at each start. */
  readonly certificateFile?: string;
  /** Whether there is a maze too, and what it has. Default none. */
  readonly maze?: Omit<MazeOptions, 'allow'>;
  /** Passed on to the proxy. */
  readonly onBytes?: (direction: 'to-target' | 'to-client', bytes: Uint8Array) => void;
}

/** What somebody must know to open the demo's shell, but for the password. */
export interface DemoPlace {
  readonly target: { readonly host: string; readonly port: number };
  /** The same host with TLS. */
  readonly https: { readonly target: { readonly host: string; readonly port: number } };
  readonly route: {
    readonly name: string;
    readonly hops: readonly { readonly kind: 'http-connect'; readonly host: string; readonly port: number }[];
  };
  /** DOMAIN\name */
  readonly user: string;
  readonly maze?: MazePlace;
}

/** A running demo: a host behind a proxy that tunnels to it alone, and perhaps a maze of worse ones. */
export interface Demo {
  readonly place: DemoPlace;
  readonly host: WinRmHost;
  readonly proxy: ConnectProxy;
  readonly maze: Maze | null;
  /** Sets the password of the demo's one account; before the first call nobody gets in. @throws RangeError when empty */
  admit(password: string): void;
  /** Stops everything. Idempotent. */
  close(): Promise<void>;
}

const DOMAIN = 'FAIRLEAD';
const USER = 'demo';
const COMMON_NAME = 'Fairlead demo host';

/** Starts host and proxy on loopback, with no account yet. @throws the errors of `listen` and of `keptCertificate` */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const { proxyPort = 0, onBytes, certificateFile, maze: mazeOptions, ...hostOptions } = options;
  const kept = certificateFile === undefined ? {} : keptCertificate(certificateFile, COMMON_NAME);
  const https = { ...kept, ...hostOptions.https };
  const host = await startWinRmHost({ computerName: DOMAIN, ...hostOptions, https });
  const target = { host: '127.0.0.1', port: host.port };
  const secureTarget = { host: '127.0.0.1', port: host.https?.port ?? 0 };
  const allow = [target, secureTarget];
  const closing: { close(): Promise<void> }[] = [host];
  const close = async (): Promise<void> => void (await Promise.all(closing.map((part) => part.close())));
  let proxy: ConnectProxy;
  let maze: Maze | null = null;
  try {
    proxy = await startConnectProxy({ port: proxyPort, allow, ...(onBytes === undefined ? {} : { onBytes }) });
    closing.push(proxy);
    if (mazeOptions !== undefined) {
      maze = await startMaze({ ...mazeOptions, allow });
      closing.push(maze);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    place: {
      target,
      https: { target: secureTarget },
      route: { name: 'Demo proxy', hops: [{ kind: 'http-connect', host: '127.0.0.1', port: proxy.port }] },
      user: `${DOMAIN}\\${USER}`,
      ...(maze === null ? {} : { maze: maze.place }),
    },
    ...{ host, proxy, maze, close },
    admit: (password) => host.addAccount({ user: USER, domain: DOMAIN, password }),
  };
}
