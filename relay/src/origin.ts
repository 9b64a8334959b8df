import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Names a browser resolves to its own machine and nowhere else. */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?$/;

/**
 * Which `Host` and `Origin` the relay answers to. A page of somebody else's whose name was rebound to this machine
 * still says that name in `Host`; a form or script of another site says its own in `Origin`.
 */
export class OriginCheck {
  readonly isHttps: boolean;
  readonly #publicOrigin: string | null;
  readonly #ownHost: string | null;

  /** @param listenHost the address listened on, answered to by number when it is a certain one */
  constructor(publicOrigin: string | null, listenHost: string) {
    this.#publicOrigin = publicOrigin;
    this.isHttps = publicOrigin?.startsWith('https:') ?? false;
    const isCertain = isIP(listenHost) !== 0 && !/^(?:0\.0\.0\.0|[0:]+)$/.test(listenHost);
    this.#ownHost = isCertain ? (isIP(listenHost) === 6 ? `[${listenHost}]` : listenHost) : null;
  }

  /** The origin a request is made to, or null when its `Host` is not ours. */
  originOf(request: IncomingMessage): string | null {
    const host = hostOf(request);
    if (host === null) return null;
    if (this.#publicOrigin !== null) {
      return new URL(this.#publicOrigin).host === host ? this.#publicOrigin : null;
    }
    const isOwn = LOOPBACK.test(host) || (this.#ownHost !== null && host.replace(/:[0-9]{1,5}$/, '') === this.#ownHost);
    return isOwn ? `http://${host}` : null;
  }

  /** Whether a request that changes something, or opens a WebSocket, was made by our own page. */
  isOwnPage(request: IncomingMessage): boolean {
    const origin = this.originOf(request);
    if (origin === null || request.headers.origin !== origin) return false;
    // Browsers do not agree on what this says of a WebSocket; its Origin is enough.
    const site = request.method === 'POST' ? request.headers['sec-fetch-site'] : undefined;
    return site === undefined || site === 'same-origin';
  }

  /** Whether a request was made on this machine, to a loopback name, and not passed on by a reverse proxy. */
  isLocal(request: IncomingMessage): boolean {
    const host = hostOf(request);
    const peer = request.socket.remoteAddress ?? '';
    const isLoopbackPeer = /^(?:127\.|::1$|::ffff:127\.)/.test(peer);
    const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in request.headers);
    return host !== null && LOOPBACK.test(host) && isLoopbackPeer && !isForwarded;
  }
}

/** The one `Host`, in lower case; null when absent or repeated. */
function hostOf(request: IncomingMessage): string | null {
  const hosts = request.headersDistinct['host'] ?? [];
  return hosts.length === 1 ? (hosts[0] ?? '').toLowerCase() : null;
}
