import { PassThrough, type Readable } from 'node:stream';
import { startWinRmHost, type WinRmHost, type WinRmHostOptions } from '../winrm-host.ts';
import { catchWritten } from '../written.ts';
import { type CrookedProxy, type CrookedProxyOptions, startCrookedProxy } from './crooked-proxy.ts';

/** How a target is reached through a crooked proxy. */
export type Transport = 'http, tunnel' | 'http, absolute form' | 'https, tunnel';

/** All there are; in absolute form there is no https. */
export const TRANSPORTS: readonly Transport[] = ['http, tunnel', 'http, absolute form', 'https, tunnel'];

/** A program in place of a process, as the command line is one. */
export interface Stage {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly environment: Readonly<Record<string, string>>;
  readonly askSecret: (question: string) => Promise<string | null>;
  readonly onInterrupt: () => () => void;
}

/** Runs words as a command line. @returns its exit code */
export type RunWords = (words: readonly string[], stage: Stage) => Promise<number>;

/** Of CORP\\ana at the host. */
export const HOST_PASSWORD = 'Correct-horse-9';
/** Of OFFICE\\pia at the proxy. */
export const PROXY_PASSWORD = 'Proxy-word-1';

/** What is set up. */
export interface RehearsalOptions {
  readonly run: RunWords;
  readonly proxy: Omit<CrookedProxyOptions, 'allow' | 'accounts' | 'onBytes'>;
  readonly host?: WinRmHostOptions;
}

/** What a run of the command line came to. */
export interface Performance {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that is still running. */
export interface RunningWords {
  readonly done: Promise<Performance>;
  readonly stdin: PassThrough;
  /** So far. */
  readonly written: { readonly stdout: string; readonly stderr: string };
}

/** A host behind a crooked proxy, and command lines that want to reach it. */
export interface Rehearsal {
  readonly host: WinRmHost;
  readonly proxy: CrookedProxy;
  /** Everything the proxy could read so far, as Latin-1. */
  readonly seen: () => string;
  /** The words that lead to the host over the proxy, between a verb and what follows `--`. */
  wordsFor(transport: Transport): readonly string[];
  /** Starts a command line whose input is what the test writes. @param isTerminal then nothing is piped anywhere */
  begin(words: readonly string[], isTerminal?: boolean, environment?: Readonly<Record<string, string>>): RunningWords;
  /** Runs a command line to its end. @param input null for a terminal at which nobody types */
  perform(
    words: readonly string[],
    input: string | null,
    environment?: Readonly<Record<string, string>>,
  ): Promise<Performance>;
  /** How many sign-ins the host has granted. */
  signInCount(): number;
  close(): Promise<void>;
}

/** Starts host and proxy on loopback. @throws the errors of `listen` */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const host = await startWinRmHost({
    accounts: [{ user: 'ana', domain: 'CORP', password: HOST_PASSWORD }],
    https: {},
    ...options.host,
  });
  const securePort = host.https?.port ?? 0;
  let seen = '';
  const proxy = await startCrookedProxy({
    ...options.proxy,
    allow: [host.port, securePort].map((port) => ({ host: '127.0.0.1', port })),
    accounts: [{ user: 'pia', domain: 'OFFICE', password: PROXY_PASSWORD }],
    onBytes: (_direction, bytes) => {
      seen += Buffer.from(bytes).toString('latin1');
    },
  });
  const begin: Rehearsal['begin'] = (words, isTerminal = false, environment = {}) => {
    const { written, stdout, stderr } = catchWritten();
    const stdin = Object.assign(new PassThrough(), { isTTY: isTerminal });
    const exiting = options.run(words, {
      ...{ stdin, stdout, stderr },
      environment: { FAIRLEAD_PASSWORD: HOST_PASSWORD, FAIRLEAD_PROXY_PASSWORD: PROXY_PASSWORD, ...environment },
      askSecret: () => Promise.resolve(null),
      onInterrupt: () => () => undefined,
    });
    return { stdin, written, done: exiting.then((exitCode) => ({ exitCode, ...written })) };
  };
  return {
    ...{ host, proxy, begin },
    seen: () => seen,
    wordsFor: (transport) => {
      const isSecure = transport === 'https, tunnel';
      const target = isSecure ? `https://127.0.0.1:${securePort}` : `http://127.0.0.1:${host.port}`;
      const words = ['-t', target, '-u', 'CORP\\ana', '-p', `http://127.0.0.1:${proxy.port}`];
      if (isSecure) words.push('--pin', host.https?.thumbprints.sha256 ?? '');
      if (transport === 'http, absolute form') words.push('--forward');
      return words;
    },
    perform: (words, input, environment) => {
      const running = begin(words, input === null, environment);
      if (input !== null) running.stdin.end(input);
      return running.done;
    },
    signInCount: () => host.journal.connections().reduce((sum, { handshakeCount }) => sum + handshakeCount, 0),
    async close() {
      await proxy.close();
      await host.close();
    },
  };
}
