import { Journal, type SessionState, WinRmError } from '@fairlead/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { findPassword, forgetPassword } from '../../lib/vault.ts';
import type { ConnectRequest } from './live-entry.ts';
import type { LiveShell, ShellSession } from './live-shell.ts';
import { knownPassword, passwordKey, proxyPasswordKey, SessionRegistry } from './session-registry.ts';

const request: ConnectRequest = {
  label: 'web01',
  target: 'web01',
  scheme: 'http',
  policy: 'negotiate',
  user: 'CORP\\ana',
  password: 'Secret 1',
  certificate: null,
  sealsAlways: false,
  allowsLegacyTls: false,
  proxies: [],
  proxyPasswords: [],
  isHttpDangerChosen: false,
  route: { name: '', hops: [{ kind: 'http-connect', host: 'proxy', port: 3128 }] },
  shell: { kind: 'interactive', codePage: 65_001 },
  isDemo: false,
  isProduction: false,
};

afterEach(() => forgetPassword(passwordKey(request)));

/** A session whose states the test sets. */
class ScriptedSession {
  readonly journal = new Journal(() => 0);
  readonly output = (async function* () {})();
  readonly counts = { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 };
  readonly lastRoundTripMs = 12;
  readonly promptWord = 'word';
  state: SessionState = { at: 'idle' };
  isClosed = false;
  readonly password: string;
  #listeners: ((state: SessionState) => void)[] = [];
  #opened: (() => void) | null = null;

  constructor(password: string) {
    this.password = password;
  }
  watch(listener: (state: SessionState) => void) {
    this.#listeners.push(listener);
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== listener);
    };
  }
  move(state: SessionState) {
    this.state = state;
    this.journal.record({ event: 'state', state: state.at });
    for (const listener of this.#listeners) listener(state);
    if (state.at === 'ready') this.#opened?.();
  }
  open(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = resolve;
      signal?.addEventListener('abort', () => {
        this.move({ at: 'closed', error: signal.reason as WinRmError });
        reject(signal.reason);
      });
    });
  }
  async writeText() {}
  async endInput() {}
  async interrupt() {}
  async close() {
    this.isClosed = true;
  }
}

function setUp() {
  const sessions: ScriptedSession[] = [];
  const dividers: string[] = [];
  const codePages: number[] = [];
  const answers: string[] = [];
  const seen: (readonly string[])[] = [];
  const shell = {
    view: { isRunning: false },
    screen: { dispose: () => void dividers.push('disposed') },
    watch: () => () => {},
    setLinked: () => {},
    divide: (words: string) => void dividers.push(words),
    run: async (_session: ShellSession, codePage: number) => void codePages.push(codePage),
    ended: (words: string) => void dividers.push(words),
  } as unknown;
  const registry = new SessionRegistry({
    relay: 'relay:4830',
    openSession: async ({ password, proxyPasswords, target }) => {
      seen.push(proxyPasswords);
      if (target === 'bad host')
        throw new WinRmError('misuse.bad-argument', { argument: 'target', reason: 'not-a-host' });
      const session = new ScriptedSession(password);
      sessions.push(session);
      return { session, address: 'web01:5985', port: 5985, answer: (answer) => void answers.push(answer) };
    },
    findSession: async () => null,
    loadShell: async () => shell as LiveShell,
    dividerWords: (state) => state.at,
  });
  const entry = () => registry.entries[0];
  return { registry, sessions, answers, proxyPasswords: seen, dividers, codePages, entry };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));
const lost = new WinRmError('relay.lost', { reason: 'test' });

describe('SessionRegistry', () => {
  test('hands a person’s answer about a certificate to the attempt that asked', async () => {
    const { registry, sessions, answers } = setUp();
    const id = registry.connect({ ...request, scheme: 'https' });
    await settle();
    sessions[0]?.move({ at: 'securing' });
    registry.answer(id, 'pin');
    registry.answer('another', 'pin');
    expect(answers).toEqual(['pin']);
    await registry.close(id);
  });

  test('opens a session, tells its steps and hops, and never holds the password in what it shows', async () => {
    const { registry, sessions, entry } = setUp();
    const id = registry.connect(request);
    await settle();
    sessions[0]?.move({ at: 'dialling', hop: 0 });
    expect(entry()).toMatchObject({ id, address: 'web01:5985', state: { at: 'dialling' } });
    expect(entry()?.steps.map((step) => step.id)).toEqual([
      'relay',
      'proxy-1',
      'server',
      'sign-in',
      'shell',
      'command',
    ]);
    expect(entry()?.hops.map((hop) => hop.name)).toEqual(['', 'relay:4830', 'proxy:3128', 'web01:5985']);
    expect(sessions[0]?.password).toBe('Secret 1');
    expect(JSON.stringify(registry.entries)).not.toContain('Secret 1');
    expect(findPassword(passwordKey(request))).toBe('Secret 1');
  });

  test('tells its watchers, and gives the same array until something changes', async () => {
    const { registry, sessions } = setUp();
    let count = 0;
    const stop = registry.watch(() => {
      count += 1;
    });
    registry.connect(request);
    await settle();
    const before = registry.entries;
    expect(registry.entries).toBe(before);
    sessions[0]?.move({ at: 'opening-shell' });
    expect(registry.entries).not.toBe(before);
    const told = count;
    stop();
    sessions[0]?.move({ at: 'starting-command' });
    expect(count).toBe(told);
  });

  test('cancel ends an attempt with session.cancelled and keeps the tab', async () => {
    const { registry, entry } = setUp();
    const id = registry.connect(request);
    await settle();
    registry.cancel(id);
    await settle();
    expect(entry()?.state).toMatchObject({ at: 'closed', error: { code: 'session.cancelled' } });
  });

  test('cancel works before the protocol has even been loaded: session.cancelled', async () => {
    const { registry, entry, sessions } = setUp();
    const id = registry.connect(request);
    registry.cancel(id);
    await settle();
    expect(entry()?.state).toMatchObject({ at: 'closed', error: { code: 'session.cancelled' } });
    expect(sessions[0]?.state.at).toBe('idle');
  });

  test('a target nobody could connect to fails in its tab: misuse.bad-argument', async () => {
    const { registry, entry } = setUp();
    registry.connect({ ...request, target: 'bad host' });
    await settle();
    expect(entry()?.state).toMatchObject({ at: 'closed', error: { code: 'misuse.bad-argument' } });
    expect(entry()?.steps[0]?.state).toBe('failed');
  });

  test('retry opens another session in the same tab under a divider, with a changed code page', async () => {
    const { registry, sessions, dividers, codePages, entry } = setUp();
    const id = registry.connect(request);
    await settle();
    sessions[0]?.move({ at: 'ready', link: 'live' });
    await settle();
    sessions[0]?.move({ at: 'lost', error: lost, canReconnect: true });
    expect(dividers).toEqual(['lost']);
    expect(await knownPassword(registry.entries[0] ?? fail())).toBe('Secret 1');
    registry.retry(id, 'Secret 2', { codePage: 850 });
    await settle();
    expect(sessions[1]?.password).toBe('Secret 2');
    sessions[1]?.move({ at: 'ready', link: 'live' });
    await settle();
    expect(entry()).toMatchObject({ id, wasReady: true, state: { at: 'ready' } });
    expect(codePages).toEqual([65_001, 850]);
    sessions[0]?.move({ at: 'closed', error: null });
    expect(entry()?.state.at).toBe('ready');
  });

  test('retry of a session that still lives closes it first, so that no shell is orphaned', async () => {
    const { registry, sessions, dividers } = setUp();
    const id = registry.connect(request);
    await settle();
    sessions[0]?.move({ at: 'ready', link: 'live' });
    await settle();
    registry.retry(id, 'Secret 1', { codePage: 850 });
    await settle();
    expect(sessions[0]?.isClosed).toBe(true);
    expect(dividers).toEqual(['closed']);
    expect(sessions).toHaveLength(2);
  });

  test('forgets a password the server rejected: auth.rejected', async () => {
    const { registry, sessions } = setUp();
    registry.connect(request);
    await settle();
    const error = new WinRmError('auth.rejected', { mechanism: 'NTLM', stage: 'authenticate', user: 'ana' });
    sessions[0]?.move({ at: 'closed', error });
    expect(findPassword(passwordKey(request))).toBeNull();
  });

  test('keeps the password of a proxy for the next attempt, until the proxy refuses it: proxy.auth-rejected', async () => {
    const { registry, sessions, proxyPasswords } = setUp();
    const hops = [
      { kind: 'http-connect', host: 'first', port: 3128 },
      { kind: 'http-connect', host: 'proxy', port: 3128 },
    ] as const;
    const chain: ConnectRequest = {
      ...{ ...request, scheme: 'https', route: { name: '', hops } },
      proxies: [
        { user: 'kim', means: 'digest' },
        { user: 'pat', means: 'best' },
      ],
      proxyPasswords: ['Secret 2', 'Secret 3'],
    };
    const id = registry.connect(chain);
    await settle();
    expect(JSON.stringify(registry.entries)).not.toContain('Secret 3');
    registry.retry(id, 'Secret 1');
    await settle();
    expect(proxyPasswords).toEqual([
      ['Secret 2', 'Secret 3'],
      ['Secret 2', 'Secret 3'],
    ]);
    const words = { status: 407, via: '', proxyStatus: '', text: '' };
    const place = { hop: 2, host: 'proxy', port: 3128 };
    const error = new WinRmError('proxy.auth-rejected', { ...place, ...words, mechanism: 'NTLM', stage: 'request' });
    sessions[1]?.move({ at: 'closed', error });
    expect(findPassword(proxyPasswordKey(chain, 1) ?? '')).toBeNull();
    expect(findPassword(proxyPasswordKey(chain, 0) ?? '')).toBe('Secret 2');
    expect(findPassword(passwordKey(request))).toBe('Secret 1');
  });

  test('close takes the tab away at once and deletes the shell', async () => {
    const { registry, sessions, dividers } = setUp();
    const id = registry.connect(request);
    await settle();
    sessions[0]?.move({ at: 'ready', link: 'live' });
    await settle();
    const closing = registry.close(id);
    expect(registry.entries).toEqual([]);
    await closing;
    expect(sessions[0]?.isClosed).toBe(true);
    expect(dividers).toEqual(['disposed']);
    await registry.close(id);
  });
});

function fail(): never {
  throw new WinRmError('misuse.wrong-state', { action: 'test', state: 'no entry' });
}
