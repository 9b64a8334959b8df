import { ACK_DELAY_MS, ChunkQueue, type RelayMessage, ResumeLog, WINDOW_BYTES } from '@fairlead/contract';
import { type ByteStream, WinRmError } from '@fairlead/protocol/road';

/** Why a link is let go by its pipe. */
export type LetGo = { readonly cause: 'finished' | 'replaced' | 'malformed' } | { readonly error: unknown };

/** What carries a pipe for the time being. */
export interface PipeLink {
  sendBytes(bytes: Uint8Array): void;
  say(message: RelayMessage): void;
  /** The pipe is over, or has been taken up elsewhere. */
  letGo(why: LetGo): void;
}

/** Why a pipe that can be held is over. */
export type PipeEnd = 'finished' | 'cut' | 'expired' | 'malformed' | 'signInRequired' | 'draining';

/** What a pipe is made of. */
export interface LastingPipeOptions {
  /** In the log. */
  readonly number: number;
  readonly stream: ByteStream;
  /** Reads what goes up and gives back what may go on; throws at what the ticket is not for. */
  readonly guard: { feed(bytes: Uint8Array): Uint8Array } | null;
  readonly holdBytes: number;
  readonly holdMs: number;
  /** Told once. */
  readonly onOver: (end: PipeEnd) => void;
  /** Told when the last link is gone, and when there is one again. */
  readonly onHeld: (isHeld: boolean) => void;
}

/**
 * A TCP connection that outlives its links. While there is none it goes on reading into the log, up to `holdBytes`, and
 * then no more: the far end waits. INVARIANT: one link at a time; what an earlier one still brings is not listened to.
 *
 * Holds at most `holdBytes` (at least `WINDOW_BYTES` with a link) and one chunk on the way down, `WINDOW_BYTES` on the
 * way up.
 */
export class LastingPipe {
  readonly number: number;
  bytesUp = 0;
  bytesDown = 0;
  #countedUp = 0;
  #countedDown = 0;
  readonly #o: LastingPipeOptions;
  readonly #log = new ResumeLog();
  readonly #up = new ChunkQueue();
  #link: PipeLink | null = null;
  #claimant: PipeLink | null = null;
  #isPumpingUp = false;
  #hasEndedUp = false;
  #isOver = false;
  /** The TCP connection broke while nobody could be told. */
  #failure: { readonly error: unknown } | null = null;
  #holdTimer: ReturnType<typeof setTimeout> | null = null;
  #ackTimer: ReturnType<typeof setTimeout> | null = null;
  #wakeDown: (() => void) | null = null;

  constructor(options: LastingPipeOptions, link: PipeLink) {
    this.#o = options;
    this.number = options.number;
    this.#link = link;
    void this.#pumpDown();
  }

  /** Whether a link carries it now. */
  get isHeld(): boolean {
    return !this.#isOver && this.#link === null;
  }

  /** Bytes that the tab has not acknowledged. */
  get keptBytes(): number {
    return this.#log.keptBytes;
  }

  /** Bytes that have gone each way since this was last asked. */
  takeCounts(): { readonly up: number; readonly down: number } {
    const counts = { up: this.bytesUp - this.#countedUp, down: this.bytesDown - this.#countedDown };
    this.#countedUp = this.bytesUp;
    this.#countedDown = this.bytesDown;
    return counts;
  }

  /** Bytes from the tab. */
  receive(link: PipeLink, bytes: Uint8Array): void {
    if (link !== this.#link || bytes.length === 0) return;
    if (this.#log.hasEndedThere || this.#log.untaken + bytes.length > WINDOW_BYTES) {
      this.#over('malformed', { cause: 'malformed' });
      return;
    }
    this.#log.receive(bytes.length);
    this.#up.append(bytes);
    void this.#pumpUp();
  }

  /** The tab will send nothing more. */
  receiveEnd(link: PipeLink): void {
    if (link !== this.#link || this.#log.hasEndedThere) return;
    this.#log.receiveEnd();
    void this.#pumpUp();
  }

  /** The tab has taken so much. */
  acknowledge(link: PipeLink, count: number): void {
    if (link !== this.#link) return;
    if (!this.#log.acknowledge(count)) {
      this.#over('malformed', { cause: 'malformed' });
      return;
    }
    this.#wakeDown?.();
    this.#finishWhenBothEnded();
  }

  /**
   * Cuts the present link off, for one that has proved that it may have the pipe. How much has been received stands
   * still from here on; the count is returned.
   */
  claim(link: PipeLink): number {
    const before = this.#link;
    this.#link = null;
    this.#claimant = link;
    this.#hold();
    before?.letGo({ cause: 'replaced' });
    return this.#log.received;
  }

  /**
   * Goes on over a link that has claimed the pipe. `greet` is called before anything is repeated.
   * @param received what the tab has, counted. False when that cannot be, or when the claim is void.
   */
  attach(link: PipeLink, received: number, greet: () => void): boolean {
    if (this.#isOver || this.#claimant !== link) return false;
    const replay = this.#log.replay(received);
    if (replay === null) return false;
    this.#claimant = null;
    this.#link = link;
    this.#stopTimers();
    this.#o.onHeld(false);
    greet();
    for (const piece of replay.pieces) link.sendBytes(piece);
    if (replay.hasEnded) link.say({ type: 'end' });
    this.#acknowledge(false);
    if (this.#failure !== null) this.#over('cut', this.#failure);
    else this.#wakeDown?.();
    return true;
  }

  /** A link is gone; if it was the one in use, the pipe is held. */
  detach(link: PipeLink): void {
    if (this.#claimant === link) this.#claimant = null;
    if (this.#link !== link) return;
    this.#link = null;
    this.#hold();
  }

  /** The tab is done with it: ends it if `link` is the one in use. */
  leave(link: PipeLink, end: PipeEnd): void {
    if (this.#link === link) {
      this.#link = null;
      this.#over(end, null);
    } else this.detach(link);
  }

  /** Ends it for a reason that is not its own; a link closes by itself. */
  close(end: PipeEnd): void {
    this.#over(end, null);
  }

  #hold(): void {
    if (this.#isOver || this.#holdTimer !== null) return;
    this.#stopTimers();
    this.#o.onHeld(true);
    this.#holdTimer = setTimeout(() => this.#over('expired', null), this.#o.holdMs).unref();
    this.#wakeDown?.(); // more may be read now
  }

  async #pumpUp(): Promise<void> {
    if (this.#isPumpingUp || this.#isOver) return;
    this.#isPumpingUp = true;
    try {
      for (let bytes = this.#up.shift(); bytes !== null && !this.#isOver; bytes = this.#up.shift()) {
        const allowed = this.#o.guard === null ? bytes : this.#o.guard.feed(bytes);
        this.bytesUp += allowed.length;
        if (allowed.length > 0) await this.#o.stream.write(allowed);
        this.#log.take(bytes.length);
        this.#acknowledge(true);
      }
      if (this.#isOver || !this.#log.hasEndedThere || this.#hasEndedUp) return;
      await this.#o.stream.end();
      this.#hasEndedUp = true;
      this.#log.take(1);
      this.#acknowledge(false);
      this.#finishWhenBothEnded();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isPumpingUp = false;
    }
  }

  async #pumpDown(): Promise<void> {
    try {
      for (;;) {
        while (!this.#isOver && this.#log.underWay >= this.#limit()) {
          await new Promise<void>((resolve) => {
            this.#wakeDown = resolve;
          });
        }
        this.#wakeDown = null;
        if (this.#isOver) return;
        const bytes = await this.#o.stream.read();
        if (this.#isOver) return;
        if (bytes === null) break;
        this.bytesDown += bytes.length;
        this.#log.send(bytes);
        this.#link?.sendBytes(bytes);
      }
      this.#log.end();
      this.#link?.say({ type: 'end' });
      this.#finishWhenBothEnded();
    } catch (error) {
      this.#fail(error);
    }
  }

  #limit(): number {
    return this.#link === null ? this.#o.holdBytes : Math.min(WINDOW_BYTES, this.#o.holdBytes);
  }

  /** Tells the tab what has been taken: at once when it is much, soon when it is little. */
  #acknowledge(isPatient: boolean): void {
    const link = this.#link;
    if (link === null) return;
    const count = this.#log.acknowledgement(isPatient);
    if (count !== null) link.say({ type: 'ack', count });
    else if (isPatient) {
      this.#ackTimer ??= setTimeout(() => {
        this.#ackTimer = null;
        this.#acknowledge(false);
      }, ACK_DELAY_MS).unref();
    }
  }

  #finishWhenBothEnded(): void {
    if (this.#hasEndedUp && this.#log.isSettled) this.#over('finished', { cause: 'finished' });
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    if (this.#link !== null) this.#over('cut', { error });
    else if (this.#failure === null) {
      // What had come before is still for the tab; the connection itself is not needed for it.
      this.#failure = { error };
      this.#o.stream.destroy();
    }
  }

  #over(end: PipeEnd, why: LetGo | null): void {
    if (this.#isOver) return;
    const wasHeld = this.#holdTimer !== null;
    this.#isOver = true;
    this.#stopTimers();
    this.#o.stream.destroy(end === 'finished' ? undefined : new WinRmError('relay.lost', { reason: end }));
    this.#up.clear();
    this.#wakeDown?.();
    const link = this.#link;
    this.#link = null;
    if (wasHeld) this.#o.onHeld(false);
    this.#o.onOver(end);
    if (why !== null) link?.letGo(why);
  }

  #stopTimers(): void {
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
    this.#holdTimer = null;
    this.#ackTimer = null;
  }
}
