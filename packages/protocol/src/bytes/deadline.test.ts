import { describe, expect, it } from 'vitest';
import { WinRmError } from '../errors.ts';
import { fixedPlatform } from '../testing/index.ts';
import { withDeadline } from './deadline.ts';

const never = (): Promise<never> => new Promise(() => undefined);

describe('withDeadline', () => {
  it('gives what the work gives and leaves no sleeper behind', async () => {
    const platform = fixedPlatform();
    const result = await withDeadline({ platform, withinMs: 1000, at: 'x' }, async () => 7);
    expect(result).toBe(7);
    await platform.advance(0);
    expect(platform.sleeperCount).toBe(0);
  });

  it('lets the error of the work through', async () => {
    const error = new WinRmError('http.closed-early', { where: 'reply' });
    const work = withDeadline({ platform: fixedPlatform(), withinMs: 1000, at: 'x' }, () => Promise.reject(error));
    await expect(work).rejects.toBe(error);
  });

  it('rejects with session.timed-out when the time is over and aborts the work', async () => {
    const platform = fixedPlatform();
    const seen: unknown[] = [];
    const work = withDeadline({ platform, withinMs: 2500, at: 'negotiate' }, (signal) => {
      signal.addEventListener('abort', () => seen.push(signal.reason));
      return never();
    });
    const outcome = expect(work).rejects.toMatchObject({
      code: 'session.timed-out',
      details: { at: 'negotiate', seconds: 2.5 },
    });
    await platform.advance(2499);
    expect(seen).toEqual([]);
    await platform.advance(1);
    await outcome;
    expect(seen).toMatchObject([{ code: 'session.timed-out' }]);
  });

  it('rejects with session.cancelled at once, whatever the work waits for', async () => {
    const stop = new AbortController();
    const work = withDeadline({ platform: fixedPlatform(), withinMs: 1000, at: 'reply', signal: stop.signal }, never);
    stop.abort();
    await expect(work).rejects.toMatchObject({ code: 'session.cancelled', details: { at: 'reply' } });
  });

  it('never begins the work of a signal that is aborted already, and keeps its own error', async () => {
    const reason = new WinRmError('relay.lost', { reason: 'x' });
    const signal = AbortSignal.abort(reason);
    let hasBegun = false;
    const work = withDeadline({ platform: fixedPlatform(), withinMs: 1000, at: 'reply', signal }, async () => {
      hasBegun = true;
    });
    await expect(work).rejects.toBe(reason);
    expect(hasBegun).toBe(false);
  });

  it('has no time limit for Infinity', async () => {
    const platform = fixedPlatform();
    await withDeadline({ platform, withinMs: Infinity, at: 'x' }, async () => {
      expect(platform.sleeperCount).toBe(0);
    });
  });
});
