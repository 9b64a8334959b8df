import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startWinRmHost } from './winrm-host.ts';

const SCRIPT = fileURLToPath(new URL('../peers/pywinrm_check.py', import.meta.url));
const PASSWORD = 'Ünlikely pass:word';
const PYTHON = '/usr/bin/python3';

/** Debian's python3-winrm; `npm test` installs it where it may. */
async function isThere(): Promise<boolean> {
  return await promisify(execFile)(PYTHON, ['-c', 'import winrm.protocol']).then(
    () => true,
    () => false,
  );
}

test('pywinrm, which knows nothing of us, works with the host sealed and is refused with a wrong password', async () => {
  expect(await isThere(), 'python3-winrm is missing: apt-get install python3-winrm').toBe(true);
  const host = await startWinRmHost({ accounts: [{ user: 'demo', domain: 'FAIRLEAD', password: PASSWORD }] });
  try {
    const arguments_ = [SCRIPT, `http://127.0.0.1:${host.port}/wsman`, 'FAIRLEAD\\demo'];
    const env = { PATH: '/usr/bin:/bin', FAIRLEAD_TESTBED_PASSWORD: PASSWORD };
    const { stdout } = await promisify(execFile)(PYTHON, arguments_, { env }).catch(
      (error: { stdout: string }) => error,
    );
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check: string; ok: boolean; got: string });
    expect(results.filter((result) => !result.ok)).toEqual([]);
    expect(results).toHaveLength(9);
    expect(host.shellCount).toBe(0);
    const signedIn = host.journal.connections().filter((connection) => connection.handshakeCount > 0);
    expect(signedIn.every((connection) => connection.handshakeCount === 1)).toBe(true);
    const answered = host.journal.entries.filter((entry) => entry.event === 'request' && entry.operation !== '');
    expect(answered.every((entry) => entry.event === 'request' && entry.isSealed)).toBe(true);
  } finally {
    await host.close();
  }
}, 60_000);
