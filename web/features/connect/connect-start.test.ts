import { afterEach, describe, expect, it } from 'vitest';
import type { SavedTarget } from '../../lib/saved.ts';
import { forgetPassword, keepPassword } from '../../lib/vault.ts';
import { EMPTY_FORM } from './connect-form.ts';
import { connectStart } from './connect-start.ts';

const HOPS = [
  { kind: 'http-connect', host: '::1', port: 3128 },
  { kind: 'socks5', host: 'far', port: 1080 },
] as const;
const ROUTE = { id: 'r', name: 'Office', hops: HOPS, settings: null, forwardsIfRefused: false };
const REQUEST: Parameters<typeof connectStart>[1] & object = {
  ...{ label: 'Web', target: 'https://web01', scheme: 'https', policy: 'ntlm', user: 'ana' },
  ...{ sealsAlways: true, allowsLegacyTls: false, isDemo: false, isProduction: true, isHttpDangerChosen: false },
  route: { name: 'Office', hops: HOPS },
  proxies: [
    { user: 'pat', means: 'digest' },
    { user: 'kim', means: 'basic' },
  ],
  shell: { kind: 'command', command: 'dir', codePage: 850 },
};
const NOTHING = { targets: [], routes: [] };
const KEYS = ['https://web01|ana', 'proxy|::1|3128|pat'];

describe('connectStart', () => {
  afterEach(() => KEYS.forEach(forgetPassword));

  it('begins empty', () => {
    expect(connectStart(null, null, NOTHING)).toMatchObject({ form: EMPTY_FORM, looseRoute: null });
    expect(connectStart('t', null, NOTHING)).toMatchObject({ targetId: 't', form: EMPTY_FORM });
  });

  it('begins with what a session was asked for, and with the secrets the tab still knows', () => {
    keepPassword('https://web01|ana', 'Secret 1');
    keepPassword('proxy|::1|3128|pat', 'Secret 2');
    const { form, looseRoute } = connectStart(null, REQUEST, { targets: [], routes: [ROUTE] });
    expect(looseRoute).toBeNull();
    expect(form).toMatchObject({
      ...{ name: 'Web', server: 'https://web01', user: 'ana', password: 'Secret 1', policy: 'ntlm' },
      ...{ shell: 'command', command: 'dir', codePage: 850, routeId: 'r', isProduction: true, sealsAlways: true },
      signIns: {
        '[::1]:3128': { user: 'pat', password: 'Secret 2', means: 'digest' },
        'far:1080': { user: 'kim', password: '', means: 'best' },
      },
    });
  });

  it('keeps at hand a road that was never saved, or was changed since', () => {
    for (const routes of [[], [{ ...ROUTE, hops: [HOPS[0]] }], [{ ...ROUTE, name: 'Other' }]]) {
      const { form, looseRoute } = connectStart(null, REQUEST, { targets: [], routes });
      expect(looseRoute).toMatchObject({ name: 'Office', hops: HOPS });
      expect(form.routeId).toBe(looseRoute?.id);
    }
    const direct = connectStart(null, { ...REQUEST, route: { name: '', hops: [] }, proxies: [] }, NOTHING);
    expect(direct).toMatchObject({ looseRoute: null, form: { routeId: null, signIns: {} } });
  });

  it('changes the target it was, and makes no second one', () => {
    const target: SavedTarget = {
      ...{ id: 't', name: 'Web', target: 'https://web01', user: 'ana', policy: 'ntlm', shell: 'command' },
      ...{ command: '', codePage: 850, workingDirectory: '', noProfile: false, routeId: 'r', proxyUsers: [] },
      ...{ isProduction: true, sealsAlways: true, allowsLegacyTls: false, usedAt: 5 },
    };
    const saved = { targets: [target], routes: [ROUTE] };
    expect(connectStart(null, REQUEST, saved).targetId).toBe('t');
    expect(connectStart('t', null, saved).form).toMatchObject({ name: 'Web', routeId: 'r', codePage: 850 });
  });
});
