import { Journal, type SessionState, WinRmError } from '@fairlead/protocol';
import { describe, expect, test } from 'vitest';
import { request } from './scripted-request.ts';
import type { SessionEntry } from './session-entry.ts';
import { SessionRegistry } from './session-registry.ts';
import { SessionStore } from './session-store.ts';
import type { ShellSession } from './shell-session.ts';
import type { LinkFacts, SessionFacts, Standing } from './survival.ts';

const secrets = { password: 'Secret 1', certificate: null, proxyPasswords: [] };
const standing: Standing = { shellId: 'S-1', commandId: 'C-1', promptWord: '0123456789abcdef' };
const settle = () => new Promise((resolve) => setTimeout(resolve));
const live: LinkFacts = {
  ...{ state: 'live', via: 'websocket', heldBytes: 0, sinceMs: 0, retryInMs: 0, givenUpInMs: null },
  ...{ resumedCount: 0, attempt: 0, error: null },
};

/** A session in a worker, as a page sees it. */
function farSession(survives: boolean) {
  const journal = new Journal(() => 0);
  const watchers = new Set<(state: SessionState) => void>();
  const factWatchers = new Set<() => void>();
  const done: string[] = [];
  const session = {
    ...{ journal, promptWord: 'word', lastRoundTripMs: null },
    isMoved: false as boolean,
    state: { at: 'ready', link: 'live' } as SessionState,
    facts: { link: live, standing, advice: [] } as SessionFacts,
    output: (async function* () {})(),
    counts: { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 },
    survived: { past: [], isTrimmed: true, draft: { text: '', queue: [] }, lateError: null },
    leave: survives ? () => void done.push('left') : null,
    watch: (listener: (state: SessionState) => void) => {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    watchFacts: (listener: () => void) => {
      factWatchers.add(listener);
      return () => factWatchers.delete(listener);
    },
    open: async () => {},
    writeText: async () => {},
    endInput: async () => {},
    interrupt: async () => {},
    close: async () => void done.push('closed'),
    hurry: () => void done.push('hurried'),
    online: () => void done.push('online'),
  } satisfies ShellSession;
  return {
    session,
    done,
    move(state: SessionState) {
      session.state = state;
      journal.record({ event: 'state', state: state.at });
      for (const watcher of watchers) watcher(state);
    },
    tell(link: Partial<LinkFacts>, more: Partial<SessionFacts> = {}) {
      session.facts = { ...session.facts, ...more, link: { ...live, ...link } };
      for (const watcher of factWatchers) watcher();
    },
    take() {
      session.isMoved = true;
      for (const watcher of factWatchers) watcher();
    },
  };
}

function setUp({ isThere = true, survives = true } = {}) {
  const items = new Map<string, string>();
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  const far = farSession(survives);
  const shells: string[][] = [];
  const orders: (Standing | null)[] = [];
  const looked: string[] = [];
  const failures: WinRmError[] = [];
  const page = () =>
    new SessionRegistry(
      {
        relay: 'relay:4830',
        openSession: async (_request, { takeUp }) => {
          orders.push(takeUp);
          const failure = failures.shift();
          if (failure) throw failure;
          const { survived: _survived, ...session } = far.session;
          return {
            session,
            address: 'web01:5985',
            port: 5985,
            worker: survives ? 'fairlead 1' : null,
            answer: () => {},
          };
        },
        findSession: async (worker) => {
          looked.push(worker);
          const memo = { request, beganAt: 7 };
          if (!isThere) return null;
          return { session: far.session, memo, worker, address: 'web01:5985', port: 5985, answer: () => {} };
        },
        loadShell: async () => {
          const did: string[] = [];
          shells.push(did);
          const shell = {
            view: { isRunning: false },
            screen: { dispose: () => void did.push('disposed') },
            watch: () => () => {},
            run: async () => void did.push('run'),
            ended: (words: string) => void did.push(`ended ${words}`),
            divide: (words: string) => void did.push(words),
            setLinked: (isLinked: boolean) => void did.push(isLinked ? 'linked' : 'unlinked'),
          } as unknown;
          return shell as NonNullable<SessionEntry['shell']>;
        },
        dividerWords: (divider) => divider.at,
      },
      new SessionStore({ storage, build: '1', clock: () => 1_000 }),
    );
  const stored = () => JSON.parse(items.get('fairlead.sessions') ?? 'null')?.sessions;
  return { page, far, shells, orders, looked, failures, stored };
}

/** A page with one session that is ready, and what the page after it finds. */
async function reloaded(options: Parameters<typeof setUp>[0] = {}) {
  const all = setUp(options);
  const before = all.page();
  before.connect({ ...request, ...secrets });
  await settle();
  before.depart();
  all.shells.length = 0;
  const after = all.page();
  after.comeBack();
  return { ...all, before, after, first: after.entries[0] };
}

describe('after a reload', () => {
  test('the session is looked for under its name, and goes on in its tab', async () => {
    const { after, far, shells, looked, first } = await reloaded();
    expect(first).toMatchObject({ id: 's1', returning: { step: 'looking' } });
    expect(far.done).toEqual(['left']);
    await settle();
    expect(looked).toEqual(['fairlead 1']);
    expect(after.entries[0]).toMatchObject({
      ...{ id: 's1', returning: null, cameBack: 'same', wasReady: true, beganAt: 7, standing },
      state: { at: 'ready' },
    });
    expect(shells[0]).toEqual(['linked', 'trimmed', 'run']);
    expect(after.connect({ ...request, ...secrets })).toBe('s2');
  });

  test('a session that ended meanwhile shows that', async () => {
    const { after, far, shells } = await reloaded();
    far.move({ at: 'ended', exit: { signed: 0, unsigned: 0 } });
    await settle();
    expect(after.entries[0]?.state.at).toBe('ended');
    expect(shells[0]).toContain('ended ended');
  });

  test('where the worker has gone the shell is offered to whoever signs in again, and taken up by its id', async () => {
    const { after, orders, stored } = await reloaded({ isThere: false });
    await settle();
    expect(after.entries[0]).toMatchObject({ returning: { step: 'sign-in', why: 'reload' }, standing });
    after.depart();
    expect(stored()).toMatchObject([{ told: { why: 'reload', seenAt: 1_000 } }]);
    after.retry('s1', 'Secret 1');
    await settle();
    expect(orders).toEqual([null, standing]);
    expect(after.entries[0]).toMatchObject({ returning: null, cameBack: 'anew' });
  });

  test('without such a worker the shell is left standing when the page goes, not closed', async () => {
    const { after, far, looked } = await reloaded({ survives: false });
    await settle();
    expect(far.done).toEqual([]);
    expect(looked).toEqual([]);
    expect(after.entries[0]).toMatchObject({ returning: { step: 'sign-in', why: 'reload' } });
  });

  test('a shell that the server has no more is not asked for twice: shell.gone', async () => {
    const { after, orders, failures } = await reloaded({ isThere: false });
    await settle();
    failures.push(new WinRmError('shell.gone', { shellId: 'S-1', text: '' }));
    after.retry('s1', 'Secret 1');
    await settle();
    expect(after.entries[0]).toMatchObject({ state: { at: 'closed', error: { code: 'shell.gone' } }, standing: null });
    after.retry('s1', 'Secret 1');
    await settle();
    expect(orders).toEqual([null, standing, null]);
  });

  test('a road that fails on the way leaves the shell to be taken up: relay.unreachable', async () => {
    const { after, orders, failures } = await reloaded({ isThere: false });
    await settle();
    failures.push(new WinRmError('relay.unreachable', { url: 'http://relay' }));
    after.retry('s1', 'Secret 1');
    await settle();
    after.retry('s1', 'Secret 1');
    await settle();
    expect(orders).toEqual([null, standing, standing]);
  });

  test('a new shell is opened when the person wants one, or another code page', async () => {
    const { after, orders } = await reloaded({ isThere: false });
    await settle();
    after.retry('s1', 'Secret 1', { codePage: 850 });
    await settle();
    after.forgetStanding('s1');
    after.retry('s1', 'Secret 1');
    await settle();
    expect(orders).toEqual([null, null, null]);
  });
});

describe('another tab', () => {
  test('may take a session over, and give it back', async () => {
    const { after, far, shells, looked } = await reloaded();
    await settle();
    far.take();
    expect(after.entries[0]?.isElsewhere).toBe(true);
    far.session.isMoved = false;
    after.bringBack('s1');
    await settle();
    expect(looked).toHaveLength(2);
    expect(after.entries[0]).toMatchObject({ isElsewhere: false, state: { at: 'ready' } });
    // The output is shown anew, not once more beneath itself.
    expect(shells[0]).toContain('disposed');
    expect(shells[1]).toContain('run');
  });
});

describe('a link that breaks', () => {
  test('makes lines wait, and what was resumed without a loss is said once', async () => {
    const { after, far, shells } = await reloaded();
    await settle();
    const did = shells[0] ?? [];
    did.length = 0;
    far.move({ at: 'ready', link: 'held' });
    far.tell({ state: 'held', retryInMs: 200 });
    expect(did).toContain('unlinked');
    expect(after.entries[0]?.link).toMatchObject({ state: 'held', retryInMs: 200 });
    far.move({ at: 'ready', link: 'live' });
    expect(did).not.toContain('resumed');
    far.tell({ resumedCount: 2 });
    far.tell({ resumedCount: 2 });
    expect(did.filter((what) => what === 'resumed')).toHaveLength(1);
    expect(did.at(-1)).toBe('linked');
  });

  test('is not called resumed when the connection had to be opened anew', async () => {
    const { far, shells } = await reloaded();
    await settle();
    const did = shells[0] ?? [];
    far.move({ at: 'ready', link: 'held' });
    far.tell({ state: 'held' });
    did.length = 0;
    far.move({ at: 'ready', link: 'reopening' });
    far.tell({ state: 'reopening', attempt: 0 });
    expect(did.at(-1)).toBe('linked');
    far.tell({ state: 'reopening', attempt: 1 });
    expect(did.at(-1)).toBe('unlinked');
    far.move({ at: 'ready', link: 'live' });
    far.tell({ resumedCount: 1 });
    expect(did).not.toContain('resumed');
    expect(did.at(-1)).toBe('linked');
  });

  test('can be hurried, and is when the machine has a network again', async () => {
    const { after, far } = await reloaded();
    await settle();
    after.hurry('s1');
    after.online();
    expect(far.done).toEqual(['left', 'hurried', 'online']);
  });
});
