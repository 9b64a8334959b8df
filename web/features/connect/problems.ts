import { type BadArgumentReason, isWinRmError } from '@fairlead/protocol';

/** What is wrong with a field: a full message key and the values of its sentence. */
export interface Problem {
  readonly key: string;
  /** The text to quote; null where the sentence should name the field instead. */
  readonly quote: string | null;
  /** The limit that was passed, or 0. */
  readonly limit: number;
}

/** A field that is empty and must not be. */
export function missing(
  field: 'server' | 'command' | 'user' | 'password' | 'certificate' | 'proxyUser' | 'proxyPassword' | 'road',
): Problem {
  return { key: `connect.problem.${field}`, quote: null, limit: 0 };
}

/** A problem that has one of the protocol's reasons. */
export function reasoned(reason: BadArgumentReason): Problem {
  return { key: `arguments.${reason}`, quote: null, limit: 0 };
}

/** Reasons whose sentence reads best with the text itself in it; all others name the field. */
const QUOTED = new Set(['not-a-host', 'not-a-url', 'not-a-number', 'unsupported-scheme', 'malformed']);
/** Longest text that is quoted back. */
const MAX_QUOTED = 60;

/** What the protocol refused about a text; throws the error again if it is anything else. */
export function problemOf(error: unknown, typed: string | null): Problem {
  if (!isWinRmError(error, 'misuse.bad-argument')) throw error;
  const { reason, limit = 0 } = error.details;
  const text = typed?.trim() ?? '';
  const quote = QUOTED.has(reason) && text !== '' && text.length <= MAX_QUOTED ? text : null;
  return { key: `arguments.${reason}`, quote, limit };
}
