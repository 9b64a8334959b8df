import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { ByteStream } from '../bytes/stream.ts';
import type { RoadOpener } from '../opened-road.ts';
import { type StreamPair, streamPair } from './pair.ts';

/** A certificate and its key, PEM. */
export interface FrontIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** Node's TLS server in front of a server that speaks plainly. */
export interface TlsFront {
  /** Roads to it; what lies behind is opened when the handshake begins. */
  readonly openRoad: RoadOpener;
  /** What crossed each road, encrypted. */
  readonly pairs: readonly StreamPair[];
  /** Whom connections from now on are shown. */
  show(identity: FrontIdentity): void;
}

/** Puts Node's TLS server in front of whatever `openBehind` opens, in memory. */
export function tlsFront(openBehind: RoadOpener, identity: FrontIdentity): TlsFront {
  const pairs: StreamPair[] = [];
  let shown = identity;
  return {
    pairs,
    show: (next) => {
      shown = next;
    },
    openRoad: async (lane, onHop, signal) => {
      const behind = await openBehind(lane, onHop, signal);
      const pair = streamPair();
      pairs.push(pair);
      const secureContext = createSecureContext({ cert: shown.certificate, key: shown.key });
      const socket = new TLSSocket(duplexOf(pair.far), { isServer: true, secureContext });
      join(socket, behind.stream);
      return { ...behind, stream: pair.near };
    },
  };
}

function duplexOf(stream: ByteStream): Duplex {
  return new Duplex({
    read() {
      stream.read().then(
        (bytes) => this.push(bytes),
        (error: unknown) => this.destroy(error instanceof Error ? error : undefined),
      );
    },
    write(bytes: Uint8Array, _encoding, done) {
      void stream.write(bytes).then(() => done(), done);
    },
    final(done) {
      void stream.end().then(() => done(), done);
    },
    destroy(error, done) {
      stream.destroy();
      done(error);
    },
  });
}

/** Carries plaintext both ways until either side ends. */
function join(socket: TLSSocket, behind: ByteStream): void {
  socket.on('data', (bytes: Buffer) => void behind.write(new Uint8Array(bytes)).catch(() => socket.destroy()));
  socket.on('end', () => void behind.end().catch(() => undefined));
  socket.on('error', () => behind.destroy());
  socket.on('close', () => behind.destroy());
  const pump = async (): Promise<void> => {
    for (;;) {
      const bytes = await behind.read();
      if (bytes === null) return void socket.end();
      socket.write(bytes);
    }
  };
  pump().catch(() => socket.destroy());
}
