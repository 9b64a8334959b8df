import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { API_PATHS, signInProof } from '@fairlead/contract';
import { expect, test } from 'vitest';
import { openTestPipe, writeTestSite } from './test-kit.ts';

const SCRIPT = 'function FindProxyForURL() { return "DIRECT"; }';

function listen(server: Server | NetServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

test('R34: a proxy of its environment is not touched by the relay: not for a dial, not for a PAC file', async () => {
  let touched = 0;
  const trap = createServer((socket) => {
    touched += 1;
    socket.destroy();
  });
  const target = createServer((socket) => socket.end('hello'));
  const web = createHttpServer((_request, response) => response.end(SCRIPT));
  const [trapPort, targetPort, webPort] = [await listen(trap), await listen(target), await listen(web)];
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-ambient-'));
  writeTestSite(folder);
  const url = `http://127.0.0.1:${trapPort}`;
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
  const child = spawn(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], {
    env: {
      ...Object.fromEntries(names.map((name) => [name, url])),
      // Node's own switch for it, which moves fetch and the agents of the process.
      ...{ NODE_USE_ENV_PROXY: '1', PATH: process.env['PATH'] },
      ...{ FAIRLEAD_PORT: '0', FAIRLEAD_DATA: join(folder, 'data'), FAIRLEAD_STATIC: folder },
      FAIRLEAD_TARGETS: `127.0.0.1:${targetPort}`,
      FAIRLEAD_PROXY_SCRIPTS: `127.0.0.1:${webPort}`,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    let out = '';
    const [base, code] = await new Promise<[string, string]>((resolve, reject) => {
      child.stdout.on('data', (bytes) => {
        out += String(bytes);
        const found = /is at (\S+)\n[\s\S]*one use: (\S+)\n/.exec(out);
        if (found !== null) resolve([found[1] as string, found[2] as string]);
      });
      child.on('exit', () => reject(new Error(`the relay did not start: ${out}`)));
    });
    const post = (path: string, body: unknown, cookie = '') =>
      fetch(`${base}${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: base, Cookie: cookie },
        body: JSON.stringify(body),
      });
    const signIn = await post(API_PATHS.signIn, { proof: await signInProof(code) });
    const cookie = (signIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';

    const script = await post(API_PATHS.proxyScript, { url: `http://127.0.0.1:${webPort}/p.pac` }, cookie);
    expect(await script.json()).toEqual({ text: SCRIPT });
    const road = { target: { host: '127.0.0.1', port: targetPort }, route: { name: '', hops: [] } };
    const { ticket } = (await (await post(API_PATHS.tickets, road, cookie)).json()) as { ticket: string };
    const pipe = await openTestPipe(base, { Cookie: cookie });
    pipe.say({ type: 'dial', ticket });
    await pipe.untilBytes(5);
    expect(pipe.bytes.toString()).toBe('hello');
    pipe.socket.terminate();
    expect(touched).toBe(0);
  } finally {
    child.kill('SIGKILL');
    for (const server of [trap, target, web]) server.close();
    web.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);
