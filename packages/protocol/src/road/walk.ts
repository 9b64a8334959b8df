import { withDeadline } from '../bytes/deadline.ts';
import type { Address, ByteStream, Dialer } from '../bytes/stream.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import { readableLine } from '../http/evidence.ts';
import type { HopReport, OpenedRoad, ProxyAnswerer } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import { type ConnectOptions, openTunnel, withSilentProxy } from './_connect.ts';
import { openSocks } from './_socks.ts';
import { checkRoute, type Hop, type ProxyRoute } from './route.ts';

/**
 * Speaks TLS with a proxy over a stream to it; the name is the proxy's. On failure the stream is destroyed.
 * @throws any error whose message says what is wrong; the walk names the proxy
 */
export type SecureHop = (stream: ByteStream, proxy: Address, signal?: AbortSignal) => Promise<ByteStream>;

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
  /** Answers the proxies of this one walk that want credentials; without it none gets any. */
  readonly answerProxy?: ProxyAnswerer | undefined;
  /**
   * Whether proxies may be given credentials when the target is http. 'refuse' unless given: the seed's rule R5 wants
   * https behind a proxy that signs people in.
   */
  readonly httpBehindSignIn?: 'refuse' | 'allow' | undefined;
  /** For proxies that are spoken to over TLS. */
  readonly secureHop?: SecureHop | undefined;
}

/**
 * Squid tries a silent address for a minute before it says 504; half of that is as long as a person waits, and a
 * proxy that answers later has a problem that the error names just as well.
 */
export const DEFAULT_HOP_TIMEOUT_MS = 30_000;

/**
 * Walks a route hop by hop: one TCP connection to the first, then one tunnel inside the other. Nothing is retried, but
 * that a proxy which closes after asking for credentials is dialled once more, everything before it included.
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
  const last = route.hops.length - 1;
  if (route.hops[last]?.kind === 'http-forward') {
    const stream = await walk.reach(last);
    walk.report(last + 1, target, 'asking');
    return { stream, form: 'absolute', hasProxy: true };
  }
  return { stream: await walk.reach(last + 1), form: 'origin', hasProxy: last >= 0 };
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

  /** A stream to the hop, or to the target, over everything before it. */
  async reach(index: number): Promise<ByteStream> {
    const { route, target } = this.#options;
    const stop: Address | Hop = route.hops[index] ?? target;
    const stream = index === 0 ? await this.#dial(stop) : await this.#tunnel(index - 1, stop);
    return 'tls' in stop && stop.tls === true ? await this.#secure(stream, index, stop) : stream;
  }

  async #dial(address: Address): Promise<ByteStream> {
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

  async #tunnel(index: number, target: Address): Promise<ByteStream> {
    const { platform, signal, route, answerProxy: answer = null } = this.#options;
    const { kind, host, port } = route.hops[index] as Hop;
    const options: ConnectOptions = {
      ...{ target, platform, signal, answer, replyWithinMs: this.#hopTimeoutMs },
      proxy: { hop: this.#firstHop + index, host, port },
      reach: async () => {
        const stream = await this.reach(index);
        this.report(index + 1, target, 'asking');
        return stream;
      },
      maySignIn: this.#options.target.scheme === 'https' || this.#options.httpBehindSignIn === 'allow',
      mayForward: this.#options.target.scheme !== 'https' && index === route.hops.length - 1,
    };
    const stream = await (kind === 'socks5' ? openSocks(options) : openTunnel(options));
    this.report(index + 1, target, 'open');
    return stream;
  }

  async #secure(stream: ByteStream, index: number, { host, port }: Address): Promise<ByteStream> {
    const { secureHop, platform, signal } = this.#options;
    const hop = this.#firstHop + index;
    try {
      if (secureHop === undefined) return fail('misuse.wrong-state', { action: 'TLS', state: 'no TLS for proxies' });
      const limits = { platform, signal, withinMs: this.#hopTimeoutMs, at: 'TLS with the proxy' };
      return await withDeadline(limits, (inner) => secureHop(stream, { host, port }, inner));
    } catch (error) {
      stream.destroy();
      if (isWinRmError(error, 'proxy.tls-failed')) throw new WinRmError(error.code, { ...error.details, hop }, error);
      if (isWinRmError(error) && !isWinRmError(error, 'http.closed-early'))
        throw withSilentProxy(error, { host, port });
      const problem = error instanceof Error ? readableLine(error.message) : 'unknown';
      throw new WinRmError('proxy.tls-failed', { hop, host, port, problem }, error);
    }
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
