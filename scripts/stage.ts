import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One step of `npm test`. */
export interface Stage {
  readonly name: string;
  /** Commands run one after the other; the first that fails ends the stage. */
  readonly commands: readonly (readonly [string, ...string[]])[];
  /** What must be true first: a sentence that says what is wrong, or null. */
  readonly before?: () => string | null;
  /** A report in the form that vitest and Playwright write, relative to the report folder. */
  readonly report?: string;
  /** One of its commands that takes longer hangs. 10 where nothing is said. */
  readonly limitMinutes?: number;
}

/** How a stage went. */
export interface StageResult {
  readonly isGreen: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
  readonly ms: number;
}

/** Runs a stage. With `isLoud` its output goes to the terminal as it comes, otherwise it is kept for the result. */
export async function runStage(
  stage: Stage,
  root: string,
  reportFolder: string,
  isLoud: boolean,
): Promise<StageResult> {
  const began = performance.now();
  const done = (isGreen: boolean, output: string): StageResult => {
    const counts = stage.report === undefined ? null : countTests(`${reportFolder}/${stage.report}`);
    const passed = counts?.passed ?? 0;
    // A stage that fails without a failed test (a type error, a crash) still counts as one failure.
    const failed = Math.max(counts?.failed ?? 0, isGreen ? 0 : 1);
    return { isGreen: isGreen && failed === 0, passed, failed, output, ms: performance.now() - began };
  };
  const problem = stage.before?.() ?? null;
  if (problem !== null) return done(false, `${problem}\n`);
  let output = '';
  for (const [command, ...words] of stage.commands) {
    const { isGreen, text } = await runCommand(command, words, stage.limitMinutes ?? 10, root, reportFolder, isLoud);
    output += text;
    if (!isGreen) return done(false, output);
  }
  if (stage.report !== undefined && countTests(`${reportFolder}/${stage.report}`) === null) {
    return done(false, `${output}The stage wrote no report of its tests.\n`);
  }
  return done(true, output);
}

function runCommand(
  command: string,
  words: string[],
  limitMinutes: number,
  root: string,
  reportFolder: string,
  isLoud: boolean,
) {
  return new Promise<{ isGreen: boolean; text: string }>((resolve) => {
    const child = spawn(command, words, {
      cwd: root,
      detached: true,
      stdio: isLoud ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PLAYWRIGHT_JSON_OUTPUT_NAME: `${reportFolder}/e2e.json`,
        NEXT_TELEMETRY_DISABLED: '1',
        TURBO_TELEMETRY_DISABLED: '1',
        DO_NOT_TRACK: '1',
      },
    });
    let text = '';
    const keep = (bytes: Buffer): void => {
      text += bytes.toString('utf8');
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const timer = setTimeout(() => {
      text += `Stopped after ${limitMinutes} minutes.\n`;
      killGroup(child);
    }, limitMinutes * 60_000);
    const stop = (): void => killGroup(child);
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const finish = (isGreen: boolean, last: string): void => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve({ isGreen, text: text + last });
    };
    child.once('error', (error) => finish(false, `${command}: ${error.message}\n`));
    child.once('close', (code) => finish(code === 0, ''));
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

/** Reads a JSON report of vitest or Playwright; null when there is none. */
export function countTests(file: string): { passed: number; failed: number } | null {
  let report: Record<string, unknown>;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
  if (typeof report['stats'] === 'object' && report['stats'] !== null) {
    const stats = report['stats'] as Record<string, unknown>;
    // A skipped test did not pass, and a flaky one did not either.
    return {
      passed: number(stats['expected']),
      failed: number(stats['unexpected']) + number(stats['flaky']) + number(stats['skipped']),
    };
  }
  const notRun = number(report['numPendingTests']) + number(report['numTodoTests']);
  return { passed: number(report['numPassedTests']), failed: number(report['numFailedTests']) + notRun };
}
