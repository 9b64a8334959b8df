import { splitAuthority } from '../road/authority.ts';
import { type Ip, type IpRange, isInRange, isLinkLocal, isLoopback, parseIp, parseIpRange } from './_ip.ts';

/**
 * Whose rules a list follows; the same line means different things to different programs.
 *
 * - `windows`: WinINET's ProxyOverride and WinHTTP's bypass list. A name is that name only, `*` stands for any
 *   characters, `<local>` for names without a dot; this machine itself and link-local addresses go directly unless
 *   `<-loopback>` is there. Ranges are read too, as Chromium does ("Proxy bypass rules" in its net/docs/proxy.md).
 * - `curl`: names and what is below them, a lone `*` for everything, ranges, no ports (curl's --noproxy).
 * - `go`: as curl, but a leading dot means only what is below, ports count, and loopback always goes directly
 *   (golang.org/x/net/http/httpproxy).
 * - `environment`: of no known program. As Node's undici: names and what is below them, `*.` only what is below, `*`,
 *   ports; and ranges besides.
 */
export type BypassSyntax = 'windows' | 'environment' | 'curl' | 'go';

type Who =
  | { readonly kind: 'everything' }
  | { readonly kind: 'plain-names' }
  | { readonly kind: 'address'; readonly ip: Ip }
  | { readonly kind: 'range'; readonly range: IpRange }
  | { readonly kind: 'pattern'; readonly pieces: readonly string[] }
  | { readonly kind: 'name'; readonly name: string; readonly alsoItself: boolean; readonly alsoBelow: boolean };

interface Entry {
  readonly text: string;
  readonly who: Who;
  readonly port: number | null;
}

/** More entries than any list has; what is beyond is not read, and `unreadCount` tells. */
const MAX_ENTRIES = 4096;
const MAX_ENTRY_CHARACTERS = 300;
const SEPARATORS = { windows: /[;,\s]+/, environment: /[,\s]+/, curl: /[,\s]+/, go: /,/ } as const;

/** The hosts that are reached without a proxy. Names are compared without case and without a dot behind. */
export class BypassList {
  /** No exceptions at all, not even loopback. */
  static readonly NONE = new BypassList([], false, false, 0);

  /** What each entry said, as it was written. */
  readonly entries: readonly string[];
  /** Entries that could not be read and match nothing. */
  readonly unreadCount: number;
  /** This machine itself goes directly, named or not. */
  readonly isLoopbackDirect: boolean;
  /** So does what has no address but one it gave itself. */
  readonly isLinkLocalDirect: boolean;
  readonly #entries: readonly Entry[];

  private constructor(
    entries: readonly Entry[],
    isLoopbackDirect: boolean,
    isLinkLocalDirect: boolean,
    unreadCount: number,
  ) {
    this.#entries = entries;
    this.isLoopbackDirect = isLoopbackDirect;
    this.isLinkLocalDirect = isLinkLocalDirect;
    this.entries = entries.map((entry) => entry.text);
    this.unreadCount = unreadCount;
  }

  /** Reads a list by the rules of a syntax. Never throws: what cannot be read is counted and matches nothing. */
  static parse(text: string, syntax: BypassSyntax): BypassList {
    const written = text.split(SEPARATORS[syntax]).map((entry) => entry.trim());
    const words = written.filter((entry) => entry !== '');
    const withoutLoopback = syntax === 'windows' && words.some((word) => word.toLowerCase() === '<-loopback>');
    const entries: Entry[] = [];
    let unreadCount = Math.max(0, words.length - MAX_ENTRIES);
    for (const word of words.slice(0, MAX_ENTRIES)) {
      if (syntax === 'windows' && word.toLowerCase() === '<-loopback>') continue;
      const entry = readEntry(word, syntax, words.length);
      if (entry === null) unreadCount += 1;
      else entries.push(entry);
    }
    const isLoopbackDirect = syntax === 'go' || (syntax === 'windows' && !withoutLoopback);
    return new BypassList(entries, isLoopbackDirect, isLoopbackDirect && syntax === 'windows', unreadCount);
  }

  /** Whether a host is reached without a proxy. An IPv6 address may stand in brackets. */
  matches(host: string, port?: number): boolean {
    return this.exceptionFor(host, port) !== null;
  }

  /** Why a host is reached without a proxy: an entry says so, or the rules do whatever is listed; null if neither does. */
  exceptionFor(host: string, port?: number): 'listed' | 'loopback' | 'link-local' | null {
    const name = plainHost(host);
    const ip = parseIp(name);
    const isListed = this.#entries.some(
      (entry) => (entry.port === null || entry.port === port) && matchesEntry(entry.who, name, ip),
    );
    if (isListed) return 'listed';
    if (this.isLoopbackDirect && (ip === null ? isLocalName(name) : isLoopback(ip))) return 'loopback';
    return this.isLinkLocalDirect && ip !== null && isLinkLocal(ip) ? 'link-local' : null;
  }
}

function plainHost(host: string): string {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name.length > 1 ? name.replace(/\.$/, '') : name;
}

/** RFC 6761, section 6.3 */
function isLocalName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

function matchesEntry(who: Who, name: string, ip: Ip | null): boolean {
  switch (who.kind) {
    case 'everything':
      return true;
    case 'plain-names':
      return ip === null && !name.includes('.');
    case 'address':
      return ip !== null && ip.bits === who.ip.bits && ip.value === who.ip.value;
    case 'range':
      return ip !== null && isInRange(ip, who.range);
    case 'pattern':
      return matchesPieces(who.pieces, name);
    case 'name':
      if (name === who.name) return who.alsoItself;
      return who.alsoBelow && ip === null && name.endsWith(`.${who.name}`);
  }
}

function readEntry(word: string, syntax: BypassSyntax, wordCount: number): Entry | null {
  if (word.length > MAX_ENTRY_CHARACTERS) return null;
  const entry = (who: Who | null, port: number | null = null): Entry | null =>
    who === null ? null : { text: word, who, port };
  if (syntax === 'windows') {
    if (word.toLowerCase() === '<local>') return entry({ kind: 'plain-names' });
    // Chromium's rules may begin with a scheme. Which one a WinRM target has is not what such lists are about.
    return windowsEntry(word.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, ''), entry);
  }
  const range = parseIpRange(word);
  if (range !== null) return entry({ kind: 'range', range });
  if (word === '*' && (syntax === 'environment' || wordCount === 1)) return entry({ kind: 'everything' });
  const { host, port } = hostAndPort(word);
  if (port !== null && syntax === 'curl') return null;
  const ip = parseIp(host);
  if (ip !== null) return entry({ kind: 'address', ip }, port);
  if (host === '*' && syntax === 'environment') return entry({ kind: 'everything' }, port);
  return entry(nameEntry(host, syntax), port);
}

function windowsEntry(text: string, entry: (who: Who | null, port?: number | null) => Entry | null): Entry | null {
  const range = parseIpRange(text);
  if (range !== null) return entry({ kind: 'range', range });
  const { host, port } = hostAndPort(text);
  const ip = parseIp(host);
  if (ip !== null) return entry({ kind: 'address', ip }, port);
  // ".corp" is what Chromium reads as "*.corp"; Windows itself never matches it with anything.
  const pattern = (host.startsWith('.') ? `*${host}` : host).toLowerCase().replace(/\.$/, '');
  if (pattern === '*') return entry({ kind: 'everything' }, port);
  return /^[\w*:.-]+$/.test(pattern) ? entry({ kind: 'pattern', pieces: pattern.split('*') }, port) : null;
}

/** curl leaves one dot in front out of account; to Go it means only what is below; undici drops "." and "*.". */
function nameEntry(host: string, syntax: BypassSyntax): Who | null {
  const below = /^\*?\./.exec(host);
  const name = plainHost(below === null ? host : host.slice(below[0].length));
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) return null;
  const hasStar = host.startsWith('*');
  if (hasStar && syntax === 'curl') return null;
  const alsoItself = below === null || (syntax !== 'go' && !hasStar);
  return { kind: 'name', name, alsoItself, alsoBelow: true };
}

function hostAndPort(text: string): { host: string; port: number | null } {
  const parts = splitAuthority(text);
  if (parts === null) return { host: text, port: null };
  const port = parts.port === null || parts.port === '' ? null : Number(parts.port);
  return { host: parts.host, port };
}

/** Matches text against pieces between which anything may stand; linear, because the first fit is always good enough. */
function matchesPieces(pieces: readonly string[], text: string): boolean {
  const first = pieces[0] as string;
  if (pieces.length === 1) return text === first;
  const last = pieces[pieces.length - 1] as string;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
