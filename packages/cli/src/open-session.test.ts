import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '@fairlead/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeJournal } from './open-session.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeJournal', () => {
  it.each([false, true])('is for the owner only, and begins empty; there was a file already: %s', (isThere) => {
    const file = join(folder, 'journal.jsonl');
    if (isThere) {
      writeFileSync(file, 'old words that are longer than what will be written');
      chmodSync(file, 0o644);
    }
    const journal = new Journal(() => 1);
    journal.record({ event: 'state', state: 'idle' });
    writeJournal(journal, file);
    journal.record({ event: 'state', state: 'ready' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const states = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(states.map((line) => JSON.parse(line).what.state)).toEqual(['idle', 'ready']);
  });

  it('follows no symbolic link and says why nothing is written', () => {
    const [target, link] = [join(folder, 'target'), join(folder, 'link')];
    writeFileSync(target, 'kept');
    symlinkSync(target, link);
    expect(() => writeJournal(new Journal(() => 1), link)).toThrow('The journal cannot be written');
    expect(readFileSync(target, 'utf8')).toBe('kept');
  });
});
