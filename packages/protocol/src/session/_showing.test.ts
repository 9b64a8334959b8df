import { describe, expect, it } from 'vitest';
import { WinRmError } from '../errors.ts';
import { Showing } from './_showing.ts';

const lost = new WinRmError('relay.lost', { reason: 'cut' });
const place = { hop: 1, host: 'px', port: 3128 };
const words = { ...place, status: 503, via: '', proxyStatus: '', text: '', target: 'srv1:5985' };
const unreachable = new WinRmError('proxy.target-unreachable', words);
const dropped = new WinRmError('proxy.drops-connection', { ...place, via: '', stage: 'CONNECT', why: 'closed' });

/** An attempt on whose road proxies have been answered so often. */
function onRoad(answers: number): Showing {
  let count = 5; // from roads before
  const showing = new Showing();
  showing.walks(() => count);
  count += answers;
  return showing;
}

describe('what an attempt has shown', () => {
  it('is nothing before a proxy was answered and before the last leg', () => {
    for (const showing of [new Showing(), onRoad(0)]) {
      expect([showing.isOut, showing.hasProved, showing.isUnheard(lost)]).toEqual([false, false, false]);
      expect(showing.isForNothing(unreachable)).toBe(false);
    }
  });

  it('is out with a proxy until the road stands; silence and a close are no verdict, its own words are', () => {
    const showing = onRoad(2);
    expect([showing.isOut, showing.hasProved]).toEqual([true, false]);
    expect([lost, dropped, unreachable].map((error) => showing.isUnheard(error))).toEqual([true, true, false]);
    expect([lost, dropped, unreachable].map((error) => showing.isForNothing(error))).toEqual([false, false, true]);
    showing.stands();
    expect([showing.isOut, showing.isUnheard(lost), showing.isForNothing(unreachable)]).toEqual([false, false, false]);
  });

  it('is out with the server from the leg that proves until any answer to that', () => {
    const showing = onRoad(0);
    showing.stands();
    showing.heard(); // of a leg before
    expect(showing.isUnheard(lost)).toBe(false);
    showing.proves();
    expect([showing.isOut, showing.hasProved, showing.isUnheard(lost)]).toEqual([true, true, true]);
    showing.heard();
    expect([showing.isOut, showing.hasProved, showing.isUnheard(lost)]).toEqual([false, true, false]);
  });
});
