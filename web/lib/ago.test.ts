import { describe, expect, it } from 'vitest';
import { ago } from './ago.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('ago', () => {
  it.each([
    [30_000, 'now'],
    [5 * 60_000, '5 minutes ago'],
    [3_600_000, '1 hour ago'],
    [2 * 86_400_000, '2 days ago'],
    [400 * 86_400_000, 'last year'],
  ])('says how long ago %i ms were', (ms, words) => {
    expect(ago(NOW - ms, NOW)).toBe(words);
  });

  it('says nothing of what never was', () => {
    expect(ago(0, NOW)).toBe('');
  });
});
