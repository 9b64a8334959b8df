import { utf8Encode } from '../bytes/bytes.ts';
import { type Fate, fail, type ProxyPlace } from '../errors.ts';
import { formatToken, schemeNames } from '../http/challenge.ts';
import { HttpConnection } from '../http/connection.ts';
import { converse, type LegReport, type SealedBody } from '../http/converse.ts';
import { readableLine, readableText } from '../http/evidence.ts';
import { Headers } from '../http/headers.ts';
import type { HttpRequest } from '../http/request.ts';
import type { HttpResponse } from '../http/response.ts';
import type { Journal, LaneName } from '../journal.ts';
import type { OpenedRoad } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import { isSealedType, sealEnvelope, unsealReply } from '../seal/seal.ts';
import type { Authenticator, SecurityContext, StandingAuthorization } from '../security.ts';
import { failRejected, failWithStatus, foreignAnswer, isRefusal, looksLikeSoap, textOf } from './_answers.ts';
import { requireProtection } from './_protection.ts';
import { judgeLegs, Tripwire } from './_tripwire.ts';

/** What a lane is told about an envelope. */
export interface PostOptions {
  /** The operation's name, for progress, the journal and errors. */
  readonly operation: string;
  readonly replyWithinMs: number;
  /** Whether it may be posted again when nobody knows whether the server acted on it. */
  readonly isRepeatable: boolean;
  /** Whether it may ride on the last leg of authentication; only what does no harm when it is asked twice. */
  readonly mayRide: boolean;
  readonly signal: AbortSignal;
  /**
   * Says whether an answer is to what was posted last, by throwing what is wrong with it; then the connection is closed.
   */
  readonly check?: ((answer: string) => void) | undefined;
  /** Called when it is posted again although the server may have acted on it: what was answered then is lost. */
  readonly onRepeat?: (() => void) | undefined;
}

/** One conversation with the server: envelopes go out one at a time, each answered before the next. */
export interface Lane {
  readonly name: LaneName;
  /**
   * Posts one envelope and returns the answer's text; a fault is an answer.
   *
   * @param compose writes the envelope, and is called anew for every attempt, so that each has a MessageID of its own
   */
  post(compose: () => string, options: PostOptions): Promise<string>;
  /** Closes its connection. Idempotent, never rejects. */
  close(): Promise<void>;
}

/** Where WinRM is served, as the requests spell it. */
export interface WsmanPlace {
  /** Host and port, for the Host field. */
  readonly authority: string;
  /** For origin form. */
  readonly path: string;
  /** For absolute form, and for `a:To`. */
  readonly url: string;
}

/** What crossed the wire, counted as it happens. */
export interface TrafficCounts {
  /** Requests that were answered, legs of authentication included. */
  exchanges: number;
  /** Bytes written to and read from the roads, heads included. */
  requestBytes: number;
  responseBytes: number;
  connections: number;
  /** Handshakes that were completed. */
  handshakes: number;
}

/** What a connection of a lane is made of. */
export interface LaneConnectionOptions {
  readonly name: LaneName;
  readonly road: OpenedRoad;
  readonly place: WsmanPlace;
  /** For this connection alone: a conversation, or what goes with every request. */
  readonly signIn: Authenticator | StandingAuthorization;
  /** Whether the road's stream is TLS that ends at a peer who was judged. */
  readonly isSecured: boolean;
  /** 'optional' lets plain envelopes go; for secured roads only. */
  readonly sealing: 'always' | 'optional';
  /** The last proxy of the road, for errors; null where none was reported. */
  readonly proxy?: ProxyPlace | null;
  /** Called with each leg before the next one. */
  readonly onLeg?: (leg: LegReport) => void;
  /** Called before the leg leaves that proves who we are; a standing authorization has no legs. */
  readonly onProof?: () => void;
  readonly platform: Platform;
  readonly journal: Journal;
  readonly counts: TrafficCounts;
  readonly signal: AbortSignal;
}

/** An envelope that may ride on the last leg of authentication. */
export interface RidingPost {
  compose(): string;
  readonly operation: string;
  readonly replyWithinMs: number;
  readonly check?: PostOptions['check'];
}

/**
 * What is known about the last envelope after its post failed. 'refused': an answer without a seal says that nothing was
 * done. Anyone on the road can write such an answer, and inside TLS whoever ends it in front of the server; so it is
 * believed only where asking twice does no harm.
 */
export type PostFate = Fate | 'refused';

/** How long one leg of authentication may take. A domain controller far away needs seconds; nobody needs longer. */
export const LEG_TIMEOUT_MS = 30_000;

/** Sits in every request; a proxy's log shows it, so it says who we are and nothing more. */
const USER_AGENT = 'Fairlead';
const SOAP_TYPE = 'application/soap+xml;charset=UTF-8';

/**
 * One authenticated connection: one road, one handshake, one set of keys. Never pooled and never revived; after an error
 * it is closed for good.
 *
 * INVARIANT: an envelope leaves only sealed, and a reply is believed only unsealed; except inside TLS, where sealing may
 * be optional. A standing authorization is never sent outside TLS.
 */
export class LaneConnection {
  readonly #options: LaneConnectionOptions;
  readonly #http: HttpConnection;
  /** Goes with every request; null with a conversation. */
  readonly #standing: StandingAuthorization | null;
  readonly #tripwire: Tripwire;
  #context: SecurityContext | null = null;
  #isOpen = true;
  #isSignedIn = false;
  #mechanism = '';
  #lastUsedMs: number;
  #fate: PostFate = 'not-sent';

  private constructor(options: LaneConnectionOptions) {
    requireProtection(options);
    this.#options = options;
    this.#standing = 'token' in options.signIn ? options.signIn : null;
    this.#http = new HttpConnection(options.road.stream);
    this.#tripwire = new Tripwire(options);
    this.#lastUsedMs = options.platform.monotonicMs();
  }

  /**
   * Authenticates a fresh connection. With `riding`, that envelope goes on the last leg and `reply` is its answer;
   * without, the last leg is empty, as it must be behind a proxy: the final round trip of authentication may be consumed
   * by one that loses the association between our connection and the server's. A standing authorization has no legs:
   * nothing is sent yet, and `reply` is null.
   *
   * @throws auth.*, proxy.*, http.*, seal.*, wsman.*, session.*; the connection is closed then, and `riding.compose`
   *   has been called exactly if its envelope may have left
   */
  static async open(
    options: LaneConnectionOptions,
    riding: RidingPost | null,
  ): Promise<{ connection: LaneConnection; reply: string | null }> {
    const lane = new LaneConnection(options);
    try {
      return { connection: lane, reply: await lane.#authenticate(riding) };
    } catch (error) {
      lane.close();
      throw error;
    }
  }

  /** Whether another envelope may be posted here, as far as anyone knows. */
  get isUsable(): boolean {
    return this.#isOpen && this.#http.isUsable;
  }

  /** Whether each post shows a credential. */
  get isStanding(): boolean {
    return this.#standing !== null;
  }

  /** Whether a credential was granted here. */
  get isSignedIn(): boolean {
    return this.#isSignedIn;
  }

  /** How long nothing has been posted or answered. */
  get idleMs(): number {
    return this.#options.platform.monotonicMs() - this.#lastUsedMs;
  }

  /** After `post` has failed: how far the envelope got. */
  get fate(): PostFate {
    return this.#fate;
  }

  /**
   * Posts one envelope and returns the unsealed answer.
   *
   * @throws proxy.no-affinity when a proxy put another connection in the place of the one that was signed in on; seal.*,
   *   wsman.encryption-required, wsman.not-wsman, http.*, auth.incomplete when the connection is no longer authenticated,
   *   auth.rejected and auth.no-common-mechanism when a standing authorization is refused, session.*, what `check` throws
   */
  async post(envelope: string, options: PostOptions): Promise<string> {
    if (!this.#isOpen) fail('misuse.wrong-state', { action: 'post', state: 'closed' });
    const { platform } = this.#options;
    this.#fate = 'not-sent';
    const body = this.#bodyOf(envelope, this.#context);
    const sent = { ...options, bytes: body.body.length, atMs: platform.monotonicMs() };
    try {
      const response = await this.#http.exchange(this.#request(this.#standingHeader(), body), {
        replyWithinMs: options.replyWithinMs,
        platform,
        signal: options.signal,
        at: options.operation,
      });
      this.#fate = 'unknown';
      this.#options.counts.exchanges++;
      return this.#read(response, sent, true);
    } catch (error) {
      if (this.#fate === 'not-sent') this.#fate = this.#http.fate;
      this.close();
      throw this.#standing === null ? this.#tripwire.closed(error) : error;
    }
  }

  /** Closes the connection and forgets the keys. Idempotent. */
  close(): void {
    this.#isOpen = false;
    this.#http.close();
    this.#context?.destroy();
    this.#context = null;
  }

  async #authenticate(riding: RidingPost | null): Promise<string | null> {
    const { signIn, road, platform, signal, journal, name, counts, sealing } = this.#options;
    if ('token' in signIn) {
      this.#mechanism = signIn.mechanism;
      return null;
    }
    const sent = { operation: riding?.operation ?? '', check: riding?.check, bytes: 0, atMs: 0 };
    const legs: LegReport[] = [];
    const { context, reply } = await converse({
      connection: this.#http,
      authenticator: signIn,
      request: (authorization, sealed) => this.#request(authorization, sealed),
      lastBody:
        riding &&
        ((keyed) => {
          const body = this.#bodyOf(riding.compose(), keyed);
          sent.bytes = body.body.length;
          sent.atMs = platform.monotonicMs();
          return body;
        }),
      ...{ platform, legTimeoutMs: LEG_TIMEOUT_MS },
      ...{ isForwarded: road.form === 'absolute', hasProxy: road.hasProxy },
      bodyTimeoutMs: riding?.replyWithinMs,
      signal,
      onProof: this.#options.onProof,
      onLeg: (leg) => {
        this.#mechanism = leg.mechanism;
        legs.push(leg);
        counts.exchanges++;
        this.#options.onLeg?.(leg);
        const { mechanism, stage, status } = leg;
        journal.record({ event: 'leg', lane: name, mechanism, stage, status });
      },
    }).catch((error: unknown) => {
      throw judgeLegs(error, legs, this.#options) ?? foreignAnswer(error, legs);
    });
    // A mechanism that ends without keys cannot seal, and nothing leaves over http unsealed.
    if (context === null && sealing === 'always')
      fail('auth.too-weak', { mechanism: this.#mechanism, missing: 'sealing' });
    this.#context = context;
    this.#signedIn();
    return reply === null ? null : this.#read(reply, sent, false);
  }

  #signedIn(): void {
    if (this.#isSignedIn) return;
    const { journal, name, counts } = this.#options;
    this.#isSignedIn = true;
    counts.handshakes++;
    journal.record({ event: 'connection', lane: name, what: 'authenticated', reason: this.#mechanism });
  }

  /** An envelope as it leaves: sealed, unless TLS makes that optional. */
  #bodyOf(envelope: string, context: SecurityContext | null): SealedBody {
    const plain = utf8Encode(envelope);
    if (this.#options.sealing === 'optional') return { contentType: SOAP_TYPE, body: plain };
    return sealEnvelope(context ?? fail('misuse.wrong-state', { action: 'seal', state: 'without keys' }), plain);
  }

  #standingHeader(): string | null {
    const standing = this.#standing;
    if (standing === null) return null;
    const token = standing.token();
    return token === null ? standing.scheme : formatToken(standing.scheme, token);
  }

  #request(authorization: string | null, content: SealedBody | null): HttpRequest {
    const { place, road } = this.#options;
    const headers = new Headers([
      ['Host', place.authority],
      ['User-Agent', USER_AGENT],
      ['Accept-Encoding', 'identity'],
      ['Connection', 'Keep-Alive'],
      ['Content-Type', content?.contentType ?? SOAP_TYPE],
    ]);
    if (authorization !== null) headers.append('Authorization', authorization);
    return {
      method: 'POST',
      target: road.form === 'absolute' ? place.url : place.path,
      headers,
      body: content?.body ?? new Uint8Array(0),
    };
  }

  /**
   * The answer's text, or the error that its status and its lack of a seal stand for.
   * @param wasSignedIn whether the connection had been authenticated before the request left
   */
  #read(response: HttpResponse, sent: Sent, wasSignedIn: boolean): string {
    const { journal, platform, name } = this.#options;
    this.#lastUsedMs = platform.monotonicMs();
    const contentType = response.headers.get('Content-Type') ?? '';
    const isSealed = isSealedType(contentType);
    journal.record({
      event: 'exchange',
      lane: name,
      operation: sent.operation,
      requestBytes: sent.bytes,
      responseBytes: response.body.length,
      status: response.status,
      sealed: isSealed,
      ms: this.#lastUsedMs - sent.atMs,
    });
    const { status } = response;
    if (this.#standing !== null) {
      if (isRefusal(this.#standing, status)) failRejected(this.#standing, response);
      if (status !== 407) this.#signedIn();
    }
    if (isSealed) {
      // QUIRK: a server may seal inside TLS unasked, or not although it was asked; the reply's own type decides.
      const context = this.#context ?? fail('seal.unsupported', { protocol: readableLine(contentType) });
      return this.#believe(response, sent, () => textOf(unsealReply(context, contentType, response.body)));
    }
    const isPlainWelcome = this.#options.sealing === 'optional' && status !== 401 && status !== 407;
    if (isPlainWelcome && looksLikeSoap(contentType)) {
      return this.#believe(response, sent, () => textOf(response.body));
    }
    const moved = wasSignedIn && this.#standing === null ? this.#tripwire.unsealed(response) : null;
    if (moved === null) return this.#failUnsealed(response, readableLine(contentType));
    this.#fate = moved.fate;
    throw moved.error;
  }

  /** What the server itself says, to us and to what was asked. */
  #believe(response: HttpResponse, { check }: Sent, read: () => string): string {
    try {
      const text = read();
      check?.(text);
      this.#tripwire.sound();
      return text;
    } catch (error) {
      throw this.#tripwire.misdelivered(response, error) ?? error;
    }
  }

  /**
   * What came back unsealed is not the server's word under our keys: nothing of it is believed but the refusal itself.
   */
  #failUnsealed(response: HttpResponse, contentType: string): never {
    const { status } = response;
    if (status >= 200 && status < 300) {
      if (this.#options.sealing === 'always') fail('seal.plain-reply', { status, contentType });
      fail('wsman.not-wsman', { status, contentType, text: readableText(response.body) });
    }
    if (status === 401) {
      // RFC 9110, section 15.5.2: what is answered 401 has not been applied. On a connection that had been
      // authenticated it is not about the password.
      this.#fate = 'refused';
      fail('auth.incomplete', { mechanism: this.#mechanism, stage: 'sealed' });
    }
    if (status === 407) {
      const offered = schemeNames(response.headers.getAll('Proxy-Authenticate'));
      fail('proxy.auth-required', { hop: 0, host: '', port: 0, offered });
    }
    if (status === 500 && response.body.length === 0) {
      this.#fate = 'refused';
      // Windows answers so when AllowUnencrypted is false and it cannot take a body for a sealed one.
      fail('wsman.encryption-required', { status });
    }
    if (status === 500 && looksLikeSoap(contentType)) fail('seal.plain-reply', { status, contentType });
    return failWithStatus(status, contentType, response);
  }
}

interface Sent {
  operation: string;
  readonly check?: PostOptions['check'];
  bytes: number;
  atMs: number;
}
