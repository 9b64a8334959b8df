import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CODE_ALPHABET,
  demoPassword,
  hashProof,
  makeCode,
  normalizeCode,
  printCode,
  readRelayError,
  readRelayMessage,
  readTabMessage,
  signInProof,
  ticketRequestSchema,
} from './index.ts';

const TICKET = 'A'.repeat(43);

test('readTabMessage takes what a tab may say and nothing else', () => {
  expect(readTabMessage(`{"type":"dial","ticket":"${TICKET}"}`)).toEqual({ type: 'dial', ticket: TICKET });
  expect(readTabMessage('{"type":"end"}')).toEqual({ type: 'end' });
  expect(readTabMessage('{"type":"beat"}')).toEqual({ type: 'beat' });
  for (const bad of [
    '',
    'null',
    '[]',
    '{"type":"dial"}',
    '{"type":"dial","ticket":""}',
    `{"type":"dial","ticket":"${TICKET}","host":"x"}`,
    '{"type":"opened"}',
    '{"type":"__proto__"}',
    '{"type":"end"',
    `{"type":"beat","pad":"${'x'.repeat(20_000)}"}`,
  ]) {
    expect(readTabMessage(bad), bad.slice(0, 60)).toBeNull();
  }
});

test('readRelayMessage and readTabMessage give a message or null for any text', () => {
  const texts = fc.oneof(fc.string(), fc.json());
  fc.assert(
    fc.property(texts, (text) => {
      readRelayMessage(text);
      readTabMessage(text);
    }),
  );
});

test('readRelayError lets through what an error may leave out, where it is there', () => {
  const place = { hop: 1, host: 'p', port: 3128 };
  const words = { status: 407, via: '', proxyStatus: 'px', text: 'no' };
  for (const [code, details] of [
    ['proxy.drops-connection', { ...place, via: '', stage: 'CONNECT', why: 'unanswered' }],
    ['proxy.drops-connection', { ...place, ...words, stage: 'CONNECT with NTLM', why: 'asking' }],
    ['proxy.connect-denied', { ...place, ...words, target: 'a:1', form: 'may-forward' }],
    ['proxy.connect-denied', { ...place, ...words, target: 'a:1' }],
    ['proxy.tls-failed', { ...place, problem: 'x', about: 'certificate' }],
    ['proxy.not-a-proxy', { ...place, startsWith: 'H', kind: 'socks5' }],
    ['session.timed-out', { at: 'CONNECT', seconds: 10, proxy: 'p:3128' }],
    ['http.closed-early', { where: 'body', proxy: 'p:3128' }],
  ]) {
    expect(readRelayError({ code, details })).toEqual({ code, details });
  }
  const odd = { ...place, ...words, target: 'a:1', form: 'must-forward' };
  expect(readRelayError({ code: 'proxy.connect-denied', details: odd })).toBeNull();
});

test('readRelayError checks the details of the code it is given', () => {
  const details = { hop: 1, host: 'p', port: 3128, offered: 'NTLM, Basic' };
  expect(readRelayError({ code: 'proxy.auth-required', details })).toEqual({ code: 'proxy.auth-required', details });
  expect(readRelayError({ code: 'proxy.auth-required', details: { ...details, port: 'x' } })).toBeNull();
  expect(readRelayError({ code: 'auth.rejected', details: {} })).toBeNull();
  expect(readRelayError({ code: 'constructor', details: {} })).toBeNull();
  expect(readRelayError({ code: 'relay.sign-in-required', details: { secret: 'x' } })).toEqual({
    code: 'relay.sign-in-required',
    details: {},
  });
});

test('ticketRequestSchema bounds what it takes', () => {
  const good = { target: { host: 'a', port: 5985 }, route: { name: '', hops: [] } };
  expect(ticketRequestSchema.safeParse(good).success).toBe(true);
  for (const port of [0, 65_536, 1.5, '5985', null]) {
    expect(ticketRequestSchema.safeParse({ ...good, target: { host: 'a', port } }).success).toBe(false);
  }
  const hop = { kind: 'http-connect', host: 'p', port: 1 };
  expect(ticketRequestSchema.safeParse({ ...good, route: { name: '', hops: Array(9).fill(hop) } }).success).toBe(false);
});

test('normalizeCode drops hyphens, blanks and case, and printCode groups by four', () => {
  expect(normalizeCode(' ab2c-de3f \u2013gh4j\n')).toBe('AB2CDE3FGH4J');
  expect(printCode('ab2cde3fgh4j')).toBe('AB2C-DE3F-GH4J');
});

test('makeCode draws only from its alphabet and skips bytes that would favour a character', () => {
  expect(makeCode((length) => new Uint8Array(length).fill(0))).toBe('222222222222');
  let calls = 0;
  const first255 = (length: number) => new Uint8Array(length).fill(calls++ === 0 ? 255 : 1);
  expect(makeCode(first255)).toBe(CODE_ALPHABET.charAt(1).repeat(12));
});

test('signInProof, hashProof and demoPassword are fixed functions of the normalised code', async () => {
  const proof = await signInProof('AB2C-DE3F-GH4J');
  expect(proof).toBe(await signInProof('ab2cde3fgh4j'));
  // printf 'fairlead sign-in\nAB2CDE3FGH4J' | sha256sum, and so on
  expect(proof).toBe('56950232195680af640f978c950194368d5a677c556800d943fd441a366452ea');
  expect(await hashProof(proof)).toBe('fe92670b03f45879277c0e93283ddc6e65aca6be9275a9b84f3c4b14fab41d62');
  // printf 'fairlead demo\n' | openssl dgst -sha256 -hmac AB2CDE3FGH4J -binary | base64
  expect(await demoPassword('AB2C-DE3F-GH4J')).toBe('PopAjzo2vRYRd2mOpJgkgN4t');
});

test('an answer for a proxy is one line of printable characters with a scheme, and bounded', () => {
  const read = (authorization: unknown, hop: unknown = 1) =>
    readTabMessage(JSON.stringify({ type: 'answer', hop, authorization }));
  expect(read('NTLM TlRMTVNTUAAB')).toEqual({ type: 'answer', hop: 1, authorization: 'NTLM TlRMTVNTUAAB' });
  for (const bad of [
    '',
    'NTLM',
    'NTLM x\r\nHost: y',
    'NTLM \u00e9',
    ` ${'x'.repeat(20)}`,
    `NTLM ${'x'.repeat(12_000)}`,
    7,
  ]) {
    expect(read(bad), String(bad).slice(0, 20)).toBeNull();
  }
  for (const hop of [0, 65, 1.5, '1']) expect(read('NTLM x', hop)).toBeNull();
});

test('a challenge that is as long as a relay makes it can be read', () => {
  const challenge = {
    ...{ hop: 4, host: 'h'.repeat(253), port: 3128, kind: 'http', target: 't'.repeat(260), leg: 9, status: 407 },
    ...{ offered: ['N'.repeat(6000)], via: 'v'.repeat(256), proxyStatus: 's'.repeat(256), text: '"'.repeat(2048) },
  };
  expect(readRelayMessage(JSON.stringify({ type: 'challenge', challenge }))).toEqual({ type: 'challenge', challenge });
});
