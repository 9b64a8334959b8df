import type { Session } from '@fairlead/protocol';
import type { Draft, Note, SessionFacts, Survived } from './survival.ts';

/** What is needed of a session; a test hands in its own. */
export type ShellSession = Pick<
  Session,
  | 'state'
  | 'journal'
  | 'watch'
  | 'open'
  | 'output'
  | 'promptWord'
  | 'writeText'
  | 'endInput'
  | 'interrupt'
  | 'close'
  | 'counts'
  | 'lastRoundTripMs'
> & {
  /** What an earlier page left to this one. */
  readonly survived?: Survived | null;
  /** What the session tells beside its state; null before it told anything. */
  readonly facts?: SessionFacts | null;
  readonly watchFacts?: (listener: () => void) => () => void;
  /** Tries now what it would try in a while. */
  readonly hurry?: () => void;
  /** Keeps, for a page that comes back, what the output alone does not tell. */
  readonly note?: (note: Note) => void;
  readonly keepDraft?: (draft: Draft) => void;
  /** The machine has a network again. */
  readonly online?: () => void;
  /** Lets go of the session for a page that comes back; null where it ends with the page. */
  readonly leave?: (() => void) | null;
  /** Another page has taken it over. */
  readonly isMoved?: boolean;
};

/** Words for the line drawn where output may be missing: since when, and when that was noticed; ms since 1970. */
export type GapWords = (sinceMs: number | null, atMs: number) => string;
