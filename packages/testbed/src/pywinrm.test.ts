import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { makeCertificate, thumbprintsOf } from './certificate.ts';
import { startWinRmHost } from './winrm-host.ts';

const PASSWORD = 'Ünlikely pass:word';
const DEMO = { user: 'demo', domain: 'FAIRLEAD', password: PASSWORD };
const PYTHON = '/usr/bin/python3';

interface Result {
  readonly check: string;
  readonly ok: boolean;
  readonly got: string;
}

/** Debian's python3-winrm; `npm test` installs it where it may. */
async function isThere(): Promise<boolean> {
  return await promisify(execFile)(PYTHON, ['-c', 'import winrm.protocol']).then(
    () => true,
    () => false,
  );
}

/** Runs one of the scripts in peers/ and returns what it found. */
async function ask(script: string, ...words: string[]): Promise<Result[]> {
  expect(await isThere(), 'python3-winrm is missing: apt-get install python3-winrm').toBe(true);
  const file = fileURLToPath(new URL(`../peers/${script}`, import.meta.url));
  const env = { PATH: '/usr/bin:/bin', FAIRLEAD_TESTBED_PASSWORD: PASSWORD };
  const { stdout } = await promisify(execFile)(PYTHON, [file, ...words], { env }).catch(
    (error: { stdout: string }) => error,
  );
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Result);
}

test('pywinrm, which knows nothing of us, works with the host sealed and is refused with a wrong password', async () => {
  const host = await startWinRmHost({ accounts: [DEMO] });
  try {
    const results = await ask('pywinrm_check.py', `http://127.0.0.1:${host.port}/wsman`, 'FAIRLEAD\\demo');
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

test.each([
  ['none', 'P-256', 'sha256', 'current'],
  ['relaxed', 'RSA-2048', 'sha256', 'old-server'],
  ['strict', 'P-256', 'sha384', 'current'],
  ['strict', 'RSA-2048', 'sha512', 'current'],
] as const)(
  'pywinrm with TLS, CbtHardeningLevel %s, %s signed with %s, %s',
  async (cbt, keyType, hash, profile) => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-pywinrm-'));
    const server = makeCertificate({ commonName: 'host', names: ['127.0.0.1'], keyType, hash });
    const client = makeCertificate({ commonName: 'demo', usage: 'client' });
    const texts = { 'server.pem': server.certificate, 'client.pem': client.certificate, 'client.key': client.key };
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    const { sha256 } = thumbprintsOf(client.certificate);
    const host = await startWinRmHost({
      accounts: [{ ...DEMO, certificates: [sha256] }],
      https: { ...server, cbt, profile, clientCertificate: 'request' },
    });
    try {
      const url = `https://127.0.0.1:${host.https?.port}/wsman`;
      const files = Object.keys(texts).map((name) => join(folder, name));
      const results = await ask('pywinrm_tls_check.py', url, 'FAIRLEAD\\demo', ...files, cbt);
      expect(results.filter((result) => !result.ok)).toEqual([]);
      expect(results).toHaveLength(7);
      expect(host.shellCount).toBe(0);
      const versions = new Set(host.journal.connections().map((connection) => connection.tls?.version));
      expect(versions).toEqual(new Set([profile === 'current' ? 'TLSv1.3' : 'TLSv1.2']));
    } finally {
      await host.close();
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);
