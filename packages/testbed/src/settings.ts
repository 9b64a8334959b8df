import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { TlsIdentity } from './certificate.ts';
import type { HttpsOptions } from './listener.ts';

/** What `npm run -s testbed` was asked for. */
export type Settings = z.infer<typeof settingsSchema>;

/** The text of --help. */
export const USAGE = `A WinRM host for tests and demos. It runs real commands as you, so it is meant for loopback only.

  npm run -s testbed -- --port N --user 'DOMAIN\\name' [options]

  --port N              port to listen on; 0 is a free one (default 5985)
  --host ADDRESS        address to listen on (default 127.0.0.1)
  --user 'DOMAIN\\name'  the account; its password is FAIRLEAD_TESTBED_PASSWORD, or is made up and printed
  --idle-timeout S      close a connection after S seconds without a request (default 120)
  --close-after N       close each connection after N requests (default 0, never)
  --shell-timeout S     close a shell nobody uses for S seconds (default 7200)
  --max-shells N        shells per user (default 30)
  --max-envelope KB     largest envelope in KiB (default 500)
  --directory PATH      where shells begin (default your home directory)
  --scheme NAME         scheme to offer, Negotiate or NTLM; may be repeated (default Negotiate)
  --https-port N        also listen with TLS on this port; 0 is a free one
  --https-scheme NAME   scheme to offer there: Negotiate, NTLM or Basic; may be repeated (default Negotiate and Basic)
  --cert FILE           certificate to show there, PEM (default one made at the start)
  --key FILE            its key, PEM, not encrypted
  --profile NAME        current, or old-server: TLS 1.2 and CBC suites only, with an RSA certificate (default current)
  --cbt LEVEL           none, relaxed or strict: CbtHardeningLevel (default relaxed)
  --client-cert WHEN    none, request, require, or renegotiate as Windows asks in TLS 1.2 (default none)
  --client-ca FILE      who issues the certificates asked for, PEM
  --client-sha256 HEX   thumbprint of a client certificate that logs on as the account; may be repeated
  --journal FILE        append what happens to FILE, one line of JSON each
  --proxy-port N        also start a CONNECT proxy that leads to this host and nowhere else
  --help                this text

It prints READY http=PORT (and https=PORT, proxy=PORT) when it answers, before that its certificate's thumbprints, and stops with everything it started on SIGTERM.`;

/** What is wrong with the arguments, as a sentence. */
export class SettingsError extends Error {}

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'is not a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `is less than ${least}`).max(most, `is more than ${most}`));

const settingsSchema = z.strictObject({
  port: whole(0, 65_535).default(5985),
  host: z.string().min(1, 'is empty').default('127.0.0.1'),
  user: z
    .string("is needed, as in --user 'LAB\\me'")
    .regex(/^[^\\@\p{Cc}]{1,64}\\[^\\@\p{Cc}]{1,104}$/u, 'is not DOMAIN\\name'),
  'idle-timeout': whole(1, 86_400).default(120),
  'close-after': whole(0, 1_000_000).default(0),
  'shell-timeout': whole(1, 604_800).default(7200),
  'max-shells': whole(0, 10_000).default(30),
  'max-envelope': whole(8, 8192).default(500),
  directory: z.string().min(1, 'is empty').optional(),
  scheme: z.array(z.enum(['Negotiate', 'NTLM'], 'is neither Negotiate nor NTLM')).default(['Negotiate']),
  'https-port': whole(0, 65_535).optional(),
  'https-scheme': z
    .array(z.enum(['Negotiate', 'NTLM', 'Basic'], 'is neither Negotiate nor NTLM nor Basic'))
    .default(['Negotiate', 'Basic']),
  cert: z.string().min(1, 'is empty').optional(),
  key: z.string().min(1, 'is empty').optional(),
  profile: z.enum(['current', 'old-server'], 'is neither current nor old-server').default('current'),
  cbt: z.enum(['none', 'relaxed', 'strict'], 'is neither none nor relaxed nor strict').default('relaxed'),
  'client-cert': z
    .enum(['none', 'request', 'require', 'renegotiate'], 'is neither none nor request nor require nor renegotiate')
    .default('none'),
  'client-ca': z.string().min(1, 'is empty').optional(),
  'client-sha256': z
    .array(z.string().regex(/^(?:[0-9A-Fa-f]{2}[: ]?){32}$/, 'is not a SHA-256 thumbprint'))
    .default([]),
  journal: z.string().min(1, 'is empty').optional(),
  'proxy-port': whole(0, 65_535).optional(),
});

const REPEATABLE: ReadonlySet<string> = new Set(['scheme', 'https-scheme', 'client-sha256']);

/** Reads the arguments; null when help was asked for. @throws SettingsError */
export function readSettings(argv: readonly string[]): Settings | null {
  const names = Object.keys(settingsSchema.shape);
  const options = Object.fromEntries(
    names.map((name) => [name, { type: 'string', multiple: REPEATABLE.has(name) } as const]),
  );
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({ args: [...argv], options: { ...options, help: { type: 'boolean' } }, strict: true }));
  } catch (error) {
    throw new SettingsError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : 'Unreadable arguments');
  }
  if (values['help'] === true) return null;
  const result = settingsSchema.safeParse(values);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new SettingsError(`--${issue?.path[0]?.toString() ?? ''} ${issue?.message ?? 'is not understood'}`);
}

/** The listener with TLS that was asked for, with its files read; undefined without --https-port. @throws SettingsError */
export function httpsOptions(settings: Settings): HttpsOptions | undefined {
  const port = settings['https-port'];
  if (port === undefined) return undefined;
  const authorities = settings['client-ca'];
  return {
    port,
    ...readIdentity(settings),
    profile: settings.profile,
    cbt: settings.cbt,
    clientCertificate: settings['client-cert'],
    ...(authorities === undefined ? {} : { clientAuthorities: [readCertificate('client-ca', authorities)] }),
    offers: settings['https-scheme'].map((scheme) => (scheme === 'Basic' ? 'Basic realm="WSMAN"' : scheme)),
  };
}

function readIdentity({ cert, key, profile }: Settings): TlsIdentity | Record<string, never> {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined || key === undefined) throw new SettingsError('--cert and --key go together');
  const identity = { certificate: readText('cert', cert), key: readText('key', key) };
  const type = keyTypeOf(identity);
  if (type === null) throw new SettingsError('--cert and --key are not a certificate and its key');
  if (profile === 'old-server' && type !== 'rsa') throw new SettingsError('--profile old-server needs an RSA key');
  return identity;
}

/** "rsa", "ec", …; null when the two do not belong together. */
function keyTypeOf({ certificate, key }: TlsIdentity): string | null {
  try {
    const privateKey = createPrivateKey(key);
    return new X509Certificate(certificate).checkPrivateKey(privateKey) ? (privateKey.asymmetricKeyType ?? '') : null;
  } catch {
    return null;
  }
}

function readCertificate(name: string, file: string): string {
  const text = readText(name, file);
  try {
    return new X509Certificate(text).toString();
  } catch {
    throw new SettingsError(`--${name} ${file} is no certificate`);
  }
}

function readText(name: string, file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    throw new SettingsError(`--${name} ${file} cannot be read`);
  }
}

/** The account's password: from the environment, where it then no longer is, or 24 characters made up. */
export function takePassword(environment: NodeJS.ProcessEnv): { password: string; isMadeUp: boolean } {
  const given = environment['FAIRLEAD_TESTBED_PASSWORD'];
  delete environment['FAIRLEAD_TESTBED_PASSWORD'];
  if (given === '') throw new SettingsError('FAIRLEAD_TESTBED_PASSWORD is empty; an account needs a password');
  return { password: given ?? randomBytes(18).toString('base64url'), isMadeUp: given === undefined };
}
