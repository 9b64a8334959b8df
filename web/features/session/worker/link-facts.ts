import type { Advice, RoadLink, WinRmError } from '@fairlead/protocol';
import type { ShellSession } from '../shell-session.ts';
import type { LinkFacts, SessionFacts, Standing } from '../survival.ts';

/** What ties a road to its surroundings: the options of the same names of `relayRoad`. */
export interface RoadWires {
  readonly onLink?: () => void;
  readonly onOnline?: (listener: () => void) => () => void;
}

/** A session that is made here, with the road it goes. */
export interface NearSession extends ShellSession {
  readonly road?: {
    readonly now: () => void;
    readonly links: () => readonly { readonly link: RoadLink }[];
  };
  readonly standing?: Standing | null;
  /** Its connections are gone, and new ones are tried for. */
  readonly reopening?: {
    readonly attempt: number;
    readonly nextInMs: number;
    readonly givenUpInMs?: number;
    readonly error: WinRmError | null;
  } | null;
  readonly advice?: readonly Advice[];
}

/**
 * What a session and its road tell, in one.
 * @param sinceMs for how long the state is what it is, where no link knows
 */
export function factsOf(session: NearSession, sinceMs: number): SessionFacts {
  const { standing = null, advice = [] } = session;
  return { link: linkOf(session, sinceMs), standing, advice: [...advice] };
}

function linkOf(session: NearSession, sinceMs: number): LinkFacts {
  const { state, reopening = null } = session;
  const links = session.road?.links().map(({ link }) => link) ?? [];
  const held = links.filter((link) => link.state === 'held');
  const resumedCount = links.reduce((sum, link) => sum + link.resumedCount, 0);
  const shared = {
    via: links.some((link) => link.via === 'http') ? ('http' as const) : ('websocket' as const),
    heldBytes: held.reduce((sum, link) => sum + link.heldBytes, 0),
    resumedCount,
    attempt: reopening?.attempt ?? 0,
    error: reopening?.error ?? null,
  };
  const stateOfLink = state.at === 'ready' ? state.link : 'live';
  // The road may know a moment before the session does.
  if (stateOfLink !== 'reopening' && held.length > 0) {
    const limits = held.flatMap(({ givenUpInMs }) => givenUpInMs ?? []);
    return {
      ...shared,
      state: 'held',
      sinceMs: Math.max(...held.map((link) => link.sinceMs)),
      retryInMs: Math.min(...held.map((link) => link.retryInMs)),
      givenUpInMs: limits.length === 0 ? null : Math.min(...limits),
    };
  }
  const { nextInMs: retryInMs = 0, givenUpInMs = null } = reopening ?? {};
  return { ...shared, state: stateOfLink, sinceMs, retryInMs, givenUpInMs };
}
