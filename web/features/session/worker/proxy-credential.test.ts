import { expect, test } from 'vitest';
import type { ProxyAccount } from './messages.ts';
import { proxyCredential } from './proxy-credential.ts';

const account: ProxyAccount = { user: 'CORP\\pat', password: 'Pr0xy secret', means: 'best' };

test('a proxy’s account crosses into a worker whole, and Basic is among its ways only where that was chosen', () => {
  const hiding = proxyCredential(structuredClone(account));
  expect(hiding.credential).toMatchObject({ user: 'pat', domain: 'CORP' });
  expect(hiding.credential.secret.reveal()).toBe('Pr0xy secret');
  expect(hiding.mechanisms).toEqual(['Negotiate', 'NTLM', 'Digest']);
  expect(proxyCredential({ ...account, means: 'windows' }).mechanisms).toEqual(['Negotiate', 'NTLM']);
  expect(proxyCredential({ ...account, means: 'digest' }).mechanisms).toEqual(['Digest']);
  expect(proxyCredential({ ...account, means: 'basic' }).mechanisms).toEqual(['Basic']);
  expect(JSON.stringify(hiding)).not.toContain('Pr0xy secret');
});
