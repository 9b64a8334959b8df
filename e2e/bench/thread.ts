import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RIG_ACCOUNT } from '../peers/peers.ts';
import { startChild } from './children.ts';
import { type Bench, median, quantile } from './figure.ts';
import { startTestbedHost } from './hosts.ts';
import { OUTPUT_BYTES, OUTPUT_COMMAND, outputHash } from './output.ts';
import { builtApp, mainThreadCpu, startStage } from './page-kit.ts';
import type { ThreadRun } from './thread-run.ts';

const VITE = fileURLToPath(new URL('../node_modules/.bin/vite', import.meta.url));
const CONFIG = fileURLToPath(new URL('page/vite.config.ts', import.meta.url));
const ROUNDS = 3;

interface TimedRun extends ThreadRun {
  /** What the page's main thread worked, its own time and not the clock's: others on the machine do not count. */
  readonly cpuMs: number;
}

/** The same 50 MB into the same terminal, with the protocol on the main thread and in a worker. */
export const thread: Bench = async (say) => {
  const site = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const host = await startTestbedHost();
  try {
    // Beside the app, so that the page has the relay's cookie and the app's policy.
    cpSync(await builtApp(), site, { recursive: true });
    const words = ['build', '--config', CONFIG, '--outDir', join(site, 'bench'), '--logLevel', 'error'];
    await startChild(VITE, words).ended();
    const stage = await startStage([host.port], site);
    try {
      const person = await stage.newPerson();
      await person.signIn(stage.relay.code);
      const { page } = person;
      await page.goto('/bench/');
      await page.waitForFunction(() => typeof window.runOutput === 'function');
      const what = { origin: stage.relay.origin, target: `127.0.0.1:${host.port}`, ...RIG_ACCOUNT };
      const runs: Record<'main' | 'worker', TimedRun[]> = { main: [], worker: [] };
      const cpuMs = await mainThreadCpu(stage.context, page);
      const run = async (where: 'main' | 'worker'): Promise<TimedRun> => {
        const before = await cpuMs();
        const asked = [where, { ...what, command: OUTPUT_COMMAND }] as const;
        const ran = await page.evaluate(([place, command]) => window.runOutput(place, command), asked);
        return { ...ran, cpuMs: (await cpuMs()) - before };
      };
      for (let round = 0; round < ROUNDS; round += 1) {
        // The order changes, so that neither always runs in the warmer browser.
        for (const where of round % 2 === 0 ? (['main', 'worker'] as const) : (['worker', 'main'] as const)) {
          runs[where].push(await run(where));
        }
      }
      const expected = outputHash();
      if ([...runs.main, ...runs.worker].some(({ sha256 }) => sha256 !== expected)) throw new Error('bytes are lost');
      tell(say, runs);
    } finally {
      await stage.stop();
    }
  } finally {
    await host.stop();
    rmSync(site, { recursive: true, force: true });
  }
};

function tell(say: Parameters<Bench>[0], runs: Readonly<Record<'main' | 'worker', readonly TimedRun[]>>): void {
  const note = `median of ${ROUNDS}, interleaved, 50 MB into the product's terminal, SHA-256 verified`;
  const figures: readonly [name: string, unit: string, of: (run: TimedRun) => number][] = [
    ['protocol on the main thread, output', 'MB/s', (run) => OUTPUT_BYTES / 1e3 / run.ms],
    ['protocol on the main thread, CPU there per MB', 'ms', (run) => run.cpuMs / (OUTPUT_BYTES / 1e6)],
    ['protocol on the main thread, longest task', 'ms', (run) => Math.max(0, ...run.longTaskMs)],
    ['protocol on the main thread, long tasks in all', 'ms', (run) => run.longTaskMs.reduce((sum, ms) => sum + ms, 0)],
    ['protocol on the main thread, p99 between frames', 'ms', (run) => quantile(run.frameMs, 0.99)],
  ];
  for (const [name, unit, of] of figures) {
    const [value, peerValue] = [median(runs.main.map(of)), median(runs.worker.map(of))];
    say({ name, value, unit, peer: 'in a worker', peerValue, note });
  }
}
