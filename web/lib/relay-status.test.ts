import { afterEach, describe, expect, it, vi } from 'vitest';
import { readStanding, refreshStanding, signIn, signOut, watchStanding } from './relay-status.ts';
import { findDemoPassword } from './vault.ts';

const DEMO = { target: { host: 'demo', port: 5985 }, route: { name: 'demo', hops: [] }, user: 'demo' };
const SIGNED_IN = { signedIn: true, version: '0.1.0', demo: DEMO, canReach: { targets: [], proxies: [] } };
const SIGNED_OUT = { ...SIGNED_IN, signedIn: false, demo: null };
const answer = (status: number, body: unknown) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => Response.json(body, { status })),
  );

describe('relay-status', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('refreshStanding tells signed out, signed in and unreachable apart, and tells who watches', async () => {
    const told = vi.fn();
    const unwatch = watchStanding(told);
    answer(200, SIGNED_OUT);
    await refreshStanding();
    expect(readStanding()).toEqual({ at: 'signed-out', version: '0.1.0' });
    answer(200, SIGNED_IN);
    await refreshStanding();
    expect(readStanding()).toEqual({ at: 'signed-in', status: SIGNED_IN });
    answer(500, {});
    await refreshStanding();
    expect(readStanding()).toEqual({ at: 'unreachable' });
    expect(told).toHaveBeenCalledTimes(3);
    unwatch();
  });

  it('refreshStanding says insecure where the page has no cryptography, and asks nothing', async () => {
    answer(200, SIGNED_IN);
    vi.stubGlobal('crypto', {});
    await refreshStanding();
    expect(readStanding()).toEqual({ at: 'insecure' });
    expect(fetch).not.toHaveBeenCalled();
  });

  it('signIn sends a proof and never the code, and keeps the demo’s password in the tab', async () => {
    answer(200, SIGNED_IN);
    await expect(signIn('abcd-efgh-jklm')).resolves.toBe('done');
    const sent = JSON.stringify(vi.mocked(fetch).mock.calls[0]?.[1]?.body);
    expect(sent).toMatch(/^"\{\\"proof\\":\\"[0-9a-f]{64}\\"\}"$/u);
    expect(sent.toLowerCase()).not.toContain('abcd');
    await expect(findDemoPassword()).resolves.toMatch(/^[A-Za-z0-9_-]{24}$/u);
  });

  it('signIn names what went wrong', async () => {
    answer(401, { error: { code: 'relay.sign-in-required', details: {} } });
    await expect(signIn('x')).resolves.toBe('wrong');
    answer(429, { error: { code: 'relay.limit-reached', details: { limit: 5 } } });
    await expect(signIn('x')).resolves.toBe('tooOften');
    answer(200, { junk: true });
    await expect(signIn('x')).resolves.toBe('unreachable');
  });

  it('signOut forgets the demo’s password', async () => {
    answer(200, SIGNED_IN);
    await signIn('abcd-efgh-jklm');
    answer(200, SIGNED_OUT);
    await signOut();
    await expect(findDemoPassword()).resolves.toBeNull();
    expect(readStanding().at).toBe('signed-out');
  });
});
