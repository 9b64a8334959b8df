import { BEAT_MS, MAX_SILENCE_MS } from '@fairlead/contract';
import type { Platform, SecureHop } from '@fairlead/protocol/road';
import type { TicketDesk } from './access.ts';
import type { DialPolicy } from './dial-policy.ts';
import { DialSocket } from './dial-socket.ts';
import type { Resolve } from './dialer.ts';
import type { LastingPipes } from './lasting-pipes.ts';
import type { Log } from './log.ts';
import type { MessageSocket } from './message-socket.ts';
import type { Metrics } from './metrics.ts';
import type { SignIn, Store } from './store.ts';

/** What all byte sockets share. */
export interface PipeRoomOptions {
  readonly policy: DialPolicy;
  readonly tickets: TicketDesk;
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly resolve: Resolve;
  readonly clock: Pick<Platform, 'now' | 'monotonicMs'>;
  readonly connectionLimit: number;
  readonly dialTimeoutMs: number;
  readonly lasting: LastingPipes;
  /** For proxies that are spoken to over TLS. */
  readonly secureHop: SecureHop;
  /** Whether proxies may be given credentials when the target is http, against the seed's rule R5. */
  readonly mayHttpBehindSignIn: boolean;
  /** Milliseconds between beats; `BEAT_MS` but in tests. */
  readonly beatMs?: number;
}

/** All byte sockets of one relay: counts them by person, beats for them, ends them. */
export class PipeRoom {
  readonly policy: DialPolicy;
  readonly tickets: TicketDesk;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly resolve: Resolve;
  readonly clock: Pick<Platform, 'now' | 'monotonicMs'>;
  readonly dialTimeoutMs: number;
  readonly secureHop: SecureHop;
  readonly mayHttpBehindSignIn: boolean;
  readonly connectionLimit: number;
  /** Pipes that outlive their sockets. */
  readonly lasting: LastingPipes;
  readonly #store: Store;
  readonly #sockets = new Set<DialSocket>();
  readonly #timer: ReturnType<typeof setInterval>;
  #lastNumber = 0;
  #onEmpty: (() => void) | null = null;

  constructor(options: PipeRoomOptions) {
    this.policy = options.policy;
    this.tickets = options.tickets;
    this.log = options.log;
    this.metrics = options.metrics;
    this.resolve = options.resolve;
    this.clock = options.clock;
    this.dialTimeoutMs = options.dialTimeoutMs;
    this.lasting = options.lasting;
    this.secureHop = options.secureHop;
    this.mayHttpBehindSignIn = options.mayHttpBehindSignIn;
    this.#store = options.store;
    this.connectionLimit = options.connectionLimit;
    this.#timer = setInterval(() => this.#tick(), options.beatMs ?? BEAT_MS).unref();
  }

  /**
   * Takes a WebSocket, or what stands for one; `signIn` null is told so and closed, and so is one too many of a person's.
   * Whoever has as many pipes as allowed may still take each of them up again.
   */
  accept(socket: MessageSocket, signIn: SignIn | null): void {
    this.#lastNumber += 1;
    const lasting = this.lasting.countOf(signIn?.person);
    let [others, fresh] = [0, 0];
    for (const other of this.#sockets) {
      if (other.signIn?.person !== signIn?.person || other.isCarryingLasting) continue;
      others += 1;
      if (other.isFresh) fresh += 1;
    }
    const isFull = others + lasting >= this.connectionLimit;
    const may = !isFull ? 'dial' : fresh < lasting ? 'resume' : 'nothing';
    this.#sockets.add(new DialSocket(this, socket, signIn, this.#lastNumber, may));
  }

  /** A socket has closed. */
  forget(socket: DialSocket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.#onEmpty?.();
  }

  /** Ends what a sign-in holds, when it is over. */
  closeSignIn(id: string): void {
    for (const socket of this.#sockets) if (socket.signIn?.id === id) socket.close('signInRequired');
    this.lasting.closeSignIn(id);
  }

  /** Waits for the sockets to finish by themselves, then ends them. */
  async drain(waitMs: number): Promise<void> {
    clearInterval(this.#timer);
    this.lasting.drain();
    await this.#emptyWithin(waitMs);
    for (const socket of this.#sockets) socket.close('draining');
    await this.#emptyWithin(1000);
    for (const socket of this.#sockets) socket.terminate();
  }

  #emptyWithin(ms: number): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#onEmpty = null;
        resolve();
      };
      const timer = setTimeout(finish, ms);
      this.#onEmpty = finish;
    });
  }

  /** A beat for everyone; whoever moves bytes is using the sign-in, and whoever's has run out is sent away. */
  #tick(): void {
    const now = this.clock.now();
    const busy = new Map<string, boolean>();
    for (const socket of this.#sockets) {
      const isBusy = socket.tick(Math.ceil(MAX_SILENCE_MS / BEAT_MS));
      const id = socket.signIn?.id;
      if (id !== undefined) busy.set(id, (busy.get(id) ?? false) || isBusy);
    }
    for (const id of this.lasting.heldSignIns()) busy.set(id, busy.get(id) ?? false);
    for (const [id, isBusy] of busy) {
      const isValid = isBusy ? this.#store.touch(id, now) !== null : this.#store.isValid(id, now);
      if (!isValid) this.closeSignIn(id);
    }
  }
}
