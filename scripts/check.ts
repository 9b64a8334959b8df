/**
 * `npm test`: every check there is, in the order in which they are cheapest to fail. `npm test -- unit lint` runs only
 * the named stages. The last line is always `N passed, N failed`, counting tests.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withPnpm } from './pnpm.ts';
import { runStage, type Stage } from './stage.ts';
import { ensureSystemPackages } from './system-packages.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORTS = mkdtempSync(join(tmpdir(), 'fairlead-reports-'));

const VITEST = ['run', '--reporter=default', '--reporter=json'] as const;

/** The stages in order. */
export const STAGES: readonly Stage[] = [
  { name: 'format', commands: [['biome', 'format', '.']] },
  {
    name: 'lint',
    commands: [
      ['biome', 'check', '--error-on-warnings', '.'],
      ['oxlint', '--type-aware', '--deny-warnings'],
      // What nobody imports: files, exports, dependencies. The relay is started by its path, not imported.
      ['knip', '--no-progress'],
    ],
  },
  {
    name: 'types',
    commands: [withPnpm('turbo', 'run', 'types', '--output-logs=errors-only'), ['tsc', '-p', 'scripts/tsconfig.json']],
  },
  { name: 'house', commands: [['node', 'scripts/check-house.ts']] },
  {
    name: 'unit',
    // Among the unit tests is one where a stranger talks to the test host.
    before: ensureSystemPackages,
    commands: [['vitest', ...VITEST, `--outputFile.json=${REPORTS}/unit.json`]],
    report: 'unit.json',
  },
  {
    name: 'interop',
    before: ensureSystemPackages,
    commands: [['vitest', ...VITEST, '--config=vitest.interop.config.ts', `--outputFile.json=${REPORTS}/interop.json`]],
    report: 'interop.json',
  },
  { name: 'build', commands: [withPnpm('turbo', 'run', 'build', '--output-logs=errors-only')] },
  {
    name: 'e2e',
    before: ensureSystemPackages,
    commands: [['playwright', 'test', '--config=e2e/playwright.config.ts', '--reporter=list,json']],
    report: 'e2e.json',
    // A hundred tests in a browser, one after the other: more than ten minutes where the machine has other work.
    limitMinutes: 15,
  },
];

async function main(names: readonly string[]): Promise<boolean> {
  const unknown = names.filter((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.error(`No stage is called ${unknown.join(', ')}. Stages: ${STAGES.map(({ name }) => name).join(', ')}.`);
    return false;
  }
  const chosen = STAGES.filter((stage) => names.length === 0 || names.includes(stage.name));
  mkdirSync(REPORTS, { recursive: true });
  let passed = 0;
  let failed = 0;
  for (const stage of chosen) {
    const result = await runStage(stage, ROOT, REPORTS, chosen.length === 1);
    passed += result.passed;
    failed += result.failed;
    const tests = stage.report === undefined ? '' : `  ${result.passed} passed, ${result.failed} failed`;
    const seconds = (result.ms / 1000).toFixed(1);
    if (!result.isGreen) process.stdout.write(result.output);
    console.log(`${result.isGreen ? 'ok    ' : 'FAILED'} ${stage.name.padEnd(8)} ${seconds.padStart(6)} s${tests}`);
    if (!result.isGreen) break;
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

if (import.meta.main) {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
  } finally {
    rmSync(REPORTS, { recursive: true, force: true });
  }
}
