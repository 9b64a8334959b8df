import { expect, test } from 'vitest';
import type { ProxyAccount } from './messages.ts';
import { proxyCredential } from './proxy-credential.ts';

const account: ProxyAccount = { user: 'CORP\\pat', password: 'Pr0xy secret', allowsBasic: false };

test('a proxy’s account crosses into a worker whole, and Basic is among its ways only where that was allowed', () => {
  const hiding = proxyCredential(structuredClone(account));
  expect(hiding.credential).toMatchObject({ user: 'pat', domain: 'CORP' });
  expect(hiding.credential.secret.reveal()).toBe('Pr0xy secret');
  expect(hiding.mechanisms).toEqual(['Negotiate', 'NTLM', 'Digest']);
  expect(proxyCredential({ ...account, allowsBasic: true }).mechanisms).toContain('Basic');
  expect(JSON.stringify(hiding)).not.toContain('Pr0xy secret');
});
