import { isWinRmError } from '@fairlead/protocol';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseCommandLine, UsageError } from './arguments.ts';

const EXEC = ['exec', '--target', 'srv1', '--user', 'CORP\\ana'];

const HTTPS = ['exec', '--target', 'https://srv1'];

describe('parseCommandLine', () => {
  it('joins the words after -- by single spaces and leaves them as they are', () => {
    const request = parseCommandLine([...EXEC, '--', 'dir', '/s', '--json', '"a  b"']);
    expect(request).toMatchObject({ verb: 'exec', command: 'dir /s --json "a  b"', isJson: false });
  });

  it('fills in port, policy and code page', () => {
    expect(parseCommandLine([...EXEC, '--', 'x'])).toMatchObject({
      target: { host: 'srv1', port: 5985, path: '/wsman' },
      policy: 'negotiate',
      codePage: 65001,
      route: { hops: [] },
      journalFile: null,
    });
  });

  it('takes the user from the target when there is no --user', () => {
    const request = parseCommandLine(['shell', '-t', 'CORP\\ana@srv1']);
    expect(request).toMatchObject({ verb: 'shell', user: 'CORP\\ana', target: { host: 'srv1' } });
  });

  it('builds a road nearest proxy first; --forward is about the last', () => {
    const proxies = ['--proxy', 'http://a:1', '--proxy', 'http://b:2'];
    expect(parseCommandLine([...EXEC, ...proxies, '--forward', '--', 'x'])).toMatchObject({
      route: {
        hops: [
          { kind: 'http-connect', host: 'a', port: 1 },
          { kind: 'http-forward', host: 'b', port: 2 },
        ],
      },
    });
  });

  it('collects remote environment variables, values with = included', () => {
    const request = parseCommandLine([...EXEC, '--env', 'A=1', '--env', 'B=x=y', '--', 'x']);
    expect(request).toMatchObject({ environment: { A: '1', B: 'x=y' } });
  });

  it('reads how an https host is trusted and signed in to', () => {
    const pin = 'ab:'.repeat(31);
    const words = [...HTTPS, '--pin', `${pin}cd`, '--ca', 'a.pem', '--ca', 'b.pem', '--legacy-tls'];
    expect(parseCommandLine([...words, '-u', 'a', '--auth', 'basic', '--', 'x'])).toMatchObject({
      target: { scheme: 'https', host: 'srv1', port: 5986 },
      pins: [`${'AB'.repeat(31)}CD`],
      caFiles: ['a.pem', 'b.pem'],
      allowLegacyTls: true,
      policy: 'basic',
      seal: 'auto',
    });
    expect(
      parseCommandLine([...HTTPS, '--auth', 'certificate', '--cert', 'c', '--cert', 'k', '--', 'x']),
    ).toMatchObject({
      policy: 'certificate',
      certFiles: ['c', 'k'],
    });
  });

  it('gives help for no words, for help and for --help anywhere before --', () => {
    expect(parseCommandLine([])).toEqual({ verb: 'help', topic: null });
    expect(parseCommandLine(['help', 'roads'])).toEqual({ verb: 'help', topic: 'roads' });
    expect(parseCommandLine(['exec', '--help'])).toEqual({ verb: 'help', topic: 'exec' });
    expect(parseCommandLine([...EXEC, '--', 'ping', '--help'])).toMatchObject({ verb: 'exec' });
  });

  it.each([
    ['an unknown verb', ['run', '-t', 'h']],
    ['an unknown option', [...EXEC, '--password', 'x', '--', 'y']],
    ['no target', ['exec', '-u', 'a', '--', 'x']],
    ['no user', ['exec', '-t', 'h', '--', 'x']],
    ['no command', EXEC],
    ['a blank command', [...EXEC, '--', ' ']],
    ['a command without --', [...EXEC, 'hostname']],
    ['a command for identify', ['identify', '-t', 'h', '--', 'x']],
    ['--forward without a proxy', [...EXEC, '--forward', '--', 'x']],
    ['an unknown policy', [...EXEC, '--auth', 'digest', '--', 'x']],
    ['Basic over http', [...EXEC, '--auth', 'basic', '--', 'x']],
    ['a certificate over http', ['exec', '-t', 'h', '--auth', 'certificate', '--cert', 'f', '--', 'x']],
    ['a pin for http', [...EXEC, '--pin', 'A'.repeat(64), '--', 'x']],
    ['roots for http', [...EXEC, '--ca', 'f', '--', 'x']],
    ['a SHA-1 pin', [...HTTPS, '--pin', 'A'.repeat(40), '-u', 'a', '--', 'x']],
    ['--cert without --auth certificate', [...HTTPS, '-u', 'a', '--cert', 'f', '--', 'x']],
    ['--auth certificate without --cert', [...HTTPS, '--auth', 'certificate', '--', 'x']],
    ['--auth certificate with a user', [...HTTPS, '-u', 'a', '--auth', 'certificate', '--cert', 'f', '--', 'x']],
    ['sealing without keys', [...HTTPS, '-u', 'a', '--auth', 'basic', '--seal', 'always', '--', 'x']],
    ['an unknown --seal', [...HTTPS, '-u', 'a', '--seal', 'never', '--', 'x']],
    ['an --env without =', [...EXEC, '--env', 'A', '--', 'x']],
    ['--json with shell', ['shell', '-t', 'h', '-u', 'a', '--json']],
  ])('refuses %s with a sentence', (_title, words) => {
    expect(() => parseCommandLine(words)).toThrow(UsageError);
    expect(() => parseCommandLine(words)).toThrow(/^\S.{10,}/);
  });

  it.each([
    ['ftp target', 'ftp://h', 'unsupported-scheme'],
    ['password in the target', 'http://u:p@h', 'has-credentials'],
    ['port', 'h:99999', 'out-of-range'],
  ])('refuses a %s with misuse.bad-argument', (_title, target, reason) => {
    const words = ['exec', '-t', target, '-u', 'a', '--', 'x'];
    expect(() => parseCommandLine(words)).toThrow(
      expect.objectContaining({ code: 'misuse.bad-argument', details: expect.objectContaining({ reason }) }),
    );
  });

  it('gives a request, a UsageError or one of our errors for any words', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('exec', 'shell', '--', '-t', '--env', '--proxy', '--json', '-u', 'h'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 10 }), (words) => {
        try {
          expect(parseCommandLine(words)).toHaveProperty('verb');
        } catch (error) {
          expect(error instanceof UsageError || isWinRmError(error)).toBe(true);
        }
      }),
    );
  });
});

describe('the proxies of a command line', () => {
  const settings = (...words: string[]) => {
    const request = parseCommandLine([...HTTPS, '--user', 'ana', ...words, '--', 'x']);
    return 'proxySignIn' in request ? { ...request.proxySignIn, hops: request.route.hops } : null;
  };

  it('may be TLS and SOCKS ones, each with a user of its own', () => {
    const proxies = ['-p', 'https://a', '-p', 'socks5://b', '-p', 'http://c:3128'];
    expect(settings(...proxies, '--proxy-user', '', '--proxy-user', 'CORP\\bob', '--proxy-ca', 'ca.pem')).toEqual({
      users: ['', 'CORP\\bob'],
      mechanisms: ['Negotiate', 'NTLM', 'Digest', 'Basic'],
      caFiles: ['ca.pem'],
      isHttpDangerChosen: false,
      hops: [
        { kind: 'http-connect', host: 'a', port: 443, tls: true },
        { kind: 'socks5', host: 'b', port: 1080 },
        { kind: 'http-connect', host: 'c', port: 3128 },
      ],
    });
  });

  it('take the mechanism that is named, and the danger that is', () => {
    const words = ['-p', 'http://c:3128', '--proxy-user', 'bob', '--danger-http-behind-authenticated-proxy'];
    expect(settings(...words, '--proxy-auth', 'ntlm')).toMatchObject({
      mechanisms: ['NTLM'],
      isHttpDangerChosen: true,
    });
    expect(settings(...words, '--proxy-auth', 'auto')?.mechanisms).toHaveLength(4);
  });

  it.each([
    ['more --proxy-user', ['--proxy-user', 'bob']],
    ['goes with --proxy-user', ['-p', 'http://c:1', '--proxy-auth', 'ntlm']],
    ['goes with --proxy-user', ['-p', 'http://c:1', '--danger-http-behind-authenticated-proxy']],
    ['is one of auto', ['-p', 'http://c:1', '--proxy-user', 'bob', '--proxy-auth', 'kerberos']],
  ])('are refused with a sentence: %s', (sentence, words) => {
    expect(() => settings(...words)).toThrow(sentence);
  });

  it('come from the command line alone, never from the machine (R34)', () => {
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'https_proxy', 'http_proxy', 'all_proxy']) {
      vi.stubEnv(name, 'http://proxy.corp:3128');
    }
    expect(settings()?.hops).toEqual([]);
    vi.unstubAllEnvs();
  });
});
