#!/usr/bin/env node
import { askSecret } from './ask-secret.ts';
import { run } from './run.ts';

/** Ended by a signal is 128 and its number, as shells say it. */
const STOP_CODES = { SIGHUP: 129, SIGTERM: 143 } as const;
let stopCode: number | null = null;
// A reader that went away shows itself in the next write; without a listener it would end the process, shell and all.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  askSecret,
  onInterrupt: (listener) => {
    const interrupt = (): void => listener('interrupt');
    const stop = (signal: 'SIGHUP' | 'SIGTERM'): void => {
      stopCode = STOP_CODES[signal];
      listener('stop');
    };
    process.on('SIGINT', interrupt).on('SIGTERM', stop).on('SIGHUP', stop);
    return () => process.off('SIGINT', interrupt).off('SIGTERM', stop).off('SIGHUP', stop);
  },
});
process.exitCode = stopCode ?? exitCode;
