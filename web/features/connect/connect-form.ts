import {
  isWinRmError,
  parseCredential,
  parseProxyUrl,
  parseTarget,
  printTarget,
  type Target,
} from '@fairlead/protocol';
import { argumentKey } from '@/lib/error-text.ts';
import type { SavedPolicy, SavedRoute, SavedTarget } from '@/lib/saved.ts';

/** What the connect dialog's fields hold. */
export interface ConnectForm {
  readonly server: string;
  readonly shell: 'interactive' | 'command';
  readonly command: string;
  readonly policy: SavedPolicy;
  readonly user: string;
  readonly password: string;
  /** A saved route's id, or null for a direct road. */
  readonly routeId: string | null;
  readonly codePage: number;
  readonly workingDirectory: string;
  readonly noProfile: boolean;
  readonly name: string;
  readonly isProduction: boolean;
}

/** A field that can be wrong. */
export type FormField = 'server' | 'command' | 'user' | 'password' | 'workingDirectory';

/** Full message keys of what is wrong, by field. */
export type FormProblems = Partial<Record<FormField, string>>;

/** What a checked form asks for: all that opens a session, in the protocol's words. */
export interface CheckedForm {
  readonly target: Target;
  readonly printedTarget: string;
  readonly user: string;
  readonly route: {
    readonly name: string;
    readonly hops: readonly { kind: SavedRoute['kind']; host: string; port: number }[];
  };
}

/** A code page one may choose, under the name its users know. */
export const OFFERED_CODE_PAGES: readonly { readonly id: number; readonly name: string }[] = [
  { id: 65_001, name: 'UTF-8' },
  { id: 437, name: 'IBM437' },
  { id: 850, name: 'IBM850' },
  { id: 852, name: 'IBM852' },
  { id: 866, name: 'IBM866' },
  { id: 932, name: 'Shift_JIS' },
  { id: 936, name: 'GBK' },
  { id: 949, name: 'EUC-KR' },
  { id: 950, name: 'Big5' },
  { id: 1250, name: 'Windows-1250' },
  { id: 1251, name: 'Windows-1251' },
  { id: 1252, name: 'Windows-1252' },
];

/** An empty form. */
export const EMPTY_FORM: ConnectForm = {
  server: '',
  shell: 'interactive',
  command: '',
  policy: 'negotiate',
  user: '',
  password: '',
  routeId: null,
  codePage: 65_001,
  workingDirectory: '',
  noProfile: false,
  name: '',
  isProduction: false,
};

/** The form of a saved target, with the password the tab still remembers. */
export function formOf(saved: SavedTarget, password: string | null): ConnectForm {
  const { id: _id, usedAt: _usedAt, target, ...rest } = saved;
  return { ...rest, server: target, password: password ?? '' };
}

/** What a form leaves behind to connect again: everything but the password. */
export function savedOf(form: ConnectForm, checked: CheckedForm, id: string, usedAt: number): SavedTarget {
  return {
    id,
    name: form.name.trim(),
    target: checked.printedTarget,
    user: checked.user,
    policy: form.policy,
    shell: form.shell,
    command: form.shell === 'command' ? form.command : '',
    codePage: form.codePage,
    workingDirectory: form.workingDirectory,
    noProfile: form.noProfile,
    routeId: form.routeId,
    isProduction: form.isProduction,
    usedAt,
  };
}

/** What the server field was understood as while it is typed; null while it is empty. */
export function readServer(text: string): { target: Target; user: string | null } | { problemKey: string } | null {
  if (text.trim() === '') return null;
  try {
    return parseTarget(text.trim());
  } catch (error) {
    return { problemKey: problemKeyOf(error) };
  }
}

/** What a proxy's address was understood as; null while it is empty. */
export function readProxy(
  text: string,
  kind: SavedRoute['kind'],
): { host: string; port: number } | { problemKey: string } | null {
  if (text.trim() === '') return null;
  try {
    const { host, port } = parseProxyUrl(text.trim(), kind);
    return { host, port };
  } catch (error) {
    return { problemKey: problemKeyOf(error) };
  }
}

/** Checks a whole form: what it asks for, or what is wrong with which field. */
export function checkForm(
  form: ConnectForm,
  routes: readonly SavedRoute[],
): { readonly ok: true; readonly checked: CheckedForm } | { readonly ok: false; readonly problems: FormProblems } {
  const problems: FormProblems = {};
  const server = readServer(form.server);
  if (server === null) problems.server = 'connect.problem.server';
  else if ('problemKey' in server) problems.server = server.problemKey;
  const user = form.user.trim() || (server !== null && 'target' in server ? (server.user ?? '') : '');
  if (user === '') problems.user = 'connect.problem.user';
  else {
    try {
      parseCredential(user, form.password);
    } catch (error) {
      problems.user = problemKeyOf(error);
    }
  }
  if (form.password === '') problems.password = 'connect.problem.password';
  if (form.shell === 'command' && form.command.trim() === '') problems.command = 'connect.problem.command';
  if (/\p{Cc}/u.test(form.command)) problems.command = 'arguments.control-character';
  if (/\p{Cc}/u.test(form.workingDirectory)) problems.workingDirectory = 'arguments.control-character';
  if (Object.keys(problems).length > 0 || server === null || 'problemKey' in server) return { ok: false, problems };
  const route = routes.find(({ id }) => id === form.routeId);
  return {
    ok: true,
    checked: {
      target: server.target,
      printedTarget: printTarget(server.target),
      user,
      route:
        route === undefined
          ? { name: '', hops: [] }
          : { name: route.name, hops: [{ kind: route.kind, host: route.host, port: route.port }] },
    },
  };
}

function problemKeyOf(error: unknown): string {
  return (isWinRmError(error) ? argumentKey(error) : null) ?? 'arguments.malformed';
}

/** Host and port as one writes them; an IPv6 address in brackets. */
export function printAddress(address: { readonly host: string; readonly port: number }): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
