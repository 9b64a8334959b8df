/** How many keys a limiter remembers; past it the longest unused is forgotten, so that memory is bounded. */
const MAX_KEYS = 10_000;

/** So much, refilled evenly over a minute, for each key. Time is an argument: milliseconds on a clock that never jumps. */
export class RateLimit {
  readonly perMinute: number;
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /** Takes one, or says no. */
  take(key: string, nowMs: number): boolean {
    const known = this.#buckets.get(key);
    const refilled =
      known === undefined ? this.perMinute : known.left + ((nowMs - known.atMs) * this.perMinute) / 60_000;
    const left = Math.min(this.perMinute, refilled);
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: left >= 1 ? left - 1 : left, atMs: nowMs });
    if (this.#buckets.size > MAX_KEYS) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return left >= 1;
  }
}
