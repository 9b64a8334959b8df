/** The part of a session that Ctrl+C needs. */
export interface Interruptible {
  readonly state: { readonly at: string };
  interrupt(how: 'ctrl-c'): Promise<void>;
}

/** A second Ctrl+C within this time means "stop waiting for the other side". */
const SECOND_PRESS_MS = 3000;

/** What Ctrl+C does: the first interrupts the remote command, a second soon after gives up. */
export class Interrupts {
  readonly #session: Interruptible;
  readonly #giveUp: AbortController;
  readonly #clock: () => number;
  #lastPress = Number.NEGATIVE_INFINITY;

  constructor(session: Interruptible, giveUp: AbortController, clock: () => number = () => performance.now()) {
    this.#session = session;
    this.#giveUp = giveUp;
    this.#clock = clock;
  }

  /** One Ctrl+C. @returns what it did */
  press(): 'interrupted' | 'gave-up' {
    const now = this.#clock();
    const isSecond = now - this.#lastPress < SECOND_PRESS_MS;
    this.#lastPress = now;
    if (isSecond || this.#session.state.at !== 'ready') {
      this.#giveUp.abort();
      return 'gave-up';
    }
    // A failed interrupt shows itself in the session's own state; there is nothing to add to it here.
    this.#session.interrupt('ctrl-c').catch(() => undefined);
    return 'interrupted';
  }
}
