import { ERROR_TABLE, type ErrorCode, isWinRmError, type SessionState, WinRmError } from '@fairlead/protocol';
import { describe, expect, test } from 'vitest';
import { ownBytes, packError, packState, unpackError, unpackState } from './messages.ts';

const lost = new WinRmError('relay.lost', { reason: 'test' });

describe('errors', () => {
  test('every code crosses as what it is, with its details and its class', () => {
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) {
      const error = new WinRmError('relay.lost', { reason: 'x' });
      Object.assign(error, { code });
      const crossed = unpackError(structuredClone(packError(error)));
      expect(isWinRmError(crossed, code)).toBe(true);
      expect(crossed.details).toEqual({ reason: 'x' });
      expect(crossed.party).toBe(ERROR_TABLE[code].party);
    }
  });

  test('one error of ours beneath it crosses too, and nothing deeper', () => {
    const deep = new WinRmError(
      'shell.fate-unknown',
      { operation: 'Send' },
      new WinRmError('relay.lost', lost.details, lost),
    );
    const { cause } = unpackError(structuredClone(packError(deep)));
    expect(isWinRmError(cause, 'relay.lost')).toBe(true);
    expect((cause as WinRmError).cause).toBeUndefined();
    expect(
      unpackError(packError(new WinRmError('relay.lost', lost.details, new TypeError('x')))).cause,
    ).toBeUndefined();
  });

  test('anything else is our mistake, and its words stay behind: misuse.wrong-state', () => {
    for (const thrown of [new TypeError('hunter2'), 'hunter2', undefined, null]) {
      expect(packError(thrown)).toMatchObject({ code: 'misuse.wrong-state', cause: null });
      expect(JSON.stringify(packError(thrown))).not.toContain('hunter2');
    }
  });
});

describe('states', () => {
  test('each crosses as what it is', () => {
    const states: SessionState[] = [
      { at: 'idle' },
      { at: 'dialling', hop: 2 },
      { at: 'securing' },
      { at: 'authenticating', mechanism: 'NTLM', stage: 'begin' },
      { at: 'opening-shell' },
      { at: 'starting-command' },
      { at: 'ready', link: 'reopening' },
      { at: 'ended', exit: { signed: -1, unsigned: 4_294_967_295 } },
      { at: 'lost', error: lost, canReconnect: true },
      { at: 'closed', error: lost },
      { at: 'closed', error: null },
    ];
    for (const state of states) {
      const crossed = unpackState(structuredClone(packState(state)));
      expect(crossed).toEqual(state);
      if ('error' in crossed && crossed.error !== null) expect(isWinRmError(crossed.error, 'relay.lost')).toBe(true);
    }
  });
});

describe('ownBytes', () => {
  test('hands whole memory over as it is, and copies what is a part', () => {
    const whole = Uint8Array.of(1, 2, 3);
    expect(ownBytes(whole).buffer).toBe(whole.buffer);
    const part = ownBytes(whole.subarray(1));
    expect([...part]).toEqual([2, 3]);
    expect(part.buffer.byteLength).toBe(2);
  });

  test('never hands over memory that holds nothing: others may share it', () => {
    const none = new Uint8Array();
    expect(ownBytes(none).buffer).not.toBe(none.buffer);
  });
});
