import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_PATHS, hashProof, PIPE_PATH, signInProof } from '@fairlead/contract';
import { WebSocket } from 'ws';
import { readConfig } from './config.ts';
import { type Relay, type RelayParts, startRelay } from './index.ts';

/** A relay, and a person in front of it, for tests. */
export interface TestRelay {
  readonly relay: Relay;
  readonly base: string;
  /** Every log line so far. */
  readonly log: string[];
  readonly folder: string;
  signIn(code?: string): Promise<string>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  ticket(cookie: string, target: Place, hops?: readonly Hop[], scheme?: 'http' | 'https'): Promise<string>;
  /** Opens the byte socket and sends the ticket. */
  dial(cookie: string, ticket: string): Promise<TestPipe>;
  close(): Promise<void>;
}

interface Place {
  host: string;
  port: number;
}
interface Hop extends Place {
  kind: 'http-connect' | 'http-forward' | 'socks5';
  tls?: boolean | undefined;
}

/** A page of the smallest kind, with its csp.json. */
export function writeTestSite(folder: string): void {
  writeFileSync(join(folder, 'index.html'), '<!doctype html><script>1</script>');
  writeFileSync(join(folder, 'csp.json'), '{"/index.html":["sha256-AAAA"]}');
}

/** Starts a relay on a free port with settings of its own and nothing from the environment. */
export async function startTestRelay(env: Record<string, string> = {}, parts: RelayParts = {}): Promise<TestRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-relay-'));
  writeTestSite(folder);
  const log: string[] = [];
  const config = readConfig({
    FAIRLEAD_PORT: '0',
    FAIRLEAD_DATA: join(folder, 'data'),
    FAIRLEAD_STATIC: folder,
    FAIRLEAD_LOG_LEVEL: 'debug',
    FAIRLEAD_DRAIN_SECONDS: '0',
    ...env,
  });
  const relay = await startRelay(config, { logTo: { write: (line) => void log.push(line) }, ...parts });
  const base = `http://127.0.0.1:${relay.port}`;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${base}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: base, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    relay,
    base,
    log,
    folder,
    post,
    async signIn(code = 'AB2CDE3FGH4J') {
      const proof = await signInProof(code);
      relay.expectProof(await hashProof(proof));
      const answer = await post(API_PATHS.signIn, { proof });
      if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status}`);
      return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    },
    async ticket(cookie, target, hops = [], scheme = 'http') {
      const answer = await post(API_PATHS.tickets, { target, route: { name: '', hops }, scheme }, { Cookie: cookie });
      const body = (await answer.json()) as { ticket?: string };
      if (body.ticket === undefined) throw new Error(`tickets answered ${answer.status} ${JSON.stringify(body)}`);
      return body.ticket;
    },
    async dial(cookie, ticket) {
      const pipe = await openTestPipe(base, { Cookie: cookie });
      pipe.say({ type: 'dial', ticket });
      return pipe;
    },
    async close() {
      await relay.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A byte socket as a test sees it. */
export interface TestPipe {
  readonly socket: WebSocket;
  /** Text messages so far, beats and hop reports left out. */
  readonly said: Record<string, unknown>[];
  readonly hops: Record<string, unknown>[];
  beats: number;
  bytes: Buffer;
  say(message: unknown): void;
  /** Resolves when a message of a type has come; rejects when the socket closes before. */
  until(type: string): Promise<Record<string, unknown>>;
  untilBytes(length: number): Promise<void>;
  untilClosed(): Promise<number>;
}

/** Opens the byte socket with headers of the caller's. */
export function openTestPipe(base: string, headers: Record<string, string>): Promise<TestPipe> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}${PIPE_PATH}`, { headers: { Origin: base, ...headers } });
  const checks = new Set<() => void>();
  let closedWith: number | null = null;
  const wait = <T>(test: () => T | null): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = () => {
        const found = test();
        if (found === null && closedWith === null) return;
        checks.delete(check);
        if (found === null) reject(new Error(`closed with ${closedWith}: ${JSON.stringify(pipe.said)}`));
        else resolve(found);
      };
      checks.add(check);
      check();
    });
  const pipe: TestPipe = {
    socket,
    said: [],
    hops: [],
    beats: 0,
    bytes: Buffer.alloc(0),
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    until: (type) => wait(() => pipe.said.find((message) => message['type'] === type) ?? null),
    untilBytes: (length) => wait(() => (pipe.bytes.length >= length ? true : null)).then(() => undefined),
    untilClosed: () => wait(() => closedWith),
  };
  socket.on('message', (content: Buffer, isBinary) => {
    if (isBinary) pipe.bytes = Buffer.concat([pipe.bytes, content]);
    else {
      const message = JSON.parse(content.toString()) as Record<string, unknown>;
      if (message['type'] === 'beat') pipe.beats += 1;
      else if (message['type'] === 'hop') pipe.hops.push(message['report'] as Record<string, unknown>);
      else pipe.said.push(message);
    }
    for (const check of checks) check();
  });
  socket.on('close', (code) => {
    closedWith = code;
    for (const check of checks) check();
  });
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(pipe));
    socket.on('error', reject);
  });
}

/** A TCP server on a free loopback port; `port` to dial, `sockets` it has taken. */
export async function listenTcp(
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; sockets: Socket[]; close(): void }> {
  const sockets: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    sockets,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Sends bytes as they are and returns everything that comes back until the end. */
export function rawExchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
