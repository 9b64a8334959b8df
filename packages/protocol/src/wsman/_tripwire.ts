import { isWinRmError, type MovedSign, type ProxyPlace, WinRmError } from '../errors.ts';
import type { LegReport } from '../http/converse.ts';
import { proxyTrace, readableLine, readableText } from '../http/evidence.ts';
import type { HttpResponse } from '../http/response.ts';
import type { OpenedRoad } from '../opened-road.ts';
import { looksLikeSoap } from './_answers.ts';

/** What a road looks like to whoever asks if a proxy stands on it and can read what passes. */
export interface WatchedRoad {
  readonly road: Pick<OpenedRoad, 'form' | 'hasProxy'>;
  readonly isSecured: boolean;
  readonly sealing: 'always' | 'optional';
  /** The last proxy of the road, where one was reported. */
  readonly proxy?: ProxyPlace | null;
  /** How often the session has signed in so far, with the very credential. */
  readonly counts?: { readonly handshakes: number };
}

/** How far an error shows that the server got: 'refused' says that nothing was done. */
export type ShownFate = 'refused' | 'unknown';

/**
 * Notices when a connection is no longer the one that was signed in on: NTLM and Kerberos belong to one connection of
 * the server's, and a proxy that reads requests may put them on another one at any time. RFC 4559, section 6.
 *
 * INVARIANT: without a proxy on the road, or the trace of one in a reply, it says nothing.
 */
export class Tripwire {
  readonly #watched: WatchedRoad;
  /** Replies that were the server's own. */
  #answered = 0;

  constructor(watched: WatchedRoad) {
    this.#watched = watched;
  }

  /** Another reply was sealed for this connection and is about what was asked. */
  sound(): void {
    this.#answered++;
  }

  /** What a reply without a seal shows, and how far the request got; null if it shows nothing. */
  unsealed(response: HttpResponse): { error: WinRmError<'proxy.no-affinity'>; fate: ShownFate } | null {
    const sign = this.#signOf(response);
    const error = sign === null ? null : this.#moved(response, sign);
    return error && { error, fate: sign === 'refused' || sign === 'unread' ? 'refused' : 'unknown' };
  }

  /** The same of a reply that has a seal or an envelope, but not ours: what was wrong with it is the cause. */
  misdelivered(response: HttpResponse, cause: unknown): WinRmError | null {
    if (isWinRmError(cause, 'seal.bad-signature')) return this.#moved(response, 'key', cause);
    return isWinRmError(cause, 'wsman.wrong-reply') ? this.#moved(response, 'request', cause) : null;
  }

  /**
   * A connection that ends without a word under the very first request was closed by whoever saw the sign-in end: the
   * seed's rules R16 and R20. Later any peer may close what it likes.
   */
  closed(error: unknown): unknown {
    const isSilent = isWinRmError(error, 'http.closed-early') && ['idle', 'reply'].includes(error.details.where);
    if (!isSilent || !this.#watched.road.hasProxy || this.#answered > 0) return error;
    const details = { ...placeOf(this.#watched), via: '', stage: 'signed-in', why: 'closed' } as const;
    return new WinRmError('proxy.drops-connection', details, error);
  }

  #signOf({ status, body }: HttpResponse): MovedSign | null {
    const { isSecured, sealing } = this.#watched;
    if (status === 407) return null;
    if (status === 401) return 'refused';
    // Windows answers so what it cannot unseal. Before the first good answer the fault may be in how we seal.
    const isUnread = status === 400 || (status === 500 && body.length === 0 && this.#answered > 0);
    if (isUnread && sealing === 'always') return 'unread';
    if (status === 500 && body.length === 0) return null;
    // Inside TLS other words are the server's, or of someone who was judged to be it.
    if (isSecured) return null;
    return GATEWAY.has(status) ? 'gateway' : 'plain';
  }

  #moved(response: HttpResponse, sign: MovedSign, cause?: unknown): WinRmError<'proxy.no-affinity'> | null {
    const { road } = this.#watched;
    const via = proxyTrace(response.headers);
    if (!road.hasProxy && via === '') return null;
    const isEnvelope =
      looksLikeSoap(response.headers.get('Content-Type') ?? '') || sign === 'key' || sign === 'request';
    const text = isEnvelope ? '' : readableText(response.body);
    const { status } = response;
    return noAffinity(this.#watched, { status, via, sign, answered: this.#answered, text }, cause);
  }
}

/**
 * What a sign-in that failed shows about a proxy on the road; null if that is nothing.
 *
 * A proxy that reads each request may put the legs on different server connections; then the server rejects the last
 * one although the password is right. One that keeps them together says so: RFC 4559, section 6. And one that does not
 * like Windows sign-in takes the challenges out of the 401 (Squid with `connection-auth=off` does), or keeps the first
 * of several only.
 */
export function judgeLegs(error: unknown, legs: readonly LegReport[], watched: WatchedRoad): WinRmError | null {
  const { road, isSecured } = watched;
  const { via = '', status = 0, offered = '' } = legs.at(-1) ?? {};
  const isRead = road.form === 'absolute' || via !== '';
  const isRejected = isWinRmError(error, 'auth.rejected');
  const isUnoffered = isWinRmError(error, 'auth.no-common-mechanism');
  const place = placeOf(watched);
  // The scheme we spoke is still among the offers: it was the conversation that the server did not know.
  const isOffered = offered.split(', ').some((name) => name === legs.at(-1)?.mechanism);
  if (status !== 401 || !(isRejected || isUnoffered)) return null;
  const { wanted } = isUnoffered ? error.details : { wanted: legs.at(-1)?.mechanism ?? '' };
  const isStripped = offered === '' && (isRead || (road.hasProxy && !isSecured));
  if (isStripped || (isUnoffered && isRead && !isOffered)) {
    return new WinRmError('proxy.rewrites-auth', { ...place, status, via, offered: offered || 'none', wanted }, error);
  }
  const isPromised = legs.some(({ isSessionBased }) => isSessionBased);
  // What was good a moment ago is hardly wrong now; that a proxy splices tunnels, too, is what the doubt is about.
  const wasGood = road.hasProxy && (watched.counts?.handshakes ?? 0) > 0;
  if (!(isRead || wasGood) || isPromised || isSecured) return null;
  return noAffinity(watched, { status, via, sign: 'legs', answered: 0, text: '' }, error);
}

type Moved = WinRmError<'proxy.no-affinity'>['details'];

/** A gateway's own words about its side of the road. RFC 9110, sections 15.6.3 to 15.6.5 */
const GATEWAY: ReadonlySet<number> = new Set([502, 503, 504]);

function noAffinity(
  watched: WatchedRoad,
  evidence: Pick<Moved, 'status' | 'via' | 'sign' | 'answered' | 'text'>,
  cause?: unknown,
): WinRmError<'proxy.no-affinity'> {
  const { road, isSecured } = watched;
  const way = isSecured ? 'tls' : road.form === 'absolute' ? 'forward' : road.hasProxy ? 'tunnel' : 'unseen';
  return new WinRmError('proxy.no-affinity', { ...placeOf(watched), road: way, ...evidence }, cause);
}

function placeOf({ proxy }: WatchedRoad): ProxyPlace {
  return { hop: proxy?.hop ?? 0, host: readableLine(proxy?.host ?? ''), port: proxy?.port ?? 0 };
}
