/** The two WinRM hosts that clients are compared on, each a process of its own so that it does not share our thread. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RIG_ACCOUNT, startGssServer } from '../peers/peers.ts';
import { startChild } from './children.ts';

const TESTBED = fileURLToPath(new URL('../../packages/testbed/src/main.ts', import.meta.url));

/** A running host. `RIG_ACCOUNT` may use it. */
export interface Host {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Connection and action of every request so far, authentication legs without an action, as the host logged them. */
  requests(): readonly { readonly connection: number; readonly action: string }[];
  stop(): Promise<void>;
}

/** The server on MIT krb5's GSS-API and gss-ntlmssp. */
export async function startGssHost(): Promise<Host> {
  const server = await startGssServer();
  return {
    name: 'GSS-API server',
    port: server.port,
    pid: 0,
    requests: () =>
      server
        .log()
        .filter((event) => event.ev === 'request')
        .map(({ conn, action }) => ({ connection: conn, action: typeof action === 'string' ? action : '' })),
    stop: server.stop,
  };
}

/** The testbed. */
export async function startTestbedHost(): Promise<Host> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const journal = join(folder, 'journal.jsonl');
  const words = [TESTBED, '--port', '0', '--user', RIG_ACCOUNT.user, '--journal', journal, '--directory', '/'];
  const child = startChild(process.execPath, words, { FAIRLEAD_TESTBED_PASSWORD: RIG_ACCOUNT.password });
  return {
    name: 'testbed',
    port: Number(await child.printed(/READY http=(\d+)/)),
    pid: child.pid,
    requests: () =>
      readFileSync(journal, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"event":"request"'))
        .map((line) => JSON.parse(line) as { connection: number; operation: string })
        .map(({ connection, operation }) => ({ connection, action: operation })),
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
