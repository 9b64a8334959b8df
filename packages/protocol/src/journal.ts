import type { Advice } from './advice.ts';
import type { ErrorCode } from './errors.ts';
import type { HopReport } from './opened-road.ts';

/** The name of a lane, as the journal writes it. */
export type LaneName = 'control' | 'output';

/**
 * What happened, in facts. INVARIANT: no field can hold a secret or a byte of the shell; sizes and names only. That is
 * why a report made of it can be handed to anyone.
 */
export type JournalEvent =
  | { readonly event: 'hop'; readonly lane: LaneName; readonly report: HopReport }
  | {
      readonly event: 'leg';
      readonly lane: LaneName;
      readonly mechanism: string;
      readonly stage: string;
      readonly status: number;
    }
  | {
      readonly event: 'exchange';
      readonly lane: LaneName;
      readonly operation: string;
      readonly requestBytes: number;
      readonly responseBytes: number;
      readonly status: number;
      readonly sealed: boolean;
      readonly ms: number;
    }
  | {
      readonly event: 'connection';
      readonly lane: LaneName;
      readonly what: 'opened' | 'authenticated' | 'closed';
      readonly reason: string;
    }
  | {
      /** What TLS settled. The thumbprint is of the server's certificate, which it shows to everybody. */
      readonly event: 'tls';
      readonly lane: LaneName;
      readonly version: string;
      readonly suite: string;
      readonly group: string;
      readonly sha256: string;
      readonly trustedBy: 'pin' | 'root' | 'person';
      /** The judgement not counted. */
      readonly ms: number;
    }
  | {
      readonly event: 'trust';
      readonly what: 'asked' | 'trust-once' | 'pin' | 'refuse';
      readonly sha256: string;
    }
  | {
      /** An attempt to open a lost road again has failed, or the next one has begun (`nextInMs` 0). */
      readonly event: 'reopening';
      readonly attempt: number;
      readonly nextInMs: number;
      readonly code: ErrorCode;
    }
  | { readonly event: 'advice'; readonly advice: Advice }
  | { readonly event: 'state'; readonly state: string }
  | { readonly event: 'fault'; readonly code: string }
  | { readonly event: 'error'; readonly code: ErrorCode };

/** One line of the journal. */
export interface JournalEntry {
  /** Milliseconds since the journal was begun. */
  readonly ms: number;
  readonly what: JournalEvent;
}

/** Oldest entries are dropped past this many, so that a session of weeks stays small. */
export const MAX_JOURNAL_ENTRIES = 5000;

/** The typed record of a session. */
export class Journal {
  readonly #clock: () => number;
  readonly #began: number;
  readonly #entries: JournalEntry[] = [];
  readonly #listeners = new Set<(entry: JournalEntry) => void>();

  /** @param monotonicMs a clock that never jumps, as `Platform.monotonicMs` */
  constructor(monotonicMs: () => number) {
    this.#clock = monotonicMs;
    this.#began = monotonicMs();
  }

  /** What was recorded, oldest first. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Adds an event, stamped now. */
  record(what: JournalEvent): void {
    const entry = { ms: this.#clock() - this.#began, what };
    if (this.#entries.length === MAX_JOURNAL_ENTRIES) this.#entries.shift();
    this.#entries.push(entry);
    for (const listener of this.#listeners) listener(entry);
  }

  /** Calls back for each new entry until the returned function is called. */
  watch(listener: (entry: JournalEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
