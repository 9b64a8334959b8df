import { type BadArgumentReason, fail } from '../errors.ts';
import { isHost, printAuthority } from '../road/authority.ts';

/** A WinRM service. The host is a name, an IPv4 address, or an IPv6 address without brackets, in lower case. */
export interface Target {
  /** `https` is spoken inside TLS that ends here; `http` carries sealed messages. */
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Begins with "/". */
  readonly path: string;
}

/** The port of WinRM over HTTP. [MS-WSMV] 2.1 */
export const DEFAULT_PORT = 5985;

/** The port of WinRM over HTTPS. [MS-WSMV] 2.1 */
export const DEFAULT_TLS_PORT = 5986;

/** The path under which Windows serves WinRM. */
export const DEFAULT_PATH = '/wsman';

/**
 * Reads what a person types or pastes: `host`, `host:port`, `[v6]:port`, each with a user in front if need be
 * (`DOMAIN\user@host`, `user@realm@host`), `http://host:port/path` and `https://host:port/path`, never with a password.
 * Without a scheme port 5986 means https, every other http.
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
    const { host, port } = parsePlace(place, DEFAULT_PORT);
    return { target: { scheme: port === DEFAULT_TLS_PORT ? 'https' : 'http', host, port, path: DEFAULT_PATH }, user };
  }
  const name = scheme[1]?.toLowerCase();
  if (name !== 'http' && name !== 'https') return refuse('unsupported-scheme');
  return { target: parseUrl(name, input.slice(scheme[0].length)), user: null };
}

/** The shortest text that parseTarget reads as this target. */
export function printTarget(target: Target): string {
  if (target.path !== DEFAULT_PATH) return targetUrl(target);
  const { scheme, port } = target;
  const authority = targetAuthority(target);
  const isPortTelling = (scheme === 'https') === (port === DEFAULT_TLS_PORT);
  if (!isPortTelling) return `${scheme}://${authority}`;
  return port === DEFAULT_PORT ? authority.slice(0, authority.lastIndexOf(':')) : authority;
}

/** Host and port as in a Host field: always with the port, an IPv6 address in brackets. RFC 9110, section 7.2 */
export function targetAuthority(target: Target): string {
  return printAuthority(target);
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
  if (target.scheme !== 'http' && target.scheme !== 'https') refuse('unsupported-scheme');
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
function parseUrl(scheme: Target['scheme'], rest: string): Target {
  const slash = rest.search(/[/?#\\]/);
  const place = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash);
  if (place.includes('@')) refuse('has-credentials');
  if (/[?#]/.test(path)) refuse('has-query');
  if (path.length > MAX_PATH_CHARS) refuse('too-long', MAX_PATH_CHARS);
  if (!/^(?:\/[A-Za-z0-9._~-]*)*$/.test(path) || /\/\.{1,2}(?:\/|$)/.test(path)) refuse('not-a-url');
  const defaultPort = scheme === 'https' ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  return { scheme, ...parsePlace(place, defaultPort), path: path === '' || path === '/' ? DEFAULT_PATH : path };
}

function parsePlace(place: string, defaultPort: number): { host: string; port: number } {
  const split = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s.exec(place);
  if (split === null) return refuse('not-a-host');
  const host = split[1] ?? '';
  return { host: parseHost(host), port: split[2] === undefined ? defaultPort : parsePort(split[2]) };
}

function parsePort(text: string): number {
  if (!/^\d+$/.test(text)) refuse('not-a-number');
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > MAX_PORT) refuse('out-of-range', MAX_PORT);
  return Number(text);
}

function parseHost(text: string): string {
  const isBracketed = text.startsWith('[');
  const host = (isBracketed ? text.slice(1, -1) : text).toLowerCase();
  if (host.length > MAX_NAME_CHARS) refuse('too-long', MAX_NAME_CHARS);
  if (!isHost(host) || isBracketed !== host.includes(':')) refuse('not-a-host');
  return isBracketed ? printIpv6(ipv6Groups(host)) : host;
}

/** The eight groups of an address that is one. RFC 4291, section 2.2 */
function ipv6Groups(text: string): readonly number[] {
  const [left = [], right = []] = text
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').flatMap(groupsOf)));
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** One group of hexadecimal digits, or the two that an IPv4 address at the end stands for. */
function groupsOf(part: string): readonly number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
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
