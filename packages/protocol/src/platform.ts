/** Clock, random numbers and sleep: handed in, never reached for, so that a test can hold them still. */
export interface Platform {
  /** Milliseconds since 1970 UTC; for NTLM timestamps and nothing else. */
  now(): number;
  /** Milliseconds on a clock that never jumps; for durations and nothing else. */
  monotonicMs(): number;
  /** Cryptographically strong random bytes. */
  random(length: number): Uint8Array;
  /** Resolves after `ms`; rejects with the signal's reason at once when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
