import { describe, expect, it } from 'vitest';
import { WinRmError } from '../errors.ts';
import { defaultPlatform } from './default-platform.ts';

describe('defaultPlatform', () => {
  it('gives random bytes of any length, also past what one call of the platform gives', () => {
    const bytes = defaultPlatform.random(200_000);
    expect(bytes).toHaveLength(200_000);
    expect(bytes.subarray(150_000).some((byte) => byte !== 0)).toBe(true);
    expect(defaultPlatform.random(0)).toHaveLength(0);
    expect(defaultPlatform.random(16)).not.toEqual(defaultPlatform.random(16));
  });

  it('has two clocks in milliseconds', () => {
    expect(defaultPlatform.now()).toBeGreaterThan(Date.UTC(2024));
    const before = defaultPlatform.monotonicMs();
    expect(defaultPlatform.monotonicMs()).toBeGreaterThanOrEqual(before);
  });

  it('sleeps, and wakes with session.cancelled or the reason given', async () => {
    await defaultPlatform.sleep(1);
    await expect(defaultPlatform.sleep(1000, AbortSignal.abort())).rejects.toMatchObject({ code: 'session.cancelled' });
    const stop = new AbortController();
    const sleeping = defaultPlatform.sleep(2 ** 40, stop.signal);
    const reason = new WinRmError('relay.lost', { reason: 'x' });
    stop.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });
});
