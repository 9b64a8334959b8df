import type { WinRmError } from '../errors.ts';
import { fail, isWinRmError } from '../errors.ts';

/** A reliable, ordered, two-way pipe. Everything above is written against these five members. */
export interface ByteStream {
  /** For the journal: "relay to proxy.corp:8080". */
  readonly label: string;
  /** After the end: whether it was cut rather than said, where the stream can tell, as TLS can. RFC 8446, section 6.1 */
  readonly isTruncated?: boolean;
  /** At least one byte, or null at the end. One read at a time. */
  read(signal?: AbortSignal): Promise<Uint8Array | null>;
  /** Resolves when accepted below. */
  write(bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** No more writes; reads continue. */
  end(): Promise<void>;
  /** Both ways, at once, idempotent, never throws. */
  destroy(reason?: WinRmError): void;
}

/** A host and a TCP port. The host is a name, an IPv4 address or an IPv6 address without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A stream that knows which address it reached, for a report of the road; "" where that is not to be told. */
export interface DialedStream extends ByteStream {
  readonly address: string;
}

/** Opens one TCP connection. @throws relay.name-not-found, relay.connection-refused, relay.connect-timeout */
export type Dialer = (address: Address, signal?: AbortSignal) => Promise<ByteStream | DialedStream>;

/** The same stream with bytes put back in front, as after a CONNECT reply that brought the tunnel's first bytes along. */
export function withLeftover(stream: ByteStream, leftover: Uint8Array): ByteStream {
  if (leftover.length === 0) return stream;
  let front: Uint8Array | null = leftover;
  return {
    label: stream.label,
    read(signal) {
      if (front === null) return stream.read(signal);
      const bytes = front;
      front = null;
      return Promise.resolve(bytes);
    },
    write: (bytes, signal) => stream.write(bytes, signal),
    end: () => stream.end(),
    destroy: (reason) => stream.destroy(reason),
  };
}

/** The error an aborted signal stands for: its own when it is one of ours, else `session.cancelled`. */
export function throwIfAborted(signal: AbortSignal | undefined, at: string): void {
  if (!signal?.aborted) return;
  if (isWinRmError(signal.reason)) throw signal.reason;
  fail('session.cancelled', { at }, signal.reason);
}
