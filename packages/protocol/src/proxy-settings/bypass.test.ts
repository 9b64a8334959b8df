import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BypassList, type BypassSyntax } from './bypass.ts';

const SYNTAXES: readonly BypassSyntax[] = ['windows', 'environment', 'curl', 'go'];

/** Which of the four readings let a host go directly. */
function readings(list: string, host: string, port?: number): string {
  return SYNTAXES.filter((syntax) => BypassList.parse(list, syntax).matches(host, port)).join(' ');
}

describe('R34: who is reached without a proxy depends on whose list it is', () => {
  it('tells what an entry says from what goes directly by rule', () => {
    const list = BypassList.parse('*.corp;127.0.0.9', 'windows');
    const hosts = ['a.corp', '127.0.0.9', '127.0.0.1', '::1', 'localhost', '169.254.1.1', 'fe80::1', 'srv.other'];
    expect(hosts.map((host) => list.exceptionFor(host))).toEqual([
      ...['listed', 'listed', 'loopback', 'loopback', 'loopback', 'link-local', 'link-local', null],
    ]);
    expect(BypassList.parse('', 'go').exceptionFor('127.0.0.1')).toBe('loopback');
    expect(BypassList.NONE.exceptionFor('127.0.0.1')).toBeNull();
  });

  it.each([
    // from: curl(1) --noproxy; golang.org/x/net/http/httpproxy Config.NoProxy; WINHTTP_PROXY_INFO; undici EnvHttpProxyAgent
    ['corp.example', 'corp.example', undefined, 'windows environment curl go'],
    ['corp.example', 'srv.corp.example', undefined, 'environment curl go'],
    ['corp.example', 'notcorp.example', undefined, ''],
    ['CORP.example.', 'Srv.corp.EXAMPLE.', undefined, 'environment curl go'],
    ['.corp.example', 'corp.example', undefined, 'environment curl'],
    ['.corp.example', 'srv.corp.example', undefined, 'windows environment curl go'],
    ['*.corp.example', 'srv.corp.example', undefined, 'windows environment go'],
    ['*.corp.example', 'corp.example', undefined, ''],
    ['*', 'anything.example', undefined, 'windows environment curl go'],
    ['a,*', 'anything.example', undefined, 'windows environment'],
    ['srv*.corp.example', 'srv17.corp.example', undefined, 'windows'],
    ['10.*', '10.1.2.3', undefined, 'windows'],
    ['10.0.0.0/8', '10.1.2.3', undefined, 'windows environment curl go'],
    ['10.1.2.3/8', '10.9.9.9', undefined, 'windows environment curl go'],
    ['10.0.0.0/8', '11.1.2.3', undefined, ''],
    ['169.254/16', '169.254.3.4', undefined, 'windows environment curl go'],
    ['fd00::/8', 'fd12::1', undefined, 'windows environment curl go'],
    ['fd00::/8', '[fd12::1]', undefined, 'windows environment curl go'],
    ['fd00::/8', 'fe12::1', undefined, ''],
    ['10.0.0.0/8', '::ffff:10.0.0.1', undefined, ''],
    ['fd00::1', 'fd00:0:0::1', undefined, 'windows environment curl go'],
    ['srv.example:5986', 'srv.example', 5986, 'windows environment go'],
    ['srv.example:5986', 'srv.example', 5985, ''],
    ['[fd00::1]:5986', 'fd00::1', 5986, 'windows environment go'],
    ['<local>', 'srv1', undefined, 'windows'],
    ['<local>', 'srv1.corp', undefined, ''],
    ['<local>', '2130706433', undefined, 'windows'],
    ['', 'localhost', undefined, 'windows go'],
    ['', '127.9.9.9', undefined, 'windows go'],
    ['', '::1', undefined, 'windows go'],
    ['', '169.254.1.1', undefined, 'windows'],
    ['', 'fe80::1', undefined, 'windows'],
    ['<-loopback>', 'localhost', undefined, 'go'],
    ['1.2.3', '0.1.2.3', undefined, ''],
    ['2.3', '1.2.3', undefined, 'environment curl go'],
    ['0.3', '10.0.0.3', undefined, ''],
  ])('%j and %s:%s: %s', (list, host, port, expected) => {
    expect(readings(list, host, port)).toBe(expected);
  });

  it('splits as each of them does', () => {
    expect(readings('a;b.example c.example', 'c.example')).toBe('windows environment curl');
    expect(readings('a;b.example', 'b.example')).toBe('windows');
    expect(readings(' a , b.example', 'b.example')).toBe('windows environment curl go');
  });

  it('counts what it cannot read, which then matches nothing', () => {
    const list = BypassList.parse('a_b;<what>;ok.example;?', 'windows');
    expect([list.unreadCount, list.entries]).toEqual([2, ['a_b', 'ok.example']]);
    expect(BypassList.parse('a'.repeat(1000), 'curl').unreadCount).toBe(1);
    expect(BypassList.parse('a;'.repeat(10_000), 'windows').unreadCount).toBe(10_000 - 4096);
    expect(BypassList.NONE.matches('localhost')).toBe(false);
  });

  it('matches many stars without trying every way to spread them', () => {
    const list = BypassList.parse(`${'*a'.repeat(100)}*b`, 'windows');
    expect(list.matches('a'.repeat(5000))).toBe(false);
    expect(list.matches(`${'a'.repeat(5000)}b`)).toBe(true);
    expect(BypassList.parse('ab*ba', 'windows').matches('aba')).toBe(false);
  });

  it('never throws, for any list and host', () => {
    const piece = fc.constantFrom('*', '.', ':', '/', '8', 'a', '<local>', ',', ';', '[', ']', '::', '10.0.0.0/8', ' ');
    const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, fc.constantFrom(...SYNTAXES), (list, host, syntax) => {
        expect(typeof BypassList.parse(list, syntax).matches(host, 5986)).toBe('boolean');
      }),
    );
  });
});
