import {
  type BadArgumentReason,
  type ClientCertificate,
  CODE_PAGES,
  checkRoute,
  checkShellOptions,
  DEFAULT_PORT,
  DEFAULT_TLS_PORT,
  isWinRmError,
  type ProxyRoute,
  parseCredential,
  parseProxyUrl,
  parseTarget,
  printTarget,
  type ShellOptions,
  type Target,
} from '@fairlead/protocol';
import type { SavedPolicy, SavedRoute, SavedTarget } from '@/lib/saved.ts';
import { isStorable } from '../session/history.ts';

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
  /** For the route's proxy, if it asks; both "" when it gets no sign-in. */
  readonly proxyUser: string;
  readonly proxyPassword: string;
  /** The person agreed that the proxy's password may be read on the way. Never saved. */
  readonly allowsProxyBasic: boolean;
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
  | 'proxyUser'
  | 'proxyPassword'
  | 'codePage'
  | 'workingDirectory';

/** What is wrong with a field: a full message key and the values of its sentence. */
export interface Problem {
  readonly key: string;
  /** The text to quote; null where the sentence should name the field instead. */
  readonly quote: string | null;
  /** The limit that was passed, or 0. */
  readonly limit: number;
}

/** What is wrong, by field. */
export type FormProblems = Partial<Record<FormField, Problem>>;

/** What a checked form asks for: all that opens a session, in the protocol's words. */
export interface CheckedForm {
  readonly target: Target;
  readonly printedTarget: string;
  readonly user: string;
  readonly route: ProxyRoute;
  /** Who signs in to the route's proxy; null for nobody, and always for an http target. */
  readonly proxy: { readonly user: string; readonly allowsBasic: boolean } | null;
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

/** No sign-in for a proxy. One proxy's account is never offered to another, so a change of route comes with it. */
export const NO_PROXY_ACCOUNT = { proxyUser: '', proxyPassword: '', allowsProxyBasic: false } as const;

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
  ...NO_PROXY_ACCOUNT,
  routeId: null,
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
    readonly proxyPassword: string | null;
  },
): ConnectForm {
  const { id: _id, usedAt: _usedAt, target, ...rest } = saved;
  // A name alone was saved for port 5985: it stays what it was, whatever is recommended now.
  return {
    ...rest,
    server: target,
    transport: 'http',
    password: secrets.password ?? '',
    certificate: secrets.certificate,
    proxyPassword: secrets.proxyPassword ?? '',
    allowsProxyBasic: false,
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
    proxyUser: checked.proxy?.user ?? '',
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
  const proxy = routes.find(({ id }) => id === form.routeId);
  // A proxy in absolute form cannot carry TLS, so nothing can be recommended there.
  const recommended = proxy?.kind === 'http-connect' ? 'https' : null;
  if (!read.isBare) return { ...read, recommended };
  const scheme = form.transport ?? recommended ?? 'http';
  const port = scheme === 'https' ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  return { ...read, recommended, target: { ...read.target, scheme, port } };
}

/** What a proxy's address was understood as; null while it is empty. */
export function readProxy(
  text: string,
  kind: SavedRoute['kind'],
): { host: string; port: number } | { problem: Problem } | null {
  if (text.trim() === '') return null;
  try {
    const { host, port } = parseProxyUrl(text.trim(), kind);
    return { host, port };
  } catch (error) {
    return { problem: problemOf(error, text) };
  }
}

/** Whether a way of signing in shows something that only TLS may carry. */
export function needsHttps(policy: SavedPolicy): boolean {
  return policy === 'basic' || policy === 'certificate';
}

/** Checks a whole form: what it asks for, or what is wrong with which field. */
export function checkForm(
  form: ConnectForm,
  routes: readonly SavedRoute[],
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
  const route = routeOf(form, routes);
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
  if (target) attempt(() => checkRoute(route, target));
  const proxy = target && proxyStanding(target, route) === 'may' ? proxyOf(form, problems) : null;
  if (target === null || Object.keys(problems).length > 0) return { ok: false, problems };
  return { ok: true, checked: { target, printedTarget: printTarget(target), user, route, proxy, shell } };
}

/**
 * Whether the road's first proxy may be given a sign-in: where there is none, there is nothing to give; for an http
 * target it gets nothing (the seed's rule R5).
 */
export function proxyStanding(target: Target | null, route: ProxyRoute): 'none' | 'needs-https' | 'may' {
  if (route.hops.length === 0) return 'none';
  return target?.scheme === 'https' ? 'may' : 'needs-https';
}

function proxyOf(form: ConnectForm, problems: FormProblems): CheckedForm['proxy'] {
  const user = form.proxyUser.trim();
  if (user === '' && form.proxyPassword === '') return null;
  if (user === '') problems.proxyUser = missing('proxyUser');
  else if (form.proxyPassword === '') problems.proxyPassword = missing('proxyPassword');
  else {
    try {
      parseCredential(user, form.proxyPassword);
    } catch (error) {
      const field = fieldOf(error) === 'password' ? 'proxyPassword' : 'proxyUser';
      problems[field] = problemOf(error, null);
    }
  }
  return { user, allowsBasic: form.allowsProxyBasic };
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

/** The road of a form, in the protocol's words. */
export function routeOf(form: Pick<ConnectForm, 'routeId'>, routes: readonly SavedRoute[]): ProxyRoute {
  const route = routes.find(({ id }) => id === form.routeId);
  if (route === undefined) return { name: '', hops: [] };
  return { name: route.name, hops: [{ kind: route.kind, host: route.host, port: route.port }] };
}

const reasoned = (reason: BadArgumentReason): Problem => ({ key: `arguments.${reason}`, quote: null, limit: 0 });

const missing = (field: Exclude<FormField, 'policy' | 'route' | 'codePage' | 'workingDirectory'>): Problem => ({
  key: `connect.problem.${field}`,
  quote: null,
  limit: 0,
});

/** Reasons whose sentence reads best with the text itself in it; all others name the field. */
const QUOTED = new Set(['not-a-host', 'not-a-url', 'not-a-number', 'unsupported-scheme', 'malformed']);
/** Longest text that is quoted back. */
const MAX_QUOTED = 60;

function problemOf(error: unknown, typed: string | null): Problem {
  if (!isWinRmError(error, 'misuse.bad-argument')) throw error;
  const { reason, limit = 0 } = error.details;
  const text = typed?.trim() ?? '';
  const quote = QUOTED.has(reason) && text !== '' && text.length <= MAX_QUOTED ? text : null;
  return { key: `arguments.${reason}`, quote, limit };
}

/** The field an argument's name belongs to. */
function fieldOf(error: unknown): FormField {
  if (!isWinRmError(error, 'misuse.bad-argument')) throw error;
  const { argument } = error.details;
  if (argument === 'password' || argument === 'command' || argument === 'codePage') return argument;
  if (argument === 'workingDirectory') return argument;
  return argument === 'user' || argument === 'domain' ? 'user' : 'route';
}

/** Host and port as one writes them; an IPv6 address in brackets. */
export function printAddress(address: { readonly host: string; readonly port: number }): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
