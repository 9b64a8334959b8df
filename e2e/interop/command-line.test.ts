import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type GssServer,
  type Peer,
  RIG_ACCOUNT,
  RIG_PROXY_ACCOUNTS,
  startGssServer,
  startProxy,
} from '../peers/peers.ts';
import { connectionsOf } from './run-session.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

let server: GssServer;
let squid: Peer;
let target: string;

beforeAll(async () => {
  [server, squid] = await Promise.all([startGssServer(), startProxy('squid')]);
  target = `http://127.0.0.1:${server.port}`;
});
afterAll(() => Promise.all([server?.stop(), squid?.stop()]));

interface Ended {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs `fairlead` as a process of its own, as a person would. */
function fairlead(
  words: readonly string[],
  input: Buffer | string = '',
  password: string = RIG_ACCOUNT.password,
  environment: Record<string, string> = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...words], {
      env: { ...process.env, FAIRLEAD_PASSWORD: password, ...environment },
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes.toString('utf8');
    });
    child.once('close', (code) => resolve({ stdout: Buffer.concat(stdout), stderr, code }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function exec(command: readonly string[], options: readonly string[] = []): string[] {
  return ['exec', '--target', target, '--user', RIG_ACCOUNT.user, ...options, '--', ...command];
}

describe('fairlead exec', () => {
  it('keeps the streams apart and exits with the remote code', async () => {
    const ended = await fairlead(exec(['printf out;', 'printf err >&2;', 'exit 7']));
    expect({ ...ended, stdout: ended.stdout.toString() }).toEqual({ stdout: 'out', stderr: 'err', code: 7 });
  });

  it('joins the words with single spaces and sends them as they are', async () => {
    const ended = await fairlead(exec(['printf', "'%s|'", '--json', '"a  b"', 'c;', 'exit', '0']));
    expect(ended.stdout.toString()).toBe('--json|a  b|c|');
  });

  it('passes binary input and output byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
    const ended = await fairlead(exec(['cat']), bytes);
    expect(ended.stderr).toBe('');
    expect(ended.stdout.equals(bytes)).toBe(true);
  });

  it.each(['', '--forward'])('goes through a proxy %s', async (more) => {
    const proxy = ['--proxy', `http://127.0.0.1:${squid.port}`, ...(more === '' ? [] : [more])];
    const ended = await fairlead(exec(['echo', 'hello'], proxy));
    expect({ ...ended, stdout: ended.stdout.toString() }).toEqual({ stdout: 'hello\n', stderr: '', code: 0 });
  });

  it('prints JSON lines with --json', async () => {
    const ended = await fairlead(exec(['printf "Grüße"; exit 300'], ['--json']));
    const lines = ended.stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toEqual({ type: 'exit', signed: 44, unsigned: 44 });
    expect(lines[0]).toEqual({ type: 'output', stream: 'stdout', text: 'Grüße' });
  });

  it('writes a journal that names every step and holds no secret', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-cli-'));
    const file = join(folder, 'journal.jsonl');
    await fairlead(exec(['echo', 'xyzzy-output'], ['--journal', file]));
    const text = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(folder, { recursive: true });
    for (const event of ['hop', 'leg', 'exchange', 'connection', 'state']) expect(text).toContain(`"event":"${event}"`);
    for (const secret of [RIG_ACCOUNT.password, 'xyzzy-output', 'echo']) expect(text).not.toContain(secret);
  });

  it('says auth.rejected in one block without a stack trace, and exits with 67', async () => {
    const ended = await fairlead(exec(['true']), '', 'wrong-password');
    expect(ended.code).toBe(67);
    expect(ended.stderr).toContain('[auth.rejected]');
    expect(ended.stderr).toContain('ntuser');
    expect(ended.stderr).not.toMatch(/wrong-password|\n\s+at /);
    expect(ended.stdout.length).toBe(0);
  });

  it('says relay.connection-refused with 65, and proxy trouble with 66', async () => {
    const nobody = await fairlead(['exec', '-t', '127.0.0.1:1025', '-u', 'a', '--', 'x']);
    expect([nobody.code, nobody.stderr]).toEqual([65, expect.stringContaining('[relay.connection-refused]')]);
    const notProxy = await fairlead(exec(['true'], ['--proxy', target]));
    expect([notProxy.code, notProxy.stderr]).toEqual([66, expect.stringMatching(/\[proxy\./)]);
  });

  it('refuses a command line it cannot read, with 64, before anything is sent', async () => {
    const before = connectionsOf(server).length;
    for (const words of [
      ['exec', '-u', 'a', '--', 'x'],
      exec([]),
      exec(['x'], ['--bogus']),
      ['exec', '-t', 'ftp://h', '-u', 'a', '--', 'x'],
      exec(['a\u0007b']),
      exec(['x'], ['--code-page', '12']),
    ]) {
      const ended = await fairlead(words);
      expect([ended.code, ended.stderr], words.join(' ')).toEqual([64, expect.stringMatching(/^fairlead: /)]);
    }
    expect(connectionsOf(server).length).toBe(before);
  });

  it('interrupts the remote command on Ctrl+C', async () => {
    const child = spawn(process.execPath, [MAIN, ...exec(['echo started; exec sleep 100'])], {
      env: { ...process.env, FAIRLEAD_PASSWORD: RIG_ACCOUNT.password },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', () => child.kill('SIGINT'));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    expect(code).toBe(130);
  });
});

describe('fairlead shell', () => {
  it('runs the lines it is given in one cmd.exe and exits with its code', async () => {
    const lines = 'cd /usr\nset COLOUR=green\necho %COLOUR% here\nexit 4\n';
    const ended = await fairlead(['shell', '--target', target, '--user', RIG_ACCOUNT.user], lines);
    expect(ended.stdout.toString()).toContain('green here');
    expect(ended.stdout.toString()).not.toContain('\u001b]5985');
    expect([ended.stderr, ended.code]).toEqual(['', 4]);
  });
});

describe('fairlead identify', () => {
  it('R28: tells which sign-ins an http host offers, directly and through Squid, and says no SOAP to it', async () => {
    const ended = await fairlead(['identify', '--target', target]);
    expect(ended.stdout.toString()).toMatch(/^sign-ins {2}Negotiate\b.*\nserver {4}\S.*\nversion {3}not asked/);
    const through = ['--proxy', `http://127.0.0.1:${squid.port}`];
    for (const way of [through, [...through, '--forward']]) {
      const json = await fairlead(['identify', '--target', target, '--json', ...way]);
      expect(JSON.parse(json.stdout.toString())).toMatchObject({
        type: 'identity',
        offered: expect.arrayContaining(['Negotiate']),
      });
    }
  });
});

describe('fairlead through proxies that want a sign-in', () => {
  const { ntlm, plain } = RIG_PROXY_ACCOUNTS;
  const passwords = { FAIRLEAD_PROXY_PASSWORD: plain.password, FAIRLEAD_PROXY_PASSWORD_2: ntlm.password };
  let secured: GssServer;
  let socks: Peer;
  let asking: Peer;
  beforeAll(async () => {
    [secured, socks, asking] = await Promise.all([
      startGssServer({ cbt: 'strict' }),
      startProxy('microsocks'),
      startProxy('squid-ntlm-gss'),
    ]);
  });
  afterAll(() => Promise.all([secured?.stop(), socks?.stop(), asking?.stop()]));

  const chain = () => [
    ...['--proxy', `socks5://127.0.0.1:${socks.port}`, '--proxy-user', plain.user],
    ...['--proxy', `http://127.0.0.1:${asking.port}`, '--proxy-user', ntlm.user],
  ];
  const execOver = (target: string, options: readonly string[], environment: Record<string, string> = passwords) =>
    fairlead(
      ['exec', '--target', target, '--user', RIG_ACCOUNT.user, ...options, '--', 'echo', 'hello'],
      ...(['', RIG_ACCOUNT.password, environment] as const),
    );
  const https = () => [`https://127.0.0.1:${secured.tls?.port}`, ['--pin', secured.tls?.sha256 ?? '']] as const;

  it('goes through a chain of them, each with its own', async () => {
    const [target, pin] = https();
    const ended = await execOver(target, [...pin, ...chain()]);
    expect({ ...ended, stdout: ended.stdout.toString() }).toEqual({ stdout: 'hello\n', stderr: '', code: 0 });
  });

  it('names the one that refuses, in its words, and exits with 66', async () => {
    const [target, pin] = https();
    const wrong = { ...passwords, FAIRLEAD_PROXY_PASSWORD_2: 'wrong' };
    const { code, stderr } = await execOver(target, [...pin, ...chain()], wrong);
    expect([code, stderr]).toEqual([
      66,
      expect.stringContaining(`127.0.0.1:${asking.port} refused the sign-in with NTLM`),
    ]);
    expect(stderr).toContain('proxy.auth-rejected');
    expect(stderr).toContain('Access Denied');
  });

  it('gives them nothing for an http target unless the danger is named', async () => {
    const refused = await execOver(target, chain());
    expect([refused.code, refused.stderr]).toEqual([66, expect.stringContaining('proxy.needs-https')]);
    const ended = await execOver(target, [...chain(), '--danger-http-behind-authenticated-proxy']);
    expect({ ...ended, stdout: ended.stdout.toString() }).toEqual({ stdout: 'hello\n', stderr: '', code: 0 });
  });
});
