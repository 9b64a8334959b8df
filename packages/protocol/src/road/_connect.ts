import type { Address, ByteStream } from '../bytes/stream.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import { schemeNames } from '../http/challenge.ts';
import { HttpConnection } from '../http/connection.ts';
import { readableLine, readableText } from '../http/evidence.ts';
import { Headers } from '../http/headers.ts';
import type { HttpResponse } from '../http/response.ts';
import type { Platform } from '../platform.ts';
import { printAuthority } from './authority.ts';

/** A proxy and its place on the road. */
export interface ProxyHop extends Address {
  readonly hop: number;
}

/** What a tunnel is opened with. */
export interface ConnectOptions {
  readonly proxy: ProxyHop;
  readonly target: Address;
  readonly platform: Platform;
  readonly replyWithinMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Of a page that refuses so much is read; the words of Squid's longest page, style sheet included, end before. */
const MAX_REFUSAL_BYTES = 16 * 1024;

/** Statuses by which a proxy says that it agreed but could not: RFC 9110, sections 15.6.3 to 15.6.5. */
const UNREACHABLE = [502, 503, 504];

/**
 * Asks a proxy for a tunnel. On success the stream is the tunnel, bytes that came with the reply in front; on failure it
 * is destroyed.
 *
 * RFC 9110, section 9.3.6
 * @throws proxy.auth-required, proxy.connect-denied, proxy.target-unreachable, proxy.not-a-proxy,
 *   proxy.drops-connection, session.timed-out, session.cancelled
 */
export async function openTunnel(stream: ByteStream, options: ConnectOptions): Promise<ByteStream> {
  const connection = new HttpConnection(stream, { limits: { bodyBytes: MAX_REFUSAL_BYTES, whenBodyTooLarge: 'cut' } });
  const authority = printAuthority(options.target);
  const { replyWithinMs, platform, signal } = options;
  const headers = new Headers([
    ['Host', authority],
    ['Proxy-Connection', 'keep-alive'], // Squid 2 and some appliances of HTTP/1.0 close the tunnel without it
  ]);
  try {
    const request = { method: 'CONNECT', target: authority, headers, body: new Uint8Array(0) };
    const reply = await connection.exchange(request, { replyWithinMs, platform, signal, at: 'CONNECT' });
    if (reply.status >= 300) refuse(reply, options.proxy, authority);
    return connection.detach();
  } catch (error) {
    connection.close();
    throw asProxyError(error, options.proxy);
  }
}

function refuse(reply: HttpResponse, proxy: ProxyHop, target: string): never {
  const { hop, host, port } = proxy;
  if (reply.status === 407) {
    const offered = schemeNames(reply.headers.getAll('Proxy-Authenticate'));
    fail('proxy.auth-required', { hop, host, port, offered });
  }
  const squidError = reply.headers.get('X-Squid-Error');
  const evidence = {
    ...{ hop, host, port, target, status: reply.status },
    via: readableLine(reply.headers.get('Via')),
    // X-Squid-Error says what Proxy-Status (RFC 9209) says, in Squid's words: "ERR_CONNECT_FAIL 111"
    proxyStatus: readableLine(reply.headers.get('Proxy-Status') ?? squidError),
    text: readableText(reply.body) || readableLine(reply.reason),
  };
  // QUIRK: Squid 5.7 answers a name it cannot resolve with 500 and ERR_CANNOT_FORWARD where others say 502 or 503. Held
  // by walk.test.ts.
  const cannotForward = reply.status === 500 && squidError?.startsWith('ERR_CANNOT_FORWARD');
  if (UNREACHABLE.includes(reply.status) || cannotForward) fail('proxy.target-unreachable', evidence);
  fail('proxy.connect-denied', evidence);
}

/** What is wrong with a reply to CONNECT says what is wrong with the proxy. */
function asProxyError(error: unknown, { hop, host, port }: ProxyHop): unknown {
  const notAProxy = (startsWith: string) => new WinRmError('proxy.not-a-proxy', { hop, host, port, startsWith }, error);
  if (isWinRmError(error, 'http.not-http')) return notAProxy(error.details.startsWith);
  if (isWinRmError(error, 'http.malformed')) return notAProxy(`HTTP, but: ${error.details.problem}`);
  if (isWinRmError(error, 'http.too-large')) return notAProxy('HTTP, but too long');
  if (isWinRmError(error, 'http.closed-early')) {
    return new WinRmError('proxy.drops-connection', { via: '', stage: 'CONNECT' }, error);
  }
  return error;
}
