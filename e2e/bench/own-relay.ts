/** The relay as a process of its own, and somebody who is signed in to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { API_PATHS, PIPE_PATH, signInProof } from '@fairlead/contract';
import { WebSocket } from 'ws';
import { startChild } from './children.ts';

const RELAY = fileURLToPath(new URL('../../relay/src/main.ts', import.meta.url));
const GC_ON_SIGNAL = new URL('gc-on-signal.ts', import.meta.url).href;

/** A running relay. */
export interface RelayProcess {
  readonly origin: string;
  readonly pid: number;
  /** The sign-in code it printed; whoever uses it first is in. */
  readonly code: string;
  /** Signs in with the code and returns the cookie. */
  signIn(): Promise<string>;
  /** Opens a tunnel to a port of loopback; resolves when the road is open. */
  openTunnel(cookie: string, port: number, options?: TunnelOptions): Promise<WebSocket>;
  /** Lets it come to rest and makes it collect its garbage: only one that rests gives its young generation back. */
  collectGarbage(): Promise<void>;
  stop(): Promise<void>;
}

/** What a relay may reach, and what it serves. */
export interface RelayOptions {
  /** Ports of loopback. */
  readonly targets: readonly number[];
  readonly proxies?: readonly number[];
  /** Folder of the built app; without it there is a page that says nothing. */
  readonly site?: string;
  readonly flags?: readonly string[];
}

/** How a tunnel is opened. */
export interface TunnelOptions {
  readonly isResumable?: boolean;
  readonly hops?: readonly { readonly kind: 'http-connect'; readonly host: string; readonly port: number }[];
}

/** Starts a relay on a free port with limits that nobody reaches. */
export async function startRelay(options: RelayOptions): Promise<RelayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>bench</title>');
  writeFileSync(join(folder, 'csp.json'), '{"/index.html":[]}');
  const places = (ports: readonly number[]) => ports.map((port) => `127.0.0.1:${port}`).join(',');
  const words = ['--expose-gc', '--import', GC_ON_SIGNAL, ...(options.flags ?? []), RELAY];
  const child = startChild(process.execPath, words, {
    FAIRLEAD_HOST: '127.0.0.1',
    FAIRLEAD_PORT: '0',
    FAIRLEAD_DATA: join(folder, 'data'),
    FAIRLEAD_STATIC: options.site ?? folder,
    FAIRLEAD_TARGETS: places(options.targets),
    FAIRLEAD_PROXIES: places(options.proxies ?? []),
    FAIRLEAD_CONNECTIONS: '100000',
    FAIRLEAD_DIALS_PER_MINUTE: '100000',
    FAIRLEAD_DRAIN_SECONDS: '0',
    FAIRLEAD_LOG_LEVEL: 'warn',
  });
  const origin = await child.printed(/Fairlead is at (http:\/\/\S+)/);
  const code = await child.printed(/Sign-in code, for one use: (\S+)/);
  const post = (path: string, body: unknown, cookie = '') =>
    fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: origin, Cookie: cookie },
      body: JSON.stringify(body),
    });
  return {
    origin,
    pid: child.pid,
    code,
    async signIn() {
      const answer = await post(API_PATHS.signIn, { proof: await signInProof(code) });
      if (answer.status !== 200) throw new Error(`the relay answered a sign-in with ${answer.status}`);
      return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    },
    async openTunnel(cookie, port, { isResumable = false, hops = [] } = {}) {
      const route = { name: '', hops };
      const answer = await post(API_PATHS.tickets, { target: { host: '127.0.0.1', port }, route }, cookie);
      const { ticket } = (await answer.json()) as { ticket?: string };
      if (ticket === undefined) throw new Error(`the relay gave no ticket: ${answer.status}`);
      return openPipe(origin, cookie, { type: 'dial', ticket, ...(isResumable ? { resumable: true } : {}) });
    },
    async collectGarbage() {
      for (let turn = 0; turn < 3; turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 2000));
        child.kill('SIGUSR2');
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    },
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function openPipe(origin: string, cookie: string, dial: object): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}${PIPE_PATH}`, {
      headers: { Origin: origin, Cookie: cookie },
      perMessageDeflate: false,
    });
    socket.once('open', () => socket.send(JSON.stringify(dial)));
    socket.once('error', reject);
    socket.once('close', (code) => reject(new Error(`the relay closed with ${code}`)));
    const look = (content: Buffer, isBinary: boolean) => {
      if (isBinary || !content.includes('"opened"')) return;
      socket.off('message', look);
      resolve(socket);
    };
    socket.on('message', look);
  });
}
