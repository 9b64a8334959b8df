/** Processes that a benchmark starts: each says when it is ready, and none of them outlives the benchmark. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that was started. */
export interface Child {
  readonly pid: number;
  /** The first group of a pattern, when it occurs in what the process printed. */
  printed(pattern: RegExp): Promise<string>;
  /** Resolves with everything it printed on standard output when it ends by itself with 0. */
  ended(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Starts a program; its standard error is ours only when it fails. */
export function startChild(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  running.add(child);
  let printed = '';
  let errors = '';
  const watchers = new Set<() => void>();
  const tell = () => {
    for (const watcher of [...watchers]) watcher();
  };
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes.toString('utf8');
    tell();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    errors = `${errors}${bytes.toString('utf8')}`.slice(-4000);
  });
  const over = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
  }).finally(() => {
    running.delete(child);
  });
  const failure = (how: string | number) => new Error(`${program} ${words.join(' ')} ended with ${how}: ${errors}`);
  return {
    pid: child.pid ?? 0,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const finish = (end: () => void) => {
          clearTimeout(timer);
          watchers.delete(look);
          end();
        };
        const look = () => {
          const found = pattern.exec(printed)?.[1];
          if (found !== undefined) finish(() => resolve(found));
        };
        const timer = setTimeout(() => finish(() => reject(failure('no word in time'))), START_LIMIT_MS);
        watchers.add(look);
        void over.then((how) => finish(() => reject(failure(how))));
        look();
      }),
    async ended() {
      const how = await over;
      if (how !== 0) throw failure(how);
      return printed;
    },
    kill: (signal) => void child.kill(signal),
    async stop() {
      if (!running.has(child)) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await over;
      clearTimeout(timer);
    },
  };
}

/** Waits until somebody listens on a port of loopback. */
export async function untilListening(port: number): Promise<void> {
  const endMs = performance.now() + START_LIMIT_MS;
  while (performance.now() < endMs) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** Whether a program is installed; a peer that is not is reported as missing. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}
