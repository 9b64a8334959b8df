import { isWinRmError, type SessionState, type WinRmError } from '@fairlead/protocol';
import { useSyncExternalStore } from 'react';
import type { SessionEntry } from '@/features/session/session-registry.ts';
import type { MazeWay, RoomId } from './maze-ways.ts';

/** What came of a room the last time, as far as it is known. */
export type Outcome =
  | { readonly at: 'untried' }
  | { readonly at: 'opening' }
  /** A shell is open, behind that many connections and sign-ins. */
  | {
      readonly at: 'open';
      readonly sessionId: string;
      readonly isAround: boolean;
      readonly connections: number;
      readonly handshakes: number;
    }
  /** A shell was open, and is closed. */
  | { readonly at: 'left'; readonly isAround: boolean }
  | { readonly at: 'stopped'; readonly error: WinRmError };

/** The last walk through a room. */
export interface Trial {
  readonly way: MazeWay;
  readonly sessionId: string;
  /** What is known of it when its session is gone. */
  readonly last: Exclude<Outcome, { at: 'open' | 'opening' }>;
}

const NONE: ReadonlyMap<RoomId, Trial> = new Map();
let trials = NONE;
const listeners = new Set<() => void>();

/** Notes that a way is tried. What came of the room before is forgotten. */
export function beginTrial(way: MazeWay, sessionId: string): void {
  set({ way, sessionId, last: { at: 'untried' } });
}

/** Notes how far a trial's session has come; a session that is no trial's changes nothing. */
export function noteTrial(sessionId: string, state: SessionState): void {
  const trial = [...trials.values()].find((each) => each.sessionId === sessionId);
  const last = trial && lastOf(trial, state);
  if (trial && last && last.at !== trial.last.at) set({ ...trial, last });
}

/** What came of a room. @param entries the sessions that are still there */
export function outcomeOf(trial: Trial | undefined, entries: readonly SessionEntry[]): Outcome {
  if (trial === undefined) return { at: 'untried' };
  const entry = entries.find(({ id }) => id === trial.sessionId);
  if (entry === undefined) return trial.last;
  const { connections, handshakes } = entry.counts;
  if (entry.state.at === 'ready') {
    const { isAround } = trial.way;
    return { at: 'open', sessionId: entry.id, isAround, connections, handshakes };
  }
  return lastOf(trial, entry.state) ?? { at: 'opening' };
}

/** The last trial of each room. The same map until one changes. */
export function readTrials(): ReadonlyMap<RoomId, Trial> {
  return trials;
}

/** The last trial of each room; redraws when one changes. */
export function useTrials(): ReadonlyMap<RoomId, Trial> {
  return useSyncExternalStore(watch, readTrials, () => NONE);
}

function lastOf({ way }: Trial, state: SessionState): Trial['last'] | null {
  const { isAround } = way;
  if (state.at === 'ready' || state.at === 'ended') return { at: 'left', isAround };
  if (state.at !== 'lost' && state.at !== 'closed') return null;
  if (state.error === null) return { at: 'left', isAround };
  return isWinRmError(state.error, 'session.cancelled') ? { at: 'untried' } : { at: 'stopped', error: state.error };
}

function set(trial: Trial): void {
  trials = new Map(trials).set(trial.way.room, trial);
  for (const listener of listeners) listener();
}

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
