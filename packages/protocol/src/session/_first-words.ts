import { concatBytes, latin1Decode } from '../bytes/bytes.ts';
import { isWinRmError, type ProxyPlace, WinRmError } from '../errors.ts';
import { beginsLikePage, MAX_EVIDENCE_CHARACTERS, proxyTrace, proxyWords, readableText } from '../http/evidence.ts';
import { type HttpResponse, ResponseDecoder } from '../http/response.ts';
import type { HopReport } from '../opened-road.ts';
import { printAuthority } from '../road/authority.ts';

/** The first bytes that came over a road, as far as a page would tell who speaks. */
export class FirstWords {
  #pieces: Uint8Array[] = [];
  #length = 0;

  /** Keeps what there is still room for. */
  hear(bytes: Uint8Array): void {
    const left = MAX_HEARD_BYTES - this.#length;
    if (left <= 0) return;
    this.#pieces.push(bytes.slice(0, left));
    this.#length += Math.min(left, bytes.length);
  }

  /** All of it. */
  get bytes(): Uint8Array {
    return concatBytes(...this.#pieces);
  }
}

/** A page of evidence, with the markup that is dropped from it, and the head of its reply. */
const MAX_HEARD_BYTES = 4 * MAX_EVIDENCE_CHARACTERS;

/** How words that are neither TLS nor HTTP are met, or the end that follows them. */
const FOREIGN = ['http.not-http', 'tls.not-tls', 'http.closed-early'] as const;

/** How a page is met where WinRM should have answered in HTTP. */
const NOT_WINRM = ['wsman.not-wsman', 'http.unexpected-status'] as const;

/** What a listener of plain HTTP says to the bytes of TLS, which are no request to it. */
const SAID_TO_TLS: ReadonlySet<number> = new Set([400, 408, 501, 505]);

/**
 * What an error on the way up says about the proxies of the road, by the first words that came over it.
 *
 * Where the host should have begun to speak TLS, a page or a reply of HTTP is the last proxy's own: it said that the tunnel
 * is open, and then spoke itself. So is bare markup where a reply should have begun. Only what a plain listener says to TLS
 * may be the host's, at a port without TLS. A page in a proper reply where WinRM should have answered may be the proxy's or
 * of a web site on the host, and nobody here can tell.
 */
export function withFalseTunnel(error: unknown, hops: readonly HopReport[], words: FirstWords): unknown {
  const proxy = hops.findLast(({ party }) => party === 'proxy');
  const server = hops.findLast(({ party }) => party === 'server');
  if (proxy === undefined) return error;
  const { hop, host, port } = proxy;
  const place = { hop, host, port, target: server === undefined ? '' : printAuthority(server) };
  const { bytes } = words;
  if (FOREIGN.some((code) => isWinRmError(error, code)) && beginsLikePage(bytes)) {
    const said = { status: 200, via: '', proxyStatus: '', text: readableText(bytes) };
    return new WinRmError('proxy.false-tunnel', { ...place, ...said }, error);
  }
  const reply = replyIn(bytes);
  if (reply !== null && isWinRmError(error, 'tls.not-tls')) {
    const isHosts = SAID_TO_TLS.has(reply.status) && proxyTrace(reply.headers) === '';
    return isHosts ? error : new WinRmError('proxy.false-tunnel', { ...place, ...proxyWords(reply) }, error);
  }
  if (reply !== null && NOT_WINRM.some((code) => isWinRmError(error, code)) && isForeignPage(reply)) {
    return new WinRmError('proxy.foreign-page', { ...place, ...proxyWords(reply) }, error);
  }
  return withProxyOnRoad(error, proxy);
}

/** An error of a connection that was cut or changed on its way says which proxy is on it. */
export function withProxyOnRoad(error: unknown, place: ProxyPlace | null): unknown {
  if (place === null || place.host === '') return error;
  const proxy = printAuthority(place);
  if (isWinRmError(error, 'http.closed-early') && error.details.proxy === undefined) {
    return new WinRmError('http.closed-early', { ...error.details, proxy }, error.cause);
  }
  if (isWinRmError(error, 'tls.bad-record') && error.details.proxy === undefined) {
    return new WinRmError('tls.bad-record', { ...error.details, proxy }, error.cause);
  }
  return error;
}

/** WinRM asks who is there before anything else, and never with a page. */
function isForeignPage({ status, headers }: HttpResponse): boolean {
  const isPage = /^\s*(?:text\/html|application\/xhtml)/i.test(headers.get('Content-Type') ?? '');
  return isPage && status !== 401 && status !== 407 && !headers.has('WWW-Authenticate');
}

/** The reply that the first words are, as far as they go; null where they are none. */
function replyIn(bytes: Uint8Array): HttpResponse | null {
  if (!latin1Decode(bytes.subarray(0, 7)).startsWith('HTTP/1.')) return null;
  const decoder = new ResponseDecoder({ bodyBytes: MAX_HEARD_BYTES, whenBodyTooLarge: 'cut' });
  try {
    decoder.expect('POST');
    decoder.feed(bytes);
    decoder.feedEnd();
    const reply = decoder.next();
    return reply === 'need-bytes' ? null : reply;
  } catch {
    return null;
  }
}
