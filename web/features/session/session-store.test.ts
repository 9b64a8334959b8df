import { describe, expect, test } from 'vitest';
import { request } from './scripted-request.ts';
import { SessionStore } from './session-store.ts';

const standing = { shellId: 'S-1', commandId: 'C-1', promptWord: '0123456789abcdef' };
const kept = { id: 's3', worker: null, standing, beganAt: 5, request };

function setUp(build = '1') {
  const items = new Map<string, string>();
  const clock = { ms: 1_000 };
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  const store = (of = build) => new SessionStore({ storage, build: of, clock: () => clock.ms });
  return { items, clock, store };
}

describe('what a tab keeps of its sessions', () => {
  test('is found again by a later page of the same tab', () => {
    const { store, clock } = setUp();
    store().write([kept]);
    clock.ms += 60_000;
    expect(store().read()).toEqual([{ ...kept, seenAt: 1_000, why: 'reload' }]);
  });

  test('holds no command and no variable, which may carry a secret', () => {
    const { store, items } = setUp();
    const shell = {
      kind: 'command',
      codePage: 850,
      command: 'net use /p:Secret1',
      environment: { K: 'Secret2' },
    } as const;
    store().write([{ ...kept, worker: 'fairlead 1', standing: null, request: { ...request, shell } }]);
    expect([...items.values()].join()).not.toMatch(/Secret/);
    expect(store().read()[0]?.request.shell).toEqual({ kind: 'command', codePage: 850 });
  });

  test('says when the page was updated, and when the tab was away for too long', () => {
    const { store, clock } = setUp();
    store('old').write([{ ...kept, worker: 'fairlead 1' }]);
    expect(store('new').read()[0]?.why).toBe('update');
    clock.ms += 21_000;
    expect(store('old').read()[0]).toMatchObject({ why: 'away', standing });
  });

  test('keeps the first reason, and its time, until somebody has signed in', () => {
    const { store, clock } = setUp();
    store().write([{ ...kept, worker: 'fairlead 1' }]);
    clock.ms += 21_000;
    const [first] = store().read();
    expect(first).toMatchObject({ why: 'away', seenAt: 1_000 });
    // The page has looked for the worker, found none, and is loaded again.
    store().write([{ ...kept, told: { why: 'away', seenAt: 1_000 } }]);
    expect(store().read()[0]).toMatchObject({ why: 'away', seenAt: 1_000 });
    clock.ms += 900_000;
    expect(store().read()).toEqual([]);
    store().write([{ ...kept, told: null }]);
    expect(store().read()[0]).toMatchObject({ why: 'reload', seenAt: clock.ms });
  });

  test('offers no shell that the server has deleted for being idle', () => {
    const { store, clock } = setUp();
    store().write([kept, { ...kept, id: 's4', worker: 'fairlead 1' }]);
    clock.ms += 901_000;
    expect(
      store()
        .read()
        .map(({ id, standing: stands }) => [id, stands]),
    ).toEqual([['s4', null]]);
  });

  test('is taken away with the last session, and written only when it changes', () => {
    const { store, items } = setUp();
    const one = store();
    one.keep([kept]);
    items.clear();
    one.keep([kept]);
    expect(items.size).toBe(0);
    one.keep([{ ...kept, id: 's4' }]);
    expect(items.size).toBe(1);
    one.keep([]);
    expect(items.size).toBe(0);
  });

  test.each(['', 'null', '{', '[]', '{"build":"1"}', '{"build":"1","sessions":[null,1,{"id":"s1"},{"id":"../x"}]}'])(
    'is nothing when the storage holds %s',
    (text) => {
      const { store, items } = setUp();
      items.set('fairlead.sessions', text);
      expect(store().read()).toEqual([]);
    },
  );

  test('does without a storage that refuses', () => {
    const refuse = () => {
      throw new TypeError('no');
    };
    const storage = { getItem: refuse, setItem: refuse, removeItem: refuse };
    const store = new SessionStore({ storage, build: '1', clock: () => 0 });
    store.write([kept]);
    expect(store.read()).toEqual([]);
    expect(new SessionStore({ storage: null, build: '1', clock: () => 0 }).read()).toEqual([]);
  });
});
