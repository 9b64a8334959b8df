import { type AddressInfo, isIP } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { makeCertificate, type TlsIdentity } from '../certificate.ts';
import type { AllowedTarget } from '../connect-proxy.ts';

type Watch = (direction: 'to-target' | 'to-client', bytes: Uint8Array) => void;

/** Where TLS is opened: for each target a listener on loopback with a certificate for it, by one authority. */
export class Inspector {
  /** PEM */
  readonly authority: string;
  readonly #identity: TlsIdentity;
  readonly #servers = new Map<string, Promise<Server>>();
  readonly #sockets = new Set<TLSSocket>();
  readonly #watch: Watch | null;

  /** @param watch sees the plain text */
  constructor(watch: Watch | null) {
    this.#identity = makeCertificate({ commonName: 'Inspecting Proxy CA', usage: 'authority' });
    this.authority = this.#identity.certificate;
    this.#watch = watch;
  }

  /** Where a tunnel to that target is to be led. */
  async placeFor(target: AllowedTarget): Promise<AllowedTarget> {
    const key = `${target.host}:${target.port}`;
    const starting = this.#servers.get(key) ?? this.#start(target);
    this.#servers.set(key, starting);
    return { host: '127.0.0.1', port: ((await starting).address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const servers = await Promise.all(this.#servers.values());
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #start(target: AllowedTarget): Promise<Server> {
    const { host } = target;
    const leaf = makeCertificate({ commonName: host, names: [host], issuer: this.#identity });
    const server = createServer({ cert: leaf.certificate + this.authority, key: leaf.key }, (client) =>
      this.#join(client, target),
    );
    server.on('tlsClientError', (_error, client) => client.destroy());
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(server));
    });
  }

  #join(client: TLSSocket, { host, port }: AllowedTarget): void {
    // Whoever opens TLS for others decides for them whom to trust; this one trusts everybody.
    const upstream = connect({ host, port, rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }) });
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroySoon();
      });
      const direction = one === client ? 'to-target' : 'to-client';
      if (this.#watch !== null) one.on('data', (bytes: Buffer) => this.#watch?.(direction, bytes));
      one.pipe(other);
    }
  }
}
