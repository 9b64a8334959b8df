/**
 * `npm start`: builds the web app if it is stale, starts the relay and beside it the demo, and prints where to go.
 *
 * The sign-in code exists here and on the screen only. The relay is told the hash of its proof, the demo a password
 * derived from it; neither can be turned into the other.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoPassword, hashProof, makeCode, printCode, signInProof } from '../packages/contract/src/index.ts';
import { makeDataFolder } from '../relay/src/store-folder.ts';
import { Child } from './child.ts';
import { withPnpm } from './pnpm.ts';

/** The settings of the relay pass through; it reads and checks them. */
const settings: Readonly<Record<string, string | undefined>> = process.env;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Less than the 10 s in which everything must be gone. */
const STOP_MS = 9000;
/** A build that is up to date says so within this time; a longer one deserves a word. */
const QUIET_BUILD_MS = 1500;

async function main(): Promise<number> {
  try {
    makeDataFolder(settings['FAIRLEAD_DATA'] || '.data');
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
  if (!(await buildWebApp())) return 1;
  const demo = settings['FAIRLEAD_NO_DEMO'] === '1' ? null : await startDemo();
  if (demo === 'failed') return 1;
  const relay = new Child('../relay/src/main.ts', {
    ...settings,
    FAIRLEAD_LOG_LEVEL: settings['FAIRLEAD_LOG_LEVEL'] ?? 'warn',
    ...(demo === null ? {} : { FAIRLEAD_DEMO: JSON.stringify(demo.place) }),
  });
  const stopAsked = new Promise<'asked'>((resolveAsked) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolveAsked('asked'));
  });
  let isStopping = false;
  const stopAll = (): Promise<unknown> => {
    isStopping = true;
    return Promise.all([relay.stop(STOP_MS), demo?.child.stop(STOP_MS)]);
  };
  const ready = await Promise.race([relay.first('ready'), stopAsked]);
  if (ready === 'asked' || ready === null) {
    // When the relay could not start it has said why in one sentence.
    await stopAll();
    return ready === null ? 1 : 0;
  }
  const announce = async (isFirst: boolean): Promise<void> => {
    const code = makeCode((length) => randomBytes(length));
    const password = await demoPassword(code);
    const admitToDemo = (): void => demo?.child.send({ type: 'account', password });
    // The demo has one account. It belongs to whoever signed in last, so a new code must not change it by being printed.
    if (isFirst) admitToDemo();
    relay.on('code-used', () => {
      admitToDemo();
      console.log('\nThe code was used. For another browser:');
      announce(false).catch(failLoudly);
    });
    relay.send({ type: 'accept-proof', proofHash: await hashProof(await signInProof(code)) });
    console.log(`Sign-in code, for one use: ${printCode(code)}`);
  };
  // What strips `Upgrade` stands before the relay, which has a port only now.
  if (demo !== null) demo.child.send({ type: 'relay', host: loopbackHost(), port: ready['port'] });
  printWelcome(Number(ready['port']), demo !== null);
  await announce(true);
  console.log('Stop with Ctrl+C.');
  demo?.child.ended
    .then(() => {
      if (isStopping) return;
      relay.send({ type: 'demo-ended' });
      console.log('The demo has ended by itself; everything else goes on.');
    })
    .catch(failLoudly);
  const what = await Promise.race([stopAsked, relay.ended]);
  await stopAll();
  if (what === 'asked') return 0;
  console.error('The relay ended by itself.');
  return 1;
}

/** Where this machine reaches the relay. */
function loopbackHost(): string {
  const host = settings['FAIRLEAD_HOST'] || settings['HOST'] || '127.0.0.1';
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

function printWelcome(port: number, hasDemo: boolean): void {
  const origin = settings['FAIRLEAD_PUBLIC_ORIGIN'] ?? `http://localhost:${port}`;
  const targets = settings['FAIRLEAD_TARGETS'] ?? '';
  const exceptDemo = hasDemo ? ', except the demo' : '';
  console.log(`\nFairlead is at ${origin}`);
  console.log(`Data is kept in ${resolve(settings['FAIRLEAD_DATA'] || '.data')}`);
  if (targets === '') {
    console.log(`The relay may reach: nothing yet${exceptDemo}.`);
    console.log("  To allow a host: FAIRLEAD_TARGETS='srv1.corp:5985@10.0.0.0/8' npm start   (docs/runbook.md)");
  } else console.log(`The relay may reach: ${targets}${hasDemo ? ', and the demo' : ''}`);
}

interface Demo {
  readonly child: Child;
  /** Where it is, as the relay's FAIRLEAD_DEMO wants it. */
  readonly place: object;
}

async function startDemo(): Promise<Demo | 'failed'> {
  const child = new Child('demo.ts', settings);
  const ready = await child.first('ready');
  const place = ready?.['place'] as Demo['place'] | undefined;
  if (place !== undefined) return { child, place };
  console.error('The demo could not start. FAIRLEAD_NO_DEMO=1 npm start leaves it out.');
  return 'failed';
}

/** Builds when something the app is made of has changed; the task runner knows. */
function buildWebApp(): Promise<boolean> {
  return new Promise((resolveBuilt) => {
    const [npx, ...words] = withPnpm('turbo', 'run', 'build', '--filter=@fairlead/web', '--output-logs=errors-only');
    const build = spawn(npx, words, {
      cwd: ROOT,
      env: { ...settings, NEXT_TELEMETRY_DISABLED: '1', TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const notice = setTimeout(() => console.log('Building the web app, once…'), QUIET_BUILD_MS);
    let output = '';
    for (const stream of [build.stdout, build.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        output += bytes.toString('utf8');
      });
    }
    const finish = (isBuilt: boolean, why: string): void => {
      clearTimeout(notice);
      if (!isBuilt) console.error(`${output}${why}`);
      resolveBuilt(isBuilt);
    };
    build.once('error', (error) => finish(false, `The web app could not be built: ${error.message}`));
    build.once('close', (code) => finish(code === 0, 'The web app could not be built; the reason is above.'));
  });
}

function failLoudly(error: unknown): void {
  console.error(`The start script failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

process.exitCode = await main();
