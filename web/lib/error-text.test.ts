import { WinRmError } from '@fairlead/protocol';
import { describe, expect, it } from 'vitest';
import { errorText } from './error-text.ts';

const REFUSAL = {
  hop: 1,
  host: 'proxy.corp',
  port: 3128,
  target: 'srv:5985',
  status: 403,
  via: '1.1 proxy',
  proxyStatus: '',
  text: 'Access denied.\u001b[31m\u202e Ask the administrator.\n',
};

describe('errorText', () => {
  it('gives the keys of the sentences, their values and the one action', () => {
    const text = errorText(new WinRmError('proxy.connect-denied', REFUSAL));
    expect(text.messageKey).toBe('errors.proxy.connect-denied.message');
    expect(text.hintKey).toBe('errors.proxy.connect-denied.hint');
    expect(text.values).toMatchObject({ host: 'proxy.corp', port: 3128, status: 403 });
    expect(text.actionKey).toBe('recovery.change-route');
  });

  it('shows what a peer said without what could steer a screen', () => {
    expect(errorText(new WinRmError('proxy.connect-denied', REFUSAL)).evidence).toBe(
      'Access denied. [31m  Ask the administrator.',
    );
    expect(errorText(new WinRmError('wsman.timed-out', { seconds: 20 })).evidence).toBe('');
  });

  it('tells what stood above a proxy’s words: its status and who it says it is', () => {
    const text = errorText(
      new WinRmError('proxy.connect-denied', { ...REFUSAL, proxyStatus: 'squid; error=denied\u001b' }),
    );
    expect(text.heads).toEqual(['HTTP 403', 'Via: 1.1 proxy', 'Proxy-Status: squid; error=denied ']);
    const silent = errorText(new WinRmError('proxy.connect-denied', { ...REFUSAL, text: '', proxyStatus: 'squid' }));
    expect([silent.heads, silent.evidence]).toEqual([['HTTP 403', 'Via: 1.1 proxy'], 'squid']);
    expect(errorText(new WinRmError('http.unexpected-status', { status: 500, reason: '', text: '' })).heads).toEqual(
      [],
    );
  });

  it('tells both that a line’s fate is unknown and that the proxy moved the connection', () => {
    const moved = new WinRmError('proxy.no-affinity', {
      ...{
        hop: 1,
        host: '::1',
        port: 3128,
        road: 'forward',
        status: 401,
        via: '',
        sign: 'refused',
        answered: 3,
        text: '',
      },
    });
    const text = errorText(new WinRmError('shell.fate-unknown', { operation: 'Send' }, moved));
    expect(text.messageKey).toBe('errors.shell.fate-unknown.message');
    expect(text.because).toMatchObject({
      messageKey: 'errors.proxy.no-affinity.message',
      values: { host: '[::1]', answered: 3 },
    });
    expect(errorText(moved).because).toBeNull();
  });

  it('puts an IPv6 address into brackets in front of its port', () => {
    const text = errorText(
      new WinRmError('relay.policy-denied', { host: '::ffff:7f00:1', port: 7501, rule: 'target' }),
    );
    expect(text.values).toMatchObject({ host: '[::ffff:7f00:1]', port: 7501 });
  });

  it('keeps a long text out of the sentence but whole in the evidence', () => {
    const text = errorText(new WinRmError('proxy.connect-denied', { ...REFUSAL, text: 'a'.repeat(2000) }));
    expect(String(text.values['text'])).toHaveLength(200);
    expect(text.evidence).toHaveLength(2000);
  });

  it('uses the sentence of the reason for a refused argument', () => {
    const error = new WinRmError('misuse.bad-argument', { argument: 'command', reason: 'too-long', limit: 8191 });
    expect(errorText(error)).toMatchObject({ messageKey: 'arguments.too-long', actionKey: null });
    expect(errorText(error).values).toMatchObject({ argument: 'command', reason: 'too-long', limit: 8191 });
  });

  it('says what a host’s fault code means, where that is known', () => {
    const fault = { subcode: '', text: 'Der Verzeichnisname ist ungültig.', machine: 'web01' };
    expect(errorText(new WinRmError('wsman.fault', { ...fault, code: '267' })).meaningKey).toBe('faults.bad-directory');
    expect(errorText(new WinRmError('wsman.fault', { ...fault, code: '1' })).meaningKey).toBeNull();
    expect(errorText(new WinRmError('relay.lost', { reason: 'reset' })).meaningKey).toBeNull();
  });

  it('does not put our own words about TLS into a peer’s mouth', () => {
    expect(errorText(new WinRmError('tls.bad-record', { problem: 'its tag is wrong' })).evidence).toBe('');
  });

  it('writes a report of the code and every fact', () => {
    expect(errorText(new WinRmError('relay.lost', { reason: 'reset' })).report).toBe('relay.lost\nreason: reset');
  });
});
