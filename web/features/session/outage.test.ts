import { WinRmError } from '@fairlead/protocol';
import { expect, test } from 'vitest';
import type { KeptRequest } from './live-entry.ts';
import { isOutage } from './outage.ts';

const request: KeptRequest = {
  label: 'web01',
  target: 'web01',
  scheme: 'http',
  policy: 'negotiate',
  user: 'ana',
  sealsAlways: false,
  allowsLegacyTls: false,
  proxies: [],
  isHttpDangerChosen: false,
  route: { name: 'direct', hops: [] },
  shell: { kind: 'interactive', codePage: 65_001 },
  isDemo: false,
  isProduction: false,
};
const refused = new WinRmError('relay.connection-refused', {
  hop: 1,
  host: 'web01',
  port: 5985,
  cause: 'ECONNREFUSED',
});

test('a road that led to a shell is the one to try again: relay.connection-refused', () => {
  expect(isOutage({ request, wasReady: true }, refused)).toBe(true);
  expect(isOutage({ request, wasReady: false }, refused)).toBe(false);
});

test('the demo has no other road', () => {
  expect(isOutage({ request: { ...request, isDemo: true }, wasReady: false }, refused)).toBe(true);
});

test('a reply that was tampered with is no outage: seal.plain-reply keeps its own action', () => {
  const tampered = new WinRmError('seal.plain-reply', { status: 200, contentType: 'text/html' });
  expect(isOutage({ request, wasReady: true }, tampered)).toBe(false);
});
