import { Journal, type SessionState, WinRmError } from '@fairlead/protocol';
import { describe, expect, test } from 'vitest';
import { LineHistory } from './history.ts';
import { LiveShell } from './live-shell.ts';
import type { Screen } from './screen/screen.ts';
import type { ShellSession } from './shell-session.ts';
import type { Draft, Note, Past, Survived } from './survival.ts';

const WORD = '0123456789abcdef';
const PROMPT = `\x1b]5985;${WORD};C:\\\x1b\\C:\\>`;
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const bytes = (text: string) => new TextEncoder().encode(text);
const out = (text: string, atMs = 0): Past => ({ what: 'chunk', stream: 'stdout', bytes: bytes(text), atMs });
const prompt = (directory: string, atMs = 0) => out(`\x1b]5985;${WORD};${directory}\x1b\\${directory}>`, atMs);
const nothing: Survived = { past: [], isTrimmed: false, draft: { text: '', queue: [] }, lateError: null };

function setUp(survived: Survived | null, language = 'en') {
  const sent: string[] = [];
  const notes: Note[] = [];
  const drafts: Draft[] = [];
  const chunks: Uint8Array[] = [];
  let wake = () => {};
  const session: ShellSession = {
    state: { at: 'ready', link: 'live' } as SessionState,
    journal: new Journal(() => 0),
    watch: () => () => {},
    open: async () => {},
    output: (async function* () {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk) yield { stream: 'stdout' as const, bytes: chunk };
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    })(),
    promptWord: WORD,
    writeText: async (text) => void sent.push(text),
    endInput: async () => {},
    interrupt: async (how) => void sent.push(`<${how}>`),
    close: async () => {},
    counts: { exchanges: 0, requestBytes: 0, responseBytes: 0, connections: 0, handshakes: 0 },
    lastRoundTripMs: null,
    survived,
    note: (note) => void notes.push(note),
    keepDraft: (draft) => void drafts.push(draft),
  };
  const written: string[] = [];
  const screen = {
    write: (_stream: string, text: string) => void written.push(text),
    writeCommand: (at: string, command: string) => void written.push(`${at}${command}`),
    writeInput: (text: string, isHidden: boolean) => void written.push(isHidden ? '<hidden>' : `<${text}>`),
    writeDivider: (words: string) => void written.push(`--${words}--`),
    clear: () => void written.push('<clear>'),
    ready: () => Promise.resolve(),
  } as unknown;
  const clock = () => 500_000;
  const history = new LineHistory(null, 't');
  const shell = new LiveShell({
    ...{ history, clock, kind: 'interactive', language, command: '' },
    screen: screen as Screen,
  });
  const gap = (sinceMs: number | null, atMs: number) => `gap ${sinceMs} ${atMs}`;
  void shell.run(session, 65_001, gap);
  const raw = async (chunk: Uint8Array) => {
    chunks.push(chunk);
    wake();
    await settle();
  };
  const give = (text: string) => raw(bytes(text));
  return { shell, sent, notes, drafts, written, history, give, raw };
}

describe('what an earlier page left', () => {
  test('is shown as it was, and nothing of it is sent, noted or announced again', async () => {
    const now = Date.now();
    const past: Past[] = [
      prompt('C:\\', now - 9_000),
      { what: 'line', prompt: 'C:\\>', text: 'dir', atMs: now - 8_000 },
      out('dir\r\na.txt\r\n', now - 7_500),
      prompt('C:\\', now - 6_000),
      { what: 'line', prompt: 'C:\\>', text: 'ask', atMs: now - 5_000 },
      out('Name? ', now - 4_000),
      { what: 'input', text: 'ana', atMs: now - 3_000 },
      { what: 'divider', words: 'resumed', atMs: now - 2_000 },
      { what: 'gap', atMs: now - 1_000 },
      out('Password: ', now - 500),
    ];
    const { shell, sent, notes, written, history } = setUp({ ...nothing, past });
    await settle();
    expect(written).toEqual([
      ...['C:\\>dir', 'a.txt\r\n', 'C:\\>ask', 'Name? ', '<ana>', '--resumed--'],
      ...[`--gap ${now - 4_000} ${now - 1_000}--`, 'Password: '],
    ]);
    expect(sent).toEqual([]);
    expect(notes).toEqual([]);
    expect(shell.view).toMatchObject({ prompt: 'C:\\>', isRunning: true, seemsSecret: true, lastEnded: null });
    expect(history.lines).toEqual(['dir', 'ask']);
    const [dir] = shell.blocks.blocks.filter(({ command }) => command === 'dir');
    // With the times at which it happened, on this page's clock.
    expect(dir?.durationMs).toBeGreaterThan(1_900);
    expect(dir?.durationMs).toBeLessThan(2_100);
    expect(shell.blocks.output(dir?.id ?? 0)).toBe('a.txt');
  });

  test('goes on where it stopped, in the middle of a letter or of a prompt', async () => {
    const letter = bytes('ü');
    const { written, raw } = setUp({
      ...nothing,
      past: [{ what: 'chunk', stream: 'stdout', bytes: letter.slice(0, 1), atMs: 0 }],
    });
    await settle();
    await raw(letter.slice(1));
    expect(written).toEqual(['ü']);
    const half = `\x1b]5985;${WORD};D:\\`;
    const other = setUp({ ...nothing, past: [out(half)] });
    await settle();
    await other.give('\x1b\\D:\\>');
    expect(other.shell.view.prompt).toBe('D:\\>');
    expect(other.written).toEqual([]);
  });

  test('gives back what was being written, and sends lines that still wait, each once', async () => {
    const past = [prompt('C:\\'), { what: 'line', prompt: 'C:\\>', text: 'one', atMs: 0 } as const];
    const { shell, sent, notes, give } = setUp({ ...nothing, past, draft: { text: 'half', queue: ['two', 'three'] } });
    await settle();
    expect(shell.view).toMatchObject({ offered: { text: 'half' }, queuedCount: 2, isRunning: true });
    expect(sent).toEqual([]);
    await give(`\x1b]5985;${WORD};C:\\\x1b\\C:\\>`);
    expect(sent).toEqual(['two\r\n']);
    expect(notes).toEqual([{ what: 'line', prompt: 'C:\\>', text: 'two' }]);
    expect(shell.view.queuedCount).toBe(1);
  });

  test('tells what went wrong with a line while no page was there: shell.fate-unknown', async () => {
    const lateError = new WinRmError('shell.fate-unknown', { operation: 'Send' });
    const { shell } = setUp({ ...nothing, lateError });
    await settle();
    expect(shell.view.inputError).toBe(lateError);
  });

  test('ends with a line of which nobody knows whether it runs, and the prompt stays: shell.fate-unknown', async () => {
    const line: Past = { what: 'line', prompt: 'C:\\>', text: 'dir', atMs: 2 };
    const lateError = new WinRmError('shell.fate-unknown', { operation: 'Send' });
    const unseen = setUp({ ...nothing, past: [prompt('C:\\', 1), line], lateError });
    const seen = setUp({ ...nothing, past: [prompt('C:\\', 1), line, { what: 'doubt', atMs: 3 }] });
    await settle();
    for (const { shell } of [unseen, seen]) expect(shell.view).toMatchObject({ isRunning: false, prompt: 'C:\\>' });
  });

  test('is not complained of again for its letters', async () => {
    const { shell } = setUp({ ...nothing, past: [out('GrÃ¼ÃŸe GrÃ¼ÃŸe GrÃ¼ÃŸe\n')] }, 'de');
    await settle();
    expect(shell.view.mojibake).toBeNull();
  });
});

describe('what the next page will need', () => {
  test('is told as it happens; hidden input is not', async () => {
    const { shell, notes, drafts, give } = setUp(null);
    await give(`\x1b]5985;${WORD};C:\\\x1b\\C:\\>`);
    shell.keepDraft('as');
    shell.submit('ask');
    shell.answer('ana', false);
    shell.answer('Secret 1', true);
    await shell.interrupt('ctrl-c');
    shell.divide('resumed');
    shell.clear();
    expect(notes).toEqual([
      { what: 'line', prompt: 'C:\\>', text: 'ask' },
      { what: 'input', text: 'ana' },
      { what: 'input', text: null },
      { what: 'interrupt' },
      { what: 'divider', words: 'resumed' },
      { what: 'clear' },
    ]);
    expect(JSON.stringify([notes, drafts])).not.toContain('Secret');
    expect(drafts).toContainEqual({ text: 'as', queue: [] });
  });
});

describe('lines while the link is broken', () => {
  test('wait, and are sent once when it is back', async () => {
    const { shell, sent, drafts, give } = setUp(null);
    await give(`\x1b]5985;${WORD};C:\\\x1b\\C:\\>`);
    shell.setLinked(false);
    shell.submit('one');
    shell.submit('two');
    expect(sent).toEqual([]);
    expect(shell.view).toMatchObject({ queuedCount: 2, isLinked: false });
    expect(drafts.at(-1)).toEqual({ text: '', queue: ['one', 'two'] });
    shell.setLinked(true);
    await settle();
    expect(sent).toEqual(['one\r\n']);
    await give(`\x1b]5985;${WORD};C:\\\x1b\\C:\\>`);
    expect(sent).toEqual(['one\r\n', 'two\r\n']);
  });

  test('can be taken back, and come back by themselves when the session is lost', async () => {
    const { shell, sent } = setUp(null);
    shell.setLinked(false);
    expect(shell.takeBack()).toBe(false);
    shell.submit('one');
    expect(shell.takeBack()).toBe(true);
    expect(shell.view).toMatchObject({ offered: { text: 'one' }, queuedCount: 0 });
    shell.submit('two');
    shell.submit('three');
    shell.ended('lost', true);
    expect(shell.view).toMatchObject({ offered: { text: 'two\nthree' }, queuedCount: 0 });
    expect(sent).toEqual([]);
  });

  test('wait for a program too, and are sent to it once; hidden ones are kept nowhere', async () => {
    const { shell, sent, drafts, written, give } = setUp(null);
    await give(PROMPT);
    shell.submit('ask');
    await settle();
    sent.length = 0;
    shell.setLinked(false);
    shell.answer('typed', false);
    shell.answer('Secret 1', true);
    expect(sent).toEqual([]);
    expect(written).not.toContain('<typed>');
    expect(shell.view).toMatchObject({ queuedCount: 2, isRunning: true });
    expect(drafts.at(-1)).toEqual({ text: 'typed', queue: [] });
    shell.setLinked(true);
    await settle();
    expect(sent).toEqual(['typed\r\n', 'Secret 1\r\n']);
    expect(written).toContain('<typed>');
    expect(shell.view.queuedCount).toBe(0);
    expect(drafts.at(-1)?.text).toBe('');
  });

  test('come back into the line when the program ended before they were sent, or when they are taken back', async () => {
    const { shell, sent, give } = setUp(null);
    await give(PROMPT);
    shell.submit('ask');
    await settle();
    shell.setLinked(false);
    shell.answer('typed', false);
    shell.answer('Secret 1', true);
    expect(shell.takeBack()).toBe(true);
    expect(shell.view).toMatchObject({ offered: { text: 'typed' }, queuedCount: 0, isRunning: true });
    shell.answer('again', false);
    await give(PROMPT);
    shell.setLinked(true);
    await settle();
    expect(shell.view).toMatchObject({ offered: { text: 'again' }, queuedCount: 0, isRunning: false });
    expect(sent).toEqual(['ask\r\n']);
  });
});
