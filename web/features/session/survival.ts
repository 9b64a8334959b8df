/**
 * What of a session outlives its page: how the link is, what was written and typed so far, and what a later page needs
 * to find its way back. Nothing in here is a secret that may be stored; the record lives in a worker's memory only.
 */
import type { Advice, WinRmError } from '@fairlead/protocol';

/** How a session is carried just now, over both of its connections. Times in ms, as they were when it was told. */
export interface LinkFacts {
  /** 'held': the relay keeps the connections; 'reopening': they are gone, and new ones are being opened. */
  readonly state: 'live' | 'held' | 'reopening';
  readonly via: 'websocket' | 'http';
  /** Bytes that wait on this side for the link. */
  readonly heldBytes: number;
  /** For how long it has been in this state. */
  readonly sinceMs: number;
  /** Until the next attempt; 0 while one is under way. */
  readonly retryInMs: number;
  /** Until the relay, or we, give up; null where nobody knows. */
  readonly givenUpInMs: number | null;
  /** How often a link was taken up again without a byte lost. */
  readonly resumedCount: number;
  /** Attempts so far to open new connections. */
  readonly attempt: number;
  /** Why the last one failed. */
  readonly error: WinRmError | null;
}

/** What another session needs to take a shell up that still stands at the server. Nothing in it opens anything. */
export interface Standing {
  readonly shellId: string;
  readonly commandId: string;
  /** What the shell's prompts are known by. */
  readonly promptWord: string;
}

/** What a session tells beside its state. */
export interface SessionFacts {
  readonly link: LinkFacts;
  readonly standing: Standing | null;
  readonly advice: readonly Advice[];
}

/** What a person did, or the page drew, between two pieces of output. Hidden input is null. */
export type Note =
  | { readonly what: 'line'; readonly prompt: string; readonly text: string }
  | { readonly what: 'input'; readonly text: string | null }
  | { readonly what: 'divider'; readonly words: string }
  /** 'doubt': nobody knows whether the last line runs. */
  | { readonly what: 'clear' | 'interrupt' | 'doubt' };

/** One thing that was written or done, with its time in ms since 1970. */
export type Past = (
  | { readonly what: 'chunk'; readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly what: 'gap' }
  | Note
) & { readonly atMs: number };

/** Lines in the making. Hidden input is never among them. */
export interface Draft {
  /** In the editor. */
  readonly text: string;
  /** Entered, and not sent yet. */
  readonly queue: readonly string[];
}

/** What a page finds when it comes back to a session. */
export interface Survived {
  readonly past: readonly Past[];
  /** Whether the past begins later than the shell did. */
  readonly isTrimmed: boolean;
  readonly draft: Draft;
  /** What went wrong with a line while no page was there to be told. */
  readonly lateError: WinRmError | null;
}

/** Nothing is being written. */
export const NO_DRAFT: Draft = { text: '', queue: [] };
