import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWinRmError } from '../errors.ts';
import { checkTarget, parseTarget, printTarget, targetAuthority, targetUrl } from './target.ts';

const https = (host: string, port = 5986, path = '/wsman') => ({ scheme: 'https', host, port, path });
const http = (host: string, port = 5985, path = '/wsman') => ({ scheme: 'http', host, port, path });

describe('parseTarget', () => {
  it.each([
    ['srv1', http('srv1'), null],
    ['  SRV1.Corp.Example  ', http('srv1.corp.example'), null],
    ['srv_1', http('srv_1'), null],
    ['srv1:80', http('srv1', 80), null],
    ['10.0.0.7:5985', http('10.0.0.7'), null],
    ['[::1]', http('::1'), null],
    ['[2001:DB8:0:0:1:0:0:1]:8080', http('2001:db8::1:0:0:1', 8080), null],
    ['[::ffff:10.0.0.1]', http('::ffff:a00:1'), null],
    ['[1:2:3:4:5:6:7:8]', http('1:2:3:4:5:6:7:8'), null],
    ['http://srv1', http('srv1'), null],
    ['HTTP://srv1:81/', http('srv1', 81), null],
    ['http://srv1:5985/wsman', http('srv1'), null],
    ['http://srv1/other/wsman', http('srv1', 5985, '/other/wsman'), null],
    ['srv1:5986', https('srv1'), null],
    ['[::1]:5986', https('::1'), null],
    ['alice@srv1:5986', https('srv1'), 'alice'],
    ['https://srv1', https('srv1'), null],
    ['HTTPS://SRV1:443/', https('srv1', 443), null],
    ['https://srv1:5985/x', https('srv1', 5985, '/x'), null],
    ['http://srv1:5986', http('srv1', 5986), null],
    ['CORP\\alice@srv1', http('srv1'), 'CORP\\alice'],
    ['alice@corp.example@srv1:5985', http('srv1'), 'alice@corp.example'],
    ['alice@[::1]:1', http('::1', 1), 'alice'],
  ])('reads %j', (text, target, user) => {
    expect(parseTarget(text)).toEqual({ target, user });
  });

  it.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['x'.repeat(2000), 'too-long'],
    [`${'a.'.repeat(127)}aa`, 'too-long'],
    [`http://srv/${'p'.repeat(300)}`, 'too-long'],
    ['srv\u0000', 'control-character'],
    ['srv\r\nHost: evil', 'control-character'],
    ['srv\ud800', 'control-character'],
    ['srv 1', 'not-a-host'],
    ['-srv', 'not-a-host'],
    ['srv-', 'not-a-host'],
    ['srv..corp', 'not-a-host'],
    ['srv.', 'not-a-host'],
    [`${'a'.repeat(64)}.corp`, 'not-a-host'],
    ['bücher.example', 'not-a-host'],
    ['ｓｒｖ', 'not-a-host'],
    ['srv%31', 'not-a-host'],
    ['2130706433', 'not-a-host'],
    ['0x7f000001', 'not-a-host'],
    ['0x7f.1', 'not-a-host'],
    ['127.1', 'not-a-host'],
    ['0177.0.0.1', 'not-a-host'],
    ['127.0.0.256', 'not-a-host'],
    ['1.2.3.4.5', 'not-a-host'],
    ['::1', 'not-a-host'],
    ['[::1%eth0]', 'not-a-host'],
    ['[fe80::1%25eth0]:80', 'not-a-host'],
    ['[1::2::3]', 'not-a-host'],
    ['[1:2:3:4:5:6:7]', 'not-a-host'],
    ['[1:2:3:4:5:6:7:8:9]', 'not-a-host'],
    ['[1:2:3:4:5:6:7:8::]', 'not-a-host'],
    ['[::10.0.0.1:1]', 'not-a-host'],
    ['[12345::]', 'not-a-host'],
    ['[]', 'not-a-host'],
    ['[::1', 'not-a-host'],
    ['srv/wsman', 'not-a-host'],
    ['\\\\srv\\share', 'not-a-host'],
    ['@', 'malformed'],
    ['@srv', 'malformed'],
    ['alice@', 'not-a-host'],
    ['srv:', 'not-a-number'],
    ['srv:abc', 'not-a-number'],
    ['srv:-1', 'not-a-number'],
    ['srv:1e3', 'not-a-number'],
    ['srv:0', 'out-of-range'],
    ['srv:05985', 'out-of-range'],
    ['srv:65536', 'out-of-range'],
    ['srv:99999999999999999999', 'out-of-range'],
    ['https+x://srv', 'unsupported-scheme'],
    ['https://alice@srv', 'has-credentials'],
    ['https://srv?x', 'has-query'],
    ['https://srv:0', 'out-of-range'],
    ['ftp://srv', 'unsupported-scheme'],
    ['javascript://srv', 'unsupported-scheme'],
    ['http://alice@srv', 'has-credentials'],
    ['http://alice:secret@srv', 'has-credentials'],
    ['alice:secret@srv', 'has-credentials'],
    ['http://srv/wsman?PSVersion=7', 'has-query'],
    ['http://srv?x', 'has-query'],
    ['http://srv#x', 'has-query'],
    ['srv?x', 'has-query'],
    ['http://srv\\wsman', 'not-a-url'],
    ['http://srv/a b', 'not-a-url'],
    ['http://srv/%2e%2e/', 'not-a-url'],
    ['http://srv/../wsman', 'not-a-url'],
    ['http://srv/wsman/..', 'not-a-url'],
    ['http:///wsman', 'not-a-host'],
    ['http://', 'not-a-host'],
  ])('refuses %j with misuse.bad-argument', (text, reason) => {
    expect(() => parseTarget(text)).toThrow(
      expect.objectContaining({ code: 'misuse.bad-argument', details: expect.objectContaining({ reason }) as object }),
    );
  });

  it('gives a target or misuse.bad-argument for any text, and never shows a password in the error', () => {
    const unit = fc.constantFrom(
      ...'ab01.:[]/\\@%?#-_ é\u0000'.split(''),
      'http://',
      'https://',
      ':5986',
      '::',
      'xn--',
      '0x',
      '255',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(unit).map((units) => units.join('')),
        ),
        (text) => {
          try {
            const { target } = parseTarget(text);
            expect(parseTarget(printTarget(target)).target).toEqual(target);
            expect(parseTarget(targetUrl(target)).target).toEqual(target);
            checkTarget(target);
          } catch (error) {
            expect(isWinRmError(error, 'misuse.bad-argument')).toBe(true);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('printTarget', () => {
  it('leaves out what is usual', () => {
    expect(printTarget(parseTarget('srv').target)).toBe('srv');
    expect(printTarget(parseTarget('srv:80').target)).toBe('srv:80');
    expect(printTarget(parseTarget('[::1]').target)).toBe('[::1]');
    expect(printTarget(parseTarget('http://srv/x').target)).toBe('http://srv:5985/x');
    expect(printTarget(parseTarget('https://srv').target)).toBe('srv:5986');
    expect(printTarget(parseTarget('https://srv:443').target)).toBe('https://srv:443');
    expect(printTarget(parseTarget('https://srv:5985').target)).toBe('https://srv:5985');
    expect(printTarget(parseTarget('http://srv:5986').target)).toBe('http://srv:5986');
    expect(printTarget(parseTarget('https://srv/x').target)).toBe('https://srv:5986/x');
    expect(targetAuthority(parseTarget('[::1]').target)).toBe('[::1]:5985');
  });
});

describe('checkTarget', () => {
  it('refuses a target made by hand that could mean another place, with misuse.bad-argument', () => {
    const made = parseTarget('srv').target;
    for (const odd of [
      { host: 'srv/x' },
      { host: 'SRV' },
      { port: 0 },
      { port: 1.5 },
      { path: 'wsman' },
      { path: '/a?b' },
      { scheme: 'ftp' as 'http' },
    ]) {
      expect(() => checkTarget({ ...made, ...odd })).toThrow(expect.objectContaining({ code: 'misuse.bad-argument' }));
    }
  });
});
