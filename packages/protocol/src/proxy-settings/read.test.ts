import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWinRmError } from '../errors.ts';
import { readEnvironment } from './environment.ts';
import { printProxySettings } from './print.ts';
import { readProxySettings } from './read.ts';
import { chooseRoutes, type ProxySettings } from './settings.ts';

const HTTPS = { scheme: 'https', host: 'srv1.corp.example', port: 5986 } as const;
const HTTP = { scheme: 'http', host: 'srv1.corp.example', port: 5985 } as const;

function namesFor(settings: ProxySettings, target: typeof HTTPS | typeof HTTP = HTTPS): string[] {
  return chooseRoutes(settings, target).routes.map(({ name }) => name);
}

function proxiesOf(text: string): string[] {
  return readProxySettings(text).proxies.map(({ for: purpose, hop }) => `${purpose} ${hop.host}:${hop.port}`);
}

function warningsOf(text: string): string[] {
  return readProxySettings(text).warnings.map(({ code }) => code);
}

describe('R33: netsh winhttp show proxy and proxycfg, in the language they were printed in', () => {
  const printed = (heading: string, first: string, second: string): string =>
    `\r\n${heading}\r\n\r\n    ${first}  proxy.corp:8080\r\n    ${second}  *.corp.local;<local>\r\n\r\n`;
  it.each([
    // from: netsh.exe of Windows, in the languages its message tables have
    ['English', 'Current WinHTTP proxy settings:', 'Proxy Server(s) :', 'Bypass List     :'],
    ['German', 'Aktuelle WinHTTP-Proxyeinstellungen:', 'Proxyserver :', 'Umgehungsliste     :'],
    ['French', 'Paramètres de proxy WinHTTP actuels :', 'Serveur(s) proxy :', 'Liste de contournement     :'],
    ['Spanish', 'Configuración actual del proxy WinHTTP:', 'Servidores proxy :', 'Lista de omisión     :'],
    ['Japanese', '現在の WinHTTP プロキシ設定:', 'プロキシ サーバー:', 'バイパス一覧    :'],
    ['Chinese', '当前的 WinHTTP 代理服务器设置:', '代理服务器:', '绕过列表     ：'],
  ])('%s', (_language, heading, first, second) => {
    const settings = readProxySettings(printed(heading, first, second));
    expect(settings).toMatchObject({ source: 'netsh', direct: false, pacUrl: null, warnings: [] });
    expect(namesFor(settings)).toEqual(['PROXY proxy.corp:8080']);
    expect(settings.bypass.matches('srv1.corp.local')).toBe(true);
    expect(settings.bypass.matches('srv1')).toBe(true);
    expect(settings.bypass.matches('srv1.corp.example')).toBe(false);
  });

  it('takes one sentence for "no proxy", whatever it says', () => {
    for (const text of [
      'Current WinHTTP proxy settings:\r\n\r\n    Direct access (no proxy server).\r\n\r\n',
      'Paramètres de proxy WinHTTP actuels :\r\n\r\n    Accès direct (aucun serveur proxy).\r\n',
      'PS C:\\> netsh winhttp show proxy\n\nAktuelle WinHTTP-Proxyeinstellungen:\n\n    Direkter Zugriff (kein Proxyserver).\n',
    ]) {
      const settings = readProxySettings(text);
      expect(settings).toMatchObject({ source: 'netsh', direct: true, proxies: [] });
      expect(chooseRoutes(settings, HTTP)).toMatchObject({ routes: [{ hops: [] }], why: 'no-proxy' });
    }
  });

  it('reads lists by protocol, and an exception list of "(none)"', () => {
    const text =
      'Current WinHTTP proxy settings:\n\n    Proxy Server(s) :  http=plain:80;https=secure:8443\n    Bypass List     :  (none)\n';
    expect(namesFor(readProxySettings(text), HTTPS)).toEqual(['PROXY secure:8443']);
    expect(namesFor(readProxySettings(text), HTTP)).toEqual(['PROXY plain:80']);
    expect(readProxySettings(text).bypass.entries).toEqual([]);
  });

  it('reads what proxycfg.exe prints, which names a registry key first', () => {
    // from: proxycfg.exe, "Microsoft (R) WinHTTP Default Proxy Configuration Tool"
    const text = [
      'Microsoft (R) WinHTTP Default Proxy Configuration Tool',
      'Copyright (c) Microsoft Corporation. All rights reserved.',
      '',
      'Current WinHTTP proxy settings under:',
      '',
      '  HKEY_LOCAL_MACHINE\\',
      '    SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections\\',
      '      WinHttpSettings :',
      '',
      '    Proxy Server(s) :  px:3128',
      '    Bypass List     :  <local>',
    ].join('\r\n');
    expect(namesFor(readProxySettings(text))).toEqual(['PROXY px:3128']);
    expect(
      namesFor(readProxySettings(text.replace(/ {4}Proxy[\s\S]*/, '    Direct access (no proxy server).'))),
    ).toEqual(['DIRECT']);
  });

  it('reads the JSON of show advproxy, with its switches', () => {
    // from: "netsh winhttp show advproxy" of Windows 11
    const json = (fields: object): string =>
      `\r\nCurrent WinHTTP advanced proxy settings:\r\n\r\n${JSON.stringify(fields, null, 8)}\r\n`;
    const on = readProxySettings(json({ Proxy: 'px:8080', ProxyBypass: '10.*', AutoconfigUrl: '', AutoDetect: true }));
    expect(on).toMatchObject({ source: 'netsh-json', direct: false, pacUrl: null });
    expect(on.warnings.map(({ code }) => code)).toEqual(['auto-detect']);
    expect(on.bypass.matches('10.1.2.3')).toBe(true);
    const off = readProxySettings(
      json({ ProxyIsEnabled: false, Proxy: 'px:8080', AutoConfigIsEnabled: false, AutoconfigUrl: 'http://w/p.pac' }),
    );
    expect(off).toMatchObject({ direct: true, proxies: [], pacUrl: null });
    expect(off.warnings.map(({ code }) => code)).toEqual(['switched-off']);
    const both = readProxySettings(json({ Proxy: 'px:8080', AutoconfigUrl: 'http://wpad/proxy.pac' }));
    expect(both).toMatchObject({ pacUrl: 'http://wpad/proxy.pac', warnings: [{ code: 'pac-first' }] });
  });
});

describe('R32: what WinINET and the registry keep', () => {
  const REG = [
    'HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings',
    '    ProxyEnable    REG_DWORD    0x1',
    '    ProxyServer    REG_SZ    http=a:1;https=b:2;ftp=c:3;socks=d:1080',
    '    ProxyOverride    REG_SZ    *.corp.example;192.168.*;<local>',
  ];

  it('reads reg query', () => {
    const settings = readProxySettings(REG.join('\r\n'));
    expect(settings.source).toBe('registry');
    expect(settings.proxies.map(({ for: purpose, hop }) => [purpose, hop.kind, hop.host, hop.port])).toEqual([
      ['http', 'http-connect', 'a', 1],
      ['https', 'http-connect', 'b', 2],
      ['socks', 'socks5', 'd', 1080],
    ]);
    expect(settings.warnings).toEqual([
      { code: 'other-scheme', setting: 'ftp=', about: 'none' },
      { code: 'socks-version', setting: 'socks=', about: 'd:1080' },
    ]);
    expect(chooseRoutes(settings, HTTPS)).toMatchObject({ routes: [{ hops: [] }], why: 'bypassed' });
    expect(chooseRoutes(settings, { ...HTTPS, host: 'other.example' })).toMatchObject({ why: 'for-scheme' });
  });

  it('uses no proxy that is switched off, and says that there is one', () => {
    const text = REG.join('\n').replace('0x1', '0x0');
    expect(readProxySettings(text)).toMatchObject({ direct: true, proxies: [] });
    expect(warningsOf(text)).toEqual(['switched-off']);
  });

  it('reads a .reg file and Get-ItemProperty, whose long values go on', () => {
    const file = [
      'Windows Registry Editor Version 5.00',
      '"ProxyEnable"=dword:00000001',
      '"ProxyServer"="px.corp:8080"',
      '"AutoConfigURL"="http://wpad.corp/wpad.dat"',
    ].join('\r\n');
    expect(readProxySettings(file)).toMatchObject({ pacUrl: 'http://wpad.corp/wpad.dat', source: 'registry' });
    expect(proxiesOf(file)).toEqual(['all px.corp:8080']);
    const shown = [
      'ProxyEnable   : 1',
      'ProxyServer   : px.corp:8080',
      'ProxyOverride : *.one.example;*.two.example;*.three.exam',
      '                ple;<local>',
      'PSPath        : Microsoft.PowerShell.Core\\Registry::HKEY_CURRENT_USER',
    ].join('\n');
    expect(readProxySettings(shown).bypass.entries).toEqual([
      '*.one.example',
      '*.two.example',
      '*.three.example',
      '<local>',
    ]);
  });

  it('reads the one line of the dialog', () => {
    expect(proxiesOf('http=a:1;https=b:2')).toEqual(['http a:1', 'https b:2']);
    expect(proxiesOf('a.corp:1;b.corp:2')).toEqual(['all a.corp:1', 'all b.corp:2']);
    expect(proxiesOf('https=https://b')).toEqual(['https b:443']);
    expect(warningsOf('http=a')).toEqual(['port-assumed']);
  });
});

describe('R34: environment variables, only when somebody hands them over', () => {
  it.each([
    ['HTTPS_PROXY=http://px:8080'],
    ['export https_proxy="http://px:8080"'],
    ["export https_proxy='http://px:8080/';"],
    ['set HTTPS_PROXY=http://px:8080'],
    ['setx HTTPS_PROXY "http://px:8080"'],
    ['$env:HTTPS_PROXY = "http://px:8080"'],
    ['ENV HTTPS_PROXY=http://px:8080'],
    ['export HTTPS_PROXY=px:8080 NO_PROXY=a,b'],
    ['    - HTTPS_PROXY: http://px:8080'],
    ['  "https_proxy": "http://px:8080",'],
    ['docker run -e HTTPS_PROXY=http://px:8080 image'],
  ])('reads %s', (line) => {
    const settings = readProxySettings(line);
    expect(settings).toMatchObject({
      source: 'environment',
      proxies: [{ for: 'https', hop: { host: 'px', port: 8080 } }],
    });
    expect(namesFor(settings, HTTP)).toEqual(['DIRECT']);
  });

  it('takes small letters before capitals, and says when they differ', () => {
    const text = 'HTTPS_PROXY=http://large:1\nhttps_proxy=http://small:2\n';
    expect(proxiesOf(text)).toEqual(['https small:2']);
    expect(warningsOf(text)).toEqual(['two-cases']);
    expect(warningsOf('HTTP_PROXY=http://a:1')).toEqual(['cgi']);
    expect(warningsOf('http_proxy=http://a:1')).toEqual([]);
  });

  it('uses ALL_PROXY for what has none of its own, and NO_PROXY before all of them', () => {
    const text = 'all_proxy=socks5h://s:1080\nhttp_proxy=http://h:80\nno_proxy=.corp.example, 10.0.0.0/8\n';
    expect(namesFor(readProxySettings(text), HTTP)).toEqual(['DIRECT']);
    const other = { ...HTTP, host: 'other.example' };
    expect(chooseRoutes(readProxySettings(text), other)).toMatchObject({ routes: [{ name: 'PROXY h:80' }] });
    expect(chooseRoutes(readProxySettings(text), { ...other, scheme: 'https' })).toMatchObject({
      routes: [{ name: 'SOCKS5 s:1080' }],
      why: 'for-all',
    });
  });

  it('reads a process’s variables as a value, never by itself', () => {
    const settings = readEnvironment({ HTTPS_PROXY: 'https://px', PATH: '/bin' });
    expect(settings.proxies).toEqual([
      { for: 'https', hop: { kind: 'http-connect', host: 'px', port: 443, tls: true } },
    ]);
    expect(() => readEnvironment({ PATH: '/bin', http_proxy: '' })).toThrow('settings.unreadable');
  });
});

describe('single lines', () => {
  it('tells a proxy from a PAC file by the path', () => {
    expect(readProxySettings('http://px:8080/')).toMatchObject({ source: 'url', pacUrl: null });
    expect(readProxySettings('px.corp:8080')).toMatchObject({ source: 'url', proxies: [{ for: 'all' }] });
    expect(readProxySettings('http://wpad/wpad.dat')).toMatchObject({
      source: 'pac-url',
      pacUrl: 'http://wpad/wpad.dat',
    });
    expect(readProxySettings('http://pac.corp/?group=7')).toMatchObject({ pacUrl: 'http://pac.corp/?group=7' });
    expect(readProxySettings('file:///C:/proxy.pac')).toMatchObject({ pacUrl: 'file:///C:/proxy.pac' });
  });

  it('reads a PAC answer, in its order', () => {
    const settings = readProxySettings('PROXY a:8080; SOCKS5 [fd00::1]:1080; SOCKS4 c:1; DIRECT; PROXY never:1');
    expect(namesFor(settings)).toEqual(['PROXY a:8080', 'SOCKS5 [fd00::1]:1080', 'DIRECT']);
    expect(settings.warnings).toMatchObject([{ code: 'socks4', about: 'c:1' }]);
    expect(namesFor(readProxySettings('direct'))).toEqual(['DIRECT']);
    expect(namesFor(readProxySettings('DIRECT; PROXY a:1'))).toEqual(['DIRECT']);
  });

  it.each([
    ['', 'empty'],
    [' \r\n\t', 'empty'],
    ['x'.repeat(300_000), 'too-long'],
    ['hello', 'unknown-form'],
    ['I think it goes through WinHTTP somehow', 'unknown-form'],
    ['function FindProxyForURL(url, host) { return "DIRECT"; }', 'unknown-form'],
    ['https=a:b:c', 'not-a-proxy'],
    ['HTTPS_PROXY=http://px:99999', 'not-a-proxy'],
    ['HTTPS_PROXY=socks4://px:1080', 'socks4'],
    ['"AutoConfigURL"="wpad"', 'not-a-url'],
  ])('%j is settings.unreadable: %s', (text, reason) => {
    expect(() => readProxySettings(text)).toThrow(
      expect.objectContaining({ code: 'settings.unreadable', details: expect.objectContaining({ reason }) }),
    );
  });
});

describe('credentials in settings', () => {
  const SECRETS = ['hunter2', 'p%40ss', 'ana'];
  it.each([
    'HTTPS_PROXY=http://ana:hunter2@px:8080',
    'http://ana:p%40ss@px:8080',
    'https=http://ana:hunter2@px:8080',
    'http://ana:hunter2@wpad/wpad.dat',
    '"AutoConfigURL"="http://ana:hunter2@wpad/wpad.dat"',
    'HTTPS_PROXY=http://ana:hun@ter2@px:8080',
    'HTTPS_PROXY=http://ana:12 ter2@px:80',
    'PROXY ana:hunter2@px:8080',
  ])('%s: never kept, and said to be dropped', (text) => {
    const settings = readProxySettings(text);
    expect(settings.warnings.map(({ code }) => code)).toContain('credentials-dropped');
    const kept = JSON.stringify(settings) + settings.bypass.entries.join();
    for (const secret of [...SECRETS, 'ter2']) expect(kept).not.toContain(secret);
  });

  it('an error quotes nothing: settings.unreadable', () => {
    for (const text of ['HTTPS_PROXY=http://ana:hun/ter2@px:8080', 'http://ana:hunter2@', 'https=ana:hunter2@a b:1']) {
      try {
        readProxySettings(text);
        expect.unreachable();
      } catch (error) {
        if (!isWinRmError(error, 'settings.unreadable')) throw error;
        expect(JSON.stringify(error) + JSON.stringify(error.details)).not.toMatch(/hunter2|ter2|ana/);
      }
    }
  });
});

describe('text that is made to be slow', () => {
  const many = 16_000;
  it.each([
    ['blanks where a label may end', `WinHTTP\n${' '.repeat(many)}x`],
    ['parentheses in a label', `WinHTTP\n  ${'('.repeat(many)}:x) x`],
    ['what may stand behind a value', `https_proxy=${';'.repeat(many)}x`],
    ['blanks behind DIRECT', `DIRECT${' '.repeat(many)}x`],
    ['quotes before it', `${'"'.repeat(many)}x`],
    ['a long path', `AutoConfigURL : http://${'a'.repeat(many)} x`],
    ['many such lines', `WinHTTP\n${`${' '.repeat(8_000)}x\n`.repeat(30)}`],
  ])('is read once from left to right: %s', (_what, text) => {
    try {
      expect(readProxySettings(text).proxies).toEqual([]);
    } catch (error) {
      expect(isWinRmError(error, 'settings.unreadable')).toBe(true);
    }
  });

  it('has lines of no more than 16 KiB: settings.unreadable', () => {
    const list = (length: number): string => 'a.b,'.repeat(length / 4).slice(0, length);
    const begin = 'no_proxy=';
    expect(readProxySettings(begin + list(16_384 - begin.length)).bypass.entries.length).toBeGreaterThan(4000);
    expect(() => readProxySettings(`x\n${begin}${list(16_385 - begin.length)}`)).toThrow(
      expect.objectContaining({ code: 'settings.unreadable', details: { reason: 'too-long', setting: 'none' } }),
    );
  });
});

it('names that every object has are no purpose of a proxy', () => {
  for (const word of ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'valueOf']) {
    try {
      const settings = readProxySettings(`${word}=evil:8080`);
      expect(settings.proxies).toEqual([]);
      expect(settings.warnings).toEqual([{ code: 'other-scheme', setting: `${word.toLowerCase()}=`, about: 'none' }]);
    } catch (error) {
      expect(isWinRmError(error, 'settings.unreadable'), word).toBe(true);
    }
  }
});

it.each(['\u001b[2J', '\u009b0m', '\u202e', '\u200f', '\u2028'])(
  'a PAC file’s address holds nothing that a terminal obeys: %j',
  (sign) => {
    for (const text of [
      `http://wpad/${sign}x.pac`,
      `file:///srv/${sign}x.pac`,
      `AutoConfigURL : http://wpad/${sign}x`,
    ]) {
      expect(() => readProxySettings(text)).toThrow(expect.objectContaining({ code: 'settings.unreadable' }));
    }
  },
);

describe('settings in words of our own', () => {
  it.each([
    'Current WinHTTP proxy settings:\n\n    Proxy Server(s) :  http=a:1;https=https://b:2 socks=c\n    Bypass List     :  *.corp;<local>\n',
    'Current WinHTTP proxy settings:\n\n    Proxy Server(s) :  a:1\n    Bypass List     :  (none)\n',
    '{"Proxy":"a:1","ProxyBypass":"<-loopback>;10.0.0.0/8","ProxyIsEnabled":true}',
    '{"Proxy":"","AutoconfigUrl":"http://ana:hunter2@wpad/p.pac"}',
    'ProxyEnable : 0\nProxyServer : http://ana:hunter2@a:1',
    '    ProxyServer    REG_SZ    http=ana:hunter2@a:1;a:1\n    ProxyOverride    REG_SZ    <local>;[fd00::1]:80',
    'http=ana:hunter2@a;https=socks5://b',
    'export https_proxy=http://ana:hunter2@a:3128 HTTP_PROXY=b\nALL_PROXY=socks5h://[fd00::1]\nNO_PROXY=localhost,.corp,10.0.0.0/8\nAWS_SECRET=hunter2',
    'HTTPS_PROXY=http://old:hunter2@a:1\nHTTPS_PROXY=http://b:1\n# ftp_proxy=http://ana:hunter2@c:1',
    'no_proxy=*',
    'https://ana:hunter2@a',
    'http://wpad.corp/proxy.pac',
    'PROXY ana:hunter2@a:1; HTTPS b; SOCKS c; DIRECT; PROXY d:1',
    'DIRECT',
  ])('%j lead the same way, without what was dropped or not read', (text) => {
    const settings = readProxySettings(text);
    const printed = printProxySettings(settings) ?? 'null';
    expect(printed).not.toMatch(/hunter2|ana|old|SECRET|@/);
    const again = readProxySettings(printed);
    expect(again).toMatchObject({ ...settings, warnings: [], bypass: { entries: settings.bypass.entries } });
    for (const host of ['srv1.corp', 'srv1', '10.1.2.3', 'localhost', '169.254.1.1', 'srv1.example', 'fd00::1']) {
      for (const scheme of ['http', 'https'] as const) {
        const target = { scheme, host, port: 5985 };
        expect(chooseRoutes(again, target)).toEqual(chooseRoutes(settings, target));
      }
    }
  });

  it('say nothing but DIRECT where there is no proxy at all', () => {
    for (const text of ['WinHTTP\n    Direct access (no proxy server).', 'ftp=a:1']) {
      expect(printProxySettings(readProxySettings(text)), text).toBe('DIRECT');
    }
  });

  it('hold no password whatever was pasted, or are not to be had', () => {
    const piece = fc.constantFrom(
      ...[
        'http://',
        'https_proxy=',
        'no_proxy=',
        'PROXY ',
        'http=',
        ';',
        ',',
        ' ',
        '\n',
        'WinHTTP\n ',
        ' : ',
        '"',
        '#',
      ],
      ...[
        'ana:hunter2@',
        'px:8080',
        'px',
        'ProxyServer : ',
        'ProxyOverride : ',
        '*.corp',
        '/',
        ':1',
        'DIRECT',
        '{"Proxy":"',
      ],
      '"}',
    );
    // found by the property below
    expect(() => readProxySettings('http://http://ana:hunter2@')).toThrow();
    fc.assert(
      fc.property(fc.array(piece, { minLength: 2, maxLength: 12 }), (pieces) => {
        try {
          expect(printProxySettings(readProxySettings(pieces.join(''))) ?? '').not.toContain('hunter2');
        } catch (error) {
          if (!isWinRmError(error)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});

it('any text is settings or one of our errors', () => {
  const words = fc.constantFrom(
    'ProxyServer',
    'WinHTTP',
    'PROXY',
    'http=',
    'HTTPS_PROXY=',
    ':',
    ';',
    '\n    ',
    '{',
    '}',
    '"Proxy"',
    '@',
    '//',
    'a',
    '0x1',
    ' ',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(words, { maxLength: 40 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (pasted) => {
      try {
        const settings = readProxySettings(pasted);
        expect(chooseRoutes(settings, HTTPS).routes.length).toBeGreaterThan(0);
      } catch (error) {
        if (!isWinRmError(error, 'settings.unreadable') && !isWinRmError(error, 'pac.gave-no-answer')) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
