import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { demoSchema } from '@fairlead/contract';
import * as z from 'zod';
import { BadRule, parseRules } from './dial-policy.ts';

/** A setting, or the machine, does not let the relay start. The message is one sentence for whoever starts it. */
export class StartError extends Error {}

const whole = (low: number, high: number) =>
  z
    .string()
    .regex(/^[0-9]{1,10}$/, 'is not a whole number')
    .transform(Number)
    .refine((n) => n >= low && n <= high, `is not between ${low} and ${high}`);

const rules = (of: 'targets' | 'proxies') =>
  z.string().transform((text, context) => {
    try {
      return parseRules(text, of);
    } catch (error) {
      if (!(error instanceof BadRule)) throw error;
      context.addIssue(`has a rule that cannot be read: ${error.message}`);
      return z.NEVER;
    }
  });

const origin = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '').toLowerCase()) {
    return url.origin;
  }
  context.addIssue('is not an origin such as https://fairlead.corp.example');
  return z.NEVER;
});

const demo = z.string().transform((text, context) => {
  try {
    const read = demoSchema.safeParse(JSON.parse(text));
    if (read.success) return read.data;
  } catch {
    // not JSON: the same sentence
  }
  context.addIssue('is not the JSON that a start script writes');
  return z.NEVER;
});

const webExport = fileURLToPath(new URL('../../web/out', import.meta.url));

/** Every setting: the names it is read from, its default, its check and its explanation, in the order of `--help`. */
const SETTINGS = {
  host: {
    names: ['FAIRLEAD_HOST', 'HOST'],
    fallback: '127.0.0.1',
    schema: z
      .string()
      .max(253)
      .refine((text) => text === 'localhost' || isIP(text) !== 0, 'is not an IP address or localhost'),
    about: 'Address to listen on.',
  },
  port: {
    names: ['FAIRLEAD_PORT', 'PORT'],
    fallback: '4830',
    schema: whole(0, 65_535),
    about: 'Port for page, API and WebSockets; 0 takes a free one.',
  },
  dataFolder: {
    names: ['FAIRLEAD_DATA'],
    fallback: '.data',
    schema: z.string().min(1, 'is empty').max(4096),
    about: 'Folder for sign-ins (relay.sqlite), made when missing.',
  },
  staticFolder: {
    names: ['FAIRLEAD_STATIC'],
    fallback: webExport,
    schema: z.string().min(1, 'is empty').max(4096),
    about: 'Folder of the built web app, with its csp.json.',
  },
  publicOrigin: {
    names: ['FAIRLEAD_PUBLIC_ORIGIN'],
    fallback: null,
    schema: origin,
    about:
      'Scheme, host and port people type, when not http and a loopback name. Required for anyone on another machine; https there is a reverse proxy.',
  },
  targets: {
    names: ['FAIRLEAD_TARGETS'],
    fallback: '',
    schema: rules('targets'),
    about:
      'Hosts the relay may reach: HOST[:PORTS][@RANGE], separated by commas. HOST is a name, *.suffix, * or a range such as 10.0.0.0/8; no port means 5985-5986. A name that the relay resolves itself reaches private addresses only with @RANGE (srv1.corp:5985@10.0.0.0/8) or beside a range of its own.',
  },
  proxies: {
    names: ['FAIRLEAD_PROXIES'],
    fallback: '',
    schema: rules('proxies'),
    about: 'Proxies the relay may use, written as targets are, always with a port: proxy.corp:3128@10.0.0.0/8.',
  },
  proxyCa: {
    names: ['FAIRLEAD_PROXY_CA'],
    fallback: null,
    schema: z.string().min(1, 'is empty').max(4096),
    about: 'PEM file of certificates that may vouch for proxies spoken to over TLS (https://), besides the usual ones.',
  },
  proxyScripts: {
    names: ['FAIRLEAD_PROXY_SCRIPTS'],
    fallback: '',
    schema: rules('proxies'),
    about:
      'Servers of PAC files that the relay may fetch for signed-in people, written as proxies are: wpad.corp:80@10.0.0.0/8. None unless given.',
  },
  httpBehindSignIn: {
    names: ['FAIRLEAD_HTTP_BEHIND_AUTHENTICATED_PROXY'],
    fallback: 'refuse',
    schema: z.enum(['refuse', 'allow'], 'is not refuse or allow'),
    about:
      'Whether a proxy that wants credentials gets them for an http target: refuse, or allow, and then only when the person chooses that danger too.',
  },
  connectionLimit: {
    names: ['FAIRLEAD_CONNECTIONS'],
    fallback: '64',
    schema: whole(1, 100_000),
    about: 'Most connections one person may hold open; a session takes two.',
  },
  dialsPerMinute: {
    names: ['FAIRLEAD_DIALS_PER_MINUTE'],
    fallback: '240',
    schema: whole(1, 100_000),
    about: 'Most connections one person may ask for in a minute.',
  },
  dialTimeoutSeconds: {
    names: ['FAIRLEAD_DIAL_SECONDS'],
    fallback: '10',
    schema: whole(1, 120),
    about: 'Longest wait for a TCP connection, and for each answer of a proxy.',
  },
  drainSeconds: {
    names: ['FAIRLEAD_DRAIN_SECONDS'],
    fallback: '5',
    schema: whole(0, 8),
    about: 'How long open connections may finish after SIGTERM.',
  },
  holdBytes: {
    names: ['FAIRLEAD_HOLD_BYTES'],
    fallback: '16777216',
    schema: whole(65_536, 1 << 30),
    about:
      'Most bytes kept for one connection while its tab is away; then the far end waits. Each held connection counts against FAIRLEAD_CONNECTIONS.',
  },
  holdSeconds: {
    names: ['FAIRLEAD_HOLD_SECONDS'],
    fallback: '300',
    schema: whole(0, 86_400),
    about: 'How long a connection is kept for a tab that has lost its link.',
  },
  metricsToken: {
    names: ['FAIRLEAD_METRICS_TOKEN'],
    fallback: null,
    schema: z.string().min(16, 'is shorter than 16 characters').max(256),
    about: 'Bearer token for /metrics. Without one, /metrics answers on a loopback name and address only.',
  },
  logLevel: {
    names: ['FAIRLEAD_LOG_LEVEL'],
    fallback: 'info',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent'], 'is not debug, info, warn, error or silent'),
    about: 'How much is written, as JSON lines, to standard error.',
  },
  demo: {
    names: ['FAIRLEAD_DEMO'],
    fallback: null,
    schema: demo,
    about: 'Set by the start script: where the demo is, with its proxies and its maze, as JSON.',
  },
} as const;

type Settings = typeof SETTINGS;
type Value<Setting> = Setting extends { fallback: infer Fallback; schema: infer Schema extends z.ZodType }
  ? z.output<Schema> | (Fallback extends null ? null : never)
  : never;

/** All settings, checked. */
export type RelayConfig = { readonly [Name in keyof Settings]: Value<Settings[Name]> };

/**
 * Reads all settings from an environment, once.
 *
 * @throws StartError naming the setting that is wrong; values are not repeated, because one of them is a token
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): RelayConfig {
  refuseUnknown(environment);
  const entries = Object.entries(SETTINGS).map(([name, setting]) => {
    const given = setting.names.find((candidate) => (environment[candidate] ?? '') !== '');
    const text = given === undefined ? setting.fallback : environment[given];
    if (text === null || text === undefined) return [name, null] as const;
    const read = setting.schema.safeParse(text);
    if (!read.success) throw new StartError(`${given ?? name} ${read.error.issues[0]?.message ?? 'is wrong'}.`);
    return [name, read.data] as const;
  });
  return Object.fromEntries(entries) as RelayConfig;
}

/** Names of ours that other programs of this repository read, and that may stand in the same environment. */
const OTHERS = /^FAIRLEAD_(?:PASSWORD|(?:TESTBED|CERT|PROXY)_PASSWORD|NO_DEMO|VERSION)$/;

/** A setting that is misspelt would otherwise change nothing and say nothing. */
function refuseUnknown(environment: Readonly<Record<string, string | undefined>>): void {
  const known = new Set<string>(Object.values(SETTINGS).flatMap(({ names }) => names));
  const unknown = Object.keys(environment).find(
    (name) => name.startsWith('FAIRLEAD_') && !known.has(name) && !OTHERS.test(name),
  );
  if (unknown !== undefined) throw new StartError(`${unknown} is no setting of Fairlead; --help lists them.`);
}

/** The text of `--help`. */
export function printHelp(): string {
  const lines = Object.values(SETTINGS).flatMap((setting) => {
    const fallback = setting.fallback === webExport ? 'web/out' : setting.fallback;
    const suffix = fallback === null || fallback === '' ? '' : ` (default ${fallback})`;
    return [`  ${setting.names.join(', ')}${suffix}`, ...wrap(setting.about, 92).map((line) => `      ${line}`)];
  });
  return [
    'Fairlead relay: serves the page and opens roads for it.',
    '',
    'Usage: npm run -s relay -- [--help | --check]',
    '  --check   asks a running relay (same settings) for /healthz; exits with 0 when it is ready, else 1',
    '',
    'Settings are environment variables:',
    ...lines,
    '',
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
