/** Starts the peers that the tests use, each in a folder of its own and on a free port of 127.0.0.1. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Holds a `cmd.exe` that imitates cmd's prompt and echo, so that the server can run an interactive shell. */
const CMD_FOLDER = fileURLToPath(new URL('../../packages/testbed/bin', import.meta.url));
const START_LIMIT_MS = 15_000;

/** Of peers that are up; a test that is broken off leaves none behind. */
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) {
    try {
      process.kill(pid);
    } catch {
      // It is gone already.
    }
  }
});

/** The accounts of the WinRM server; fixtures, they open nothing else. */
export const RIG_ACCOUNT = { user: 'RIG\\ntuser', password: 'Nt-pw-1' } as const;

/** For Basic, over TLS only. */
export const RIG_BASIC_ACCOUNT = { user: 'rigbasic', password: 'B4sic-pw' } as const;

/** A name that only the squids can resolve: they take it for 127.0.0.1. */
export const PROXY_ONLY_NAME = 'server.rig.test';

/** One line of the server's log about one of its TCP connections. */
export interface ServerEvent {
  readonly ev: 'open' | 'request' | 'auth' | 'exec' | 'close' | 'error' | 'bad xml';
  readonly conn: number;
  readonly [field: string]: unknown;
}

/** A running peer. */
export interface Peer {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** The WinRM server whose security is GSS-API (MIT krb5, gss-ntlmssp), with its log. */
export interface GssServer extends Peer {
  readonly log: () => ServerEvent[];
  /** Its listener with TLS, which shows a certificate of its own for localhost, 127.0.0.1 and PROXY_ONLY_NAME. */
  readonly tls: { readonly port: number; readonly certificate: string; readonly sha256: string } | null;
}

/** How the WinRM server is started. */
export interface GssServerOptions {
  /** Each connection is closed after that many requests. */
  readonly closeAfter?: number;
  /** Listens with TLS too, and takes Basic there. What it does about channel binding, as CbtHardeningLevel. */
  readonly cbt?: 'none' | 'relaxed' | 'strict';
  /** Sends no session tickets, so that after the handshake of TLS 1.3 the server is silent until it is asked. */
  readonly hasNoTickets?: boolean;
  /** Takes plain messages over http from whoever has signed in, as a host with AllowUnencrypted does. */
  readonly allowsUnencrypted?: boolean;
}

/** Starts the WinRM server. */
export async function startGssServer(options: GssServerOptions = {}): Promise<GssServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-gss-'));
  const log = join(folder, 'log.jsonl');
  writeFileSync(join(folder, 'ntlm'), 'RIG:ntuser:Nt-pw-1\nRIG:alice:Al1ce-pw\n', { mode: 0o600 });
  const words = ['--listen', '127.0.0.1:0', '--log', log, '--ntlm-users', join(folder, 'ntlm')];
  if (options.closeAfter !== undefined) words.push('--close-after', String(options.closeAfter));
  const certificate = options.cbt === undefined ? null : await makeServerCertificate(folder);
  if (options.allowsUnencrypted === true) words.push('--allow-unencrypted');
  if (options.hasNoTickets === true) words.push('--no-tickets');
  if (options.cbt !== undefined) {
    words.push('--tls-listen', '127.0.0.1:0', '--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem'));
    words.push('--cbt', options.cbt, '--basic', `${RIG_BASIC_ACCOUNT.user}:${RIG_BASIC_ACCOUNT.password}`);
  }
  const child = spawn('/usr/bin/python3', [join(HERE, 'winrm_gss_server.py'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${CMD_FOLDER}:${process.env['PATH']}` },
  });
  const { pid = 0 } = child;
  running.add(pid);
  const ready = await firstLine(child, 'the GSS-API WinRM server');
  const port = Number(/http=(\d+)/.exec(ready)?.[1]);
  const tlsPort = Number(/https=(\d+)/.exec(ready)?.[1]);
  return {
    port,
    tls: certificate === null ? null : { port: tlsPort, ...certificate },
    log: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ServerEvent),
    stop: async () => {
      running.delete(pid);
      await stopChild(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A self-signed certificate by openssl, left in the folder. */
async function makeServerCertificate(folder: string): Promise<{ certificate: string; sha256: string }> {
  const names = `subjectAltName=DNS:localhost,DNS:${PROXY_ONLY_NAME},IP:127.0.0.1`;
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', names];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '365'],
    ...subject,
    ...files,
  ]);
  const certificate = readFileSync(join(folder, 'cert.pem'), 'utf8');
  return { certificate, sha256: new X509Certificate(certificate).fingerprint256.replaceAll(':', '') };
}

/** A running proxy. */
export interface ProxyPeer extends Peer {
  /** The text of a file in its working folder, such as the `ca.pem` of `squid-bump`. */
  readonly read: (file: string) => string;
}

/** For the proxies that check a password: Basic and Digest, tinyproxy's own Basic, NTLM and Negotiate. Fixtures. */
export const RIG_PROXY_ACCOUNTS = {
  plain: { user: 'puser', password: 'P r0xy:pw' },
  tinyproxy: { user: 'puser', password: 'Pr0xypw' },
  ntlm: { user: 'RIG\\puser', password: 'P-pw-1' },
} as const;

/**
 * Starts one proxy of `proxies/`, named as its file without ".conf".
 * @param parentPort what it stands in front of, where it is one that does
 */
export async function startProxy(name: string, parentPort = 0): Promise<ProxyPeer> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-proxy-'));
  chmodSync(folder, 0o755);
  const run = promisify(execFile);
  const port = await freePort();
  await run(join(HERE, 'proxies/run.sh'), ['start', name, join(folder, 'px'), `${port}`, `${parentPort}`]);
  const pid = Number(readFileSync(join(folder, 'px/pid.run'), 'utf8'));
  running.add(pid);
  return {
    port,
    read: (file) => readFileSync(join(folder, 'px', file), 'utf8'),
    stop: async () => {
      running.delete(pid);
      await run(join(HERE, 'proxies/run.sh'), ['stop', join(folder, 'px')]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Whether a process may have mounts of its own here, as `sockd-user` needs, whose accounts are the system's. A container
 * without CAP_SYS_ADMIN often grants none.
 */
export function hasNamespaces(): boolean {
  const words = ['-m', 'mount', '--bind', '/etc/passwd', '/etc/passwd'];
  if (process.getuid?.() !== 0) words.unshift('-r');
  return spawnSync('unshare', words, { stdio: 'ignore' }).status === 0;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function firstLine(child: ChildProcess, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let errors = '';
    const timer = setTimeout(() => giveUp('did not start in time'), START_LIMIT_MS);
    const giveUp = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${what} ${why}: ${errors}`));
    };
    child.stderr?.on('data', (bytes: Buffer) => {
      errors += bytes.toString('utf8');
    });
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('error', (error) => giveUp(error.message));
    child.once('exit', (code) => giveUp(`ended with ${code}`));
  });
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 5000).unref();
  });
}
