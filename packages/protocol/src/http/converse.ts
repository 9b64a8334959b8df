import { fromBase64 } from '../bytes/bytes.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { Authenticator, AuthMechanism, AuthReply, AuthStep, Challenge, SecurityContext } from '../security.ts';
import { formatToken, parseChallenges, schemeNames } from './challenge.ts';
import type { HttpConnection } from './connection.ts';
import { proxyTrace, readableLine, readableText } from './evidence.ts';
import type { HttpRequest } from './request.ts';
import type { HttpResponse } from './response.ts';

/** CredSSP over NTLM takes six, Kerberos and NTLM at most three; a peer that asks for more is going round in circles. */
export const MAX_LEGS = 10;

/** A body that has been sealed already. */
export interface SealedBody {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** One round trip, for the journal. */
export interface LegReport {
  readonly mechanism: string;
  readonly stage: string;
  readonly status: number;
  /** The reply's Via, "" without one. */
  readonly via: string;
  /** Whether the reply promises that a proxy keeps our connection and the server's together. RFC 4559, section 6. */
  readonly isSessionBased: boolean;
  /** The names of the schemes in WWW-Authenticate, "" without any. */
  readonly offered: string;
  readonly contentType: string;
  /** The words of the body. */
  readonly text: string;
}

/** What a conversation is made of. */
export interface ConverseOptions {
  readonly connection: HttpConnection;
  readonly authenticator: Authenticator;
  /** Builds each leg. `authorization` is null only for a first request that waits for a challenge. */
  readonly request: (authorization: string | null, sealed: SealedBody | null) => HttpRequest;
  /** Seals the body that rides on the leg that is keyed; null leaves the last leg empty. Called at most once. */
  readonly lastBody: ((context: SecurityContext) => SealedBody) | null;
  readonly platform: Platform;
  readonly legTimeoutMs: number;
  /** For the leg that carries `lastBody`, which takes as long as the body's own request would; else as any leg. */
  readonly bodyTimeoutMs?: number | undefined;
  /** Whether a proxy is known to read each request: it must speak HTTP/1.1, and a close is its doing. */
  readonly isForwarded?: boolean;
  /** Whether any proxy is known to be on the road: then nobody can tell whether a close is the peer's. */
  readonly hasProxy?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onLeg?: ((leg: LegReport) => void) | undefined;
  /** Called before a leg leaves that proves who we are, so that its verdict can be missed. */
  readonly onProof?: (() => void) | undefined;
}

/** What a conversation earned. */
export interface Conversed {
  readonly context: SecurityContext | null;
  /** The answer to `lastBody`, still sealed; null when that was null. */
  readonly reply: HttpResponse | null;
  readonly legCount: number;
}

/**
 * The 401 loop: drives one mechanism over one connection until it has finished. No reply is handed over before that, and
 * no body leaves before there are keys.
 *
 * RFC 9110, section 11; RFC 4559, section 5
 * INVARIANT: a connection on which this failed is closed.
 * @throws auth.*, proxy.auth-required, proxy.drops-connection, http.*, session.timed-out, session.cancelled
 */
export async function converse(options: ConverseOptions): Promise<Conversed> {
  const conversation = new Conversation(options);
  try {
    return await conversation.run();
  } catch (error) {
    conversation.abandon();
    throw error;
  }
}

class Conversation {
  readonly #options: ConverseOptions;
  #legCount = 0;
  #via = '';
  #why: WinRmError<'proxy.drops-connection'>['details']['why'] = 'closed';
  #keyed: SecurityContext | null = null;
  #hasSentBody = false;

  constructor(options: ConverseOptions) {
    this.#options = options;
  }

  abandon(): void {
    this.#keyed?.destroy();
    this.#options.connection.close();
  }

  async run(): Promise<Conversed> {
    const { authenticator } = this.#options;
    let mechanism = authenticator.beginOptimistic() ?? (await this.#askForOffers());
    let step = mechanism.step(null);
    let reply: HttpResponse | null = null;
    let isOpening = this.#legCount === 0;
    while (step.to === 'peer') {
      reply = await this.#leg(mechanism, step);
      const offered = parseChallenges(reply.headers.getAll('WWW-Authenticate'));
      const isOtherScheme = reply.status === 401 && !offered.some((challenge) => isScheme(challenge, mechanism));
      if (isOpening && isOtherScheme && step.keyed === null) {
        mechanism = authenticator.begin(offered);
        step = mechanism.step(null);
      } else {
        step = mechanism.step(verdictOn(reply, offered, mechanism, step, this.#hasSentBody));
      }
      isOpening = false;
      this.#requireWayOn(reply, mechanism, step);
    }
    return { context: step.context, reply: this.#hasSentBody ? reply : null, legCount: this.#legCount };
  }

  /** For an authenticator that wants to see the offers first: an empty request, whose answer must be 401. */
  async #askForOffers(): Promise<AuthMechanism> {
    const reply = await this.#exchange('', 'offer', this.#options.request(null, null));
    // SPEC: a server that lets anyone in is not the one this conversation was begun for; no keys come of it.
    if (reply.status !== 401) refuseStatus(reply, { mechanism: '', stage: 'offer' });
    const mechanism = this.#options.authenticator.begin(parseChallenges(reply.headers.getAll('WWW-Authenticate')));
    this.#requireConnection(mechanism.scheme, 'offer');
    return mechanism;
  }

  async #leg(mechanism: AuthMechanism, step: AuthStep & { to: 'peer' }): Promise<HttpResponse> {
    if (step.keyed !== null) this.#keyed = step.keyed;
    const { lastBody, request } = this.#options;
    const sealed = step.keyed !== null && lastBody !== null ? lastBody(step.keyed) : null;
    if (sealed !== null) this.#hasSentBody = true;
    if (step.keyed !== null) this.#options.onProof?.();
    return await this.#exchange(
      mechanism.scheme,
      step.stage,
      request(formatToken(mechanism.scheme, step.token), sealed),
    );
  }

  async #exchange(mechanism: string, stage: string, request: HttpRequest): Promise<HttpResponse> {
    const { connection, platform, signal, legTimeoutMs, bodyTimeoutMs, onLeg } = this.#options;
    const replyWithinMs = this.#hasSentBody ? Math.max(legTimeoutMs, bodyTimeoutMs ?? 0) : legTimeoutMs;
    if (this.#legCount === MAX_LEGS) fail('auth.incomplete', { mechanism, stage });
    this.#legCount++;
    const reply = await connection.exchange(request, { replyWithinMs, platform, signal, at: stage }).catch((error) => {
      // The peer took the first legs and left without a word on this one: that is about authentication, not about HTTP.
      if (this.#legCount > 1 && isSilentEnd(error)) this.#failDropped(mechanism, stage, error);
      throw error;
    });
    this.#via = proxyTrace(reply.headers);
    this.#why = reply.version === '1.0' ? 'outdated' : reply.keepsConnection ? 'closed' : 'announced';
    const isSessionBased = reply.headers.hasWord('Proxy-Support', 'Session-Based-Authentication');
    const offered = schemeNames(reply.headers.getAll('WWW-Authenticate'));
    const said = { contentType: readableLine(reply.headers.get('Content-Type')), text: readableText(reply.body) };
    onLeg?.({ mechanism, stage, status: reply.status, via: this.#via, isSessionBased, offered, ...said });
    if (reply.status === 407) {
      const offered = schemeNames(reply.headers.getAll('Proxy-Authenticate'));
      // Which proxy it was is not to be seen from inside the conversation; whoever knows the road fills that in.
      fail('proxy.auth-required', { hop: 0, host: '', port: 0, offered });
    }
    return reply;
  }

  /** After each reply: if the mechanism wants another leg, there must be a connection and a reason for it. */
  #requireWayOn(reply: HttpResponse, mechanism: AuthMechanism, next: AuthStep): void {
    const { stage, scheme } = mechanism;
    if (next.to === 'nobody') {
      if (reply.status === 401) fail('auth.incomplete', { mechanism: scheme, stage });
      return;
    }
    // A body that was sealed for a leg that was not the last is lost, and its sequence number with it.
    if (reply.status !== 401 || this.#hasSentBody) fail('auth.incomplete', { mechanism: scheme, stage });
    this.#requireConnection(scheme, stage);
  }

  /** HTTP/1.0 ends a connection with each reply, whatever a proxy of that age says besides. RFC 9112, section 9.3 */
  #requireConnection(mechanism: string, stage: string): void {
    const isTooOld = this.#why === 'outdated' && this.#options.isForwarded === true;
    if (!this.#options.connection.isUsable || isTooOld) this.#failDropped(mechanism, stage);
  }

  #failDropped(mechanism: string, stage: string, cause?: unknown): never {
    const { isForwarded = false, hasProxy = isForwarded } = this.#options;
    if (this.#via !== '' || hasProxy) {
      // Whoever knows the road says which proxy it was.
      const place = { hop: 0, host: '', port: 0 };
      throw new WinRmError('proxy.drops-connection', { ...place, via: this.#via, stage, why: this.#why }, cause);
    }
    throw new WinRmError('auth.incomplete', { mechanism, stage }, cause);
  }
}

/** Turns a status and its challenges into what a mechanism understands. */
function verdictOn(
  reply: HttpResponse,
  offered: readonly Challenge[],
  mechanism: AuthMechanism,
  step: AuthStep & { to: 'peer' },
  hasSentBody: boolean,
): AuthReply {
  const named = { mechanism: mechanism.scheme, stage: step.stage };
  const token = tokenOf(offered, mechanism, named);
  if (reply.status === 401) return { from: 'peer', verdict: token === null ? 'rejected' : 'challenged', token };
  // A sealed envelope may be answered with a sealed fault. An empty leg asks for nothing but admission: any status that
  // is not 2xx is the peer's trouble, neither an acceptance nor a word about our credential.
  if (!hasSentBody && (reply.status < 200 || reply.status > 299)) refuseStatus(reply, named);
  return { from: 'peer', verdict: 'accepted', token };
}

function tokenOf(
  offered: readonly Challenge[],
  mechanism: AuthMechanism,
  named: { mechanism: string; stage: string },
): Uint8Array | null {
  const encoded = offered.find((challenge) => isScheme(challenge, mechanism) && challenge.token68 !== null)?.token68;
  if (encoded === undefined || encoded === null) return null;
  const token = fromBase64(encoded);
  if (token === null) fail('auth.malformed-token', { ...named, problem: 'not base64' });
  return token;
}

function isScheme(challenge: Challenge, mechanism: AuthMechanism): boolean {
  return challenge.scheme.toLowerCase() === mechanism.scheme.toLowerCase();
}

function refuseStatus(reply: HttpResponse, named: { mechanism: string; stage: string }): never {
  if (reply.status >= 200 && reply.status < 300) fail('auth.incomplete', named);
  const { status } = reply;
  fail('http.unexpected-status', { status, reason: readableLine(reply.reason), text: readableText(reply.body) });
}

function isSilentEnd(error: unknown): boolean {
  return (
    isWinRmError(error, 'http.closed-early') && (error.details.where === 'reply' || error.details.where === 'idle')
  );
}
