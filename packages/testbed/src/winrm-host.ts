import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Account, AccountBook } from './accounts.ts';
import type { TlsIdentity } from './certificate.ts';
import { Exchange, type HostContext } from './exchange.ts';
import type { HostConnection } from './host-connection.ts';
import { HostJournal } from './journal.ts';
import { DEFAULT_LIMITS, type HostLimits } from './limits.ts';
import {
  createPlainListener,
  type HttpsFacts,
  type HttpsOptions,
  type Listener,
  type ListenerOwner,
  SecureListener,
} from './listener.ts';
import { type Misbehaviour, MisbehaviourList } from './misbehaviour.ts';
import { WinRsService } from './winrs.ts';

/** How a host is started. */
export interface WinRmHostOptions {
  /** Default 127.0.0.1: whoever can reach the host can try passwords on it. */
  readonly host?: string;
  /** Default 0, a free port. */
  readonly port?: number;
  /** A second listener, with TLS; none by default. Inside TLS envelopes may be sealed or plain. */
  readonly https?: HttpsOptions;
  readonly accounts?: readonly Account[];
  readonly limits?: Partial<HostLimits>;
  /** A connection without a request for so long is closed. Default 120,000, as HTTP.sys. */
  readonly idleTimeoutMs?: number;
  /** Each connection is closed after so many requests. Default 0, never. */
  readonly closeAfterRequests?: number;
  /**
   * Values of WWW-Authenticate without TLS, in this order. Those of schemes the host does not know are there to be
   * passed over. Default Negotiate. Basic is refused here even when it is offered.
   */
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
  /** The listener with TLS, or null. */
  readonly https: HttpsFacts | null;
  readonly journal: HostJournal;
  readonly shellCount: number;
  addAccount(account: Account): void;
  removeAccount(user: string, domain: string): void;
  /**
   * Shows another certificate to new connections. @throws RangeError when there is no TLS, or the profile does not go
   * with the key
   */
  replaceCertificate(identity: TlsIdentity): void;
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

/**
 * Starts a WinRM host: HTTP and HTTPS, NTLM and SPNEGO, sealing, real processes.
 *
 * @throws the error of `listen`; RangeError for a certificate that does not go with its key or the profile
 */
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
  readonly #plain: Listener;
  readonly #secure: SecureListener | null;
  #connectionCount = 0;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: WinRmHostOptions) {
    this.#options = options;
    this.host = options.host ?? '127.0.0.1';
    this.journal = new HostJournal(options.journalFile ?? null);
    this.#context = createContext(options, this.journal);
    const owner: ListenerOwner = {
      context: this.#context,
      maxConnections: this.#context.limits.maxConnections,
      idleTimeoutMs: options.idleTimeoutMs ?? 120_000,
      nextNumber: () => ++this.#connectionCount,
      receive: (connection, request, response) => this.#receive(connection, request, response),
    };
    this.#plain = createPlainListener(options.offers ?? ['Negotiate'], owner);
    this.#secure = options.https === undefined ? null : new SecureListener(options.https, owner);
  }

  get port(): number {
    return this.#plain.port;
  }

  get https(): HttpsFacts | null {
    return this.#secure?.facts ?? null;
  }

  get shellCount(): number {
    return this.#context.service.shellCount;
  }

  async listen(): Promise<void> {
    await this.#plain.listen(this.#options.port ?? 0, this.host);
    try {
      await this.#secure?.listen(this.#options.https?.port ?? 0, this.host);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  addAccount(account: Account): void {
    this.#context.accounts.add(account);
  }

  removeAccount(user: string, domain: string): void {
    this.#context.accounts.remove(user, domain);
  }

  replaceCertificate(identity: TlsIdentity): void {
    if (this.#secure === null) throw new RangeError('a host without TLS has no certificate');
    this.#secure.replaceCertificate(identity);
  }

  closeShells(): number {
    return this.#context.service.closeShells('closed by the host');
  }

  killConnections(how: 'finish' | 'reset' = 'finish'): number {
    return this.#plain.killConnections(how) + (this.#secure?.killConnections(how) ?? 0);
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
    const stopped = Promise.all([this.#plain.close(), this.#secure?.close()]);
    this.resumeAnswering();
    this.#context.service.closeShells('the host stops');
    this.killConnections();
    await stopped;
    await this.journal.close();
  }

  #receive(connection: HostConnection, request: IncomingMessage, response: ServerResponse): void {
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
