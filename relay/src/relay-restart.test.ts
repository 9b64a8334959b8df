import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { API_PATHS, signInProof } from '@fairlead/contract';
import { parseCredential, parseTarget, Session } from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startWinRmHost, type WinRmHost } from '../../packages/testbed/src/index.ts';
import { writeTestSite } from './test-kit.ts';

// A real relay in a process of its own dies under a session with a real shell, and another takes its place: same port,
// same data folder, so the person is still signed in.

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const ACCOUNT = { user: 'ana', domain: 'CORP', password: 'Correct-horse-9' };
const folder = mkdtempSync(join(tmpdir(), 'fairlead-restart-'));
let host: WinRmHost;
let port = 0;
let base = '';
let cookie = '';
let relay: ChildProcess;

beforeAll(async () => {
  writeTestSite(folder);
  host = await startWinRmHost({ accounts: [ACCOUNT] });
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  port = await freePort();
  base = `http://127.0.0.1:${port}`;
});
afterEach(() => kill(relay));

/** Starts a relay at the port of the one before. @returns the code that it prints */
function startRelayProcess(): Promise<string> {
  relay = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      FAIRLEAD_PORT: String(port),
      FAIRLEAD_DATA: join(folder, 'data'),
      FAIRLEAD_STATIC: folder,
      FAIRLEAD_LOG_LEVEL: 'info',
      FAIRLEAD_TARGETS: '127.0.0.1:*',
      FAIRLEAD_DRAIN_SECONDS: '0',
    },
  });
  let text = '';
  return new Promise((resolve, reject) => {
    relay.once('exit', (code) => reject(new Error(`exited with ${code}: ${text}`)));
    relay.stdout?.on('data', (bytes) => {
      text += String(bytes);
      const code = /for one use: ([A-Z0-9-]+)\n/.exec(text)?.[1];
      if (code !== undefined) resolve(code);
    });
  });
}

function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

async function signIn(code: string): Promise<void> {
  const answer = await post(API_PATHS.signIn, { proof: await signInProof(code) });
  cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

const post = (path: string, body: unknown) =>
  fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: base, Cookie: cookie },
    body: JSON.stringify(body),
  });

/** A session as a tab has it: a new ticket for each connection, the cookie on every socket. */
function tabSession(): Session {
  const { target } = parseTarget(`127.0.0.1:${host.port}`);
  // A browser adds these by itself; Node's WebSocket takes them in the place where the DOM's has the protocols.
  const init: object = { headers: { Origin: base, Cookie: cookie } };
  class PageSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, init as string[]);
    }
  }
  return new Session({
    target,
    policy: 'negotiate',
    credential: parseCredential(`${ACCOUNT.domain}\\${ACCOUNT.user}`, ACCOUNT.password),
    openRoad: relayRoad({
      origin: base,
      WebSocket: PageSocket as typeof WebSocket,
      ticket: async () => {
        const { host: name, port: number } = target;
        const asked = { target: { host: name, port: number }, route: { name: '', hops: [] }, scheme: 'http' };
        const answer = (await (await post(API_PATHS.tickets, asked)).json()) as { ticket: string };
        return answer.ticket;
      },
    }),
    platform: defaultPlatform,
    shell: { kind: 'interactive', codePage: 65001 },
  });
}

/** Follows the output as a screen does; "|" where some may be missing. */
function follow(session: Session): { text: string } {
  const seen = { text: '' };
  void (async () => {
    for await (const { stream, bytes } of session.output) {
      seen.text += stream === 'gap' ? '|' : Buffer.from(bytes).toString('utf8');
    }
  })().catch((error: unknown) => {
    seen.text += `[${String(error)}]`;
  });
  return seen;
}

const WAIT = { timeout: 30_000, interval: 50 };

test.each([
  // Nobody has said that it will not come back with what it held.
  ['is killed', 'SIGKILL', 'held'],
  // It has taken leave of each connection, so there is nothing to be taken up again.
  ['is stopped', 'SIGTERM', 'reopening'],
] as const)(
  'a session goes on in the same shell when its relay %s and started anew',
  async (_name, signal, link) => {
    await signIn(await startRelayProcess());
    const session = tabSession();
    const links: string[] = [];
    session.watch((state) => state.at === 'ready' && links.push(state.link));
    await session.open();
    const seen = follow(session);
    await session.writeText('set COLOUR=green\r\n');
    // Runs on through all of it, and says so once a second.
    await session.writeText('for i in 1 2 3 4 5; do echo tick $i; sleep 1; done; echo ticked\r\n');
    await expect.poll(() => seen.text, WAIT).toMatch(/tick 1\n/);
    const { standing } = session;

    await kill(relay, signal);
    await expect.poll(() => links.at(-1), WAIT).toBe(link);
    if (link === 'reopening') {
      await expect.poll(() => session.reopening?.attempt ?? 0, WAIT).toBeGreaterThan(1);
      expect(session.reopening?.error.code).toBe('relay.unreachable');
    }
    // Nothing of these has left when the link is known to be gone, so nobody has to wonder.
    const typed = Promise.all([session.writeText('echo typed one\r\n'), session.writeText('echo typed two\r\n')]);
    await startRelayProcess();
    session.hurry();
    await expect.poll(() => links.at(-1), WAIT).toBe('live');
    await expect.poll(() => seen.text, WAIT).toMatch(/ticked\n/);
    await typed;
    await session.writeText('echo %COLOUR% after\r\n');
    await expect.poll(() => seen.text, WAIT).toMatch(/green after/);

    expect(seen.text.match(/\|/g)).toHaveLength(1); // one place where output may be missing, and it is marked
    expect(seen.text.match(/^tick 1\r?\n/gm)).toHaveLength(1);
    expect(seen.text.match(/^typed (?:one|two)\r?\n/gm)).toHaveLength(2); // each ran once
    expect(session.standing).toEqual(standing);
    const made = host.journal.entries.filter(({ event }) => event === 'command' || event === 'shell');
    await session.writeText('exit\r\n');
    await session.exit;
    await session.close();
    expect(host.shellCount).toBe(0);
    expect(made.at(-2)).toMatchObject({ event: 'shell', what: 'opened', shell: standing?.shellId });
    expect(made.at(-1)).toMatchObject({ event: 'command', what: 'started', command: standing?.commandId });
  },
  90_000,
);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
