import { createWriteStream, type WriteStream } from 'node:fs';

/** What happened on a host, in facts. INVARIANT: no field can hold a password, a command line or a byte of output. */
export type HostEvent =
  | {
      readonly event: 'open';
      readonly connection: number;
      readonly listener: 'http' | 'https';
      readonly peer: string;
    }
  | {
      readonly event: 'tls';
      readonly connection: number;
      /** "TLSv1.3"; empty when the handshake failed. */
      readonly version: string;
      /** As IANA lists it; empty when the handshake failed. */
      readonly suite: string;
      readonly isResumed: boolean;
      /** Why the handshake failed (the code Node gives the error), else empty. */
      readonly failure: string;
    }
  | {
      readonly event: 'leg';
      readonly connection: number;
      readonly scheme: string;
      readonly dialect: string;
      readonly outcome: 'continues' | 'accepted' | 'refused';
      /** DOMAIN\user once accepted, else empty. */
      readonly user: string;
      /** Why it was refused, else empty. */
      readonly reason: string;
    }
  | {
      readonly event: 'request';
      readonly connection: number;
      readonly method: string;
      readonly target: string;
      /** HTTP status; 0 when no answer was given. */
      readonly status: number;
      /** "Create", "Receive", … or "" for a request without an envelope. */
      readonly operation: string;
      readonly isSealed: boolean;
      /** WSManFault code, or null. */
      readonly fault: number | null;
      readonly requestBytes: number;
      readonly responseBytes: number;
      readonly note: string;
    }
  | { readonly event: 'shell'; readonly what: 'opened' | 'closed'; readonly shell: string; readonly reason: string }
  | {
      readonly event: 'command';
      readonly what: 'started' | 'ended';
      readonly shell: string;
      readonly command: string;
      readonly pid: number;
      /** Null while it runs. */
      readonly exitCode: number | null;
    }
  | {
      readonly event: 'close';
      readonly connection: number;
      readonly bytesReceived: number;
      readonly bytesSent: number;
    };

/** One line of the journal. */
export type HostEntry = HostEvent & {
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** One TCP connection, summed up. */
export interface ConnectionSummary {
  readonly connection: number;
  readonly isOpen: boolean;
  /** What its handshake agreed on; null without TLS, and before the handshake. */
  readonly tls: { readonly version: string; readonly suite: string } | null;
  /** HTTP requests of any kind. */
  readonly requestCount: number;
  /** Authentications that ended well; with Basic and certificates, which come with every request, the first of them. */
  readonly handshakeCount: number;
  readonly refusalCount: number;
  /** DOMAIN\user of the last handshake. */
  readonly user: string;
  /** Of each request that carried an envelope, in order. */
  readonly operations: readonly string[];
}

type Counted = { -readonly [Key in keyof ConnectionSummary]: ConnectionSummary[Key] } & { operations: string[] };

/** Oldest entries go past this many, so that a demo of weeks stays small. */
const MAX_ENTRIES = 20_000;

/** The record of one host: connections, authentication legs, requests, shells, commands. */
export class HostJournal {
  readonly #entries: HostEntry[] = [];
  readonly #connections = new Map<number, Counted>();
  #file: WriteStream | null;

  /** @param file where each entry is also written as one line of JSON */
  constructor(file: string | null = null) {
    this.#file = file === null ? null : createWriteStream(file, { flags: 'a', mode: 0o600 });
  }

  /** Oldest first. */
  get entries(): readonly HostEntry[] {
    return this.#entries;
  }

  /** Every connection there was, oldest first: what "exactly one connection, one handshake per lane" is asserted on. */
  connections(): readonly ConnectionSummary[] {
    return [...this.#connections.values()].map((counted) => ({ ...counted, operations: [...counted.operations] }));
  }

  /** Forgets what was recorded; connections that are open stay listed with their counts at zero. */
  clear(): void {
    this.#entries.length = 0;
    for (const [number, counted] of this.#connections) {
      if (!counted.isOpen) this.#connections.delete(number);
      else Object.assign(counted, { requestCount: 0, handshakeCount: 0, refusalCount: 0, operations: [] });
    }
  }

  /** Adds an event, stamped now. */
  record(event: HostEvent): void {
    const entry = { at: Date.now(), ...event };
    if (this.#entries.length === MAX_ENTRIES) this.#entries.shift();
    this.#entries.push(entry);
    this.#count(event);
    this.#file?.write(`${JSON.stringify(entry)}\n`);
  }

  /** Writes out what is still on its way to the file; what comes later is kept in memory only. */
  close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    return new Promise((resolve) => (file === null ? resolve() : file.end(resolve)));
  }

  #count(event: HostEvent): void {
    if (event.event === 'open') this.#open(event.connection);
    const counted = 'connection' in event ? this.#connections.get(event.connection) : undefined;
    if (counted === undefined) return;
    if (event.event === 'tls' && event.failure === '') counted.tls = { version: event.version, suite: event.suite };
    if (event.event === 'leg' && event.outcome === 'accepted') {
      counted.handshakeCount += 1;
      counted.user = event.user;
    }
    if (event.event === 'leg' && event.outcome === 'refused') counted.refusalCount += 1;
    if (event.event === 'request') {
      counted.requestCount += 1;
      if (event.operation !== '' && counted.operations.length < MAX_ENTRIES) counted.operations.push(event.operation);
    }
    if (event.event === 'close') counted.isOpen = false;
  }

  #open(connection: number): void {
    const [oldest] = this.#connections.keys();
    if (this.#connections.size === MAX_ENTRIES && oldest !== undefined) this.#connections.delete(oldest);
    this.#connections.set(connection, {
      connection,
      isOpen: true,
      tls: null,
      requestCount: 0,
      handshakeCount: 0,
      refusalCount: 0,
      user: '',
      operations: [],
    });
  }
}
