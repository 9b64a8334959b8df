import type { KeptRequest } from './session-entry.ts';

/** What somebody asked for who has a session in a test. */
export const request: KeptRequest = {
  label: 'web01',
  target: 'web01',
  scheme: 'http',
  policy: 'negotiate',
  user: 'CORP\\ana',
  sealsAlways: false,
  allowsLegacyTls: false,
  proxies: [],
  isHttpDangerChosen: false,
  route: { name: '', hops: [] },
  shell: { kind: 'interactive', codePage: 65_001 },
  isDemo: false,
  isProduction: false,
};
