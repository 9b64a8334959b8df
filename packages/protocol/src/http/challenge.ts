import { toBase64 } from '../bytes/bytes.ts';
import type { Challenge } from '../security.ts';
import { TOKEN, trimBlanks } from './headers.ts';

/** More schemes than anyone offers; a head full of commas makes no longer list. */
const MAX_CHALLENGES = 32;
/** More characters than the longest name of a registered scheme; a longer one is not in anyone's grammar. */
const MAX_SCHEME_CHARACTERS = 32;
/** More parameters than Digest has. */
const MAX_PARAMS = 32;

const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Reads challenges, one per line or many in a line. What is not in the grammar is passed over: a proxy that garbles one
 * scheme must not hide the others.
 *
 * RFC 9110, section 11.6.1. Never throws.
 */
export function parseChallenges(headerValues: readonly string[]): Challenge[] {
  const challenges: OpenChallenge[] = [];
  for (const value of headerValues) {
    let current: OpenChallenge | null = null; // a parameter never belongs to a challenge of another line
    for (const element of splitList(value)) {
      const param = parseParam(element);
      if (param !== null) {
        addParam(current, param);
        continue;
      }
      current = beginChallenge(element);
      if (current !== null && challenges.length < MAX_CHALLENGES) challenges.push(current);
    }
  }
  return challenges;
}

/** The schemes that are asked for, each once, short enough for a report and safe to show; "" for none. */
export function schemeNames(headerValues: readonly string[]): string {
  return [...new Set(parseChallenges(headerValues).map(({ scheme }) => scheme))].join(', ');
}

/** A token as it travels in Authorization: the scheme, a blank, base64. RFC 4559, section 4. */
export function formatToken(scheme: string, token: Uint8Array): string {
  return `${scheme} ${toBase64(token)}`;
}

interface OpenChallenge {
  readonly scheme: string;
  readonly token68: string | null;
  readonly params: Map<string, string>;
}

type Param = readonly [name: string, value: string];

function addParam(challenge: OpenChallenge | null, [name, value]: Param): void {
  if (challenge === null || challenge.params.has(name) || challenge.params.size >= MAX_PARAMS) return;
  challenge.params.set(name, value);
}

/** "Basic", "Basic realm=x" or "Negotiate TlRM…". */
function beginChallenge(element: string): OpenChallenge | null {
  const gap = /[ \t]/.exec(element)?.index ?? element.length;
  const scheme = element.slice(0, gap);
  const rest = trimBlanks(element.slice(gap));
  if (!TOKEN.test(scheme) || scheme.length > MAX_SCHEME_CHARACTERS) return null;
  const params = new Map<string, string>();
  const param = parseParam(rest);
  if (param !== null) params.set(param[0], param[1]);
  return { scheme, token68: param === null && TOKEN68.test(rest) ? rest : null, params };
}

/** `name = value` or `name = "va\"lue"`; null when it is neither. */
function parseParam(element: string): Param | null {
  const equals = element.indexOf('=');
  if (equals < 0) return null;
  const name = trimBlanks(element.slice(0, equals));
  const value = trimBlanks(element.slice(equals + 1));
  if (!TOKEN.test(name)) return null;
  if (TOKEN.test(value)) return [name.toLowerCase(), value];
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return null;
  return [name.toLowerCase(), value.slice(1, -1).replace(/\\(.)/g, '$1')];
}

/** The elements of a comma-separated list; a comma between quotes separates nothing. Empty elements are dropped. */
function splitList(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i <= value.length; i++) {
    const character = value[i];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === '\\' && isQuoted) i++;
    else if (i >= value.length || (character === ',' && !isQuoted)) {
      elements.push(trimBlanks(value.slice(start, i)));
      start = i + 1;
    }
  }
  if (start < value.length) elements.push(trimBlanks(value.slice(start))); // a quote that was never closed
  return elements.filter((element) => element !== '');
}
