import { Buffer } from 'node:buffer';
import { connect, createServer, type Socket } from 'node:net';

/** A tap keeps up to this many bytes at a time; a capture that overflows says so instead of lying. */
const MAX_KEPT_BYTES = 64 << 20;

/** A wire with an ear: forwards TCP and keeps what crossed, both ways. */
export interface Tap {
  readonly port: number;
  /**
   * Everything that is kept, one direction of one connection after the other, so that nothing which was cut into pieces
   * on the wire is cut apart here too. Throws when more crossed than was kept.
   */
  captured(): Buffer;
  /** The same, and forgets it. */
  take(): Buffer;
  readonly connectionCount: number;
  /** Leads the connections that come from now on elsewhere. */
  aim(port: number): void;
  close(): Promise<void>;
}

/** Listens on a free loopback port and forwards each connection to another port on loopback. */
export async function startTap(first: number): Promise<Tap> {
  let port = first;
  let streams: Buffer[][] = [];
  let keptBytes = 0;
  let connectionCount = 0;
  const sockets = new Set<Socket>();
  const listen = (from: Socket): void => {
    let mine: Buffer[] = [];
    let home: Buffer[][] | null = null;
    from.on('data', (bytes: Buffer) => {
      keptBytes += bytes.length;
      if (keptBytes > MAX_KEPT_BYTES) return;
      // After a `take` the stream goes on in a new list.
      if (home !== streams) {
        home = streams;
        mine = [];
        home.push(mine);
      }
      mine.push(bytes);
    });
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    connectionCount += 1;
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      listen(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the tap has no port');
  const captured = (): Buffer => {
    if (keptBytes > MAX_KEPT_BYTES) throw new Error(`the tap kept only ${MAX_KEPT_BYTES} of ${keptBytes} bytes`);
    return Buffer.concat(streams.flat());
  };
  return {
    port: address.port,
    captured,
    take() {
      const all = captured();
      streams = [];
      keptBytes = 0;
      return all;
    },
    get connectionCount() {
      return connectionCount;
    },
    aim(next) {
      port = next;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Every spelling in which a secret might cross a wire: UTF-8, UTF-16LE, base64 of both, percent-encoding, hexadecimal. */
export function spellings(text: string): readonly { name: string; bytes: Buffer }[] {
  const utf8 = Buffer.from(text, 'utf8');
  const utf16 = Buffer.from(text, 'utf16le');
  const inner = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('base64').replace(/=+$/, '').slice(0, -1));
  return [
    { name: 'UTF-8', bytes: utf8 },
    { name: 'UTF-16LE', bytes: utf16 },
    { name: 'hexadecimal', bytes: Buffer.from(utf8.toString('hex')) },
    { name: 'percent-encoding', bytes: Buffer.from(encodeURIComponent(text)) },
    // Base64 depends on where the text starts in its group of three, so the text is encoded at each of the three places.
    ...[0, 1, 2].flatMap((shift) =>
      [utf8, utf16].map((bytes, index) => ({
        name: `base64 of ${index === 0 ? 'UTF-8' : 'UTF-16LE'} at ${shift}`,
        bytes: inner(Buffer.concat([Buffer.alloc(shift), bytes])).subarray(shift === 0 ? 0 : shift + 1),
      })),
    ),
  ];
}

/** The spellings of `text` that occur in `captured`; empty is what one wants. */
export function foundIn(captured: Buffer, text: string): readonly string[] {
  return spellings(text)
    .filter(({ bytes }) => captured.includes(bytes))
    .map(({ name }) => name);
}
