import { isWinRmError, type Session, TextReader } from '@fairlead/protocol';
import type { Request } from './arguments.ts';
import { EXIT_CODES, exitCodeOfRemote } from './exit-codes.ts';
import { Interrupts } from './interrupts.ts';
import { makeSession } from './open-session.ts';
import { type Terminal, tell, writeAll, writeLine } from './terminal.ts';

type ExecRequest = Extract<Request, { verb: 'exec' }>;

/** Runs one remote command with its streams joined to the terminal's. @returns the exit code for this process */
export async function exec(request: ExecRequest, terminal: Terminal): Promise<number> {
  const session = await makeSession(
    request,
    { kind: 'command', command: request.command, consoleStdin: false },
    terminal,
  );
  const giveUp = new AbortController();
  const interrupts = new Interrupts(session, giveUp);
  const stopListening = terminal.onInterrupt((how) => (how === 'stop' ? giveUp.abort() : interrupts.press()));
  const givenUp = new Promise<'given-up'>((resolve) => {
    giveUp.signal.addEventListener('abort', () => resolve('given-up'), { once: true });
  });
  try {
    await session.open(giveUp.signal);
    const isPiped = terminal.stdin.isTTY !== true;
    const holed = new Promise<never>((_, reject) => {
      if (isPiped) void passInput(session, terminal).catch(reject);
    });
    const ended = await Promise.race([copyOutput(session, request, terminal), givenUp, holed]);
    if (ended === 'given-up') return EXIT_CODES.interrupted;
    const exit = await session.exit;
    if (request.isJson) await writeLine(terminal, { type: 'exit', ...exit });
    return exitCodeOfRemote(exit.unsigned);
  } finally {
    stopListening();
    terminal.stdin.destroy();
    await session.close();
  }
}

/**
 * Standard input to the remote command, then its end. Writes wait for the far side, which is all the flow control.
 * @throws what lost a piece of it, or its end, for which the command might wait for ever
 */
async function passInput(session: Session, terminal: Terminal): Promise<void> {
  try {
    for await (const bytes of terminal.stdin) await session.write(bytes as Uint8Array);
    await session.endInput();
  } catch (error) {
    if (!isPastInput(error)) throw error;
  }
}

/** A command may end, or close its input, before it has read everything; its exit code tells how it went. */
export function isPastInput(error: unknown): boolean {
  return PAST_INPUT.some((code) => isWinRmError(error, code));
}

const PAST_INPUT = ['shell.closed', 'wsman.shell-gone', 'session.cancelled'] as const;

/** Output as it comes: bytes untouched, or JSON lines with decoded text. */
async function copyOutput(session: Session, request: ExecRequest, terminal: Terminal): Promise<void> {
  const readers = { stdout: new TextReader(request.codePage), stderr: new TextReader(request.codePage) };
  for await (const { stream, bytes } of session.output) {
    if (stream === 'gap') await tellGap(request.isJson, terminal);
    else if (!request.isJson) await writeAll(terminal[stream], bytes);
    else await writeText(terminal, stream, readers[stream].decode(bytes));
  }
  if (!request.isJson) return;
  for (const stream of ['stdout', 'stderr'] as const) await writeText(terminal, stream, readers[stream].flush());
}

async function writeText(terminal: Terminal, stream: 'stdout' | 'stderr', text: string): Promise<void> {
  if (text !== '') await writeLine(terminal, { type: 'output', stream, text });
}

/** Says that output may be missing where the reader is now. */
export async function tellGap(isJson: boolean, terminal: Terminal): Promise<void> {
  if (isJson) await writeLine(terminal, { type: 'gap' });
  await tell(terminal, 'the connection was lost; some output may be missing here');
}
