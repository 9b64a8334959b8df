/**
 * `npm run bench`: prints one line of JSON for each figure and a table at the end. `npm run bench -- NAME …` measures
 * only what is named. Figures are printed to be compared with the peer beside them, which ran in the same minute on the
 * same machine; they are never a test.
 */
import { type Bench, Report } from './figure.ts';

/** Longer than all of it takes on a slow machine; whoever hangs is ended. */
const LIMIT_MS = 20 * 60_000;

/** Every group, loaded when it is its turn. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  exchanges: async () => (await import('./exchanges.ts')).exchanges,
  output: async () => (await import('./output.ts')).output,
  pipe: async () => (await import('./relay-pipe.ts')).relayPipe,
  tls: async () => (await import('./tls.ts')).tls,
  squid: async () => (await import('./squid.ts')).throughSquid,
  resume: async () => (await import('./resume-cost.ts')).resumeCost,
  idle: async () => (await import('./idle-tunnels.ts')).idleTunnels,
  weight: async () => (await import('./page-weight.ts')).pageWeight,
  page: async () => (await import('./page-output.ts')).pageOutput,
  thread: async () => (await import('./thread.ts')).thread,
  keys: async () => (await import('./key-to-paint.ts')).keyToPaint,
};

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) {
    console.error(`Nothing is called ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`);
    return 64;
  }
  const report = new Report();
  let exitCode = 0;
  for (const [name, load] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.error(`… ${name}`);
    try {
      await (await load())(report.say);
    } catch (error) {
      exitCode = 1;
      console.error(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  console.log(report.table());
  return exitCode;
}

setTimeout(() => {
  console.error(`It did not end within ${LIMIT_MS / 60_000} minutes.`);
  process.exit(1);
}, LIMIT_MS).unref();
// What a peer left open must not keep this from ending: children are ended on the way out.
process.exit(await main(process.argv.slice(2)));
