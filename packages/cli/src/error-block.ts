import { isWinRmError, type WinRmError } from '@fairlead/protocol';
import english from '../../../web/messages/en.json' with { type: 'json' };
import { formatMessage, type MessageValues } from './message-format.ts';
import { printable } from './terminal.ts';

/** What is printed about a failure, in words. */
export interface ErrorWords {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** What is behind it, where one sentence does not tell both; else null. */
  readonly because: string | null;
  /** `name: value` lines, empty values left out. */
  readonly facts: readonly string[];
}

/** Details that not every error of a code has. */
const ABSENT = { proxy: 'nothing', about: 'nothing', form: 'nothing', kind: 'nothing' } as const;

/** Longest fact that is printed; a proxy's refusal page is cut here. */
const MAX_FACT_CHARACTERS = 600;

/** An error in the words of the English messages. Anything that is not one of ours is a mistake of ours. */
export function errorWords(error: unknown): ErrorWords {
  if (!isWinRmError(error)) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return {
      code: 'unexpected',
      message: 'Fairlead met something it was not prepared for.',
      hint: 'Please report it with the line below.',
      because: null,
      facts: [`what: ${inOneLine(text)}`],
    };
  }
  const values = valuesOf(error);
  const cause = causeOf(error);
  return {
    code: error.code,
    message: formatMessage(sentence(error), values),
    hint: formatMessage(lookUp('errors', error.code, 'hint'), values),
    because: cause && formatMessage(sentence(cause), valuesOf(cause)),
    facts: [...factsOf(error), ...(cause === null ? [] : factsOf(cause))],
  };
}

/** That nobody knows whether a line was carried out says what to do about it; why says what to do about the road. */
function causeOf(error: WinRmError): WinRmError | null {
  return isWinRmError(error, 'shell.fate-unknown') && isWinRmError(error.cause) ? error.cause : null;
}

/** The block for a terminal: what happened, what to do, the facts, the code. No stack trace. */
export function errorBlock(error: unknown): string {
  const words = errorWords(error);
  const lines = [`fairlead: ${words.message}`, `  ${words.hint}`];
  if (words.because !== null) lines.push(`  Because: ${words.because}`);
  for (const fact of words.facts) lines.push(`    ${fact}`);
  const flag = flagFor(error);
  if (flag !== null) lines.push(`  To trust this very certificate, once you have compared it: ${flag}`);
  lines.push(`  [${words.code}]`);
  return `${lines.join('\n')}\n`;
}

/**
 * What to add to the command line so that a certificate which nothing vouches for is trusted; null for every other error.
 * One that took the place of a pinned one is not a matter of one more flag.
 */
function flagFor(error: unknown): string | null {
  for (const code of ['tls.untrusted', 'tls.wrong-name', 'tls.expired'] as const) {
    if (isWinRmError(error, code)) return `--pin ${error.details.sha256}`;
  }
  return null;
}

function sentence(error: WinRmError): string {
  // Why an argument was refused has sentences of its own, one per reason.
  if (isWinRmError(error, 'misuse.bad-argument')) return lookUp('arguments', error.details.reason);
  return lookUp('errors', error.code, 'message');
}

function lookUp(section: 'errors' | 'arguments', key: string, leaf?: string): string {
  const path = section === 'errors' ? [...key.split('.'), ...(leaf === undefined ? [] : [leaf])] : [key];
  let value: unknown = english[section];
  for (const step of path) value = (value as Record<string, unknown> | undefined)?.[step];
  return typeof value === 'string' ? value : key;
}

function valuesOf(error: WinRmError): MessageValues {
  // What an error may leave out reads as nothing, so that a sentence can tell by it.
  const values: Record<string, string | number> = { limit: 0, ...ABSENT };
  for (const [name, value] of Object.entries(error.details)) {
    values[name] = typeof value === 'number' ? value : inOneLine(String(value)) || 'nothing';
  }
  // An IPv6 address stands in brackets in front of a port.
  const { host, port } = values;
  if (port !== undefined && typeof host === 'string' && host.includes(':') && !host.startsWith('[')) {
    values['host'] = `[${host}]`;
  }
  return values;
}

/** Long evidence (a refusal page, headers) is not part of the sentence, so it is listed. */
function factsOf(error: WinRmError): string[] {
  const inSentence = `${sentence(error)} ${lookUp('errors', error.code, 'hint')}`;
  return Object.entries(error.details)
    .filter(([name, value]) => value !== '' && value !== undefined && !inSentence.includes(`{${name}`))
    .filter(([name]) => name !== 'reason' && name !== 'hop')
    .map(([name, value]) => `${name}: ${inOneLine(String(value)).slice(0, MAX_FACT_CHARACTERS)}`);
}

/** A peer's text in one line, without what moves the cursor or changes colours. */
function inOneLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}
