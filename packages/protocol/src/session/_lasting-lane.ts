import { withDeadline } from '../bytes/deadline.ts';
import type { ByteStream } from '../bytes/stream.ts';
import { fail, isWinRmError, type ProxyPlace, WinRmError } from '../errors.ts';
import type { LegReport } from '../http/converse.ts';
import type { Journal, LaneName } from '../journal.ts';
import type { HopReport, OpenedRoad, RoadOpener } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import type { Authenticator, StandingAuthorization } from '../security.ts';
import type { TlsVersion } from '../tls/engine.ts';
import type { TrustedPeer } from '../tls/trust.ts';
import { type Lane, LaneConnection, type PostOptions, type TrafficCounts, type WsmanPlace } from '../wsman/lane.ts';
import type { AdviceBook } from './_advice.ts';
import { isClosedAfterSignIn, isFateUnknown, isLoss, maySendAgain } from './_fates.ts';
import { FirstWords, withFalseTunnel, withProxyOnRoad } from './_first-words.ts';
import { type HeldClock, heldClock } from './_held-clock.ts';
import type { Patience } from './_patience.ts';
import type { SecuredRoad, SecureRoadOptions } from './_secure-road.ts';
import type { Showing } from './_showing.ts';

/** What a lane that outlives its connections is made of. */
export interface LastingLaneOptions {
  readonly name: LaneName;
  readonly place: WsmanPlace;
  readonly openRoad: RoadOpener;
  /** How its roads are secured; null for an http target. */
  readonly tls: SecureRoadOptions | null;
  /** One per connection; a mechanism is never reused, and it is bound to the peer that TLS ends at. */
  readonly createSignIn: (peer: TrustedPeer | null) => Promise<Authenticator | StandingAuthorization>;
  /** 'optional' is for https targets only. */
  readonly sealing: 'always' | 'optional';
  readonly platform: Platform;
  readonly journal: Journal;
  readonly counts: TrafficCounts;
  /** 'never' leaves the last leg empty on every road; 'auto' only behind a proxy. */
  readonly bodyOnLastLeg: 'auto' | 'never';
  /** What both lanes of a session wait with while the road is broken. */
  readonly patience: Patience;
  /** Called when a lost connection is opened anew, when a road is held, and when either stands again. */
  readonly onLink: (link: 'reopening' | 'held' | 'live') => void;
  /** Where a person is told what the road is like. */
  readonly advice: AdviceBook;
  /** 'once': a connection that is lost is not opened anew, and nothing is posted again. */
  readonly lives?: 'on' | 'once';
}

type Riding = PostOptions & { compose(): string };

/** HTTP.sys closes a connection that has been idle for 120 s; one this old is not trusted with another request. */
export const MAX_IDLE_MS = 100_000;

/** A request is not carried over more handshakes than this, so that a peer which drops each of them ends the matter. */
export const MAX_HANDSHAKES_PER_REQUEST = 2;

/** Each hop has its own limit; this one is for a road that never says how it went. */
const ROAD_TIMEOUT_MS = 120_000;

/**
 * A lane that opens its connection when it is first needed, and anew when it was lost between requests: new connection,
 * new handshake, new keys.
 *
 * INVARIANT: an envelope is posted again only if it cannot have been acted on, or if acting twice does no harm.
 */
export class LastingLane implements Lane {
  readonly name: LaneName;
  readonly #options: LastingLaneOptions;
  readonly #closing = new AbortController();
  #connection: LaneConnection | null = null;
  /** Of its road. */
  #held: HeldClock | null = null;
  #hasBeenOpen = false;
  #canRide: boolean;
  #hasProxy = false;
  /** The last one of the last road, as it was reported. */
  #proxy: ProxyPlace | null = null;
  /** Of the TLS of the last connection. */
  #version: TlsVersion | null = null;
  /** Whether the last connection ended for its age. */
  #wasIdle = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LastingLaneOptions) {
    this.name = options.name;
    this.#options = options;
    this.#canRide = options.bodyOnLastLeg === 'auto';
  }

  /**
   * Opens the connection ahead of need.
   * @param beforeSignIn awaited once the road stands, before the first leg; so that a wrong password is tried once only
   */
  open(signal: AbortSignal, beforeSignIn?: Promise<void>): Promise<void> {
    return this.#inTurn('open', signal, async (inner) => {
      if (this.#usable() === null) await this.#reopen(inner, null, beforeSignIn);
    });
  }

  /** @throws shell.fate-unknown when an envelope that may not be repeated may or may not have been acted on */
  post(compose: () => string, options: PostOptions): Promise<string> {
    return this.#inTurn(options.operation, options.signal, (signal) => this.#post(compose, { ...options, signal }));
  }

  /** Closes for good; what is under way rejects with session.cancelled. */
  async close(): Promise<void> {
    this.#closing.abort(new WinRmError('session.cancelled', { at: 'close' }));
    this.#drop('closed');
    const dropLate = (): void => this.#drop('closed'); // a connection that was being opened meanwhile
    this.#turn.then(dropLate, dropLate);
  }

  /** One at a time; aborting or closing rejects at once, also while waiting for the turn. */
  #inTurn<Result>(at: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { platform } = this.#options;
    const stoppable = (run: (inner: AbortSignal) => Promise<Result>) =>
      withDeadline({ platform, withinMs: Infinity, at, signal }, (outer) =>
        withDeadline({ platform, withinMs: Infinity, at, signal: this.#closing.signal }, (closing) =>
          withEither(outer, closing, run),
        ),
      );
    const before = this.#turn;
    return stoppable((inner) => {
      const mine = before
        .catch(() => undefined)
        .then(() => {
          if (inner.aborted) throw inner.reason;
          return work(inner);
        });
      this.#turn = mine;
      return mine;
    });
  }

  async #post(compose: () => string, options: PostOptions): Promise<string> {
    let handshakeCount = 0;
    let closedCount = 0;
    for (;;) {
      let isComposed = false;
      const composeOnce = (): string => {
        isComposed = true;
        return compose();
      };
      const connection = this.#usable();
      // What is not written yet cannot be lost with the link, nor can anyone wonder what became of it.
      if (connection !== null && (await this.#held?.wait(options.signal))) continue;
      const isNew = connection !== null && !connection.isSignedIn;
      if (connection?.isStanding) this.#options.patience.requireUnrefused();
      try {
        if (connection !== null) {
          const reply = await connection.post(composeOnce(), options);
          if (connection.isStanding) this.#options.patience.shown(null, false);
          this.#options.tls?.versions.settle();
          return reply;
        }
        if (handshakeCount === MAX_HANDSHAKES_PER_REQUEST || this.#isSpent) this.#failClosedAfterSignIn();
        handshakeCount++;
        // Only on the way up: later a Receive would ride, and while it waits nobody could tell that the road stands. Nor may
        // an attempt be repeated that took a request along.
        const mayRide = options.mayRide && !this.#options.patience.hasBegun;
        const riding = mayRide ? { ...options, compose: composeOnce } : null;
        const reply = await this.#reopen(options.signal, riding);
        if (reply !== null) return reply;
      } catch (thrown) {
        const error = withProxyOnRoad(thrown, this.#proxy);
        const fate = connection === null ? (isComposed ? this.#fateOfRider(error) : 'never') : connection.fate;
        this.#drop(isWinRmError(error) ? error.code : 'failed');
        const isStepDown = connection !== null && this.#options.tls?.versions.stepDown(error, this.#version) === true;
        if (connection?.isStanding && fate !== 'not-sent' && !isStepDown) this.#options.patience.shown(error, isNew);
        if (options.signal.aborted || fate === 'never' || this.#isSpent) throw error;
        if (isStepDown) continue;
        // The first of them may have been on a connection that was opened ahead of need.
        if (isClosedAfterSignIn(error)) closedCount++;
        const roundCount = Math.max(handshakeCount, closedCount);
        if (maySendAgain(fate, error, options) && roundCount < MAX_HANDSHAKES_PER_REQUEST) {
          if (isWinRmError(error, 'proxy.no-affinity')) this.#options.advice.moved(error);
          if (fate !== 'not-sent') options.onRepeat?.(); // a refusal that nobody sealed is anyone's word, as below
          continue;
        }
        if (!options.isRepeatable && isFateUnknown(fate, error)) {
          fail('shell.fate-unknown', { operation: options.operation }, error);
        }
        throw error;
      }
    }
  }

  get #isSpent(): boolean {
    return this.#options.lives === 'once' && this.#hasBeenOpen;
  }

  /** Signed in, and closed before anything could be asked, again: RFC 4559, section 6, and nobody's password. */
  #failClosedAfterSignIn(): never {
    const { hop, host, port } = this.#proxy ?? { hop: 0, host: '', port: 0 };
    const details = { hop, host, port, via: '', stage: 'signed-in', why: 'closed' } as const;
    if (this.#hasProxy) fail('proxy.drops-connection', details);
    return fail('http.closed-early', { where: 'idle' });
  }

  /**
   * An envelope that rode on the last leg and came back unread: some servers (OMI) discard it. They get an empty last
   * leg from now on. A rejected credential is final, whatever rode with it.
   */
  #fateOfRider(error: unknown): 'refused' | 'unknown' | 'never' {
    const isUnread =
      isWinRmError(error, 'wsman.encryption-required') ||
      (isWinRmError(error, 'http.unexpected-status') && error.details.status === 400);
    if (isUnread) {
      this.#canRide = false;
      return 'refused';
    }
    return isLoss(error) ? 'unknown' : 'never';
  }

  /** The connection, if it may be used for another request. */
  #usable(): LaneConnection | null {
    const connection = this.#connection;
    if (connection === null) return null;
    const isUsable = connection.isUsable && this.#held?.isLost !== true;
    if (isUsable && connection.idleMs <= MAX_IDLE_MS) return connection;
    this.#drop(connection.idleMs > MAX_IDLE_MS ? 'idle' : 'ended');
    return null;
  }

  #reopen(signal: AbortSignal, riding: Riding | null, beforeSignIn?: Promise<void>): Promise<string | null> {
    const { patience, onLink, advice } = this.#options;
    if (this.#hasBeenOpen) onLink('reopening');
    if (this.#hasBeenOpen && !this.#wasIdle) advice.reopened();
    return patience.open({ signal, open: (inner, showing) => this.#connect(inner, showing, riding, beforeSignIn) });
  }

  async #connect(
    signal: AbortSignal,
    showing: Showing,
    riding: Riding | null,
    beforeSignIn?: Promise<void>,
  ): Promise<string | null> {
    const { name, journal, platform, place, counts, onLink, sealing, tls, openRoad, patience } = this.#options;
    showing.walks(() => openRoad.answered?.() ?? 0);
    const hops: HopReport[] = [];
    const words = new FirstWords();
    const road = await this.#openSecured(signal, hops, words).catch((error: unknown) => {
      throw withFalseTunnel(error, hops, words);
    });
    showing.stands();
    const { peer } = road;
    this.#version = road.version;
    let isRead = false;
    try {
      const waiting = { platform, withinMs: Infinity, at: 'sign-in', signal };
      if (beforeSignIn !== undefined) await withDeadline(waiting, () => beforeSignIn);
      const signIn = await this.#options.createSignIn(peer);
      const held = heldClock(platform, road, onLink);
      const proxy = this.#proxy;
      const onLeg = (leg: LegReport): void => {
        isRead ||= leg.via !== '';
        showing.heard();
        this.#options.advice.leg(leg, road, proxy);
      };
      const onProof = (): void => showing.proves();
      const setting = { name, road, place, signIn, sealing, proxy, onLeg, onProof, journal, counts };
      const rider = this.#canRide && !road.hasProxy ? riding : null;
      const isSecured = peer !== null;
      await patience.turnToSignIn(signal, showing);
      const opened = await LaneConnection.open({ ...setting, isSecured, platform: held.platform, signal }, rider);
      this.#connection = opened.connection;
      this.#held = held;
      if (this.#hasBeenOpen) onLink('live');
      this.#hasBeenOpen = true;
      return opened.reply;
    } catch (error) {
      road.stream.destroy();
      this.#recordClosed(error);
      if (tls === null) this.#options.advice.refused(error, road, this.#proxy);
      if (tls === null) throw withFalseTunnel(withProxyName(error, road, hops), hops, words);
      const { withBindingDoubt } = await import('./_secure-road.ts');
      throw withFalseTunnel(
        withProxyName(withBindingDoubt(error, road, tls.decision, isRead), road, hops),
        hops,
        words,
      );
    }
  }

  async #openSecured(signal: AbortSignal, hops: HopReport[], words: FirstWords): Promise<SecuredRoad> {
    const { name, tls } = this.#options;
    if (tls === null) return { ...(await this.#openRoad(signal, hops, words)), peer: null, version: null };
    // The engine is a third of the protocol; a page that opens no https session never fetches it.
    const { openSecuredRoad } = await import('./_secure-road.ts');
    const dial = () => this.#openRoad(signal, hops, words);
    return await openSecuredRoad(name, dial, tls, signal).catch((error: unknown) => {
      this.#recordClosed(error);
      throw error;
    });
  }

  #recordClosed(error: unknown): void {
    const reason = isWinRmError(error) ? error.code : 'failed';
    this.#options.journal.record({ event: 'connection', lane: this.name, what: 'closed', reason });
  }

  async #openRoad(signal: AbortSignal, hops: HopReport[], words: FirstWords): Promise<OpenedRoad> {
    const { name, platform, journal, openRoad, counts } = this.#options;
    const onHop = (report: HopReport): void => {
      hops.push(report);
      journal.record({ event: 'hop', lane: name, report });
    };
    const road = await withDeadline({ platform, withinMs: ROAD_TIMEOUT_MS, at: 'road', signal }, async (inner) => {
      const opened = await openRoad(name, onHop, inner);
      if (inner.aborted) opened.stream.destroy(); // nobody waits for it any more
      return opened;
    });
    this.#hasProxy = road.hasProxy;
    this.#options.advice.road(road);
    this.#proxy = hops.findLast(({ party }) => party === 'proxy') ?? null;
    counts.connections++;
    journal.record({ event: 'connection', lane: name, what: 'opened', reason: this.#hasBeenOpen ? 'again' : 'first' });
    return { ...road, stream: counted(road.stream, counts, words) };
  }

  #drop(reason: string): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    this.#wasIdle = reason === 'idle';
    connection.close();
    this.#options.journal.record({ event: 'connection', lane: this.name, what: 'closed', reason });
  }
}

/** A 407 is seen inside the conversation, which does not know the road; the last proxy that was reported asked for it. */
function withProxyName(error: unknown, { form }: OpenedRoad, hops: readonly HopReport[]): unknown {
  const proxy = hops.findLast(({ party }) => party === 'proxy');
  if (isWinRmError(error, 'proxy.drops-connection') && error.details.hop === 0 && proxy !== undefined) {
    const { hop, host, port } = proxy;
    return new WinRmError('proxy.drops-connection', { ...error.details, hop, host, port }, error.cause);
  }
  if (!isWinRmError(error, 'proxy.auth-required') || error.details.hop !== 0 || proxy === undefined) return error;
  const { hop, host, port } = proxy;
  const { offered } = error.details;
  // In absolute form the requests themselves pass through the proxy, and no credential of it ever goes with them: R5.
  if (form === 'absolute') {
    return new WinRmError('proxy.needs-https', { hop, host, port, offered, refusedBy: 'here' }, error);
  }
  return new WinRmError('proxy.auth-required', { hop, host, port, offered }, error);
}

/** Runs work under whichever of two signals is aborted first. */
function withEither<Result>(
  first: AbortSignal,
  second: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const either = new AbortController();
  const stop = (signal: AbortSignal) => () => either.abort(signal.reason);
  const [stopFirst, stopSecond] = [stop(first), stop(second)];
  first.addEventListener('abort', stopFirst, { once: true });
  second.addEventListener('abort', stopSecond, { once: true });
  return work(either.signal).finally(() => {
    first.removeEventListener('abort', stopFirst);
    second.removeEventListener('abort', stopSecond);
  });
}

/** The same stream, its bytes counted and the first of them heard. */
function counted(stream: ByteStream, counts: TrafficCounts, words: FirstWords): ByteStream {
  return {
    label: stream.label,
    async read(signal) {
      const bytes = await stream.read(signal);
      counts.responseBytes += bytes?.length ?? 0;
      if (bytes !== null) words.hear(bytes);
      return bytes;
    },
    write(bytes, signal) {
      counts.requestBytes += bytes.length;
      return stream.write(bytes, signal);
    },
    end: () => stream.end(),
    destroy: (reason) => stream.destroy(reason),
  };
}
