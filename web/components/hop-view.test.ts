import { describe, expect, it } from 'vitest';
import { plannedHops, READABLE_OVER_TLS, stretchState } from './hop-view.ts';

describe('hop view', () => {
  it('plannedHops draws an open padlock on every stretch and none after the server', () => {
    const road = { relay: 'localhost:8080', proxies: ['proxy:3128'], server: 'web01:5985' };
    const hops = plannedHops({ ...road, scheme: 'http' });
    expect(hops.map(({ kind, lockToNext }) => [kind, lockToNext])).toEqual([
      ['you', 'open'],
      ['relay', 'open'],
      ['proxy', 'open'],
      ['server', null],
    ]);
    expect(new Set(hops.map(({ id }) => id)).size).toBe(4);
  });

  it('plannedHops closes every padlock where TLS crosses the whole road', () => {
    const hops = plannedHops({ relay: 'localhost:8080', proxies: [], server: 'web01:5986', scheme: 'https' });
    expect(hops.map(({ lockToNext }) => lockToNext)).toEqual(['sealed', 'sealed', null]);
    expect(hops[0]?.readableKey).toBe(READABLE_OVER_TLS);
  });

  it('stretchState is the state of the hop it leads to, broken where that failed', () => {
    const [first] = plannedHops({ relay: '', proxies: [], server: '', scheme: 'http' });
    if (!first) throw new Error('there is always a first hop');
    expect(stretchState({ ...first, state: 'failed' })).toBe('broken');
    expect(stretchState({ ...first, state: 'dialling' })).toBe('dialling');
  });
});
