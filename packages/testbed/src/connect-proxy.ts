import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A host and a port a proxy may tunnel to. */
export interface AllowedTarget {
  readonly host: string;
  readonly port: number;
}

/** How a CONNECT proxy is started. */
export interface ConnectProxyOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0, a free port. */
  readonly port?: number;
  /** Tunnels lead here and nowhere else; none by default. Addresses and names are compared as they are written. */
  readonly allow?: readonly AllowedTarget[];
  /** Challenges (`Basic realm="office"`) with which every CONNECT is refused: this proxy knows no password. */
  readonly demands?: readonly string[];
  /** Sees each piece that crosses the tunnels, for tests that prove what a proxy can read. */
  readonly onBytes?: (direction: 'to-target' | 'to-client', bytes: Uint8Array) => void;
}

/** What a proxy did. */
export type ProxyEvent =
  | { readonly event: 'tunnel'; readonly tunnel: number; readonly target: string }
  | { readonly event: 'refused'; readonly target: string; readonly status: number }
  | {
      readonly event: 'closed';
      readonly tunnel: number;
      readonly bytesToTarget: number;
      readonly bytesToClient: number;
    };

/** A running proxy. */
export interface ConnectProxy {
  readonly host: string;
  readonly port: number;
  /** Oldest first; the oldest go past MAX_PROXY_ENTRIES. */
  readonly journal: readonly ProxyEvent[];
  /** Adds a target while it runs. */
  allow(target: AllowedTarget): void;
  /** Cuts every tunnel; returns how many there were. */
  killTunnels(): number;
  /** Stops, with all tunnels. Idempotent. */
  close(): Promise<void>;
}

/** So that a demo of weeks stays small. */
export const MAX_PROXY_ENTRIES = 10_000;

/** Starts a proxy that tunnels with CONNECT (RFC 9110, section 9.3.6) and does nothing else. @throws the error of `listen` */
export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const proxy = new RunningProxy(options);
  await proxy.listen();
  return proxy;
}

class RunningProxy implements ConnectProxy {
  readonly host: string;
  readonly journal: ProxyEvent[] = [];
  readonly #options: ConnectProxyOptions;
  readonly #allowed = new Set<string>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #tunnelCount = 0;
  #openTunnels = 0;
  #closing: Promise<void> | null = null;

  constructor(options: ConnectProxyOptions) {
    this.#options = options;
    this.host = options.host ?? '127.0.0.1';
    for (const target of options.allow ?? []) this.allow(target);
    this.#server = createServer((_request, response) => {
      response.writeHead(405, { Allow: 'CONNECT', Connection: 'close' }).end(page(405, 'This proxy only tunnels.'));
    });
    this.#server.on('connection', (socket: Socket) => this.#track(socket));
    this.#server.on('connect', (request, socket, head) => this.#connect(request, socket as Socket, head));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, this.host, resolve);
    });
  }

  allow(target: AllowedTarget): void {
    this.#allowed.add(authority(target));
  }

  killTunnels(): number {
    const count = this.#openTunnels;
    for (const socket of this.#sockets) socket.destroy();
    return count;
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
    return this.#closing;
  }

  #connect(request: IncomingMessage, client: Socket, head: Buffer): void {
    const text = request.url ?? '';
    const target = parseAuthority(text);
    const { demands = [] } = this.#options;
    const isAllowed = target !== null && this.#allowed.has(authority(target));
    if (target === null || demands.length > 0 || !isAllowed) {
      const status = target === null ? 400 : demands.length > 0 ? 407 : 403;
      const challenges = demands.map((each) => `Proxy-Authenticate: ${each}`);
      this.#refuse(client, text, status, status === 407 ? challenges : []);
      return;
    }
    const upstream = connect({ host: target.host, port: target.port, allowHalfOpen: true });
    this.#track(upstream);
    const onEarlyError = (error: NodeJS.ErrnoException): void =>
      this.#refuse(client, text, error.code === 'ETIMEDOUT' ? 504 : 502);
    upstream.once('error', onEarlyError);
    upstream.once('connect', () => {
      upstream.removeListener('error', onEarlyError);
      upstream.setNoDelay(true);
      client.write(`HTTP/1.1 200 Connection established\r\nVia: ${VIA}\r\n\r\n`);
      this.#join(client, upstream, head, text);
    });
    client.once('close', () => upstream.destroy());
  }

  /** From here on the two sockets are one: bytes, back-pressure and half-close pass both ways. */
  #join(client: Socket, upstream: Socket, head: Buffer, target: string): void {
    this.#tunnelCount += 1;
    this.#openTunnels += 1;
    const tunnel = this.#tunnelCount;
    this.#record({ event: 'tunnel', tunnel, target });
    const { onBytes } = this.#options;
    if (onBytes !== undefined) {
      if (head.length > 0) onBytes('to-target', head);
      client.on('data', (bytes: Buffer) => onBytes('to-target', bytes));
      upstream.on('data', (bytes: Buffer) => onBytes('to-client', bytes));
    }
    let bytesToTarget = head.length;
    client.on('data', (bytes: Buffer) => {
      bytesToTarget += bytes.length;
    });
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream);
    upstream.pipe(client);
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => {
      this.#openTunnels -= 1;
      this.#record({ event: 'closed', tunnel, bytesToTarget, bytesToClient: upstream.bytesRead });
      client.destroySoon();
    });
  }

  #refuse(client: Socket, target: string, status: number, fields: readonly string[] = []): void {
    this.#record({ event: 'refused', target, status });
    const body = page(status, WHY[status] ?? '');
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Via: ${VIA}`,
      ...fields,
      'Content-Type: text/html; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    if (!client.destroyed) client.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  }

  #record(event: ProxyEvent): void {
    if (this.journal.length === MAX_PROXY_ENTRIES) this.journal.shift();
    this.journal.push(event);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

const VIA = '1.1 fairlead-demo-proxy';
const WHY: Readonly<Record<number, string>> = {
  400: 'CONNECT needs a host and a port.',
  403: 'This proxy tunnels to the demo host and nowhere else.',
  407: 'This proxy wants to know who you are.',
  502: 'The target refused the connection.',
  504: 'The target did not answer.',
};

function page(status: number, why: string): string {
  return `<!doctype html><title>${status}</title><p>${why}</p>\n`;
}

function authority(target: AllowedTarget): string {
  return `${target.host.toLowerCase()}:${target.port}`;
}

/** host:port or [v6]:port; the host without brackets. RFC 9112, section 3.2.3 */
function parseAuthority(text: string): AllowedTarget | null {
  const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}
