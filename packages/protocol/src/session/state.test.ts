import { describe, expect, it } from 'vitest';
import { WinRmError } from '../errors.ts';
import type { TrustQuestion } from './first-contact.ts';
import { nextState, type SessionEvent, type SessionState } from './state.ts';

const lost = new WinRmError('http.closed-early', { where: 'reply' });
const denied = new WinRmError('wsman.access-denied', { code: '5', text: '' });
const exit = { signed: 0, unsigned: 0 };

const reached = (...events: readonly SessionEvent[]): SessionState => events.reduce(nextState, { at: 'idle' });

const UP: readonly SessionEvent[] = [
  { event: 'hop', hop: 1 },
  { event: 'leg', mechanism: 'NTLM', stage: 'negotiate' },
  { event: 'signed-in' },
  { event: 'shell-made' },
  { event: 'command-started' },
];

describe('nextState', () => {
  it('goes up step by step', () => {
    expect(UP.map((_, index) => reached(...UP.slice(0, index + 1)).at)).toEqual([
      'dialling',
      'authenticating',
      'opening-shell',
      'starting-command',
      'ready',
    ]);
  });

  it('passes TLS and a question on the way, and goes on securing after the answer', () => {
    const question = {} as TrustQuestion;
    const events: SessionEvent[] = [
      { event: 'hop', hop: 1 },
      { event: 'securing' },
      { event: 'asked', question },
      { event: 'hop', hop: 2 },
      { event: 'answered' },
      { event: 'leg', mechanism: 'NTLM', stage: 'begin' },
      { event: 'answered' },
    ];
    expect(events.map((_, index) => reached(...events.slice(0, index + 1)).at)).toEqual([
      'dialling',
      'securing',
      'judging',
      'judging',
      'securing',
      'authenticating',
      'authenticating',
    ]);
  });

  it('never goes back down: a lane that dials again later changes nothing', () => {
    const ready = reached(...UP);
    for (const event of UP.slice(0, 4)) expect(nextState(ready, event)).toBe(ready);
    expect(nextState(ready, { event: 'link', link: 'live' })).toBe(ready);
    expect(nextState(ready, { event: 'link', link: 'reopening' })).toEqual({ at: 'ready', link: 'reopening' });
    expect(nextState(ready, { event: 'link', link: 'held' })).toEqual({ at: 'ready', link: 'held' });
    expect(nextState({ at: 'opening-shell' }, { event: 'link', link: 'reopening' })).toEqual({ at: 'opening-shell' });
  });

  it('is closed by a failure on the way up and lost by one later', () => {
    expect(reached({ event: 'failed', error: lost })).toEqual({ at: 'closed', error: lost });
    expect(reached(...UP, { event: 'failed', error: lost })).toEqual({ at: 'lost', error: lost, canReconnect: true });
    expect(reached(...UP, { event: 'failed', error: denied })).toMatchObject({ at: 'lost', canReconnect: false });
  });

  it('stays where it ended', () => {
    for (const end of [
      reached(...UP, { event: 'exit', exit }),
      reached({ event: 'closed' }),
      reached(...UP, { event: 'failed', error: lost }),
    ]) {
      for (const event of [...UP, { event: 'closed' }, { event: 'exit', exit }] satisfies SessionEvent[]) {
        expect(nextState(end, event)).toBe(end);
      }
    }
  });
});
