import { type BadArgumentReason, fail } from '../errors.ts';

/** A WinRM service. The host is a name, an IPv4 address, or an IPv6 address without brackets, in lower case. */
export interface Target {
  readonly scheme: 'http';
  readonly host: string;
  readonly port: number;
  /** Begins with "/". */
  readonly path: string;
}

/** The port of WinRM over HTTP. [MS-WSMV] 2.1 */
export const DEFAULT_PORT = 5985;

/** The path under which Windows serves WinRM. */
export const DEFAULT_PATH = '/wsman';

/**
 * Reads what a person types or pastes: `host`, `host:port`, `[v6]:port`, `http://host:port/path`, each with a user in
 * front if need be (`DOMAIN\user@host`, `user@realm@host`), but never with a password.
 *
 * Odd spellings of an address (decimal, octal, hexadecimal, a trailing dot, a zone) are refused: what is judged by
 * name must be what is connected to. Names outside ASCII are refused too, to be typed in their `xn--` form.
 *
 * @throws misuse.bad-argument empty, too-long, control-character, not-a-host, not-a-url, not-a-number, out-of-range,
 *   unsupported-scheme, has-credentials, has-query
 */
export function parseTarget(text: string): { target: Target; user: string | null } {
  const input = text.trim();
  if (input === '') refuse('empty');
  if (input.length > MAX_INPUT_CHARS) refuse('too-long', MAX_INPUT_CHARS);
  if (CONTROL.test(input)) refuse('control-character');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(input);
  if (scheme === null) {
    const { user, place } = splitUser(input);
    if (/[/\\]/.test(place)) refuse('not-a-host');
    if (/[?#]/.test(place)) refuse('has-query');
    return { target: { scheme: 'http', ...parsePlace(place), path: DEFAULT_PATH }, user };
  }
  if (scheme[1]?.toLowerCase() !== 'http') refuse('unsupported-scheme');
  return { target: parseUrl(input.slice(scheme[0].length)), user: null };
}

/** The shortest text that parseTarget reads as this target. */
export function printTarget(target: Target): string {
  const place = target.port === DEFAULT_PORT ? bracketed(target.host) : targetAuthority(target);
  return target.path === DEFAULT_PATH ? place : targetUrl(target);
}

/** Host and port as in a Host field: always with the port, an IPv6 address in brackets. RFC 9110, section 7.2 */
export function targetAuthority(target: Target): string {
  return `${bracketed(target.host)}:${target.port}`;
}

/** The whole URL. */
export function targetUrl(target: Target): string {
  return `${target.scheme}://${targetAuthority(target)}${target.path}`;
}

/**
 * Refuses a target that parseTarget could not have made.
 * @throws misuse.bad-argument
 */
export function checkTarget(target: Target): void {
  if (target.scheme !== 'http') refuse('unsupported-scheme');
  const reread = parseTarget(targetUrl(target)).target;
  if (reread.host !== target.host || reread.port !== target.port || reread.path !== target.path) refuse('malformed');
}

/** The last @ separates: a user may be a principal name with an @ of its own. */
function splitUser(input: string): { user: string | null; place: string } {
  const at = input.lastIndexOf('@');
  if (at < 0) return { user: null, place: input };
  const user = input.slice(0, at);
  if (user === '') refuse('malformed');
  if (user.includes(':')) refuse('has-credentials');
  return { user, place: input.slice(at + 1) };
}

/** RFC 3986, section 3, without userinfo, query, fragment and percent-encoding: none of them has a meaning here. */
function parseUrl(rest: string): Target {
  const slash = rest.search(/[/?#\\]/);
  const place = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash);
  if (place.includes('@')) refuse('has-credentials');
  if (/[?#]/.test(path)) refuse('has-query');
  if (path.length > MAX_PATH_CHARS) refuse('too-long', MAX_PATH_CHARS);
  if (!/^(?:\/[A-Za-z0-9._~-]*)*$/.test(path) || /\/\.{1,2}(?:\/|$)/.test(path)) refuse('not-a-url');
  return { scheme: 'http', ...parsePlace(place), path: path === '' || path === '/' ? DEFAULT_PATH : path };
}

function parsePlace(place: string): { host: string; port: number } {
  const split = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s.exec(place);
  if (split === null) return refuse('not-a-host');
  const host = split[1] ?? '';
  return { host: parseHost(host), port: split[2] === undefined ? DEFAULT_PORT : parsePort(split[2]) };
}

function parsePort(text: string): number {
  if (!/^\d+$/.test(text)) refuse('not-a-number');
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > MAX_PORT) refuse('out-of-range', MAX_PORT);
  return Number(text);
}

function parseHost(text: string): string {
  const host = text.toLowerCase();
  if (host.startsWith('[')) return parseIpv6(host.slice(1, -1));
  if (host.length > MAX_NAME_CHARS) refuse('too-long', MAX_NAME_CHARS);
  const labels = host.split('.');
  const isName = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  if (!isName) refuse('not-a-host');
  // A last label that looks like a number makes every resolver read an address, in whatever base. WHATWG URL, 3.5
  const looksNumeric = /^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');
  if (looksNumeric && !isIpv4(host)) refuse('not-a-host');
  return host;
}

function isIpv4(host: string): boolean {
  const parts = host.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291, section 2.2; RFC 5952, section 4: the canonical text, so that one address has one spelling. */
function parseIpv6(text: string): string {
  const halves = text.split('::');
  if (halves.length > 2) refuse('not-a-host');
  const left = ipv6Groups(halves[0] ?? '', halves.length === 1);
  const right = halves.length === 2 ? ipv6Groups(halves[1] ?? '', true) : [];
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) refuse('not-a-host');
  return printIpv6([...left, ...Array<number>(missing).fill(0), ...right]);
}

function ipv6Groups(text: string, canEndInIpv4: boolean): number[] {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const groups: number[] = [];
  if (canEndInIpv4 && isIpv4(last)) {
    parts.pop();
    const [a = 0, b = 0, c = 0, d = 0] = last.split('.').map(Number);
    groups.push((a << 8) | b, (c << 8) | d);
  }
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/.test(part))) refuse('not-a-host');
  return [...parts.map((part) => Number.parseInt(part, 16)), ...groups];
}

/** RFC 5952, section 4.2: the longest run of two or more zero groups, the first of equals, becomes "::". */
function printIpv6(groups: readonly number[]): string {
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function refuse(reason: BadArgumentReason, limit?: number): never {
  return fail('misuse.bad-argument', { argument: 'target', reason, ...(limit === undefined ? {} : { limit }) });
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\p{Surrogate}]/u;
const MAX_PORT = 65_535;
/** RFC 1035, section 2.3.4, in text form without the final dot. */
const MAX_NAME_CHARS = 253;
const MAX_PATH_CHARS = 256;
/** A user of 256, an @, a scheme, a name of 253, a port and a path of 256 fit. */
const MAX_INPUT_CHARS = 1024;
