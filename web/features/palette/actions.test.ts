import { describe, expect, it, vi } from 'vitest';
import { offerActions, offeredActions, type PaletteAction, rankActions, watchActions } from './actions.ts';

const action = (id: string, label: string, group = 'App'): PaletteAction => ({
  id,
  label,
  group,
  run: () => undefined,
});

describe('actions', () => {
  it('offerActions adds a screen’s actions, puts the latest first, tells who watches, and takes them back', () => {
    const told = vi.fn();
    const unwatch = watchActions(told);
    const withdraw = offerActions([action('a', 'Copy')]);
    expect(offeredActions().map(({ id }) => id)).toEqual(['a']);
    const withdrawLater = offerActions([action('b', 'Paste')]);
    expect(offeredActions().map(({ id }) => id)).toEqual(['b', 'a']);
    withdrawLater();
    withdraw();
    expect(offeredActions()).toEqual([]);
    expect(told).toHaveBeenCalledTimes(4);
    unwatch();
  });

  it('rankActions wants every word and puts beginnings first', () => {
    const all = [action('1', 'Reopen shell'), action('2', 'Open settings'), action('3', 'Close shell', 'Session')];
    expect(rankActions(all, '').map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(rankActions(all, 'open').map(({ id }) => id)).toEqual(['2', '1']);
    expect(rankActions(all, 'shell session').map(({ id }) => id)).toEqual(['3']);
    expect(rankActions(all, 'nothing')).toEqual([]);
  });
});
