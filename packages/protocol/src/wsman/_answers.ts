import { utf8Decode } from '../bytes/bytes.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import { parseChallenges, schemeNames } from '../http/challenge.ts';
import type { LegReport } from '../http/converse.ts';
import { readableLine, readableText } from '../http/evidence.ts';
import type { HttpResponse } from '../http/response.ts';
import type { StandingAuthorization } from '../security.ts';

/** What the answers of a server, or of something else in its place, stand for. */

/** What an unsealed status other than success says. */
export function failWithStatus(status: number, contentType: string, response: HttpResponse): never {
  const text = readableText(response.body);
  const isForeignPage = status === 500 && response.body.length > 0;
  if (NOT_SERVED.has(status) || isForeignPage) fail('wsman.not-wsman', { status, contentType, text });
  return fail('http.unexpected-status', { status, reason: readableLine(response.reason), text });
}

/**
 * WinRM answers a first token with 401 and nothing else. Success at once, or that there is no such thing here, comes from
 * something that is not WinRM.
 */
export function foreignAnswer(error: unknown, legs: readonly LegReport[]): unknown {
  const { status = 0, contentType = '', text = '' } = legs.at(-1) ?? {};
  const isWelcome = legs.length === 1 && status >= 200 && status <= 299 && isWinRmError(error, 'auth.incomplete');
  const isMissing = NOT_SERVED.has(status) && isWinRmError(error, 'http.unexpected-status');
  if (!isWelcome && !isMissing) return error;
  return new WinRmError('wsman.not-wsman', { status, contentType, text }, error);
}

/**
 * The server refused what goes with every request: it does not know the scheme, or it does and the answer is no.
 * @throws auth.no-common-mechanism, auth.rejected
 */
export function failRejected({ mechanism, scheme, user }: StandingAuthorization, response: HttpResponse): never {
  const offered = parseChallenges(response.headers.getAll('WWW-Authenticate')).map((challenge) => challenge.scheme);
  // A certificate is not a scheme that servers offer.
  const isOffered = offered.some((name) => name.toLowerCase() === scheme.toLowerCase());
  if (mechanism === 'Basic' && !isOffered) {
    fail('auth.no-common-mechanism', {
      offered: schemeNames(response.headers.getAll('WWW-Authenticate')) || 'none',
      wanted: mechanism,
    });
  }
  return fail('auth.rejected', { mechanism, stage: 'request', user });
}

/** Whether a standing authorization was refused: Windows answers 403 when it has seen no certificate. */
export function isRefusal({ mechanism }: StandingAuthorization, status: number): boolean {
  return status === 401 || (status === 403 && mechanism === 'Certificate');
}

/** No such place, no such method, not implemented. RFC 9110, sections 15.5.5, 15.5.6, 15.6.2 */
const NOT_SERVED: ReadonlySet<number> = new Set([404, 405, 501]);

/** Whether a content type says that the body is an envelope. */
export function looksLikeSoap(contentType: string): boolean {
  return /^(?:application\/soap\+xml|text\/xml|application\/xml)\b/i.test(contentType);
}

/**
 * An unsealed envelope as text.
 *
 * QUIRK: OMI ends what it seals with NUL characters. A byte-order mark in front is allowed by Extensible Markup Language
 * 1.0, appendix F.
 * @throws wsman.malformed
 */
export function textOf(plain: Uint8Array): string {
  let end = plain.length;
  while (end > 0 && plain[end - 1] === 0) end--;
  const text = utf8Decode(plain.subarray(0, end), 'strict');
  if (text === null) return fail('wsman.malformed', { problem: 'not UTF-8' });
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
