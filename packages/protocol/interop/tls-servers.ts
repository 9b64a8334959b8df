import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { nodeDialer } from '../src/adapters/node-socket.ts';

/** TLS servers of others, one per setting, each answering any request with a page and then closing. */

/** A certificate and its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** What a server is started with. */
export interface ServerSetting {
  readonly version: '1.2' | '1.3';
  /** By its name in OpenSSL. */
  readonly cipher: string;
  readonly identity: Identity;
  readonly asks: 'none' | 'request' | 'require';
  /** Whose certificates it takes, PEM. */
  readonly clientCa: string;
  /** The one group it takes; any unless given. */
  readonly group?: 'P-256' | 'P-384';
  /** TLS 1.2 with CBC: MAC, then encrypt, as before RFC 7366. */
  readonly isMacFirst?: boolean;
}

/** A running server. */
export interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts servers of one make. */
export type ServerMaker = (setting: ServerSetting) => Promise<RunningServer>;

/** OpenSSL's `s_server`. */
export const startOpenssl: ServerMaker = async (setting) => {
  const files = writeFiles(setting);
  const { version, cipher, asks, group, isMacFirst } = setting;
  const args = ['s_server', '-accept', '127.0.0.1:0', '-www', '-cert', files.certificate, '-key', files.key];
  args.push(version === '1.3' ? '-tls1_3' : '-tls1_2');
  args.push(version === '1.3' ? '-ciphersuites' : '-cipher', version === '1.3' ? cipher : `${cipher}:@SECLEVEL=0`);
  if (asks !== 'none') args.push(asks === 'require' ? '-Verify' : '-verify', '2', '-verify_return_error');
  if (asks !== 'none') args.push('-CAfile', files.clientCa);
  if (group !== undefined) args.push('-groups', group);
  if (isMacFirst === true) args.push('-no_etm');
  const child = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const port = await portIn(child, /ACCEPT 127\.0\.0\.1:(\d+)/);
  return { port, stop: () => stopChild(child, files.folder) };
};

/** OpenSSL's `s_server` with its keyboard: what is typed goes to the client, single letters are orders. */
export interface Typist extends RunningServer {
  type(line: string): void;
  /** Everything it printed. */
  printed(): string;
}

/** Starts an `s_server` that is typed at. It asks for a certificate only when ordered to. */
export async function startTypist(version: '1.2' | '1.3', identity: Identity, clientCa: string): Promise<Typist> {
  const setting = { version, cipher: '', identity, asks: 'none', clientCa } as const;
  const files = writeFiles(setting);
  const args = ['s_server', '-accept', '127.0.0.1:0', '-cert', files.certificate, '-key', files.key];
  args.push(version === '1.3' ? '-tls1_3' : '-tls1_2', '-CAfile', files.clientCa, '-verify_return_error');
  const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let printed = '';
  const port = portIn(child, /ACCEPT 127\.0\.0\.1:(\d+)/);
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  return {
    port: await port,
    type: (line) => void child.stdin.write(`${line}\n`),
    printed: () => printed,
    stop: () => stopChild(child, files.folder),
  };
}

/** GnuTLS's `gnutls-serv`. */
export const startGnutls: ServerMaker = async (setting) => {
  const files = writeFiles(setting);
  const port = await freePort();
  const args = ['--http', '--quiet', '--port', String(port)];
  args.push('--x509certfile', files.certificate, '--x509keyfile', files.key, '--priority', gnutlsPriority(setting));
  if (setting.asks === 'none') args.push('--disable-client-cert');
  else args.push('--x509cafile', files.clientCa);
  if (setting.asks === 'require') args.push('--require-client-cert', '--verify-client-cert');
  const child = spawn('gnutls-serv', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await untilListening(child, port);
  return { port, stop: () => stopChild(child, files.folder) };
};

/** Node's own, which is OpenSSL with other habits. */
export const startNode: ServerMaker = async (setting) => {
  const { version, cipher, identity, asks, clientCa, group, isMacFirst } = setting;
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key,
      ca: clientCa,
      minVersion: `TLSv${version}`,
      maxVersion: `TLSv${version}`,
      ciphers: version === '1.3' ? cipher : `${cipher}:@SECLEVEL=0`,
      requestCert: asks !== 'none',
      rejectUnauthorized: asks === 'require',
      ...(group === undefined ? {} : { ecdhCurve: group }),
      ...(isMacFirst === true ? { secureOptions: SSL_OP_NO_ENCRYPT_THEN_MAC } : {}),
    },
    (socket) => {
      socket.on('error', () => undefined);
      const who = socket.getPeerCertificate();
      socket.once('data', () =>
        socket.end(`HTTP/1.0 200 OK\r\n\r\nclient ${String(who?.subject?.CN ?? 'none')}\n${FILLER}`),
      );
    },
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, stop: () => new Promise((resolve) => server.close(() => resolve())) };
};

/** Several records' worth. */
const FILLER = 'x'.repeat(50_000);
/** Absent from `node:constants`; ssl.h, OpenSSL 1.1.0 and later. */
const SSL_OP_NO_ENCRYPT_THEN_MAC = 2 ** 19;

function gnutlsPriority({ version, cipher, group, isMacFirst }: ServerSetting): string {
  const words = ['NONE', `+VERS-TLS${version}`, '+SIGN-ALL', '+COMP-NULL', '+CTYPE-X509'];
  words.push(...(GNUTLS_CIPHERS[cipher] ?? []));
  words.push('+ECDHE-RSA', '+ECDHE-ECDSA', '+RSA');
  words.push(group === undefined ? '+GROUP-ALL' : `+GROUP-${group === 'P-256' ? 'SECP256R1' : 'SECP384R1'}`);
  if (isMacFirst === true) words.push('%NO_ETM');
  return words.join(':');
}

const GNUTLS_CIPHERS: Readonly<Record<string, readonly string[]>> = {
  TLS_AES_128_GCM_SHA256: ['+AES-128-GCM', '+AEAD'],
  TLS_AES_256_GCM_SHA384: ['+AES-256-GCM', '+AEAD'],
  TLS_CHACHA20_POLY1305_SHA256: ['+CHACHA20-POLY1305', '+AEAD'],
  'ECDHE-RSA-AES128-GCM-SHA256': ['+AES-128-GCM', '+AEAD'],
  'ECDHE-RSA-AES256-GCM-SHA384': ['+AES-256-GCM', '+AEAD'],
  'ECDHE-RSA-CHACHA20-POLY1305': ['+CHACHA20-POLY1305', '+AEAD'],
  'ECDHE-RSA-AES128-SHA256': ['+AES-128-CBC', '+SHA256'],
  'ECDHE-RSA-AES256-SHA384': ['+AES-256-CBC', '+SHA384'],
  'ECDHE-RSA-AES128-SHA': ['+AES-128-CBC', '+SHA1'],
  'ECDHE-RSA-AES256-SHA': ['+AES-256-CBC', '+SHA1'],
  'ECDHE-ECDSA-AES128-GCM-SHA256': ['+AES-128-GCM', '+AEAD'],
  'ECDHE-ECDSA-AES256-GCM-SHA384': ['+AES-256-GCM', '+AEAD'],
  'ECDHE-ECDSA-CHACHA20-POLY1305': ['+CHACHA20-POLY1305', '+AEAD'],
  'ECDHE-ECDSA-AES128-SHA256': ['+AES-128-CBC', '+SHA256'],
  'ECDHE-ECDSA-AES256-SHA384': ['+AES-256-CBC', '+SHA384'],
  'ECDHE-ECDSA-AES128-SHA': ['+AES-128-CBC', '+SHA1'],
  'ECDHE-ECDSA-AES256-SHA': ['+AES-256-CBC', '+SHA1'],
};

function writeFiles({ identity, clientCa }: ServerSetting) {
  const folder = mkdtempSync(join(tmpdir(), 'tls-matrix-'));
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  return {
    folder,
    certificate: write('certificate.pem', identity.certificate),
    key: write('key.pem', identity.key),
    clientCa: write('client-ca.pem', clientCa),
  };
}

function portIn(child: ChildProcess, pattern: RegExp): Promise<number> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const look = (chunk: Buffer): void => {
      seen += chunk.toString();
      const port = pattern.exec(seen)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${seen}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  let seen = '';
  child.stdout?.on('data', (chunk) => {
    seen += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    seen += String(chunk);
  });
  for (let turn = 0; turn < 200; turn++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${seen}`);
    try {
      (await nodeDialer({ host: '127.0.0.1', port })).destroy();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`the server does not listen: ${seen}`);
}

async function stopChild(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
