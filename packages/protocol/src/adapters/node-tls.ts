import { Duplex } from 'node:stream';
import { connect, rootCertificates } from 'node:tls';
import type { Address, ByteStream } from '../bytes/stream.ts';
import type { SecureHop } from '../road/index.ts';
import { socketStream } from './node-socket.ts';

/**
 * Speaks TLS with a proxy by Node's own TLS, which ends here: what goes on inside is a tunnel, and TLS with the target is
 * another one. The proxy must show a certificate for its name that Node trusts, or one of `extraRoots`.
 *
 * @param extraRoots PEM certificates that may vouch for proxies besides Node's own
 */
export function nodeSecureHop(extraRoots: readonly string[] = []): SecureHop {
  const ca = extraRoots.length === 0 ? undefined : [...rootCertificates, ...extraRoots];
  return (stream, proxy, signal) => secure(stream, proxy, ca, signal);
}

function secure(
  stream: ByteStream,
  { host, port }: Address,
  ca: string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const isAddress = /^[0-9.]+$/.test(host) || host.includes(':');
    const socket = connect({
      socket: duplexOf(stream),
      // A name in ServerName is a DNS name and nothing else. RFC 6066, section 3
      ...(isAddress ? {} : { servername: host }),
      host,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(ca === undefined ? {} : { ca }),
    });
    const onAbort = (): void => stop(signal?.reason);
    const stop = (error: unknown): void => {
      settle();
      socket.on('error', () => undefined); // a socket given up may still complain
      socket.destroy();
      stream.destroy();
      reject(error);
    };
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', stop);
      socket.off('close', onClose);
    };
    const onClose = (): void => stop(new Error('the proxy closed the connection'));
    socket.once('error', stop);
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      settle();
      resolve(socketStream(socket, `TLS to ${host}:${port}`));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}

/** A byte stream as Node's streams are: what is not read is not asked for, and writes wait for the stream below. */
function duplexOf(stream: ByteStream): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      stream.read().then(
        (bytes) => this.push(bytes),
        (error: unknown) => this.destroy(error instanceof Error ? error : new Error('broken')),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      stream.write(new Uint8Array(chunk)).then(
        () => done(),
        (error: unknown) => done(error instanceof Error ? error : new Error('broken')),
      );
    },
    final(done) {
      stream.end().then(() => done(), done);
    },
    destroy(_error, done) {
      stream.destroy();
      done(null);
    },
  });
}
