import type { Address } from '../bytes/stream.ts';
import { type BadArgumentReason, fail } from '../errors.ts';
import { isHost, isPort, printAuthority, splitAuthority } from './authority.ts';

/**
 * One proxy on a road. `http-connect` tunnels (RFC 9110, section 9.3.6); `http-forward` reads and passes on each request
 * in absolute form (RFC 9112, section 3.2.2); `socks5` connects (RFC 1928). It never holds a credential.
 */
export interface Hop {
  readonly kind: 'http-connect' | 'http-forward' | 'socks5';
  readonly host: string;
  readonly port: number;
  /** Whether the proxy itself is spoken to over TLS; false unless given, and never for `socks5`. */
  readonly tls?: boolean | undefined;
}

/** The proxies between the relay and the target, in order; none for a direct road. */
export interface ProxyRoute {
  readonly name: string;
  readonly hops: readonly Hop[];
}

/** What a route leads to, as far as the route is concerned. */
export interface RouteTarget extends Address {
  readonly scheme: 'http' | 'https';
}

/** No company has more proxies in a row; each costs a round trip and a name to resolve. */
export const MAX_HOPS = 4;

/** The port of a URL that names none. RFC 9110, section 4.2; RFC 1928, section 3 */
const DEFAULT_PORTS = { http: 80, https: 443, socks5: 1080 } as const;

/**
 * Reads "http://proxy.corp:3128", "proxy.corp:3128", "https://proxy.corp" or "socks5://proxy.corp". The kind counts for
 * http and https.
 *
 * @throws misuse.bad-argument naming `proxy`: empty, too-long, control-character, unsupported-scheme, has-credentials,
 *   has-query, not-a-url, not-a-host, out-of-range
 */
export function parseProxy(text: string, kind: 'http-connect' | 'http-forward'): Hop {
  const trimmed = text.trim();
  if (trimmed === '') refuse('empty');
  if (trimmed.length > 300) refuse('too-long');
  if (/[\0-\x1f\x7f]/.test(trimmed)) refuse('control-character');
  const written = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(trimmed);
  const scheme = schemeOf(written?.[1] ?? 'http');
  if (scheme === null || (scheme === 'socks5' && kind === 'http-forward')) return refuse('unsupported-scheme');
  const rest = trimmed.slice(written?.[0].length ?? 0);
  const authority = /^[^/?#\\]*/.exec(rest)?.[0] ?? '';
  if (authority.includes('@')) refuse('has-credentials');
  const path = rest.slice(authority.length);
  if (/[?#]/.test(path)) refuse('has-query');
  if (path !== '' && path !== '/') refuse('not-a-url');
  const parts = splitAuthority(authority);
  if (parts === null || !isHost(parts.host)) refuse('not-a-host');
  // A bare host says nothing about a port, and every product has another default: asking beats guessing.
  if (parts.port === null && written === null) refuse('not-a-url');
  const port = parts.port === null ? DEFAULT_PORTS[scheme] : Number(parts.port);
  if (parts.port === '' || !isPort(port)) refuse('out-of-range');
  const place = { host: parts.host.toLowerCase(), port };
  if (scheme === 'socks5') return { kind: 'socks5', ...place };
  return scheme === 'https' ? { kind, ...place, tls: true } : { kind, ...place };
}

/** `socks5h` is what other programs call a SOCKS proxy that resolves names itself, as ours always does. */
function schemeOf(text: string): keyof typeof DEFAULT_PORTS | null {
  const scheme = text.toLowerCase();
  if (scheme === 'socks5h') return 'socks5';
  return scheme === 'http' || scheme === 'https' || scheme === 'socks5' ? scheme : null;
}

/** The road in words, from the near end: "proxy.corp:3128 (CONNECT), win1:5985". */
export function printRoute(route: ProxyRoute, target: Address): string {
  const proxies = route.hops.map(
    (hop) => `${printAuthority(hop)} (${KIND_NAMES[hop.kind]}${hop.tls === true ? ' over TLS' : ''})`,
  );
  return [...proxies, printAuthority(target)].join(', ');
}

/**
 * Refuses a road that cannot be walked or must not be: absolute form is for the last proxy and an http target only,
 * because over it the proxy sees what TLS would hide.
 *
 * @throws misuse.bad-argument
 */
export function checkRoute(route: ProxyRoute, target: RouteTarget): void {
  if (route.hops.length > MAX_HOPS) {
    fail('misuse.bad-argument', { argument: 'route', reason: 'too-long', limit: MAX_HOPS });
  }
  checkAddress(target, 'target');
  for (const [i, hop] of route.hops.entries()) {
    checkAddress(hop, 'proxy');
    if (hop.kind === 'socks5' && hop.tls === true) {
      fail('misuse.bad-argument', { argument: 'route', reason: 'socks-needs-plain' });
    }
    if (hop.kind !== 'http-forward') continue;
    if (i !== route.hops.length - 1) fail('misuse.bad-argument', { argument: 'route', reason: 'forward-not-last' });
    if (target.scheme !== 'http') fail('misuse.bad-argument', { argument: 'route', reason: 'forward-needs-http' });
  }
}

const KIND_NAMES = { 'http-connect': 'CONNECT', 'http-forward': 'HTTP', socks5: 'SOCKS5' } as const;

function checkAddress(address: Address, argument: string): void {
  if (!isHost(address.host)) fail('misuse.bad-argument', { argument, reason: 'not-a-host' });
  if (!isPort(address.port)) fail('misuse.bad-argument', { argument, reason: 'out-of-range', limit: 65_535 });
}

function refuse(reason: BadArgumentReason): never {
  fail('misuse.bad-argument', { argument: 'proxy', reason });
}
