import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { API_PATHS, hashProof, signInProof } from '@fairlead/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeTestSite } from './test-kit.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-main-'));
const children: ChildProcess[] = [];

beforeAll(() => writeTestSite(folder));
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function environment(extra: Record<string, string>): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    FAIRLEAD_PORT: '0',
    FAIRLEAD_DATA: join(folder, 'data'),
    FAIRLEAD_STATIC: folder,
    FAIRLEAD_LOG_LEVEL: 'info',
    ...extra,
  };
}

interface Run {
  child: ChildProcess;
  out(): string;
  err(): string;
  until(pattern: RegExp): Promise<RegExpExecArray>;
  exited: Promise<number | null>;
}

function watch(child: ChildProcess): Run {
  children.push(child);
  let out = '';
  let err = '';
  const checks = new Set<() => void>();
  child.stdout?.on('data', (bytes) => {
    out += String(bytes);
    for (const check of checks) check();
  });
  child.stderr?.on('data', (bytes) => {
    err += String(bytes);
  });
  // Not 'close': it does not come for a child whose channel was disconnected from here.
  const closed = [child.stdout, child.stderr].map((stream) => new Promise((resolve) => stream?.on('close', resolve)));
  const exited = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => void Promise.all(closed).then(() => resolve(code)));
  });
  const until = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const check = () => {
        const found = pattern.exec(out);
        if (found !== null) resolve(found);
      };
      checks.add(check);
      check();
      void exited.then((code) => reject(new Error(`exited with ${code}: ${err}`)));
    });
  return { child, out: () => out, err: () => err, until, exited };
}

function start(extra: Record<string, string> = {}, args: string[] = []): Run {
  return watch(
    spawn(process.execPath, [MAIN, ...args], { env: environment(extra), stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

async function expectSentence(run: Run, sentence: RegExp): Promise<void> {
  expect(await run.exited).toBe(1);
  expect(run.err()).toMatch(sentence);
  expect(run.err().trim().split('\n')).toHaveLength(1);
  expect(run.err()).not.toMatch(/ at |Error:/);
}

test('alone it prints where it is and a code, a new one after each use, and stops at SIGTERM', async () => {
  const run = start();
  const [, base = ''] = await run.until(/^Fairlead is at (http:\/\/localhost:\d+)\n/);
  const [, code = ''] = await run.until(/code, for one use: ([A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4})\n/);
  expect((await fetch(`${base}/healthz`)).status).toBe(200);
  const answer = await fetch(`${base}${API_PATHS.signIn}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: base },
    body: JSON.stringify({ proof: await signInProof(code) }),
  });
  expect(answer.status).toBe(200);
  const [, , second = ''] = await run.until(/use: (\S+)\n[\s\S]*use: (\S+)\n/);
  expect(second).not.toBe(code);
  expect(run.err()).not.toContain(code);

  const port = new URL(base).port;
  expect(await start({ FAIRLEAD_PORT: port }, ['--check']).exited).toBe(0);
  await expectSentence(start({ FAIRLEAD_PORT: port }), new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is taken; `));

  run.child.kill('SIGTERM');
  expect(await run.exited).toBe(0);
  await expectSentence(start({ FAIRLEAD_PORT: port }, ['--check']), /^No relay answers on 127\.0\.0\.1, port \d+\.\n$/);

  // A sign-in outlives a restart.
  const again = start({ FAIRLEAD_PORT: port });
  await again.until(/for one use/);
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const status = await fetch(`${base}${API_PATHS.status}`, { headers: { Cookie: cookie } });
  expect(await status.json()).toMatchObject({ signedIn: true });
  again.child.kill('SIGINT');
  expect(await again.exited).toBe(0);
});

test('with a start script it prints nothing, obeys, and goes when the script goes', async () => {
  const demo = { target: { host: '127.0.0.1', port: 1 }, route: { name: '', hops: [] }, user: 'demo' };
  const env = environment({ FAIRLEAD_DEMO: JSON.stringify(demo) });
  const child = fork(MAIN, [], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  const run = watch(child);
  const messages: unknown[] = [];
  const heard = (type: string) =>
    new Promise<{ port?: number }>((resolve) => {
      const look = (message: unknown) => {
        messages.push(message);
        if (JSON.stringify(message).includes(type)) resolve(message as { port?: number });
      };
      child.on('message', look);
    });
  const { port } = await heard('ready');
  const used = heard('code-used');
  const proof = await signInProof('SCRIPT');
  child.send({ type: 'nonsense' });
  child.send({ type: 'accept-proof', proofHash: 'short' });
  child.send({ type: 'accept-proof', proofHash: await hashProof(proof) });
  const base = `http://127.0.0.1:${port}`;
  const signIn = () => {
    const headers = { 'Content-Type': 'application/json', Origin: base };
    return fetch(`${base}${API_PATHS.signIn}`, { method: 'POST', headers, body: JSON.stringify({ proof }) });
  };
  let answer = await signIn();
  while (answer.status === 401) answer = await signIn();
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ demo });
  expect(await used).toEqual({ type: 'code-used' });
  child.send({ type: 'demo-ended' });
  const Cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  const seen = async () =>
    ((await (await fetch(`${base}${API_PATHS.status}`, { headers: { Cookie } })).json()) as { demo: unknown }).demo;
  await expect.poll(seen).toBeNull();
  expect(run.out()).toBe('');
  child.disconnect();
  expect(await run.exited).toBe(0);
});

test('what keeps it from starting is one sentence', async () => {
  await expectSentence(start({ FAIRLEAD_PORT: 'http' }), /^FAIRLEAD_PORT is not a whole number\.\n$/);
  await expectSentence(
    start({ FAIRLEAD_TARGETS: '127.1' }),
    /^FAIRLEAD_TARGETS has a rule that cannot be read: "127\.1" /,
  );
  await expectSentence(start({ FAIRLEAD_STATIC: join(folder, 'none') }), /^The web app is not built: /);
  writeFileSync(join(folder, 'file'), '');
  await expectSentence(start({ FAIRLEAD_DATA: join(folder, 'file', 'x') }), /^Cannot keep data in .*part of the path/);
  await expectSentence(start({ FAIRLEAD_HOST: '192.0.2.1' }), /^192\.0\.2\.1 is not an address of this machine; /);
  await expectSentence(start({}, ['--frobnicate']), /^Only --help and --check are understood; /);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expectSentence(start({ FAIRLEAD_PORT: `${port}` }), /^Port \d+ on 127\.0\.0\.1 is taken; /);
  await expectSentence(start({ FAIRLEAD_PORT: `${port}` }, ['--check']), /^No relay answers/);
  taken.close();
}, 60_000);

test('--help lists the settings', async () => {
  const run = start({ FAIRLEAD_PORT: 'broken' }, ['--help']);
  expect(await run.exited).toBe(0);
  expect(run.out()).toContain('FAIRLEAD_TARGETS');
});
