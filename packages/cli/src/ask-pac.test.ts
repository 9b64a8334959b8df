import { expect, it } from 'vitest';
import { askPac } from './ask-pac.ts';

const target = { scheme: 'https', host: 'srv1', port: 5986 } as const;
const script = (body: string): string => `function FindProxyForURL(url, host) { ${body} }`;

it('asks a script in a thread of its own', async () => {
  expect(await askPac(script('dnsResolve("a.b"); return "PROXY p:1";'), target)).toEqual({
    ...{ raw: 'PROXY p:1', asked: ['a.b'], alerts: [], warnings: [] },
    routes: [{ name: 'PROXY p:1', hops: [{ kind: 'http-connect', host: 'p', port: 1 }] }],
  });
});

it.each([
  ['for (;;);', { code: 'pac.too-long', details: { limit: 'steps' } }],
  ['eval("1")', { code: 'pac.not-allowed', details: { what: 'eval' } }],
  ['return 7', { code: 'pac.gave-no-answer' }],
])('tells what the script %s comes to as it would be told here', async (body, error) => {
  await expect(askPac(script(body), target)).rejects.toMatchObject(error);
});

it('ends a script that is not done in time: pac.too-long', async () => {
  // No thread has begun when nobody waits any longer.
  await expect(askPac(script('return "DIRECT"'), target, AbortSignal.abort())).rejects.toMatchObject({
    code: 'pac.too-long',
    details: { limit: 'steps' },
  });
  const stop = new AbortController();
  const asked = askPac(script('return "DIRECT"'), target, stop.signal);
  stop.abort();
  await expect(asked).rejects.toMatchObject({ code: 'pac.too-long' });
});
