import { randomBytes } from 'node:crypto';
import { hashProof, makeCode, printCode, signInProof } from '@fairlead/contract';
import { request } from 'undici';
import { printHelp, type RelayConfig, readConfig, StartError } from './config.ts';
import { type Relay, startRelay } from './index.ts';
import { hasParent, obeyParent, tellCodeUsed } from './parent.ts';

/** Longest a stop may take, whatever hangs. */
const STOP_MS = 9500;

async function main(): Promise<void> {
  const [argument, ...rest] = process.argv.slice(2);
  if (argument === '--help' || argument === '-h') {
    process.stdout.write(printHelp());
    return;
  }
  if (rest.length > 0 || (argument !== undefined && argument !== '--check')) {
    throw new StartError('Only --help and --check are understood; settings are environment variables.');
  }
  const config = readConfig(process.env);
  if (argument === '--check') await check(config);
  else await run(config);
}

async function run(config: RelayConfig): Promise<void> {
  const onCodeUsed = () => {
    if (hasParent()) tellCodeUsed();
    else void printNewCode(relay);
  };
  const relay = await startRelay(config, { onCodeUsed });
  let interrupts = 0;
  let isStopping = false;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(0), STOP_MS).unref();
    relay.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', () => {
    // Ctrl+C twice: somebody is in a hurry. SIGTERM may follow the first by itself, from a start script.
    if (interrupts++ > 0) process.exit(0);
    stop();
  });
  if (hasParent()) {
    obeyParent(relay, stop);
    return;
  }
  process.stdout.write(`Fairlead is at ${relay.origin}\n`);
  await printNewCode(relay);
}

async function printNewCode(relay: Relay): Promise<void> {
  const code = makeCode((length) => randomBytes(length));
  relay.expectProof(await hashProof(await signInProof(code)));
  process.stdout.write(`Sign-in code, for one use: ${printCode(code)}\n`);
}

/** For a container's health check. */
async function check(config: RelayConfig): Promise<void> {
  const isAny = config.host === '0.0.0.0' || config.host === '::';
  const host = isAny ? '127.0.0.1' : config.host.includes(':') ? `[${config.host}]` : config.host;
  try {
    const { statusCode, body } = await request(`http://${host}:${config.port}/healthz`, {
      headersTimeout: 3000,
      bodyTimeout: 3000,
    });
    await body.dump();
    if (statusCode === 200) return;
    throw new StartError(`The relay on port ${config.port} is not ready; it answered ${statusCode}.`);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    throw new StartError(`No relay answers on ${host}, port ${config.port}.`, { cause });
  }
}

main().catch((error: unknown) => {
  const sentence = error instanceof StartError ? error.message : `The relay failed: ${String(error)}`;
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
});
