import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_UNNAMED,
  NOTHING_SAVED,
  parseSaved,
  type SavedRoute,
  type SavedTarget,
  searchTargets,
  withoutRoute,
  withoutTarget,
  withRoute,
  withTarget,
} from './saved.ts';

const ROUTE: SavedRoute = {
  id: 'r',
  name: 'Office',
  hops: [
    { kind: 'http-connect', host: 'proxy', port: 3128, tls: true },
    { kind: 'socks5', host: '::1', port: 1080 },
  ],
  settings: null,
  forwardsIfRefused: true,
};
const TARGET: SavedTarget = {
  id: 't',
  name: 'Web',
  target: 'web01',
  user: 'CORP\\ana',
  policy: 'ntlm',
  shell: 'command',
  command: 'dir',
  codePage: 850,
  workingDirectory: 'C:\\',
  noProfile: true,
  routeId: 'r',
  proxyUsers: [{ proxy: 'proxy:3128', user: 'CORP\\ana-proxy', means: 'windows' }],
  isProduction: true,
  sealsAlways: true,
  allowsLegacyTls: true,
  usedAt: 5,
};

describe('saved', () => {
  it('parseSaved reads back what was written', () => {
    const settings = { text: 'function FindProxyForURL() { return "DIRECT" }', from: 'office.pac' };
    const byPac = { id: 's', name: 'By PAC', hops: [], settings, forwardsIfRefused: true };
    const saved = { targets: [TARGET], routes: [ROUTE, byPac] };
    expect(parseSaved(JSON.stringify(saved))).toEqual(saved);
  });

  it('parseSaved reads routes and targets of the time when a route was one proxy', () => {
    const { proxyUsers: _none, ...target } = TARGET;
    const old = { id: 'r', name: 'Office', kind: 'http-forward', host: '::1', port: 3128 };
    const saved = parseSaved(JSON.stringify({ routes: [old], targets: [{ ...target, proxyUser: 'pat' }] }));
    expect(saved.routes).toEqual([
      {
        ...{ id: 'r', name: 'Office', settings: null, forwardsIfRefused: false },
        hops: [{ kind: 'http-forward', host: '::1', port: 3128 }],
      },
    ]);
    expect(saved.targets[0]?.proxyUsers).toEqual([{ proxy: '[::1]:3128', user: 'pat', means: 'best' }]);
  });

  it('parseSaved keeps no leave to show a password, whoever wrote it', () => {
    const text = JSON.stringify({ ...TARGET, proxyUsers: [{ proxy: 'a:1', user: 'pat', means: 'basic' }, 7] });
    expect(parseSaved(`{"targets":[${text}]}`).targets[0]?.proxyUsers).toEqual([
      { proxy: 'a:1', user: 'pat', means: 'best' },
    ]);
  });

  it('parseSaved leaves out what is broken and mends what points nowhere', () => {
    const text = JSON.stringify({
      targets: [{ ...TARGET, routeId: 'gone' }, { id: 1 }, null, 'x', { id: 'only', target: 'a' }],
      routes: [
        { ...ROUTE, hops: [{ kind: 'socks5', host: 'proxy', port: 0 }] },
        { ...ROUTE, hops: [{ kind: 'pigeon', host: 'proxy', port: 1 }] },
        { ...ROUTE, hops: [] },
        { ...ROUTE, hops: Array(5).fill(ROUTE.hops[1]) },
        { ...ROUTE, hops: [], settings: { text: 'x'.repeat(65_537), from: '' } },
      ],
    });
    const saved = parseSaved(text);
    expect(saved.routes).toEqual([]);
    expect(saved.targets.map(({ id, routeId }) => [id, routeId])).toEqual([
      ['t', null],
      ['only', null],
    ]);
    expect(saved.targets[1]).toMatchObject({ policy: 'negotiate', shell: 'interactive', codePage: 65_001 });
  });

  it('no way leads a password of settings into what is kept', () => {
    const from = 'https://wpad.corp/p.pac?token=hunter2';
    for (const text of ['HTTPS_PROXY=http://ana:hunter2@px:1', 'function FindProxyForURL() {} // ana:hunter2@px']) {
      const given = { ...ROUTE, hops: [], settings: { text, from } };
      for (const saved of [
        withRoute(NOTHING_SAVED, given),
        withRoute(withRoute(NOTHING_SAVED, ROUTE), given),
        parseSaved(JSON.stringify({ routes: [given] })),
      ]) {
        expect(JSON.stringify(saved)).not.toContain('hunter2');
        // The route is still there, without a road: it does not become a direct one.
        expect(saved.routes).toMatchObject([{ hops: [], settings: { text: '', from: 'https://wpad.corp/p.pac' } }]);
      }
    }
    const harmless = { ...ROUTE, hops: [], settings: { text: 'PROXY px:1', from: 'px.pac' } };
    expect(withRoute(NOTHING_SAVED, harmless).routes).toEqual([harmless]);
  });

  it('parseSaved never throws, whatever was stored', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(Array.isArray(parseSaved(text).targets)).toBe(true);
      }),
    );
    expect(parseSaved(null)).toEqual(NOTHING_SAVED);
  });

  it('withTarget replaces by id, merges unnamed ones that say the same, and keeps only the newest unnamed', () => {
    let saved = withTarget(NOTHING_SAVED, TARGET);
    saved = withTarget(saved, { ...TARGET, name: 'Web two' });
    expect(saved.targets).toHaveLength(1);
    for (let at = 0; at < MAX_UNNAMED + 3; at += 1) {
      saved = withTarget(saved, { ...TARGET, id: `u${at}`, name: '', target: `host${at}`, usedAt: 10 + at });
    }
    saved = withTarget(saved, { ...TARGET, id: 'again', name: '', target: 'host9', usedAt: 99 });
    expect(saved.targets.filter(({ target }) => target === 'host9')).toHaveLength(1);
    expect(saved.targets.filter(({ name }) => name === '')).toHaveLength(MAX_UNNAMED);
    expect(saved.targets.some(({ id }) => id === 't')).toBe(true);
    expect(saved.targets[0]?.id).toBe('again');
  });

  it('withoutRoute makes the targets that used it direct', () => {
    const saved = withRoute(withTarget(NOTHING_SAVED, TARGET), ROUTE);
    expect(withoutRoute(saved, 'r')).toMatchObject({ routes: [], targets: [{ routeId: null }] });
    expect(withoutTarget(saved, 't').targets).toEqual([]);
  });

  it('searchTargets wants every word somewhere', () => {
    expect(searchTargets([TARGET], 'web ANA')).toHaveLength(1);
    expect(searchTargets([TARGET], 'web ben')).toHaveLength(0);
    expect(searchTargets([TARGET], '  ')).toHaveLength(1);
  });
});
