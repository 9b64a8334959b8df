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

/** A road that has been walked: bytes written here reach the target, or the last proxy in absolute form. */
export interface OpenedRoad {
  readonly stream: ByteStream;
  /** Absolute form is for `http-forward` roads only: the last proxy reads each request head. */
  readonly form: 'origin' | 'absolute';
  /** Whether any proxy stands on the road; then the last authentication leg stays empty (the seed's rule R21). */
  readonly hasProxy: boolean;
}

/** Opens one road for one lane: one TCP connection, pinned. A lane that must start anew asks again. */
export type RoadOpener = (
  lane: 'control' | 'output',
  onHop: (report: HopReport) => void,
  signal: AbortSignal,
) => Promise<OpenedRoad>;
