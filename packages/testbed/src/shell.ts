import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { HostCommand } from './command.ts';
import type { HostJournal } from './journal.ts';
import type { HostLimits } from './limits.ts';
import { newId } from './soap.ts';
import { faults } from './soap-fault.ts';

/** Where `cmd.exe` lies. First in the PATH of every command. */
export const BIN_DIRECTORY = fileURLToPath(new URL('../bin', import.meta.url));

/** What a shell is made of. */
export interface ShellOptions {
  /** DOMAIN\user; only this account may use the shell. */
  readonly owner: string;
  readonly directory: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly idleTimeoutMs: number;
  readonly limits: HostLimits;
  readonly journal: HostJournal;
  /** Called once, when the shell is closed by whatever. */
  readonly onClose: () => void;
}

/** One shell: a directory, an environment, its commands, and a clock that runs while nobody asks for anything. */
export class HostShell {
  readonly id = newId();
  readonly owner: string;
  readonly idleTimeoutMs: number;
  readonly #options: ShellOptions;
  readonly #commands = new Map<string, HostCommand>();
  #operationCount = 0;
  #idle: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.owner = options.owner;
    this.idleTimeoutMs = options.idleTimeoutMs;
    options.journal.record({ event: 'shell', what: 'opened', shell: this.id, reason: '' });
    this.#startIdling();
  }

  /** Runs an operation on this shell; it is not idle meanwhile. */
  async use<Result>(operation: () => Promise<Result>): Promise<Result> {
    this.#operationCount += 1;
    if (this.#idle !== null) clearTimeout(this.#idle);
    try {
      return await operation();
    } finally {
      this.#operationCount -= 1;
      if (this.#operationCount === 0) this.#startIdling();
    }
  }

  /** @throws SoapFault 2150859174 when too many commands were not terminated yet */
  start(line: string): HostCommand {
    const { limits, journal } = this.#options;
    if (this.#commands.size >= limits.maxCommandsPerShell) throw faults.tooManyOperations(limits.maxCommandsPerShell);
    const command = new HostCommand({
      line: isPlainCmd(line) ? `exec ${line}` : line,
      directory: this.#options.directory,
      environment: { ...baseEnvironment(), ...withoutNonsense(this.#options.variables), PATH: this.#path() },
      onEnd: (exitCode) => this.#record(command, 'ended', exitCode),
    });
    this.#commands.set(command.id, command);
    journal.record({
      event: 'command',
      what: 'started',
      shell: this.id,
      command: command.id,
      pid: command.pid,
      exitCode: null,
    });
    return command;
  }

  /** @throws SoapFault 2150858843 */
  command(id: string): HostCommand {
    return this.#commands.get(id.toUpperCase()) ?? raise(faults.commandGone(id));
  }

  /** Ends a command and frees its place. */
  terminate(command: HostCommand): void {
    this.#commands.delete(command.id);
    command.close();
  }

  /** Ends the shell with all its commands. Idempotent. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    for (const command of this.#commands.values()) command.close();
    this.#commands.clear();
    this.#options.journal.record({ event: 'shell', what: 'closed', shell: this.id, reason });
    this.#options.onClose();
  }

  #startIdling(): void {
    if (this.#isClosed) return;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close('idle'), this.idleTimeoutMs).unref();
  }

  #record(command: HostCommand, what: 'ended', exitCode: number): void {
    const { id: shell } = this;
    this.#options.journal.record({ event: 'command', what, shell, command: command.id, pid: command.pid, exitCode });
  }

  #path(): string {
    return `${BIN_DIRECTORY}:${this.#options.variables['PATH'] ?? process.env['PATH'] ?? '/usr/bin:/bin'}`;
  }
}

/**
 * Without `exec` the sh in between would wait for cmd.exe, be reached by Ctrl+C like the rest of the group, and after
 * the shell's regular end still report that it died of the signal.
 */
function isPlainCmd(line: string): boolean {
  return /^cmd(?:\.exe)?(?: [^;&|<>()`$"'\\\n]*)?$/.test(line);
}

/** What commands inherit: nothing of the host's own settings, and UTF-8 whatever the host was started with. */
function baseEnvironment(): Record<string, string> {
  const { username, homedir } = userInfo();
  const environment: Record<string, string> = { HOME: homedir, USER: username, LOGNAME: username, SHELL: '/bin/bash' };
  for (const name of ['TZ', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, LANG: 'C.UTF-8', TERM: 'dumb' };
}

function withoutNonsense(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => /^[^=\0]+$/.test(name)));
}

function raise(error: Error): never {
  throw error;
}
