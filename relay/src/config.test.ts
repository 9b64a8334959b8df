import { expect, test } from 'vitest';
import { printHelp, readConfig, StartError } from './config.ts';

test('readConfig is closed by default', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 4830,
    targets: [],
    proxies: [],
    publicOrigin: null,
    demo: null,
    metricsToken: null,
  });
});

test('readConfig holds sixteen mebibytes for five minutes unless it is told otherwise', () => {
  expect(readConfig({})).toMatchObject({ holdBytes: 16 * 1024 * 1024, holdSeconds: 5 * 60 });
  const told = { FAIRLEAD_HOLD_BYTES: '65536', FAIRLEAD_HOLD_SECONDS: '0' };
  expect(readConfig(told)).toMatchObject({ holdBytes: 65_536, holdSeconds: 0 });
});

test('readConfig prefers its own names to the general ones', () => {
  expect(readConfig({ HOST: '::1', PORT: '1' })).toMatchObject({ host: '::1', port: 1 });
  expect(readConfig({ HOST: 'x!', FAIRLEAD_HOST: '0.0.0.0', PORT: '1', FAIRLEAD_PORT: '2' })).toMatchObject({
    host: '0.0.0.0',
    port: 2,
  });
});

test('readConfig reads rules, an origin and the demo', () => {
  const demo = { target: { host: '127.0.0.1', port: 1 }, route: { name: 'demo', hops: [] }, user: 'demo' };
  const config = readConfig({
    FAIRLEAD_TARGETS: '*.corp.example, 10.0.0.0/8:5985',
    FAIRLEAD_PROXIES: 'proxy.corp.example:3128',
    FAIRLEAD_PUBLIC_ORIGIN: 'https://Fairlead.corp.example/',
    FAIRLEAD_DEMO: JSON.stringify(demo),
  });
  expect(config.targets.map((rule) => rule.text)).toEqual(['*.corp.example', '10.0.0.0/8:5985']);
  expect(config.publicOrigin).toBe('https://fairlead.corp.example');
  expect(config.demo).toEqual(demo);
});

test('readConfig says which setting is broken, in one line, without its value', () => {
  const broken: [name: string, value: string][] = [
    ['FAIRLEAD_PORT', '65536'],
    ['FAIRLEAD_PORT', '-1'],
    ['FAIRLEAD_PORT', '0x10'],
    ['PORT', 'http'],
    ['FAIRLEAD_PORT', '9'.repeat(400)],
    ['FAIRLEAD_HOST', 'not a host'],
    ['HOST', '127.1'],
    ['FAIRLEAD_TARGETS', 'http://srv1.corp'],
    ['FAIRLEAD_PROXIES', 'proxy.corp'],
    ['FAIRLEAD_PUBLIC_ORIGIN', 'fairlead.corp'],
    ['FAIRLEAD_PUBLIC_ORIGIN', 'https://fairlead.corp/path'],
    ['FAIRLEAD_PUBLIC_ORIGIN', 'https://user:pw@fairlead.corp'],
    ['FAIRLEAD_PUBLIC_ORIGIN', 'javascript:alert(1)'],
    ['FAIRLEAD_CONNECTIONS', '0'],
    ['FAIRLEAD_DRAIN_SECONDS', '9'],
    ['FAIRLEAD_LOG_LEVEL', 'loud'],
    ['FAIRLEAD_DEMO', '{'],
    ['FAIRLEAD_DEMO', '{}'],
    ['FAIRLEAD_METRICS_TOKEN', 'hunter2'],
    ['FAIRLEAD_HTTP_BEHIND_AUTHENTICATED_PROXY', 'yes'],
  ];
  for (const [name, value] of broken) {
    const read = () => readConfig({ [name]: value });
    expect(read, `${name}=${value}`).toThrow(StartError);
    expect(read).toThrow(new RegExp(`^${name} [^\\n]+\\.$`));
  }
  expect(() => readConfig({ FAIRLEAD_METRICS_TOKEN: 'hunter2' })).not.toThrow(/hunter2/);
});

test('printHelp explains every setting', () => {
  const help = printHelp();
  for (const name of [
    'HOST',
    'PORT',
    'FAIRLEAD_DATA',
    'FAIRLEAD_TARGETS',
    'FAIRLEAD_PROXIES',
    'FAIRLEAD_PUBLIC_ORIGIN',
  ]) {
    expect(help).toContain(name);
  }
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});

test('a misspelt setting is refused, and the names of other programs are not', () => {
  expect(() => readConfig({ FAIRLEAD_TARGET: 'srv1' })).toThrow(/^FAIRLEAD_TARGET is no setting/);
  expect(readConfig({ FAIRLEAD_NO_DEMO: '1', FAIRLEAD_PASSWORD: 'x' }).port).toBe(4830);
});
