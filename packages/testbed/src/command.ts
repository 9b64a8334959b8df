import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { newId } from './soap.ts';
import { faults } from './soap-fault.ts';

/** The two streams a command writes to. */
export type OutputName = 'stdout' | 'stderr';

/** What a Receive brings back. */
export interface Receipt {
  readonly chunks: readonly { readonly stream: OutputName; readonly bytes: Buffer }[];
  /** Streams that end with this receipt. */
  readonly ended: readonly OutputName[];
  /** Unsigned 32-bit; null while the command runs or has output left. */
  readonly exitCode: number | null;
}

/** How a command is started. */
export interface CommandOptions {
  /** For `/bin/sh -c`. */
  readonly line: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Called once, when the process has ended and its pipes are closed. */
  readonly onEnd: (exitCode: number) => void;
}

/** What is held of a stream before its pipe is paused: a few replies' worth, so that a slow reader slows the process. */
export const HIGH_WATER_BYTES = 1024 * 1024;
/** Where a paused pipe goes on. */
const LOW_WATER_BYTES = 256 * 1024;
/** What a client may send ahead of a process that does not read. */
const MAX_UNREAD_INPUT_BYTES = 1024 * 1024;
/** What a chunk costs beside its bytes: the markup around it. */
const CHUNK_FRAME_BYTES = 192;
/** How Windows ends a process that Ctrl+C reached: STATUS_CONTROL_C_EXIT, -1073741510 when read as signed. */
const CONTROL_C_EXIT = 0xc000013a;

/**
 * One real process, leader of its own group, and what it wrote and nobody has fetched.
 *
 * INVARIANT: at most HIGH_WATER_BYTES (and one read of a pipe) per stream are held; beyond that the process waits.
 */
export class HostCommand {
  readonly id = newId();
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #queue: { stream: OutputName; bytes: Buffer | null }[] = [];
  readonly #heldBytes: Record<OutputName, number> = { stdout: 0, stderr: 0 };
  #exitCode: number | null = null;
  #isClosed = false;
  /** The Receive that waits, if any. A later one takes its place. */
  #waiting: { wake: () => void; abort: () => void } | null = null;

  constructor(options: CommandOptions) {
    this.#child = spawn('/bin/sh', ['-c', options.line], {
      cwd: options.directory,
      env: { ...options.environment },
      detached: true,
      stdio: 'pipe',
    });
    this.#follow(this.#child.stdout, 'stdout');
    this.#follow(this.#child.stderr, 'stderr');
    this.#child.stdin.on('error', () => undefined); // the process closed its input; Send says so
    let isOver = false;
    const onOver = (code: number): void => {
      if (isOver) return;
      isOver = true;
      this.#exitCode = code;
      this.#waiting?.wake();
      options.onEnd(code);
    };
    this.#child.on('error', () => onOver(127)); // /bin/sh itself could not be started
    // A shell that a signal reaches while it forks dies of it, and its newest child never heard of it.
    this.#child.on('exit', (_code, signal) => signal !== null && this.#signalGroup(signal));
    this.#child.on('close', (code, signal) => onOver(code ?? exitCodeOf(signal)));
  }

  /** Of the process and its group; 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Bytes written by the process and not fetched yet. */
  get heldBytes(): number {
    return this.#heldBytes.stdout + this.#heldBytes.stderr;
  }

  /**
   * Waits for news and takes it. A Receive that was already waiting is aborted: its connection is usually dead and
   * would swallow the output.
   * @throws SoapFault 2150858793 when nothing came in time, 995 when the command was closed or another Receive came
   */
  async receive(
    wanted: ReadonlySet<string>,
    limitBytes: number,
    timeoutMs: number,
    gone: AbortSignal,
  ): Promise<Receipt> {
    this.#waiting?.abort();
    if (!this.#hasNews(wanted)) await this.#news(wanted, timeoutMs, gone);
    return this.#take(wanted, limitBytes);
  }

  /** Hands bytes to the process; resolves when its pipe took them. @throws SoapFault 109, 2150858793, 995 */
  async send(bytes: Uint8Array, isLast: boolean, timeoutMs: number): Promise<void> {
    const { stdin } = this.#child;
    if (this.#exitCode !== null || stdin.destroyed || stdin.writableEnded) throw faults.brokenPipe();
    if (stdin.writableLength > MAX_UNREAD_INPUT_BYTES) throw faults.timedOut();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(faults.timedOut()), timeoutMs);
      const settle = (error?: Error | null): void => {
        clearTimeout(timer);
        if (error) reject(faults.brokenPipe());
        else resolve();
      };
      if (bytes.length > 0) stdin.write(bytes, isLast ? undefined : settle);
      if (isLast) stdin.end(settle);
      else if (bytes.length === 0) settle();
    });
  }

  /** Sends a signal to the whole group. */
  signal(name: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): void {
    if (this.#exitCode === null) this.#signalGroup(name);
  }

  #signalGroup(name: NodeJS.Signals): void {
    if (this.pid === 0) return;
    try {
      process.kill(-this.pid, name);
    } catch {
      // The group ended a moment ago.
    }
  }

  /** Ends the process and its group at once and drops what it wrote. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.signal('SIGKILL');
    this.#queue.length = 0;
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
    this.#waiting?.abort();
  }

  #follow(pipe: Readable, stream: OutputName): void {
    pipe.on('data', (bytes: Buffer) => {
      this.#queue.push({ stream, bytes });
      this.#heldBytes[stream] += bytes.length;
      if (this.#heldBytes[stream] >= HIGH_WATER_BYTES) pipe.pause();
      this.#waiting?.wake();
    });
    pipe.on('end', () => {
      this.#queue.push({ stream, bytes: null });
      this.#waiting?.wake();
    });
    pipe.on('error', () => undefined);
  }

  #hasNews(wanted: ReadonlySet<string>): boolean {
    if (this.#isClosed) throw faults.aborted();
    return this.#exitCode !== null || this.#queue.some((item) => wanted.has(item.stream));
  }

  #news(wanted: ReadonlySet<string>, timeoutMs: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', abort);
        if (this.#waiting === mine) this.#waiting = null;
        outcome();
      };
      const abort = (): void => settle(() => reject(faults.aborted()));
      const wake = (): void => {
        if (!this.#isClosed && !this.#hasNews(wanted)) return;
        settle(this.#isClosed ? () => reject(faults.aborted()) : resolve);
      };
      const mine = { wake, abort };
      const timer = setTimeout(() => settle(() => reject(faults.timedOut())), timeoutMs);
      gone.addEventListener('abort', abort, { once: true });
      this.#waiting = mine;
      if (gone.aborted) abort();
    });
  }

  #take(wanted: ReadonlySet<string>, limitBytes: number): Receipt {
    const chunks: { stream: OutputName; bytes: Buffer }[] = [];
    const ended: OutputName[] = [];
    const kept: { stream: OutputName; bytes: Buffer | null }[] = [];
    let left = limitBytes;
    for (const item of this.#queue.splice(0)) {
      if (left === 0 || !wanted.has(item.stream)) {
        kept.push(item);
      } else if (item.bytes === null) {
        ended.push(item.stream);
      } else {
        const bytes = item.bytes.subarray(0, left);
        if (bytes.length < item.bytes.length) kept.push({ stream: item.stream, bytes: item.bytes.subarray(left) });
        const frame = chunks.at(-1)?.stream === item.stream ? 0 : CHUNK_FRAME_BYTES;
        left = Math.max(0, left - bytes.length - frame);
        chunks.push({ stream: item.stream, bytes });
        this.#drained(item.stream, bytes.length);
      }
    }
    this.#queue.push(...kept);
    return { chunks: joined(chunks), ended, exitCode: kept.length === 0 ? this.#exitCode : null };
  }

  #drained(stream: OutputName, byteCount: number): void {
    this.#heldBytes[stream] -= byteCount;
    if (this.#heldBytes[stream] <= LOW_WATER_BYTES) this.#child[stream].resume();
  }
}

/** Neighbours of one stream become one chunk, as a single write would have been. */
function joined(chunks: readonly { stream: OutputName; bytes: Buffer }[]): { stream: OutputName; bytes: Buffer }[] {
  const runs: { stream: OutputName; parts: Buffer[] }[] = [];
  for (const { stream, bytes } of chunks) {
    const last = runs.at(-1);
    if (last?.stream === stream) last.parts.push(bytes);
    else runs.push({ stream, parts: [bytes] });
  }
  return runs.map(({ stream, parts }) => ({
    stream,
    bytes: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts),
  }));
}

function exitCodeOf(signal: NodeJS.Signals | null): number {
  if (signal === 'SIGINT' || signal === 'SIGQUIT') return CONTROL_C_EXIT;
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}
