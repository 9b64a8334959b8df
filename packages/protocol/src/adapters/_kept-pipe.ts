import { base64url, type Lasting, type RelayMessage, readRelayMessage, resumeKey, resumeMac } from '@fairlead/contract';
import { WinRmError } from '../errors.ts';
import type { HopReport, OpenedRoad, ProxyChallenge, RoadLink } from '../opened-road.ts';
import { closeError, FINAL_CODES, LINK_BROKE, toError } from './_relay-errors.ts';
import { Heartbeat, RelayStream, unref } from './_relay-stream.ts';
import type { SocketMaker, TabSocket } from './_tab-socket.ts';

/** First and longest wait before a link is tried again; each wait is twice the one before. */
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 10_000;

/** Longest that one attempt may take. */
const ATTEMPT_MS = 20_000;

/** An attempt older than this may hang; a person who does not want to wait gets another. */
const STUCK_MS = 1000;

/** When nobody has answered for this much longer than the relay holds, there is nothing left to find. */
const GRACE_MS = 30_000;

/** What a tab closes a link with that it means to replace; browsers allow pages 1000 and 3000 to 4999 only. */
const LEAVING = 4000;

/** What a kept pipe is told and tells. */
export interface KeptPipeOptions {
  readonly sockets: SocketMaker;
  readonly ticket: string;
  readonly label: string;
  readonly onHop: (report: HopReport) => void;
  /** Makes the message that answers a proxy on the road; what it throws ends the road. */
  readonly answer: (challenge: ProxyChallenge) => Promise<string>;
  readonly onOpened: (road: OpenedRoad) => void;
  /** Told when the road never came about. */
  readonly onFailed: (error: unknown) => void;
  readonly onLink: (link: RoadLink) => void;
  /** Told once, when there is nothing more to keep. */
  readonly onOver: () => void;
}

interface Attempt {
  readonly tabNonce: string;
  relayNonce: string;
  /** What happened after `resumed` while its proof is being read. */
  early: (() => void)[] | null;
}

/** One pipe of a tab, with whatever links it takes: dials, and takes itself up again when a link is lost. */
export class KeptPipe {
  readonly #o: KeptPipeOptions;
  readonly #stream: RelayStream;
  readonly #listeners = new Set<(link: RoadLink) => void>();
  #stage: 'dialling' | 'live' | 'held' | 'over' = 'dialling';
  #socket: TabSocket | null = null;
  #heartbeat: Heartbeat | null = null;
  #lasting: Lasting | null = null;
  #key: Uint8Array<ArrayBuffer> | null = null;
  #attempt: Attempt | null = null;
  #via: RoadLink['via'] = 'websocket';
  #sinceMs = performance.now();
  #heldSinceMs = 0;
  #retryAtMs = 0;
  #attemptAtMs = 0;
  #retryMs = FIRST_RETRY_MS;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #resumedCount = 0;

  constructor(options: KeptPipeOptions) {
    this.#o = options;
    this.#stream = new RelayStream(options.label, () => this.#finish());
    this.#connect();
  }

  /** How the link is at this moment. */
  get link(): RoadLink {
    const now = performance.now();
    const isHeld = this.#stage === 'held';
    return {
      state: this.#stage === 'over' ? 'lost' : isHeld ? 'held' : 'live',
      via: this.#via,
      heldBytes: isHeld ? this.#stream.keptBytes : 0,
      sinceMs: now - this.#sinceMs,
      retryInMs: isHeld ? Math.max(0, this.#retryAtMs - now) : 0,
      givenUpInMs: isHeld ? Math.max(0, this.#heldSinceMs + this.#holdMs - now) : null,
      resumedCount: this.#resumedCount,
    };
  }

  /** Gives a road up that has not been opened yet. */
  cancel(error: unknown): void {
    if (this.#stage === 'dialling') this.#giveUp(error);
  }

  /** Looks for the relay now in place of later. @param isDoubtful whether to leave a link that seems to be fine */
  now(isDoubtful = false): void {
    if (this.#stage === 'live' && isDoubtful && this.#lasting !== null) this.#loseLink();
    if (this.#stage !== 'held') return;
    this.#retryMs = FIRST_RETRY_MS;
    // One that has just begun is not begun again; one that hangs is.
    if (this.#socket !== null && performance.now() - this.#attemptAtMs < STUCK_MS) return;
    this.#dropSocket(LEAVING);
    this.#attempt = null;
    this.#connect();
  }

  get #holdMs(): number {
    return (this.#lasting?.holdSeconds ?? 0) * 1000;
  }

  #connect(): void {
    this.#clearTimer();
    this.#retryAtMs = 0;
    this.#attemptAtMs = performance.now();
    const { sockets, ticket } = this.#o;
    const isMine = () => this.#socket === socket && this.#stage !== 'over';
    if (this.#stage === 'held') this.#arm(ATTEMPT_MS, () => this.#retry());
    const socket: TabSocket = sockets.open({
      onOpen: () => {
        if (!isMine()) return;
        if (this.#stage === 'dialling') socket.send(JSON.stringify({ type: 'dial', ticket, resumable: true }));
        else this.#askToResume(socket);
      },
      onMessage: (content) => {
        if (!isMine()) return;
        this.#heartbeat?.heard();
        this.#inTurn(() => this.#take(socket, content));
      },
      onClose: (code, wasOpen) => {
        if (isMine()) this.#inTurn(() => this.#closed(code, wasOpen));
      },
    });
    this.#socket = socket;
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(
      () => socket.send('{"type":"beat"}'),
      () => {
        if (!isMine()) return;
        if (this.#stage === 'dialling') this.#giveUp(new WinRmError('relay.lost', { reason: 'silence' }));
        else this.#loseLink();
      },
    );
    if (this.#stage === 'held') this.#tell(); // that an attempt is under way
  }

  #inTurn(act: () => void): void {
    const early = this.#attempt?.early ?? null;
    if (early === null) act();
    else early.push(act);
  }

  #take(socket: TabSocket, content: string | Uint8Array): void {
    if (typeof content !== 'string') {
      if (this.#stage === 'live' && !this.#stream.receive(content)) this.#mistrust('more bytes than were agreed');
    } else {
      const message = readRelayMessage(content);
      if (message === null) this.#mistrust('an unknown message');
      else this.#obey(socket, message);
    }
  }

  #obey(socket: TabSocket, message: RelayMessage): void {
    if (message.type === 'failed') {
      // Links that have died without a word may still be counted; the pipe itself is not what is refused.
      if (this.#stage === 'held' && message.code === 'relay.limit-reached') this.#loseLink();
      else this.#giveUp(toError(message));
    } else if (message.type === 'hop') {
      if (this.#stage === 'dialling') this.#o.onHop(message.report);
    } else if (message.type === 'challenge') {
      if (this.#stage === 'dialling') this.#answer(socket, message.challenge);
    } else if (message.type === 'opened') {
      if (this.#stage === 'dialling') this.#opened(socket, message);
    } else if (message.type === 'prove') this.#prove(socket, message.nonce);
    else if (message.type === 'resumed') {
      this.#resumed(socket, message.received, message.mac).catch(() => this.#mistrust('a wrong proof'));
    } else if (this.#stage === 'live' && message.type === 'end') this.#stream.receiveEnd();
    else if (this.#stage === 'live' && message.type === 'ack' && !this.#stream.acknowledge(message.count)) {
      this.#mistrust('a wrong count');
    }
  }

  #answer(socket: TabSocket, challenge: ProxyChallenge): void {
    this.#o.answer(challenge).then(
      (message) => {
        if (this.#stage === 'dialling') socket.send(message);
      },
      (error: unknown) => this.cancel(error),
    );
  }

  #opened(socket: TabSocket, message: Extract<RelayMessage, { type: 'opened' }>): void {
    const { form, hasProxy, lasting } = message;
    this.#stage = 'live';
    this.#via = socket.via;
    this.#sinceMs = performance.now();
    this.#lasting = lasting ?? null;
    this.#stream.promise(lasting?.holdBytes ?? 0);
    this.#stream.attach(socket, 0);
    const watchLink = (listener: (link: RoadLink) => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    };
    this.#o.onOpened({ stream: this.#stream, form, hasProxy, watchLink });
    this.#tell();
  }

  #askToResume(socket: TabSocket): void {
    const pipe = this.#lasting?.pipe ?? '';
    const tabNonce = base64url(crypto.getRandomValues(new Uint8Array(32)));
    this.#attempt = { tabNonce, relayNonce: '', early: null };
    socket.send(JSON.stringify({ type: 'resume', pipe, nonce: tabNonce }));
  }

  #prove(socket: TabSocket, relayNonce: string): void {
    const attempt = this.#attempt;
    if (attempt === null || attempt.relayNonce !== '') return;
    attempt.relayNonce = relayNonce;
    const received = this.#stream.received; // stands still: there is no link
    this.#mac('tab', attempt, received).then(
      (mac) => {
        if (this.#socket === socket) socket.send(JSON.stringify({ type: 'proof', received, mac }));
      },
      () => this.#loseLink(),
    );
  }

  async #resumed(socket: TabSocket, received: number, mac: string): Promise<void> {
    const attempt = this.#attempt;
    if (attempt === null || attempt.relayNonce === '' || attempt.early !== null) return;
    const early: (() => void)[] = [];
    attempt.early = early;
    const expected = await this.#mac('relay', attempt, received);
    if (this.#socket !== socket || this.#stage !== 'held') return;
    if (mac !== expected || !this.#stream.attach(socket, received)) {
      this.#mistrust('a wrong proof');
      return;
    }
    this.#clearTimer();
    this.#attempt = null;
    this.#stage = 'live';
    this.#via = socket.via;
    this.#sinceMs = performance.now();
    this.#retryMs = FIRST_RETRY_MS;
    this.#resumedCount += 1;
    this.#tell();
    for (const act of early) if (this.#socket === socket) act();
  }

  async #mac(side: 'tab' | 'relay', attempt: Attempt, received: number): Promise<string> {
    const { pipe, token } = this.#lasting ?? { pipe: '', token: '' };
    this.#key ??= await resumeKey(token);
    const { tabNonce, relayNonce } = attempt;
    return await resumeMac(this.#key, side, { pipe, tabNonce, relayNonce }, received);
  }

  #closed(code: number, wasOpen: boolean): void {
    const isFinal = FINAL_CODES.has(code) || this.#lasting === null;
    if (this.#stage === 'dialling') {
      this.#giveUp(wasOpen ? closeError(code) : new WinRmError('relay.unreachable', { url: this.#o.sockets.url }));
    } else if (isFinal && wasOpen) this.#giveUp(closeError(code));
    else this.#loseLink();
  }

  /** The link is gone, the pipe is not. */
  #loseLink(): void {
    if (this.#stage === 'over') return;
    if (this.#lasting === null) {
      this.#giveUp(new WinRmError('relay.lost', { reason: LINK_BROKE }));
      return;
    }
    if (this.#stage === 'live') {
      this.#stage = 'held';
      this.#heldSinceMs = performance.now();
      this.#sinceMs = this.#heldSinceMs;
      this.#stream.detach();
    }
    this.#retry();
  }

  #retry(): void {
    this.#dropSocket(LEAVING);
    this.#attempt = null;
    if (performance.now() - this.#heldSinceMs > this.#holdMs + GRACE_MS) {
      this.#giveUp(new WinRmError('relay.lost', { reason: 'the relay did not answer for longer than it holds' }));
      return;
    }
    this.#retryAtMs = performance.now() + this.#retryMs;
    this.#arm(this.#retryMs, () => this.#connect());
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    this.#tell();
  }

  /** Somebody speaks who is not the relay we know, or not in its words. */
  #mistrust(reason: string): void {
    this.#giveUp(new WinRmError('relay.lost', { reason }));
  }

  #giveUp(error: unknown): void {
    const was = this.#stage;
    if (was === 'over') return;
    const listeners = [...this.#listeners];
    this.#finish();
    if (was === 'dialling') {
      this.#o.onFailed(error);
      return;
    }
    if (error instanceof WinRmError) this.#stream.receiveFailure(this.#withLoss(error, was));
    if (!this.#stream.isFinished) this.#tell(listeners);
  }

  /** What is lost with a pipe that was held: said, because nobody will repeat it. */
  #withLoss(error: WinRmError, was: string): WinRmError {
    const { keptBytes } = this.#stream;
    const known: unknown = error.details;
    if (was !== 'held' || error.code !== 'relay.lost' || !isReason(known)) return error;
    const unsure =
      keptBytes === 0 ? 'everything sent had arrived there' : `${keptBytes} bytes sent may not have arrived`;
    return new WinRmError('relay.lost', { reason: `${known.reason}; ${unsure}` }, error);
  }

  #finish(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#clearTimer();
    this.#heartbeat?.stop();
    this.#dropSocket(1000);
    this.#listeners.clear();
    this.#o.onOver();
  }

  #dropSocket(code: number): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#heartbeat?.stop();
    socket?.close(code);
  }

  #arm(ms: number, act: () => void): void {
    this.#clearTimer();
    this.#timer = setTimeout(act, ms);
    if (this.#stage !== 'held') unref(this.#timer);
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tell(listeners: Iterable<(link: RoadLink) => void> = this.#listeners): void {
    const { link } = this;
    this.#o.onLink(link);
    for (const listener of listeners) listener(link);
  }
}

function isReason(details: unknown): details is { reason: string } {
  return typeof details === 'object' && details !== null && 'reason' in details && typeof details.reason === 'string';
}
