import { Duplex } from 'node:stream';
import { connect, rootCertificates } from 'node:tls';
import type { Address, ByteStream } from '../bytes/stream.ts';
import { isWinRmError, WinRmError } from '../errors.ts';
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
      socket.off('error', onError);
      socket.off('close', onClose);
    };
    const onClose = (): void => stop(new Error('the proxy closed the connection'));
    const onError = (error: unknown): void => stop(asTlsError(error, { host, port }));
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      settle();
      resolve(socketStream(socket, `TLS to ${host}:${port}`));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}

/** What Node and OpenSSL say, in words for a person: theirs are for whoever wrote the program. */
function asTlsError(error: unknown, { host, port }: Address): unknown {
  if (isWinRmError(error)) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const place = { hop: 0, host, port };
  const doubt = CERTIFICATE_DOUBTS[code];
  if (doubt !== undefined) {
    return new WinRmError('proxy.tls-failed', { ...place, problem: doubt, about: 'certificate' }, error);
  }
  if (NOT_TLS.has(code)) {
    const problem = 'what answers there does not speak TLS';
    return new WinRmError('proxy.tls-failed', { ...place, problem, about: 'plain' }, error);
  }
  const shown = /^[A-Z0-9_]{1,64}$/.test(code) ? code : 'unknown';
  const problem = BREAKS.has(code) ? 'the proxy closed the connection' : `the handshake broke off (${shown})`;
  return new WinRmError('proxy.tls-failed', { ...place, problem }, error);
}

/** By the codes of Node's tls module and of X.509 verification in OpenSSL. */
const CERTIFICATE_DOUBTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'nobody but itself vouches for its certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority that is not trusted here',
  CERT_UNTRUSTED: 'its certificate comes from an authority that is not trusted here',
  INVALID_CA: 'its certificate comes from something that is no authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** A reply of HTTP read as a record of TLS. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_RECORD_LAYER_FAILURE',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNKNOWN_PROTOCOL',
]);

const BREAKS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

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
