/** The built app, served by a relay of its own, in Debian's chromium. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { withPnpm } from '../../scripts/pnpm.ts';
import { RIG_ACCOUNT } from '../peers/peers.ts';
import { Person } from '../person.ts';
import { CHROMIUM, CHROMIUM_ARGS } from '../playwright.config.ts';
import { startChild } from './children.ts';
import { type RelayProcess, startRelay } from './own-relay.ts';

const WEB_EXPORT = fileURLToPath(new URL('../../web/out', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A browser in front of the product. */
export interface Stage {
  readonly relay: RelayProcess;
  readonly browser: Browser;
  readonly context: BrowserContext;
  /** A page and hands on it; nobody is signed in yet. */
  newPerson(): Promise<Person>;
  stop(): Promise<void>;
}

/**
 * Builds the app when it is stale, and opens a browser; the relay reaches the ports of loopback that are named.
 * @param site a folder to serve instead of the app
 */
export async function startStage(targets: readonly number[], site?: string): Promise<Stage> {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no chromium at ${CHROMIUM}`);
  const relay = await startRelay({ targets, site: site ?? (await builtApp()) });
  const browser = await chromium
    .launch({ executablePath: CHROMIUM, chromiumSandbox: false, args: CHROMIUM_ARGS })
    .catch(async (error: unknown) => {
      await relay.stop();
      throw error;
    });
  const context = await browser.newContext({ baseURL: relay.origin, locale: 'en-US', viewport: SIZE });
  return {
    relay,
    browser,
    context,
    newPerson: async () => new Person(await context.newPage()),
    async stop() {
      await browser.close();
      await relay.stop();
    },
  };
}

/** From home, signed in, to a prompt. */
export async function openShell(person: Person, port: number): Promise<Page> {
  await person.connect({ server: `127.0.0.1:${port}`, ...RIG_ACCOUNT });
  return person.page;
}

/** The folder of the built app. FAIRLEAD_STATIC names one that is built already. */
export async function builtApp(): Promise<string> {
  const given = process.env['FAIRLEAD_STATIC'];
  if (given !== undefined && given !== '') return given;
  const words = withPnpm('turbo', 'run', 'build', '--filter=@fairlead/web', '--output-logs=errors-only');
  const [program, ...rest] = words;
  const build = startChild(program, [...rest, `--cwd=${ROOT}`], { NEXT_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' });
  await build.ended();
  return WEB_EXPORT;
}

/** The CPU time of all tasks of a page's main thread so far, as Chromium counts it, in milliseconds. */
export async function mainThreadCpu(context: BrowserContext, page: Page): Promise<() => Promise<number>> {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1000;
  };
}

const SIZE = { width: 1280, height: 800 };
