import { withDeadline } from '../bytes/deadline.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { WsmanClient } from '../wsman/client.ts';
import type { Lane } from '../wsman/lane.ts';
import {
  createShell,
  deleteShell,
  type ReceiveReply,
  receive,
  receiveAtOnce,
  runCommand,
  send,
  signalCommand,
} from '../wsman/operations.ts';
import { Input } from './_input.ts';
import { Output } from './_output.ts';
import { PollTime } from './_poll-time.ts';
import { cmdPrompt } from './cmd-prompt.ts';
import { type ExitCode, exitCodeOf, type Interrupt, type Shell, type Standing } from './shell.ts';
import { checkShellOptions, checkStanding, type ShellOptions } from './shell-options.ts';

/** What a shell is opened with. */
export interface WinRsOptions {
  readonly client: WsmanClient;
  /** Carries Send and Signal, and for an interactive shell all but Receive. */
  readonly control: Lane;
  /** Carries Receive; for a single command also Create and Command, so that it needs one connection only. */
  readonly output: Lane;
  readonly shell: ShellOptions;
  /** Of `makePromptWord`; for an interactive shell. */
  readonly promptWord: string;
  readonly platform: Platform;
  readonly signal: AbortSignal;
  /** Called when the server has made the shell, before the command is started. */
  readonly onShell: () => void;
  /** Called with the deletion of a shell whose command could not be started; the lanes are needed until it is over. */
  readonly onOrphan: (deletion: Promise<void>) => void;
}

/** How long closing may take: a Signal and a Delete, or a handshake where there is no connection any more. */
export const CLOSE_TIMEOUT_MS = 5000;

/** While a shell is watched, Receive keeps it alive; after a lost tab it should not hold its quota for long. */
const DEFAULT_IDLE_SECONDS = 900;

/** A server that has nothing to say waits; one that says so at once is not asked faster than this. */
const LEAST_POLL_MS = 250;

/** How long the server may wait with what is asked again over a new connection. */
const AFTER_LOSS_SECONDS = 1;

/** What a Send envelope takes beside the data: header, selectors, names; the largest we write is under 2 KiB. */
const SEND_OVERHEAD_BYTES = 4096;

/**
 * Opens a shell of the cmd family and starts a command in it.
 *
 * [MS-WSMV] 3.1.4.5 Create, 3.1.4.11 Command
 * @throws misuse.bad-argument before anything is sent; wsman.*, and what the lanes throw. A shell that was made before
 *   the failure is deleted in passing.
 */
export async function openWinRs(options: WinRsOptions): Promise<Shell> {
  const { client, shell, signal } = options;
  checkShellOptions(shell);
  const isInteractive = shell.kind === 'interactive';
  const starter = isInteractive ? options.control : options.output;
  const shellId = await postCreate(
    client,
    createShell({
      codePage: shell.codePage,
      noProfile: shell.noProfile ?? false,
      workingDirectory: shell.workingDirectory || null,
      environment: { ...(isInteractive ? { PROMPT: cmdPrompt(options.promptWord) } : {}), ...shell.environment },
      idleTimeoutSeconds: shell.idleTimeoutSeconds ?? DEFAULT_IDLE_SECONDS,
    }),
    starter,
    signal,
  );
  try {
    options.onShell();
    const line = isInteractive ? 'cmd.exe' : (shell.command ?? '');
    const hasConsoleStdin = isInteractive || (shell.consoleStdin ?? false);
    const commandId = await client.post(runCommand(shellId, line, { hasConsoleStdin }), starter, signal);
    return new WinRsShell(options, { shellId, commandId });
  } catch (error) {
    options.onOrphan(withinClosingTime(options.platform, (inner) => client.post(deleteShell(shellId), starter, inner)));
    throw error;
  }
}

/**
 * Takes a shell up again that an earlier session opened, with its command as it runs. Nothing is started, and nothing is
 * deleted when it fails. Its output begins with a gap: nobody knows what the earlier session was still given.
 *
 * WinRS shells belong to an account, not to a connection: [MS-WSMV] 3.1.4.1.2. Whom one does not belong to is told that
 * there is none.
 * @throws misuse.bad-argument before anything is sent; shell.gone, wsman.*, and what the lanes throw
 */
export async function takeUpWinRs(options: WinRsOptions, standing: Standing): Promise<Shell> {
  checkShellOptions(options.shell);
  checkStanding(standing);
  const { shellId, commandId } = standing;
  const shell = new WinRsShell(options, { shellId, commandId }, true);
  await shell.find(options.signal);
  return shell;
}

/**
 * A Create whose fate is unknown is not repeated either, but nothing of the person's has been done: at worst an idle
 * shell is left that the server deletes itself. So the error is the one that happened.
 */
async function postCreate(
  client: WsmanClient,
  operation: ReturnType<typeof createShell>,
  lane: Lane,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await client.post(operation, lane, signal);
  } catch (error) {
    throw isWinRmError(error, 'shell.fate-unknown') && isWinRmError(error.cause) ? error.cause : error;
  }
}

class WinRsShell implements Shell {
  readonly kind = 'winrs';
  readonly output: Output;
  readonly exit: Promise<ExitCode>;
  readonly standing: Shell['standing'];
  readonly #options: WinRsOptions;
  readonly #input: Input;
  /** Aborted when the shell is closed; whoever opened it has no part in its life. */
  readonly #life = new AbortController();
  #settleExit: { resolve(code: ExitCode): void; reject(error: unknown): void } | null = null;
  #state: 'running' | 'ended' | 'failed' = 'running';
  #closing: Promise<void> | null = null;
  #terminating: Promise<void> | null = null;
  /** What the first look at a shell that was taken up has brought along. */
  #found: ReceiveReply | null = null;
  /** Whether a lost connection, or a lost session, lies between now and the last that was heard of the shell. */
  #isUncertain: boolean;
  readonly #pollTime = new PollTime();

  constructor(options: WinRsOptions, standing: Shell['standing'], isTakenUp = false) {
    const { shellId, commandId } = standing;
    this.#options = options;
    this.standing = standing;
    this.#isUncertain = isTakenUp;
    this.exit = new Promise((resolve, reject) => {
      this.#settleExit = { resolve, reject };
    });
    this.exit.catch(() => undefined); // not everybody waits for it
    this.output = new Output({
      receive: (onRepeat) => this.#receive(onRepeat),
      onExit: (code) => this.#onExit(code),
      onFailure: (error) => this.#onFailure(error),
      isClosing: () => this.#closing !== null,
      beginsWithGap: isTakenUp,
    });
    this.#input = new Input({
      send: (bytes, isEnd) => this.#control(send(shellId, commandId, bytes, isEnd)),
      maxSendBytes: () => Math.floor((options.client.requestLimitBytes - SEND_OVERHEAD_BYTES) / 4) * 3,
      beforeBulk: () => options.client.learnLimit(options.control, this.#life.signal),
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#input.write(bytes);
  }

  endInput(): Promise<void> {
    return this.#input.end();
  }

  async interrupt(how: Interrupt): Promise<void> {
    if (this.#state !== 'running' || this.#closing !== null) fail('shell.closed', { reason: 'ended' });
    const { shellId, commandId } = this.standing;
    await this.#control(signalCommand(shellId, commandId, how));
  }

  /** Looks whether the shell is there, and keeps what it has to say. @throws shell.gone, and what the lane throws */
  async find(signal: AbortSignal): Promise<void> {
    const { client, output } = this.#options;
    const { shellId, commandId } = this.standing;
    try {
      this.#found = await client.post(receiveAtOnce(shellId, commandId), output, signal);
    } catch (error) {
      if (!isWinRmError(error, 'wsman.timed-out')) throw this.#gone(error);
    }
    this.#isUncertain = false;
  }

  close(): Promise<void> {
    this.#closing ??= this.#farewell();
    return this.#closing;
  }

  leave(): void {
    this.#closing ??= Promise.resolve();
    this.#end(new WinRmError('shell.closed', { reason: 'left' }));
  }

  async #control(operation: ReturnType<typeof send>): Promise<void> {
    await this.#options.client.post(operation, this.#options.control, this.#life.signal);
  }

  async #receive(onRepeat: () => void): Promise<ReceiveReply> {
    const { client, output, platform } = this.#options;
    const found = this.#found;
    this.#found = null;
    if (found !== null) return found;
    const beganMs = platform.monotonicMs();
    const { shellId, commandId } = this.standing;
    const operation = { ...receive(shellId, commandId), timeoutSeconds: this.#pollTime.seconds };
    let askedMs = beganMs;
    const pause = async (): Promise<void> => {
      const leftMs = LEAST_POLL_MS - (platform.monotonicMs() - beganMs);
      if (leftMs > 0) await platform.sleep(leftMs, this.#life.signal);
    };
    try {
      const reply = await client.post(operation, output, this.#life.signal, () => {
        // QUIRK: some servers end the connection of a Receive whose command is terminated. A shell that is being closed
        // is not asked again, which would open and sign in a connection for nobody.
        if (this.#closing !== null) fail('session.cancelled', { at: 'close' });
        this.#isUncertain = true;
        onRepeat();
        // Where silence is cut, the same question would be cut again, each time at the price of a sign-in.
        this.#pollTime.lostAfter(platform.monotonicMs() - askedMs);
        // Asked shortly at first, so that the gap is told when the connection stands and not when there is news.
        operation.timeoutSeconds = AFTER_LOSS_SECONDS;
        askedMs = platform.monotonicMs();
      });
      this.#isUncertain = false;
      if (reply.chunks.length === 0 && reply.exitCode === null) await pause();
      return reply;
    } catch (error) {
      if (!isWinRmError(error, 'wsman.timed-out')) throw this.#gone(error);
      this.#isUncertain = false;
      await pause();
      throw error;
    }
  }

  /** After a loss it matters more that there is nothing to go on with than which words the server has for it. */
  #gone(error: unknown): unknown {
    if (!this.#isUncertain || this.#closing !== null || !isWinRmError(error, 'wsman.shell-gone')) return error;
    return new WinRmError('shell.gone', { shellId: this.standing.shellId, text: error.details.text }, error);
  }

  #onExit(code: number): void {
    this.#state = 'ended';
    this.#input.close(new WinRmError('shell.closed', { reason: 'ended' }));
    this.#settleExit?.resolve(exitCodeOf(code));
    // Without it the command keeps its place in the quota. [MS-WSMV] 3.1.4.12
    void this.#terminate();
  }

  #onFailure(error: unknown): void {
    this.#state = 'failed';
    const known = isWinRmError(error) ? error : new WinRmError('shell.closed', { reason: 'failed' }, error);
    this.#input.close(known);
    this.#settleExit?.reject(known);
  }

  /** Ends the command for good; a server where it has gone already is content too. */
  #terminate(): Promise<void> {
    this.#terminating ??= withinClosingTime(this.#options.platform, async (signal) => {
      const { shellId, commandId } = this.standing;
      const operation = signalCommand(shellId, commandId, 'terminate');
      await this.#options.client.post(operation, this.#farewellLane(), signal);
    });
    return this.#terminating;
  }

  async #farewell(): Promise<void> {
    const { client, platform } = this.#options;
    const closed = new WinRmError('shell.closed', { reason: 'closed' });
    this.#input.close(closed);
    await withinClosingTime(platform, async (signal) => {
      await this.#terminate();
      if (!signal.aborted) await client.post(deleteShell(this.standing.shellId), this.#farewellLane(), signal);
    });
    this.#end(closed);
  }

  #end(closed: WinRmError): void {
    this.#input.close(closed);
    this.#life.abort(new WinRmError('session.cancelled', { at: 'close' }));
    this.#settleExit?.reject(closed); // does nothing after the command has ended
  }

  /** The lane that is free: a single command may have opened only one, and a Receive may be waiting on it. */
  #farewellLane(): Lane {
    const { control, output, shell } = this.#options;
    return shell.kind === 'interactive' || this.output.isWaiting ? control : output;
  }
}

/** Does what can be done in a few seconds, and says nothing of what cannot. */
async function withinClosingTime(platform: Platform, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  try {
    await withDeadline({ platform, withinMs: CLOSE_TIMEOUT_MS, at: 'close' }, work);
  } catch {
    // The server deletes an idle shell itself.
  }
}
