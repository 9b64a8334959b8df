import {
  CLOSE_CODES,
  type RelayError,
  type RelayMessage,
  readRelayError,
  readTabMessage,
  type TicketRequest,
} from '@fairlead/contract';
import { ForwardGuard, type HopReport, isWinRmError, TlsGuard, walkRoad } from '@fairlead/protocol/road';
import type { RawData, WebSocket } from 'ws';
import { AskTab } from './ask-tab.ts';
import { judgeRoad } from './dial-policy.ts';
import { createDialer } from './dialer.ts';
import { Pipe, type PipeGuard } from './pipe.ts';
import type { PipeRoom } from './pipe-room.ts';
import { nodePlatform } from './platform.ts';
import type { SignIn } from './store.ts';

/** A tab sends its ticket at once; whoever does not, holds a connection for nothing. */
const TICKET_WAIT_MS = 10_000;

/** How long somebody who is not signed in may take to close a socket that was refused. */
const STRANGER_MS = 2000;

type Cause = keyof typeof CLOSE_CODES;

/** Which closing code goes with an error that kept a road from being opened, where it is not `roadFailed`. */
const CAUSES: Partial<Record<RelayError['code'], Cause>> = {
  'relay.sign-in-required': 'signInRequired',
  'relay.ticket-refused': 'ticketRefused',
  'relay.policy-denied': 'policyDenied',
  'relay.limit-reached': 'limitReached',
  'proxy.forward-refused': 'policyDenied',
};

/** One byte socket from its first message to its last: ticket, limits, policy, road, pipe. */
export class DialSocket {
  readonly signIn: SignIn | null;
  readonly #room: PipeRoom;
  readonly #socket: WebSocket;
  readonly #number: number;
  readonly #began = performance.now();
  /** Null once the road is open: an idle pipe keeps nothing it does not need. */
  #stop: AbortController | null = new AbortController();
  readonly #ticketTimer: ReturnType<typeof setTimeout>;
  /** Null once the road is open, as above. */
  #asking: AskTab | null = null;
  #stage: 'waiting' | 'dialling' | 'open' | 'over' = 'waiting';
  #pipe: Pipe | null = null;
  #request: TicketRequest | null = null;
  #silentTicks = 0;
  #countedUp = 0;
  #countedDown = 0;

  constructor(room: PipeRoom, socket: WebSocket, signIn: SignIn | null, number: number, isOverLimit: boolean) {
    this.#room = room;
    this.#socket = socket;
    this.signIn = signIn;
    this.#number = number;
    this.#ticketTimer = setTimeout(() => this.close('silent'), TICKET_WAIT_MS);
    socket.on('message', (content, isBinary) => this.#take(content, isBinary));
    // Frames that are too large or against the protocol: the library has already answered with their closing code.
    socket.on('error', () => this.#over('malformed', null));
    socket.on('close', () => {
      this.#over('finished', null);
      room.forget(this);
    });
    if (signIn === null) this.#refuse({ code: 'relay.sign-in-required', details: {} });
    else if (isOverLimit) this.#refuse({ code: 'relay.limit-reached', details: { limit: room.connectionLimit } });
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
      if (this.#pipe === null) this.close('malformed');
      else this.#pipe.receive(content);
      return;
    }
    const message = readTabMessage(content.toString('utf8'));
    if (message === null) this.close('malformed');
    else if (message.type === 'dial') this.#dial(message.ticket);
    else if (message.type === 'answer') {
      if (this.#asking?.take(message) !== true) this.close('malformed');
    } else if (message.type === 'end') {
      if (this.#pipe === null) this.close('malformed');
      else this.#pipe.receiveEnd();
    }
  }

  #dial(ticket: string): void {
    const { signIn } = this;
    if (this.#stage !== 'waiting' || signIn === null) {
      this.close('malformed');
      return;
    }
    clearTimeout(this.#ticketTimer);
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
    this.#stage = 'open';
    this.#stop = null;
    this.#asking = null;
    this.#room.metrics.pipesOpen.inc();
    this.#room.metrics.dials.inc({ result: 'opened' });
    this.#log('pipe.opened', {});
    this.#say({ type: 'opened', form: road.form, hasProxy: road.hasProxy });
    this.#pipe = new Pipe(this.#socket, road.stream, guard, (error) => {
      if (error === null) this.close('finished');
      else this.#fail(error);
    });
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

  #over(cause: Cause, code: string | null): void {
    if (this.#stage === 'over') return;
    const was = this.#stage;
    this.#stage = 'over';
    clearTimeout(this.#ticketTimer);
    this.#stop?.abort();
    this.#count();
    this.#pipe?.destroy();
    this.#socket.close(CLOSE_CODES[cause]);
    // A stranger's farewell is not waited for as long as the library would.
    if (this.signIn === null) setTimeout(() => this.#socket.terminate(), STRANGER_MS).unref();
    if (was === 'open') {
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

  #log(event: 'pipe.opened' | 'pipe.refused' | 'pipe.closed' | 'relay.fault', fields: object): void {
    const request = this.#request;
    this.#room.log.info(event, {
      pipe: this.#number,
      ...(this.signIn === null ? {} : { person: this.signIn.person }),
      ...(request === null
        ? {}
        : { host: request.target.host, port: request.target.port, hops: request.route.hops.length }),
      ms: Math.round(performance.now() - this.#began),
      ...fields,
    });
  }
}

/** What the road must be held to. The seed's rules R5 (TLS behind a proxy that was signed in to) and R28 (absolute form) */
function guardOf(form: 'origin' | 'absolute', target: TicketRequest['target'], isTlsOnly: boolean): PipeGuard | null {
  if (form === 'absolute') return new ForwardGuard(target);
  return isTlsOnly ? new TlsGuard() : null;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
