import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { socketStream } from '@fairlead/protocol/node';
import { type Account, AccountBook } from '../accounts.ts';
import type { AllowedTarget } from '../connect-proxy.ts';
import { Client } from './_client.ts';
import { Inspector } from './_inspector.ts';
import { createPairing, type Pairing } from './_pairing.ts';
import { TunnelYard } from './_tunnel.ts';
import { WAYS } from './_ways.ts';
import { CrookedJournal } from './crooked-journal.ts';

/** The one thing a proxy does wrong; `docs/peers.md` says what comes of each. */
export type Crookedness =
  /** An honest proxy that wants a name and a password of its own. */
  | 'asks-for-sign-in'
  /** Each request of a client goes over another upstream connection; tunnels change their upstream ends in the middle. */
  | 're-pairs'
  /** All clients go over one upstream connection. */
  | 'shares-connections'
  /** Closes after the 200 that ends a sign-in. */
  | 'closes-after-200'
  /** Closes after each 401, without a word about it. */
  | 'closes-after-401'
  /** Answers as HTTP/1.0 does, which ends each connection with its reply. */
  | 'speaks-http-1.0'
  /** Takes WWW-Authenticate out of replies, as Squid does with `connection-auth=off`. */
  | 'strips-challenges'
  /** Adds `Connection: close` to each reply, and closes. */
  | 'says-close'
  /** Agrees to a tunnel and answers in the target's place with a page of its own, as captive portals do. */
  | 'answers-html-after-200'
  /** Answers a wrong proxy password with 401 instead of 407, as tinyproxy 1.11 does. */
  | 'asks-with-401'
  /** Keeps only the first of several WWW-Authenticate. */
  | 'keeps-first-challenge'
  /** Lends a connection that one client has authenticated to the next, as nginx with upstream keepalive does. */
  | 'lends-authenticated-connection'
  /** Is never content with a sign-in and says each time that only its question was too old. */
  | 'loops-407'
  /** Passes everything on, byte by byte with pauses. */
  | 'dribbles'
  /** Cuts what has been silent for `idleMs`. */
  | 'cuts-idle'
  /** Cuts a reply in its middle. */
  | 'truncates'
  /** Writes something of its own into replies. */
  | 'injects'
  /** Ends TLS with a certificate of its own authority and begins it anew. */
  | 'inspects-tls';

/** How a crooked proxy is started. */
export interface CrookedProxyOptions {
  readonly crookedness: Crookedness;
  /** Roads lead here and nowhere else. Addresses and names are compared as they are written. */
  readonly allow?: readonly AllowedTarget[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0, a free port. */
  readonly port?: number;
  /** Who may use a proxy that asks; others may be admitted while it runs. */
  readonly accounts?: readonly Account[];
  /** For 'cuts-idle'. Default 10,000. */
  readonly idleMs?: number;
  /**
   * How often a client may speak and be answered before 're-pairs', 'truncates' and 'injects' begin. Default 2, which is
   * a sign-in over http; 0 for 're-pairs' in absolute form. Infinity waits for `misbehave`.
   */
  readonly calmTurns?: number;
  /** Sees everything the proxy can read, for tests that prove what that is; inside TLS it inspects, the plain text too. */
  readonly onBytes?: (direction: 'to-target' | 'to-client', bytes: Uint8Array) => void;
}

/** A running crooked proxy. */
export interface CrookedProxy {
  readonly crookedness: Crookedness;
  readonly host: string;
  readonly port: number;
  readonly journal: CrookedJournal;
  /** PEM of the authority that 'inspects-tls' issues certificates with; null for the others. */
  readonly authority: string | null;
  /** Adds a target while it runs. */
  allow(target: AllowedTarget): void;
  /** Adds somebody who may use a proxy that asks. @throws RangeError without user, domain or password */
  admit(account: Account): void;
  /** Ends the calm: what needs `calmTurns` begins with the next turn. */
  misbehave(): void;
  /** Cuts every connection, as a proxy that is restarted. */
  cutAll(): void;
  /** Stops, with all connections. Idempotent. */
  close(): Promise<void>;
}

/** What the parts of one proxy share. */
export interface ProxyScene {
  readonly crookedness: Crookedness;
  readonly options: CrookedProxyOptions;
  readonly accounts: AccountBook;
  readonly journal: CrookedJournal;
  readonly pairing: Pairing;
  readonly yard: TunnelYard;
  readonly inspector: Inspector | null;
  /** As it is now. @param usual where none was asked for */
  calmTurns(usual: number): number;
  isAllowed(target: AllowedTarget): boolean;
}

/**
 * Starts a proxy that takes CONNECT and absolute form (RFC 9112, section 3.2) and does one thing wrong. It listens on
 * loopback unless told otherwise.
 *
 * @throws the error of `listen`; RangeError for an account without user, domain or password
 */
export async function startCrookedProxy(options: CrookedProxyOptions): Promise<CrookedProxy> {
  const proxy = new RunningProxy(options);
  await proxy.listen();
  return proxy;
}

class RunningProxy implements CrookedProxy {
  readonly crookedness: Crookedness;
  readonly host: string;
  readonly journal = new CrookedJournal();
  readonly #options: CrookedProxyOptions;
  readonly #scene: ProxyScene;
  readonly #allowed = new Set<string>();
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #clientCount = 0;
  #calmTurns: number | null;
  #closing: Promise<void> | null = null;

  constructor(options: CrookedProxyOptions) {
    const { crookedness, host = '127.0.0.1' } = options;
    const { journal } = this;
    this.crookedness = crookedness;
    this.host = host;
    this.#options = options;
    this.#calmTurns = options.calmTurns ?? null;
    const calmTurns = (usual: number): number => this.#calmTurns ?? usual;
    const accounts = new AccountBook();
    for (const account of options.accounts ?? []) accounts.add(account);
    for (const target of options.allow ?? []) this.allow(target);
    this.#scene = {
      ...{ crookedness, options, accounts, journal, calmTurns },
      pairing: createPairing(WAYS[crookedness].pairing, journal, () => calmTurns(0)),
      yard: new TunnelYard(),
      inspector: crookedness === 'inspects-tls' ? new Inspector(options.onBytes ?? null) : null,
      isAllowed: (target) => this.#allowed.has(authorityOf(target)),
    };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#welcome(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get authority(): string | null {
    return this.#scene.inspector?.authority ?? null;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, this.host, resolve);
    });
  }

  allow(target: AllowedTarget): void {
    this.#allowed.add(authorityOf(target));
  }

  admit(account: Account): void {
    this.#scene.accounts.add(account);
  }

  misbehave(): void {
    this.#calmTurns = 0;
  }

  cutAll(): void {
    for (const client of [...this.#clients]) client.cut();
    this.#scene.pairing.closeAll();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cutAll();
    await Promise.all([stopped, this.#scene.inspector?.close()]);
  }

  #welcome(socket: Socket): void {
    const number = ++this.#clientCount;
    const client = new Client(number, socketStream(socket, `client ${number}`), this.#scene);
    this.#clients.add(client);
    this.journal.record({ event: 'client', client: number, what: 'opened' });
    socket.once('close', () => {
      this.#clients.delete(client);
      this.journal.record({ event: 'client', client: number, what: 'closed' });
    });
    void client.run();
  }
}

function authorityOf({ host, port }: AllowedTarget): string {
  return `${host.toLowerCase()}:${port}`;
}
