import { concatBytes } from '../bytes/bytes.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';

/**
 * What holds for everybody who fetches a PAC script, whoever makes the connection: which addresses there are, what is
 * asked, what is taken for an answer. Each fetcher decides besides whom it may reach and whether it is led elsewhere.
 */

/** The largest script that is taken; what evaluates it takes no larger one. */
export const MAX_PAC_BYTES = 1 << 20;

/** The fields of the one GET. No cookies, no credentials, nothing compressed. */
export const PAC_REQUEST_FIELDS: Readonly<Record<string, string>> = {
  accept: 'application/x-ns-proxy-autoconfig, */*;q=0.1',
  'accept-encoding': 'identity',
};

/** An answer as it comes. */
export interface PacReply {
  readonly status: number;
  /** "" without one. */
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array> & { destroy(): unknown };
}

/**
 * Reads the address of a script: http or https, with nothing about users in it, not even an empty name. Its fragment is
 * dropped.
 *
 * @throws misuse.bad-argument
 */
export function readPacAddress(text: string): URL {
  const refuse = (
    reason: 'not-a-url' | 'unsupported-scheme' | 'has-credentials' | 'not-a-host' | 'control-character',
  ): never => fail('misuse.bad-argument', { argument: 'url', reason });
  if (/[\0-\x20\x7f]/.test(text)) refuse('control-character');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text) || !URL.canParse(text)) refuse('not-a-url');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') refuse('unsupported-scheme');
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) refuse('has-credentials');
  if (url.port === '0') refuse('not-a-host');
  url.hash = '';
  return url;
}

/**
 * The text of an answer: a 200 of at most `MAX_PAC_BYTES`, by the charset that it names, else UTF-8, else byte by byte,
 * as Chromium reads scripts.
 *
 * @throws pac.not-fetched, and what reading the body throws
 */
export async function takePac(host: string, { status, contentType, body }: PacReply): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (status === 200) {
    for await (const part of body) {
      length += part.length;
      if (length > MAX_PAC_BYTES) break;
      parts.push(part);
    }
  }
  if (status === 200 && length <= MAX_PAC_BYTES) return decode(concatBytes(...parts), contentType);
  body.destroy();
  return fail('pac.not-fetched', {
    host,
    problem: status === 200 ? 'it is larger than a mebibyte' : `it answered ${status}`,
  });
}

/** What a fetch that broke is told as; an error of ours stays what it is. */
export function notFetched(host: string, error: unknown, stop: AbortSignal, timeoutMs: number): WinRmError {
  if (isWinRmError(error) && !isWinRmError(error, 'session.cancelled')) return error;
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const cause = typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : 'unknown';
  const problem = stop.aborted
    ? `it took longer than ${Math.ceil(timeoutMs / 1000)} seconds`
    : `the connection failed (${cause})`;
  return new WinRmError('pac.not-fetched', { host, problem }, error);
}

function decode(bytes: Uint8Array, contentType: string): string {
  const named = /charset="?([\w-]{1,20})/i.exec(contentType)?.[1] ?? 'utf-8';
  for (const charset of [named, 'utf-8', 'latin1']) {
    try {
      return new TextDecoder(charset, { fatal: charset !== 'latin1' }).decode(bytes);
    } catch {
      // the next one
    }
  }
  return '';
}
