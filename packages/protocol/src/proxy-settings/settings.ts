import { printAuthority } from '../road/authority.ts';
import type { Hop, ProxyRoute, RouteTarget } from '../road/route.ts';
import type { BypassList } from './bypass.ts';

/** What kind of text the settings were read from. */
export type SettingsSource =
  | 'netsh'
  | 'netsh-json'
  | 'registry'
  | 'wininet'
  | 'environment'
  | 'pac-url'
  | 'url'
  | 'pac-answer';

/** What a proxy in the settings is for: requests of one scheme, what no other entry is for, or everything. */
export type ProxyPurpose = 'http' | 'https' | 'socks' | 'all';

/** One proxy of the settings. */
export interface SettingsProxy {
  readonly for: ProxyPurpose;
  readonly hop: Hop;
}

/**
 * What a person should know about how their settings were read. Nothing here repeats what was pasted, except the names
 * of settings and the hosts of proxies.
 *
 * - `credentials-dropped`: a URL held a user or a password; they are not kept, and asked for when they are needed.
 * - `port-assumed`: nothing was said about the port, and programs assume different ones.
 * - `socks4`: a SOCKS 4 proxy was left out; Fairlead speaks SOCKS 5.
 * - `socks-version`: the setting does not tell the version; SOCKS 5 will be spoken.
 * - `not-a-proxy`: an entry that cannot be read was left out.
 * - `other-scheme`: an entry for ftp and the like was left out.
 * - `switched-off`: proxies are written down but not switched on; they are left out.
 * - `auto-detect`: proxies are to be found by WPAD; Fairlead does not look for any.
 * - `pac-first`: a PAC file comes before the proxies that are named beside it.
 * - `bypass-unread`: exceptions that cannot be read match nothing.
 * - `two-cases`: a variable is set in capitals and in small letters, differently; small letters were taken.
 * - `cgi`: HTTP_PROXY in capitals is ignored by curl and others, because a web server may set it from a request.
 */
export interface SettingsWarning {
  readonly code:
    | 'credentials-dropped'
    | 'port-assumed'
    | 'socks4'
    | 'socks-version'
    | 'not-a-proxy'
    | 'other-scheme'
    | 'switched-off'
    | 'auto-detect'
    | 'pac-first'
    | 'bypass-unread'
    | 'two-cases'
    | 'cgi';
  /** The setting it is about: "HTTPS_PROXY", "ProxyServer", "https=", "PROXY"; "none" for the whole. */
  readonly setting: string;
  /** "host:port" of the proxy it is about, or how many; "none" if there is nothing to say. */
  readonly about: string;
}

/** Proxy settings as somebody had them somewhere. They hold no credential. */
export interface ProxySettings {
  readonly source: SettingsSource;
  /** They say in so many words that no proxy is used. */
  readonly direct: boolean;
  /** In the order in which they are to be tried for the same purpose. */
  readonly proxies: readonly SettingsProxy[];
  readonly bypass: BypassList;
  /** A PAC file that decides before `proxies` do. http, https or file; without user, password and fragment. */
  readonly pacUrl: string | null;
  readonly warnings: readonly SettingsWarning[];
}

/** Why the settings lead where they lead; `loopback` and `link-local` go directly although no exception names them. */
export type RouteReason =
  | 'bypassed'
  | 'loopback'
  | 'link-local'
  | 'for-scheme'
  | 'for-all'
  | 'for-socks'
  | 'listed'
  | 'no-proxy';

/** The roads to try, in order; a road without hops is the direct one. */
export interface ChosenRoutes {
  readonly routes: readonly ProxyRoute[];
  readonly why: RouteReason;
  /** The settings name a PAC file, which would have to be asked first. */
  readonly pacUrl: string | null;
}

/**
 * What settings say about one target: a bypassed host goes directly; else the proxies for its scheme, else those for
 * all, else SOCKS; with none of them it goes directly. That is the order of WinINET, Chromium and the environment
 * variables alike. A PAC file is not asked here: see `evaluatePac`.
 */
export function chooseRoutes(settings: ProxySettings, target: RouteTarget): ChosenRoutes {
  const { pacUrl } = settings;
  const exception = settings.bypass.exceptionFor(target.host, target.port);
  // Where there is no proxy at all, nothing is an exception.
  if (exception !== null && (settings.proxies.length > 0 || pacUrl !== null)) {
    return { routes: [DIRECT], why: exception === 'listed' ? 'bypassed' : exception, pacUrl };
  }
  const purposes: readonly [ProxyPurpose, RouteReason][] = [
    [target.scheme, 'for-scheme'],
    ['all', 'for-all'],
    ['socks', 'for-socks'],
  ];
  for (const [purpose, why] of purposes) {
    const routes = settings.proxies.filter((proxy) => proxy.for === purpose).map(({ hop }) => routeThrough(hop));
    if (routes.length === 0) continue;
    const isAnswer = settings.source === 'pac-answer';
    return {
      routes: isAnswer && settings.direct ? [...routes, DIRECT] : routes,
      why: isAnswer ? 'listed' : why,
      pacUrl,
    };
  }
  return { routes: [DIRECT], why: 'no-proxy', pacUrl };
}

/** The road without proxies. */
export const DIRECT: ProxyRoute = { name: 'DIRECT', hops: [] };

/** A road through one proxy, named as PAC files name it: "PROXY proxy.corp:8080". */
export function routeThrough(hop: Hop): ProxyRoute {
  const word = hop.kind === 'socks5' ? 'SOCKS5' : hop.tls === true ? 'HTTPS' : 'PROXY';
  return { name: `${word} ${printAuthority(hop)}`, hops: [hop] };
}
