import { type SessionState, WinRmError } from '@fairlead/protocol';
import { expect, test } from 'vitest';
import type { SessionEntry } from '@/features/session/session-registry.ts';
import { beginTrial, noteTrial, type Outcome, outcomeOf, readTrials } from './maze-outcomes.ts';
import type { RoomId } from './maze-ways.ts';

const moved = new WinRmError('session.timed-out', { at: 'dialling', seconds: 1 });
const entryOf = (id: string, state: SessionState): SessionEntry =>
  ({ id, state, counts: { connections: 2, handshakes: 3 } }) as SessionEntry;
const outcome = (room: RoomId, entries: readonly SessionEntry[] = []): Outcome =>
  outcomeOf(readTrials().get(room), entries);

test('a room that nobody tried has no outcome', () => {
  expect(outcome('cuts')).toEqual({ at: 'untried' });
});

test('a room follows its session from opening to open, and remembers it when it is gone', () => {
  beginTrial({ room: 'asks', scheme: 'https', isAround: false }, 's1');
  expect(outcome('asks', [entryOf('s1', { at: 'idle' })])).toEqual({ at: 'opening' });
  const ready = entryOf('s1', { at: 'ready', link: 'live' });
  expect(outcome('asks', [ready])).toEqual({
    at: 'open',
    sessionId: 's1',
    isAround: false,
    connections: 2,
    handshakes: 3,
  });
  noteTrial('s1', ready.state);
  expect(outcome('asks')).toEqual({ at: 'left', isAround: false });
});

test('a failure stays as what came of the room; the way out takes its place', () => {
  beginTrial({ room: 'moves', scheme: 'http', isAround: false }, 's2');
  const lost: SessionState = { at: 'lost', error: moved, canReconnect: false };
  expect(outcome('moves', [entryOf('s2', lost)])).toEqual({ at: 'stopped', error: moved });
  noteTrial('s2', lost);
  noteTrial('another', { at: 'ready', link: 'live' });
  expect(outcome('moves')).toEqual({ at: 'stopped', error: moved });
  beginTrial({ room: 'moves', scheme: 'http', isAround: true }, 's3');
  noteTrial('s3', { at: 'ready', link: 'live' });
  expect(outcome('moves')).toEqual({ at: 'left', isAround: true });
});

test('what was given up says nothing about the room', () => {
  beginTrial({ room: 'inspects', scheme: 'https', isAround: false }, 's4');
  const cancelled = new WinRmError('session.cancelled', { at: 'dialling' });
  noteTrial('s4', { at: 'closed', error: cancelled });
  expect(outcome('inspects')).toEqual({ at: 'untried' });
});
