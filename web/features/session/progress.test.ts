import { type JournalEntry, type JournalEvent, type SessionState, WinRmError } from '@fairlead/protocol';
import { describe, expect, test } from 'vitest';
import { READABLE_OVER_HTTP, READABLE_OVER_TLS, READABLE_WHEN_SEALED } from '../../components/hop-view.ts';
import { progressOf, shortSuite } from './progress.ts';

const at = (ms: number, what: JournalEvent): JournalEntry => ({ ms, what });
const hop = (ms: number, number: number, stage: 'connecting' | 'open', lane: 'control' | 'output' = 'control') =>
  at(ms, {
    event: 'hop',
    lane,
    report: { hop: number, party: 'relay', host: 'x', port: 1, stage, ms, address: '' },
  });
const state = (ms: number, name: string) => at(ms, { event: 'state', state: name });
const leg = (ms: number) =>
  at(ms, { event: 'leg', lane: 'control', mechanism: 'Negotiate', stage: 'negotiate', status: 401 });

const facts = (now: SessionState, entries: JournalEntry[], kind: 'http-connect' | 'http-forward' = 'http-connect') =>
  progressOf({
    relay: 'relay',
    server: 'web01:5985',
    scheme: 'http',
    route: { name: '', hops: [{ kind, host: 'proxy', port: 3128 }] },
    shell: 'interactive',
    state: now,
    entries,
  });
const steps = (view: ReturnType<typeof progressOf>) => view.steps.map((step) => `${step.id} ${step.state} ${step.ms}`);

test('shortSuite leaves what tells suites apart', () => {
  expect(shortSuite('TLS_AES_256_GCM_SHA384')).toBe('AES-256-GCM');
  expect(shortSuite('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA')).toBe('ECDHE-RSA-AES-128-CBC');
  expect(shortSuite('TLS_CHACHA20_POLY1305_SHA256')).toBe('ChaCha20-Poly1305');
});

describe('progressOf', () => {
  test('tells each step with its own time', () => {
    const entries = [
      hop(10, 0, 'open'),
      hop(12, 1, 'connecting'),
      hop(30, 1, 'open'),
      hop(45, 2, 'open'),
      state(46, 'authenticating'),
      leg(60),
      leg(80),
      state(90, 'opening-shell'),
      state(130, 'starting-command'),
      state(150, 'ready'),
    ];
    const view = facts({ at: 'ready', link: 'live' }, entries);
    expect(steps(view)).toEqual([
      'relay done 10',
      'proxy-1 done 20',
      'server done 15',
      'sign-in done 45',
      'shell done 40',
      'command done 20',
    ]);
    expect(view.steps[3]?.params).toEqual({ legs: 2 });
    expect(view.hops.map((one) => one.state)).toEqual(['open', 'open', 'open', 'open']);
    expect(view.hops[0]).toMatchObject({ lockToNext: 'sealed', readableKey: READABLE_WHEN_SEALED });
  });

  test('names the step that runs and the hop that is dialled, with every padlock open before the sign-in is over', () => {
    const view = facts({ at: 'dialling', hop: 1 }, [hop(10, 0, 'open'), hop(12, 1, 'connecting')]);
    expect(steps(view).slice(0, 3)).toEqual(['relay done 10', 'proxy-1 running null', 'server waiting null']);
    expect(view.hops.map((one) => one.state)).toEqual(['open', 'open', 'dialling', 'idle']);
    expect(view.hops[1]).toMatchObject({ lockToNext: 'open', readableKey: READABLE_OVER_HTTP });
    expect(view.hops[3]).toMatchObject({ lockToNext: null, readableKey: null });
  });

  test('puts a failure at the step it happened in', () => {
    const error = new WinRmError('relay.connect-timeout', { hop: 1, host: 'proxy', port: 3128, seconds: 10 });
    const view = facts({ at: 'closed', error }, [hop(10, 0, 'open'), hop(12, 1, 'connecting')]);
    expect(steps(view)[1]).toBe('proxy-1 failed null');
    expect(view.hops[2]?.state).toBe('failed');
  });

  test('marks a proxy that refused as the place where it ended, and the server as never reached: proxy.auth-rejected', () => {
    const words = { status: 407, via: '', proxyStatus: '', text: '' };
    const place = { hop: 1, host: 'proxy', port: 3128 };
    const rejected = new WinRmError('proxy.auth-rejected', { ...place, ...words, mechanism: 'Basic', stage: 'begin' });
    const needs = new WinRmError('proxy.needs-https', { ...place, offered: 'Basic', refusedBy: 'relay' });
    for (const error of [rejected, needs]) {
      const view = facts({ at: 'closed', error }, [hop(10, 0, 'open'), hop(12, 1, 'open')]);
      expect(view.hops.map((one) => one.state)).toEqual(['open', 'open', 'failed', 'idle']);
    }
    const beyond = new WinRmError('proxy.target-unreachable', { ...place, ...words, target: 'web01:5985' });
    const view = facts({ at: 'closed', error: beyond }, [hop(10, 0, 'open'), hop(12, 1, 'open')]);
    expect(view.hops.map((one) => one.state)).toEqual(['open', 'open', 'open', 'failed']);
  });

  test('a forwarding proxy opens no tunnel: the server counts as reached when the sign-in begins', () => {
    const entries = [hop(10, 0, 'open'), hop(20, 1, 'open'), state(25, 'authenticating')];
    const view = facts({ at: 'authenticating', mechanism: 'NTLM', stage: 'begin' }, entries, 'http-forward');
    expect(steps(view).slice(0, 4)).toEqual([
      'relay done 10',
      'proxy-1 done 10',
      'server done 5',
      'sign-in running null',
    ]);
    expect(view.steps[2]?.labelKey).toBe('session.steps.forward');
  });

  test('before anything happened the first step runs, and reports of the other lane do not count', () => {
    const view = facts({ at: 'idle' }, [hop(5, 0, 'open', 'output')]);
    expect(steps(view)[0]).toBe('relay running null');
    expect(view.hops.map((one) => one.state)).toEqual(['open', 'dialling', 'idle', 'idle']);
  });

  test('a session that was closed by its owner has no failed step', () => {
    const view = facts({ at: 'closed', error: null }, []);
    expect(view.hops.map((one) => one.state).slice(1)).toEqual(['idle', 'idle', 'idle']);
  });

  describe('with an https target', () => {
    const secured = (now: SessionState, entries: JournalEntry[]) =>
      progressOf({
        relay: 'relay',
        server: 'web01:5986',
        scheme: 'https',
        route: { name: '', hops: [] },
        shell: 'interactive',
        state: now,
        entries,
      });
    const tls = (ms: number, trustedBy: 'pin' | 'person'): JournalEntry =>
      at(ms, {
        event: 'tls',
        lane: 'control',
        version: '1.3',
        suite: 'TLS_AES_128_GCM_SHA256',
        group: 'X25519',
        sha256: 'AB',
        trustedBy,
        ms: 21,
      });
    const road = [hop(10, 0, 'open'), hop(20, 1, 'open'), state(21, 'securing')];

    test('TLS is a step of its own, and takes as long as the handshake did', () => {
      const entries = [...road, tls(900, 'pin'), state(901, 'authenticating')];
      const view = secured({ at: 'authenticating', mechanism: 'Negotiate', stage: 'begin' }, entries);
      expect(steps(view).slice(0, 4)).toEqual([
        'relay done 10',
        'server done 10',
        'secure done 21',
        'sign-in running null',
      ]);
      expect(view.steps[2]).toMatchObject({
        labelKey: 'session.steps.secured',
        params: { version: '1.3', suite: 'AES-128-GCM', trust: 'pin' },
      });
      expect(view.tls).toMatchObject({ version: '1.3', trustedBy: 'pin', sha256: 'AB' });
    });

    test('says when a person is waited for, and what they answered', () => {
      const question = {} as Extract<SessionState, { at: 'judging' }>['question'];
      const waiting = secured({ at: 'judging', question }, [...road, state(40, 'judging')]);
      expect(waiting.steps[2]).toMatchObject({ labelKey: 'session.steps.judging', state: 'running' });
      const answer = (what: 'pin' | 'trust-once') => at(50, { event: 'trust', what, sha256: 'AB' });
      const after = { at: 'opening-shell' } as const;
      expect(secured(after, [...road, answer('pin'), tls(60, 'person')]).tls?.trustedBy).toBe('pin');
      expect(secured(after, [...road, answer('trust-once'), tls(60, 'person')]).tls?.trustedBy).toBe('once');
    });

    test('every padlock is closed from the first moment on', () => {
      const view = secured({ at: 'dialling', hop: 0 }, []);
      expect(view.hops.map(({ lockToNext }) => lockToNext)).toEqual(['sealed', 'sealed', null]);
      expect(view.hops[0]?.readableKey).toBe(READABLE_OVER_TLS);
    });
  });
});
