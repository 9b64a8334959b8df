import type { Crookedness } from './crooked-proxy.ts';

/** What a proxy did, in facts. INVARIANT: no field can hold a byte of what it carried, or a password. */
export type CrookedEvent =
  | { readonly event: 'client'; readonly client: number; readonly what: 'opened' | 'closed' }
  | {
      readonly event: 'upstream';
      readonly upstream: number;
      readonly what: 'opened' | 'closed';
      readonly target: string;
    }
  /** The proxy's own word on a CONNECT or a request. */
  | {
      readonly event: 'answered';
      readonly client: number;
      readonly method: string;
      readonly target: string;
      readonly status: number;
    }
  /** From here on the client's bytes go over that upstream connection; a request that was read says so each time. */
  | {
      readonly event: 'carried';
      readonly client: number;
      readonly upstream: number;
      readonly how: 'tunnel' | 'request';
    }
  /** It did what it is there for. */
  | { readonly event: 'bent'; readonly client: number; readonly what: Crookedness };

/** Oldest entries go past this many, so that a demo of weeks stays small. */
const MAX_ENTRIES = 10_000;

/** Which client connection went over which upstream connection, and where the proxy misbehaved. */
export class CrookedJournal {
  readonly #entries: CrookedEvent[] = [];
  #upstreamCount = 0;

  /** Oldest first. */
  get entries(): readonly CrookedEvent[] {
    return this.#entries;
  }

  /** How often the proxy has misbehaved. */
  get bentCount(): number {
    return this.#entries.filter(({ event }) => event === 'bent').length;
  }

  /** How many client connections there were. */
  get clientCount(): number {
    return this.#entries.filter((entry) => entry.event === 'client' && entry.what === 'opened').length;
  }

  /** The upstream connections a client went over, in the order of first use. */
  upstreamsOf(client: number): readonly number[] {
    return this.#pairs((pair) => (pair.client === client ? pair.upstream : null));
  }

  /** The clients that went over an upstream connection, in the order of first use. */
  clientsOf(upstream: number): readonly number[] {
    return this.#pairs((pair) => (pair.upstream === upstream ? pair.client : null));
  }

  /** The statuses the proxy answered with by itself, in order. */
  answers(): readonly number[] {
    return this.#entries.flatMap((entry) => (entry.event === 'answered' ? [entry.status] : []));
  }

  /** Adds an event. */
  record(event: CrookedEvent): void {
    if (this.#entries.length === MAX_ENTRIES) this.#entries.shift();
    this.#entries.push(event);
  }

  /** Records a new upstream connection. @returns its number */
  openUpstream(target: string): number {
    this.#upstreamCount += 1;
    this.record({ event: 'upstream', upstream: this.#upstreamCount, what: 'opened', target });
    return this.#upstreamCount;
  }

  #pairs(pick: (pair: { client: number; upstream: number }) => number | null): readonly number[] {
    const picked = this.#entries.flatMap((entry) => (entry.event === 'carried' ? (pick(entry) ?? []) : []));
    return [...new Set(picked)];
  }
}
