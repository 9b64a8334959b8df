import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWinRmError } from '../errors.ts';
import { isHost } from './authority.ts';
import { checkRoute, type Hop, MAX_HOPS, parseProxy, printRoute } from './route.ts';

const connect = (host: string, port = 3128): Hop => ({ kind: 'http-connect', host, port });
const forward = (host: string, port = 3128): Hop => ({ kind: 'http-forward', host, port });
const win1 = { scheme: 'http', host: 'win1', port: 5985 } as const;

describe('parseProxy, of proxies spoken to in the clear', () => {
  it.each([
    ['http://proxy.corp:3128', connect('proxy.corp')],
    ['HTTP://Proxy.Corp:3128/', connect('proxy.corp')],
    ['  proxy.corp:3128 ', connect('proxy.corp')],
    ['http://proxy.corp', connect('proxy.corp', 80)],
    ['http://10.0.0.1:8080', connect('10.0.0.1', 8080)],
    ['[2001:DB8::1]:3128', connect('2001:db8::1')],
  ])('reads %s', (text, hop) => {
    expect(parseProxy(text, 'http-connect')).toEqual(hop);
  });

  it.each([
    ['', 'empty'],
    ['   ', 'empty'],
    [`http://${'a'.repeat(300)}:1`, 'too-long'],
    ['http://a\u0007:1', 'control-character'],
    ['ftp://proxy:3128', 'unsupported-scheme'],
    ['socks5://proxy:1080', 'unsupported-scheme'],
    ['http://user:secret@proxy:3128', 'has-credentials'],
    ['user@proxy:3128', 'has-credentials'],
    ['http://proxy:3128/?a', 'has-query'],
    ['http://proxy:3128#a', 'has-query'],
    ['http://proxy:3128/path', 'not-a-url'],
    ['http://proxy:3128\\path', 'not-a-url'],
    ['proxy', 'not-a-url'],
    ['http://:3128', 'not-a-host'],
    ['http://pro xy:3128', 'not-a-host'],
    ['http://2130706433:3128', 'not-a-host'],
    ['http://::1:3128', 'not-a-host'],
    ['http://proxy:', 'out-of-range'],
    ['http://proxy:0', 'out-of-range'],
    ['http://proxy:65536', 'out-of-range'],
    ['http://proxy:99999999999999999999', 'out-of-range'],
  ])('refuses %j with misuse.bad-argument (%s)', (text, reason) => {
    expect(() => parseProxy(text, 'http-forward')).toThrow(
      expect.objectContaining({ code: 'misuse.bad-argument', details: { argument: 'proxy', reason } }),
    );
  });

  it('gives a good host and port or misuse.bad-argument for any text', () => {
    const odd = fc.string({
      unit: fc.constantFrom('http://', ':', '/', '@', '[', ']', '1', 'a', '.', '%', '\\', '?'),
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.oneof(odd, fc.string({ unit: 'binary' })), (text) => {
        try {
          expect(isHost(parseProxy(text, 'http-connect').host)).toBe(true);
        } catch (error) {
          expect(isWinRmError(error, 'misuse.bad-argument')).toBe(true);
        }
      }),
    );
  });
});

describe('printRoute', () => {
  it('names each hop and the target', () => {
    expect(printRoute({ name: 'x', hops: [connect('a'), forward('::1', 80)] }, win1)).toBe(
      'a:3128 (CONNECT), [::1]:80 (HTTP), win1:5985',
    );
    expect(printRoute({ name: 'x', hops: [] }, win1)).toBe('win1:5985');
  });
});

describe('checkRoute', () => {
  it('lets roads pass that can be walked', () => {
    for (const hops of [[], [connect('a')], [forward('a')], [connect('a'), connect('b'), forward('c')]]) {
      expect(() => checkRoute({ name: 'x', hops }, win1)).not.toThrow();
    }
    expect(() => checkRoute({ name: 'x', hops: [connect('a')] }, { ...win1, scheme: 'https' })).not.toThrow();
  });

  it.each([
    ['forward-not-last', [forward('a'), connect('b')], win1],
    ['forward-needs-http', [forward('a')], { ...win1, scheme: 'https' }],
    ['too-long', Array.from({ length: MAX_HOPS + 1 }, () => connect('a')), win1],
    ['socks-needs-plain', [{ kind: 'socks5', host: 'a', port: 1080, tls: true }], win1],
    ['not-a-host', [connect('a b')], win1],
    ['out-of-range', [connect('a', 0)], win1],
    ['not-a-host', [], { ...win1, host: '127.1' }],
    ['out-of-range', [], { ...win1, port: 70_000 }],
  ] as [string, Hop[], { scheme: 'http' | 'https'; host: string; port: number }][])(
    'refuses with misuse.bad-argument (%s)',
    (reason, hops, target) => {
      expect(() => checkRoute({ name: 'x', hops }, target)).toThrow(
        expect.objectContaining({ code: 'misuse.bad-argument', details: expect.objectContaining({ reason }) }),
      );
    },
  );
});

describe('parseProxy', () => {
  it.each([
    ['https://px.corp', { kind: 'http-connect', host: 'px.corp', port: 443, tls: true }],
    ['HTTPS://[::1]:8443/', { kind: 'http-connect', host: '::1', port: 8443, tls: true }],
    ['http://px.corp', { kind: 'http-connect', host: 'px.corp', port: 80 }],
    ['px.corp:3128', { kind: 'http-connect', host: 'px.corp', port: 3128 }],
    ['socks5://px.corp', { kind: 'socks5', host: 'px.corp', port: 1080 }],
    ['socks5h://10.0.0.1:9', { kind: 'socks5', host: '10.0.0.1', port: 9 }],
  ])('reads %s', (text, hop) => {
    expect(parseProxy(text, 'http-connect')).toEqual(hop);
  });

  it.each([
    ['socks4://a', 'http-connect'],
    ['ftp://a', 'http-connect'],
    ['socks5://a', 'http-forward'],
  ] as const)('refuses %s (%s): misuse.bad-argument', (text, kind) => {
    const details = { argument: 'proxy', reason: 'unsupported-scheme' };
    expect(() => parseProxy(text, kind)).toThrow(expect.objectContaining({ code: 'misuse.bad-argument', details }));
  });

  it('refuses credentials in the address, which would land in places that are shown', () => {
    expect(() => parseProxy('http://user:pw@px:1', 'http-connect')).toThrow(
      expect.objectContaining({ details: { argument: 'proxy', reason: 'has-credentials' } }),
    );
  });

  it('prints TLS and SOCKS in words', () => {
    const hops = [parseProxy('https://a', 'http-connect'), parseProxy('socks5://b', 'http-connect')];
    expect(printRoute({ name: 'x', hops }, win1)).toBe('a:443 (CONNECT over TLS), b:1080 (SOCKS5), win1:5985');
  });
});
