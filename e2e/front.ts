import { connect, createServer, type Socket } from 'node:net';

/** What stands before the product in a browser's eyes: passes bytes on, and can be cut like a cable. */
export interface Front {
  readonly port: number;
  readonly origin: string;
  /** Leads what comes from now on to another port of loopback. */
  aim(port: number): void;
  /** Breaks what is open, and lets nothing through until `join`. */
  cut(): void;
  join(): void;
  close(): Promise<void>;
}

/** Listens on a free loopback port. Leads nowhere before it is aimed. */
export async function startFront(): Promise<Front> {
  let aim = 0;
  let isCut = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (isCut || aim === 0) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port: aim });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  const breakAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    origin: `http://localhost:${address.port}`,
    aim(port) {
      aim = port;
    },
    cut() {
      isCut = true;
      breakAll();
    },
    join() {
      isCut = false;
    },
    close() {
      breakAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
