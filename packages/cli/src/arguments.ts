import { type ParseArgsConfig, parseArgs } from 'node:util';
import {
  ALL_PROXY_MECHANISMS,
  type AuthPolicy,
  fail,
  type Hop,
  type ProxyMechanism,
  type ProxyRoute,
  parseProxy,
  parseTarget,
  parseThumbprint,
  type Target,
} from '@fairlead/protocol';

/** What the command line asked for. */
export type Request =
  | { readonly verb: 'help'; readonly topic: string | null }
  | { readonly verb: 'version' }
  | (Common & { readonly verb: 'identify' })
  | (Common & SignIn & { readonly verb: 'check-road'; readonly count: number })
  | (Common & SignIn & ShellSettings & { readonly verb: 'exec'; readonly command: string })
  | (Common & SignIn & ShellSettings & { readonly verb: 'shell' });

/** What every verb that dials needs. */
export interface Common {
  readonly target: Target;
  readonly route: ProxyRoute;
  /** Where the road is to be found instead; null when the command line says it itself. */
  readonly roadSource: RoadSource | null;
  /** Roads to try, in order, when the proxy of `route` cannot be talked to. */
  readonly otherRoutes: readonly ProxyRoute[];
  /** 'auto': the last proxy is asked for a tunnel, and forwards requests if it refuses that. */
  readonly proxyForm: ProxyForm;
  readonly proxySignIn: ProxySettings;
  /** SHA-256 thumbprints, upper-case hexadecimal; the host must show one of them if there are any. */
  readonly pins: readonly string[];
  /** Files of certificates that may vouch for the host. */
  readonly caFiles: readonly string[];
  readonly allowLegacyTls: boolean;
  readonly isJson: boolean;
  readonly journalFile: string | null;
}

/** A PAC file, by name or address; or settings: a file, "-" for standard input, "env" for the environment. */
export interface RoadSource {
  readonly kind: 'pac' | 'settings';
  readonly place: string;
}

/** What the last proxy of a road is asked to do. */
export type ProxyForm = 'tunnel' | 'forward' | 'auto';

/** How the proxies of the road are signed in to, and trusted. */
export interface ProxySettings {
  /** One for each proxy, nearest first; "" for one that needs none. */
  readonly users: readonly string[];
  readonly mechanisms: readonly ProxyMechanism[];
  /** Files of certificates that may vouch for proxies spoken to over TLS. */
  readonly caFiles: readonly string[];
  /** Gives credentials to proxies although the target is http. */
  readonly isHttpDangerChosen: boolean;
}

/** Who signs in and how. */
export interface SignIn {
  /** "" with a certificate, which says it. */
  readonly user: string;
  readonly policy: AuthPolicy;
  /** Files of the certificate to log on with and its key. */
  readonly certFiles: readonly string[];
  readonly seal: 'auto' | 'always';
}

/** How the remote shell is set up. */
export interface ShellSettings {
  readonly codePage: number;
  readonly noProfile: boolean;
  readonly workingDirectory: string | null;
  readonly environment: Readonly<Record<string, string>>;
}

/** The command line cannot be understood; the message says what to change. */
export class UsageError extends Error {}

const POLICIES: readonly AuthPolicy[] = ['negotiate', 'negotiate-raw', 'ntlm', 'basic', 'certificate'];
const UTF_8 = '65001';

const OPTIONS = {
  target: { type: 'string', short: 't' },
  proxy: { type: 'string', multiple: true, short: 'p' },
  pac: { type: 'string' },
  'proxy-settings': { type: 'string' },
  'proxy-user': { type: 'string', multiple: true },
  'proxy-auth': { type: 'string' },
  'proxy-ca': { type: 'string', multiple: true },
  'danger-http-behind-authenticated-proxy': { type: 'boolean' },
  forward: { type: 'boolean' },
  'proxy-form': { type: 'string' },
  pin: { type: 'string', multiple: true },
  ca: { type: 'string', multiple: true },
  'legacy-tls': { type: 'boolean' },
  auth: { type: 'string' },
  cert: { type: 'string', multiple: true },
  seal: { type: 'string' },
  user: { type: 'string', short: 'u' },
  'code-page': { type: 'string' },
  'no-profile': { type: 'boolean' },
  cwd: { type: 'string' },
  env: { type: 'string', multiple: true },
  count: { type: 'string' },
  json: { type: 'boolean' },
  journal: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

/** Reads the words after `fairlead`. @throws UsageError, misuse.bad-argument */
export function parseCommandLine(words: readonly string[]): Request {
  // Everything after the first -- belongs to the remote command, byte for byte, whatever it looks like.
  const dashes = words.indexOf('--');
  const own = dashes < 0 ? words : words.slice(0, dashes);
  const commandWords = dashes < 0 ? null : words.slice(dashes + 1);
  const { values, positionals } = readOptions(own);
  const [verb, ...rest] = positionals;
  if (values.version === true) return { verb: 'version' };
  if (values.help === true || verb === undefined || verb === 'help') {
    return { verb: 'help', topic: (verb === 'help' ? rest[0] : verb) ?? null };
  }
  if (verb !== 'exec' && verb !== 'shell' && verb !== 'identify' && verb !== 'check-road') {
    throw new UsageError(`There is no command "${verb}". Commands: exec, shell, identify, check-road, help.`);
  }
  if (rest.length > 0) throw new UsageError(`"${rest[0]}" is not expected here. Put -- before the remote command.`);
  const { target, user } = targetOf(values.target);
  const proxyForm = proxyFormOf(values);
  const common: Common = {
    target,
    route: routeOf(values.proxy ?? [], proxyForm === 'forward'),
    roadSource: roadSourceOf(values),
    otherRoutes: [],
    proxyForm,
    proxySignIn: proxySettingsOf(values),
    ...trustOf(target, values),
    isJson: values.json === true,
    journalFile: values.journal ?? null,
  };
  if (commandWords !== null && verb !== 'exec') throw new UsageError(`${verb} takes no remote command.`);
  if (verb === 'identify') return { verb, ...common };
  const signIn = signInOf(target, values.user ?? user, values);
  if (verb === 'check-road') return { verb, ...common, ...signIn, count: wholeNumber('count', values.count ?? '10') };
  const shell: ShellSettings = {
    codePage: wholeNumber('code-page', values['code-page'] ?? UTF_8),
    noProfile: values['no-profile'] === true,
    workingDirectory: values.cwd ?? null,
    environment: environmentOf(values.env ?? []),
  };
  if (verb === 'shell') {
    if (common.roadSource?.place === '-') {
      throw new UsageError('--proxy-settings - would take the standard input that shell needs: name a file.');
    }
    if (common.isJson) throw new UsageError('shell is a conversation; --json goes with exec, identify and check-road.');
    return { verb, ...common, ...signIn, ...shell };
  }
  const command = (commandWords ?? []).join(' ');
  if (command.trim() === '') throw new UsageError('Say what to run: fairlead exec … -- COMMAND');
  return { verb, ...common, ...signIn, ...shell, command };
}

type Values = ReturnType<typeof readOptions>['values'];

function readOptions(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's own sentences are good; only their first line is about the command line.
    const text = error instanceof Error ? (error.message.split('. To specify')[0] ?? '') : '';
    throw new UsageError(text, { cause: error });
  }
}

function targetOf(text: string | undefined): ReturnType<typeof parseTarget> {
  if (text === undefined) throw new UsageError('Say where: --target host, or --target https://host:5986');
  return parseTarget(text);
}

function routeOf(proxies: readonly string[], isForward: boolean): ProxyRoute {
  const last = proxies.length - 1;
  const hops: Hop[] = proxies.map((url, index) =>
    parseProxy(url, isForward && index === last ? 'http-forward' : 'http-connect'),
  );
  return { name: 'command line', hops };
}

function roadSourceOf({ proxy = [], pac, 'proxy-settings': settings }: Values): RoadSource | null {
  const given = [
    proxy.length > 0 && '--proxy',
    pac !== undefined && '--pac',
    settings !== undefined && '--proxy-settings',
  ];
  const names = given.filter((name) => name !== false);
  if (names.length > 1) throw new UsageError(`${names.join(' and ')} contradict each other: each says the whole road.`);
  if (pac !== undefined) return { kind: 'pac', place: pac };
  return settings === undefined ? null : { kind: 'settings', place: settings };
}

/** How many proxies there may be to sign in to: what a PAC file or settings find is one at a time. */
function proxyCountOf({ proxy = [], pac, 'proxy-settings': settings }: Values): number {
  return pac === undefined && settings === undefined ? proxy.length : 1;
}

function proxyFormOf(values: Values): ProxyForm {
  const { forward = false, 'proxy-form': form } = values;
  const given = form ?? (forward ? 'forward' : 'tunnel');
  if (given !== 'tunnel' && given !== 'forward' && given !== 'auto') {
    throw new UsageError(`--proxy-form is tunnel, forward or auto, not "${given}".`);
  }
  if (forward && given !== 'forward')
    throw new UsageError(`--forward and --proxy-form ${given} contradict each other.`);
  const option = forward ? '--forward' : '--proxy-form';
  if ((forward || form !== undefined) && proxyCountOf(values) === 0) throw new UsageError(`${option} needs a --proxy.`);
  return given;
}

function proxySettingsOf(values: Values): ProxySettings {
  const { 'proxy-user': users = [], 'proxy-auth': auth, 'proxy-ca': caFiles = [] } = values;
  const isHttpDangerChosen = values['danger-http-behind-authenticated-proxy'] === true;
  if (users.length > proxyCountOf(values)) throw new UsageError('There are more --proxy-user than --proxy.');
  if (users.length === 0 && auth !== undefined) throw new UsageError('--proxy-auth goes with --proxy-user.');
  if (users.length === 0 && isHttpDangerChosen) {
    throw new UsageError('--danger-http-behind-authenticated-proxy goes with --proxy-user.');
  }
  const mechanism = ALL_PROXY_MECHANISMS.find((name) => name.toLowerCase() === auth);
  if (auth !== undefined && auth !== 'auto' && mechanism === undefined) {
    const names = ALL_PROXY_MECHANISMS.map((name) => name.toLowerCase()).join(', ');
    throw new UsageError(`--proxy-auth is one of auto, ${names}, not "${auth}".`);
  }
  return {
    users,
    mechanisms: mechanism === undefined ? ALL_PROXY_MECHANISMS : [mechanism],
    caFiles,
    isHttpDangerChosen,
  };
}

function trustOf(target: Target, values: Values): Pick<Common, 'pins' | 'caFiles' | 'allowLegacyTls'> {
  const { pin = [], ca = [], 'legacy-tls': allowLegacyTls = false } = values;
  if (target.scheme !== 'https' && (pin.length > 0 || ca.length > 0 || allowLegacyTls)) {
    throw new UsageError('--pin, --ca and --legacy-tls go with an https target: --target https://host');
  }
  return { pins: pin.map(pinOf), caFiles: ca, allowLegacyTls };
}

function pinOf(text: string): string {
  const thumbprint = parseThumbprint(text);
  if (thumbprint.length === 64) return thumbprint;
  throw new UsageError('--pin wants the SHA-256 thumbprint, 64 hexadecimal digits; SHA-1 can be forged.');
}

function signInOf(target: Target, user: string | null, values: Values): SignIn {
  const { auth = 'negotiate', cert: certFiles = [], seal = 'auto' } = values;
  const policy = POLICIES.find((one) => one === auth);
  if (policy === undefined) throw new UsageError(`--auth is one of ${POLICIES.join(', ')}, not "${auth}".`);
  if (seal !== 'auto' && seal !== 'always') throw new UsageError(`--seal is auto or always, not "${seal}".`);
  if ((policy === 'basic' || policy === 'certificate') && target.scheme !== 'https') {
    throw new UsageError(`--auth ${policy} is for https targets only: --target https://host`);
  }
  if (policy !== 'certificate') {
    if (certFiles.length > 0) throw new UsageError('--cert goes with --auth certificate.');
    if (user === null) throw new UsageError("Say who: --user 'DOMAIN\\name'");
    if (policy === 'basic' && seal === 'always') throw new UsageError('--seal always needs a sign-in that makes keys.');
    return { user, policy, certFiles, seal };
  }
  if (certFiles.length === 0) throw new UsageError('--auth certificate needs --cert FILE, a .pfx or PEM file.');
  if (user !== null) throw new UsageError('--auth certificate takes no user: the certificate says it.');
  if (seal === 'always') throw new UsageError('--seal always needs a sign-in that makes keys.');
  return { user: '', policy, certFiles, seal };
}

function environmentOf(pairs: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--env wants NAME=VALUE, not "${pair}".`);
    environment[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return environment;
}

function wholeNumber(argument: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) fail('misuse.bad-argument', { argument, reason: 'not-a-number' });
  return Number(text);
}
