import type { Address, ByteStream } from '../bytes/stream.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import { schemeNames } from '../http/challenge.ts';
import { HttpConnection } from '../http/connection.ts';
import { beginsLikePage, proxyWords, readableText } from '../http/evidence.ts';
import { Headers } from '../http/headers.ts';
import type { HttpResponse } from '../http/response.ts';
import type { ProxyAnswerer } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import { isConnectionBound } from '../security.ts';
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
  /** Opens a connection to the proxy; a second time at most once. */
  readonly reach: () => Promise<ByteStream>;
  /** Null where nobody has credentials. */
  readonly answer: ProxyAnswerer | null;
  /** Whether credentials may be asked for at all. The seed's rule R5 */
  readonly maySignIn: boolean;
  /** Whether the proxy could also forward the requests: the last one, to an http target. */
  readonly mayForward: boolean;
}

/** Of a page that refuses so much is read; the words of Squid's longest page, style sheet included, end before. */
const MAX_REFUSAL_BYTES = 16 * 1024;

/** Statuses by which a proxy says that it agreed but could not: RFC 9110, sections 15.6.3 to 15.6.5. */
const UNREACHABLE = [502, 503, 504];

/** Offer, two legs of NTLM, a stale nonce, another mechanism after the first was no use: half of it would do. */
export const MAX_PROXY_LEGS = 10;

/** More offers than any proxy makes, and longer ones than their tokens are; what is past it is not handed on. */
const MAX_OFFERS = 16;
const MAX_OFFER_CHARACTERS = 6000;

/**
 * Asks a proxy for a tunnel and answers when it wants credentials. On success the stream is the tunnel, bytes that came
 * with the reply in front; on failure it is destroyed.
 *
 * RFC 9110, sections 9.3.6 and 11.7
 * INVARIANT: Proxy-Authorization is a field of CONNECT and of nothing else, so it never goes into the tunnel. The legs
 * of a scheme that is bound to its connection all go over one.
 * @throws proxy.*, session.timed-out, session.cancelled, and what `reach` and `answer` throw
 */
export async function openTunnel(options: ConnectOptions): Promise<ByteStream> {
  const asking = new Asking(options, await reachProxy(options));
  try {
    return await asking.run();
  } catch (error) {
    asking.abandon();
    throw asProxyError(error, options.proxy, asking);
  }
}

async function reachProxy({ reach }: ConnectOptions): Promise<HttpConnection> {
  return new HttpConnection(await reach(), { limits: { bodyBytes: MAX_REFUSAL_BYTES, whenBodyTooLarge: 'cut' } });
}

/** One proxy asked until it says yes or there is nothing more to say. */
class Asking {
  readonly #options: ConnectOptions;
  #connection: HttpConnection;
  /** The last Proxy-Authorization. */
  #sent: string | null = null;
  #hasRedialled = false;
  /** What the proxy said last; null until it has said anything. */
  #words: ReturnType<typeof proxyWords> | null = null;

  constructor(options: ConnectOptions, connection: HttpConnection) {
    this.#options = options;
    this.#connection = connection;
  }

  get stage(): string {
    return this.#sent === null ? 'CONNECT' : `CONNECT with ${schemeOf(this.#sent)}`;
  }

  get words(): ReturnType<typeof proxyWords> | null {
    return this.#words;
  }

  abandon(): void {
    this.#connection.close();
  }

  async run(): Promise<ByteStream> {
    for (let leg = 0; ; leg += 1) {
      const reply = await this.#exchange();
      if (reply.status < 300) return this.#tunnel(reply);
      const next = await this.#nextAnswer(reply, leg);
      if (!this.#connection.isUsable) await this.#redial(next);
      this.#sent = next;
    }
  }

  /** A page right behind the consent is the proxy's own: no host has been asked anything yet. */
  #tunnel(reply: HttpResponse): ByteStream {
    const page = this.#connection.peekUnread(MAX_REFUSAL_BYTES);
    if (!beginsLikePage(page)) return this.#connection.detach();
    const { proxy, target } = this.#options;
    const { hop, host, port } = proxy;
    const words = { ...proxyWords(reply), text: readableText(page) };
    return fail('proxy.false-tunnel', { hop, host, port, target: printAuthority(target), ...words });
  }

  async #exchange(): Promise<HttpResponse> {
    const { replyWithinMs, platform, signal } = this.#options;
    const limits = { replyWithinMs, platform, signal, at: 'CONNECT' };
    const reply = await this.#connection.exchange(this.#request(), limits).catch(async (error: unknown) => {
      // A proxy that closes after its 407 without a word about it; a CONNECT that was not answered did nothing.
      const isSilentEnd = isWinRmError(error, 'http.closed-early') && this.#sent !== null;
      if (!isSilentEnd || this.#hasRedialled || isConnectionBound(this.#sent ?? '')) throw error;
      await this.#redial(null);
      return await this.#connection.exchange(this.#request(), limits);
    });
    this.#words = proxyWords(reply);
    return reply;
  }

  #request(): { method: string; target: string; headers: Headers; body: Uint8Array } {
    const authority = printAuthority(this.#options.target);
    const headers = new Headers([
      ['Host', authority],
      ['Proxy-Connection', 'keep-alive'], // Squid 2 and some appliances of HTTP/1.0 close the tunnel without it
    ]);
    if (this.#sent !== null) headers.append('Proxy-Authorization', this.#sent);
    return { method: 'CONNECT', target: authority, headers, body: new Uint8Array(0) };
  }

  /** What to say to a refusal; throws when that is nothing. */
  async #nextAnswer(reply: HttpResponse, leg: number): Promise<string> {
    const { proxy, target, answer, maySignIn, signal } = this.#options;
    const { hop, host, port } = proxy;
    const words = proxyWords(reply);
    // QUIRK: tinyproxy 1.11 answers a wrong proxy password with 401. A server cannot have said it: there is no tunnel.
    if (reply.status === 401 && this.#sent !== null) {
      fail('proxy.auth-rejected', { hop, host, port, mechanism: schemeOf(this.#sent), stage: 'request', ...words });
    }
    if (reply.status !== 407) return refuse(reply, this.#options);
    const values = reply.headers.getAll('Proxy-Authenticate');
    const offered = schemeNames(values);
    if (answer === null) return fail('proxy.auth-required', { hop, host, port, offered });
    if (!maySignIn) fail('proxy.needs-https', { hop, host, port, offered, refusedBy: 'relay' });
    if (leg >= MAX_PROXY_LEGS) {
      const mechanism = this.#sent === null ? '' : schemeOf(this.#sent);
      fail('proxy.auth-loops', { hop, host, port, mechanism, legCount: leg, ...words });
    }
    const challenge = {
      ...{ hop, host, port, leg, ...words },
      kind: 'http' as const,
      target: printAuthority(target),
      offered: withinLimits(values),
    };
    return await answer(challenge, signal ?? new AbortController().signal);
  }

  /** Once, and only between authorizations that mean the same on any connection. */
  async #redial(next: string | null): Promise<void> {
    const goesOn = next !== null && this.#sent !== null && schemeOf(next) === schemeOf(this.#sent);
    if (this.#hasRedialled || (goesOn && isConnectionBound(next))) {
      throw dropped(this.#options.proxy, this);
    }
    this.#hasRedialled = true;
    this.#connection.close();
    this.#connection = await reachProxy(this.#options);
  }
}

function schemeOf(authorization: string): string {
  return authorization.split(' ', 1)[0] ?? '';
}

function withinLimits(values: readonly string[]): string[] {
  let left = MAX_OFFER_CHARACTERS;
  return values.slice(0, MAX_OFFERS).filter((value) => {
    const fits = value.length <= left;
    if (fits) left -= value.length;
    return fits;
  });
}

function refuse(reply: HttpResponse, { proxy, target, mayForward }: ConnectOptions): never {
  const { hop, host, port } = proxy;
  const evidence = { hop, host, port, target: printAuthority(target), ...proxyWords(reply) };
  // QUIRK: Squid 5.7 answers a name it cannot resolve with 500 and ERR_CANNOT_FORWARD where others say 502 or 503. Held
  // by walk.test.ts.
  const squidError = reply.headers.get('X-Squid-Error');
  const cannotForward = reply.status === 500 && squidError?.startsWith('ERR_CANNOT_FORWARD');
  if (UNREACHABLE.includes(reply.status) || cannotForward) fail('proxy.target-unreachable', evidence);
  fail('proxy.connect-denied', mayForward ? { ...evidence, form: 'may-forward' } : evidence);
}

/** What is wrong with a reply to CONNECT says what is wrong with the proxy. */
function asProxyError(error: unknown, proxy: ProxyHop, asking: Asking): unknown {
  const { hop, host, port } = proxy;
  const notAProxy = (startsWith: string) => new WinRmError('proxy.not-a-proxy', { hop, host, port, startsWith }, error);
  if (isWinRmError(error, 'http.not-http')) return notAProxy(error.details.startsWith);
  if (isWinRmError(error, 'http.malformed')) return notAProxy(`HTTP, but: ${error.details.problem}`);
  if (isWinRmError(error, 'http.too-large')) return notAProxy('HTTP, but too long');
  if (isWinRmError(error, 'http.closed-early')) return dropped(proxy, asking, error);
  return withSilentProxy(error, proxy);
}

/** Closed before there was a tunnel: in the middle of the proxy's own sign-in, or without a word from the beginning. */
function dropped({ hop, host, port }: ProxyHop, { words, stage }: Asking, cause?: unknown): WinRmError {
  const why = words === null ? 'unanswered' : 'asking';
  return new WinRmError('proxy.drops-connection', { hop, host, port, via: '', ...words, stage, why }, cause);
}

/** Whoever waited for an answer of a proxy wants to know of which; somebody who was asked for a credential is no proxy. */
export function withSilentProxy(error: unknown, proxy: Address): unknown {
  if (!isWinRmError(error, 'session.timed-out') || error.details.proxy !== undefined) return error;
  if (!/^(?:CONNECT$|SOCKS |TLS with the proxy$)/.test(error.details.at)) return error;
  return new WinRmError('session.timed-out', { ...error.details, proxy: printAuthority(proxy) }, error);
}
