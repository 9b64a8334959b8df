import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../bytes/bytes.ts';
import { matchesName, parseAddress, printAddress } from './_host.ts';

describe('matchesName', () => {
  test.each([
    ['srv1', 'srv1'],
    ['SRV_1.corp', 'srv_1.corp'],
    ['srv1.corp.', 'srv1.corp'],
    ['*.corp.example', 'a.corp.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('matchesName finds that %s is %s', (pattern, name) => {
    expect(matchesName(pattern, name)).toBe(true);
  });

  test.each([
    ['*', 'srv1'],
    ['*.corp', 'srv1.corp'],
    ['*.*.corp.example', 'a.b.corp.example'],
    ['s*.corp.example', 'srv1.corp.example'],
    ['srv1.*.example', 'srv1.corp.example'],
    ['*.corp.example', '.corp.example'],
    ['*.corp.example', 'corp.example'],
    ['srv1\\u0000.corp', 'srv1'],
    ['', ''],
    ['.', ''],
  ])('matchesName finds that %s is not %s', (pattern, name) => {
    expect(matchesName(pattern, name)).toBe(false);
  });

  test('matchesName takes one kind of name: itself', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const names = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(fc.property(names, names, (a, b) => matchesName(a, b) === (a === b) && matchesName(a, a)));
  });
});

describe('parseAddress', () => {
  test.each([
    ['10.1.2.3', '0a010203'],
    ['::', '00000000000000000000000000000000'],
    ['[::1]', '00000000000000000000000000000001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['fe80::1:2', 'fe800000000000000000000000010002'],
    ['::ffff:10.1.2.3', '00000000000000000000ffff0a010203'],
  ])('parseAddress reads %s', (text, hex) => {
    expect(toHex(parseAddress(text) ?? expect.fail('not read'))).toBe(hex);
  });

  test.each([
    '',
    'srv1',
    '10.1.2',
    '10.1.2.3.4',
    '256.1.1.1',
    '01.1.1.1',
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '1:2',
    '12345::',
  ])('parseAddress refuses "%s"', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test('parseAddress agrees with Node, and undoes printAddress', () => {
    const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/));
    fc.assert(
      fc.property(texts, (text) => (parseAddress(text) !== null) === (isIPv4(text) || isIPv6(text))),
      { numRuns: 500 },
    );
    const bytes = fc.oneof(
      ...[4, 16].map((n) => fc.array(fc.constantFrom(0, 0, 1, 255), { minLength: n, maxLength: n })),
    );
    fc.assert(
      fc.property(bytes, (address) => {
        expect(parseAddress(printAddress(Uint8Array.from(address)))).toEqual(Uint8Array.from(address));
      }),
    );
  });
});
