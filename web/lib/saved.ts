/**
 * What a person keeps in this browser to connect again: targets and routes, in localStorage. INVARIANT: no field can
 * hold a secret; passwords are in the vault, for the life of the tab.
 */

/** How one signs in; the words of the protocol package's `AuthPolicy`. */
export type SavedPolicy = 'negotiate' | 'negotiate-raw' | 'ntlm' | 'basic' | 'certificate';

const POLICIES: readonly SavedPolicy[] = ['negotiate', 'negotiate-raw', 'ntlm', 'basic', 'certificate'];

/** A proxy that was given a name. */
export interface SavedRoute {
  readonly id: string;
  readonly name: string;
  readonly kind: 'http-connect' | 'http-forward';
  readonly host: string;
  readonly port: number;
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
  /** Who signs in to the route's proxy; "" for nobody. */
  readonly proxyUser: string;
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
    .flatMap(parseTargetEntry)
    .map((target) => (target.routeId !== null && !known.has(target.routeId) ? { ...target, routeId: null } : target));
  return { targets, routes };
}

function parseRoute(from: Record<string, unknown>): SavedRoute[] {
  const { id, name, kind, host, port } = from;
  const isWhole =
    isText(id, 64) && isText(name, 100) && isText(host, 253) && Number.isInteger(port) && (port as number) > 0;
  if (!isWhole || (port as number) > 65_535 || (kind !== 'http-connect' && kind !== 'http-forward')) return [];
  return [{ id, name, kind, host, port: port as number }];
}

function parseTargetEntry(from: Record<string, unknown>): SavedTarget[] {
  const { id, target, routeId, codePage, usedAt, policy } = from;
  if (!isText(id, 64) || !isText(target, 300) || target === '') return [];
  const text = (key: string, limit: number): string => {
    const value = from[key];
    return isText(value, limit) ? value : '';
  };
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
      proxyUser: text('proxyUser', 256),
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

/** Puts a route in, in place of the one with its id. */
export function withRoute(saved: Saved, route: SavedRoute): Saved {
  return { ...saved, routes: [...saved.routes.filter((other) => other.id !== route.id), route] };
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
