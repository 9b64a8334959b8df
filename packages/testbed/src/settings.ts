import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';

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
  --journal FILE        append what happens to FILE, one line of JSON each
  --proxy-port N        also start a CONNECT proxy that leads to this host and nowhere else
  --help                this text

It prints READY http=PORT (and proxy=PORT) when it answers, and stops with everything it started on SIGTERM.`;

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
  journal: z.string().min(1, 'is empty').optional(),
  'proxy-port': whole(0, 65_535).optional(),
});

/** Reads the arguments; null when help was asked for. @throws SettingsError */
export function readSettings(argv: readonly string[]): Settings | null {
  const names = Object.keys(settingsSchema.shape);
  const options = Object.fromEntries(
    names.map((name) => [name, { type: 'string', multiple: name === 'scheme' } as const]),
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

/** The account's password: from the environment, where it then no longer is, or 24 characters made up. */
export function takePassword(environment: NodeJS.ProcessEnv): { password: string; isMadeUp: boolean } {
  const given = environment['FAIRLEAD_TESTBED_PASSWORD'];
  delete environment['FAIRLEAD_TESTBED_PASSWORD'];
  if (given === '') throw new SettingsError('FAIRLEAD_TESTBED_PASSWORD is empty; an account needs a password');
  return { password: given ?? randomBytes(18).toString('base64url'), isMadeUp: given === undefined };
}
