import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { makeCertificate, type Thumbprints, type TlsIdentity, thumbprintsOf } from './certificate.ts';
import type { CbtHardening } from './channel-binding.ts';
import { type ConnectionHost, HostConnection, type ListenerRules } from './host-connection.ts';
import { type ClientCertificateDemand, clientCertificateOptions, type TlsProfile, tlsOptions } from './tls-profile.ts';

/** How a host listens with TLS. */
export interface HttpsOptions {
  /** Default 0, a free port. */
  readonly port?: number;
  /** PEM, with `key`: whom the host shows. Default a certificate of its own making for 127.0.0.1 and localhost. */
  readonly certificate?: string;
  /** PEM, not encrypted. */
  readonly key?: string;
  /** Default current. */
  readonly profile?: TlsProfile;
  /** Default relaxed, as on Windows. */
  readonly cbt?: CbtHardening;
  /** Default none. */
  readonly clientCertificate?: ClientCertificateDemand;
  /** PEM: who issues the certificates that clients are asked for. Default nobody in particular. */
  readonly clientAuthorities?: readonly string[];
  /** Default Negotiate and Basic. */
  readonly offers?: readonly string[];
}

/** Where a listener with TLS is, and whom it shows. */
export interface HttpsFacts {
  readonly port: number;
  /** PEM */
  readonly certificate: string;
  readonly thumbprints: Thumbprints;
}

/** The host behind its listeners. */
export interface ListenerOwner {
  readonly context: ConnectionHost;
  /** Per listener. */
  readonly maxConnections: number;
  /** A connection without a request for so long is closed. */
  readonly idleTimeoutMs: number;
  /** A number for a new connection. */
  nextNumber(): number;
  receive(connection: HostConnection, request: IncomingMessage, response: ServerResponse): void;
}

/** One port of a host, and the connections that came through it. */
export class Listener {
  readonly #server: Server | SecureServer;
  readonly #rules: ListenerRules;
  readonly #owner: ListenerOwner;
  /** By the client's address and port, which is what Node's TLS socket shares with the socket it reads from. */
  readonly #connections = new Map<string, HostConnection>();

  constructor(server: Server | SecureServer, rules: ListenerRules, owner: ListenerOwner) {
    this.#server = server;
    this.#rules = rules;
    this.#owner = owner;
    server.maxConnections = owner.maxConnections;
    server.on('connection', (socket: Socket) => this.#welcome(socket));
    server.on('secureConnection', (socket: TLSSocket) => this.#secure(socket));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      this.#connections.get(keyOf(socket))?.failedToSecure(error.code ?? error.name);
      socket.destroy();
    });
    server.on('request', (request, response) => this.#receive(request, response));
  }

  /** 0 while it does not listen. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  listen(port: number, address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, resolve);
    });
  }

  /** Cuts every connection; returns how many there were. */
  killConnections(how: 'finish' | 'reset'): number {
    const connections = [...this.#connections.values()];
    for (const connection of connections) connection.cut(how);
    return connections.length;
  }

  /** Takes nobody in any more; resolves when the last connection is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #welcome(socket: Socket): void {
    const key = keyOf(socket);
    const connection = new HostConnection(this.#owner.nextNumber(), socket, this.#rules, this.#owner.context);
    this.#connections.set(key, connection);
    socket.on('close', () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    connection.startIdling(this.#owner.idleTimeoutMs);
  }

  #secure(socket: TLSSocket): void {
    if (this.#rules.tls === null) return;
    this.#connections.get(keyOf(socket))?.secured(socket, this.#rules.tls);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(keyOf(request.socket));
    if (connection === undefined) return void response.destroy();
    connection.stopIdling();
    response.on('close', () => connection.startIdling(this.#owner.idleTimeoutMs));
    this.#owner.receive(connection, request, response);
  }
}

/** The listener with TLS: its certificate may change while it runs. */
export class SecureListener extends Listener {
  readonly #server: SecureServer;
  readonly #optionsFor: (identity: TlsIdentity) => TlsOptions;
  #identity: TlsIdentity;

  /** @throws RangeError without certificate or key, or when the profile does not go with the key */
  constructor(options: HttpsOptions, owner: ListenerOwner) {
    const { profile = 'current', cbt = 'relaxed', clientCertificate = 'none', clientAuthorities } = options;
    const identity = identityOf(options, profile, owner.context.computerName);
    const optionsFor = (whom: TlsIdentity): TlsOptions => ({
      ...tlsOptions(profile, whom),
      ...clientCertificateOptions(clientCertificate, clientAuthorities),
    });
    const server = createSecureServer({ ...HTTP_OPTIONS, ...optionsFor(identity) });
    const { offers = ['Negotiate', 'Basic realm="WSMAN"'] } = options;
    super(server, { offers, tls: { cbt, clientCertificate } }, owner);
    this.#server = server;
    this.#optionsFor = optionsFor;
    this.#identity = identity;
  }

  get facts(): HttpsFacts {
    const { certificate } = this.#identity;
    return { port: this.port, certificate, thumbprints: thumbprintsOf(certificate) };
  }

  /** Shows another certificate from now on; connections that are open keep theirs. @throws RangeError as at the start */
  replaceCertificate(identity: TlsIdentity): void {
    this.#server.setSecureContext(this.#optionsFor(identity));
    this.#identity = identity;
  }
}

/** The listener without TLS. */
export function createPlainListener(offers: readonly string[], owner: ListenerOwner): Listener {
  return new Listener(createServer(HTTP_OPTIONS), { offers, tls: null }, owner);
}

// keepAliveTimeout: the idle clock is ours, because it must run from the first byte on, as HTTP.sys's does.
const HTTP_OPTIONS = { keepAliveTimeout: 0, maxHeaderSize: 64 * 1024, noDelay: true };

function identityOf(options: HttpsOptions, profile: TlsProfile, computerName: string): TlsIdentity {
  const { certificate, key } = options;
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate !== undefined || key !== undefined) throw new RangeError('a certificate needs its key');
  return makeCertificate({
    commonName: computerName,
    names: ['localhost', '127.0.0.1', '::1'],
    keyType: profile === 'old-server' ? 'RSA-2048' : 'P-256',
  });
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
