import { readFileSync } from 'node:fs';
import { ERROR_TABLE, type ErrorCode, type ErrorDetails, WinRmError } from '@fairlead/protocol';
import { describe, expect, it } from 'vitest';
import english from '../../../web/messages/en.json' with { type: 'json' };
import { errorBlock, errorWords } from './error-block.ts';
import { EXIT_CODE_TEXTS, exitCodeOfError, exitCodeOfRemote } from './exit-codes.ts';
import { helpText } from './help.ts';

describe('errorBlock', () => {
  it('says what happened, what to do, the facts that are left, and the code', () => {
    const error = new WinRmError('proxy.connect-denied', {
      hop: 1,
      host: 'proxy.corp',
      port: 3128,
      target: 'srv1:5985',
      status: 403,
      via: '1.1 proxy',
      proxyStatus: '',
      text: 'Access Denied.\nContact the helpdesk.',
      form: 'may-forward',
    });
    const { form: _form, ...further } = error.details;
    expect(errorBlock(new WinRmError('proxy.connect-denied', further))).toContain('or use another road.\n');
    expect(errorBlock(error)).toBe(
      [
        'fairlead: The proxy proxy.corp:3128 refused the tunnel to srv1:5985 (403).',
        '  Ask its administrator to allow CONNECT to srv1:5985, or use another road. If the proxy carries plain HTTP, the road “forward” may work.',
        '    via: 1.1 proxy',
        '    text: Access Denied. Contact the helpdesk.',
        '  [proxy.connect-denied]',
        '',
      ].join('\n'),
    );
  });

  it('R23: tells both that a line’s fate is unknown and that the proxy moved the connection: proxy.no-affinity', () => {
    const moved = new WinRmError('proxy.no-affinity', {
      ...{ hop: 1, host: 'proxy.corp', port: 3128, road: 'forward', status: 401, via: '1.1 squid', sign: 'refused' },
      ...{ answered: 1, text: '' },
    });
    expect(errorBlock(new WinRmError('shell.fate-unknown', { operation: 'Send' }, moved))).toBe(
      [
        'fairlead: The connection broke while Send was on its way, so nobody can tell whether the host carried it out.',
        '  It was not repeated. Look at the host before you type it again.',
        '  Because: The proxy proxy.corp:3128 moved your connection: the host no longer knows the sign-in (status 401), after one good answer.',
        '    via: 1.1 squid',
        '  [shell.fate-unknown]',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['tls', 0, 'Something that opens TLS on this road moved your connection: '],
    ['unseen', 0, 'A proxy on this road moved your connection: '],
    ['tunnel', 2, 'The proxy px:1 moved your connection: '],
  ] as const)('names who moved a connection, as far as that is known: %s', (road, hop, begin) => {
    const details = {
      hop,
      host: 'px',
      port: 1,
      road,
      status: 400,
      via: '',
      sign: 'unread',
      answered: 0,
      text: '',
    } as const;
    const { message } = errorWords(new WinRmError('proxy.no-affinity', details));
    expect(message).toBe(
      `${begin}the host could not read what was sealed for it (status 400), before the first good answer.`,
    );
  });

  it('uses the sentence of the reason for misuse.bad-argument', () => {
    const words = errorWords(
      new WinRmError('misuse.bad-argument', { argument: 'command', reason: 'too-long', limit: 8191 }),
    );
    expect(words.message).toBe('“command” is too long. At most 8191 are allowed.');
    expect(words.facts).toEqual([]);
  });

  it('tells a refused port from a connection that broke, and brackets IPv6', () => {
    const details = { hop: 0, host: '::1', port: 5985 };
    const message = (cause: string) =>
      errorWords(new WinRmError('relay.connection-refused', { ...details, cause })).message;
    expect(message('ECONNREFUSED')).toBe('[::1] refused the connection on port 5985.');
    expect(message('ECONNRESET')).toBe('[::1] broke off the connection on port 5985 before it stood.');
  });

  it('takes terminal sequences out of what a peer said', () => {
    const error = new WinRmError('wsman.fault', {
      code: '5',
      subcode: '',
      text: 'a\u001b]0;evil\u0007b\u202e',
      machine: '',
    });
    expect(errorBlock(error)).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  it('has no stack trace for what is not one of ours', () => {
    const block = errorBlock(new TypeError('boom'));
    expect(block).toContain('TypeError: boom');
    expect(block).not.toContain('error-block.test');
  });

  it('can print every code with details of the right kind', () => {
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) {
      const details = anyDetails(code) as ErrorDetails[typeof code];
      expect(errorBlock(new WinRmError(code, details)), code).toContain(`[${code}]`);
    }
  });
});

/** A value for every parameter of a code's sentences; `reason` must be one that has a sentence itself. */
function anyDetails(code: ErrorCode): Record<string, unknown> {
  const [room, name] = code.split('.') as [keyof typeof english.errors, string];
  const { message, hint } = (english.errors[room] as Record<string, { message: string; hint: string }>)[name] ?? {};
  const parameters = [...`${message} ${hint}`.matchAll(/\{(\w+)[,}]/g)].map(([, parameter]) => [parameter, 7]);
  return { ...Object.fromEntries(parameters), reason: 'empty' };
}

describe('exit codes', () => {
  it('give every error one from 64 upwards', () => {
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) {
      const exit = exitCodeOfError(new WinRmError(code, {} as ErrorDetails[typeof code]));
      expect(exit, code).toBeGreaterThanOrEqual(64);
      expect(
        EXIT_CODE_TEXTS.map(([number]) => number),
        code,
      ).toContain(exit);
    }
  });

  it('never turn a remote failure into a success', () => {
    expect([0, 1, 255, 256, 512, 0xffff_ffff].map(exitCodeOfRemote)).toEqual([0, 1, 255, 255, 255, 255]);
  });

  it('are the same in the help and in the documents', () => {
    const document = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8').replace(
      / +/g,
      ' ',
    );
    for (const [code, text] of EXIT_CODE_TEXTS) {
      expect(helpText('exit-codes')).toContain(`${code}  ${text}`);
      const inDocument = text.replace('(--json prints it whole)', '').trim().split(' (')[0] as string;
      expect(document, text).toContain(`| ${code} | ${inDocument}`);
    }
  });
});
