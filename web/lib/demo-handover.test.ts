import { expect, test } from 'vitest';
import { type CookieJar, isHandover, leaveHandover, takeHandover } from './demo-handover.ts';

function makeJar(): CookieJar & { readonly kept: Map<string, string>; lastsMs: number } {
  const kept = new Map<string, string>();
  return {
    kept,
    lastsMs: 0,
    get: async (name) => (kept.has(name) ? { value: kept.get(name) } : null),
    async set({ name, value, expires }) {
      kept.set(name, value);
      this.lastsMs = expires - Date.now();
    },
    delete: async (name) => void kept.delete(name),
  };
}

const PASSWORD = 'PopAjzo2vRYRd2mOpJgkgN4t';

test('the demo’s password crosses in two halves, each worthless alone, and once', async () => {
  const jar = makeJar();
  const fragment = await leaveHandover(PASSWORD, jar);
  expect(isHandover(fragment)).toBe(true);
  expect(`${fragment} ${[...jar.kept.values()].join(' ')}`).not.toContain('PopAjzo2');
  expect(jar.lastsMs).toBeLessThanOrEqual(60_000);
  expect(await takeHandover(fragment, jar)).toBe(PASSWORD);
  expect(jar.kept.size).toBe(0);
  expect(await takeHandover(fragment, jar)).toBeNull();
});

test('another key, another cookie or no jar give nothing', async () => {
  const jar = makeJar();
  await leaveHandover(PASSWORD, jar);
  const other = await leaveHandover(PASSWORD, makeJar());
  expect(await takeHandover(other, jar)).toBeNull();
  expect(await takeHandover('', jar)).toBeNull();
  jar.kept.set('fairlead-handover', '*.*');
  expect(await takeHandover(other, jar)).toBeNull();
  const broken: CookieJar = { ...jar, get: async () => Promise.reject(new TypeError('none')) };
  expect(await takeHandover(other, broken)).toBeNull();
});

test.each(['', '#code=AAAA', '#maze=short', `#maze=${'A'.repeat(44)}`, `#x=1&maze=${'A'.repeat(43)}`])(
  'no other fragment is taken for one: %j',
  (fragment) => expect(isHandover(fragment)).toBe(false),
);
