import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Account, AccountBook } from './accounts.ts';
import { Exchange, type HostContext } from './exchange.ts';
import { HostConnection } from './host-connection.ts';
import { HostJournal } from './journal.ts';
import { DEFAULT_LIMITS, type HostLimits } from './limits.ts';
import { type Misbehaviour, MisbehaviourList } from './misbehaviour.ts';
import { WinRsService } from './winrs.ts';

/** How a host is started. */
export interface WinRmHostOptions {
  /** Default 127.0.0.1: whoever can reach the host can try passwords on it. */
  readonly host?: string;
  /** Default 0, a free port. */
  readonly port?: number;
  readonly accounts?: readonly Account[];
  readonly limits?: Partial<HostLimits>;
  /** A connection without a request for so long is closed. Default 120,000, as HTTP.sys. */
  readonly idleTimeoutMs?: number;
  /** Each connection is closed after so many requests. Default 0, never. */
  readonly closeAfterRequests?: number;
  /** Schemes in WWW-Authenticate, in this order; those the host does not know are there to be passed over. */
  readonly offers?: readonly string[];
  /** As in the NTLM CHALLENGE. Default FAIRLEAD. */
  readonly computerName?: string;
  /** Where shells begin. Default the home directory of the person who started the host. */
  readonly workingDirectory?: string;
  /** JSON lines of the journal. */
  readonly journalFile?: string;
  /** Says nothing to a request that brings neither a token nor a signed-in connection, as some servers do. */
  readonly ignoresBareRequests?: boolean;
}

/** A running host. */
export interface WinRmHost {
  readonly host: string;
  readonly port: number;
  readonly journal: HostJournal;
  readonly shellCount: number;
  addAccount(account: Account): void;
  removeAccount(user: string, domain: string): void;
  /** Closes every shell as a stopping service would; returns how many there were. */
  closeShells(): number;
  /** Cuts every connection, with FIN or with RST; returns how many there were. */
  killConnections(how?: 'finish' | 'reset'): number;
  /** From now on requests are read and not answered. */
  stopAnswering(): void;
  /** Answers what was held back, and everything after it. */
  resumeAnswering(): void;
  /** Does one thing wrong, on the next request of an operation or on the next with an envelope. */
  misbehaveNext(what: Misbehaviour, operation?: string): void;
  /** Stops, with all connections, shells and processes. Idempotent. */
  close(): Promise<void>;
}

/** Starts a WinRM host: HTTP, NTLM and SPNEGO, sealing, real processes. @throws the error of `listen` */
export async function startWinRmHost(options: WinRmHostOptions = {}): Promise<WinRmHost> {
  const host = new RunningHost(options);
  await host.listen();
  return host;
}

/** What sealing and its framing add to an envelope, with room. */
const SEALING_BYTES = 4096;

class RunningHost implements WinRmHost {
  readonly host: string;
  readonly journal: HostJournal;
  readonly #options: WinRmHostOptions;
  readonly #context: HostContext;
  readonly #server: Server;
  readonly #connections = new Map<Socket, HostConnection>();
  #connectionCount = 0;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: WinRmHostOptions) {
    this.#options = options;
    this.host = options.host ?? '127.0.0.1';
    this.journal = new HostJournal(options.journalFile ?? null);
    this.#context = createContext(options, this.journal);
    // keepAliveTimeout: the idle clock is ours, because it must run from the first byte on, as HTTP.sys's does.
    this.#server = createServer({ keepAliveTimeout: 0, maxHeaderSize: 64 * 1024, noDelay: true });
    this.#server.maxConnections = this.#context.limits.maxConnections;
    this.#server.on('connection', (socket: Socket) => this.#welcome(socket));
    this.#server.on('request', (request, response) => this.#receive(request, response));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get shellCount(): number {
    return this.#context.service.shellCount;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, this.host, resolve);
    });
  }

  addAccount(account: Account): void {
    this.#context.accounts.add(account);
  }

  removeAccount(user: string, domain: string): void {
    this.#context.accounts.remove(user, domain);
  }

  closeShells(): number {
    return this.#context.service.closeShells('closed by the host');
  }

  killConnections(how: 'finish' | 'reset' = 'finish'): number {
    const sockets = [...this.#connections.keys()];
    for (const socket of sockets) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
    return sockets.length;
  }

  stopAnswering(): void {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    this.#gate ??= { opened, open };
  }

  resumeAnswering(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  misbehaveNext(what: Misbehaviour, operation?: string): void {
    this.#context.misbehaviour.add(what, operation ?? null);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.resumeAnswering();
    this.#context.service.closeShells('the host stops');
    this.killConnections();
    await stopped;
    await this.journal.close();
  }

  #welcome(socket: Socket): void {
    this.#connectionCount += 1;
    const connection = new HostConnection(this.#connectionCount, socket, this.journal);
    this.#connections.set(socket, connection);
    socket.on('close', () => this.#connections.delete(socket));
    connection.startIdling(this.#idleTimeoutMs);
  }

  get #idleTimeoutMs(): number {
    return this.#options.idleTimeoutMs ?? 120_000;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return void response.destroy();
    connection.stopIdling();
    response.on('close', () => connection.startIdling(this.#idleTimeoutMs));
    connection
      .inTurn(() => this.#exchange(connection, request, response))
      .catch((error: unknown) => {
        // A mistake of ours must not look like a server that waits.
        response.destroy(error instanceof Error ? error : undefined);
      });
  }

  async #exchange(connection: HostConnection, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = new Exchange(this.#context, connection, request, response);
    const body = await readBody(request, this.#context.limits.maxEnvelopeBytes * 2 + SEALING_BYTES);
    connection.requestCount += 1;
    if (this.#gate !== null) await this.#gate.opened;
    if (response.destroyed) exchange.abandon();
    else await exchange.run(body);
  }
}

function createContext(options: WinRmHostOptions, journal: HostJournal): HostContext {
  const accounts = new AccountBook();
  for (const account of options.accounts ?? []) accounts.add(account);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return {
    accounts,
    service: new WinRsService(limits, journal, options.workingDirectory ?? null),
    journal,
    limits,
    misbehaviour: new MisbehaviourList(),
    computerName: options.computerName ?? 'FAIRLEAD',
    offers: options.offers ?? ['Negotiate'],
    ignoresBareRequests: options.ignoresBareRequests ?? false,
    closeAfterRequests: options.closeAfterRequests ?? 0,
  };
}

/** The whole body; null when it is longer than allowed (what follows is dropped unread) or never came to its end. */
function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= limitBytes) parts.push(part);
      else {
        request.pause();
        resolve(null);
      }
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', () => resolve(null));
    request.on('close', () => resolve(null));
  });
}
