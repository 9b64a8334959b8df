import { fail } from '../errors.ts';
import { isHost, isPort, printAuthority, splitAuthority } from '../road/authority.ts';
import type { Hop } from '../road/route.ts';
import type { ProxyPurpose, SettingsProxy, SettingsWarning } from './settings.ts';

/** Collects what was read, so that each reader says only what is its own. */
export class Findings {
  readonly proxies: SettingsProxy[] = [];
  readonly warnings: SettingsWarning[] = [];

  /** Notes something once. */
  warn(code: SettingsWarning['code'], setting: string, about = 'none'): void {
    const isKnown = this.warnings.some((w) => w.code === code && w.setting === setting && w.about === about);
    if (!isKnown && this.warnings.length < MAX_WARNINGS) this.warnings.push({ code, setting, about });
  }

  /**
   * Takes one proxy as a setting names it. One that cannot be used ends the reading: leaving it out would send what
   * was meant for it another way.
   *
   * @throws settings.unreadable naming `setting`, which is what the person will look for
   */
  addProxy(text: string, purpose: ProxyPurpose, setting: string, whenBare: BareProxy = 'http'): void {
    const read = readProxy(text, whenBare);
    if (read.hop === null) fail('settings.unreadable', { reason: read.problem, setting });
    this.addHop({ ...read, hop: read.hop }, purpose, setting);
  }

  /** Takes one that was read, with what is to be said about it. */
  addHop(read: ReadProxy & { hop: Hop }, purpose: ProxyPurpose, setting: string): void {
    const about = printAuthority(read.hop);
    if (read.hadCredentials) this.warn('credentials-dropped', setting, about);
    if (read.isPortAssumed) this.warn('port-assumed', setting, about);
    if (read.isVersionUnknown) this.warn('socks-version', setting, about);
    if (this.proxies.length < MAX_PROXIES) this.proxies.push({ for: purpose, hop: read.hop });
  }
}

/** What a proxy without a scheme is taken for. */
export type BareProxy = 'http' | 'https' | 'socks' | 'socks5';

/** A proxy as read, or why it is none we can use. */
export interface ReadProxy {
  readonly hop: Hop | null;
  readonly problem: 'not-a-proxy' | 'socks4';
  readonly hadCredentials: boolean;
  readonly isPortAssumed: boolean;
  readonly isVersionUnknown: boolean;
}

/** Nobody has more; each is a road to try. */
export const MAX_PROXIES = 32;
const MAX_WARNINGS = 64;
const MAX_PROXY_CHARACTERS = 2048;

/** Characters that nobody sees, and that move the cursor or turn the writing. No address has one. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const NO_PROXY: ReadProxy = {
  ...{ hop: null, problem: 'not-a-proxy', hadCredentials: false, isPortAssumed: false, isVersionUnknown: false },
};

/** What Chromium, WinINET and Go assume; curl assumes 1080 for every kind. */
const DEFAULT_PORTS = { http: 80, https: 443, socks: 1080, socks5: 1080 } as const;

/**
 * Reads "[scheme://][user[:password]@]host[:port][/…]". User and password are seen and dropped; a path says nothing
 * about a proxy and is dropped as well, as curl and Go do.
 */
export function readProxy(text: string, whenBare: BareProxy): ReadProxy {
  if (text.length > MAX_PROXY_CHARACTERS || HIDDEN.test(text.trim())) {
    return { ...NO_PROXY, hadCredentials: text.includes('@') };
  }
  const written = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text.trim());
  const rest = text.trim().slice(written?.[0].length ?? 0);
  const authority = (/^[^/?#\\]*/.exec(rest) as RegExpExecArray)[0];
  const at = authority.lastIndexOf('@');
  const hadCredentials = rest.includes('@');
  const base = { ...NO_PROXY, hadCredentials };
  // An @ behind a slash is a password that nobody escaped: then the host is not where it seems to be.
  if (hadCredentials && at < 0) return base;
  const scheme = kindOf(written === null ? whenBare : (written[1] as string).toLowerCase());
  if (scheme === 'socks4') return { ...base, problem: 'socks4' };
  const parts = splitAuthority(authority.slice(at + 1));
  if (scheme === null || parts === null) return base;
  const host = parts.host.toLowerCase().replace(/(.)\.$/, '$1');
  const hasPort = parts.port !== null && parts.port !== '';
  const port = hasPort ? Number(parts.port) : DEFAULT_PORTS[scheme];
  if (!isHost(host) || !isPort(port)) return base;
  const hop: Hop =
    scheme === 'socks' || scheme === 'socks5'
      ? { kind: 'socks5', host, port }
      : { kind: 'http-connect', host, port, ...(scheme === 'https' ? { tls: true } : {}) };
  return { ...base, hop, isPortAssumed: !hasPort, isVersionUnknown: scheme === 'socks' };
}

function kindOf(scheme: string): keyof typeof DEFAULT_PORTS | 'socks4' | null {
  if (scheme === 'socks5h') return 'socks5';
  if (scheme === 'socks4' || scheme === 'socks4a') return 'socks4';
  return scheme === 'http' || scheme === 'https' || scheme === 'socks' || scheme === 'socks5' ? scheme : null;
}

/**
 * A PAC file's address without user, password and fragment; null when it is none, or has characters that nobody sees,
 * which would move the cursor or turn the writing where it is shown. `hadCredentials` tells whether
 * something was dropped.
 */
export function readPacUrl(text: string): { url: string; hadCredentials: boolean } | null {
  if (text.length > MAX_PROXY_CHARACTERS || HIDDEN.test(text.trim())) return null;
  const parts = /^(https?|file):\/\/([^/?#\\\s]*)([^#\s]*)(?:#\S*)?$/i.exec(text.trim());
  if (parts === null) return null;
  const scheme = (parts[1] as string).toLowerCase();
  const authority = parts[2] as string;
  const path = parts[3] as string;
  // As above: behind a slash it belongs to a password.
  if (path.includes('@')) return null;
  const at = authority.lastIndexOf('@');
  const place = splitAuthority(authority.slice(at + 1));
  if (scheme === 'file') return at < 0 ? { url: `file://${authority}${path}`, hadCredentials: false } : null;
  if (place === null || !isHost(place.host)) return null;
  if (place.port !== null && place.port !== '' && !isPort(Number(place.port))) return null;
  const url = `${scheme}://${authority.slice(at + 1).toLowerCase()}${path === '' ? '/' : path}`;
  return { url, hadCredentials: at >= 0 };
}
