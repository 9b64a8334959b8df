import { describe, expect, test } from 'vitest';
import type { Past } from '../survival.ts';
import { SessionRecord } from './record.ts';

const out = (text: string): Extract<Past, { what: 'chunk' }> => ({
  what: 'chunk',
  stream: 'stdout',
  bytes: new TextEncoder().encode(text),
  atMs: 0,
});
const words = (record: SessionRecord) =>
  record.past.map((past) => (past.what === 'chunk' ? new TextDecoder().decode(past.bytes) : past.what));

describe('the record of a session', () => {
  test('puts what was typed where the page was, not where the worker is', () => {
    const record = new SessionRecord();
    record.addOutput(out('one'));
    record.addOutput(out('two'));
    record.addOutput({ what: 'gap', atMs: 0 });
    record.addNote({ what: 'line', prompt: '', text: 'dir', atMs: 0 }, 1);
    record.addNote({ what: 'interrupt', atMs: 0 }, 1);
    record.addNote({ what: 'clear', atMs: 0 }, 0);
    expect(words(record)).toEqual(['clear', 'one', 'line', 'interrupt', 'two', 'gap']);
    expect(record.chunkCount).toBe(3);
    expect(record.isTrimmed).toBe(false);
  });

  test('lets the oldest go, and begins with a whole line then', () => {
    const record = new SessionRecord(1_000);
    for (let at = 0; at < 50; at += 1) record.addOutput(out(`end of ${at}\nline ${at + 1}, `));
    expect(record.isTrimmed).toBe(true);
    const kept = words(record);
    expect(kept[0]).toMatch(/^line \d+, $/);
    expect(kept.at(-1)).toBe('end of 49\nline 50, ');
    expect(kept.length).toBeLessThan(15);
    expect(record.chunkCount).toBe(50);
  });

  test('is bounded by number as well', () => {
    const record = new SessionRecord();
    for (let at = 0; at < 25_000; at += 1) record.addNote({ what: 'interrupt', atMs: 0 }, 0);
    expect(record.past.length).toBeLessThanOrEqual(20_000);
  });
});
