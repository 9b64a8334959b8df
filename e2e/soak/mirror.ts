import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';

/** A far end that sends back what it is sent, and hashes it. */
export interface Mirror {
  readonly port: number;
  /** Of everything so far. */
  sha256(): string;
  connectionCount(): number;
  close(): void;
}

/** Starts a mirror on a free port of loopback. */
export async function startMirror(): Promise<Mirror> {
  const hash = createHash('sha256');
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => hash.update(bytes));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    sha256: () => hash.copy().digest('hex'),
    connectionCount: () => sockets.length,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
