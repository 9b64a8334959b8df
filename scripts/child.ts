import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process that the start script runs, and a channel to it. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<string, (message: Record<string, unknown>) => void>();
  /** Resolves with the exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>;

  /** Starts `file` (relative to this folder) with its output on ours. */
  constructor(file: string, environment: Readonly<Record<string, string | undefined>>) {
    // In a process group of its own: Ctrl+C in a terminal reaches the start script only, which then stops it in order.
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
      detached: true,
      env: { ...environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code) => resolve(code));
      this.#process.once('error', () => resolve(null));
    });
    this.#process.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('type' in message)) return;
      this.#waiting.get(String(message.type))?.(message as Record<string, unknown>);
    });
  }

  /** Calls back for each message of a type. */
  on(type: string, listener: (message: Record<string, unknown>) => void): void {
    this.#waiting.set(type, listener);
  }

  /** The first message of a type, or null when the process ended before it came. */
  async first(type: string): Promise<Record<string, unknown> | null> {
    const came = new Promise<Record<string, unknown>>((resolve) => this.on(type, resolve));
    return Promise.race([came, this.ended.then(() => null)]);
  }

  /** Tells it something; a process that is gone hears nothing. */
  send(message: Record<string, unknown>): void {
    if (this.#process.connected) this.#process.send(message);
  }

  /** Asks it to stop, and makes it after `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), limitMs);
    await this.ended;
    clearTimeout(timer);
  }
}
