import { createInterface, type Interface } from 'node:readline';
import {
  CmdPromptReader,
  checkLine,
  isWinRmError,
  OutputFilter,
  plainText,
  type Session,
  TextReader,
} from '@fairlead/protocol';
import type { Request } from './arguments.ts';
import { errorBlock, errorWords } from './error-block.ts';
import { isPastInput, tellGap } from './exec.ts';
import { EXIT_CODES, exitCodeOfRemote } from './exit-codes.ts';
import { Interrupts } from './interrupts.ts';
import { makeSession } from './open-session.ts';
import { screened, type Terminal, tell, writeAll } from './terminal.ts';

type ShellRequest = Extract<Request, { verb: 'shell' }>;

/** An interactive cmd.exe: lines are edited here, sent whole, and what comes back is shown. */
export async function shell(request: ShellRequest, terminal: Terminal): Promise<number> {
  const session = await makeSession(request, { kind: 'interactive', consoleStdin: true }, terminal);
  const giveUp = new AbortController();
  const interrupts = new Interrupts(session, giveUp);
  const stopListening = terminal.onInterrupt((how) => (how === 'stop' ? giveUp.abort() : interrupts.press()));
  const givenUp = new Promise<'given-up'>((resolve) => {
    giveUp.signal.addEventListener('abort', () => resolve('given-up'), { once: true });
  });
  let keyboard: Keyboard | null = null;
  try {
    await session.open(giveUp.signal);
    const prompts = new CmdPromptReader(session.promptWord);
    keyboard = readLines(session, prompts, request.codePage, terminal, interrupts);
    // A closed input lets the shell end by itself: what it still prints belongs to the answer.
    keyboard.allSent.then(() => session.endInput()).catch(() => undefined);
    const shown = showOutput(session, prompts, request.codePage, keyboard, terminal);
    const ended = await Promise.race([shown, givenUp, keyboard.holed]);
    if (ended === 'given-up') return EXIT_CODES.interrupted;
    return exitCodeOfRemote((await session.exit).unsigned);
  } finally {
    stopListening();
    keyboard?.lines.close();
    terminal.stdin.destroy();
    await session.close();
  }
}

interface Keyboard {
  readonly lines: Interface;
  /** Resolves when the input has ended and every line of it was sent or refused. */
  readonly allSent: Promise<void>;
  /** Rejects when a line of a script was lost: what comes after it was written for a shell that has taken it. */
  readonly holed: Promise<never>;
  /** Called at each prompt: what is typed next is a command again. */
  readonly atPrompt: () => void;
}

function readLines(
  session: Session,
  prompts: CmdPromptReader,
  codePage: number,
  terminal: Terminal,
  interrupts: Interrupts,
): Keyboard {
  const isTerminal = terminal.stdin.isTTY === true && terminal.stdout.isTTY === true;
  const lines = createInterface({ input: terminal.stdin, output: terminal.stdout, terminal: isTerminal, prompt: '' });
  const { promise: holed, reject: giveUp } = Promise.withResolvers<never>();
  let sent = Promise.resolve();
  let isRunning = false;
  lines.on('line', (line) => {
    try {
      // Piped lines are ahead of the prompts; they are a script until the shell ends.
      checkLine(line, isTerminal && isRunning ? 'program' : 'prompt', codePage);
    } catch (error) {
      tellNotSent(error, terminal);
      if (isTerminal) lines.prompt();
      return;
    }
    isRunning = true;
    // A typed line is on the screen already; a piped one is not, and the shell's echo then shows what was run.
    if (isTerminal) prompts.expectEcho(line);
    // In order, one after the other; a line that could not be sent is reported and not sent again.
    sent = sent
      .then(() => session.writeText(`${line}\r\n`))
      .catch((error: unknown) => {
        if (isWinRmError(error, 'misuse.bad-argument')) tellNotSent(error, terminal);
        else if (isPastInput(error)) return;
        else if (!isTerminal) giveUp(error);
        else terminal.stderr.write(errorBlock(error)); // the shell may go on; whether it has the line is to be found out
      });
  });
  lines.on('SIGINT', () => interrupts.press());
  const allSent = new Promise<void>((resolve) => {
    lines.once('close', () => resolve(sent));
  });
  return {
    lines,
    allSent,
    holed,
    atPrompt: () => {
      isRunning = false;
    },
  };
}

function tellNotSent(error: unknown, terminal: Terminal): void {
  void tell(terminal, `${errorWords(error).message} It was not sent.`).catch(() => undefined);
}

async function showOutput(
  session: Session,
  prompts: CmdPromptReader,
  codePage: number,
  { lines, atPrompt }: Keyboard,
  terminal: Terminal,
): Promise<void> {
  const readers = { stdout: new TextReader(codePage), stderr: new TextReader(codePage) };
  const show = { stdout: screened(terminal.stdout), stderr: screened(terminal.stderr) };
  const isTerminal = terminal.stdin.isTTY === true && terminal.stdout.isTTY === true;
  for await (const { stream, bytes } of session.output) {
    if (stream === 'gap') {
      await tellGap(false, terminal);
      continue;
    }
    const text = readers[stream].decode(bytes);
    if (stream === 'stderr') {
      await writeAll(terminal.stderr, show.stderr(text));
      continue;
    }
    for (const event of prompts.feed(text)) {
      if (event.kind === 'prompt') atPrompt();
      if (event.kind === 'text') await writeAll(terminal.stdout, show.stdout(event.text));
      else if (isTerminal) {
        lines.setPrompt(plainText(new OutputFilter().feed(event.prompt)));
        lines.prompt(true);
      } else await writeAll(terminal.stdout, show.stdout(event.prompt));
    }
  }
  for (const event of prompts.flush()) {
    if (event.kind === 'text') await writeAll(terminal.stdout, show.stdout(event.text));
  }
}
