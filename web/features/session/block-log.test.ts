import { describe, expect, test } from 'vitest';
import { BlockLog, MAX_BLOCKS } from './block-log.ts';

function log(limit?: number) {
  const clock = { ms: 0 };
  return { clock, log: new BlockLog(() => clock.ms, limit) };
}

describe('BlockLog', () => {
  test('keeps prompt, command, size, lines and duration of each command', () => {
    const { log: blocks, clock } = log();
    blocks.begin('command', 'C:\\>', 'dir');
    clock.ms = 300;
    blocks.append('stdout', 'one\ntwo\n');
    blocks.append('stderr', 'bad\n');
    const ended = blocks.finish('finished');
    expect(ended).toMatchObject({
      prompt: 'C:\\>',
      command: 'dir',
      status: 'finished',
      durationMs: 300,
      lineCount: 3,
      errorLineCount: 1,
      charCount: 12,
    });
    expect(blocks.pieces(ended?.id ?? 0)).toEqual([
      { stream: 'stdout', text: 'one\ntwo\n' },
      { stream: 'stderr', text: 'bad\n' },
    ]);
    expect(blocks.running).toBeNull();
  });

  test('text before the first prompt is a banner', () => {
    const { log: blocks } = log();
    blocks.append('stdout', 'Microsoft Windows\n');
    expect(blocks.running).toMatchObject({ kind: 'banner', command: '' });
  });

  test('error output that comes after the prompt belongs to the command before it', () => {
    const { log: blocks } = log();
    blocks.begin('command', '>', 'check');
    blocks.append('stdout', 'fine\n');
    blocks.finish('finished', true);
    blocks.append('stderr', 'not quite\n');
    expect(blocks.blocks).toHaveLength(1);
    expect(blocks.blocks[0]).toMatchObject({ command: 'check', status: 'finished', errorLineCount: 1 });
    expect(blocks.running).toBeNull();
  });

  test('what is typed at a program is shown in the pieces and left out of the output', () => {
    const { log: blocks } = log();
    const { id } = blocks.begin('command', '>', 'ask');
    blocks.append('stdout', 'Name? ');
    blocks.append('input', 'ana\n');
    blocks.append('stdout', 'Hi ana\n');
    blocks.append('stdout', 'bye\n');
    expect(blocks.output(id)).toBe('Name? Hi ana\nbye\n');
    expect(blocks.pieces(id)).toHaveLength(3);
    expect(blocks.blocks[0]?.lineCount).toBe(2);
  });

  test('lets the oldest text go past its limit, and says so', () => {
    const { log: blocks } = log(100);
    const first = blocks.begin('command', '>', 'a').id;
    blocks.append('stdout', 'x'.repeat(60));
    const second = blocks.begin('command', '>', 'b').id;
    blocks.append('stdout', 'y'.repeat(60));
    expect(blocks.output(first)).toBe('');
    expect(blocks.output(second)).toHaveLength(60);
    expect(blocks.blocks.map((block) => [block.isWhole, block.charCount])).toEqual([
      [false, 60],
      [true, 60],
    ]);
    blocks.append('stdout', 'z'.repeat(60));
    expect(blocks.output(second)).toBe('z'.repeat(60));
  });

  test('keeps a bounded number of blocks', () => {
    const { log: blocks } = log();
    for (let at = 0; at < MAX_BLOCKS + 5; at += 1) blocks.begin('command', '>', `echo ${at}`);
    expect(blocks.blocks).toHaveLength(MAX_BLOCKS);
    expect(blocks.blocks[0]?.command).toBe('echo 5');
  });

  test('gives the first lines without touching the rest', () => {
    const { log: blocks } = log();
    const { id } = blocks.begin('command', '>', 'x');
    blocks.append('stdout', 'one\ntw');
    blocks.append('stdout', 'o\n');
    blocks.append('stderr', 'three\nfour\n');
    expect(blocks.pieces(id, 2)).toEqual([{ stream: 'stdout', text: 'one\ntwo\n' }]);
    expect(blocks.pieces(id, 3)[1]).toEqual({ stream: 'stderr', text: 'three\n' });
    expect(blocks.pieces(id, 9)).toHaveLength(2);
    expect(blocks.pieces(id, 0)).toEqual([]);
  });

  test('does not count the line end before a prompt as output', () => {
    const { log: blocks } = log();
    const outputs = ['vm\n\n', 'no line end\n', '\n', ''].map((text) => {
      const { id } = blocks.begin('command', '>', 'x');
      blocks.append('stdout', text);
      const ended = blocks.finish('finished', true);
      return [blocks.output(id), ended?.lineCount];
    });
    expect(outputs).toEqual([
      ['vm\n', 1],
      ['no line end', 1],
      ['', 0],
      ['', 0],
    ]);
    const { id } = blocks.begin('command', '>', 'x');
    blocks.append('stderr', 'bad\n');
    blocks.finish('finished', true);
    expect(blocks.output(id)).toBe('bad\n');
  });

  test('tells its watchers, with a new array each time', () => {
    const { log: blocks } = log();
    const before = blocks.blocks;
    let count = 0;
    const stop = blocks.watch(() => {
      count += 1;
    });
    blocks.begin('command', '>', 'a');
    expect(blocks.blocks).not.toBe(before);
    blocks.append('stdout', '');
    stop();
    blocks.finish('interrupted');
    expect(count).toBe(1);
    expect(blocks.finish('cut')).toBeNull();
  });
});
