import {
  type AuthPolicy,
  type ExitCode,
  type Hop,
  parseCredential,
  parseTarget,
  type RoadOpener,
  Session,
  type ShellOptions,
  type TrustPolicy,
} from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { walkRoad } from '@fairlead/protocol/road';
import { type GssServer, RIG_ACCOUNT, type ServerEvent } from '../peers/peers.ts';

/** A session from Node against the GSS-API server. */
export interface Run {
  readonly session: Session;
  /** Takes all output and waits for the exit code. */
  readonly finish: () => Promise<{ stdout: Uint8Array; stderr: Uint8Array; exit: ExitCode }>;
}

/** How a test wants its session. */
export interface RunOptions {
  readonly target: string;
  readonly hops?: readonly Hop[];
  readonly command: string;
  /** Written to standard input, which is then closed; without it nothing is sent. */
  readonly input?: string;
  readonly policy?: AuthPolicy;
  readonly user?: string;
  readonly password?: string;
  /** For https targets: who may be talked to. */
  readonly trust?: TrustPolicy;
  readonly seal?: 'auto' | 'always';
  /** In place of the road that `hops` makes. */
  readonly openRoad?: RoadOpener;
  readonly shell?: Partial<ShellOptions>;
}

/** Makes a session for one command; `open` is left to the test. */
export function makeRun(options: RunOptions): Run {
  const { target } = parseTarget(options.target);
  const walk: RoadOpener = (_lane, onHop, signal) =>
    walkRoad({
      route: { name: 'test', hops: options.hops ?? [] },
      target,
      dial: nodeDialer,
      platform: defaultPlatform,
      onHop,
      signal,
    });
  const session = new Session({
    target,
    policy: options.policy ?? 'negotiate',
    credential: parseCredential(options.user ?? RIG_ACCOUNT.user, options.password ?? RIG_ACCOUNT.password),
    openRoad: options.openRoad ?? walk,
    seal: options.seal ?? 'auto',
    ...(options.trust && { trust: { policy: options.trust, ask: () => Promise.resolve('refuse') } }),
    platform: defaultPlatform,
    shell: { kind: 'command', command: options.command, codePage: 65001, ...options.shell },
  });
  return {
    session,
    finish: async () => {
      const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
      for await (const { stream, bytes } of session.output) if (stream !== 'gap') parts[stream].push(bytes);
      const exit = await session.exit;
      return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr), exit };
    },
  };
}

/** Runs one command from open to close. */
export async function runOnce(options: RunOptions): Promise<{ stdout: string; stderr: string; exit: ExitCode }> {
  const { session, finish } = makeRun(options);
  try {
    await session.open();
    if (options.input !== undefined) {
      await session.writeText(options.input);
      await session.endInput();
    }
    const { stdout, stderr, exit } = await finish();
    return { stdout: Buffer.from(stdout).toString('utf8'), stderr: Buffer.from(stderr).toString('utf8'), exit };
  } finally {
    await session.close();
  }
}

/** What the server saw of each of its TCP connections. */
export interface SeenConnection {
  readonly handshakes: number;
  readonly failures: number;
  /** Requests up to and including the first Receive, authentication legs counted. */
  readonly requestsToFirstReceive: number;
  /** The actions of sealed requests, in order. */
  readonly actions: readonly string[];
  /** `Via` headers, as a forwarding proxy adds them. */
  readonly isForwarded: boolean;
}

/** The server's log, per connection, in the order in which they were opened. */
export function connectionsOf(server: GssServer): SeenConnection[] {
  const byConnection = new Map<number, ServerEvent[]>();
  for (const event of server.log()) {
    if (event.conn === undefined) continue;
    byConnection.set(event.conn, [...(byConnection.get(event.conn) ?? []), event]);
  }
  return [...byConnection.values()].map((events) => ({
    handshakes: events.filter((event) => event.ev === 'auth' && event['ok'] === true).length,
    failures: events.filter((event) => event.ev === 'auth' && event['ok'] === false).length,
    requestsToFirstReceive: requestsToFirstReceive(events),
    actions: events.filter((event) => event['sealed'] === true).map((event) => String(event['action'])),
    isForwarded: events.some((event) => typeof event['via'] === 'string'),
  }));
}

function requestsToFirstReceive(events: readonly ServerEvent[]): number {
  const requests = events.filter((event) => event.ev === 'request');
  return requests.findIndex((event) => event['action'] === 'Receive') + 1;
}
