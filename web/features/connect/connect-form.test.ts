import type { Hop } from '@fairlead/protocol';
import { describe, expect, it } from 'vitest';
import type { SavedRoute } from '@/lib/saved.ts';
import {
  asHttps,
  type ConnectForm,
  checkForm,
  chooseServer,
  EMPTY_FORM,
  formOf,
  OFFERED_CODE_PAGES,
  printAddress,
  readServer,
  savedOf,
} from './connect-form.ts';

const FORWARD: Hop = { kind: 'http-forward', host: 'proxy.corp', port: 3128 };
const ROUTE: SavedRoute = { id: 'r', name: 'Head office', hops: [FORWARD], settings: null, forwardsIfRefused: false };
const TUNNEL: SavedRoute = { ...ROUTE, id: 't', hops: [{ ...FORWARD, kind: 'http-connect' }] };
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
    const at = (form: Partial<ConnectForm>) => chooseServer({ ...FORM, ...form }, [ROUTE, TUNNEL]);
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

  it('a route with settings waits for what they give, and is then checked like any other', () => {
    const settings = { text: 'x', from: '' };
    const automatic: SavedRoute = { id: 'a', name: 'By PAC', hops: [], settings, forwardsIfRefused: true };
    const form: ConnectForm = { ...FORM, server: 'https://web01', routeId: 'a' };
    expect(checkForm(form, [automatic])).toMatchObject({ problems: { route: { key: 'connect.problem.road' } } });
    expect(checkForm(form, [automatic], [])).toMatchObject({ checked: { route: { name: 'By PAC', hops: [] } } });
    expect(checkForm(form, [automatic], [FORWARD])).toMatchObject({
      problems: { route: { key: 'arguments.forward-needs-http' } },
    });
    expect(chooseServer({ ...form, server: 'web01' }, [automatic])).toMatchObject({ recommended: 'https' });
  });

  it('a tunnel that may be refused is said to be so for http targets only', () => {
    const careful = { ...TUNNEL, forwardsIfRefused: true };
    const at = (server: string, route: SavedRoute) => checkForm({ ...FORM, server, routeId: 't' }, [route]);
    expect(at('http://web01', careful)).toMatchObject({ checked: { forwardsIfRefused: true } });
    expect(at('https://web01', careful)).toMatchObject({ checked: { forwardsIfRefused: false } });
    expect(at('http://web01', TUNNEL)).toMatchObject({ checked: { forwardsIfRefused: false } });
  });

  it('asHttps reaches the same server by https, as the same user', () => {
    const way = (form: Partial<ConnectForm>) => asHttps({ ...FORM, ...form }, [TUNNEL]);
    expect(way({})).toEqual({ transport: 'https' });
    expect(way({ server: 'ana@[::1]:15985', user: '' })).toEqual({ server: 'https://[::1]', user: 'ana' });
    expect(way({ server: 'http://web01' })).toEqual({ server: 'https://web01', user: 'CORP\\ana' });
    expect(way({ routeId: 't' })).toBeNull();
    expect(way({ server: '' })).toBeNull();
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
    const forgotten = { password: null, certificate: null, proxyPassword: () => null };
    expect(formOf(saved, forgotten)).toEqual({ ...FORM, transport: 'http', name: 'Web', password: '', routeId: 'r' });
    expect(formOf(saved, { ...forgotten, password: 'Pa55 word' }).password).toBe('Pa55 word');
  });

  describe('the sign-ins of proxies', () => {
    const chain: SavedRoute = {
      ...ROUTE,
      id: 'c',
      hops: [
        { kind: 'http-connect', host: 'near', port: 3128, tls: true },
        { kind: 'socks5', host: 'far', port: 1080 },
      ],
    };
    const pat = { user: ' CORP\\pat ', password: 'Pr0xy secret', means: 'basic' } as const;
    const kim = { user: 'kim', password: 'Far secret', means: 'best' } as const;
    const filled: ConnectForm = {
      ...{ ...FORM, server: 'https://web01', routeId: 'c' },
      signIns: { 'near:3128': pat, 'far:1080': kim, 'elsewhere:1': pat },
    };
    const check = (part: Partial<ConnectForm>) => checkForm({ ...filled, ...part }, [ROUTE, chain]);
    const nobody = { ok: true, checked: { proxies: [null, null], proxyPasswords: ['', ''] } };

    it('go each to its own proxy of an https road, and to nobody else', () => {
      expect(check({})).toMatchObject({
        checked: {
          proxies: [
            { user: 'CORP\\pat', means: 'basic' },
            { user: 'kim', means: 'basic' },
          ],
          proxyPasswords: ['Pr0xy secret', 'Far secret'],
        },
      });
      expect(check({ signIns: { 'far:1080': kim } })).toMatchObject({ checked: { proxies: [null, { user: 'kim' }] } });
      expect(check({ routeId: null })).toMatchObject({ ok: true, checked: { proxies: [] } });
    });

    it('go to no proxy before an http target, unless that danger was chosen; in absolute form never', () => {
      expect(check({ server: 'http://web01' })).toMatchObject(nobody);
      expect(check({ server: 'http://web01', isHttpDangerChosen: true })).toMatchObject({
        checked: { proxies: [{ user: 'CORP\\pat' }, { user: 'kim' }] },
      });
      const signIns = { 'proxy.corp:3128': pat };
      const forward = { ...filled, server: 'http://web01', routeId: 'r', signIns, isHttpDangerChosen: true };
      expect(check(forward)).toMatchObject({ ok: true, checked: { proxies: [null] } });
    });

    it('are whole or not there, and say which of their own fields is wrong', () => {
      const far = (part: object) => check({ signIns: { 'far:1080': { ...kim, ...part } } });
      expect(far({ user: '' })).toMatchObject({ problems: { proxyUser2: { key: 'connect.problem.proxyUser' } } });
      expect(far({ password: '' })).toMatchObject({
        problems: { proxyPassword2: { key: 'connect.problem.proxyPassword' } },
      });
      expect(far({ user: 'a\u0007b' })).toMatchObject({
        problems: { proxyUser2: { key: 'arguments.control-character' } },
      });
      expect(far({ password: '\ud800' })).toMatchObject({
        problems: { proxyPassword2: { key: 'arguments.lone-surrogate' } },
      });
      expect(far({ user: '', password: '' })).toMatchObject(nobody);
    });

    it('leave their users behind, and neither a password nor the leave to show one', () => {
      const result = check({});
      if (!result.ok) throw new Error('the form is good');
      const saved = savedOf(filled, result.checked, 'id', 7);
      expect(saved.proxyUsers).toEqual([
        { proxy: 'near:3128', user: 'CORP\\pat', means: 'best' },
        { proxy: 'far:1080', user: 'kim', means: 'best' },
      ]);
      expect(JSON.stringify(saved)).not.toMatch(/secret|basic|Danger/);
      const proxyPassword = ({ user }: { user: string }) => (user === 'kim' ? 'Far secret' : null);
      expect(formOf(saved, { password: null, certificate: null, proxyPassword }).signIns).toEqual({
        'near:3128': { user: 'CORP\\pat', password: '', means: 'best' },
        'far:1080': kim,
      });
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
