import type { Hop } from '@fairlead/protocol';
import { seemsToHoldPassword } from './password-in-text.ts';

/**
 * What a person keeps in this browser to connect again: targets and routes, in localStorage. INVARIANT: no field can
 * hold a secret; passwords are in the vault, for the life of the tab.
 */

/** How one signs in; the words of the protocol package's `AuthPolicy`. */
export type SavedPolicy = 'negotiate' | 'negotiate-raw' | 'ntlm' | 'basic' | 'certificate';

const POLICIES: readonly SavedPolicy[] = ['negotiate', 'negotiate-raw', 'ntlm', 'basic', 'certificate'];

/** Settings as a person found them: each server gets its own road from them. */
export interface SavedSettings {
  /** What was read, in words of ours, or a PAC file's own text; at most `MAX_SETTINGS_CHARACTERS`. Never as pasted. */
  readonly text: string;
  /** The file or URL it came from, "" where it was pasted. */
  readonly from: string;
}

/** A road through proxies that was given a name. */
export interface SavedRoute {
  readonly id: string;
  readonly name: string;
  /** From the relay on. Empty where settings give each server its own. */
  readonly hops: readonly Hop[];
  readonly settings: SavedSettings | null;
  /** A last proxy that refuses a tunnel to an http target is handed the requests instead. */
  readonly forwardsIfRefused: boolean;
}

/** How a proxy may be signed in to next time. Leave to show the password is never kept. */
export type SavedMeans = 'best' | 'windows' | 'digest';

/** Who signs in to one proxy. */
export interface SavedProxyUser {
  /** Host and port, as `printAddress` writes them. */
  readonly proxy: string;
  readonly user: string;
  readonly means: SavedMeans;
}

/** A server one connected to, or saved by name. */
export interface SavedTarget {
  readonly id: string;
  /** "" for one that was only used, never named. */
  readonly name: string;
  /** Host and port as `printTarget` or the person wrote them. */
  readonly target: string;
  readonly user: string;
  readonly policy: SavedPolicy;
  readonly shell: 'interactive' | 'command';
  readonly command: string;
  readonly codePage: number;
  readonly workingDirectory: string;
  readonly noProfile: boolean;
  /** A saved route, or null for a direct road. */
  readonly routeId: string | null;
  /** Who signs in to proxies of the route. */
  readonly proxyUsers: readonly SavedProxyUser[];
  readonly isProduction: boolean;
  /** Seal messages inside TLS as well; https targets only. */
  readonly sealsAlways: boolean;
  /** Lets the ciphers of old servers in; https targets only. */
  readonly allowsLegacyTls: boolean;
  /** Milliseconds since 1970, or 0 when never used. */
  readonly usedAt: number;
}

/** Everything that is kept. */
export interface Saved {
  readonly targets: readonly SavedTarget[];
  readonly routes: readonly SavedRoute[];
}

/** Key in localStorage. */
export const SAVED_KEY = 'fairlead.saved';
/** Past this many the oldest unnamed targets go. */
export const MAX_UNNAMED = 8;
/** Past this many of either nothing more is read: a list no person keeps. */
export const MAX_SAVED = 500;
/** Longer settings are not kept, only the road they gave. Real PAC files have a few KiB. */
export const MAX_SETTINGS_CHARACTERS = 65_536;
/** As the protocol package's `MAX_HOPS`, which the first screen does not load. */
const MAX_HOPS = 4;

const NOTHING: Saved = { targets: [], routes: [] };

/** Reads what was stored; entries that are broken are left out, junk is an empty list. */
export function parseSaved(text: string | null): Saved {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? '{}');
  } catch {
    return NOTHING;
  }
  if (!isRecord(stored)) return NOTHING;
  const list = (value: unknown) => (Array.isArray(value) ? value.slice(0, MAX_SAVED).filter(isRecord) : []);
  const routes = list(stored['routes']).flatMap(parseRoute);
  const known = new Set(routes.map((route) => route.id));
  const targets = list(stored['targets'])
    .flatMap((entry) => parseTargetEntry(entry, routes))
    .map((target) => (target.routeId !== null && !known.has(target.routeId) ? { ...target, routeId: null } : target));
  return { targets, routes };
}

function parseRoute(from: Record<string, unknown>): SavedRoute[] {
  const { id, name, settings } = from;
  if (!isText(id, 64) || !isText(name, 100)) return [];
  if (isRecord(settings) && isText(settings['text'], MAX_SETTINGS_CHARACTERS) && isText(settings['from'], 2048)) {
    const kept = withoutPassword({ text: settings['text'], from: settings['from'] });
    return [{ id, name, hops: [], settings: kept, forwardsIfRefused: true }];
  }
  // A route was one proxy once, and its fields were the route's own.
  const written = Array.isArray(from['hops']) ? from['hops'] : [from];
  const hops = written.filter(isRecord).flatMap(parseHop);
  if (hops.length !== written.length || hops.length === 0 || hops.length > MAX_HOPS) return [];
  return [{ id, name, hops, settings: null, forwardsIfRefused: from['forwardsIfRefused'] === true }];
}

const KINDS: readonly Hop['kind'][] = ['http-connect', 'http-forward', 'socks5'];

function parseHop({ kind: written, host, port, tls }: Record<string, unknown>): Hop[] {
  const kind = KINDS.find((known) => known === written);
  if (kind === undefined || !isText(host, 253) || host === '') return [];
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return [];
  return [tls === true && kind !== 'socks5' ? { kind, host, port, tls } : { kind, host, port }];
}

const MEANS: readonly SavedMeans[] = ['best', 'windows', 'digest'];

function parseProxyUser({ proxy, user, means }: Record<string, unknown>): SavedProxyUser[] {
  if (!isText(proxy, 300) || !isText(user, 256) || user === '') return [];
  return [{ proxy, user, means: MEANS.find((known) => known === means) ?? 'best' }];
}

function parseTargetEntry(from: Record<string, unknown>, routes: readonly SavedRoute[]): SavedTarget[] {
  const { id, target, routeId, codePage, usedAt, policy } = from;
  if (!isText(id, 64) || !isText(target, 300) || target === '') return [];
  const text = (key: string, limit: number): string => {
    const value = from[key];
    return isText(value, limit) ? value : '';
  };
  // There was one user once, for the one proxy of the route.
  const proxyUser = text('proxyUser', 256);
  const first = routes.find((route) => route.id === routeId)?.hops[0];
  const old = proxyUser !== '' && first !== undefined ? [{ proxy: printAddress(first), user: proxyUser }] : [];
  const proxyUsers: unknown[] = Array.isArray(from['proxyUsers']) ? from['proxyUsers'].slice(0, 16) : old;
  return [
    {
      id,
      target,
      name: text('name', 100),
      user: text('user', 256),
      policy: POLICIES.find((known) => known === policy) ?? 'negotiate',
      shell: from['shell'] === 'command' ? 'command' : 'interactive',
      command: text('command', 8192),
      codePage: Number.isInteger(codePage) ? (codePage as number) : 65_001,
      workingDirectory: text('workingDirectory', 260),
      noProfile: from['noProfile'] === true,
      routeId: isText(routeId, 64) ? routeId : null,
      proxyUsers: proxyUsers.filter(isRecord).flatMap(parseProxyUser),
      isProduction: from['isProduction'] === true,
      sealsAlways: from['sealsAlways'] === true,
      allowsLegacyTls: from['allowsLegacyTls'] === true,
      usedAt: Number.isFinite(usedAt) ? (usedAt as number) : 0,
    },
  ];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown, limit: number): value is string => typeof value === 'string' && value.length <= limit;

/** Host and port as one writes them; an IPv6 address in brackets. */
export function printAddress(address: { readonly host: string; readonly port: number }): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/**
 * Puts a target in, in place of the one with its id or of an unnamed one that says the same; newest first, and only the
 * newest few of those that were never named.
 */
export function withTarget(saved: Saved, target: SavedTarget): Saved {
  const isSame = (other: SavedTarget) =>
    other.id === target.id ||
    (other.name === '' &&
      other.target === target.target &&
      other.user === target.user &&
      other.routeId === target.routeId);
  const others = saved.targets.filter((other) => !isSame(other));
  const ordered = [target, ...others].sort((one, other) => other.usedAt - one.usedAt);
  let unnamed = 0;
  const targets = ordered.filter((entry) => {
    if (entry.name !== '') return true;
    unnamed += 1;
    return unnamed <= MAX_UNNAMED;
  });
  return { ...saved, targets };
}

/** Takes a target out. */
export function withoutTarget(saved: Saved, id: string): Saved {
  return { ...saved, targets: saved.targets.filter((target) => target.id !== id) };
}

/** Settings without their text where a password might stand in it: the route stays, and gives nobody a road. */
function withoutPassword(settings: SavedSettings): SavedSettings {
  const { text, from } = settings;
  return {
    text: seemsToHoldPassword(text) ? '' : text,
    // The query of an address may be somebody's token.
    from: seemsToHoldPassword(from) ? '' : from.replace(/\?.*$/s, ''),
  };
}

/** Puts a route in, in place of the one with its id. */
export function withRoute(saved: Saved, given: SavedRoute): Saved {
  const route = { ...given, settings: given.settings && withoutPassword(given.settings) };
  const at = saved.routes.findIndex((other) => other.id === route.id);
  return { ...saved, routes: at === -1 ? [...saved.routes, route] : saved.routes.with(at, route) };
}

/** Takes a route out; targets that used it become direct. */
export function withoutRoute(saved: Saved, id: string): Saved {
  return {
    routes: saved.routes.filter((route) => route.id !== id),
    targets: saved.targets.map((target) => (target.routeId === id ? { ...target, routeId: null } : target)),
  };
}

/** Targets in which every typed word occurs, in the name, the address or the user. */
export function searchTargets(targets: readonly SavedTarget[], typed: string): readonly SavedTarget[] {
  const words = typed.toLowerCase().split(/\s+/u).filter(Boolean);
  return targets.filter((target) => {
    const text = `${target.name} ${target.target} ${target.user}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

let current: Saved | null = null;
const listeners = new Set<() => void>();

/** What is kept now. The same object until something changes. */
export function readSaved(): Saved {
  if (current === null) {
    try {
      current = parseSaved(globalThis.localStorage?.getItem(SAVED_KEY) ?? null);
    } catch {
      current = NOTHING;
    }
  }
  return current;
}

/** Changes what is kept, stores it where storage is allowed, and tells everyone who watches. */
export function changeSaved(change: (saved: Saved) => Saved): void {
  current = change(readSaved());
  try {
    globalThis.localStorage?.setItem(SAVED_KEY, JSON.stringify(current));
  } catch {
    // Kept for the life of the tab.
  }
  for (const listener of listeners) listener();
}

/** Calls back after each change until the returned function is called. */
export function watchSaved(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Nothing kept; what the export is drawn with. */
export const NOTHING_SAVED = NOTHING;
