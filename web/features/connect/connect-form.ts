import {
  type ClientCertificate,
  CODE_PAGES,
  checkRoute,
  checkShellOptions,
  DEFAULT_PORT,
  DEFAULT_TLS_PORT,
  type Hop,
  isWinRmError,
  type ProxyRoute,
  parseCredential,
  parseTarget,
  printTarget,
  type ShellOptions,
  type Target,
} from '@fairlead/protocol';
import type { SavedPolicy, SavedProxyUser, SavedRoute, SavedTarget } from '@/lib/saved.ts';
import { isStorable } from '../session/history.ts';
import { missing, type Problem, problemOf, reasoned } from './problems.ts';
import {
  type CheckedProxy,
  checkSignIns,
  draftsOf,
  type ProxyDrafts,
  type ProxyField,
  savedUsers,
} from './road-form.ts';

export { printAddress } from '../../lib/saved.ts';

/** What the connect dialog's fields hold. */
export interface ConnectForm {
  readonly server: string;
  /** What was chosen for a server typed without scheme and port; null while nothing was. */
  readonly transport: Target['scheme'] | null;
  readonly shell: 'interactive' | 'command';
  readonly command: string;
  readonly policy: SavedPolicy;
  readonly user: string;
  readonly password: string;
  /** For the policy `certificate`: opened in this tab, and not sent anywhere. */
  readonly certificate: ClientCertificate | null;
  readonly sealsAlways: boolean;
  readonly allowsLegacyTls: boolean;
  /** A saved route's id, or null for a direct road. */
  readonly routeId: string | null;
  /** For proxies that ask, by their address. */
  readonly signIns: ProxyDrafts;
  /** The person chose to sign in to proxies although the target is http. Never saved. */
  readonly isHttpDangerChosen: boolean;
  readonly codePage: number;
  readonly workingDirectory: string;
  readonly noProfile: boolean;
  readonly name: string;
  readonly isProduction: boolean;
}

/** A field that can be wrong. */
export type FormField =
  | 'server'
  | 'command'
  | 'policy'
  | 'user'
  | 'password'
  | 'certificate'
  | 'route'
  | 'codePage'
  | 'workingDirectory'
  | ProxyField;

/** What is wrong, by field. */
export type FormProblems = Partial<Record<FormField, Problem>>;

/** What a checked form asks for: all that opens a session, in the protocol's words. */
export interface CheckedForm {
  readonly target: Target;
  readonly printedTarget: string;
  readonly user: string;
  readonly route: ProxyRoute;
  /** Who signs in to each proxy of the route; null for nobody, and always for an http target unless that was chosen. */
  readonly proxies: readonly (CheckedProxy | null)[];
  /** Those sign-ins', each at its place; "" without one. */
  readonly proxyPasswords: readonly string[];
  /** A last proxy that refuses a tunnel is handed the requests instead: http targets only. */
  readonly forwardsIfRefused: boolean;
  readonly shell: ShellOptions;
}

const CODE_PAGE_NAMES: Readonly<Record<number, string>> = {
  65001: 'UTF-8',
  874: 'Windows-874',
  932: 'Shift_JIS',
  936: 'GBK',
  949: 'EUC-KR',
  950: 'Big5',
};

/** Code pages one may choose, each under the name its users know. */
export const OFFERED_CODE_PAGES: readonly { readonly id: number; readonly name: string }[] = CODE_PAGES.map((id) => ({
  id,
  name: CODE_PAGE_NAMES[id] ?? (id >= 1250 && id <= 1258 ? `Windows-${id}` : `IBM${id}`),
}));

/** An empty form. */
export const EMPTY_FORM: ConnectForm = {
  server: '',
  transport: null,
  shell: 'interactive',
  command: '',
  policy: 'negotiate',
  user: '',
  password: '',
  certificate: null,
  sealsAlways: false,
  allowsLegacyTls: false,
  routeId: null,
  signIns: {},
  isHttpDangerChosen: false,
  codePage: 65_001,
  workingDirectory: '',
  noProfile: false,
  name: '',
  isProduction: false,
};

/** The form of a saved target, with the secrets the tab still remembers. */
export function formOf(
  saved: SavedTarget,
  secrets: {
    readonly password: string | null;
    readonly certificate: ClientCertificate | null;
    readonly proxyPassword: (proxy: SavedProxyUser) => string | null;
  },
): ConnectForm {
  const { id: _id, usedAt: _usedAt, target, proxyUsers, ...rest } = saved;
  // A name alone was saved for port 5985: it stays what it was, whatever is recommended now.
  return {
    ...rest,
    server: target,
    transport: 'http',
    password: secrets.password ?? '',
    certificate: secrets.certificate,
    signIns: draftsOf(proxyUsers, secrets.proxyPassword),
    isHttpDangerChosen: false,
  };
}

/** What a form leaves behind to connect again: everything but the passwords, and no command that may hold one. */
export function savedOf(form: ConnectForm, checked: CheckedForm, id: string, usedAt: number): SavedTarget {
  return {
    id,
    name: form.name.trim(),
    target: checked.printedTarget,
    user: checked.user,
    policy: form.policy,
    shell: form.shell,
    command: form.shell === 'command' && isStorable(form.command) ? form.command : '',
    codePage: form.codePage,
    workingDirectory: form.workingDirectory,
    noProfile: form.noProfile,
    routeId: form.routeId,
    proxyUsers: savedUsers(checked.route, checked.proxies),
    isProduction: form.isProduction,
    sealsAlways: form.sealsAlways,
    allowsLegacyTls: form.allowsLegacyTls,
    usedAt,
  };
}

/** What a server was understood as. */
export interface ReadServer {
  readonly target: Target;
  /** The user typed in front of it. */
  readonly user: string | null;
  /** Whether neither scheme nor port was typed, so that the transport is a choice. */
  readonly isBare: boolean;
}

/** What the server field was understood as while it is typed; null while it is empty. */
export function readServer(text: string): ReadServer | { problem: Problem } | null {
  const typed = text.trim();
  if (typed === '') return null;
  try {
    const { target, user } = parseTarget(typed);
    const place = typed.slice(typed.lastIndexOf('@') + 1);
    return { target, user, isBare: !typed.includes('://') && /^(?:\[[^\]]*\]|[^:[\]]+)$/.test(place) };
  } catch (error) {
    return { problem: problemOf(error, text) };
  }
}

/** A server with what was chosen, or is recommended, where its text leaves the transport open. */
export interface ChosenServer extends ReadServer {
  /** HTTPS where a proxy stands on the road: it would read the sign-in otherwise. */
  readonly recommended: Target['scheme'] | null;
}

/** What the form connects to: the server's text, the chosen transport, and the road taken together. */
export function chooseServer(
  form: Pick<ConnectForm, 'server' | 'transport' | 'routeId'>,
  routes: readonly SavedRoute[],
): ChosenServer | { problem: Problem } | null {
  const read = readServer(form.server);
  if (read === null || 'problem' in read) return read;
  const route = routes.find(({ id }) => id === form.routeId);
  // A proxy in absolute form cannot carry TLS, so nothing can be recommended there.
  const recommended = route !== undefined && !isHttpOnly(route) ? 'https' : null;
  if (!read.isBare) return { ...read, recommended };
  const scheme = form.transport ?? recommended ?? 'http';
  const port = scheme === 'https' ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  return { ...read, recommended, target: { ...read.target, scheme, port } };
}

/** The server of the form, as far as it is understood. */
export function targetOf(
  form: Pick<ConnectForm, 'server' | 'transport' | 'routeId'>,
  routes: readonly SavedRoute[],
): Target | null {
  const server = chooseServer(form, routes);
  return server !== null && 'target' in server ? server.target : null;
}

/** What makes the same server be reached by https, at its usual port; null where that is so, or no server is known. */
export function asHttps(form: ConnectForm, routes: readonly SavedRoute[]): Partial<ConnectForm> | null {
  const server = chooseServer(form, routes);
  if (server === null || 'problem' in server || server.target.scheme === 'https') return null;
  if (server.isBare) return { transport: 'https' };
  const { host } = server.target;
  const user = form.user === '' ? (server.user ?? '') : form.user;
  return { server: `https://${host.includes(':') ? `[${host}]` : host}`, user };
}

/** Whether a route ends in a proxy that reads each request, and so cannot carry https. */
export function isHttpOnly(route: SavedRoute): boolean {
  return route.hops.at(-1)?.kind === 'http-forward';
}

/** Whether a way of signing in shows something that only TLS may carry. */
export function needsHttps(policy: SavedPolicy): boolean {
  return policy === 'basic' || policy === 'certificate';
}

/**
 * Checks a whole form: what it asks for, or what is wrong with which field. `found` is what the route's settings gave
 * for the form's server, where the route has settings; null while they have given nothing.
 */
export function checkForm(
  form: ConnectForm,
  routes: readonly SavedRoute[],
  found: readonly Hop[] | null = null,
): { readonly ok: true; readonly checked: CheckedForm } | { readonly ok: false; readonly problems: FormProblems } {
  const problems: FormProblems = {};
  const server = chooseServer(form, routes);
  if (server === null) problems.server = missing('server');
  else if ('problem' in server) problems.server = server.problem;
  const { target = null, user: typedUser = null } = server !== null && 'target' in server ? server : {};
  const isByCertificate = form.policy === 'certificate';
  const user = isByCertificate ? '' : form.user.trim() || (typedUser ?? '');
  if (target?.scheme === 'http' && needsHttps(form.policy)) problems.policy = reasoned('needs-https');
  if (isByCertificate && form.certificate === null) problems.certificate = missing('certificate');
  if (!isByCertificate && user === '') problems.user = missing('user');
  if (!isByCertificate && form.password === '') problems.password = missing('password');
  if (form.shell === 'command' && form.command.trim() === '') problems.command = missing('command');
  const shell = shellOf(form);
  const route = routeOf(form, routes, found);
  if (route === null) problems.route = missing('road');
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      const field = fieldOf(error);
      problems[field] ??= problemOf(error, null);
    }
  };
  if (!problems.user && !problems.password && !isByCertificate) attempt(() => parseCredential(user, form.password));
  if (!problems.command) attempt(() => checkShellOptions(shell));
  if (target === null || route === null) return { ok: false, problems };
  attempt(() => checkRoute(route, target));
  const signIns = checkSignIns(form.signIns, route, target.scheme, form.isHttpDangerChosen);
  Object.assign(problems, signIns.problems);
  if (Object.keys(problems).length > 0) return { ok: false, problems };
  const { proxies, passwords } = signIns;
  const saved = routes.find(({ id }) => id === form.routeId);
  return {
    ok: true,
    checked: {
      ...{ target, printedTarget: printTarget(target), user, route, proxies, proxyPasswords: passwords, shell },
      forwardsIfRefused: target.scheme === 'http' && saved?.forwardsIfRefused === true,
    },
  };
}

function shellOf(form: ConnectForm): ShellOptions {
  const workingDirectory = form.workingDirectory.trim();
  return {
    kind: form.shell,
    ...(form.shell === 'command' ? { command: form.command } : {}),
    codePage: form.codePage,
    noProfile: form.noProfile,
    ...(workingDirectory === '' ? {} : { workingDirectory }),
  };
}

/** The road of a form, in the protocol's words; null where settings decide and have not. See `checkForm`. */
export function routeOf(
  form: Pick<ConnectForm, 'routeId'>,
  routes: readonly SavedRoute[],
  found: readonly Hop[] | null = null,
): ProxyRoute | null {
  const route = routes.find(({ id }) => id === form.routeId);
  if (route === undefined) return { name: '', hops: [] };
  const hops = route.settings === null ? route.hops : found;
  return hops && { name: route.name, hops };
}

/** The field an argument's name belongs to. */
function fieldOf(error: unknown): FormField {
  if (!isWinRmError(error, 'misuse.bad-argument')) throw error;
  const { argument } = error.details;
  if (argument === 'password' || argument === 'command' || argument === 'codePage') return argument;
  if (argument === 'workingDirectory') return argument;
  return argument === 'user' || argument === 'domain' ? 'user' : 'route';
}
