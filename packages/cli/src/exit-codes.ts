import type { ErrorCode, WinRmError } from '@fairlead/protocol';

/** What the process says when it did not come to a remote exit code. Remote commands may use these numbers too. */
export const EXIT_CODES = {
  usage: 64,
  network: 65,
  proxy: 66,
  signIn: 67,
  untrusted: 68,
  host: 69,
  ourMistake: 70,
  shell: 71,
  timedOut: 72,
  interrupted: 130,
} as const;

/** How Windows ends a program that Ctrl+C stopped. [MS-ERREF] 2.3.1 */
const STATUS_CONTROL_C_EXIT = 0xc000013a;

/** A remote code that a process of this system cannot return becomes this. */
export const UNREPRESENTABLE = 255;

/** What each exit code means, for `--help` and the documents. */
export const EXIT_CODE_TEXTS: readonly (readonly [number, string])[] = [
  [EXIT_CODES.usage, 'the command line is wrong; nothing was sent'],
  [EXIT_CODES.network, 'the host or the proxy could not be reached, or the connection broke'],
  [EXIT_CODES.proxy, 'a proxy on the road refused or cannot be used'],
  [EXIT_CODES.signIn, 'the host refused the sign-in'],
  [EXIT_CODES.untrusted, 'the host was not trusted, or an answer was not protected as it must be'],
  [EXIT_CODES.host, 'the host answered, but not with what was asked for'],
  [EXIT_CODES.ourMistake, 'a mistake of ours; please report it'],
  [EXIT_CODES.shell, 'the remote shell ended early, or the fate of a request is unknown'],
  [EXIT_CODES.timedOut, 'no answer in time'],
  [EXIT_CODES.interrupted, 'interrupted with Ctrl+C'],
  [143, 'ended by SIGTERM (129: SIGHUP); the remote command was stopped and its shell deleted'],
  [UNREPRESENTABLE, 'the remote exit code is not between 0 and 255 (--json prints it whole)'],
];

const BY_PREFIX: Readonly<Record<string, number>> = {
  relay: EXIT_CODES.network,
  http: EXIT_CODES.host,
  proxy: EXIT_CODES.proxy,
  pac: EXIT_CODES.proxy,
  settings: EXIT_CODES.usage,
  tls: EXIT_CODES.untrusted,
  auth: EXIT_CODES.signIn,
  seal: EXIT_CODES.untrusted,
  wsman: EXIT_CODES.host,
  shell: EXIT_CODES.shell,
};
const BY_CODE: Partial<Record<ErrorCode, number>> = {
  'http.closed-early': EXIT_CODES.network,
  'tls.not-tls': EXIT_CODES.host,
  'tls.no-common-suite': EXIT_CODES.host,
  'tls.client-certificate': EXIT_CODES.signIn,
  'tls.client-certificate-password': EXIT_CODES.signIn,
  'wsman.timed-out': EXIT_CODES.timedOut,
  'session.timed-out': EXIT_CODES.timedOut,
  'session.cancelled': EXIT_CODES.interrupted,
  'misuse.bad-argument': EXIT_CODES.usage,
  'misuse.wrong-state': EXIT_CODES.ourMistake,
};

/** The exit code for one of our errors. */
export function exitCodeOfError(error: WinRmError): number {
  return BY_CODE[error.code] ?? BY_PREFIX[error.code.slice(0, error.code.indexOf('.'))] ?? EXIT_CODES.ourMistake;
}

/**
 * The exit code for a remote one. Only 0 to 255 survive the trip; anything else must not turn into a success by losing
 * its upper bits.
 */
export function exitCodeOfRemote(unsigned: number): number {
  if (unsigned === STATUS_CONTROL_C_EXIT) return EXIT_CODES.interrupted;
  return unsigned <= 255 ? unsigned : UNREPRESENTABLE;
}
