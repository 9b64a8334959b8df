import { withDeadline } from '../bytes/deadline.ts';
import type { Address, ByteStream, Dialer } from '../bytes/stream.ts';
import { isWinRmError, WinRmError } from '../errors.ts';
import type { HopReport, OpenedRoad } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import { openTunnel } from './_connect.ts';
import { checkRoute, type ProxyRoute } from './route.ts';

/** What a walk needs. */
export interface WalkOptions {
  readonly route: ProxyRoute;
  readonly target: Address & { readonly scheme?: 'http' | 'https' };
  readonly dial: Dialer;
  readonly platform: Platform;
  readonly onHop?: ((report: HopReport) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For each hop on its own. */
  readonly hopTimeoutMs?: number | undefined;
  /** The number of the first hop in reports and errors; 1 unless given, hop 0 being the relay. */
  readonly firstHop?: number | undefined;
}

/**
 * Squid tries a silent address for a minute before it says 504; half of that is as long as a person waits, and a
 * proxy that answers later has a problem that the error names just as well.
 */
export const DEFAULT_HOP_TIMEOUT_MS = 30_000;

/**
 * Walks a route hop by hop: one TCP connection to the first, then one tunnel inside the other. Nothing is retried.
 *
 * Each hop reports 'connecting' (dialled) or 'asking' (through the proxy before it), then 'open'. After an `http-forward`
 * proxy the target stays at 'asking': only the first request makes the proxy open its side.
 *
 * @throws relay.name-not-found, relay.connection-refused, relay.connect-timeout, proxy.*, session.timed-out,
 *   session.cancelled, misuse.bad-argument for a route that may not be walked
 */
export async function walkRoad(options: WalkOptions): Promise<OpenedRoad> {
  const { route, target } = options;
  checkRoute(route, { scheme: target.scheme ?? 'http', host: target.host, port: target.port });
  const walk = new Walk(options);
  const stops: readonly Address[] = [...route.hops, target];
  const first = stops[0] as Address;
  let stream = await walk.dial(first);
  for (const [i, hop] of route.hops.entries()) {
    const next = stops[i + 1] as Address;
    walk.report(i + 1, next, 'asking');
    if (hop.kind === 'http-forward') return { stream, form: 'absolute', hasProxy: true };
    stream = await walk.tunnel(stream, i, hop, next);
    walk.report(i + 1, next, 'open');
  }
  return { stream, form: 'origin', hasProxy: route.hops.length > 0 };
}

class Walk {
  readonly #options: WalkOptions;
  readonly #firstHop: number;
  readonly #hopTimeoutMs: number;
  readonly #beganMs: number;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#firstHop = options.firstHop ?? 1;
    this.#hopTimeoutMs = options.hopTimeoutMs ?? DEFAULT_HOP_TIMEOUT_MS;
    this.#beganMs = options.platform.monotonicMs();
  }

  /** @param index 0 for the first stop, route.hops.length for the target */
  report(index: number, { host, port }: Address, stage: HopReport['stage'], address = ''): void {
    const { onHop, platform, route } = this.#options;
    const party = index === route.hops.length ? 'server' : 'proxy';
    const ms = platform.monotonicMs() - this.#beganMs;
    onHop?.({ hop: this.#firstHop + index, party, host, port, stage, ms, address });
  }

  async dial(address: Address): Promise<ByteStream> {
    const { dial, platform, signal } = this.#options;
    const { host, port } = address;
    const hop = this.#firstHop;
    this.report(0, address, 'connecting');
    const stream = await withDeadline(
      {
        ...{ platform, signal, withinMs: this.#hopTimeoutMs, at: 'connect' },
        whenOver: (seconds) => new WinRmError('relay.connect-timeout', { hop, host, port, seconds }),
      },
      (inner) => dialOrLetGo(dial, { host, port }, inner),
    ).catch((error) => {
      throw atHop(error, hop, address);
    });
    this.report(0, address, 'open', 'address' in stream && typeof stream.address === 'string' ? stream.address : '');
    return stream;
  }

  tunnel(stream: ByteStream, index: number, { host, port }: Address, target: Address): Promise<ByteStream> {
    const { platform, signal } = this.#options;
    const proxy = { hop: this.#firstHop + index, host, port };
    return openTunnel(stream, { proxy, target, platform, signal, replyWithinMs: this.#hopTimeoutMs });
  }
}

/** A dialer that comes back after its caller has gone would leave a connection behind. */
async function dialOrLetGo(dial: Dialer, address: Address, signal: AbortSignal): Promise<ByteStream> {
  const stream = await dial(address, signal);
  if (signal.aborted) stream.destroy();
  return stream;
}

/** A dialer does not know its place on the road; here it is filled in. */
function atHop(error: unknown, hop: number, { host, port }: Address): unknown {
  if (isWinRmError(error, 'relay.name-not-found')) {
    return new WinRmError('relay.name-not-found', { ...error.details, hop }, error.cause);
  }
  if (isWinRmError(error, 'relay.connection-refused')) {
    return new WinRmError('relay.connection-refused', { ...error.details, hop }, error.cause);
  }
  if (isWinRmError(error, 'relay.connect-timeout')) {
    return new WinRmError('relay.connect-timeout', { ...error.details, hop }, error.cause);
  }
  if (isWinRmError(error)) return error;
  return new WinRmError('relay.connection-refused', { hop, host, port, cause: 'unknown' }, error);
}
