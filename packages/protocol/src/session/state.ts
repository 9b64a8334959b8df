import type { WinRmError } from '../errors.ts';
import type { ExitCode } from '../shell/shell.ts';
import type { TrustQuestion } from './first-contact.ts';

/**
 * The steps a person sees on the way to a shell; the hops of the road are shown in place of `road`. `secure` is there for
 * https targets only.
 */
export type StepId = 'road' | 'secure' | 'sign-in' | 'shell' | 'command';

/**
 * How a ready session's connections are: 'held' while the way to the relay is gone and the relay keeps them, so that
 * nothing is lost; 'reopening' while one that was lost is opened anew.
 */
export type SessionLink = 'live' | 'held' | 'reopening';

/** Where a session is. The names are shown to people, so each says what is being waited for. */
export type SessionState =
  | { readonly at: 'idle' }
  | { readonly at: 'dialling'; readonly hop: number }
  /** TLS with an https target. */
  | { readonly at: 'securing' }
  /** A person is asked about a host that is met for the first time. */
  | { readonly at: 'judging'; readonly question: TrustQuestion }
  | { readonly at: 'authenticating'; readonly mechanism: string; readonly stage: string }
  | { readonly at: 'opening-shell' }
  | { readonly at: 'starting-command' }
  | { readonly at: 'ready'; readonly link: SessionLink }
  | { readonly at: 'ended'; readonly exit: ExitCode }
  | { readonly at: 'lost'; readonly error: WinRmError; readonly canReconnect: boolean }
  | { readonly at: 'closed'; readonly error: WinRmError | null };

/** What moves a session from one state to another. */
export type SessionEvent =
  | { readonly event: 'hop'; readonly hop: number }
  | { readonly event: 'securing' }
  | { readonly event: 'asked'; readonly question: TrustQuestion }
  | { readonly event: 'answered' }
  | { readonly event: 'leg'; readonly mechanism: string; readonly stage: string }
  | { readonly event: 'signed-in' }
  | { readonly event: 'shell-made' }
  | { readonly event: 'command-started' }
  | { readonly event: 'link'; readonly link: SessionLink }
  | { readonly event: 'exit'; readonly exit: ExitCode }
  | { readonly event: 'failed'; readonly error: WinRmError }
  | { readonly event: 'closed' };

/** Order of the states on the way up; none is entered again from a later one, but for 'securing' after an answer. */
const WAY_UP: readonly SessionState['at'][] = [
  'idle',
  'dialling',
  'securing',
  'judging',
  'authenticating',
  'opening-shell',
  'starting-command',
  'ready',
];

/**
 * The state after an event; the same object when the event changes nothing.
 *
 * INVARIANT: 'ended', 'lost' and 'closed' are final. A session that fails before it was ready is 'closed' with its
 * error, one that fails later is 'lost'.
 */
export function nextState(state: SessionState, event: SessionEvent): SessionState {
  if (state.at === 'ended' || state.at === 'lost' || state.at === 'closed') return state;
  switch (event.event) {
    case 'hop':
      return upTo(state, { at: 'dialling', hop: event.hop });
    case 'securing':
      return upTo(state, { at: 'securing' });
    case 'asked':
      return upTo(state, { at: 'judging', question: event.question });
    case 'answered':
      return state.at === 'judging' ? { at: 'securing' } : state;
    case 'leg':
      return upTo(state, { at: 'authenticating', mechanism: event.mechanism, stage: event.stage });
    case 'signed-in':
      return upTo(state, { at: 'opening-shell' });
    case 'shell-made':
      return upTo(state, { at: 'starting-command' });
    case 'command-started':
      return upTo(state, { at: 'ready', link: 'live' });
    case 'link':
      return state.at === 'ready' && state.link !== event.link ? { at: 'ready', link: event.link } : state;
    case 'exit':
      return { at: 'ended', exit: event.exit };
    case 'closed':
      return { at: 'closed', error: null };
    case 'failed':
      return state.at === 'ready'
        ? { at: 'lost', error: event.error, canReconnect: canReconnect(event.error) }
        : { at: 'closed', error: event.error };
  }
}

function upTo(state: SessionState, next: SessionState): SessionState {
  return WAY_UP.indexOf(next.at) >= WAY_UP.indexOf(state.at) ? next : state;
}

/** Whether a new session on the same road with the same credential may well succeed. */
function canReconnect(error: WinRmError): boolean {
  return error.recovery === 'reconnect' || error.recovery === 'retry';
}
