import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../bytes/bytes.ts';
import { channelBindingHash } from './binding.ts';
import { MAX_CREDENTIAL_CHARACTERS, parseCredential, Secret } from './credential.ts';
import exchange from './spnego/vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };

describe('parseCredential', () => {
  test.each([
    ['CORP\\ada', 'ada', 'CORP'],
    ['Corp.Example\\Ada Lovelace', 'Ada Lovelace', 'Corp.Example'],
    ['.\\ada', 'ada', '.'],
    ['ada@corp.example', 'ada@corp.example', ''],
    ['CORP\\ada@corp.example', 'ada@corp.example', 'CORP'],
    ['ada', 'ada', ''],
    ['имя', 'имя', ''],
    ['CORP\\a\u{1f600}', 'a\u{1f600}', 'CORP'],
  ])('parseCredential reads %s as %s in "%s"', (name, user, domain) => {
    const credential = parseCredential(name, 'p w');
    expect([credential.user, credential.domain, credential.secret.reveal()]).toEqual([user, domain, 'p w']);
  });

  test.each([
    ['', 'x', 'user', 'empty'],
    ['CORP\\', 'x', 'user', 'empty'],
    ['\\ada', 'x', 'domain', 'empty'],
    ['A\\B\\ada', 'x', 'user', 'malformed'],
    ['@corp', 'x', 'user', 'malformed'],
    ['ada@', 'x', 'user', 'malformed'],
    ['a\0da', 'x', 'user', 'control-character'],
    ['ada\n', 'x', 'user', 'control-character'],
    ['a\u009bda', 'x', 'user', 'control-character'],
    ['a\ud800da', 'x', 'user', 'lone-surrogate'],
    ['a'.repeat(MAX_CREDENTIAL_CHARACTERS + 1), 'x', 'user', 'too-long'],
    ['ada', 'x\r', 'password', 'control-character'],
    ['ada', '\udfff', 'password', 'lone-surrogate'],
    ['ada', 'x'.repeat(MAX_CREDENTIAL_CHARACTERS + 1), 'password', 'too-long'],
  ])('parseCredential refuses %j with password %j: misuse.bad-argument %s %s', (name, password, argument, reason) => {
    expect(() => parseCredential(name, password)).toThrow(
      expect.objectContaining({ code: 'misuse.bad-argument', details: expect.objectContaining({ argument, reason }) }),
    );
  });
});

describe('Secret', () => {
  test('Secret is printed by nothing', () => {
    const credential = parseCredential('CORP\\ada', 'hunter2');
    const printed = [
      JSON.stringify(credential),
      inspect(credential, { depth: 9, showHidden: true }),
      String(credential.secret),
      ['', credential.secret].join(),
      Object.values(credential.secret).join(),
    ];
    expect(printed.join()).not.toContain('hunter2');
    expect(printed[0]).toContain('[secret]');
  });

  test('wipe forgets the text: misuse.wrong-state', () => {
    const secret = new Secret('hunter2');
    secret.wipe();
    expect(() => secret.reveal()).toThrow('misuse.wrong-state');
  });
});

test('channelBindingHash gives the MsvAvChannelBindings of pyspnego', () => {
  const data = fromHex(exchange.bindingApplicationData) ?? expect.fail();
  expect(toHex(channelBindingHash(data))).toBe(exchange.channelBindings);
});
