import { describe, expect, it } from 'vitest';
import { PollTime } from './_poll-time.ts';

const waitAfter = (...silencesMs: number[]): number => {
  const time = new PollTime();
  for (const ms of silencesMs) time.lostAfter(ms);
  return time.seconds;
};

describe('how long a Receive waits', () => {
  it('is twenty seconds until two were lost after the same silence, then half of that', () => {
    expect(waitAfter()).toBe(20);
    expect(waitAfter(10_000)).toBe(20);
    expect(waitAfter(10_000, 10_200)).toBe(5);
    expect(waitAfter(10_200, 9000)).toBe(4);
    expect(waitAfter(60_000, 60_000)).toBe(20);
  });

  it('learns nothing from losses that have nothing in common, however many', () => {
    expect(waitAfter(3000, 17_000, 6000, 12_000, 2500, 180_000)).toBe(20);
  });

  it('learns nothing from a connection that broke at once, and asks no faster than every second', () => {
    expect(waitAfter(100, 100, 100)).toBe(20);
    expect(waitAfter(2000, 2000)).toBe(1);
  });

  it('becomes no longer again by a longer silence', () => {
    expect(waitAfter(4000, 4000, 18_000, 18_000)).toBe(2);
  });
});
