import { type ErrorCode, WinRmError } from '@fairlead/protocol';
import { expect, test } from 'vitest';
import { isProxyQuestion, proxyQuestion } from './proxy-question.ts';

const place = { hop: 2, host: 'proxy', port: 3128 };
const words = { status: 407, via: '1.1 px', proxyStatus: '', text: 'Ask\u202e the desk\u0007\nfloor 3' };

test('proxyQuestion leads to the very proxy that asked, with what it offered and its own words', () => {
  const required = proxyQuestion(new WinRmError('proxy.auth-required', { ...place, offered: 'Negotiate, NTLM' }));
  expect(required).toMatchObject({ ...place, place: 'sign-in', offered: 'Negotiate, NTLM', words: null });
  const unsupported = { ...place, ...words, offered: 'Basic', wanted: 'NTLM' };
  expect(proxyQuestion(new WinRmError('proxy.auth-unsupported', unsupported))).toMatchObject({
    ...{ place: 'sign-in', offered: 'Basic' },
    words: { status: 407, via: '1.1 px', proxyStatus: '', text: 'Ask  the desk \nfloor 3' },
  });
  const rejected = { ...place, ...words, mechanism: 'NTLM', stage: 'authenticate' };
  expect(proxyQuestion(new WinRmError('proxy.auth-rejected', rejected))).toMatchObject({ mechanism: 'NTLM' });
  const loops = { ...place, ...words, mechanism: 'NTLM', legCount: 10 };
  expect(proxyQuestion(new WinRmError('proxy.auth-loops', loops))).toMatchObject({ place: 'sign-in' });
});

test('proxyQuestion leads to the way to the server, or to the route, where that is what must change', () => {
  const needs = { ...place, offered: 'NTLM', refusedBy: 'relay' } as const;
  expect(proxyQuestion(new WinRmError('proxy.needs-https', needs))).toMatchObject({ place: 'https', offered: 'NTLM' });
  const tls = proxyQuestion(new WinRmError('proxy.tls-failed', { ...place, problem: 'self-signed certificate' }));
  expect(tls).toMatchObject({ place: 'route', problem: 'self-signed certificate' });
  const socks = { ...place, target: 'a:1', reply: 2, problem: 'not allowed' };
  expect(proxyQuestion(new WinRmError('proxy.socks-refused', socks))).toMatchObject({ place: 'route' });
});

test('proxyQuestion is null where nothing failed, or something else did', () => {
  const denied = { ...place, ...words, target: 'a:1' };
  expect(proxyQuestion(new WinRmError('proxy.connect-denied', denied))).toBeNull();
  expect(proxyQuestion(null)).toBeNull();
  const codes: ErrorCode[] = ['proxy.auth-required', 'proxy.connect-denied', 'relay.lost'];
  expect(codes.map(isProxyQuestion)).toEqual([true, false, false]);
});
