/** A wire that counts: forwards TCP connections to a host and knows how long each HTTP message on them was. */
import { connect, createServer, type Socket } from 'node:net';

/** A counting wire. */
export interface CountingWire {
  readonly port: number;
  /** Bytes of so many first requests, and of their answers, on the first connection, on the second, and so on. */
  bytesOf(counts: readonly number[]): { readonly up: number; readonly down: number };
  close(): Promise<void>;
}

/** Begins to count what goes to `port`. */
export async function startCountingWire(port: number): Promise<CountingWire> {
  const wires: { up: Buffer[]; down: Buffer[] }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    const wire = { up: [] as Buffer[], down: [] as Buffer[] };
    wires.push(wire);
    near.on('data', (bytes: Buffer) => wire.up.push(bytes));
    far.on('data', (bytes: Buffer) => wire.down.push(bytes));
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    bytesOf(counts) {
      const sum = (side: 'up' | 'down') =>
        counts
          .flatMap((count, at) => messageLengths(Buffer.concat(wires[at]?.[side] ?? [])).slice(0, count))
          .reduce((total, length) => total + length, 0);
      return { up: sum('up'), down: sum('down') };
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** RFC 9112 section 6.3, for messages that have a Content-Length or nothing, as both hosts send them. */
function messageLengths(bytes: Buffer): number[] {
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) break;
    const head = bytes.toString('latin1', at, headEnd);
    if (/^transfer-encoding:/im.test(head)) throw new Error('a chunked message: its length is not counted');
    const length = headEnd + 4 - at + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    lengths.push(length);
    at += length;
  }
  return lengths;
}
