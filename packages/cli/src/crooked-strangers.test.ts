import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { HOST_PASSWORD, type Rehearsal, rehearse } from '../../testbed/src/crooked/rehearsal.ts';
import { run } from './run.ts';

// A stranger whom a proxy puts on a connection that somebody else has signed in on. What these tests can claim is about
// sealing and about us: that a host whose AllowUnencrypted is false, as ours and as Windows by default, gives and does
// nothing without a seal. They also show what sealing cannot help: the stranger can break the connection.

const folder = mkdtempSync(join(tmpdir(), 'fairlead-strangers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const PATIENCE = { timeout: 15_000, interval: 10 };

/** Somebody without a password who knows how to ask a proxy. */
async function ask(r: Rehearsal, fields: Record<string, string>, body = ''): Promise<{ status: number; rest: string }> {
  const path = `http://127.0.0.1:${r.host.port}/wsman`;
  const headers = { Host: `127.0.0.1:${r.host.port}`, 'Content-Length': body.length, ...fields };
  const asking = request({ host: '127.0.0.1', port: r.proxy.port, method: 'POST', path, headers, agent: false });
  asking.end(Buffer.from(body, 'latin1'));
  const [reply] = (await once(asking, 'response')) as [IncomingMessage];
  let rest = '';
  for await (const bytes of reply) rest += (bytes as Buffer).toString('latin1');
  return { status: reply.statusCode ?? 0, rest };
}

const operations = (r: Rehearsal): readonly string[] => r.host.journal.connections().flatMap((one) => one.operations);

/** A token that no host takes: on a connection that was signed in it ends that. */
const BAD_TOKEN = { Authorization: 'Negotiate AAAA' };
const SOAP = { 'Content-Type': 'application/soap+xml;charset=UTF-8' };
const PLAIN_CREATE =
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><Shell>evil</Shell></s:Body></s:Envelope>';
const SEALED = {
  'Content-Type':
    'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"',
};

/** A command that has taken one line of input, so that both lanes stand; what it takes goes into the file. */
async function beginTaking(r: Rehearsal, file: string) {
  const running = r.begin(['exec', ...r.wordsFor('http, absolute form'), '--', `cat > ${file}; exit 3`]);
  await vi.waitFor(
    () => expect(r.proxy.journal.entries.filter((one) => one.event === 'carried')).toHaveLength(5),
    PATIENCE,
  );
  running.stdin.write('first\n');
  await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toBe('first\n'), PATIENCE);
  await vi.waitFor(() => expect(operations(r)).toContain('Send'), PATIENCE);
  return running;
}

describe('a proxy that lends authenticated connections', () => {
  it('lends ours to a stranger, who learns and does nothing; we go on: R11, R30, R31', async () => {
    const r = await rehearse({ run, proxy: { crookedness: 'lends-authenticated-connection' } });
    const file = join(folder, 'taken-1');
    try {
      const ours = await beginTaking(r, file);
      const before = operations(r);
      // Signed in as us, says the host to a request without a password: the connection is ours.
      expect(await ask(r, {})).toEqual({ status: 200, rest: '' });
      expect(await ask(r, SOAP, PLAIN_CREATE)).toEqual({ status: 500, rest: '' });
      expect(r.proxy.journal.clientsOf(2)).toEqual([2, 3, 4]);
      expect(operations(r)).toEqual(before);
      ours.stdin.end('second\n');
      expect(await ours.done).toMatchObject({ exitCode: 3, stdout: '' });
      expect(readFileSync(file, 'utf8')).toBe('first\nsecond\n');
      for (const secret of [HOST_PASSWORD, 'first', 'second', 'taken-1']) expect(r.seen()).not.toContain(secret);
    } finally {
      await r.close();
    }
  });

  it('lets a stranger repeat our sealed words, which nobody obeys twice, and we say that it moved us: R30', async () => {
    const r = await rehearse({ run, proxy: { crookedness: 'lends-authenticated-connection' } });
    const file = join(folder, 'taken-2');
    try {
      const ours = await beginTaking(r, file);
      const sends = r.seen().split('POST http://').at(-1) ?? '';
      const sealed = /--Encrypted Boundary.*--Encrypted Boundary--\r\n/s.exec(sends)?.[0] ?? '';
      expect(sealed.length).toBeGreaterThan(1000);
      const before = operations(r);
      expect(await ask(r, SEALED, sealed)).toEqual({ status: 400, rest: '' });
      expect(operations(r)).toEqual(before);
      ours.stdin.end('second\n');
      const { exitCode, stderr } = await ours.done;
      expect([exitCode, stderr]).toEqual([71, expect.stringContaining('[shell.fate-unknown]')]);
      expect(stderr).toContain(`Because: The proxy 127.0.0.1:${r.proxy.port} moved your connection`);
      expect(readFileSync(file, 'utf8')).toBe('first\n');
    } finally {
      await r.close();
    }
  });
});

describe('a proxy that shares one connection between all', () => {
  it('lets a stranger spoil our sign-in; we sign in once more, go on, and say so: R10, R12, R20', async () => {
    const r = await rehearse({
      run,
      proxy: { crookedness: 'shares-connections' },
      host: { limits: { maxTimeoutMs: 500 } },
    });
    const flag = join(folder, 'go');
    try {
      const command = `until [ -e ${flag} ]; do sleep 0.05; done; echo done; exit 3`;
      const ours = r.begin(['exec', ...r.wordsFor('http, absolute form'), '--', command], true);
      await vi.waitFor(() => expect(operations(r)).toContain('Receive'), PATIENCE);
      expect((await ask(r, BAD_TOKEN)).status).toBe(401);
      await vi.waitFor(() => expect(r.signInCount()).toBe(2), PATIENCE);
      writeFileSync(flag, '');
      const { exitCode, stdout, stderr } = await ours.done;
      expect([exitCode, stdout, r.signInCount()]).toEqual([3, 'done\n', 2]);
      expect(stderr).toContain(`note: The proxy 127.0.0.1:${r.proxy.port} moved a connection to the host (status 401)`);
      expect(stderr).toContain('some output may be missing here');
      expect(r.proxy.journal.clientsOf(1)).toEqual([1, 2, 3]);
    } finally {
      await r.close();
    }
  });
});
