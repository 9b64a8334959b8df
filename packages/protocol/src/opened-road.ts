import type { ByteStream } from './bytes/stream.ts';

/**
 * What a road tells while it is walked. Hop 0 is the relay itself (absent where there is none), then the proxies in
 * order, and the target last.
 */
export interface HopReport {
  readonly hop: number;
  readonly party: 'relay' | 'proxy' | 'server';
  readonly host: string;
  readonly port: number;
  readonly stage: 'resolving' | 'connecting' | 'asking' | 'open';
  /** Milliseconds since the road was begun. */
  readonly ms: number;
  /** The address connected to, once known; "" before. */
  readonly address: string;
}

/** How the link that carries a road is. A road that is held is not lost: bytes wait at both ends. */
export interface RoadLink {
  /** 'lost' is the last one told: the road is over, and whoever reads from it gets the error. */
  readonly state: 'live' | 'held' | 'lost';
  /** What carries it, or carried it last: HTTP requests where something on the way lets no WebSocket pass. */
  readonly via: 'websocket' | 'http';
  /** Bytes waiting here for a link. */
  readonly heldBytes: number;
  /** For how long the road has been in this state, in ms. */
  readonly sinceMs: number;
  /** Until the next attempt, in ms; 0 while one is under way or none is needed. */
  readonly retryInMs: number;
  /** Until the relay gives the road up, in ms, counted from the loss; null while it is live. */
  readonly givenUpInMs: number | null;
  /** How often the road has been taken up again; no byte was lost or doubled by that. */
  readonly resumedCount: number;
}

/** A road that has been walked: bytes written here reach the target, or the last proxy in absolute form. */
export interface OpenedRoad {
  readonly stream: ByteStream;
  /** Absolute form is for `http-forward` roads only: the last proxy reads each request head. */
  readonly form: 'origin' | 'absolute';
  /** Whether any proxy stands on the road; then the last authentication leg stays empty (the seed's rule R21). */
  readonly hasProxy: boolean;
  /** The last proxy's refusal of a tunnel, where it forwards requests for that reason. */
  readonly refusedTunnel?: {
    readonly host: string;
    readonly port: number;
    readonly status: number;
    readonly text: string;
  };
  /** Calls back whenever the link that carries the road changes, until the returned function is called. */
  readonly watchLink?: (listener: (link: RoadLink) => void) => () => void;
}

/** Opens one road for one lane: one TCP connection, pinned. A lane that must start anew asks again. */
export interface RoadOpener {
  (lane: 'control' | 'output', onHop: (report: HopReport) => void, signal: AbortSignal): Promise<OpenedRoad>;
  /** Looks at once for the links of roads that are held, where roads can be. */
  readonly now?: () => void;
  /** How often proxies that wanted credentials have been answered so far, where they can be. */
  readonly answered?: () => number;
}

/** A proxy that wants credentials, and what it said. Nothing in it may be believed: it comes from the proxy or the relay. */
export interface ProxyChallenge {
  /** The proxy's place on the road, from 1. */
  readonly hop: number;
  readonly host: string;
  readonly port: number;
  /** `socks5` takes a name and a password, spoken as Basic (RFC 1929); nothing else is offered there. */
  readonly kind: 'http' | 'socks5';
  /** What the proxy was asked for, `host:port`; Digest signs it. */
  readonly target: string;
  /** 0 begins a conversation on a connection that is new to the proxy's credentials. */
  readonly leg: number;
  /** 407; 0 where a status is no part of the protocol. */
  readonly status: number;
  /** The values of Proxy-Authenticate. */
  readonly offered: readonly string[];
  /** The proxy's own words: Via, Proxy-Status and the page, as text. */
  readonly via: string;
  readonly proxyStatus: string;
  readonly text: string;
}

/**
 * Answers one proxy's challenges with the value of Proxy-Authorization, and decides when there is nothing more to say.
 * One per road, because it remembers where each conversation stands.
 *
 * @throws proxy.auth-required, proxy.auth-unsupported, proxy.auth-rejected, proxy.needs-https
 */
export type ProxyAnswerer = (challenge: ProxyChallenge, signal: AbortSignal) => string | Promise<string>;
