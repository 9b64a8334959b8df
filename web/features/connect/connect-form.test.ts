import { describe, expect, it } from 'vitest';
import type { SavedRoute } from '@/lib/saved.ts';
import {
  type ConnectForm,
  checkForm,
  chooseServer,
  EMPTY_FORM,
  formOf,
  OFFERED_CODE_PAGES,
  printAddress,
  readProxy,
  readServer,
  savedOf,
} from './connect-form.ts';

const ROUTE: SavedRoute = { id: 'r', name: 'Head office', kind: 'http-forward', host: 'proxy.corp', port: 3128 };
const FORM: ConnectForm = { ...EMPTY_FORM, server: 'web01', user: 'CORP\\ana', password: 'Pa55 word' };

const problemsOf = (form: ConnectForm) => {
  const result = checkForm(form, [ROUTE]);
  return result.ok ? {} : result.problems;
};

describe('connect form', () => {
  it('readServer shows what it understood, with a user in front if there was one', () => {
    expect(readServer('CORP\\ana@Web01:15985')).toMatchObject({
      target: { host: 'web01', port: 15_985 },
      user: 'CORP\\ana',
    });
    expect(readServer('  ')).toBeNull();
    expect(readServer('ftp://web01')).toMatchObject({
      problem: { key: 'arguments.unsupported-scheme', quote: 'ftp://web01' },
    });
  });

  it('chooseServer leaves the transport open only where neither scheme nor port was typed', () => {
    const bare = (server: string) => readServer(server);
    for (const server of ['web01', 'CORP\\ana@web01', '[::1]', '10.0.0.1']) {
      expect(bare(server), server).toMatchObject({ isBare: true });
    }
    for (const server of ['web01:5985', 'https://web01', '[::1]:5986', 'ana@web01:1']) {
      expect(bare(server), server).toMatchObject({ isBare: false });
    }
  });

  it('chooseServer recommends https behind a tunnelling proxy, and takes what was chosen', () => {
    const tunnel: SavedRoute = { ...ROUTE, id: 't', kind: 'http-connect' };
    const at = (form: Partial<ConnectForm>) => chooseServer({ ...FORM, ...form }, [ROUTE, tunnel]);
    expect(at({})).toMatchObject({ target: { scheme: 'http', port: 5985 }, recommended: null });
    expect(at({ routeId: 'r' })).toMatchObject({ target: { scheme: 'http', port: 5985 }, recommended: null });
    expect(at({ routeId: 't' })).toMatchObject({ target: { scheme: 'https', port: 5986 }, recommended: 'https' });
    expect(at({ routeId: 't', transport: 'http' })).toMatchObject({ target: { scheme: 'http', port: 5985 } });
    expect(at({ routeId: 't', server: 'web01:5985' })).toMatchObject({ target: { scheme: 'http', port: 5985 } });
  });

  it('Basic and certificate are for https targets only, and a certificate needs no user', () => {
    const basic: Partial<ConnectForm> = { policy: 'basic' };
    expect(problemsOf({ ...FORM, ...basic }).policy?.key).toBe('arguments.needs-https');
    expect(problemsOf({ ...FORM, ...basic, server: 'https://web01' })).toEqual({});
    const byFile: ConnectForm = { ...FORM, policy: 'certificate', user: '', password: '', server: 'web01:5986' };
    expect(Object.keys(problemsOf(byFile))).toEqual(['certificate']);
  });

  it('an https target cannot take a proxy in absolute form', () => {
    expect(problemsOf({ ...FORM, server: 'https://web01', routeId: 'r' }).route?.key).toBe(
      'arguments.forward-needs-http',
    );
  });

  it('readProxy reads host and port and quotes what it cannot read', () => {
    expect(readProxy('http://proxy.corp:3128', 'http-connect')).toEqual({ host: 'proxy.corp', port: 3128 });
    expect(readProxy('', 'http-connect')).toBeNull();
    expect(readProxy('socks5://proxy.corp', 'http-connect')).toMatchObject({
      problem: { key: 'arguments.unsupported-scheme' },
    });
  });

  it('checkForm gives all that opens a session', () => {
    const result = checkForm({ ...FORM, routeId: 'r', workingDirectory: ' C:\\Temp ' }, [ROUTE]);
    expect(result).toMatchObject({
      ok: true,
      checked: {
        printedTarget: 'web01',
        user: 'CORP\\ana',
        route: { name: 'Head office', hops: [{ kind: 'http-forward', host: 'proxy.corp', port: 3128 }] },
        shell: { kind: 'interactive', codePage: 65_001, workingDirectory: 'C:\\Temp' },
      },
    });
  });

  it('checkForm takes the user from the server field when his own is empty', () => {
    expect(checkForm({ ...FORM, server: 'ana@corp.example@web01', user: '' }, [])).toMatchObject({
      ok: true,
      checked: { user: 'ana@corp.example' },
    });
  });

  it('checkForm names every empty field at once', () => {
    expect(Object.keys(problemsOf({ ...EMPTY_FORM, shell: 'command' })).sort()).toEqual([
      'command',
      'password',
      'server',
      'user',
    ]);
  });

  it.each([
    ['a line break in a command', { shell: 'command', command: 'a\nb' }, 'command', 'arguments.control-character'],
    ['a command too long', { shell: 'command', command: 'a'.repeat(9000) }, 'command', 'arguments.too-long'],
    ['a lone surrogate', { shell: 'command', command: '\ud800' }, 'command', 'arguments.lone-surrogate'],
    ['a control character in a user', { user: 'a\u0007b' }, 'user', 'arguments.control-character'],
    ['an empty domain', { user: '\\ana' }, 'user', 'arguments.empty'],
    ['an unknown code page', { codePage: 1 }, 'codePage', 'arguments.unknown-code-page'],
    ['a bell in a directory', { workingDirectory: 'C:\\\u0007' }, 'workingDirectory', 'arguments.control-character'],
    ['an absurd port', { server: 'web01:99999' }, 'server', 'arguments.out-of-range'],
  ] as const)('checkForm refuses %s', (_name, part, field, key) => {
    expect(problemsOf({ ...FORM, ...part })).toMatchObject({ [field]: { key } });
  });

  it('what is saved holds no password, and comes back as it was', () => {
    const result = checkForm({ ...FORM, name: ' Web ', routeId: 'r' }, [ROUTE]);
    if (!result.ok) throw new Error('the form is good');
    const saved = savedOf({ ...FORM, name: ' Web ', routeId: 'r' }, result.checked, 'id', 7);
    expect(JSON.stringify(saved)).not.toContain('Pa55');
    const forgotten = { password: null, certificate: null, proxyPassword: null };
    expect(formOf(saved, forgotten)).toEqual({ ...FORM, transport: 'http', name: 'Web', password: '', routeId: 'r' });
    expect(formOf(saved, { ...forgotten, password: 'Pa55 word' }).password).toBe('Pa55 word');
  });

  describe('the sign-in of a proxy', () => {
    const tunnel: SavedRoute = { ...ROUTE, id: 't', kind: 'http-connect' };
    const filled: ConnectForm = {
      ...{ ...FORM, server: 'https://web01', routeId: 't' },
      ...{ proxyUser: ' CORP\\pat ', proxyPassword: 'Pr0xy secret', allowsProxyBasic: true },
    };
    const check = (part: Partial<ConnectForm>) => checkForm({ ...filled, ...part }, [ROUTE, tunnel]);

    it('is taken for an https target behind a proxy, and for nothing else', () => {
      expect(check({})).toMatchObject({ checked: { proxy: { user: 'CORP\\pat', allowsBasic: true } } });
      expect(check({ proxyUser: '', proxyPassword: '' })).toMatchObject({ checked: { proxy: null } });
      for (const part of [{ routeId: null }, { server: 'http://web01' }, { server: 'http://web01', routeId: 'r' }]) {
        expect(check(part)).toMatchObject({ ok: true, checked: { proxy: null } });
      }
    });

    it('is whole or not there, and says which of its own fields is wrong', () => {
      expect(check({ proxyUser: '' })).toMatchObject({ problems: { proxyUser: { key: 'connect.problem.proxyUser' } } });
      expect(check({ proxyPassword: '' })).toMatchObject({
        problems: { proxyPassword: { key: 'connect.problem.proxyPassword' } },
      });
      expect(check({ proxyUser: 'a\u0007b' })).toMatchObject({
        problems: { proxyUser: { key: 'arguments.control-character' } },
      });
      expect(check({ proxyPassword: '\ud800' })).toMatchObject({
        problems: { proxyPassword: { key: 'arguments.lone-surrogate' } },
      });
    });

    it('leaves its user behind, and neither its password nor the leave to show it', () => {
      const result = check({});
      if (!result.ok) throw new Error('the form is good');
      const saved = savedOf(filled, result.checked, 'id', 7);
      expect(saved.proxyUser).toBe('CORP\\pat');
      expect(JSON.stringify(saved)).not.toContain('Pr0xy secret');
      const again = formOf(saved, { password: null, certificate: null, proxyPassword: 'Pr0xy secret' });
      expect(again).toMatchObject({ proxyPassword: 'Pr0xy secret', allowsProxyBasic: false });
    });
  });

  it('a command is saved unless it looks as if it carries a secret', () => {
    const commandSaved = (command: string): string => {
      const form: ConnectForm = { ...FORM, shell: 'command', command };
      const result = checkForm(form, []);
      if (!result.ok) throw new Error('the form is good');
      return savedOf(form, result.checked, 'id', 7).command;
    };
    expect(commandSaved('systeminfo /fo csv')).toBe('systeminfo /fo csv');
    for (const command of ['net user bob Secret1', 'echo %PASSWORD%', ' whoami'])
      expect(commandSaved(command)).toBe('');
  });

  it('printAddress puts an IPv6 address in brackets', () => {
    expect(printAddress({ host: '::1', port: 5985 })).toBe('[::1]:5985');
    expect(printAddress({ host: 'web01', port: 5985 })).toBe('web01:5985');
  });

  it('every offered code page has a name', () => {
    expect(OFFERED_CODE_PAGES[0]).toEqual({ id: 65_001, name: 'UTF-8' });
    expect(OFFERED_CODE_PAGES.find(({ id }) => id === 1252)?.name).toBe('Windows-1252');
    expect(OFFERED_CODE_PAGES.find(({ id }) => id === 437)?.name).toBe('IBM437');
  });
});
