import type { DemoInfo } from '@fairlead/contract';
import { expect, test } from 'vitest';
import { isHere, planMaze, requestOf } from './maze-ways.ts';

const at = (port: number) => ({ host: '127.0.0.1', port });
const DEMO: DemoInfo = {
  target: at(5985),
  https: { target: at(5986) },
  route: { name: 'Demo proxy', hops: [{ kind: 'http-connect', ...at(3128) }] },
  user: 'FAIRLEAD\\demo',
  maze: {
    rooms: [
      { room: 'asks', proxy: at(1), account: { user: 'OFFICE\\visitor', password: 'told' } },
      { room: 'moves', proxy: at(2) },
      { room: 'cuts', proxy: at(3), idleSeconds: 10 },
      { room: 'inspects', proxy: at(4) },
    ],
    stripperPort: 5,
  },
};
const NAMES = { label: 'a label', proxy: 'a proxy' };

test('every room is listed with its ways, and the way out of those that cannot be passed', () => {
  const plan = planMaze(DEMO, '4830').map(({ room, ways, wayOut }) => [
    room,
    ways.map(({ scheme }) => scheme).join(' '),
    wayOut && `${wayOut.scheme}${wayOut.isAround ? ' around' : ''}`,
  ]);
  expect(plan).toEqual([
    ['straight', 'http https', null],
    ['asks', 'https http', 'https'],
    ['moves', 'http', 'http around'],
    ['cuts', 'http', null],
    ['inspects', 'https', 'https around'],
    ['strips', '', null],
  ]);
  // Behind the gateway its own room can be walked from within.
  expect(planMaze(DEMO, '5').at(-1)?.ways).toEqual([{ room: 'strips', scheme: 'http', isAround: false }]);
});

test('without TLS at the host, the rooms that need it go', () => {
  const { https: _https, ...plain } = DEMO;
  const rooms = planMaze(plain, '').map(({ room, ways }) => `${room} ${ways.map(({ scheme }) => scheme).join(' ')}`);
  expect(rooms).toEqual(['straight http', 'asks http', 'moves http', 'cuts http', 'strips ']);
});

test('without a maze there is the honest proxy', () => {
  const { maze: _maze, ...bare } = DEMO;
  expect(planMaze(bare, '').map(({ room }) => room)).toEqual(['straight']);
});

test('a room’s proxy gets its account, and no other gets it', () => {
  const through = requestOf(DEMO, { room: 'asks', scheme: 'https', isAround: false }, 'secret', NAMES);
  expect(through).toMatchObject({
    target: 'https://127.0.0.1:5986',
    scheme: 'https',
    user: 'FAIRLEAD\\demo',
    password: 'secret',
    route: { name: 'a proxy', hops: [{ kind: 'http-connect', port: 1 }] },
    proxies: [{ user: 'OFFICE\\visitor', means: 'best' }],
    proxyPasswords: ['told'],
    isHttpDangerChosen: false,
    isDemo: true,
  });
  for (const room of ['straight', 'moves', 'cuts', 'inspects', 'strips'] as const) {
    const request = requestOf(DEMO, { room, scheme: 'http', isAround: false }, 'secret', NAMES);
    expect(request).toMatchObject({ target: '127.0.0.1:5985', proxies: [], proxyPasswords: [] });
  }
});

test('a way around leads over the honest proxy', () => {
  const around = requestOf(DEMO, { room: 'moves', scheme: 'http', isAround: true }, 'secret', NAMES);
  expect(around.route).toEqual(DEMO.route);
  expect(isHere(undefined, '')).toBe(false);
});
