import {
  CLOSE_CODES,
  type RelayError,
  type RelayMessage,
  readRelayError,
  readTabMessage,
  type TicketRequest,
} from '@fairlead/contract';
import { ForwardGuard, type HopReport, isWinRmError, TlsGuard, walkRoad } from '@fairlead/protocol/road';
import type { RawData } from 'ws';
import { AskTab } from './ask-tab.ts';
import { CAUSES, type Cause, PIPE_ENDS } from './dial-causes.ts';
import { judgeRoad } from './dial-policy.ts';
import { createDialer } from './dialer.ts';
import type { LastingPipe, LetGo, PipeEnd, PipeLink } from './lasting-pipe.ts';
import type { ResumeAttempt } from './lasting-pipes.ts';
import type { MessageSocket } from './message-socket.ts';
import { Pipe, type PipeGuard } from './pipe.ts';
import type { PipeRoom } from './pipe-room.ts';
import { nodePlatform } from './platform.ts';
import type { SignIn } from './store.ts';

/** A tab sends its ticket at once; whoever does not, holds a connection for nothing. */
const TICKET_WAIT_MS = 10_000;

/** A browser's word for a page, or a worker, that is left. */
const GOING_AWAY = 1001;

/** How long somebody who is not signed in may take to close a socket that was refused. */
const STRANGER_MS = 2000;

/** What a socket may still ask for: a person who has all the pipes they may have can take each of them up again. */
export type Allowance = 'dial' | 'resume' | 'nothing';

/** One byte socket from its first message to its last: ticket, limits, policy, road, pipe. */
export class DialSocket implements PipeLink {
  readonly signIn: SignIn | null;
  readonly #room: PipeRoom;
  readonly #socket: MessageSocket;
  readonly #may: Allowance;
  /** Of the pipe, in the log. */
  #number: number;
  readonly #began = performance.now();
  /** Null once the road is open: an idle pipe keeps nothing it does not need. */
  #stop: AbortController | null = new AbortController();
  readonly #ticketTimer: ReturnType<typeof setTimeout>;
  /** Null once the road is open, as above. */
  #asking: AskTab | null = null;
  #stage: 'waiting' | 'dialling' | 'open' | 'over' = 'waiting';
  #pipe: Pipe | null = null;
  /** In place of `#pipe`, for a tab that dialled with `resumable`. */
  #lasting: LastingPipe | null = null;
  #isResumable = false;
  #attempt: ResumeAttempt | null = null;
  #request: TicketRequest | null = null;
  #silentTicks = 0;
  #countedUp = 0;
  #countedDown = 0;

  constructor(room: PipeRoom, socket: MessageSocket, signIn: SignIn | null, number: number, may: Allowance) {
    this.#room = room;
    this.#socket = socket;
    this.signIn = signIn;
    this.#number = number;
    this.#may = may;
    this.#ticketTimer = setTimeout(() => this.close('silent'), TICKET_WAIT_MS);
    socket.on('message', (content, isBinary) => this.#take(content, isBinary));
    // Frames that are too large or against the protocol: the library has already answered with their closing code.
    socket.on('error', () => this.#over('malformed', null, true));
    socket.on('close', (code) => {
      // 1001 is said by a page that goes away, and its token goes with it: nobody could take the pipe up. RFC 6455, 7.4.1
      this.#over('finished', null, code !== CLOSE_CODES.finished && code !== GOING_AWAY);
      room.forget(this);
    });
    if (signIn === null) this.#refuse({ code: 'relay.sign-in-required', details: {} });
    else if (may === 'nothing') this.#refuseMore();
  }

  /** Whether it carries a pipe that is counted by itself. */
  get isCarryingLasting(): boolean {
    return this.#lasting !== null;
  }

  /** Whether it has not said yet what it is for. */
  get isFresh(): boolean {
    return this.#stage === 'waiting';
  }

  /** Bytes of the pipe. */
  sendBytes(bytes: Uint8Array): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(bytes, { binary: true });
  }

  /** A message of the pipe. */
  say(message: RelayMessage): void {
    this.#say(message);
  }

  /** The pipe is over, or goes on elsewhere. */
  letGo(why: LetGo): void {
    if ('error' in why) this.#fail(why.error);
    else this.#over(why.cause, null);
  }

  /** Whether bytes have gone either way since the last tick; the count is taken. */
  tick(maxSilentTicks: number): boolean {
    this.#silentTicks += 1;
    if (this.#stage === 'over') return false;
    if (this.#silentTicks > maxSilentTicks) {
      this.close(this.#pipe?.isHeldUp ? 'cut' : 'silent');
      return false;
    }
    this.#say({ type: 'beat' });
    return this.#count();
  }

  /** Ends the connection for a reason that is not its own. */
  close(cause: Cause): void {
    this.#over(cause, null);
  }

  /** Ends it without waiting for the tab. */
  terminate(): void {
    this.#over('draining', null);
    this.#socket.terminate();
  }

  #take(content: RawData, isBinary: boolean): void {
    // The library's own choice of three forms, unless told otherwise; the others are never seen.
    if (this.#stage === 'over' || !Buffer.isBuffer(content)) return;
    this.#silentTicks = 0;
    if (isBinary) {
      if (this.#lasting !== null) this.#lasting.receive(this, content);
      else if (this.#pipe === null) this.close('malformed');
      else this.#pipe.receive(content);
      return;
    }
    const message = readTabMessage(content.toString('utf8'));
    if (message === null) this.close('malformed');
    else if (message.type === 'dial') this.#dial(message.ticket, message.resumable ?? false);
    else if (message.type === 'resume') this.#resume(message.pipe, message.nonce);
    else if (message.type === 'proof') this.#prove(message.received, message.mac);
    else if (message.type === 'ack') {
      if (this.#lasting === null) this.close('malformed');
      else this.#lasting.acknowledge(this, message.count);
    } else if (message.type === 'answer') {
      if (this.#asking?.take(message) !== true) this.close('malformed');
    } else if (message.type === 'end') {
      if (this.#lasting !== null) this.#lasting.receiveEnd(this);
      else if (this.#pipe === null) this.close('malformed');
      else this.#pipe.receiveEnd();
    }
  }

  #resume(pipe: string, nonce: string): void {
    if (this.#stage !== 'waiting' || this.#attempt !== null) {
      this.close('malformed');
      return;
    }
    this.#attempt = this.#room.lasting.attempt(pipe, nonce);
    this.#say({ type: 'prove', nonce: this.#attempt.relayNonce });
  }

  #prove(received: number, mac: string): void {
    const { signIn } = this;
    const attempt = this.#attempt;
    if (this.#stage !== 'waiting' || attempt === null || signIn === null) {
      this.close('malformed');
      return;
    }
    this.#stage = 'dialling';
    this.#takeUp(attempt, signIn, received, mac).catch((error: unknown) => this.#fail(error));
  }

  async #takeUp(attempt: ResumeAttempt, signIn: SignIn, received: number, mac: string): Promise<void> {
    const claim = await attempt.prove(this, signIn, received, mac);
    if (this.#stage !== 'dialling') {
      claim?.pipe.detach(this);
      return;
    }
    const greet = () => this.#say({ type: 'resumed', received: claim?.received ?? 0, mac: claim?.mac ?? '' });
    clearTimeout(this.#ticketTimer);
    this.#stop = null;
    this.#stage = 'open';
    this.#lasting = claim?.pipe ?? null;
    if (claim?.pipe.attach(this, received, greet)) {
      this.#number = claim.pipe.number;
      this.#room.lasting.resumed();
      this.#log('pipe.resumed', {});
      return;
    }
    claim?.pipe.detach(this);
    this.#lasting = null;
    this.#stage = 'dialling';
    this.#refuse({ code: 'relay.lost', details: { reason: 'the relay holds no such connection' } }, 'gone');
  }

  #dial(ticket: string, isResumable: boolean): void {
    const { signIn } = this;
    if (this.#stage !== 'waiting' || signIn === null || this.#attempt !== null) {
      this.close('malformed');
      return;
    }
    if (this.#may !== 'dial') {
      this.#refuseMore();
      return;
    }
    clearTimeout(this.#ticketTimer);
    this.#isResumable = isResumable;
    this.#stage = 'dialling';
    const room = this.#room;
    const request = room.tickets.redeem(ticket, signIn.person, room.clock.monotonicMs());
    if (typeof request === 'string') {
      this.#refuse({ code: 'relay.ticket-refused', details: { reason: request } });
      return;
    }
    this.#request = request;
    const denial = judgeRoad(room.policy, request.target, request.route.hops);
    if (denial !== null) this.#refuse({ code: 'relay.policy-denied', details: { ...denial } });
    else this.#walk(request).catch((error: unknown) => this.#fail(error));
  }

  async #walk(request: TicketRequest): Promise<void> {
    const onHop = (report: HopReport) => this.#say({ type: 'hop', report });
    const report = { hop: 0, party: 'relay', host: '', port: 0, stage: 'open', ms: 0, address: '' } as const;
    onHop(report);
    const { target, route, scheme = 'http' } = request;
    const { mayHttpBehindSignIn } = this.#room;
    const asking = new AskTab((message) => this.#say(message));
    this.#asking = asking;
    const road = await walkRoad({
      route,
      target: { ...target, scheme: scheme === 'https' ? 'https' : 'http' },
      answerProxy: asking.answer,
      httpBehindSignIn: mayHttpBehindSignIn ? 'allow' : 'refuse',
      secureHop: this.#room.secureHop,
      dial: createDialer({
        rules: route.hops.length === 0 ? this.#room.policy.targets : this.#room.policy.proxies,
        timeoutMs: this.#room.dialTimeoutMs,
        resolve: this.#room.resolve,
      }),
      onHop,
      platform: nodePlatform,
      signal: this.#stop?.signal,
      hopTimeoutMs: this.#room.dialTimeoutMs,
      firstHop: 1,
    });
    if (this.#stage !== 'dialling') {
      road.stream.destroy();
      return;
    }
    const guard = guardOf(road.form, target, asking.hasAnswered && !mayHttpBehindSignIn);
    const invited = this.#isResumable ? await this.#room.lasting.invite() : null;
    if (this.#isOver()) {
      road.stream.destroy();
      return;
    }
    this.#stage = 'open';
    this.#stop = null;
    this.#asking = null;
    this.#room.metrics.pipesOpen.inc();
    this.#room.metrics.dials.inc({ result: 'opened' });
    this.#log('pipe.opened', {});
    const { form, hasProxy, stream } = road;
    this.#say({ type: 'opened', form, hasProxy, ...(invited === null ? {} : { lasting: invited.lasting }) });
    if (invited !== null && this.signIn !== null) {
      const onOver = this.#lastingOver();
      const number = this.#number;
      this.#lasting = this.#room.lasting.open(invited, this.signIn, this, { stream, guard, number, onOver });
      return;
    }
    this.#pipe = new Pipe(this.#socket, stream, guard, (error) => {
      if (error === null) this.close('finished');
      else this.#fail(error);
    });
  }

  /** What is counted and written down when a pipe that may outlive this socket is over; holds on to no socket. */
  #lastingOver(): (end: PipeEnd, pipe: LastingPipe) => void {
    const { log, metrics } = this.#room;
    const fields = this.#fields();
    const began = this.#began;
    return (end, pipe) => {
      metrics.pipesOpen.dec();
      const { bytesUp, bytesDown } = pipe;
      log.info('pipe.closed', { ...fields, ms: Math.round(performance.now() - began), what: end, bytesUp, bytesDown });
    };
  }

  #refuseMore(): void {
    this.#refuse({ code: 'relay.limit-reached', details: { limit: this.#room.connectionLimit } });
  }

  #isOver(): boolean {
    return this.#stage === 'over';
  }

  /** Tells the tab what went wrong, in the contract's words only, and closes. */
  #fail(error: unknown): void {
    if (this.#stage === 'over') return;
    const read = isWinRmError(error) ? readRelayError({ code: error.code, details: error.details }) : null;
    if (read !== null) this.#refuse(read);
    else {
      this.#log('relay.fault', { code: isWinRmError(error) ? error.code : nameOf(error) });
      this.#refuse({ code: 'relay.lost', details: { reason: 'the relay had a fault' } }, 'fault');
    }
  }

  #refuse(error: RelayError, cause?: Cause): void {
    this.#say({ type: 'failed', code: error.code, details: error.details });
    const byCode = CAUSES[error.code] ?? (this.#stage === 'open' ? 'cut' : 'roadFailed');
    this.#over(cause ?? byCode, error.code);
  }

  /** @param isLinkLost whether only the way to the tab is gone, so that a pipe which can be taken up again is held */
  #over(cause: Cause, code: string | null, isLinkLost = false): void {
    if (this.#stage === 'over') return;
    const was = this.#stage;
    this.#stage = 'over';
    const lasting = this.#lasting;
    if (lasting !== null && cause === 'draining') {
      // Without a word, a tab would look for its pipe at a relay that is gone.
      this.#say({ type: 'failed', code: 'relay.lost', details: { reason: 'the relay is shutting down' } });
    }
    clearTimeout(this.#ticketTimer);
    this.#stop?.abort();
    this.#count();
    this.#pipe?.destroy();
    this.#socket.close(CLOSE_CODES[cause]);
    // A stranger's farewell is not waited for as long as the library would.
    if (this.signIn === null) setTimeout(() => this.#socket.terminate(), STRANGER_MS).unref();
    if (lasting !== null) {
      const end = isLinkLost || this.#room.lasting.isDraining ? undefined : PIPE_ENDS[cause];
      if (end !== undefined) lasting.leave(this, end);
      else if (this.#room.lasting.isDraining) lasting.leave(this, 'draining');
      else {
        lasting.detach(this);
        if (lasting.isHeld && cause !== 'replaced') this.#log('pipe.held', { what: isLinkLost ? 'lost' : cause });
      }
    } else if (was === 'open') {
      this.#room.metrics.pipesOpen.dec();
      this.#log('pipe.closed', {
        what: cause,
        ...(code === null ? {} : { code }),
        bytesUp: this.#pipe?.bytesUp ?? 0,
        bytesDown: this.#pipe?.bytesDown ?? 0,
      });
    } else {
      this.#room.metrics.dials.inc({ result: code ?? cause });
      this.#log('pipe.refused', { what: cause, ...(code === null ? {} : { code }) });
    }
  }

  #count(): boolean {
    if (this.#lasting !== null) return this.#room.lasting.count(this.#lasting);
    const up = (this.#pipe?.bytesUp ?? 0) - this.#countedUp;
    const down = (this.#pipe?.bytesDown ?? 0) - this.#countedDown;
    this.#countedUp += up;
    this.#countedDown += down;
    if (up > 0) this.#room.metrics.bytes.inc({ direction: 'up' }, up);
    if (down > 0) this.#room.metrics.bytes.inc({ direction: 'down' }, down);
    return up + down > 0;
  }

  #say(message: RelayMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #log(event: PipeEvent, fields: object): void {
    this.#room.log.info(event, { ...this.#fields(), ms: Math.round(performance.now() - this.#began), ...fields });
  }

  #fields(): object {
    const request = this.#request;
    return {
      pipe: this.#number,
      ...(this.signIn === null ? {} : { person: this.signIn.person }),
      ...(request === null
        ? {}
        : { host: request.target.host, port: request.target.port, hops: request.route.hops.length }),
    };
  }
}

type PipeEvent = 'pipe.opened' | 'pipe.refused' | 'pipe.held' | 'pipe.resumed' | 'pipe.closed' | 'relay.fault';

/** What the road must be held to. The seed's rules R5 (TLS behind a proxy that was signed in to) and R28 (absolute form) */
function guardOf(form: 'origin' | 'absolute', target: TicketRequest['target'], isTlsOnly: boolean): PipeGuard | null {
  if (form === 'absolute') return new ForwardGuard(target);
  return isTlsOnly ? new TlsGuard() : null;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
