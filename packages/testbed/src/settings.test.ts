import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { makeCertificate, thumbprintsOf } from './certificate.ts';
import type { HttpsOptions } from './listener.ts';
import { httpsOptions, readSettings, takePassword, USAGE } from './settings.ts';
import { TestClient } from './test-client.ts';

const TLS = '--https-port 1 --cert f --key f --client-ca f'.split(' ');
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

describe('readSettings', () => {
  test('has a default for everything but the user', () => {
    expect(readSettings(['--user', 'LAB\\me'])).toEqual({
      port: 5985,
      host: '127.0.0.1',
      user: 'LAB\\me',
      'idle-timeout': 120,
      'close-after': 0,
      'shell-timeout': 7200,
      'max-shells': 30,
      'max-envelope': 500,
      scheme: ['Negotiate'],
      'https-scheme': ['Negotiate', 'Basic'],
      profile: 'current',
      cbt: 'relaxed',
      'client-cert': 'none',
      'client-sha256': [],
    });
  });

  test('--help documents every setting', () => {
    expect(readSettings(['--help'])).toBeNull();
    const all = readSettings([...'--user A\\b --directory / --journal f --proxy-port 1'.split(' '), ...TLS]) ?? {};
    expect(Object.keys(all)).toHaveLength(21);
    for (const name of Object.keys(all)) expect(USAGE).toContain(`--${name}`);
  });

  test.each([
    [[], '--user is needed'],
    [['--user', 'me'], '--user is not DOMAIN\\name'],
    [['--user', 'A\\b', '--port', '65536'], '--port is more than 65535'],
    [['--user', 'A\\b', '--port', '0x50'], '--port is not a whole number'],
    [['--user', 'A\\b', '--idle-timeout', '0'], '--idle-timeout is less than 1'],
    [['--user', 'A\\b', '--scheme', 'Basic'], '--scheme is neither Negotiate nor NTLM'],
    [['--user', 'A\\b', '--cbt', 'hard'], '--cbt is neither none nor relaxed nor strict'],
    [['--user', 'A\\b', '--client-sha256', 'AB'], '--client-sha256 is not a SHA-256 thumbprint'],
    [['--user', 'A\\b', '--colour'], "Unknown option '--colour'"],
    [['--user', 'A\\b', 'more'], "Unexpected argument 'more'"],
  ])('%j: %s', (argv, sentence) => {
    expect(() => readSettings(argv)).toThrow(sentence);
  });
});

describe('httpsOptions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-settings-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function options(...argv: string[]): HttpsOptions | undefined {
    const settings = readSettings(['--user', 'A\\b', ...argv]);
    return settings === null ? undefined : httpsOptions(settings);
  }

  function written(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  test('are none without --https-port, and else read the files', () => {
    const { certificate, key } = makeCertificate({ commonName: 'x' });
    const files = ['--cert', written('c.pem', certificate), '--key', written('k.pem', key)];
    expect(options(...files)).toBeUndefined();
    expect(options('--https-port', '0', ...files, '--client-ca', join(folder, 'c.pem'))).toEqual({
      port: 0,
      certificate,
      key,
      profile: 'current',
      cbt: 'relaxed',
      clientCertificate: 'none',
      clientAuthorities: [certificate],
      offers: ['Negotiate', 'Basic realm="WSMAN"'],
    });
  });

  test('say in one sentence what is wrong with the files', () => {
    const [one, other] = [makeCertificate({ commonName: 'x' }), makeCertificate({ commonName: 'x' })];
    const [cert, key] = [written('one.pem', one.certificate), written('one.key', one.key)];
    const secure = ['--https-port', '0', '--cert', cert];
    expect(() => options(...secure)).toThrow('--cert and --key go together');
    expect(() => options(...secure, '--key', '/no/such')).toThrow('--key /no/such cannot be read');
    const pair = '--cert and --key are not a certificate and its key';
    expect(() => options(...secure, '--key', written('other.key', other.key))).toThrow(pair);
    expect(() => options(...secure, '--key', cert)).toThrow(pair);
    const old = ['--profile', 'old-server'];
    expect(() => options(...secure, '--key', key, ...old)).toThrow('--profile old-server needs an RSA key');
    expect(() => options('--https-port', '0', '--client-ca', key)).toThrow(`--client-ca ${key} is no certificate`);
  });
});

describe('takePassword', () => {
  test('takes it out of the environment', () => {
    const environment = { FAIRLEAD_TESTBED_PASSWORD: 'x', OTHER: 'y' };
    expect(takePassword(environment)).toEqual({ password: 'x', isMadeUp: false });
    expect(environment).toEqual({ OTHER: 'y' });
  });

  test('makes one up, and refuses an empty one', () => {
    expect(takePassword({})).toMatchObject({ password: expect.stringMatching(/^[\w-]{24}$/), isMadeUp: true });
    expect(() => takePassword({ FAIRLEAD_TESTBED_PASSWORD: '' })).toThrow('an account needs a password');
  });
});

describe('npm run testbed', () => {
  test('runs until SIGTERM, and then nothing of it is left', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-testbed-'));
    const journal = join(directory, 'journal.jsonl');
    const child = spawn(process.execPath, [MAIN, '--port', '0', '--user', 'LAB\\me', '--journal', journal], {
      env: { ...process.env, FAIRLEAD_TESTBED_PASSWORD: 'pass word' },
    });
    const ended = once(child, 'close');
    const [ready] = (await once(child.stdout, 'data')) as [Buffer];
    expect(ready.toString()).toMatch(/^READY http=\d+\n$/);
    const client = await TestClient.open(Number(ready.toString().trim().split('=')[1]), 'LAB\\me', 'pass word');
    const shell = await client.openShell();
    const command = await client.start(shell, 'echo $$; echo "[$FAIRLEAD_TESTBED_PASSWORD]"; exec sleep 100');
    const pid = (await client.until(shell, command, '[]\n')).split('\n')[0];
    expect(existsSync(`/proc/${pid}/fd/0`)).toBe(true);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    await expect.poll(() => existsSync(`/proc/${pid}/fd/0`)).toBe(false);
    const lines = readFileSync(journal, 'utf8').trim().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'open', connection: 1 });
    expect(lines.join()).not.toContain('pass word');
    rmSync(directory, { recursive: true });
    client.close();
  });

  test('prints where TLS is, and both thumbprints', async () => {
    const child = spawn(process.execPath, [MAIN, '--port', '0', '--https-port', '0', '--user', 'LAB\\me'], {
      env: { ...process.env, FAIRLEAD_TESTBED_PASSWORD: 'pass word' },
    });
    const ended = once(child, 'close');
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes;
    });
    const all = /^certificate SHA-256 ([0-9A-F]{64})\ncertificate SHA-1 ([0-9A-F]{40})\nREADY http=\d+ https=(\d+)\n$/;
    await expect.poll(() => said, { timeout: 10_000 }).toMatch(all);
    const [, sha256, sha1, port] = all.exec(said) ?? [];
    const client = await TestClient.connectSecurely(Number(port));
    expect(thumbprintsOf(client.certificate?.toString() ?? '')).toEqual({ sha256, sha1 });
    await client.signIn('LAB\\me', 'pass word');
    client.close();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('says in one sentence that a port is taken', async () => {
    const first = spawn(process.execPath, [MAIN, '--port', '0', '--user', 'LAB\\me']);
    const ended = once(first, 'close');
    let said = '';
    first.stdout.on('data', (bytes: Buffer) => {
      said += bytes;
    });
    await expect.poll(() => said, { timeout: 10_000 }).toMatch(/^password of LAB\\me: [\w-]{24}\nREADY http=\d+\n$/);
    const port = /http=(\d+)/.exec(said)?.[1] ?? '';
    const second = spawn(process.execPath, [MAIN, '--port', port, '--user', 'LAB\\me']);
    const [complaint] = (await once(second.stderr, 'data')) as [Buffer];
    expect(complaint.toString()).toBe(`Port ${port} is taken.\n`);
    expect(await once(second, 'close')).toEqual([1, null]);
    first.kill('SIGTERM');
    await ended;
  });
});
