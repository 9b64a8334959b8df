import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeDataFolder } from './store-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'fairlead-data-'));
afterAll(() => rmSync(root, { recursive: true }));

test('a data folder is made with what leads to it, for its owner only', () => {
  const folder = join(root, 'a/b');
  makeDataFolder(folder);
  makeDataFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('what cannot be a folder is refused in one sentence, and at once', () => {
  writeFileSync(join(root, 'file'), '');
  for (const folder of [join(root, 'file'), join(root, 'file/below'), '/proc/nope/deep', '/dev/null/x']) {
    expect(() => makeDataFolder(folder), folder).toThrow(
      /^Cannot keep data in \S+: [a-z -]+\. Set FAIRLEAD_DATA to another folder\.$/,
    );
  }
});
