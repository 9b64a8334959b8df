import type { RelayMessage } from '@fairlead/contract';
import type { ProxyChallenge } from '@fairlead/protocol/road';
import { describe, expect, test } from 'vitest';
import { AskTab } from './ask-tab.ts';

const CHALLENGE: ProxyChallenge = {
  ...{ hop: 2, host: 'px', port: 3128, kind: 'http', target: 'win1:5986', leg: 1, status: 407 },
  ...{ offered: ['NTLM'], via: '', proxyStatus: '', text: '' },
};

describe('AskTab', () => {
  test('passes a challenge up and the answer of that hop down', async () => {
    const said: RelayMessage[] = [];
    const asking = new AskTab((message) => said.push(message));
    expect(asking.take({ type: 'answer', hop: 2, authorization: 'NTLM x' })).toBe(false); // nobody asked
    const answered = asking.answer(CHALLENGE, new AbortController().signal);
    expect(said).toEqual([{ type: 'challenge', challenge: CHALLENGE }]);
    expect(asking.take({ type: 'answer', hop: 1, authorization: 'NTLM x' })).toBe(false);
    expect(asking.hasAnswered).toBe(false);
    expect(asking.take({ type: 'answer', hop: 2, authorization: 'NTLM x' })).toBe(true);
    expect(await answered).toBe('NTLM x');
    expect(asking.hasAnswered).toBe(true);
    expect(asking.take({ type: 'answer', hop: 2, authorization: 'NTLM y' })).toBe(false);
  });

  test('gives a tab up that says nothing: session.timed-out', async () => {
    const asking = new AskTab(() => {}, 1);
    await expect(asking.answer(CHALLENGE, new AbortController().signal)).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { at: 'proxy sign-in', seconds: 1 },
    });
  });

  test('stops waiting when the road is given up: session.cancelled', async () => {
    for (const isEarly of [true, false]) {
      const stop = new AbortController();
      const said: RelayMessage[] = [];
      const asking = new AskTab((message) => said.push(message));
      if (isEarly) stop.abort();
      const answered = asking.answer(CHALLENGE, stop.signal);
      stop.abort();
      await expect(answered).rejects.toMatchObject({ code: 'session.cancelled' });
      expect(said).toHaveLength(isEarly ? 0 : 1);
      expect(asking.hasAnswered).toBe(false);
    }
  });
});
