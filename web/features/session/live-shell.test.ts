import { Journal, type SessionState, WinRmError } from '@fairlead/protocol';
import { describe, expect, test } from 'vitest';
import { LineHistory } from './history.ts';
import { LiveShell, type ShellSession } from './live-shell.ts';
import type { Screen } from './screen/screen.ts';

type Chunk = { stream: 'stdout' | 'stderr' | 'gap'; bytes: Uint8Array };

/** A far end under the test's thumb. */
function farEnd() {
  const sent: string[] = [];
  const waiting: ((chunk: Chunk | null) => void)[] = [];
  const ready: (Chunk | null)[] = [];
  const give = (chunk: Chunk | null) => {
    const next = waiting.shift();
    if (next) next(chunk);
    else ready.push(chunk);
  };
  const session: ShellSession = {
    state: { at: 'ready', link: 'live' } as SessionState,
    journal: new Journal(() => 0),
    watch: () => () => {},
    open: async () => {},
    output: (async function* () {
      for (;;) {
        const queued = ready.shift();
        const chunk =
          queued !== undefined ? queued : await new Promise<Chunk | null>((resolve) => waiting.push(resolve));
        if (chunk === null) return;
        yield chunk;
      }
    })(),
    promptWord: '0123456789abcdef',
    writeText: async (text) => void sent.push(text),
    endInput: async () => void sent.push('<end>'),
    interrupt: async (how) => void sent.push(`<${how}>`),
    close: async () => {},
    counts: { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 },
    lastRoundTripMs: null,
  };
  const say = (text: string, stream: Chunk['stream'] = 'stdout') =>
    give({ stream, bytes: new TextEncoder().encode(text) });
  const prompt = (directory = 'C:\\') => say(`\x1b]5985;${session.promptWord};${directory}\x1b\\${directory}>`);
  return { session, sent, say, prompt, end: () => give(null) };
}

function page() {
  const written: string[] = [];
  const screen = {
    write: (stream: string, text: string) => void written.push(stream === 'stderr' ? `!${text}` : text),
    writeCommand: (prompt: string, command: string) => void written.push(`${prompt}${command}`),
    writeInput: (text: string, isHidden: boolean) => void written.push(isHidden ? '<hidden>' : `<${text}>`),
    writeDivider: (words: string) => void written.push(`--${words}--`),
    ready: () => Promise.resolve(),
  } as unknown;
  const clock = { ms: 0 };
  const history = new LineHistory(null, 't');
  const parts = { history, clock: () => clock.ms, kind: 'interactive', language: 'de', command: '' } as const;
  return { written, clock, history, shell: new LiveShell({ ...parts, screen: screen as Screen }) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

async function started() {
  const far = farEnd();
  const here = page();
  const done = here.shell.run(far.session, 65_001);
  far.prompt();
  await settle();
  return { ...far, ...here, done };
}

describe('LiveShell', () => {
  test('sends a line at the prompt, hides its echo, and ends the block at the next prompt', async () => {
    const { shell, sent, say, prompt, written, clock } = await started();
    expect(shell.view).toMatchObject({ prompt: 'C:\\>', isRunning: false });
    shell.submit('hostname');
    expect(shell.view.isRunning).toBe(true);
    clock.ms = 40;
    say('hostname\r\nweb01\r\n\r\n');
    prompt();
    await settle();
    expect(sent).toEqual(['hostname\r\n']);
    expect(written.join('')).toBe('C:\\>hostnameweb01\r\n\r\n');
    expect(shell.view.lastEnded).toMatchObject({
      command: 'hostname',
      status: 'finished',
      lineCount: 1,
      durationMs: 40,
    });
    expect(shell.history.lines).toEqual(['hostname']);
  });

  test('holds further lines until the prompt comes, and drops them on an interrupt', async () => {
    const { shell, sent, prompt } = await started();
    shell.submit('one\ntwo\nthree');
    expect(sent).toEqual(['one\r\n']);
    expect(shell.view.queuedCount).toBe(2);
    prompt();
    await settle();
    expect(sent).toEqual(['one\r\n', 'two\r\n']);
    await shell.interrupt('ctrl-c');
    expect(shell.view).toMatchObject({ queuedCount: 0, stoppingSinceMs: 0 });
    prompt();
    await settle();
    expect(sent).toEqual(['one\r\n', 'two\r\n', '<ctrl-c>']);
    expect(shell.view).toMatchObject({ stoppingSinceMs: null, isRunning: false });
    expect(shell.view.lastEnded?.status).toBe('interrupted');
  });

  test('hidden input is sent, and neither shown, nor kept in history, nor in the block', async () => {
    const { shell, sent, say, written } = await started();
    shell.submit('ask');
    say('Password: ');
    await settle();
    expect(shell.view.seemsSecret).toBe(true);
    shell.answer('hunter2', true);
    expect(sent.at(-1)).toBe('hunter2\r\n');
    expect(written.join()).not.toContain('hunter2');
    expect(shell.history.lines.join()).not.toContain('hunter2');
    const block = shell.blocks.running;
    expect(JSON.stringify(shell.blocks.pieces(block?.id ?? 0))).not.toContain('hunter2');
    expect(shell.view.seemsSecret).toBe(false);
  });

  test('keeps stderr apart and takes out what output may not say, split anywhere', async () => {
    const { shell, say, written } = await started();
    shell.submit('x');
    say('a\x1b]0;ti');
    say('tle\x07b\x1b[6nc\r\n');
    say('bad\r\n', 'stderr');
    await settle();
    expect(written.slice(1).join('')).toBe('abc\r\n!bad\r\n');
    expect(shell.blocks.running?.errorLineCount).toBe(1);
  });

  test('a line that was refused is told and the prompt is free again: misuse.bad-argument', async () => {
    const { shell, session } = await started();
    const refused = new WinRmError('misuse.bad-argument', { argument: 'text', reason: 'not-in-code-page' });
    session.writeText = () => Promise.reject(refused);
    shell.submit('echo 世界');
    await settle();
    expect(shell.view).toMatchObject({ inputError: { code: 'misuse.bad-argument' }, isRunning: false });
    shell.dismissInputError();
    expect(shell.view.inputError).toBeNull();
  });

  test.each([
    ['a control character', 'echo a\u0001b', 'control-character'],
    ['half a character', 'echo \ud83d', 'lone-surrogate'],
    ['too much for cmd.exe', 'x'.repeat(8192), 'too-long'],
    ['a fault in its last line', 'one\ntwo\u001b[31m', 'control-character'],
  ])('nothing of a line with %s is sent, shown or kept: misuse.bad-argument', async (_what, text, reason) => {
    const { shell, sent, written, history } = await started();
    expect(shell.submit(text)).toBe(false);
    expect(shell.view).toMatchObject({ inputError: { details: { argument: 'line', reason } }, isRunning: false });
    expect([...sent, ...written, ...history.lines]).toEqual([]);
    expect(shell.submit('hostname')).toBe(true);
    expect(shell.view.inputError).toBeNull();
    expect(sent).toEqual(['hostname\r\n']);
  });

  test('a program may be answered with control characters, but not without end: misuse.bad-argument', async () => {
    const { shell, sent, written } = await started();
    shell.submit('cat');
    expect(shell.answer('\u0001', false)).toBe(true);
    expect(shell.answer('x'.repeat(65_537), true)).toBe(false);
    expect(sent).toEqual(['cat\r\n', '\u0001\r\n']);
    expect(written).not.toContain('<hidden>');
    expect(shell.view.inputError).toMatchObject({ details: { argument: 'input', reason: 'too-long' } });
  });

  test('counts error output that comes behind the prompt of its command', async () => {
    const { shell, say, prompt } = await started();
    shell.submit('both');
    say('out\r\n\r\n');
    prompt();
    say('err\r\n', 'stderr');
    await settle();
    expect(shell.view.lastEnded).toMatchObject({ command: 'both', lineCount: 2, errorLineCount: 1 });
  });

  test('a line whose fate nobody knows is told and not sent again: shell.fate-unknown', async () => {
    const { shell, session, sent, prompt } = await started();
    session.writeText = () => Promise.reject(new WinRmError('shell.fate-unknown', { operation: 'Send' }));
    shell.submit('del x\ndel y');
    await settle();
    // Nobody can say that it runs, so the prompt stays to be used.
    expect(shell.view).toMatchObject({ inputError: { code: 'shell.fate-unknown' }, queuedCount: 0, isRunning: false });
    expect(shell.blocks.blocks.at(-1)).toMatchObject({ command: 'del x', status: 'cut' });
    prompt();
    await settle();
    expect(sent).toEqual([]);
  });

  test('without prompts from the far end lines go out one after the other', async () => {
    const far = farEnd();
    const { shell } = page();
    void shell.run(far.session, 65_001);
    shell.submit('a\nb');
    await settle();
    expect(far.sent).toEqual(['a\r\n', 'b\r\n']);
    expect(shell.view.isRunning).toBe(false);
  });

  test('a new session writes on beneath the old text, and what ran is cut', async () => {
    const { shell, written, end, done, say } = await started();
    shell.submit('long');
    say('begun');
    await settle();
    end();
    await done;
    shell.ended('lost', true);
    expect(shell.blocks.blocks.at(-1)?.status).toBe('cut');
    expect(shell.view.isRunning).toBe(false);
    const next = farEnd();
    void shell.run(next.session, 65_001);
    next.prompt('D:\\');
    await settle();
    expect(shell.view.prompt).toBe('D:\\>');
    expect(written.join('')).toBe('C:\\>longbegun--lost--');
  });

  test('tells once that output is in another code page', async () => {
    const { shell, say } = await started();
    shell.submit('type umlaut.txt');
    say('Gr\ufffd\ufffde\r\n');
    await settle();
    expect(shell.view.mojibake).toEqual({ kind: 'undecodable', codePage: 850 });
    shell.dismissMojibake();
    say('Gr\ufffd\ufffde\r\n');
    await settle();
    expect(shell.view.mojibake).toBeNull();
  });

  test('a prompt cannot carry control characters or be endless', async () => {
    const { shell, prompt } = await started();
    prompt(`C:\\${'x'.repeat(2000)}`);
    await settle();
    expect(shell.view.prompt.length).toBeLessThanOrEqual(300);
  });

  test('a line stands where output may be missing, and what runs goes on', async () => {
    const { shell, say, prompt, written } = await started();
    shell.submit('tree');
    say('tree\r\none\r\n');
    say('', 'gap');
    say('three\r\n');
    prompt();
    await settle();
    expect(written.join('')).toBe('C:\\>treeone\r\n--gap--three\r\n');
    expect(shell.view.isRunning).toBe(false);
  });

  test('output that announces a prompt without the word changes nothing: what is typed stays hidden and is not kept', async () => {
    const { shell, say, history } = await started();
    shell.submit('type evil.txt');
    say('\x1b]5985;C:\\Users\\me\x1b\\C:\\Users\\me>');
    say('\r\nPassword: ');
    await settle();
    expect(shell.view).toMatchObject({ prompt: 'C:\\>', isRunning: true, seemsSecret: true });
    shell.answer('hunter2!Prod', true);
    expect(history.lines).not.toContain('hunter2!Prod');
  });
});
