import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GssServer, type Peer, RIG_ACCOUNT, startGssServer, startProxy } from '../peers/peers.ts';
import { connectionsOf } from './run-session.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

let server: GssServer;
let squid: Peer;
let packagedSquid: Peer;
let tinyproxy: Peer;

beforeAll(async () => {
  [squid, packagedSquid, tinyproxy] = await Promise.all([
    startProxy('squid'),
    startProxy('squid-default'),
    startProxy('tinyproxy'),
  ]);
});
afterAll(() => Promise.all([squid?.stop(), packagedSquid?.stop(), tinyproxy?.stop()]));
beforeEach(async () => {
  server = await startGssServer();
});
afterEach(() => server.stop());

/** Runs `fairlead check-road` as a process of its own. */
function checkRoad(
  proxy: Peer,
  ...options: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const words = ['check-road', '-t', `http://127.0.0.1:${server.port}`, '-u', RIG_ACCOUNT.user];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...words, '-p', `http://127.0.0.1:${proxy.port}`, ...options], {
      env: { ...process.env, FAIRLEAD_PASSWORD: RIG_ACCOUNT.password },
    });
    const written = { stdout: '', stderr: '' };
    child.stdout.on('data', (bytes: Buffer) => {
      written.stdout += bytes.toString('utf8');
    });
    child.stderr.on('data', (bytes: Buffer) => {
      written.stderr += bytes.toString('utf8');
    });
    child.once('close', (code) => resolve({ code, ...written }));
    child.stdin.end();
  });
}

describe('fairlead check-road with the GSS-API server', () => {
  it.each([[[]], [['--forward']]])('R10, R24: finds that Squid keeps connections together %j', async (options) => {
    const { code, stdout, stderr } = await checkRoad(squid, ...options, '--count', '25', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ verdict: 'kept', sent: 25, answered: 25, connections: 1, handshakes: 1, advice: [], error: null },
    });
    // The server's own log says the same.
    const connections = connectionsOf(server);
    expect(connections.map(({ handshakes, failures }) => ({ handshakes, failures }))).toEqual([
      { handshakes: 1, failures: 0 },
    ]);
  });

  it('R8, R14, R23: finds that tinyproxy does not, and blames no password', async () => {
    const { code, stdout } = await checkRoad(tinyproxy, '--forward');
    expect(code).toBe(66);
    expect(stdout).toMatch(/^connection {3}(?:MOVED|CLOSED)/m);
    expect(stdout).toMatch(/\[proxy\.(?:no-affinity|drops-connection)\]/);
    expect(stdout).toMatch(/does not promise to keep a sign-in/);
  });

  it('R4: is forwarded by a Squid as Debian packages it, which tunnels to 443 only', async () => {
    const { code, stdout } = await checkRoad(packagedSquid, '--proxy-form', 'auto');
    expect(stdout).toMatch(/^connection {3}kept: /m);
    expect(stdout).toMatch(/^note {9}The proxy 127\.0\.0\.1:\d+ refused a tunnel \(status 403\), so it forwards/m);
    expect(code).toBe(0);
    expect(connectionsOf(server).every(({ isForwarded }) => isForwarded)).toBe(true);
  });
});
