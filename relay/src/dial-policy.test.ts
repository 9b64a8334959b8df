import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyAddress, parseCidr, parseHost, parseIp } from './address.ts';
import {
  BadRule,
  exactRule,
  isAddressAllowed,
  isNameAllowed,
  judgeRoad,
  mayBeAllowed,
  parseRules,
} from './dial-policy.ts';
import { LOCAL_NAMES, oddAddresses, oddNames } from './odd-spellings.ts';

const ALLOWED = parseRules('srv1.corp:5985 *.lab.example 10.0.0.0/8:5985 8.8.8.8:5985 [fd00:1::/64]:5985', 'targets');

/** Whether anything can be dialled under a spelling, whatever the resolver answers out of `answers`. */
function isReachable(spelling: string, port: number, answers: readonly string[], rules = ALLOWED): boolean {
  const host = parseHost(spelling);
  if (host === null || !mayBeAllowed(rules, host, port)) return false;
  const found = host.kind === 'ip' ? [spelling] : answers;
  return found.every((answer) => {
    const ip = parseIp(answer);
    return ip !== null && isAddressAllowed(rules, host, { kind: 'ip', ip }, port);
  });
}

test('at least 300 odd spellings of forbidden and of allowed places reach nothing', () => {
  const odd = [...oddAddresses(), ...oddNames(), ...LOCAL_NAMES];
  expect(new Set(odd).size).toBeGreaterThanOrEqual(300);
  const badAnswers = ['127.0.0.1', '169.254.169.254', '::1', '::ffff:10.1.2.3', '192.168.0.1', '0.0.0.0'];
  for (const spelling of odd) {
    for (const answer of badAnswers) {
      expect(isReachable(spelling, 5985, [answer]), JSON.stringify(spelling)).toBe(false);
    }
    const asName = parseHost(spelling);
    expect(asName !== null && isNameAllowed(ALLOWED, asName, 5985), JSON.stringify(spelling)).toBe(false);
  }
});

test('an empty policy reaches nothing', () => {
  for (const spelling of ['8.8.8.8', '10.1.2.3', 'srv1.corp', 'example.com', '2606:4700::1', 'localhost']) {
    expect(isReachable(spelling, 5985, ['8.8.8.8'], []), spelling).toBe(false);
    expect(judgeRoad({ targets: [], proxies: [] }, { host: spelling, port: 5985 }, [])).toEqual({
      host: spelling,
      port: 5985,
      rule: 'target',
    });
  }
});

describe('what rules allow', () => {
  const cases: [name: string, rules: string, spelling: string, port: number, answers: string[], isAllowed: boolean][] =
    [
      ['a public name', 'srv1.corp', 'srv1.corp', 5985, ['8.8.4.4'], true],
      ['in capitals', 'srv1.corp', 'SRV1.Corp', 5986, ['8.8.4.4'], true],
      ['on another port', 'srv1.corp', 'srv1.corp', 22, ['8.8.4.4'], false],
      ['that resolves to a private address', 'srv1.corp', 'srv1.corp', 5985, ['10.1.2.3'], false],
      ['with its range named', 'srv1.corp:5985@10.1.0.0/16', 'srv1.corp', 5985, ['10.1.2.3'], true],
      ['with its range named, outside it', 'srv1.corp:5985@10.1.0.0/16', 'srv1.corp', 5985, ['10.2.2.3'], false],
      ['with its range named, by another name', 'srv1.corp:5985@10.1.0.0/16', 'srv2.corp', 5985, ['10.1.2.3'], false],
      ['beside a range', 'srv1.corp 10.0.0.0/8', 'srv1.corp', 5985, ['10.1.2.3'], true],
      ['rebound to loopback', '*.corp@10.0.0.0/8', 'srv1.corp', 5985, ['127.0.0.1'], false],
      ['one bad answer of two', '*.corp@10.0.0.0/8', 'srv1.corp', 5985, ['10.1.2.3', '127.0.0.1'], false],
      ['two good answers', '*.corp@10.0.0.0/8', 'srv1.corp', 5985, ['10.1.2.3', '10.1.2.4'], true],
      ['an address in a range', '10.0.0.0/8', '10.9.9.9', 5985, [], true],
      ['an address beside it', '10.0.0.0/8', '11.9.9.9', 5985, [], false],
      ['everything does not mean private', '0.0.0.0/0', '10.9.9.9', 5985, [], false],
      ['everything does not mean metadata', '0.0.0.0/0', '169.254.169.254', 5985, [], false],
      ['everything means public', '0.0.0.0/0', '8.8.8.8', 5985, [], true],
      ['link-local does not mean metadata', '169.254.0.0/16', '169.254.169.254', 5985, [], false],
      ['metadata, when somebody insists', '169.254.169.254:80', '169.254.169.254', 80, [], true],
      ['loopback, when somebody insists', '127.0.0.1:1-65535', 'localhost', 4444, ['127.0.0.1'], true],
      ['mapped, even when somebody insists', '[::ffff:7f00:1]:*', '::ffff:7f00:1', 1, [], false],
      ['IPv6', '[fd00:1::/64]', 'FD00:1::9', 5985, [], true],
      ['any name, public', '*:5985', 'a.b.c', 5985, ['9.9.9.9'], true],
      ['any name, private', '*:5985', 'a.b.c', 5985, ['172.16.0.1'], false],
      ['any name is no address', '*:5985', '9.9.9.9', 5985, [], false],
      ['a suffix is not its own name', '*.corp', 'corp', 5985, ['9.9.9.9'], false],
    ];
  test.each(cases)('%s', (_name, rules, spelling, port, answers, isAllowed) => {
    expect(isReachable(spelling, port, answers, parseRules(rules, 'targets'))).toBe(isAllowed);
  });
});

test('judgeRoad judges the first proxy as a place to dial and everything behind it by name', () => {
  const policy = {
    targets: parseRules('srv1.corp 10.0.0.0/8', 'targets'),
    proxies: parseRules('proxy.corp:3128 10.5.0.0/16:8080', 'proxies'),
  };
  const [srv1, first] = [
    { host: 'srv1.corp', port: 5985 },
    { host: 'proxy.corp', port: 3128 },
  ];
  expect(judgeRoad(policy, srv1, [first])).toBeNull();
  expect(judgeRoad(policy, srv1, [{ host: 'by-address.corp', port: 8080 }, first])).toBeNull();
  // The proxy would resolve it, and nobody can judge the address it finds.
  expect(judgeRoad(policy, { host: 'other.corp', port: 5985 }, [first])).toMatchObject({ rule: 'target' });
  expect(judgeRoad(policy, { host: 'other.corp', port: 5985 }, [])).toBeNull();
  expect(judgeRoad(policy, { host: '10.1.1.1', port: 5985 }, [first])).toBeNull();
  expect(judgeRoad(policy, srv1, [{ ...first, port: 3129 }])).toMatchObject({ rule: 'proxy', port: 3129 });
  expect(judgeRoad(policy, srv1, [first, { host: 'by-address.corp', port: 8080 }])).toMatchObject({ rule: 'proxy' });
  expect(judgeRoad(policy, first, [])).toMatchObject({ rule: 'target' });
});

test('a name that means the proxy itself, or a cloud’s secrets, is told to a proxy only when it is written out', () => {
  const target = (host: string) => ({ host, port: 5985 });
  const first = target('proxy.corp');
  const proxies = parseRules('proxy.corp:5985', 'proxies');
  for (const name of LOCAL_NAMES) {
    const exact = { targets: parseRules(name.toLowerCase(), 'targets'), proxies };
    const wide = { targets: parseRules('* *.google.internal *.localhost *.ec2.internal', 'targets'), proxies };
    expect(judgeRoad(wide, target(name), [first]), name).toMatchObject({ rule: 'target' });
    expect(judgeRoad(exact, target(name), [first]), name).toBeNull();
    expect(judgeRoad(wide, target(`${name}.corp`), [first]), name).toBeNull();
  }
  expect(judgeRoad({ targets: parseRules('*', 'targets'), proxies }, target('localhosts'), [first])).toBeNull();
});

test('parseRules names the rule it cannot read', () => {
  for (const bad of [
    'http://srv1.corp',
    'srv1.corp:0',
    'srv1.corp:65536',
    'srv1.corp:90-80',
    'srv1.corp:x',
    'srv1.corp:5985@corp',
    '10.0.0.0/8@10.0.0.0/8',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '127.1',
    '0x7f000001',
    '2130706433',
    'fd00::1',
    '[10.0.0.1]',
    '[srv1.corp]',
    '[fe80::1%eth0]',
    '*.*.corp',
    'a*.corp',
    '*.10.0.0.1',
    'srv1.corp.',
    'sërver',
    'user@srv1.corp',
    '[::1',
  ]) {
    expect(() => parseRules(`good.corp ${bad}`, 'targets'), bad).toThrow(BadRule);
    expect(() => parseRules(bad, 'targets'), bad).toThrow(bad.split(/[\s]/)[0]);
  }
  expect(() => parseRules('proxy.corp', 'proxies')).toThrow('has no port');
  expect(parseRules(' a.b:1 ,;\n c.d:2-3 ', 'proxies').map((rule) => rule.text)).toEqual(['a.b:1', 'c.d:2-3']);
});

test('a range behind an address is refused in words that say so', () => {
  expect(() => parseRules('127.0.0.1:7501@127.0.0.0/8', 'targets')).toThrow('an address takes no @RANGE');
});

test('exactRule allows one host on one port, loopback too', () => {
  const rule = exactRule('127.0.0.1', 4444);
  if (rule === null) throw new Error('no rule');
  expect(isReachable('127.0.0.1', 4444, [], [rule])).toBe(true);
  expect(isReachable('127.0.0.1', 4445, [], [rule])).toBe(false);
  expect(isReachable('127.0.0.2', 4444, [], [rule])).toBe(false);
  for (const bad of ['*', '*.corp', '10.0.0.0/8', '', 'a b', '127.1']) expect(exactRule(bad, 1), bad).toBeNull();
});

test('parseHost, parseIp and parseCidr give a value or null for any text', () => {
  const near = fc.stringMatching(/^[0-9a-fA-F.:x/%[\]@-]{0,40}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), near, fc.ipV4(), fc.ipV6(), fc.domain()), (text) => {
      parseCidr(text);
      const host = parseHost(text);
      if (host?.kind === 'name') expect(host.name).toMatch(/^[a-z0-9._-]+$/);
    }),
  );
});

test('parseIp agrees with the URL parser on every address it reads', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const ip = parseIp(text);
      if (ip === null) return;
      const groups = ip.value.toString(16).padStart(32, '0').match(/.{4}/g) ?? [];
      expect(new URL(`http://[${groups.join(':')}]`).hostname).toBe(new URL(`http://[${text}]`).hostname);
    }),
  );
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      const value = text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
      expect(parseIp(text)?.value).toBe(BigInt(value));
      expect(new URL(`http://${text}`).hostname).toBe(text);
    }),
  );
});

test('classifyAddress calls nothing public that IPv6 wraps around something else', () => {
  for (const text of [
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:1::',
    '::7f00:1',
    '1::1',
    '4000::1',
  ]) {
    const ip = parseIp(text);
    expect(ip === null ? null : classifyAddress(ip).kind, text).toBe('never');
  }
  const ip = parseIp('2606:4700:4700::1111');
  expect(ip === null ? null : classifyAddress(ip).kind).toBe('public');
});
