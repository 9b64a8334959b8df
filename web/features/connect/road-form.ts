import {
  checkRoute,
  type Hop,
  isWinRmError,
  MAX_HOPS,
  type ProxyRoute,
  parseCredential,
  parseProxy,
} from '@fairlead/protocol';
import { printAddress, type SavedMeans, type SavedProxyUser } from '../../lib/saved.ts';
import { missing, type Problem, problemOf } from './problems.ts';

/** How a proxy may be signed in to; `basic`, which shows the password, is chosen anew each time. */
export type ProxyMeans = SavedMeans | 'basic';

/** The fields of one proxy's sign-in; user and password "" for a proxy that gets none. */
export interface ProxyDraft {
  readonly user: string;
  readonly password: string;
  readonly means: ProxyMeans;
}

/** No sign-in. */
export const NO_SIGN_IN: ProxyDraft = { user: '', password: '', means: 'best' };

/** Sign-ins by the address of their proxy, as `printAddress` writes it: one proxy's is never offered to another. */
export type ProxyDrafts = Readonly<Record<string, ProxyDraft>>;

/** What may be chosen for a proxy: one of the kinds, or `automatic`, a tunnel that may be given up for absolute form. */
export type HopKind = Hop['kind'] | 'automatic';

/** The fields of one proxy while a route is put together. */
export interface HopDraft {
  /** Stays with the proxy when it is moved. */
  readonly id: string;
  readonly text: string;
  readonly kind: HopKind;
  /** Whether the proxy itself is spoken to over TLS. */
  readonly isTls: boolean;
}

/** Empty fields for one more proxy. */
export function newHop(id: string): HopDraft {
  return { id, text: '', kind: 'automatic', isTls: false };
}

/** The fields of a proxy that is known. */
export function draftOf(hop: Hop, id: string, forwardsIfRefused = false): HopDraft {
  const kind = forwardsIfRefused && hop.kind === 'http-connect' ? 'automatic' : hop.kind;
  return { id, text: printAddress(hop), kind, isTls: hop.tls === true };
}

const SCHEME = /^\s*([A-Za-z][A-Za-z0-9+.-]*):\/\//;

/** The fields with another text: a scheme in it says what kind of proxy it is. */
export function withText(draft: HopDraft, text: string): HopDraft {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'socks5' || scheme === 'socks5h') return { ...draft, text, kind: 'socks5', isTls: false };
  const kind = draft.kind === 'socks5' ? 'automatic' : draft.kind;
  if (scheme === 'https') return { ...draft, text, kind, isTls: true };
  if (scheme === 'http') return { ...draft, text, kind, isTls: false };
  return { ...draft, text };
}

/** The fields with another kind: a scheme in the text that said otherwise goes. */
export function withKind(draft: HopDraft, kind: HopKind, isTls: boolean): HopDraft {
  const hop = readHop(draft);
  const text = hop !== null && !('problem' in hop) && SCHEME.test(draft.text) ? printAddress(hop) : draft.text;
  return { ...draft, text, kind, isTls: isTls && kind !== 'socks5' };
}

const NO_ADDRESS: Problem = { key: 'routes.problem', quote: null, limit: 0 };

/** What a proxy's fields were understood as; null while they are empty. */
export function readHop({ text, kind: chosen, isTls }: HopDraft): Hop | { readonly problem: Problem } | null {
  if (text.trim() === '') return null;
  const kind = chosen === 'automatic' ? 'http-connect' : chosen;
  try {
    const { host, port } = parseProxy(text, kind === 'http-forward' ? kind : 'http-connect');
    return isTls && kind !== 'socks5' ? { kind, host, port, tls: true } : { kind, host, port };
  } catch (error) {
    const problem = problemOf(error, text);
    // That sentence is about servers; a proxy wants a port, and no path.
    return { problem: problem.key === 'arguments.not-a-url' ? NO_ADDRESS : problem };
  }
}

/** What is wrong with a route being put together, by the id of the proxy. */
export type HopProblems = Readonly<Record<string, Problem>>;

/** The proxies of a route being put together, or what is wrong with which of them. */
export function readHops(drafts: readonly HopDraft[]): { readonly hops: readonly Hop[] } | { problems: HopProblems } {
  const problems: Record<string, Problem> = {};
  const hops: Hop[] = [];
  for (const draft of drafts) {
    const hop = readHop(draft);
    if (hop === null) problems[draft.id] = NO_ADDRESS;
    else if ('problem' in hop) problems[draft.id] = hop.problem;
    else hops.push(hop);
  }
  if (Object.keys(problems).length > 0) return { problems };
  try {
    // Whether a road may carry https is asked when its server is known.
    checkRoute({ name: '', hops }, { scheme: 'http', host: 'localhost', port: 1 });
  } catch (error) {
    const at = drafts.find(({ kind }, i) => kind === 'http-forward' && i < drafts.length - 1) ?? drafts[0];
    return { problems: { [at?.id ?? '']: problemOf(error, null) } };
  }
  return { hops };
}

/** Whether the last proxy of a road, if it refuses a tunnel, is to be handed the requests themselves. */
export function forwardsIfRefused(drafts: readonly HopDraft[]): boolean {
  return drafts.at(-1)?.kind === 'automatic';
}

/** Whether one more proxy may stand on a road. */
export function mayAddHop(drafts: readonly HopDraft[]): boolean {
  return drafts.length < MAX_HOPS;
}

/** The proxies with one of them moved by a place; the same where there is no such place. */
export function movedHop(drafts: readonly HopDraft[], id: string, by: 1 | -1): readonly HopDraft[] {
  const at = drafts.findIndex((draft) => draft.id === id);
  const [moved, other] = [drafts[at], drafts[at + by]];
  if (moved === undefined || other === undefined) return drafts;
  return drafts.with(at, other).with(at + by, moved);
}

/**
 * Whether a proxy may be given a sign-in. For an http target it gets nothing (the seed's rule R5) unless that danger was
 * chosen, and in absolute form nothing ever.
 */
export function proxyStanding(
  hop: Hop,
  scheme: 'http' | 'https' | null,
  isHttpDangerChosen: boolean,
): 'may' | 'needs-https' | 'never' {
  if (hop.kind === 'http-forward') return 'never';
  return scheme === 'https' || isHttpDangerChosen ? 'may' : 'needs-https';
}

/** How a proxy is signed in to: SOCKS 5 knows nothing but the password itself. */
export function meansFor(hop: Hop, draft: ProxyDraft): ProxyMeans {
  return hop.kind === 'socks5' ? 'basic' : draft.means;
}

/** Who signs in to one proxy, without the password. */
export interface CheckedProxy {
  readonly user: string;
  readonly means: ProxyMeans;
}

/** A field of a proxy's sign-in; proxies are counted from 1. */
export type ProxyField = `proxyUser${number}` | `proxyPassword${number}`;

/** What the sign-ins of a road ask for, proxy by proxy, or what is wrong with their fields. */
export function checkSignIns(
  drafts: ProxyDrafts,
  route: ProxyRoute,
  scheme: 'http' | 'https',
  isHttpDangerChosen: boolean,
): {
  readonly proxies: readonly (CheckedProxy | null)[];
  readonly passwords: readonly string[];
  readonly problems: Partial<Record<ProxyField, Problem>>;
} {
  const problems: Partial<Record<ProxyField, Problem>> = {};
  const proxies: (CheckedProxy | null)[] = [];
  const passwords: string[] = [];
  for (const [i, hop] of route.hops.entries()) {
    const draft = drafts[printAddress(hop)] ?? NO_SIGN_IN;
    const user = draft.user.trim();
    const isGiven = user !== '' || draft.password !== '';
    const isWanted = isGiven && proxyStanding(hop, scheme, isHttpDangerChosen) === 'may';
    if (isWanted) Object.assign(problems, problemsOf({ ...draft, user }, i + 1));
    proxies.push(isWanted ? { user, means: meansFor(hop, draft) } : null);
    passwords.push(isWanted ? draft.password : '');
  }
  return { proxies, passwords, problems };
}

function problemsOf({ user, password }: ProxyDraft, place: number): Partial<Record<ProxyField, Problem>> {
  if (user === '') return { [`proxyUser${place}`]: missing('proxyUser') };
  if (password === '') return { [`proxyPassword${place}`]: missing('proxyPassword') };
  try {
    parseCredential(user, password);
    return {};
  } catch (error) {
    if (!isWinRmError(error, 'misuse.bad-argument')) throw error;
    const field = error.details.argument === 'password' ? 'proxyPassword' : 'proxyUser';
    return { [`${field}${place}`]: problemOf(error, null) };
  }
}

/** The users a road's sign-ins leave behind: no password, and no leave to show one. */
export function savedUsers(route: ProxyRoute, proxies: readonly (CheckedProxy | null)[]): readonly SavedProxyUser[] {
  return route.hops.flatMap((hop, i) => {
    const proxy = proxies[i];
    if (!proxy) return [];
    const means = proxy.means === 'basic' ? 'best' : proxy.means;
    return [{ proxy: printAddress(hop), user: proxy.user, means }];
  });
}

/** The fields of sign-ins again, with the passwords the tab still remembers. */
export function draftsOf(
  users: readonly SavedProxyUser[],
  passwordFor: (user: SavedProxyUser) => string | null,
): ProxyDrafts {
  return Object.fromEntries(
    users.map((saved) => [saved.proxy, { user: saved.user, password: passwordFor(saved) ?? '', means: saved.means }]),
  );
}
