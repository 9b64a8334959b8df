import { encodeText, isCodePage } from '../codec/code-page.ts';
import { type BadArgumentReason, fail, isWinRmError } from '../errors.ts';
import type { Standing } from './shell.ts';

/** What kind of shell to open, and how. */
export interface ShellOptions {
  /** 'interactive' runs cmd.exe, which keeps its state between lines; 'command' runs one line. */
  readonly kind: 'interactive' | 'command';
  /** For 'command': the line, as cmd.exe takes it. */
  readonly command?: string;
  /** What the console reads and writes. */
  readonly codePage: number;
  /** Does not load the person's profile: faster, and without its environment. */
  readonly noProfile?: boolean;
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** How long the server keeps a shell that nobody asks for output; 900 unless given. */
  readonly idleTimeoutSeconds?: number;
  /** For 'command': whether stdin is a console rather than a pipe. */
  readonly consoleStdin?: boolean;
}

/** The longest line cmd.exe takes. Microsoft, "Command prompt line string limitation". */
export const MAX_COMMAND_CHARS = 8191;
/** The longest path of Windows, and the longest environment variable. */
const MAX_VALUE_CHARS = 32_767;
const MAX_VARIABLES = 256;
/** Past any line a program is answered with by hand; what is larger belongs into a file. */
export const MAX_INPUT_LINE_BYTES = 64 * 1024;
/** [MS-WSMV] 2.2.4.37: Windows keeps a shell at least a minute. A week is more than its own longest setting. */
const MIN_IDLE_SECONDS = 60;
/** A server's identifiers are GUIDs, with or without "uuid:" before them. */
const MAX_ID_CHARS = 128;
const MAX_IDLE_SECONDS = 7 * 24 * 3600;

/**
 * Refuses, before anything is sent, what no server could take or what would not arrive as it was meant.
 *
 * @throws misuse.bad-argument naming `command`, `codePage`, `workingDirectory`, `environment` or `idleTimeoutSeconds`
 */
export function checkShellOptions(options: ShellOptions): void {
  if (!isCodePage(options.codePage)) refuse('codePage', 'unknown-code-page');
  if (options.kind === 'command') checkCommand(options.command ?? '');
  const { workingDirectory, environment = {}, idleTimeoutSeconds: idle = MIN_IDLE_SECONDS } = options;
  if (workingDirectory) checkText('workingDirectory', workingDirectory, MAX_VALUE_CHARS);
  const variables = Object.entries(environment);
  if (variables.length > MAX_VARIABLES) refuse('environment', 'too-long', MAX_VARIABLES);
  for (const [name, value] of variables) {
    checkText('environment', name, MAX_VALUE_CHARS);
    if (name.includes('=')) refuse('environment', 'malformed');
    if (value !== '') checkText('environment', value, MAX_VALUE_CHARS);
  }
  if (!Number.isInteger(idle) || idle < MIN_IDLE_SECONDS || idle > MAX_IDLE_SECONDS) {
    refuse('idleTimeoutSeconds', 'out-of-range', MAX_IDLE_SECONDS);
  }
}

/**
 * Refuses what cannot be the standing of a shell; it may have lain in a store that others write to.
 * @throws misuse.bad-argument naming `takeUp`
 */
export function checkStanding({ shellId, commandId, promptWord }: Standing): void {
  for (const id of [shellId, commandId]) checkText('takeUp', id, MAX_ID_CHARS);
  if (!/^[0-9a-f]{16}$/.test(promptWord)) refuse('takeUp', 'malformed');
}

/**
 * Refuses a line that a person typed or pasted, before any of it is shown or sent. At a prompt it must be one that
 * cmd.exe takes as it was written; a program that runs may read anything the code page has a place for, up to
 * `MAX_INPUT_LINE_BYTES`. An empty line is one, too.
 *
 * @param line without its line end
 * @throws misuse.bad-argument naming `line` at a prompt and `input` for a program
 */
export function checkLine(line: string, reader: 'prompt' | 'program', codePage: number): void {
  const argument = reader === 'prompt' ? 'line' : 'input';
  const limit = reader === 'prompt' ? MAX_COMMAND_CHARS : MAX_INPUT_LINE_BYTES;
  if (line.length > limit) refuse(argument, 'too-long', limit);
  if (reader === 'prompt' && line !== '') checkText(argument, line, limit);
  const bytes = encodeAs(argument, line, codePage);
  if (reader === 'program' && bytes.length > limit) refuse(argument, 'too-long', limit);
}

/** The refusal of the encoder knows no line; whoever typed one knows no text. */
function encodeAs(argument: string, line: string, codePage: number): Uint8Array {
  try {
    return encodeText(codePage, line);
  } catch (error) {
    if (isWinRmError(error, 'misuse.bad-argument')) refuse(argument, error.details.reason);
    throw error;
  }
}

/** A line feed would make cmd.exe drop the rest without a word, so it counts as a control character here. */
function checkCommand(command: string): void {
  checkText('command', command, MAX_COMMAND_CHARS);
  if (command.trim() === '') refuse('command', 'empty');
}

function checkText(argument: string, text: string, limit: number): void {
  if (text === '') refuse(argument, 'empty');
  if (text.length > limit) refuse(argument, 'too-long', limit);
  if (/\p{Surrogate}/u.test(text)) refuse(argument, 'lone-surrogate');
  if (/[\u0000-\u0008\u000a-\u001f\u007f\ufffe\uffff]/.test(text)) refuse(argument, 'control-character');
}

function refuse(argument: string, reason: BadArgumentReason, limit?: number): never {
  return fail('misuse.bad-argument', { argument, reason, ...(limit === undefined ? {} : { limit }) });
}
