import type { Hop } from '@fairlead/protocol';
import { describe, expect, it } from 'vitest';
import {
  draftOf,
  forwardsIfRefused,
  type HopDraft,
  mayAddHop,
  movedHop,
  newHop,
  proxyStanding,
  readHop,
  readHops,
  withKind,
  withText,
} from './road-form.ts';

const typed = (text: string, id = 'a'): HopDraft => withText(newHop(id), text);

describe('a proxy’s fields', () => {
  it('are read as every kind of proxy there is, by their scheme or by what was chosen', () => {
    expect(readHop(typed('Proxy.corp:3128'))).toEqual({ kind: 'http-connect', host: 'proxy.corp', port: 3128 });
    expect(readHop(typed('https://proxy.corp'))).toEqual({
      ...{ kind: 'http-connect', host: 'proxy.corp', port: 443, tls: true },
    });
    expect(readHop(typed('socks5://[::1]'))).toEqual({ kind: 'socks5', host: '::1', port: 1080 });
    expect(readHop(withKind(typed('p:1'), 'http-forward', true))).toEqual({
      ...{ kind: 'http-forward', host: 'p', port: 1, tls: true },
    });
    expect(readHop(withKind(typed('p:1'), 'socks5', true))).toEqual({ kind: 'socks5', host: 'p', port: 1 });
    expect(readHop(typed('  '))).toBeNull();
  });

  it('never say two things at once: the last word counts', () => {
    const secure = typed('https://proxy.corp');
    expect(withKind(secure, 'http-connect', false)).toMatchObject({ text: 'proxy.corp:443', isTls: false });
    expect(withText(withKind(secure, 'socks5', false), 'http://proxy.corp')).toMatchObject({
      ...{ kind: 'automatic', isTls: false },
    });
    expect(withText(withKind(typed('p:1'), 'socks5', false), 'p:2')).toMatchObject({ kind: 'socks5', text: 'p:2' });
  });

  it('quote what cannot be read, and keep no credential', () => {
    expect(readHop(typed('socks4://p:1'))).toMatchObject({ problem: { key: 'arguments.unsupported-scheme' } });
    expect(readHop(typed('http://u:pw@p:1'))).toEqual({
      problem: { key: 'arguments.has-credentials', quote: null, limit: 0 },
    });
  });

  it('come back from a proxy that is known', () => {
    const hops: Hop[] = [
      { kind: 'http-forward', host: '::1', port: 3128, tls: true },
      { kind: 'socks5', host: 's', port: 1080 },
    ];
    for (const hop of hops) expect(readHop(draftOf(hop, 'x', true))).toEqual(hop);
    const tunnel: Hop = { kind: 'http-connect', host: 'p', port: 1 };
    expect(forwardsIfRefused([draftOf(tunnel, 'x', true)])).toBe(true);
    expect(forwardsIfRefused([draftOf(tunnel, 'x')])).toBe(false);
  });
});

describe('a road put together', () => {
  const three = [typed('a:1', 'a'), typed('b:2', 'b'), typed('c:3', 'c')];
  const ids = (drafts: readonly HopDraft[]) => drafts.map(({ id }) => id).join('');

  it('has its proxies moved by a place, and not beyond an end', () => {
    expect(ids(movedHop(three, 'c', -1))).toBe('acb');
    expect(ids(movedHop(three, 'a', 1))).toBe('bac');
    expect(movedHop(three, 'a', -1)).toBe(three);
    expect(movedHop(three, 'c', 1)).toBe(three);
    expect(movedHop(three, 'gone', 1)).toBe(three);
  });

  it('takes four proxies', () => {
    expect(mayAddHop(three)).toBe(true);
    expect(mayAddHop([...three, typed('d:4', 'd')])).toBe(false);
  });

  it('is read whole, or says which proxy is wrong', () => {
    expect(readHops(three)).toMatchObject({ hops: [{ host: 'a' }, { host: 'b' }, { host: 'c' }] });
    expect(readHops([typed('a:1', 'a'), typed('', 'b'), typed('c', 'c')])).toMatchObject({
      problems: { b: { key: 'routes.problem' }, c: { key: 'routes.problem' } },
    });
    const early = [withKind(typed('a:1', 'a'), 'http-forward', false), typed('b:2', 'b')];
    expect(readHops(early)).toMatchObject({ problems: { a: { key: 'arguments.forward-not-last' } } });
  });
});

it('proxyStanding keeps the seed’s rule R5', () => {
  const [tunnel, forward]: Hop[] = [
    { kind: 'http-connect', host: 'p', port: 1 },
    { kind: 'http-forward', host: 'p', port: 1 },
  ];
  if (!tunnel || !forward) throw new Error('two proxies');
  expect(proxyStanding(tunnel, 'https', false)).toBe('may');
  expect(proxyStanding(tunnel, 'http', false)).toBe('needs-https');
  expect(proxyStanding(tunnel, null, false)).toBe('needs-https');
  expect(proxyStanding(tunnel, 'http', true)).toBe('may');
  expect(proxyStanding(forward, 'http', true)).toBe('never');
});
