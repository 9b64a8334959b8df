import { describe, expect, it } from 'vitest';
import type { SavedRoute } from '@/lib/saved.ts';
import {
  type ConnectForm,
  checkForm,
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
    expect(readServer('https://web01')).toMatchObject({
      problem: { key: 'arguments.unsupported-scheme', quote: 'https://web01' },
    });
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
    expect(formOf(saved, null)).toEqual({ ...FORM, name: 'Web', password: '', routeId: 'r' });
    expect(formOf(saved, 'Pa55 word').password).toBe('Pa55 word');
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
