import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readTree } from './house/sources.ts';
import { withSettings } from './settings-doc.ts';
import { countTests, runStage, type Stage } from './stage.ts';
import { missingPackages } from './system-packages.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'fairlead-stage-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

function report(name: string, content: unknown): string {
  writeFileSync(join(FOLDER, name), JSON.stringify(content));
  return join(FOLDER, name);
}

describe('countTests', () => {
  it('reads a vitest report; what did not run did not pass', () => {
    const counts = { numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };
    expect(countTests(report('vitest.json', counts))).toEqual({ passed: 5, failed: 4 });
  });

  it('reads a Playwright report; a flaky test is not a passed one', () => {
    const stats = { expected: 9, unexpected: 1, flaky: 1, skipped: 1 };
    expect(countTests(report('playwright.json', { stats }))).toEqual({ passed: 9, failed: 3 });
  });

  it('gives null for a report that is not there or not one', () => {
    expect(countTests(join(FOLDER, 'none.json'))).toBeNull();
    writeFileSync(join(FOLDER, 'torn.json'), '{');
    expect(countTests(join(FOLDER, 'torn.json'))).toBeNull();
  });
});

describe('runStage', () => {
  const run = (stage: Stage) => runStage(stage, FOLDER, FOLDER, false);
  const shell = (line: string): readonly [string, ...string[]] => ['sh', '-c', line];

  it('is green when every command ends with 0', async () => {
    expect(await run({ name: 'x', commands: [shell('echo a'), shell('echo b')] })).toMatchObject({
      isGreen: true,
      failed: 0,
      output: 'a\nb\n',
    });
  });

  it('stops at the first command that fails and keeps what it printed', async () => {
    const result = await run({ name: 'x', commands: [shell('echo why >&2; exit 3'), shell('echo never')] });
    expect(result).toMatchObject({ isGreen: false, failed: 1, output: 'why\n' });
  });

  it('is red when its report has a failure, whatever the exit code, and when there is no report', async () => {
    report('red.json', { numPassedTests: 1, numFailedTests: 1 });
    expect(await run({ name: 'x', commands: [shell('true')], report: 'red.json' })).toMatchObject({ isGreen: false });
    expect(await run({ name: 'x', commands: [shell('true')], report: 'gone.json' })).toMatchObject({ failed: 1 });
  });

  it('is red without running when something is missing first', async () => {
    const stage = { name: 'x', before: () => 'Install squid.', commands: [shell('echo never')] };
    expect(await run(stage)).toMatchObject({ isGreen: false, output: 'Install squid.\n' });
  });

  it('stops a command that takes longer than its stage may', async () => {
    const stage = { name: 'x', commands: [shell('echo begun; sleep 600')], limitMinutes: 0.01 };
    expect(await run(stage)).toMatchObject({ isGreen: false, output: 'begun\nStopped after 0.01 minutes.\n' });
  });

  it('is red when the command does not exist', async () => {
    expect(await run({ name: 'x', commands: [['no-such-command-here']] })).toMatchObject({ isGreen: false, failed: 1 });
  });
});

describe('the documents', () => {
  it('list the settings of the relay as it prints them itself', () => {
    const runbook = readFileSync(new URL('../docs/runbook.md', import.meta.url), 'utf8');
    expect(runbook).toBe(withSettings(runbook));
  });

  it('link only to files that exist', () => {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const tree = readTree(root);
    const broken: string[] = [];
    for (const [path, text] of tree) {
      if (!path.endsWith('.md')) continue;
      for (const [, link] of text.matchAll(/\]\(([^)#:]+?)(?:#[^)]*)?\)/g)) {
        const target = new URL(link as string, `file:///${path}`).pathname.slice(1).replace(/\/$/, '');
        if (!existsSync(join(root, target))) broken.push(`${path}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

describe('missingPackages', () => {
  it('names what is not installed', () => {
    expect(missingPackages(['dpkg', 'no-such-package-here'])).toEqual(['no-such-package-here']);
  });
});
