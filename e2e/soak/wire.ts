import { connect, createServer, type Server, type Socket } from 'node:net';

/** What stands between a tab and its relay, and can be cut. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** A wire to a port of loopback. @param stripsUpgrade whether it answers WebSockets as a proxy that knows none */
  static async to(port: number, stripsUpgrade: boolean): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server);
    server.on('connection', (near) => wire.#join(near, connect(port, '127.0.0.1'), stripsUpgrade));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  /** Where the tab finds the relay. */
  get origin(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Breaks everything that is under way, with whatever is in it. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** Lets nothing through any more. */
  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, far: Socket, stripsUpgrade: boolean): void {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#sockets.delete(one);
      });
    }
    far.pipe(near);
    near.on('data', (bytes: Buffer) => {
      if (stripsUpgrade && /\r\nupgrade: websocket\r\n/i.test(bytes.toString('latin1'))) {
        near.end('HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      } else if (!far.write(bytes)) {
        near.pause();
        far.once('drain', () => near.resume());
      }
    });
  }
}
