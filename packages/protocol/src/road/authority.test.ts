import { describe, expect, it } from 'vitest';
import { isHost, isPort, printAuthority, splitAuthority } from './authority.ts';

describe('isHost', () => {
  it.each([
    'win1',
    'win1.corp.example',
    'WIN-1_A',
    'xn--bcher-kva.example',
    '10.0.0.1',
    '255.255.255.255',
    '1a',
    '3com.example',
    '::1',
    '::',
    'fe80::1',
    '2001:db8:0:0:0:0:0:1',
    '::ffff:10.0.0.1',
    '1:2:3:4:5:6:7::',
    `${'a'.repeat(63)}.b`,
  ])('takes %s', (host) => {
    expect(isHost(host)).toBe(true);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'a b',
    'a/b',
    'a\\b',
    'a@b',
    'a:b',
    'ä',
    'a\0',
    'a\n',
    'a%2e',
    '*',
    'a,b',
    '1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '127.1',
    '0177.0.0.1',
    '127.0.0.01',
    '127.0.0.256',
    '1.2.3.4.5',
    '1.2.3.4.',
    'a.1',
    'a.0x1',
    '10.0.0.0x1',
    '[::1]',
    '::1%eth0',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    '::10.0.0.256',
    '::1.2.3.4:5',
    ':1',
    '1:',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(127)}ab`,
    '１２７.0.0.1',
  ])('refuses %j', (host) => {
    expect(isHost(host)).toBe(false);
  });
});

describe('isPort', () => {
  it('takes what TCP can connect to', () => {
    expect([1, 5985, 65_535].every(isPort)).toBe(true);
    expect([0, -1, 65_536, 1.5, Number.NaN, Infinity].some(isPort)).toBe(false);
  });
});

describe('splitAuthority', () => {
  it('undoes printAuthority', () => {
    for (const address of [
      { host: 'win1', port: 5985 },
      { host: '::1', port: 80 },
      { host: '10.0.0.1', port: 1 },
    ]) {
      expect(splitAuthority(printAuthority(address))).toEqual({ host: address.host, port: String(address.port) });
    }
    expect(splitAuthority('win1')).toEqual({ host: 'win1', port: null });
    expect(splitAuthority('[::1]')).toEqual({ host: '::1', port: null });
  });

  it.each(['::1', 'a:b', 'a:1:2', '[::1', '[a]:1', '[::1]x', '[::1%25eth0]', 'a:+1', 'a: 1'])(
    'takes nothing from %j',
    (text) => {
      expect(splitAuthority(text)).toBeNull();
    },
  );
});
