import { BypassList } from '@fairlead/protocol/proxy-settings';
import fc from 'fast-check';
import { EnvHttpProxyAgent, request } from 'undici';
import { expect, test } from 'vitest';

/** Whether undici would connect to the host itself. The connector is for those only; its way to a proxy is its own. */
async function goesDirectly(noProxy: string, host: string, port: number): Promise<boolean> {
  let isDirect = false;
  const agent = new EnvHttpProxyAgent({
    ...{ httpProxy: 'http://127.0.0.1:1', httpsProxy: 'http://127.0.0.1:1', noProxy },
    connect: (_options, callback) => {
      isDirect = true;
      callback(new Error('enough'), null);
    },
  });
  await request(`http://${host.includes(':') ? `[${host}]` : host}:${port}/`, { dispatcher: agent }).catch(
    () => undefined,
  );
  await agent.destroy();
  return isDirect;
}

test('R34: NO_PROXY lets the same hosts go directly as Node’s undici does, ranges aside', async () => {
  const label = fc.constantFrom('a', 'b', 'srv1', 'corp', 'example');
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  const host = fc.oneof(name, fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1', 'localhost', '127.0.0.1'));
  const entry = fc.oneof(
    name,
    name.map((text) => `.${text}`),
    name.map((text) => `*.${text}`),
    fc.tuple(name, fc.constantFrom(80, 5985)).map(([text, port]) => `${text}:${port}`),
    fc.constantFrom(
      '*',
      '10.0.0.1',
      '10.0.0.1:5985',
      '[fd00::1]',
      '[fd00::1]:5985',
      'fd00::1',
      'CORP.Example',
      'localhost',
      'a.',
    ),
  );
  const list = fc
    .tuple(fc.array(entry, { maxLength: 3 }), fc.constantFrom(',', ' ', ', '))
    .map(([all, between]) => all.join(between));
  await fc.assert(
    fc.asyncProperty(list, host, async (noProxy, asked) => {
      const ours = BypassList.parse(noProxy, 'environment').matches(asked, 5985);
      expect(ours, `${noProxy} for ${asked}`).toBe(await goesDirectly(noProxy, asked, 5985));
    }),
    { numRuns: 400 },
  );
});
