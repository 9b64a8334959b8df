import { RECEIVE_TIMEOUT_SECONDS } from '../wsman/operations.ts';

/** A connection that ended sooner than this was not cut for its silence. */
const LEAST_SILENCE_MS = 2000;

/** Two silences count as one and the same limit when they differ by no more than this part of it. */
const SPREAD = 0.25;

/**
 * How long a Receive waits for news. Some proxies and firewalls cut a connection on which nobody has said anything for a
 * few seconds, and a Receive that waits is just that: each would cost a sign-in and a gap, and several in a row the
 * session. Where two were lost after the same silence, we ask twice as often as that from then on.
 */
export class PollTime {
  #seconds = RECEIVE_TIMEOUT_SECONDS;
  #lastSilenceMs: number | null = null;

  /** For the server: how long it may wait. */
  get seconds(): number {
    return this.#seconds;
  }

  /** A connection was lost under a Receive after so many milliseconds without an answer. */
  lostAfter(silenceMs: number): void {
    if (silenceMs < LEAST_SILENCE_MS) return;
    const before = this.#lastSilenceMs;
    this.#lastSilenceMs = silenceMs;
    if (before === null || Math.abs(before - silenceMs) > SPREAD * silenceMs) return;
    const half = Math.floor(Math.min(before, silenceMs) / 2000);
    this.#seconds = Math.max(1, Math.min(this.#seconds, half));
  }
}
