import { expect, test } from 'vitest';
import type { OpenedRoad, RoadLink } from '../opened-road.ts';
import { heldClock } from './_held-clock.ts';

/** A clock that moves only when somebody sleeps or the test says so. */
function scene() {
  let nowMs = 0;
  let tell: (link: RoadLink) => void = () => {};
  const sleeps: number[] = [];
  const during: (() => void)[] = [];
  const platform = {
    now: () => 0,
    monotonicMs: () => nowMs,
    random: (length: number) => new Uint8Array(length),
    sleep: (ms: number) => {
      sleeps.push(ms);
      nowMs += ms;
      during.shift()?.();
      return Promise.resolve();
    },
  };
  const road = {
    watchLink: (listener: (link: RoadLink) => void) => {
      tell = listener;
      return () => {};
    },
  } as Partial<OpenedRoad> as OpenedRoad;
  const link = (state: 'live' | 'held') =>
    tell({ state, via: 'websocket', heldBytes: 0, sinceMs: 0, retryInMs: 0, givenUpInMs: null, resumedCount: 0 });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { platform, road, link, pass, sleeps, during };
}

test('a sleep takes as much longer as the road was held meanwhile', async () => {
  const { platform, road, link, pass, sleeps, during } = scene();
  const links: string[] = [];
  const { platform: clock } = heldClock(platform, road, (state) => links.push(state));
  await clock.sleep(100);
  expect(sleeps).toEqual([100]);
  link('held');
  pass(40);
  link('held');
  pass(10);
  link('live');
  await clock.sleep(100);
  expect(sleeps).toEqual([100, 100]);
  during.push(
    () => link('held'), // held from the end of the first sleep on
    () => {
      pass(30);
      link('live');
    },
  );
  link('held');
  pass(5);
  await clock.sleep(100);
  expect(sleeps.slice(2)).toEqual([100, 100, 130]);
  expect(links).toEqual(['held', 'held', 'live', 'held', 'held', 'live']);
});

test('a road that is never held leaves the platform as it is', () => {
  const { platform, road } = scene();
  const { watchLink: _watchLink, ...plain } = road;
  const clock = heldClock(platform, plain, () => {});
  expect(clock.platform).toBe(platform);
  expect(clock.isLost).toBe(false);
});
