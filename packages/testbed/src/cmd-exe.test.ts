import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CmdPromptReader, cmdPrompt, type PromptEvent } from '../../protocol/src/shell/cmd-prompt.ts';
import { BIN_DIRECTORY } from './shell.ts';

/** cmd.exe behind a pipe, as a host starts it: leader of its own group, below /bin/sh. */
class Cmd {
  readonly #child: ChildProcessWithoutNullStreams;
  #stdout = '';
  stderr = '';
  readonly #ended: Promise<number | null>;

  constructor(line: string, directory: string, environment: Record<string, string> = {}) {
    this.#child = spawn('/bin/sh', ['-c', line], {
      cwd: directory,
      detached: true,
      env: { PATH: `${BIN_DIRECTORY}:/usr/bin:/bin`, HOME: directory, LANG: 'C.UTF-8', PROMPT: '[$P]', ...environment },
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve));
  }

  /** Everything written since the last call, once a prompt is the last of it. */
  async prompt(): Promise<string> {
    await expect.poll(() => this.#stdout).toMatch(/\[[^\]\n]*\]$/);
    return this.take();
  }

  peek(): string {
    return this.#stdout;
  }

  take(): string {
    const text = this.#stdout;
    this.#stdout = '';
    return text;
  }

  async answer(line: string): Promise<string> {
    this.type(`${line}\r\n`);
    return (await this.prompt()).replace(/\r\n\[[^\]]*\]$/, '');
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(-(this.#child.pid ?? 0), name);
  }

  async end(): Promise<number | null> {
    this.#child.stdin.end();
    return this.#ended;
  }

  kill(): void {
    try {
      this.signal('SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

let directory = '';
const shells: Cmd[] = [];

function start(line = 'exec cmd.exe', environment: Record<string, string> = {}): Cmd {
  const cmd = new Cmd(line, directory, environment);
  shells.push(cmd);
  return cmd;
}

async function opened(environment: Record<string, string> = {}): Promise<Cmd> {
  const cmd = start('exec cmd.exe', environment);
  await cmd.prompt();
  return cmd;
}

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'fairlead-cmd-')));
});

afterEach(() => {
  for (const cmd of shells.splice(0)) cmd.kill();
  rmSync(directory, { recursive: true });
});

describe('cmd.exe talks as cmd does behind a pipe', () => {
  test('it says first what it is, and that it is not Windows', async () => {
    const banner = await start().prompt();
    expect(banner).toMatch(/^Fairlead demo host: .*This is not Microsoft Windows\.\r\n/);
    expect(banner.endsWith(`\r\n\r\n[${directory}]`)).toBe(true);
  });

  test('it echoes each line, runs it, and asks again after a blank line', async () => {
    const cmd = await opened();
    cmd.type('echo hello\r\n');
    expect(await cmd.prompt()).toBe(`echo hello\r\nhello\r\n\r\n[${directory}]`);
    expect(await cmd.answer('')).toBe('\r\n');
  });

  test('directory and variables last from line to line', async () => {
    const cmd = await opened();
    await cmd.answer('md deep\\er');
    cmd.type('cd deep\\er\r\n');
    expect(await cmd.prompt()).toBe(`cd deep\\er\r\n\r\n[${directory}/deep/er]`);
    expect(await cmd.answer('cd')).toBe(`cd\r\n${directory}/deep/er\r\n`);
    await cmd.answer('cd..');
    await cmd.answer('set GREETING=good morning, you');
    expect(await cmd.answer('echo %greeting% in %CD%')).toMatch(/\r\ngood morning, you in .*\/deep\r\n$/);
    expect(await cmd.answer('set greet')).toBe('set greet\r\nGREETING=good morning, you\r\n');
    await cmd.answer('set GREETING=');
    await cmd.answer('set GREETING');
    expect(cmd.stderr).toContain('Environment variable GREETING not defined');
  });

  test('non-ASCII passes both ways', async () => {
    const cmd = await opened();
    expect(await cmd.answer('echo Grüße, 日本語 🚢')).toBe('echo Grüße, 日本語 🚢\r\nGrüße, 日本語 🚢\r\n');
    expect(await cmd.answer("printf '%s' höß | tr h j")).toMatch(/\r\njöß$/);
  });

  test('standard error stays apart', async () => {
    const cmd = await opened();
    expect(await cmd.answer('echo oops >&2')).toBe('echo oops >&2\r\n');
    await expect.poll(() => cmd.stderr).toBe('oops\n');
    await cmd.answer('nosuchcommand');
    await expect
      .poll(() => cmd.stderr)
      .toContain("'nosuchcommand' is not recognized as an internal or external command");
  });

  test('the prompt follows PROMPT, and the reader of prompts understands it', async () => {
    const cmd = start('exec cmd.exe', { PROMPT: cmdPrompt('word') });
    cmd.type('echo x\n');
    const code = cmd.end();
    expect(await code).toBe(0);
    const reader = new CmdPromptReader('word');
    const events: PromptEvent[] = [...reader.feed(cmd.take()), ...reader.flush()];
    const prompts = events.filter((event) => event.kind === 'prompt');
    expect(prompts).toEqual(Array(2).fill({ kind: 'prompt', directory, prompt: `${directory}>` }));
    expect(
      events
        .filter((event) => event.kind === 'text')
        .map((event) => event.text)
        .join(''),
    ).toContain('x\r\n');
  });

  test('prompt changes it, echo off silences it', async () => {
    const cmd = await opened();
    cmd.type('prompt $L$Q$$$S$E[$P]\r\n');
    expect(await cmd.prompt()).toMatch(/\r\n<=\$ \u001b\[\/.*\]$/);
    cmd.type('echo off\r\necho quiet\r\nexit 0\r\n');
    expect(await cmd.end()).toBe(0);
    expect(cmd.take()).toBe('echo off\r\nquiet\r\n');
  });
});

describe('words of cmd', () => {
  test('dir, type, copy, ren, move, del, rd', async () => {
    writeFileSync(join(directory, 'a b.txt'), 'content\n');
    const cmd = await opened();
    expect(await cmd.answer('type "a b.txt"')).toMatch(/\r\ncontent\n$/);
    await cmd.answer('copy "a b.txt" c.txt');
    await cmd.answer('REN c.txt d.txt');
    await cmd.answer('md e');
    await cmd.answer('move d.txt e\\f.txt');
    expect(await cmd.answer('dir /b')).toBe('dir /b\r\na b.txt\ne\n');
    expect(await cmd.answer('dir/s/b e')).toContain('f.txt');
    expect(await cmd.answer('type e\\f.txt | wc -l')).toMatch(/\r\n1\n$/);
    await cmd.answer('del e\\f.txt');
    await cmd.answer('rd e');
    expect(await cmd.answer('dir /b')).toBe('dir /b\r\na b.txt\n');
    expect(cmd.stderr).toBe('');
  });

  test('ver, help and hostname are honest', async () => {
    const cmd = await opened();
    expect(await cmd.answer('ver')).toMatch(/Fairlead demo host \[Linux .*\], not Microsoft Windows/);
    expect(await cmd.answer('help')).toContain('everything else is bash');
    expect(await cmd.answer('VER && echo done')).toMatch(/not Microsoft Windows\r\ndone\n$/);
    expect(await cmd.answer('echo %COMPUTERNAME%')).toBe(`echo %COMPUTERNAME%\r\n${hostname()}\r\n`);
  });

  test.each([
    ['echo "quotes" stay, don\'t they', '"quotes" stay, don\'t they\r\n'],
    ['echo 100%', '100%\r\n'],
    ['echo %NOSUCH% and %', '%NOSUCH% and %\r\n'],
    ['echo.', '\r\n'],
    ['echo', 'ECHO is on.\r\n'],
    ['@rem nothing', ''],
    ['date -u -d @0 +%Y-%m-%d', '1970-01-01\n'],
    ['echo one && echo two', 'one\ntwo\n'],
    ['for i in 1 2; do echo $i; done', '1\n2\n'],
    ['cd /no/such/place', ''],
  ])('%s', async (line, output) => {
    expect(await (await opened()).answer(line)).toBe(`${line}\r\n${output}`);
  });
});

describe('cmd.exe ends and is interrupted', () => {
  test.each(['SIGINT', 'SIGQUIT'] as const)('%s stops what runs, not the shell', async (name) => {
    const cmd = await opened();
    for (const line of ['sleep 100; echo never', 'while :; do :; done', 'for i in 1 2 3; do sleep 100; done | cat']) {
      cmd.type(`${line}\r\n`);
      await expect.poll(() => cmd.peek()).toBe(`${line}\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 100)); // until bash has begun with the line
      cmd.signal(name);
      expect(await cmd.prompt()).toMatch(/\r\n\^C\r\n\r\n\[.*\]$/);
    }
    expect(await cmd.answer('echo alive in %CD%')).toContain(`alive in ${directory}`);
    cmd.signal(name);
    expect(await cmd.prompt()).toBe(`^C\r\n\r\n[${directory}]`);
    cmd.type('exit 3\r\n');
    expect(await cmd.end()).toBe(3);
  });

  test.each([
    ['exit 42\r\n', 42],
    ['exit /b 7\r\n', 7],
    ['false\r\n', 1],
    ['false\r\nexit\r\n', 1],
    ['exit 5', 5],
    ['', 0],
  ])('%j ends with %i', async (text, code) => {
    const cmd = await opened();
    cmd.type(text);
    expect(await cmd.end()).toBe(code);
  });

  test('/c runs one line without banner or echo', async () => {
    const cmd = start("exec cmd.exe /d /c 'echo %PROMPT%& exit 9'");
    expect(await cmd.end()).toBe(9);
    expect(cmd.take()).toBe('[$P]\n'.replace('$P', ''));
  });

  test('/q /k runs one line and stays, silently', async () => {
    const cmd = start('exec cmd /q /k echo ready');
    cmd.type('echo more\r\n');
    expect(await cmd.end()).toBe(0);
    expect(cmd.take()).toMatch(/ready\r\nmore\r\n$/);
  });

  test('%ERRORLEVEL% is the last exit code', async () => {
    const cmd = await opened();
    await cmd.answer('(exit 6)');
    expect(await cmd.answer('echo %errorlevel%')).toMatch(/\r\n6\r\n$/);
  });

  test('a program that reads takes the lines that follow', async () => {
    const cmd = await opened();
    cmd.type("sh -c 'read line; echo program: $line'\r\nto the program\r\necho to cmd\r\n");
    await expect.poll(() => cmd.peek()).toContain('echo to cmd\r\nto cmd\r\n');
    expect(cmd.take()).toContain('program: to the program');
  });
});
