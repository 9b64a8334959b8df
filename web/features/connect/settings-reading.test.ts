import { describe, expect, it } from 'vitest';
import { isPacScript, readSettings } from './settings-reading.ts';

const target = { scheme: 'https', host: 'web01.corp', port: 5986 } as const;
const nowMs = Date.UTC(2026, 0, 5);

describe('readSettings', () => {
  it('knows a PAC file by its function, asks it about the server, and says what it said', () => {
    const text =
      'function FindProxyForURL(u, h) { alert(h); return dnsResolve(h) ? "DIRECT" : "PROXY p:8080; DIRECT"; }';
    const reading = readSettings({ text, target, nowMs });
    expect(reading).toMatchObject({ source: 'pac', pacUrl: null });
    expect(reading.answer).toMatchObject({
      routes: [{ hops: [{ kind: 'http-connect', host: 'p', port: 8080 }] }, { hops: [] }],
      ...{ why: 'script', raw: 'PROXY p:8080; DIRECT', unresolved: ['web01.corp'], alerts: ['web01.corp'] },
    });
    expect(readSettings({ text, target: null, nowMs })).toMatchObject({ source: 'pac', answer: null });
    expect(isPacScript('HTTPS_PROXY=http://p:1')).toBe(false);
  });

  it('reads other settings for the server, with what they say beside it', () => {
    const text = 'HTTPS_PROXY=http://p:8080\nNO_PROXY=.corp';
    expect(readSettings({ text, target, nowMs })).toMatchObject({
      source: 'environment',
      answer: { routes: [{ hops: [] }], why: 'bypassed', raw: '' },
    });
    expect(readSettings({ text: 'https://wpad.corp/proxy.pac', target, nowMs })).toMatchObject({
      ...{ source: 'pac-url', pacUrl: 'https://wpad.corp/proxy.pac' },
    });
    // A registry names both: what stands beside the file can be offered.
    const beside = '    ProxyEnable    REG_DWORD    0x1\n    ProxyServer    REG_SZ    p:8080\n';
    const both = `${beside}    AutoConfigURL    REG_SZ    http://wpad.corp/proxy.pac`;
    expect(readSettings({ text: both, target, nowMs })).toMatchObject({
      pacUrl: 'http://wpad.corp/proxy.pac',
      answer: { routes: [{ hops: [{ host: 'p', port: 8080 }] }] },
    });
  });

  it.each([
    ['export HTTPS_PROXY=http://ana:hunter2@px:3128\nexport NO_PROXY=.x', 'https_proxy=http://px:3128\nno_proxy=.x'],
    ['https_proxy=px:1\n# http_proxy=http://ana:hunter2@px:1\nTOKEN=hunter2', 'https_proxy=http://px:1\nno_proxy='],
    ['http=ana:hunter2@px:1', 'http=http://px:1'],
    ['PROXY ana:hunter2@px:1; DIRECT', 'PROXY px:1; DIRECT'],
    ['function FindProxyForURL() { return "PROXY ana:hunter2@px:1"; }', null],
    ['// ana:hunter2@px\nfunction FindProxyForURL() { return "PROXY px:1"; }', null],
    // Put together from pieces, it is seen in the answer.
    ['function FindProxyForURL() { return "PROXY " + ["ana", "hunter2"].join(":") + "@" + "px:1"; }', null],
  ])('of %j it keeps nothing that was dropped', (text, keep) => {
    const reading = readSettings({ text, target, nowMs });
    expect(reading.keep).toBe(keep);
    if (keep !== null) expect(readSettings({ text: keep, target, nowMs }).answer).toEqual(reading.answer);
    else expect(reading.answer?.routes).toMatchObject([{ hops: [{ host: 'px', port: 1 }] }]);
    if (keep === null && !text.includes('join')) {
      expect(readSettings({ text, target: null, nowMs }).keep).toBe(null);
    }
  });

  it('keeps a script as it is where no password seems to stand in it', () => {
    const text = '// network@corp.example\nfunction FindProxyForURL() { return "PROXY px:1"; }';
    expect(readSettings({ text, target, nowMs }).keep).toBe(text);
  });

  it('can be sent from the worker as it is', () => {
    const reading = readSettings({ text: 'http=a:1;https=b:2', target, nowMs });
    expect(structuredClone(reading)).toEqual(reading);
  });

  it.each([
    ['nothing known', 'what is a proxy', 'settings.unreadable'],
    ['a script that is none', 'function FindProxyForURL( {', 'pac.unreadable'],
    ['a script without an answer', 'function FindProxyForURL() {}', 'pac.gave-no-answer'],
    ['a script without an end', 'function FindProxyForURL() { for (;;); }', 'pac.too-long'],
  ])('refuses %s', (_name, text, code) => {
    expect(() => readSettings({ text, target, nowMs })).toThrow(expect.objectContaining({ code }));
  });
});
