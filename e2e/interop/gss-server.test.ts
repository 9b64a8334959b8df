import type { Hop } from '@fairlead/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GssServer, type Peer, PROXY_ONLY_NAME, startGssServer, startProxy } from '../peers/peers.ts';
import { connectionsOf, makeRun, runOnce, type SeenConnection } from './run-session.ts';

/** Input, output on both streams and an exit code: what every road must carry, on both lanes. */
const ALL_STREAMS = { command: 'cat; printf err >&2; exit 7', input: 'in and out' };
const SEEN_ALL = { stdout: 'in and out', stderr: 'err', exit: { signed: 7, unsigned: 7 } };

let server: GssServer;
let squid: Peer;
let packagedSquid: Peer;

beforeAll(async () => {
  [squid, packagedSquid] = await Promise.all([startProxy('squid'), startProxy('squid-default')]);
});
afterAll(() => Promise.all([squid?.stop(), packagedSquid?.stop()]));
beforeEach(async () => {
  server = await startGssServer();
});
afterEach(() => server.stop());

function through(proxy: Peer, kind: Hop['kind']): Hop[] {
  return [{ kind, host: '127.0.0.1', port: proxy.port }];
}

/** Each lane was one TCP connection with one handshake: one sends input, the other polls for output. */
function expectTwoPinnedLanes(connections: readonly SeenConnection[]): void {
  expect(connections).toHaveLength(2);
  for (const { handshakes, failures } of connections) {
    expect({ handshakes, failures }).toEqual({ handshakes: 1, failures: 0 });
  }
  const output = connections.find(({ actions }) => actions.includes('Receive'));
  const control = connections.find(({ actions }) => actions.includes('Send'));
  expect(control).not.toBe(output);
  expect(connections.map(({ actions }) => actions.at(-1))).toContain('Delete');
}

describe('a session with the GSS-API server', () => {
  it('R1: carries both streams and the exit code, directly, over SPNEGO', async () => {
    expect(await runOnce({ target: `127.0.0.1:${server.port}`, ...ALL_STREAMS })).toEqual(SEEN_ALL);
    expectTwoPinnedLanes(connectionsOf(server));
  });

  it('R17, R21: needs four requests to the first output directly, and five behind a proxy', async () => {
    const target = `127.0.0.1:${server.port}`;
    await runOnce({ target, command: 'echo x' });
    await runOnce({ target, hops: through(squid, 'http-connect'), command: 'echo x' });
    expect(connectionsOf(server).map((seen) => seen.requestsToFirstReceive)).toEqual([4, 5]);
  });

  it('carries them over raw NTLM under Negotiate', async () => {
    const run = { target: `127.0.0.1:${server.port}`, ...ALL_STREAMS, policy: 'negotiate-raw' } as const;
    expect(await runOnce(run)).toEqual(SEEN_ALL);
    expectTwoPinnedLanes(connectionsOf(server));
  });

  it('R1, R2: carries them through Squid with CONNECT', async () => {
    const hops = through(squid, 'http-connect');
    expect(await runOnce({ target: `127.0.0.1:${server.port}`, hops, ...ALL_STREAMS })).toEqual(SEEN_ALL);
    expectTwoPinnedLanes(connectionsOf(server));
  });

  it('R2, R24: carries them through Squid in absolute form', async () => {
    const hops = through(squid, 'http-forward');
    expect(await runOnce({ target: `127.0.0.1:${server.port}`, hops, ...ALL_STREAMS })).toEqual(SEEN_ALL);
    expectTwoPinnedLanes(connectionsOf(server));
    expect(connectionsOf(server).every(({ isForwarded }) => isForwarded)).toBe(true);
  });

  it.each(['http-connect', 'http-forward'] as const)(
    'reaches a name that only the proxy can resolve (%s)',
    async (kind) => {
      const target = `${PROXY_ONLY_NAME}:${server.port}`;
      expect(await runOnce({ target, hops: through(squid, kind), ...ALL_STREAMS })).toEqual(SEEN_ALL);
      await expect(runOnce({ target, ...ALL_STREAMS })).rejects.toMatchObject({ code: 'relay.name-not-found' });
      expectTwoPinnedLanes(connectionsOf(server));
    },
  );

  it('loses nothing when the server closes each connection after five requests', async () => {
    await server.stop();
    server = await startGssServer({ closeAfter: 5 });
    const command = 'for i in $(seq 1 40); do echo line $i; sleep 0.03; done; exit 3';
    const { stdout, exit } = await runOnce({ target: `127.0.0.1:${server.port}`, command });
    expect(stdout).toBe(Array.from({ length: 40 }, (_, i) => `line ${i + 1}\n`).join(''));
    expect(exit.unsigned).toBe(3);
    const connections = connectionsOf(server);
    expect(connections.length).toBeGreaterThan(2);
    for (const { handshakes, failures } of connections) expect([handshakes, failures]).toEqual([1, 0]);
    expect(connections.flatMap(({ actions }) => actions).filter((action) => action === 'Command')).toHaveLength(1);
  });

  it('says proxy.connect-denied with the status and the page when a proxy allows 443 only', async () => {
    const hops = through(packagedSquid, 'http-connect');
    // The port must be outside the proxy's list: any that is not 443.
    const error = await runOnce({ target: `127.0.0.1:${server.port}`, hops, command: 'true' }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'proxy.connect-denied', details: { hop: 1, status: 403 } });
    expect(error).toMatchObject({ details: { text: expect.stringContaining('Access Denied') } });
    expect(connectionsOf(server)).toHaveLength(0);
  });

  it('says proxy.target-unreachable when the proxy finds nobody there', async () => {
    const hops = through(squid, 'http-connect');
    const run = runOnce({ target: '127.0.0.1:1025', hops, command: 'true' });
    await expect(run).rejects.toMatchObject({ code: 'proxy.target-unreachable', details: { status: 503 } });
  });

  it('says auth.rejected for a wrong password and never reuses that connection', async () => {
    const run = runOnce({ target: `127.0.0.1:${server.port}`, command: 'true', password: 'wrong' });
    await expect(run).rejects.toMatchObject({ code: 'auth.rejected' });
    for (const { failures, actions } of connectionsOf(server)) {
      expect(failures).toBeLessThanOrEqual(1);
      expect(actions).toEqual([]);
    }
  });

  it('says auth.no-common-mechanism when only scheme NTLM is wanted and it is not offered', async () => {
    const run = runOnce({ target: `127.0.0.1:${server.port}`, command: 'true', policy: 'ntlm' });
    await expect(run).rejects.toMatchObject({ code: 'auth.no-common-mechanism' });
  });

  it('passes standard input on, byte for byte, and its end', async () => {
    const { session, finish } = makeRun({ target: `127.0.0.1:${server.port}`, command: 'cat; echo end' });
    await session.open();
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) & 255);
    await session.write(bytes);
    await session.endInput();
    const { stdout } = await finish();
    await session.close();
    expect(Buffer.from(stdout).equals(Buffer.concat([bytes, Buffer.from('end\n')]))).toBe(true);
  });

  it('interrupts a running command', async () => {
    const { session, finish } = makeRun({
      target: `127.0.0.1:${server.port}`,
      command: 'echo started; exec sleep 100',
    });
    await session.open();
    const finished = finish();
    await session.interrupt('ctrl-c');
    const { exit } = await finished;
    await session.close();
    expect(exit.unsigned).toBe(130);
  });

  it('carries five megabytes unharmed', async () => {
    const command = 'seq -f "%08g abcdefghijklmnopqrstuvwxyz" 1 150000';
    const { stdout } = await runOnce({ target: `127.0.0.1:${server.port}`, command });
    const lines = stdout.split('\n');
    expect(lines).toHaveLength(150_001);
    for (const i of [1, 75_000, 150_000])
      expect(lines[i - 1]).toBe(`${String(i).padStart(8, '0')} abcdefghijklmnopqrstuvwxyz`);
    expect(connectionsOf(server)).toMatchObject([{ handshakes: 1, failures: 0 }]);
  });

  it('carries text outside ASCII both ways', async () => {
    const { session, finish } = makeRun({ target: `127.0.0.1:${server.port}`, command: "printf 'Grüße, 世界 '; cat" });
    await session.open();
    await session.writeText('naïve – ok\n');
    await session.endInput();
    const { stdout } = await finish();
    await session.close();
    expect(Buffer.from(stdout).toString('utf8')).toBe('Grüße, 世界 naïve – ok\n');
  });

  it('keeps folder and variables between the lines of an interactive shell', async () => {
    const run = {
      target: `127.0.0.1:${server.port}`,
      command: '',
      shell: { kind: 'interactive', consoleStdin: true },
    } as const;
    const { session, finish } = makeRun(run);
    await session.open();
    for (const line of ['cd /usr', 'set COLOUR=green', 'echo %COLOUR% here', 'cd', 'exit 5']) {
      await session.writeText(`${line}\r\n`);
    }
    const { stdout, exit } = await finish();
    await session.close();
    expect(exit.unsigned).toBe(5);
    const text = Buffer.from(stdout).toString('utf8');
    expect(text).toContain('green here');
    expect(text).toMatch(/\n\/usr\r\n/);
    expectTwoPinnedLanes(connectionsOf(server));
  });
});
