import { isWinRmError } from '@fairlead/protocol';
import { parseCommandLine, type Request, UsageError } from './arguments.ts';
import { checkRoad } from './check-road.ts';
import { errorBlock, errorWords } from './error-block.ts';
import { exec } from './exec.ts';
import { EXIT_CODES, exitCodeOfError } from './exit-codes.ts';
import { settleRoads } from './found-roads.ts';
import { helpText } from './help.ts';
import { identify } from './identify.ts';
import { shell } from './shell.ts';
import { printable, type Terminal, writeAll, writeLine } from './terminal.ts';
import { VERSION } from './version.ts';

/** Does what the command line says. Never throws. @returns the exit code */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const isJson = words.includes('--json') && words.indexOf('--json') < dashesAt(words);
  try {
    return await perform(parseCommandLine(words), terminal);
  } catch (thrown) {
    const error = ourMistakeIn(thrown) ?? thrown;
    if (error instanceof UsageError) return refuse(error, isJson, terminal);
    if (isBrokenPipe(error)) return 0;
    if (isJson) {
      const { code, message, hint, because } = errorWords(error);
      const details = isWinRmError(error) ? error.details : {};
      const why = because === null ? {} : { because };
      await writeLine(terminal, { type: 'error', code, message, hint, ...why, details });
    } else await writeAll(terminal.stderr, errorBlock(error));
    return isWinRmError(error) ? exitCodeOfError(error) : EXIT_CODES.ourMistake;
  }
}

async function perform(asked: Request, terminal: Terminal): Promise<number> {
  const request = 'roadSource' in asked ? await settleRoads(asked, terminal) : asked;
  switch (request.verb) {
    case 'help':
      await writeAll(terminal.stdout, helpText(request.topic));
      return 0;
    case 'version':
      await writeAll(terminal.stdout, `fairlead ${VERSION}\n`);
      return 0;
    case 'identify':
      return identify(request, terminal);
    case 'check-road':
      return checkRoad(request, terminal);
    case 'exec':
      return exec(request, terminal);
    case 'shell':
      return shell(request, terminal);
  }
}

async function refuse(error: UsageError, isJson: boolean, terminal: Terminal): Promise<number> {
  if (isJson)
    await writeLine(terminal, { type: 'error', code: 'usage', message: error.message, hint: '', details: {} });
  else await writeAll(terminal.stderr, `fairlead: ${printable(error.message)}\n  More: fairlead --help\n`);
  return EXIT_CODES.usage;
}

/**
 * What a session met and was not prepared for. It says that the link to a relay was lost, since in a page that is what
 * such a thing mostly is; here there is no relay, and it is a mistake of ours.
 */
function ourMistakeIn(error: unknown): unknown {
  if (!isWinRmError(error, 'relay.lost')) return null;
  return error.cause instanceof Error && !isWinRmError(error.cause) ? error.cause : null;
}

/** The reader of our output went away, as in `fairlead … | head -1`: not a failure. */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

function dashesAt(words: readonly string[]): number {
  const at = words.indexOf('--');
  return at < 0 ? words.length : at;
}
