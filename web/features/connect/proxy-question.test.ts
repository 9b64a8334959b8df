import { WinRmError } from '@fairlead/protocol';
import { expect, test } from 'vitest';
import { proxyQuestion } from './proxy-question.ts';

const place = { hop: 1, host: 'proxy', port: 3128 };

test('a proxy’s question is read out of each failure of its sign-in, and out of no other', () => {
  expect(proxyQuestion(new WinRmError('proxy.auth-required', { ...place, offered: 'NTLM, Basic' }))).toBe(
    'NTLM, Basic',
  );
  const words = { status: 407, via: '', proxyStatus: '', text: '' };
  expect(
    proxyQuestion(new WinRmError('proxy.auth-unsupported', { ...place, ...words, offered: 'Basic', wanted: 'NTLM' })),
  ).toBe('Basic');
  expect(
    proxyQuestion(new WinRmError('proxy.auth-rejected', { ...place, ...words, mechanism: 'NTLM', stage: 'request' })),
  ).toBe('NTLM');
  expect(proxyQuestion(new WinRmError('relay.lost', { reason: 'test' }))).toBeNull();
  expect(proxyQuestion(null)).toBeNull();
});
